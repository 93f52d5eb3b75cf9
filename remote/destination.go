package remote

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Destination is a host as somebody types it.
type Destination struct {
	User string // "" where none was typed
	Host string // a name, an address or an alias of the user's ssh configuration
	Port int    // 1 to 65535; 0 where none was typed
}

// ParseDestination reads [ssh://][user@]host[:port] and refuses what cannot be
// dialled. Nothing is looked up. The error names what is wrong.
func ParseDestination(s string) (Destination, error) {
	p, err := parseDestination(s)
	if err != nil {
		return Destination{}, err
	}
	d := Destination{User: p.user, Host: p.host}
	if p.port != "" {
		if d.Port, err = strconv.Atoi(p.port); err != nil || d.Port < 1 || d.Port > 65535 {
			return Destination{}, fmt.Errorf("port %q is not between 1 and 65535", Safe([]byte(p.port)))
		}
	}
	// A number alone may be an alias of the user's; with dots it is a slip.
	if _, err := netip.ParseAddr(p.host); err != nil && strings.Contains(p.host, ".") && strings.Trim(p.host, "0123456789.") == "" {
		return Destination{}, fmt.Errorf("%q is no address", Safe([]byte(p.host)))
	}
	return d, nil
}

// Place is the destination without its user: host, or host:port.
func (d Destination) Place() string {
	if d.Port == 0 {
		return d.Host
	}
	return net.JoinHostPort(d.Host, strconv.Itoa(d.Port))
}

// CheckDestination refuses what ParseDestination does.
func CheckDestination(s string) error {
	_, err := ParseDestination(s)
	return err
}

// CheckJump refuses what is no list of jumps as ProxyJump has it, or "none".
func CheckJump(s string) error {
	if strings.EqualFold(s, "none") {
		return nil
	}
	names := strings.Split(s, ",")
	if len(names) >= mostHops {
		return fmt.Errorf("%d jumps are more than %d", len(names), mostHops-1)
	}
	for _, name := range names {
		if err := CheckDestination(strings.TrimSpace(name)); err != nil {
			return err
		}
	}
	return nil
}
