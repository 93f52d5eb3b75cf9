package remote

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// CheckDestination refuses what cannot be dialled: s is read as
// [ssh://][user@]host[:port], the host being a name, an address or an alias of
// the user's ssh configuration. Nothing is looked up.
func CheckDestination(s string) error {
	p, err := parseDestination(s)
	if err != nil {
		return err
	}
	if n, err := strconv.Atoi(p.port); p.port != "" && (err != nil || n < 1 || n > 65535) {
		return fmt.Errorf("port %q is not between 1 and 65535", Safe([]byte(p.port)))
	}
	if _, err := netip.ParseAddr(p.host); err != nil && strings.Trim(p.host, "0123456789.") == "" {
		return fmt.Errorf("%q is no address", Safe([]byte(p.host)))
	}
	return nil
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
