package remote

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/crypto/ssh"
)

// unlocked holds the encrypted keys whose passphrase was given, for the life of
// the process, by the digest of their file: three hosts share one key and the
// operator is asked once.
var unlocked keyring

type keyring struct {
	asking  sync.Mutex // one question at a time
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

// lockedError says that the server would take a key that is still encrypted.
type lockedError struct{ paths []string }

func (e *lockedError) Error() string { return "the key is encrypted" }

// lockedSigner offers the public half of an encrypted key. Only when the
// server takes it is the passphrase worth asking for, and that is not done in
// the middle of a handshake with a deadline.
type lockedSigner struct {
	file   keyFile
	wanted func(path string) // told when the server takes the key
}

func (l *lockedSigner) PublicKey() ssh.PublicKey { return l.file.public }

func (l *lockedSigner) Sign(rand io.Reader, data []byte) (*ssh.Signature, error) {
	return l.SignWithAlgorithm(rand, data, "")
}

func (l *lockedSigner) SignWithAlgorithm(io.Reader, []byte, string) (*ssh.Signature, error) {
	l.wanted(l.file.path)
	return nil, &lockedError{paths: []string{l.file.path}}
}

// unlock asks for the passphrase of a key file, three times at most. Hosts
// that wait for the same key find it unlocked when their turn comes.
func (k *keyring) unlock(path string, ask func(string, bool) (string, error)) error {
	k.asking.Lock()
	defer k.asking.Unlock()
	text, err := readSmall(path)
	if err != nil {
		return err
	}
	if k.get(text) != nil {
		return nil
	}
	question := "Passphrase for " + Safe([]byte(path)) + ": "
	for range 3 {
		answer, err := ask(question, true)
		if err != nil {
			return err
		}
		signer, err := ssh.ParsePrivateKeyWithPassphrase(text, []byte(answer))
		if err == nil {
			k.put(text, signer.(ssh.AlgorithmSigner))
			return nil
		}
		question = "Not the right passphrase. Passphrase for " + Safe([]byte(path)) + ": "
	}
	return fmt.Errorf("%s: three wrong passphrases", path)
}

func sameKey(a, b ssh.PublicKey) bool {
	return a != nil && b != nil && bytes.Equal(a.Marshal(), b.Marshal())
}
