package remote

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"

	"golang.org/x/crypto/ssh"
)

// unlocked holds the encrypted keys whose passphrase was given, for the life of
// the process, by the digest of their file: three hosts share one key and the
// operator is asked once.
var unlocked = keyring{asking: make(chan struct{}, 1)}

type keyring struct {
	asking  chan struct{} // has room while nobody asks
	mu      sync.Mutex
	signers map[[sha256.Size]byte]ssh.AlgorithmSigner
}

func (k *keyring) get(file []byte) ssh.AlgorithmSigner {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.signers[sha256.Sum256(file)]
}

func (k *keyring) put(file []byte, s ssh.AlgorithmSigner) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.signers == nil {
		k.signers = map[[sha256.Size]byte]ssh.AlgorithmSigner{}
	}
	k.signers[sha256.Sum256(file)] = s
}

// keyFile is a key file as far as it can be read without a passphrase.
type keyFile struct {
	path   string
	public ssh.PublicKey       // nil: an old encrypted form that hides it
	signer ssh.AlgorithmSigner // nil: locked, or only the public part is here
	locked bool
}

// readCertificate reads a user's certificate, nil if the file holds none.
func readCertificate(path string) (*ssh.Certificate, error) {
	text, err := readSmall(path)
	if err != nil {
		return nil, err
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	cert, ok := key.(*ssh.Certificate)
	if !ok {
		return nil, fmt.Errorf("%s: a key, not a certificate", path)
	}
	return cert, nil
}

// readKeyFile reads a private key, or a public one that stands for a key in
// the agent.
func readKeyFile(path string) (keyFile, error) {
	k := keyFile{path: path}
	text, err := readSmall(path)
	if err != nil {
		return k, err
	}
	if public, _, _, _, err := ssh.ParseAuthorizedKey(text); err == nil {
		k.public = public
		return k, nil
	}
	if err := private(path); err != nil {
		return k, err
	}
	signer, err := ssh.ParsePrivateKey(text)
	var missing *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &missing):
		if known := unlocked.get(text); known != nil {
			k.signer, k.public = known, known.PublicKey()
			return k, nil
		}
		k.locked, k.public = true, missing.PublicKey
		if k.public == nil {
			k.public = publicBeside(path)
		}
		return k, nil
	case err != nil:
		return k, fmt.Errorf("%s: %w", path, err)
	}
	k.signer, k.public = signer.(ssh.AlgorithmSigner), signer.PublicKey()
	return k, nil
}

// private answers why ssh would not use a key file: it is ours, and others may
// read it.
func private(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok && int(s.Uid) == os.Getuid() && info.Mode()&0o077 != 0 {
		return fmt.Errorf("%s: others may read it (%#o), so ssh does not use it either; chmod 600 it", path, info.Mode().Perm())
	}
	return nil
}

// publicBeside is the public half in the file beside a private key, nil if
// there is none.
func publicBeside(path string) ssh.PublicKey {
	text, err := readSmall(path + ".pub")
	if err != nil {
		return nil
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return nil
	}
	return public
}

// readSmall reads a file of at most 1 MiB: a key path that names something
// else must not fill the memory.
func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	return io.ReadAll(io.LimitReader(f, 1<<20))
}

// errLocked says that the server would take a key that is still encrypted.
var errLocked = errors.New("the key is encrypted")

// unlock asks for the passphrase of a key file, three times at most. Logins that
// wait for the same key find it unlocked when their turn comes.
func (k *keyring) unlock(path, host string, who *attended) (ssh.AlgorithmSigner, error) {
	who.time.stop()
	defer who.time.goOn()
	select {
	case k.asking <- struct{}{}:
		defer func() { <-k.asking }()
	case <-who.ctx.Done():
		return nil, who.ctx.Err()
	}
	text, err := readSmall(path)
	if err != nil {
		return nil, err
	}
	if s := k.get(text); s != nil {
		return s, nil
	}
	q := Question{Host: host, From: "this cockpit asks for the passphrase of your key", Prompts: []Prompt{{Text: "Passphrase for " + Safe([]byte(path)) + ": ", Secret: true}}}
	for range 3 {
		answers, err := who.put(q)
		if err != nil {
			return nil, err
		}
		signer, err := ssh.ParsePrivateKeyWithPassphrase(text, []byte(answers[0]))
		if err == nil {
			k.put(text, signer.(ssh.AlgorithmSigner))
			return signer.(ssh.AlgorithmSigner), nil
		}
		q.Text = []string{"Not the right passphrase."}
	}
	return nil, fmt.Errorf("%s: three wrong passphrases", path)
}

func sameKey(a, b ssh.PublicKey) bool {
	return a != nil && b != nil && bytes.Equal(a.Marshal(), b.Marshal())
}
