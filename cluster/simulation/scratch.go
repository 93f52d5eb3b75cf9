package simulation

import "os"

// Trying is a test, as far as InMemory needs it.
type Trying interface {
	TempDir() string
	Cleanup(func())
}

// InMemory is a folder for what a cockpit writes in a test; it goes with the
// test. It lies in memory where the machine has a place for that: a cockpit
// refuses to act on a disk that does not answer for seconds, and what is not
// tried on such a disk must not depend on how busy the machine's is.
func InMemory(t Trying) string {
	dir, err := os.MkdirTemp("/dev/shm", "cockpit-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) }) // what stays there goes with the machine
	return dir
}
