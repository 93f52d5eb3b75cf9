package remote

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" // what hashed names of known_hosts are made with
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Markers of known_hosts.
const (
	authority = "@cert-authority"
	revoked   = "@revoked"
)

// knownKey is a line of known_hosts.
type knownKey struct {
	marker string // "" for a host's own key
	hosts  string // patterns, or one hashed name
	key    ssh.PublicKey
}

// parseKnownLine reads a line of known_hosts; nil without an error is an empty
// one or a comment. The libraries for it refuse a whole file for a bad line, and
// judge names with ports otherwise than OpenSSH does.
func parseKnownLine(line []byte) (*knownKey, error) {
	fields := strings.FieldsFunc(string(bytes.TrimSuffix(line, []byte{'\r'})), func(r rune) bool { return r == ' ' || r == '\t' })
	if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
		return nil, nil
	}
	k := &knownKey{}
	if fields[0] == authority || fields[0] == revoked {
		k.marker, fields = fields[0], fields[1:]
	}
	if len(fields) < 3 || strings.HasPrefix(fields[0], "@") {
		return nil, errors.New("not of the form HOSTS KEYTYPE KEY")
	}
	if k.hosts = fields[0]; strings.HasPrefix(k.hosts, "|") {
		if _, _, err := hashedName(k.hosts); err != nil {
			return nil, err
		}
	}
	blob, err := base64.StdEncoding.DecodeString(fields[2])
	if err != nil {
		return nil, err
	}
	if k.key, err = ssh.ParsePublicKey(blob); err != nil {
		return nil, err
	}
	if k.key.Type() != fields[1] {
		return nil, fmt.Errorf("the key is of type %s, the line says %s", k.key.Type(), fields[1])
	}
	return k, nil
}

// hashedName takes a hashed name apart.
func hashedName(s string) (salt, sum []byte, err error) {
	parts := strings.Split(s, "|")
	if len(parts) != 4 || parts[1] != "1" {
		return nil, nil, errors.New("a hashed host of an unknown form")
	}
	if salt, err = base64.StdEncoding.DecodeString(parts[2]); err == nil {
		sum, err = base64.StdEncoding.DecodeString(parts[3])
	}
	return salt, sum, err
}

// matches answers whether the line is about a host, host or [host]:port in lower
// case. A pattern with a ! in front that matches wins over all others.
func (k *knownKey) matches(name string) bool {
	if strings.HasPrefix(k.hosts, "|") {
		salt, sum, err := hashedName(k.hosts)
		if err != nil {
			return false
		}
		mac := hmac.New(sha1.New, salt)
		mac.Write([]byte(name))
		return hmac.Equal(mac.Sum(nil), sum)
	}
	found := false
	for pattern := range strings.SplitSeq(strings.ToLower(k.hosts), ",") {
		if no, negated := strings.CutPrefix(pattern, "!"); negated {
			if wild(no, name) {
				return false
			}
		} else if wild(pattern, name) {
			found = true
		}
	}
	return found
}

// wild matches a pattern of * and ? with the whole of a name.
func wild(pattern, name string) bool {
	star, back := -1, 0
	p := 0
	for n := 0; n < len(name); {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, back = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p, n = p+1, n+1
		case star >= 0:
			back++
			p, n = star+1, back
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
