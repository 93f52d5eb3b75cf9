package remote

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
)

// hop is one SSH server on the way to a host, the host itself included, with
// everything that the user's configuration says about it.
type hop struct {
	alias      string // as the user wrote it
	host, port string // what is dialled
	user       string
	knownAs    string   // host:port by which known_hosts knows it
	knownHosts []string // files
	identities []string // key files, in order
	only       bool     // offer no key of the agent but those of identities
	agent      string   // the agent's socket; "" for none
}

// address is what is dialled.
func (h *hop) address() string { return net.JoinHostPort(h.host, h.port) }

// mostHops bounds a chain of jumps: a configuration can point at itself.
const mostHops = 8

// resolve finds the way to t: its jumps in order, then the host itself.
func resolve(t Target, o Options, warn func(string)) ([]hop, error) {
	paths := o.Config
	if paths == nil {
		paths = defaultSSHConfig()
	}
	c, err := readSSHConfig(paths, warn)
	if err != nil {
		return nil, &Error{Host: t.Name, Kind: Protocol, Text: "the ssh configuration cannot be read: " + Safe([]byte(err.Error())),
			Remedy: "correct that file", Err: err}
	}
	address := t.Address
	if address == "" {
		address = t.Name
	}
	place, err := parseDestination(address)
	if err != nil {
		return nil, &Error{Host: t.Name, Kind: Unreachable, Text: err.Error(), Remedy: "give a host name, an address or an alias of ~/.ssh/config", Err: err}
	}
	if t.User != "" {
		place.user = t.User
	}
	if t.Port != 0 {
		place.port = strconv.Itoa(t.Port)
	}
	last, err := c.hop(place, t, o.Agent)
	if err != nil {
		return nil, &Error{Host: t.Name, Kind: Unreachable, Text: err.Error(), Remedy: "correct it in ~/.ssh/config", Err: err}
	}
	if len(t.Identity) > 0 {
		last.identities, last.only = last.expandAll(t.Identity), true
	}
	if len(t.KnownHosts) > 0 {
		last.knownHosts = last.expandAll(t.KnownHosts)
	}
	jump := t.Jump
	if jump == "" {
		jump = c.jump(place.host)
	}
	jumps, err := c.jumps(jump, t, o.Agent, 1)
	if err != nil {
		return nil, &Error{Host: t.Name, Kind: Unreachable, Text: err.Error(), Remedy: "correct ProxyJump", Err: err}
	}
	return append(jumps, last), nil
}

// jump is the ProxyJump of a host. A ProxyCommand would need a program of this
// machine for each connection: it is said, not run.
func (c *sshConfig) jump(alias string) string {
	jump := c.get(alias, "ProxyJump")
	if command := c.get(alias, "ProxyCommand"); jump == "" && command != "" && !strings.EqualFold(command, "none") {
		c.warn(fmt.Sprintf("%s: ProxyCommand is not used, it is dialled directly; use ProxyJump", Safe([]byte(alias))))
	}
	return jump
}

// jumps resolves a ProxyJump list. As with ssh, only the first host of the list
// may have a jump of its own.
func (c *sshConfig) jumps(list string, t Target, agent bool, depth int) ([]hop, error) {
	if list == "" || strings.EqualFold(list, "none") {
		return nil, nil
	}
	names := strings.Split(list, ",")
	if depth+len(names) > mostHops {
		return nil, fmt.Errorf("more than %d jumps: ProxyJump goes round in a circle", mostHops-1)
	}
	var way []hop
	for i, name := range names {
		place, err := parseDestination(strings.TrimSpace(name))
		if err != nil {
			return nil, fmt.Errorf("ProxyJump: %w", err)
		}
		h, err := c.hop(place, t, agent)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			if way, err = c.jumps(c.jump(place.host), t, agent, depth+len(names)); err != nil {
				return nil, err
			}
		}
		way = append(way, h)
	}
	return way, nil
}

