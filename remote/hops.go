package remote

import (
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// hop is one SSH server on the way to a host, the host itself included, with
// everything that the user's configuration says about it.
type hop struct {
	alias      string // as the user wrote it
	host, port string // what is dialled
	user       string
	network    string   // tcp, tcp4 or tcp6
	proxy      string   // the command that is talked to in place of a network; "" for none
	known      string   // how known_hosts calls it: host or [host]:port
	bare       string   // its name without the port, where ssh looks second; "" for nowhere
	principal  string   // the name that a certificate of the host has to bear
	knownHosts []string // files
	revoked    string   // file of revoked keys; "" for none
	identities []string // key files, in order
	certs      []string // certificate files beside those of the key files
	only       bool     // offer no key of the agent but those of identities
	agent      string   // the agent's socket; "" for none
	methods    []string // of logging in, in order
	tries      int      // of a password or an answer
	algorithms algorithms
}

// address is what is dialled.
func (h *hop) address() string { return net.JoinHostPort(h.host, h.port) }

// mostHops bounds a chain of jumps: a configuration can point at itself.
const mostHops = 8

// resolve finds the way to t: its jumps in order, then the host itself.
func resolve(t Target, o Options, warn func(string)) ([]hop, error) {
	find, err := newLookup(o, warn)
	if err != nil {
		return nil, &Error{Host: t.Name, Kind: Protocol, Text: "the ssh configuration cannot be read: " + Safe([]byte(err.Error())),
			Remedy: "correct that file", Err: err}
	}
	place, err := parseDestination(first(t.Address, t.Name))
	if err != nil {
		return nil, &Error{Host: t.Name, Kind: Unreachable, Text: err.Error(), Remedy: "give a host name, an address or an alias of ~/.ssh/config", Err: err}
	}
	if t.User != "" {
		place.user = t.User
	}
	if t.Port != 0 {
		place.port = strconv.Itoa(t.Port)
	}
	if err := place.check(); err != nil {
		return nil, &Error{Host: t.Name, Kind: Unreachable, Text: err.Error(), Remedy: "give the login name alone, as in root", Err: err}
	}
	w := &way{target: t, find: find, agent: o.Agent, warn: warn}
	last, jump, err := w.hop(place)
	if err != nil {
		return nil, &Error{Host: t.Name, Kind: Unreachable, Text: err.Error(), Remedy: "correct it in ~/.ssh/config", Err: err}
	}
	if len(t.Identity) > 0 {
		last.identities, last.only = last.expandAll(t.Identity), true
	}
	if len(t.KnownHosts) > 0 {
		last.knownHosts = last.expandAll(t.KnownHosts)
	}
	jumps, err := w.jumps(first(t.Jump, jump), 1)
	if err != nil {
		return nil, &Error{Host: t.Name, Kind: Unreachable, Text: err.Error(), Remedy: "correct ProxyJump", Err: err}
	}
	if t.Jump != "" || len(jumps) > 0 {
		last.proxy = "" // a jump stands in its place, as for ssh -J
	}
	return append(jumps, last), nil
}

// way is what finds the hops to one target.
type way struct {
	target Target
	find   lookup
	agent  bool
	warn   func(string)
}

// jumps resolves a ProxyJump list. As with ssh, only the first host of the list
// may have a jump, or a ProxyCommand, of its own.
func (w *way) jumps(list string, depth int) ([]hop, error) {
	if list == "" || strings.EqualFold(list, "none") {
		return nil, nil
	}
	names := strings.Split(list, ",")
	if depth+len(names) > mostHops {
		return nil, fmt.Errorf("more than %d jumps: ProxyJump goes round in a circle", mostHops-1)
	}
	var hops []hop
	for i, name := range names {
		place, err := parseDestination(strings.TrimSpace(name))
		if err != nil {
			return nil, fmt.Errorf("ProxyJump: %w", err)
		}
		h, jump, err := w.hop(place)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			if hops, err = w.jumps(jump, depth+len(names)); err != nil {
				return nil, err
			}
		}
		if len(hops) > 0 {
			h.proxy = ""
		}
		hops = append(hops, h)
	}
	return hops, nil
}

// hop gathers what the configuration says of one server, and the jump before
// it. What it leaves open of keys and known_hosts a jump takes from the target.
func (w *way) hop(p place) (h hop, jump string, err error) {
	s, err := w.find(p)
	if err != nil {
		return h, "", err
	}
	s.warnUnused(p.host, w.warn)
	h = hop{alias: p.host, host: first(s.get("hostname"), p.host), network: "tcp"}
	h.user = first(p.user, s.get("user"), currentUser())
	h.port = first(p.port, s.get("port"), "22")
	if n, err := strconv.Atoi(h.port); err != nil || n < 1 || n > 65535 {
		return h, "", fmt.Errorf("%s: port %q is not between 1 and 65535", Safe([]byte(h.alias)), Safe([]byte(h.port)))
	}
	switch strings.ToLower(s.get("addressfamily")) {
	case "inet":
		h.network = "tcp4"
	case "inet6":
		h.network = "tcp6"
	}
	h.naming(s.get("hostkeyalias"))
	h.checking(s, w.target.KnownHosts)
	h.login(s, w.target.Identity, w.agent)
	if h.algorithms, err = newAlgorithms(s, w.target.Legacy); err != nil {
		return h, "", fmt.Errorf("%s: %w", Safe([]byte(h.alias)), err)
	}
	if command := s.get("proxycommand"); command != "" && !strings.EqualFold(command, "none") {
		h.proxy = h.tokens(command)
	}
	return h, s.get("proxyjump"), nil
}

