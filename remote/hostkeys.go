package remote

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// hostKeys judges host keys by the known_hosts files of one hop.
type hostKeys struct {
	db *knownhosts.HostKeyDB
	h  *hop
}

// readHostKeys reads the hop's known_hosts files anew: the operator may have
// accepted a key in another window. A malformed line is skipped with a warning,
// as ssh does; the library would refuse the whole file for it.
func readHostKeys(h *hop, warn func(string)) (*hostKeys, error) {
	dir, err := os.MkdirTemp("", "known_hosts-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var copies []string
	for i, path := range h.knownHosts {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			warn("known hosts: " + Safe([]byte(err.Error())))
			continue
		}
		// The library reads files only, so it reads a cleaned copy.
		to := filepath.Join(dir, strconv.Itoa(i))
		if err := os.WriteFile(to, goodHostLines(path, text, warn), 0o600); err != nil {
			return nil, err
		}
		copies = append(copies, to)
	}
	db, err := knownhosts.NewDB(copies...)
	if err != nil {
		return nil, err
	}
	return &hostKeys{db: db, h: h}, nil
}

// goodHostLines empties the lines of a known_hosts file that the library
// refuses. Line numbers stay.
func goodHostLines(path string, text []byte, warn func(string)) []byte {
	lines := bytes.Split(text, []byte{'\n'})
	for i, line := range lines {
		if err := checkHostLine(line); err != nil {
			warn(fmt.Sprintf("%s:%d: line skipped: %s", path, i+1, Safe([]byte(err.Error()))))
			lines[i] = nil
		}
	}
	return bytes.Join(lines, []byte{'\n'})
}

// checkHostLine tells why the library would refuse a line of known_hosts; it
// is at least as strict as the library.
func checkHostLine(line []byte) error {
	if len(line) >= bufio.MaxScanTokenSize-2 {
		return errors.New("longer than 64 KiB")
	}
	line = bytes.Trim(bytes.TrimSuffix(line, []byte{'\r'}), " \t")
	if len(line) == 0 || line[0] == '#' {
		return nil
	}
	fields := strings.FieldsFunc(string(line), func(r rune) bool { return r == ' ' || r == '\t' })
	if fields[0] == "@cert-authority" || fields[0] == "@revoked" {
		fields = fields[1:]
	}
	if len(fields) < 3 || strings.HasPrefix(fields[0], "@") {
		return errors.New("not of the form HOSTS KEYTYPE KEY")
	}
	blob, err := base64.StdEncoding.DecodeString(fields[2])
	if err != nil {
		return err
	}
	key, err := ssh.ParsePublicKey(blob)
	if err != nil {
		return err
	}
	if key.Type() != fields[1] {
		return fmt.Errorf("the key is of type %s, the line says %s", key.Type(), fields[1])
	}
	return checkHostPattern(fields[0])
}

func checkHostPattern(pattern string) error {
	if pattern[0] == '|' {
		parts := strings.Split(pattern, "|")
		if len(parts) != 4 || parts[1] != "1" {
			return errors.New("a hashed host of an unknown form")
		}
		for _, part := range parts[2:] {
			if _, err := base64.StdEncoding.DecodeString(part); err != nil {
				return err
			}
		}
		return nil
	}
	for _, p := range strings.Split(pattern, ",") {
		if p == "!" {
			return errors.New("a ! without a host")
		}
		if p = strings.TrimPrefix(p, "!"); strings.HasPrefix(p, "[") {
			if _, _, err := net.SplitHostPort(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// algorithms is what is offered for the host key: the kinds that known_hosts
// holds first, so that a server with several keys shows the one that is known,
// then the others, so that a changed key is seen and not just "no algorithm".
func (k *hostKeys) algorithms() []string {
	all := ssh.SupportedAlgorithms().HostKeys
	var order []string
	for _, a := range k.db.HostKeyAlgorithms(k.h.knownAs) {
		if slices.Contains(all, a) {
			order = append(order, a)
		}
	}
	for _, a := range all {
		if !slices.Contains(order, a) {
			order = append(order, a)
		}
	}
	return order
}

// check is nil for a key that known_hosts vouches for, else an *Error without
// its host. There is no way to say yes here: the operator says it to ssh.
func (k *hostKeys) check(key ssh.PublicKey) error {
	_, isCertificate := key.(*ssh.Certificate)
	err := k.db.HostKeyCallback()(k.h.knownAs, &net.TCPAddr{IP: net.IPv4zero}, key)
	if err == nil && !isCertificate && k.onlyAuthority(key) {
		err = errors.New("the key of an authority is no host key")
	}
	if err == nil {
		return nil
	}
	shown := fingerprint(key)
	what := fmt.Sprintf("host key %s (%s)", shown, key.Type())
	name := knownhosts.Normalize(k.h.knownAs)
	var revoked *xknownhosts.RevokedError
	switch {
	case errors.As(err, &revoked):
		return &Error{Kind: HostKeyChanged, Text: what + " is marked as revoked in known_hosts",
			Remedy: "do not connect before you know why; give the host a new key", Err: err}
	case knownhosts.IsHostKeyChanged(err) && !k.onlyAuthorities():
		return &Error{Kind: HostKeyChanged, Text: what + " is not the one that known_hosts holds: " + k.wanted(),
			Remedy: "if the host was installed anew: ssh-keygen -R " + shellWord(name) + ", then ssh in once; else somebody may sit between", Err: err}
	case isCertificate:
		return &Error{Kind: HostKeyUnknown, Text: what + ": the host's certificate is not accepted: " + Safe([]byte(err.Error())),
			Remedy: "add its authority to known_hosts as @cert-authority", Err: err}
	}
	return &Error{Kind: HostKeyUnknown, Text: what + " is not in known_hosts",
		Remedy: "compare it on the host (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then accept it with: " + k.h.sshCommand(), Err: err}
}

// onlyAuthority tells whether key is known as an authority only, which vouches
// for certificates and must not be taken for a host's own key.
func (k *hostKeys) onlyAuthority(key ssh.PublicKey) bool {
	for _, known := range k.db.HostKeys(k.h.knownAs) {
		if !known.Cert && bytes.Equal(known.Marshal(), key.Marshal()) {
			return false
		}
	}
	return true
}

// onlyAuthorities tells whether known_hosts holds authorities for this host
// and no key of its own.
func (k *hostKeys) onlyAuthorities() bool {
	return !slices.ContainsFunc(k.db.HostKeys(k.h.knownAs), func(p knownhosts.PublicKey) bool { return !p.Cert })
}

// wanted lists the fingerprints that known_hosts holds.
func (k *hostKeys) wanted() string {
	var known []string
	for _, key := range k.db.HostKeys(k.h.knownAs) {
		if !key.Cert {
			known = append(known, fingerprint(key))
		}
	}
	return strings.Join(known, ", ")
}

// fingerprint is SHA256:… of a key; of a certificate, of the key it certifies.
func fingerprint(key ssh.PublicKey) string {
	if cert, ok := key.(*ssh.Certificate); ok {
		key = cert.Key
	}
	return ssh.FingerprintSHA256(key)
}

// sshCommand is what the operator types to reach the hop with ssh itself.
func (h *hop) sshCommand() string {
	words := []string{"ssh"}
	if h.port != "22" {
		words = append(words, "-p", h.port)
	}
	return strings.Join(append(words, shellWord(h.user+"@"+h.alias)), " ")
}

// shellWord quotes what a shell would take apart and leaves the rest readable.
func shellWord(s string) string {
	s = Safe([]byte(s))
	for _, r := range s {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-", r) {
			return Quote(s)
		}
	}
	return s
}