// hop gathers what the configuration says of one server. What it leaves open
// of keys and known_hosts a jump takes from the target.
func (c *sshConfig) hop(p place, t Target, agent bool) (hop, error) {
	h := hop{alias: p.host, host: p.host, user: p.user, port: p.port}
	if name := c.get(h.alias, "HostName"); name != "" {
		h.host = strings.NewReplacer("%%", "%", "%h", h.alias).Replace(name)
	}
	h.user = first(h.user, c.get(h.alias, "User"), currentUser())
	h.port = first(h.port, c.get(h.alias, "Port"), "22")
	if n, err := strconv.Atoi(h.port); err != nil || n < 1 || n > 65535 {
		return h, fmt.Errorf("%s: port %q is not between 1 and 65535", Safe([]byte(h.alias)), Safe([]byte(h.port)))
	}
	h.knownAs = net.JoinHostPort(strings.ToLower(h.host), h.port)
	if alias := c.get(h.alias, "HostKeyAlias"); alias != "" {
		h.knownAs = net.JoinHostPort(strings.ToLower(alias), "22") // an alias is looked up without a port
	}
	h.knownHosts = c.knownHosts(&h, t)
	h.only = strings.EqualFold(c.get(h.alias, "IdentitiesOnly"), "yes")
	h.identities = c.all(h.alias, "IdentityFile")
	if len(h.identities) == 0 && len(t.Identity) > 0 {
		h.identities, h.only = t.Identity, true
	}
	if len(h.identities) == 0 {
		h.identities = []string{"~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"}
	}
	h.identities = h.expandAll(h.identities)
	if agent {
		h.agent = h.agentSocket(c.get(h.alias, "IdentityAgent"))
	}
	return h, nil
}

// knownHosts are the known_hosts files of a hop, expanded.
func (c *sshConfig) knownHosts(h *hop, t Target) []string {
	users := strings.Fields(c.get(h.alias, "UserKnownHostsFile"))
	if len(users) == 0 && len(t.KnownHosts) > 0 {
		return h.expandAll(t.KnownHosts)
	}
	if len(users) == 0 {
		users = []string{"~/.ssh/known_hosts", "~/.ssh/known_hosts2"}
	}
	globals := strings.Fields(c.get(h.alias, "GlobalKnownHostsFile"))
	if len(globals) == 0 {
		globals = []string{"/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"}
	}
	var files []string
	for _, path := range append(users, globals...) {
		if !strings.EqualFold(path, "none") {
			files = append(files, h.expand(path))
		}
	}
	return files
}

// expandAll expands paths into a list of its own: the one that was given may
// belong to several hosts.
func (h *hop) expandAll(paths []string) []string {
	out := make([]string, len(paths))
	for i, path := range paths {
		out[i] = h.expand(path)
	}
	return out
}

// agentSocket is where the agent listens, by IdentityAgent or the environment.
func (h *hop) agentSocket(configured string) string {
	switch {
	case strings.EqualFold(configured, "none"):
		return ""
	case configured == "", configured == "SSH_AUTH_SOCK":
		return os.Getenv("SSH_AUTH_SOCK")
	case strings.HasPrefix(configured, "$"):
		return os.Getenv(strings.Trim(configured, "${}"))
	}
	return filepath.Clean(h.expand(configured))
}

// place is a destination as it is typed.
type place struct{ user, host, port string }

// parseDestination reads [ssh://][user@]host[:port].
func parseDestination(s string) (place, error) {
	var p place
	rest := strings.TrimSuffix(strings.TrimPrefix(s, "ssh://"), "/")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		p.user, rest = rest[:at], rest[at+1:]
	}
	if host, port, err := net.SplitHostPort(rest); err == nil {
		p.host, p.port = host, port
	} else {
		p.host = strings.TrimSuffix(strings.TrimPrefix(rest, "["), "]")
	}
	if p.host == "" || strings.HasPrefix(p.host, "-") || strings.ContainsAny(p.host, " \t\n\r\x00/") {
		return p, errors.New("not the name of a host: " + fmt.Sprintf("%q", Safe([]byte(s))))
	}
	return p, nil
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// currentUser is the login name that ssh would use by default.
func currentUser() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return first(os.Getenv("USER"), os.Getenv("LOGNAME"))
}
