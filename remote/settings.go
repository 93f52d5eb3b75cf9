package remote

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
)

// settings are what the user's ssh configuration says of one server, by keyword
// in lower case. A keyword that may stand several times has several values.
type settings map[string][]string

// get is the first value of a keyword, "" for none.
func (s settings) get(keyword string) string {
	if v := s[keyword]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// is answers whether a keyword has a value, in whatever case.
func (s settings) is(keyword, value string) bool { return strings.EqualFold(s.get(keyword), value) }

// lookup finds the settings of a place. The error is one safe line.
type lookup func(place) (settings, error)

// newLookup chooses who reads the configuration. Where OpenSSH is installed it
// is asked (ssh -G): its own answer is the truth, with every Match, token and
// default of the version that the user knows. Elsewhere the files are parsed
// here, and what is not understood there is told; so it is when HOME is another
// than the user's own, which ssh would not heed.
func newLookup(o Options, warn func(string)) (lookup, error) {
	if (o.Config == nil || len(o.Config) == 1) && homeIsOurs() {
		if ssh, err := exec.LookPath("ssh"); err == nil && !o.parse {
			return (&sshProgram{path: ssh, config: o.Config}).settings, nil
		}
	}
	paths := o.Config
	if paths == nil {
		paths = defaultSSHConfig()
	}
	c, err := readSSHConfig(paths, warn)
	if err != nil {
		return nil, err
	}
	return c.settings, nil
}

// unused are keywords that change how a server is reached or checked and that
// are not followed here. Each is told when it is set.
var unused = []string{"knownhostscommand", "pkcs11provider", "bindaddress", "bindinterface"}

// warnUnused tells what of the settings of a place is not followed here.
func (s settings) warnUnused(alias string, warn func(string)) {
	for _, keyword := range unused {
		if v := s.get(keyword); v != "" && !strings.EqualFold(v, "none") {
			warn(Safe([]byte(alias)) + ": " + keyword + " of the ssh configuration is not used here")
		}
	}
	if v := strings.ToLower(s.get("stricthostkeychecking")); v == "no" || v == "off" || v == "accept-new" {
		warn(Safe([]byte(alias)) + ": StrictHostKeyChecking " + v + " is not followed: an unknown or changed host key is always refused here")
	}
}

// homeDir is the user's home; "" without one.
func homeDir() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return home
}

// homeIsOurs answers whether HOME is the home that ssh takes from the user
// database.
func homeIsOurs() bool {
	u, err := user.Current()
	return err == nil && filepath.Clean(u.HomeDir) == filepath.Clean(homeDir())
}

// inHome is a path below the home folder; relative to the working folder when
// the user has no home.
func inHome(path string) string { return filepath.Join(homeDir(), path) }

// expand replaces ~, ${VARIABLE} and the % tokens of ssh_config(5) in the path
// of a file.
func (h *hop) expand(path string) string {
	if path == "~" || strings.HasPrefix(path, "~/") {
		path = inHome(strings.TrimPrefix(path[1:], "/"))
	}
	for {
		before, rest, found := strings.Cut(path, "${")
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			break
		}
		path = before + os.Getenv(name) + after
	}
	return h.tokens(path)
}

// tokens replaces the % tokens of ssh_config(5).
func (h *hop) tokens(text string) string {
	local, _ := os.Hostname()
	short, _, _ := strings.Cut(local, ".")
	return strings.NewReplacer("%%", "%", "%d", inHome(""), "%h", h.host, "%n", h.alias, "%p", h.port,
		"%r", h.user, "%u", currentUser(), "%l", local, "%L", short, "%k", h.principal).Replace(text)
}
