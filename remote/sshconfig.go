package remote

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kevinburke/ssh_config"
)

// sshConfig is what the user's ssh configuration says, first file first. The
// keywords are looked up one by one, as ssh_config(5) says: the first value
// wins, IdentityFile collects.
type sshConfig struct {
	files []*ssh_config.Config
	warn  func(string)
}

// readSSHConfig reads the files; a missing one is empty. A Match line that
// needs more than the host's name to decide is left out with a warning rather
// than refused: Fedora's stock file has one.
func readSSHConfig(paths []string, warn func(string)) (*sshConfig, error) {
	c := &sshConfig{warn: warn}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		text = plainMatches(path, text, warn)
		parsed, err := ssh_config.DecodeBytes(text)
		if err != nil {
			warn(fmt.Sprintf("%s: an included file is left out: %s", path, Safe([]byte(err.Error()))))
			if parsed, err = ssh_config.DecodeBytes(withoutIncludes(text)); err != nil {
				return nil, fmt.Errorf("%s: %s", path, Safe([]byte(err.Error())))
			}
		}
		c.files = append(c.files, parsed)
	}
	return c, nil
}

// defaultSSHConfig are the files that ssh itself reads.
func defaultSSHConfig() []string {
	return []string{inHome(".ssh/config"), "/etc/ssh/ssh_config"}
}

// plainMatches rewrites each Match line that the parser refuses or misreads:
// one by host name alone becomes a Host line, any other a block that matches
// nothing. Line numbers stay.
func plainMatches(path string, text []byte, warn func(string)) []byte {
	lines := bytes.Split(text, []byte{'\n'})
	for i, line := range lines {
		keyword, rest := configWords(line)
		if keyword != "match" {
			continue
		}
		criteria := strings.Fields(rest)
		if len(criteria) == 1 && strings.EqualFold(criteria[0], "all") {
			continue
		}
		if len(criteria) == 2 && (strings.EqualFold(criteria[0], "host") || strings.EqualFold(criteria[0], "originalhost")) {
			lines[i] = []byte("Host " + strings.ReplaceAll(strings.Trim(criteria[1], `"`), ",", " "))
			continue
		}
		warn(fmt.Sprintf("%s:%d: %q is not understood: its lines are left out", path, i+1, "Match "+Safe([]byte(rest))))
		lines[i] = []byte("Host !*")
	}
	return bytes.Join(lines, []byte{'\n'})
}

func withoutIncludes(text []byte) []byte {
	lines := bytes.Split(text, []byte{'\n'})
	for i, line := range lines {
		if keyword, _ := configWords(line); keyword == "include" {
			lines[i] = nil
		}
	}
	return bytes.Join(lines, []byte{'\n'})
}

// configWords splits a line of ssh_config into its keyword, in lower case, and
// the rest.
func configWords(line []byte) (keyword, rest string) {
	s := strings.TrimSpace(string(line))
	end := strings.IndexAny(s, " \t=")
	if end < 0 {
		return strings.ToLower(s), ""
	}
	return strings.ToLower(s[:end]), strings.TrimLeft(s[end:], " \t=")
}

// get is the first value of a keyword for the name that the user typed.
func (c *sshConfig) get(alias, keyword string) string {
	for _, f := range c.files {
		if v, err := f.Get(alias, keyword); err == nil && v != "" {
			return v
		}
	}
	return ""
}

// all are all values of a keyword that may be given several times.
func (c *sshConfig) all(alias, keyword string) []string {
	var values []string
	for _, f := range c.files {
		if v, err := f.GetAll(alias, keyword); err == nil {
			values = append(values, v...)
		}
	}
	return values
}

// inHome is a path below the home folder; relative to the working folder when
// the user has no home.
func inHome(path string) string {
	home, err := os.UserHomeDir()
	if err != nil {
		return path
	}
	return filepath.Join(home, path)
}

// expand replaces ~ and the % tokens of ssh_config(5) in the path of a file.
func (h *hop) expand(path string) string {
	if path == "~" || strings.HasPrefix(path, "~/") {
		path = inHome(strings.TrimPrefix(path[1:], "/"))
	}
	local, _ := os.Hostname()
	short, _, _ := strings.Cut(local, ".")
	return strings.NewReplacer("%%", "%", "%d", inHome(""), "%h", h.host, "%n", h.alias, "%p", h.port,
		"%r", h.user, "%u", currentUser(), "%l", local, "%L", short).Replace(path)
}
