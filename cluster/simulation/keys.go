package simulation

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// keys are what a client needs to log in, as files of the usual formats.
type keys struct {
	identity   string // path of the client's private key
	knownHosts string
	client     ssh.PublicKey
}

// newSigner makes a key. Keys are never of the seed: they are no part of what
// a scenario repeats.
func newSigner() (ssh.Signer, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return ssh.NewSignerFromSigner(private)
}

func newKeys(dir string) (keys, error) {
	k := keys{identity: filepath.Join(dir, "id_ed25519"), knownHosts: filepath.Join(dir, "known_hosts")}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return k, err
	}
	if k.client, err = ssh.NewPublicKey(public); err != nil {
		return k, err
	}
	block, err := ssh.MarshalPrivateKey(private, "simulation")
	if err != nil {
		return k, err
	}
	return k, os.WriteFile(k.identity, pem.EncodeToMemory(block), 0o600)
}

// writeHosts writes the host keys by address, as ssh would have noted them.
func (k keys) writeHosts(hosts map[string]ssh.PublicKey) error {
	var lines []string
	for address, key := range hosts {
		lines = append(lines, knownhosts.Line([]string{address}, key)+"\n")
	}
	slices.Sort(lines)
	return os.WriteFile(k.knownHosts, []byte(strings.Join(lines, "")), 0o600)
}
