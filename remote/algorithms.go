package remote

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// algorithms are what one server may be spoken to with, in order of weight.
// What the user's configuration names counts, as far as it is built in; what is
// broken by today's knowledge is among it only where the user says so.
type algorithms struct {
	hostKeys, exchanges, ciphers, macs []string
	signatures                         []string // with which our keys may sign, certificates' names among them
	authorities                        []string // with which a certificate may be signed
}

// defaultHostKeys is OpenSSH's order.
var defaultHostKeys = []string{ssh.CertAlgoED25519v01, ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01, ssh.CertAlgoECDSA521v01,
	ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01, ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
	ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}

// What a server of OpenSSH 5 or 6 needs and a new one does not: legacy allows
// these besides. Nothing older is built in for it.
var (
	legacyHostKeys   = []string{ssh.KeyAlgoRSA, ssh.CertAlgoRSAv01}
	legacyExchanges  = []string{ssh.InsecureKeyExchangeDH14SHA1, ssh.InsecureKeyExchangeDHGEXSHA1}
	legacySignatures = []string{ssh.KeyAlgoRSA, ssh.CertAlgoRSAv01}
)

// newAlgorithms are those of the settings. The error says which list leaves
// nothing that is built in.
func newAlgorithms(s settings, legacy bool) (algorithms, error) {
	good, bad := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()
	signatures := slices.Concat(defaultHostKeys, []string{ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256, ssh.CertAlgoSKED25519v01, ssh.CertAlgoSKECDSA256v01})
	var a algorithms
	for _, f := range []struct {
		to                        *[]string
		keyword, older            string
		standard, builtIn, legacy []string
	}{
		{&a.hostKeys, "hostkeyalgorithms", "", defaultHostKeys, slices.Concat(good.HostKeys, bad.HostKeys), legacyHostKeys},
		{&a.exchanges, "kexalgorithms", "", good.KeyExchanges, slices.Concat(good.KeyExchanges, bad.KeyExchanges), legacyExchanges},
		{&a.ciphers, "ciphers", "", good.Ciphers, slices.Concat(good.Ciphers, bad.Ciphers), nil},
		{&a.macs, "macs", "", good.MACs, slices.Concat(good.MACs, bad.MACs), nil},
		{&a.signatures, "pubkeyacceptedalgorithms", "pubkeyacceptedkeytypes", signatures, slices.Concat(signatures, good.PublicKeyAuths, bad.PublicKeyAuths, legacySignatures), legacySignatures},
		{&a.authorities, "casignaturealgorithms", "", signatures, slices.Concat(signatures, bad.PublicKeyAuths), legacySignatures},
	} {
		spec := first(s.get(f.keyword), s.get(f.older))
		chosen := chooseFrom(spec, f.standard, f.builtIn)
		if legacy {
			chosen = union(chosen, f.legacy)
		}
		if len(chosen) == 0 {
			return a, fmt.Errorf("%s leaves nothing that is built in here: %s", f.keyword, cut(Safe([]byte(spec)), 200))
		}
		*f.to = chosen
	}
	return a, nil
}

// chooseFrom reads a list of ssh_config(5): names, or with + - ^ in front what
// is added to, taken from or put before the standard ones. Only what is built in
// is left.
func chooseFrom(spec string, standard, builtIn []string) []string {
	chosen := slices.Clone(standard)
	if spec != "" {
		named := strings.Split(strings.TrimLeft(spec, "+-^"), ",")
		switch spec[0] {
		case '+':
			chosen = union(chosen, named)
		case '^':
			chosen = union(named, chosen)
		case '-':
			chosen = slices.DeleteFunc(chosen, func(a string) bool {
				return slices.ContainsFunc(named, func(pattern string) bool { ok, _ := path.Match(pattern, a); return ok })
			})
		default:
			chosen = union(nil, named)
		}
	}
	return slices.DeleteFunc(chosen, func(a string) bool { return !slices.Contains(builtIn, a) })
}

// union is a with what of b it has not.
func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// forKey are the algorithms with which a key may sign, in the configuration's
// order; none when it does not let it.
func (a *algorithms) forKey(key ssh.PublicKey) []string {
	cert, isCertificate := key.(*ssh.Certificate)
	format := key.Type()
	if isCertificate {
		format = cert.Key.Type()
	}
	if format != ssh.KeyAlgoRSA {
		if slices.Contains(a.signatures, key.Type()) {
			return []string{format}
		}
		return nil
	}
	plain := map[string]string{ssh.KeyAlgoRSASHA512: ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256: ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA: ssh.KeyAlgoRSA}
	if isCertificate {
		plain = map[string]string{ssh.CertAlgoRSASHA512v01: ssh.KeyAlgoRSASHA512, ssh.CertAlgoRSASHA256v01: ssh.KeyAlgoRSASHA256, ssh.CertAlgoRSAv01: ssh.KeyAlgoRSA}
	}
	var can []string
	for _, name := range a.signatures {
		if p := plain[name]; p != "" {
			can = append(can, p)
		}
	}
	return can
}

// legacyUsed are the broken algorithms that a connection really uses.
func legacyUsed(conn ssh.Conn) []string {
	c, ok := conn.(ssh.AlgorithmsConnMetadata)
	if !ok {
		return nil
	}
	n, bad := c.Algorithms(), ssh.InsecureAlgorithms()
	var used []string
	for _, a := range []string{n.HostKey, n.KeyExchange, n.Read.Cipher, n.Write.Cipher, n.Read.MAC, n.Write.MAC} {
		if a != "" && slices.Contains(slices.Concat(bad.HostKeys, bad.KeyExchanges, bad.Ciphers, bad.MACs), a) {
			used = union(used, []string{a})
		}
	}
	return used
}

// keywordOf is the keyword of ssh_config(5) for what could not be agreed on.
func keywordOf(what string) string {
	switch {
	case strings.Contains(what, "host key"):
		return "HostKeyAlgorithms"
	case strings.Contains(what, "key exchange"):
		return "KexAlgorithms"
	case strings.Contains(what, "cipher"):
		return "Ciphers"
	}
	return "MACs"
}

// noCommon is the error of a handshake that found no algorithm; nil for another.
func noCommon(at *hop, err error) *Error {
	var none *ssh.AlgorithmNegotiationError
	if !errors.As(err, &none) {
		return nil
	}
	bad := ssh.InsecureAlgorithms()
	old := slices.Concat(bad.HostKeys, bad.KeyExchanges, bad.Ciphers, bad.MACs)
	i := slices.IndexFunc(none.RequestedAlgorithms, func(a string) bool { return slices.Contains(old, a) && !slices.Contains(none.SupportedAlgorithms, a) })
	e := &Error{Kind: Protocol, Err: err, Text: "no common " + strings.TrimPrefix(none.What, "client to server ") + ": " + Safe([]byte(at.address())) + " offers only " +
		cut(Safe([]byte(strings.Join(none.RequestedAlgorithms, ", "))), 200), Remedy: "bring its sshd up to date; what it offers is not built in here"}
	if i >= 0 {
		e.Remedy = fmt.Sprintf("it is too old for safe ssh; to allow it for this host alone: legacy: true in config.yaml, or %s +%s in ~/.ssh/config",
			keywordOf(none.What), none.RequestedAlgorithms[i])
	}
	return e
}
