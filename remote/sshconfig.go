package remote

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/kevinburke/ssh_config"
)

// sshConfig is the user's ssh configuration as it is read where OpenSSH is not
// there to be asked, first file first. The first value of a keyword wins,
// IdentityFile and CertificateFile collect.
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

// keywords are those that are followed here.
var keywords = []string{"HostName", "User", "Port", "ProxyJump", "ProxyCommand", "HostKeyAlias", "UserKnownHostsFile", "GlobalKnownHostsFile",
	"RevokedHostKeys", "StrictHostKeyChecking", "IdentityFile", "CertificateFile", "IdentitiesOnly", "IdentityAgent", "AddressFamily",
	"HostKeyAlgorithms", "KexAlgorithms", "Ciphers", "MACs", "PubkeyAcceptedAlgorithms", "PubkeyAcceptedKeyTypes", "CASignatureAlgorithms",
	"PubkeyAuthentication", "KbdInteractiveAuthentication", "ChallengeResponseAuthentication", "PasswordAuthentication",
	"PreferredAuthentications", "NumberOfPasswordPrompts", "BatchMode",
	"KnownHostsCommand", "PKCS11Provider", "BindAddress", "BindInterface"}

// settings are the values of all keywords for a place.
func (c *sshConfig) settings(at place) (settings, error) {
	s := settings{}
	for _, keyword := range keywords {
		if v := c.all(at.host, keyword); len(v) > 0 {
			s[strings.ToLower(keyword)] = v
		}
	}
	if name := s.get("hostname"); name != "" {
		s["hostname"] = []string{strings.NewReplacer("%%", "%", "%h", at.host).Replace(name)}
	}
	if at.user != "" {
		s["user"] = []string{at.user}
	}
	if at.port != "" {
		s["port"] = []string{at.port}
	}
	return s, nil
}

// all are all values of a keyword for the name that the user typed.
func (c *sshConfig) all(alias, keyword string) []string {
	var values []string
	for _, f := range c.files {
		if v, err := f.GetAll(alias, keyword); err == nil {
			values = append(values, v...)
		}
	}
	return values
}
