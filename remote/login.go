package remote

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// login gathers the keys that one hop is offered, in two rounds: the agent's,
// then those of files. The agent is asked anew in each dial, on a connection of
// its own with the dial's deadline: it may have been started, filled or locked
// since, and it may hang.
type login struct {
	h        *hop
	deadline time.Time
	note     func(text string) // debugging notes
	warn     func(text string)

	round   int
	files   []keyFile
	agent   net.Conn
	offered []string // for the text of a refusal
	inAgent []ssh.PublicKey
	locked  []string // encrypted files that hide even their public half
	wanted  string   // the encrypted file whose key the server takes
	hung    bool     // the agent took all the time there was
}

// close ends the connection to the agent.
func (l *login) close() {
	if l.agent != nil {
		l.agent.Close()
	}
}

// next is ssh's question which method to try; nil ends the trying.
func (l *login) next(about *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	if !slices.Contains(about.AllowedMethods, "publickey") {
		return nil, nil
	}
	for l.round++; l.round <= 2; l.round++ {
		var signers []ssh.Signer
		if l.round == 1 {
			l.readFiles()
			signers = l.fromAgent()
		} else {
			signers = l.fromFiles()
		}
		if len(signers) > 0 {
			return ssh.PublicKeys(signers...), nil
		}
	}
	return nil, nil
}

func (l *login) readFiles() {
	for _, path := range l.h.identities {
		k, err := readKeyFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			l.note("no key file " + path)
		case err != nil:
			l.warn("key not used: " + Safe([]byte(err.Error())))
		default:
			l.files = append(l.files, k)
		}
	}
}

// fromAgent are the agent's keys, those of the configured files first: a server
// counts refused keys and gives up after six.
func (l *login) fromAgent() []ssh.Signer {
	if l.h.agent == "" {
		return nil
	}
	conn, err := net.DialTimeout("unix", l.h.agent, time.Until(l.deadline))
	if err != nil {
		l.note("no agent: " + err.Error())
		return nil
	}
	l.agent = conn
	conn.SetDeadline(l.deadline)
	signers, err := agent.NewClient(conn).Signers()
	if err != nil {
		l.hung = timedOut(err) || !time.Now().Before(l.deadline)
		l.note("the agent gives no keys: " + err.Error())
		return nil
	}
	var named, others []ssh.Signer
	for _, s := range signers {
		isNamed := slices.ContainsFunc(l.files, func(k keyFile) bool { return sameKey(k.public, s.PublicKey()) })
		switch {
		case isNamed:
			named = append(named, s)
		case !l.h.only:
			others = append(others, s)
		}
	}
	named = append(named, others...)
	for _, s := range named {
		l.inAgent = append(l.inAgent, s.PublicKey())
		l.offered = append(l.offered, "agent "+fingerprint(s.PublicKey()))
	}
	return named
}

// fromFiles are the keys of files that the agent did not offer; encrypted ones
// last, because their signature ends the round.
func (l *login) fromFiles() []ssh.Signer {
	var open, locked []ssh.Signer
	for _, k := range l.files {
		if slices.ContainsFunc(l.inAgent, func(p ssh.PublicKey) bool { return sameKey(p, k.public) }) {
			continue
		}
		switch {
		case k.signer != nil:
			open = append(open, k.signer)
		case k.locked && k.public == nil:
			l.locked = append(l.locked, k.path)
			continue
		case k.locked:
			locked = append(locked, &lockedSigner{file: k, wanted: func(path string) { l.wanted = path }})
		default:
			continue // a public key alone
		}
		l.offered = append(l.offered, Safe([]byte(k.path)))
	}
	return append(open, locked...)
}

// refused is the error of a login that the server did not accept.
func (l *login) refused(cause error) *Error {
	who := "login as " + Safe([]byte(l.h.user)) + " refused"
	e := &Error{Kind: LoginFailed, Err: cause}
	paths := l.locked
	if l.wanted != "" {
		paths = []string{l.wanted}
	}
	if len(paths) > 0 {
		names := Safe([]byte(strings.Join(paths, ", ")))
		e.Err = &lockedError{paths: paths}
		e.Text = who + ": the key " + names + " is encrypted"
		e.Remedy = "add it to the agent: ssh-add " + shellWord(paths[0])
		return e
	}
	if len(l.offered) == 0 {
		e.Text = who + ": there is no key to offer"
		e.Remedy = "add a key to the agent (ssh-add) or name its file (IdentityFile)"
		return e
	}
	e.Text = fmt.Sprintf("%s: none of %d keys accepted (%s)", who, len(l.offered), strings.Join(l.offered, ", "))
	e.Remedy = "put your public key into its authorized_keys, or name the right user or key"
	return e
}
