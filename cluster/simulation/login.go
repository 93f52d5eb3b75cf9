package simulation

import (
	"bytes"
	"errors"
	"sync"

	"golang.org/x/crypto/ssh"

	"chef-backend-cockpit/remote"
)

// login is whom a node's SSH server lets in and with which key it shows
// itself. It is safe for concurrent use.
type login struct {
	client []byte        // the key that lets in
	keys   [2]ssh.Signer // the host's: the known one, and another one

	mu      sync.Mutex
	locked  bool // nobody is let in
	rekeyed bool // it shows the other key
}

func newLogin(client ssh.PublicKey) (*login, error) {
	l := &login{client: client.Marshal()}
	for i := range l.keys {
		var err error
		if l.keys[i], err = newSigner(); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// set changes it; true: something is other than before.
func (l *login) set(locked, rekeyed bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	changed := l.locked != locked || l.rekeyed != rekeyed
	l.locked, l.rekeyed = locked, rekeyed
	return changed
}

func (l *login) key() ssh.Signer {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rekeyed {
		return l.keys[1]
	}
	return l.keys[0]
}

func (l *login) fingerprint() string { return ssh.FingerprintSHA256(l.key().PublicKey()) }

// config is for one connection.
func (l *login) config() *ssh.ServerConfig {
	c := &ssh.ServerConfig{ServerVersion: "SSH-2.0-simulated", PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.locked || !bytes.Equal(key.Marshal(), l.client) {
			return nil, errors.New("unknown key")
		}
		return &ssh.Permissions{}, nil
	}}
	c.AddHostKey(l.key())
	return c
}

// refusal is why a client that knows the first key does not get in; "" if it
// does.
func (l *login) refusal() (kind remote.Kind, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.rekeyed:
		return remote.HostKeyChanged, "the host key is not the known one"
	case l.locked:
		return remote.LoginFailed, "the login was refused"
	}
	return "", ""
}
