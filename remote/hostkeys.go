package remote

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// hostKeys judges host keys by the known_hosts files of one hop, as OpenSSH's
// check_host_key does.
type hostKeys struct {
	h     *hop
	exact []knownKey // of the name with its port
	bare  []knownKey // of the name without; ssh takes a key from there, but calls none changed for it
	bad   []ssh.PublicKey
}

// readHostKeys reads the hop's known_hosts files anew: the operator may have
// accepted a key in another window. A malformed line costs that line and is
// warned of. A list of revoked keys that cannot be read is an error.
func readHostKeys(h *hop, warn func(string)) (*hostKeys, error) {
	k := &hostKeys{h: h}
	for _, path := range h.knownHosts {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			warn("known hosts: " + Safe([]byte(err.Error())))
			continue
		}
		for i, line := range bytes.Split(text, []byte{'\n'}) {
			known, err := parseKnownLine(line)
			if err != nil {
				warn(fmt.Sprintf("%s:%d: line skipped: %s", path, i+1, Safe([]byte(err.Error()))))
			}
			if known == nil {
				continue
			}
			if known.matches(h.known) {
				k.exact = append(k.exact, *known)
			}
			if h.bare != "" && known.matches(h.bare) {
				k.bare = append(k.bare, *known)
			}
		}
	}
	var err error
	k.bad, err = readRevoked(h.revoked)
	return k, err
}

// readRevoked reads the keys of RevokedHostKeys.
func readRevoked(path string) ([]ssh.PublicKey, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(text, []byte("SSHKRL\n")) {
		return nil, fmt.Errorf("RevokedHostKeys: %s is a binary list, which is not read here; use a list of public keys", path)
	}
	var bad []ssh.PublicKey
	for len(bytes.TrimSpace(text)) > 0 {
		key, _, _, rest, err := ssh.ParseAuthorizedKey(text)
		if err != nil {
			break // only comments are left
		}
		bad, text = append(bad, key), rest
	}
	return bad, nil
}

// algorithms is what is offered for the host key: the kinds that known_hosts
// holds first, so that a server with several keys shows the one that is known,
// then the others, so that a changed key is seen and not just "no algorithm".
func (k *hostKeys) algorithms() []string {
	var first, later []string
	for _, a := range k.h.algorithms.hostKeys {
		plain, isCertificate := plainAlgorithm(a)
		if slices.ContainsFunc(k.exact, func(e knownKey) bool {
			return e.marker == authority && isCertificate || e.marker == "" && e.key.Type() == plain
		}) {
			first = append(first, a)
		} else {
			later = append(later, a)
		}
	}
	return append(first, later...)
}

// plainAlgorithm is the type of the key behind an algorithm for host keys.
func plainAlgorithm(a string) (keyType string, isCertificate bool) {
	plain, isCertificate := strings.CutSuffix(a, "-cert-v01@openssh.com")
	if strings.HasPrefix(plain, "rsa-sha2-") {
		plain = ssh.KeyAlgoRSA
	}
	return plain, isCertificate
}

// verdict is what known_hosts says of a key.
type verdict int

const (
	keyUnknown verdict = iota
	keyKnown
	keyChanged
	keyRevoked
)

// judge is the verdict of some lines over a key, or over the authority of a
// certificate.
func judge(lines []knownKey, key ssh.PublicKey) verdict {
	cert, isCertificate := key.(*ssh.Certificate)
	v := keyUnknown
	for _, l := range lines {
		switch {
		case l.marker == revoked && (sameKey(l.key, plainKey(key)) || isCertificate && sameKey(l.key, cert.SignatureKey)):
			return keyRevoked
		case isCertificate && l.marker == authority && sameKey(l.key, cert.SignatureKey):
			v = keyKnown
		case !isCertificate && l.marker == "" && sameKey(l.key, key):
			v = keyKnown
		case !isCertificate && l.marker == "" && v == keyUnknown:
			v = keyChanged
		}
	}
	return v
}

// plainKey is the key that a certificate certifies, or the key itself.
func plainKey(key ssh.PublicKey) ssh.PublicKey {
	if cert, ok := key.(*ssh.Certificate); ok {
		return cert.Key
	}
	return key
}

// judge is the verdict over a key of the host; why tells what is wrong with its
// certificate. A certificate that does not count leaves the key in it.
func (k *hostKeys) judge(key ssh.PublicKey) (v verdict, why error) {
	cert, isCertificate := key.(*ssh.Certificate)
	if slices.ContainsFunc(k.bad, func(b ssh.PublicKey) bool {
		return sameKey(b, plainKey(key)) || isCertificate && sameKey(b, cert.SignatureKey)
	}) {
		return keyRevoked, nil
	}
	if v = judge(k.exact, key); v == keyUnknown && judge(k.bare, key) == keyKnown {
		v = keyKnown
	}
	if !isCertificate || v == keyRevoked {
		return v, nil
	}
	why = errors.New("known_hosts names no such authority")
	if v == keyKnown {
		if why = k.checkCertificate(cert); why == nil {
			return keyKnown, nil
		}
	}
	v, _ = k.judge(cert.Key)
	return v, why
}

// checkCertificate tells what is wrong with a host's certificate.
func (k *hostKeys) checkCertificate(cert *ssh.Certificate) error {
	switch {
	case cert.CertType != ssh.HostCert:
		return errors.New("it is not one for hosts")
	case !slices.Contains(k.h.algorithms.authorities, cert.Signature.Format):
		return errors.New("it is signed with " + cert.Signature.Format + ", which is not trusted")
	}
	return (&ssh.CertChecker{}).CheckCert(k.h.principal, cert)
}

// check is nil for a key that known_hosts vouches for, else an *Error without
// its host. There is no way to say yes here: the operator says it to ssh.
func (k *hostKeys) check(key ssh.PublicKey) error {
	v, why := k.judge(key)
	what := fmt.Sprintf("host key %s (%s)", fingerprint(key), key.Type())
	switch {
	case v == keyKnown:
		return nil
	case v == keyRevoked:
		return &Error{Kind: HostKeyChanged, Text: what + " is marked as revoked in known_hosts",
			Remedy: "do not connect before you know why; give the host a new key", Err: why}
	case v == keyChanged:
		return &Error{Kind: HostKeyChanged, Text: what + " is not the one that known_hosts holds: " + k.wanted(),
			Remedy: "if the host was installed anew: ssh-keygen -R " + shellWord(k.h.known) + ", then ssh in once; else somebody may sit between", Err: why}
	case why != nil:
		return &Error{Kind: HostKeyUnknown, Text: what + ": the host's certificate is not accepted: " + Safe([]byte(why.Error())),
			Remedy: "have the host's certificate made anew, or add its authority to known_hosts as @cert-authority", Err: why}
	}
	return &Error{Kind: HostKeyUnknown, Text: what + " is not in known_hosts",
		Remedy: "compare it on the host (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then accept it with: " + k.h.sshCommand()}
}

// wanted lists the fingerprints that known_hosts holds.
func (k *hostKeys) wanted() string {
	var known []string
	for _, l := range k.exact {
		if l.marker == "" {
			known = append(known, fingerprint(l.key))
		}
	}
	return strings.Join(known, ", ")
}

// fingerprint is SHA256:… of a key; of a certificate, of the key it certifies.
func fingerprint(key ssh.PublicKey) string { return ssh.FingerprintSHA256(plainKey(key)) }

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
