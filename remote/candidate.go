package remote

import (
	"io"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"
)

// candidate is one key, or one certificate of it, that a server is offered.
type candidate struct {
	offer  ssh.PublicKey
	label  string   // for the operator: where it comes from
	can    []string // algorithms that it may sign with
	sign   func(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error)
	signed func(algorithm string) // told when the server has taken the key
}

func (c *candidate) PublicKey() ssh.PublicKey { return c.offer }
func (c *candidate) Algorithms() []string     { return c.can }

func (c *candidate) Sign(rand io.Reader, data []byte) (*ssh.Signature, error) {
	return c.SignWithAlgorithm(rand, data, c.can[0])
}

func (c *candidate) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	c.signed(algorithm)
	return c.sign(rand, data, algorithm)
}

// candidates are all keys for a hop in OpenSSH's order: those of the
// configuration that the agent holds, the agent's others, those of files. Of
// files the encrypted ones come last: one that needs no answer is better. A
// certificate comes before its key.
func (l *login) candidates() []*candidate {
	l.readFiles()
	held := l.agentKeys()
	var named, others, open, locked []*candidate
	for _, k := range l.files {
		if i := slices.IndexFunc(held, func(s ssh.AlgorithmSigner) bool { return sameKey(s.PublicKey(), k.public) }); i >= 0 {
			named = append(named, l.with(k.public, "agent "+fingerprint(k.public), held[i].SignWithAlgorithm)...)
			continue
		}
		switch {
		case k.signer != nil:
			open = append(open, l.with(k.public, k.path, k.signer.SignWithAlgorithm)...)
		case k.locked && k.public != nil:
			locked = append(locked, l.with(k.public, k.path, l.unlocking(k.path))...)
		case k.locked:
			l.locked = append(l.locked, k.path)
		}
	}
	for _, s := range held {
		cert, isCertificate := s.PublicKey().(*ssh.Certificate)
		isNamed := slices.ContainsFunc(l.files, func(k keyFile) bool { return sameKey(k.public, plainKey(s.PublicKey())) })
		switch {
		case isNamed && isCertificate: // its key is named: ssh-add holds both
			named = append(named, l.one(cert, "agent certificate "+fingerprint(cert), s.SignWithAlgorithm)...)
		case !isNamed && !l.h.only && isCertificate:
			others = append(others, l.one(cert, "agent certificate "+fingerprint(cert), s.SignWithAlgorithm)...)
		case !isNamed && !l.h.only:
			others = append(others, l.with(s.PublicKey(), "agent "+fingerprint(s.PublicKey()), s.SignWithAlgorithm)...)
		}
	}
	return slices.Concat(named, others, open, locked)
}

// signWith is how a key signs.
type signWith = func(io.Reader, []byte, string) (*ssh.Signature, error)

// with are a key's certificates and the key.
func (l *login) with(key ssh.PublicKey, label string, sign signWith) []*candidate {
	var all []*candidate
	for _, c := range l.certs {
		if sameKey(c.cert.Key, key) {
			all = append(all, l.one(c.cert, Safe([]byte(c.path)), sign)...)
		}
	}
	return append(all, l.one(key, label, sign)...)
}

// one is one offer, none when the configuration does not let such a key sign.
func (l *login) one(key ssh.PublicKey, label string, sign signWith) []*candidate {
	can := l.h.algorithms.forKey(key)
	if len(can) == 0 {
		l.note("not offered, PubkeyAcceptedAlgorithms leaves it out: " + label)
		return nil
	}
	return []*candidate{{offer: key, label: Safe([]byte(label)), can: can, sign: sign, signed: l.taken}}
}

// taken notes that the server takes a key.
func (l *login) taken(algorithm string) {
	if algorithm == ssh.KeyAlgoRSA {
		l.legacy = union(l.legacy, []string{"login with ssh-rsa"})
	}
}

// unlocking signs with an encrypted key that the server takes: only then is the
// passphrase worth asking for.
func (l *login) unlocking(path string) signWith {
	return func(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
		if !l.who.here() {
			l.wanted = path
			return nil, errLocked
		}
		s, err := unlocked.unlock(path, l.host, l.who)
		if err != nil {
			l.wanted, l.unanswered = path, err
			return nil, err
		}
		return s.SignWithAlgorithm(rand, data, algorithm)
	}
}

// hidden are the candidates of encrypted files of an old form, which do not even
// tell their public half: the passphrase is asked for first.
func (l *login) hidden() []*candidate {
	if len(l.locked) == 0 || !l.who.here() {
		return nil
	}
	path := l.locked[0]
	l.locked = l.locked[1:]
	s, err := unlocked.unlock(path, l.host, l.who)
	if err != nil {
		l.wanted, l.unanswered = path, err
		return nil
	}
	return l.with(s.PublicKey(), path, s.SignWithAlgorithm)
}

// userCertificate is a certificate file that could be read.
type userCertificate struct {
	path string
	cert *ssh.Certificate
}

// wrongWith tells what our side already sees wrong with a certificate; "" for
// nothing. The server judges, but it does not tell why.
func wrongWith(cert *ssh.Certificate, user string, now time.Time) string {
	err := (&ssh.CertChecker{Clock: func() time.Time { return now }, SupportedCriticalOptions: optionsOf(cert)}).CheckCert(user, cert)
	before := time.Unix(int64(min(cert.ValidBefore, 1<<40)), 0)
	switch {
	case cert.CertType != ssh.UserCert:
		return "is one for hosts"
	case err == nil:
		return ""
	case cert.ValidBefore != ssh.CertTimeInfinity && !now.Before(before):
		return "expired at " + before.UTC().Format("2006-01-02 15:04 UTC")
	case len(cert.ValidPrincipals) > 0 && !slices.Contains(cert.ValidPrincipals, user):
		return "is not for the user " + Safe([]byte(user))
	}
	return "is refused: " + Safe([]byte(err.Error()))
}

// optionsOf are the critical options of a certificate: the server judges them.
func optionsOf(cert *ssh.Certificate) []string {
	var names []string
	for name := range cert.CriticalOptions {
		names = append(names, name)
	}
	return names
}

// agentKey is a key of the agent. A certificate of the agent is one here, too.
// The agent has the dial's time, which moves on when the operator was asked.
type agentKey struct {
	ssh.AlgorithmSigner
	public ssh.PublicKey
	l      *login
}

func (k *agentKey) PublicKey() ssh.PublicKey { return k.public }

func (k *agentKey) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	k.l.agent.SetDeadline(k.l.time.end())
	return k.AlgorithmSigner.SignWithAlgorithm(rand, data, algorithm)
}