// naming is how known_hosts and certificates call the hop. An alias is looked
// up without a port.
func (h *hop) naming(alias string) {
	h.principal = strings.ToLower(first(alias, h.host))
	h.known = h.principal
	if alias == "" && h.port != "22" {
		h.known, h.bare = "["+h.principal+"]:"+h.port, h.principal
	}
}

// checking is which files vouch for the hop's key.
func (h *hop) checking(s settings, ofTarget []string) {
	users := h.expandAll(strings.Fields(s.get("userknownhostsfile")))
	standard := h.expandAll([]string{"~/.ssh/known_hosts", "~/.ssh/known_hosts2"})
	if len(users) == 0 {
		users = standard
	}
	globals := strings.Fields(s.get("globalknownhostsfile"))
	if len(globals) == 0 {
		globals = []string{"/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"}
	}
	h.knownHosts = slices.DeleteFunc(slices.Concat(users, h.expandAll(globals)), func(path string) bool { return strings.EqualFold(path, "none") })
	if slices.Equal(users, standard) && len(ofTarget) > 0 {
		h.knownHosts = h.expandAll(ofTarget)
	}
	if file := s.get("revokedhostkeys"); file != "" && !strings.EqualFold(file, "none") {
		h.revoked = h.expand(file)
	}
}

// login is with what the hop lets us in.
func (h *hop) login(s settings, ofTarget []string, agent bool) {
	h.only = s.is("identitiesonly", "yes")
	h.identities = s["identityfile"]
	if standard := !slices.ContainsFunc(h.identities, func(f string) bool { return !standardIdentity(f) }); standard && len(ofTarget) > 0 {
		h.identities, h.only = ofTarget, true
	}
	if len(h.identities) == 0 {
		h.identities = []string{"~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ed25519"}
	}
	h.identities = slices.DeleteFunc(h.expandAll(h.identities), func(path string) bool { return strings.EqualFold(path, "none") })
	h.certs = h.expandAll(s["certificatefile"])
	if agent {
		h.agent = h.agentSocket(s.get("identityagent"))
	}
	h.tries = 3
	if n, err := strconv.Atoi(s.get("numberofpasswordprompts")); err == nil && n >= 0 && n <= 20 {
		h.tries = n
	}
	if s.is("batchmode", "yes") {
		h.tries = 0
	}
	off := map[string]bool{"publickey": s.is("pubkeyauthentication", "no") || s.is("pubkeyauthentication", "false"), "password": s.is("passwordauthentication", "no"),
		"keyboard-interactive": s.is("kbdinteractiveauthentication", "no") || s.is("challengeresponseauthentication", "no")}
	for _, m := range strings.Split(first(s.get("preferredauthentications"), "publickey,keyboard-interactive,password"), ",") {
		if is, known := off[m]; known && !is {
			h.methods = append(h.methods, m)
		}
	}
}

// standardIdentities are the key files that ssh tries when the configuration
// names none, of all its versions (ssh_config(5), IdentityFile).
var standardIdentities = []string{"id_rsa", "id_dsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", "id_xmss"}

// standardIdentity answers whether a key file is one of those.
func standardIdentity(path string) bool {
	name, ok := strings.CutPrefix(path, "~/.ssh/")
	return ok && slices.Contains(standardIdentities, name)
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
	if p.host == "" {
		return p, fmt.Errorf("not the name of a host: %q", Safe([]byte(s)))
	}
	return p, p.check()
}

// check refuses what ssh refuses on its command line since version 9.6: names
// stand in a ProxyCommand and in a Match exec, which a shell reads, and those of
// the other nodes are what a node says. No ssh and no shell may read them as
// anything but names.
func (p place) check() error {
	if strings.HasPrefix(p.host, "-") || strings.ContainsAny(p.host, "'`\"$\\;&<>|(){}/") || strings.ContainsFunc(p.host, notInNames) {
		return fmt.Errorf("not the name of a host: %q", Safe([]byte(p.host)))
	}
	if strings.HasPrefix(p.user, "-") || strings.HasSuffix(p.user, "\\") || strings.ContainsAny(p.user, "'`\";&<>|(){}") || strings.ContainsFunc(p.user, notInNames) {
		return fmt.Errorf("not a login name: %q", Safe([]byte(p.user)))
	}
	return nil
}

func notInNames(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

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
