package remote

import (
	"os"
	"path/filepath"
	"testing"
)

// Whatever an ssh configuration holds: reading it and asking it ends, without a
// panic, and what is warned of is safe.
func FuzzSSHConfig(f *testing.F) {
	for _, s := range []string{
		"Host be*\n  HostName 10.0.4.11\n  Port 2222\n  ProxyJump ops@jump:22,none\n", "Match host be1 exec \"true\"\n  User x\n", "Include nothing/*\nHost !be1 *\n\tUser\t=\"a b\"\n",
		"HostName %h.%%\n", "Host\nPort x\n", "Match all\nMatch\nHost [\n", "# \xff\x1b[m\nUser \x00\n", "Include ~/[\n",
	} {
		f.Add([]byte(s), "be1")
	}
	path := filepath.Join(f.TempDir(), "config")
	f.Fuzz(func(t *testing.T, text []byte, alias string) {
		must(t, os.WriteFile(path, text, 0o600))
		c, err := readSSHConfig([]string{path}, func(said string) {
			if said != Safe([]byte(said)) {
				t.Errorf("warned: %q", said)
			}
		})
		if err != nil {
			return
		}
		at := place{host: alias}
		found, _ := c.settings(at)
		parseDestination(alias)                  //nolint:errcheck // what is none is refused
		parseDestination(found.get("proxyjump")) //nolint:errcheck // the same
		w := &way{target: Target{Name: "be1"}, find: c.settings, warn: func(string) {}}
		w.hop(at)         //nolint:errcheck // the same
		w.jumps(alias, 0) //nolint:errcheck // the same
	})
}
