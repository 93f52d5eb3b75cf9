package remote

import (
	"errors"
	"io/fs"
	"net"
	"slices"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// login tries to get into one hop: with keys, then with what the operator
// answers. The agent is asked anew in each dial, on a connection of its own with
// the dial's deadline: it may have been started, filled or locked since, and it
// may hang.
type login struct {
	h    *hop
	host string // the short name of the target
	from string // who asks when the server does
	who  *attended
	time *patience
	note func(text string) // debugging notes
	warn func(text string)

	files  []keyFile
	certs  []userCertificate
	agent  net.Conn
	began  bool
	left   []*candidate // not tried yet
	asked  map[string]int
	legacy []string // broken algorithms that our keys signed with

	offered    []*candidate // for the text of a refusal
	accepts    []string     // what the server said that it accepts, at last
	partly     bool         // the server took one thing and wants another
	locked     []string     // encrypted files that hide even their public half
	wanted     string       // the encrypted file whose key the server takes
	needs      string       // what only the operator can answer, and nobody was there
	unanswered error        // the operator was asked and did not answer
	hung       bool         // the agent took all the time there was
}

// close ends the connection to the agent.
func (l *login) close() {
	if l.agent != nil {
		l.agent.Close()
	}
}

// next is ssh's question which method to try; nil ends the trying.
func (l *login) next(about *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	l.accepts = about.AllowedMethods
	if n := len(about.PartialSuccessMethods); n > 0 {
		l.partly = true
	}
	for _, method := range l.h.methods {
		if !slices.Contains(about.AllowedMethods, method) {
			continue
		}
		switch method {
		case "publickey":
			if c := l.nextKey(); c != nil {
				l.offered = append(l.offered, c)
				return ssh.PublicKeys(c), nil
			}
			if l.hung {
				return nil, nil // and nobody is asked for a dial that is over
			}
		case "keyboard-interactive":
			if l.mayAsk(method) {
				return ssh.KeyboardInteractive(l.challenge), nil
			}
		case "password":
			if l.mayAsk(method) {
				return ssh.PasswordCallback(l.password), nil
			}
		}
	}
	return nil, nil
}

// nextKey is the next key to offer, nil for none.
func (l *login) nextKey() *candidate {
	if !l.began {
		l.began, l.left = true, l.candidates()
	}
	if l.hung { // the dial is over, though the connection may not have noticed yet
		return nil
	}
	for len(l.left) == 0 && len(l.locked) > 0 && l.who.here() {
		l.left = l.hidden()
	}
	if len(l.left) == 0 {
		return nil
	}
	c := l.left[0]
	l.left = l.left[1:]
	return c
}

// mayAsk answers whether the operator is asked once more by a method.
func (l *login) mayAsk(method string) bool {
	switch {
	case !l.who.here():
		if l.needs == "" && l.unanswered == nil && l.h.tries > 0 {
			l.needs = method
		}
		return false
	case l.asked[method] >= l.h.tries:
		return false
	}
	if l.asked == nil {
		l.asked = map[string]int{}
	}
	l.asked[method]++
	return true
}

// challenge puts a server's questions to the operator.
func (l *login) challenge(name, instruction string, prompts []string, echos []bool) ([]string, error) {
	if len(prompts) > mostPrompts {
		return nil, errors.New("the server asks too much at once")
	}
	q := serverQuestion(l.host, l.from, name, instruction, prompts, echos)
	if len(q.Prompts) == 0 {
		for _, text := range q.Text {
			l.note("the server says: " + text)
		}
		return nil, nil
	}
	return l.put(q)
}

// password asks for the password as ssh does.
func (l *login) password() (string, error) {
	answers, err := l.put(Question{Host: l.host, From: l.from,
		Prompts: []Prompt{{Text: Safe([]byte(l.h.user+"@"+l.h.alias)) + "'s password: ", Secret: true}}})
	if err != nil {
		return "", err
	}
	return answers[0], nil
}

func (l *login) put(q Question) ([]string, error) {
	answers, err := l.who.put(q)
	if err != nil {
		l.unanswered = err
	}
	return answers, err
}

// readFiles reads the key files and the certificates beside them.
func (l *login) readFiles() {
	for _, path := range l.h.identities {
		k, err := readKeyFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			l.note("no key file " + path)
			if public := publicBeside(path); public != nil { // the key is in the agent, its public half here
				l.files = append(l.files, keyFile{path: path, public: public})
			}
		case err != nil:
			l.warn("key not used: " + Safe([]byte(err.Error())))
		default:
			l.files = append(l.files, k)
		}
		l.readCertificate(path+"-cert.pub", false)
	}
	for _, path := range l.h.certs {
		l.readCertificate(path, true)
	}
}

// readCertificate reads one certificate; one that the configuration names has to
// be there.
func (l *login) readCertificate(path string, named bool) {
	cert, err := readCertificate(path)
	switch {
	case err == nil:
		l.certs = append(l.certs, userCertificate{path, cert})
	case named || !errors.Is(err, fs.ErrNotExist):
		l.warn("certificate not used: " + Safe([]byte(err.Error())))
	}
}

// agentKeys are the keys that the agent holds.
func (l *login) agentKeys() []ssh.AlgorithmSigner {
	if l.h.agent == "" {
		return nil
	}
	dialer := net.Dialer{Deadline: l.time.end()}
	conn, err := dialer.Dial("unix", l.h.agent)
	if err != nil {
		l.note("no agent: " + err.Error())
		return nil
	}
	l.agent = conn
	conn.SetDeadline(l.time.end())
	signers, err := agent.NewClient(conn).Signers()
	if err != nil {
		l.hung = timedOut(err) || l.time.over()
		l.note("the agent gives no keys: " + err.Error())
		return nil
	}
	var keys []ssh.AlgorithmSigner
	for _, s := range signers {
		public, err := ssh.ParsePublicKey(s.PublicKey().Marshal())
		if a, ok := s.(ssh.AlgorithmSigner); ok && err == nil {
			keys = append(keys, &agentKey{AlgorithmSigner: a, public: public, l: l})
		}
	}
	return keys
}
