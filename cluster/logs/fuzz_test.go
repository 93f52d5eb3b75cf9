package logs

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// Whatever lies among collected logs, as a file or packed: reading it ends, and
// each example of a sign is safe.
func FuzzCollected(f *testing.F) {
	m, err := NewMatcher([]cluster.Sign{{Name: "wal-removed", Pattern: `requested WAL segment (\S+) has already been removed`}})
	if err != nil {
		f.Fatal(err)
	}
	log := "2026-11-23_02:41:05.00001 ERROR:  requested WAL segment 00000001000016F30000002A\x1b[m has already been removed\r\n"
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	w.WriteHeader(&tar.Header{Name: "be1/var/log/chef-backend/postgresql/9.5/current", Size: int64(len(log)), Mode: 0o600}) //nolint:errcheck // into memory
	w.Write([]byte(log))                                                                                                    //nolint:errcheck // into memory
	w.Close()
	f.Add([]byte(log), false)
	f.Add([]byte("@400000005a85be2c2d1e3f4a requested WAL segment x has already been removed"), false)
	f.Add(packed.Bytes(), true)
	f.Add(append([]byte("\x1f\x8b"), packed.Bytes()...), true)
	dir := f.TempDir()
	plain := filepath.Join(dir, "plain", "be1", "var", "log", "chef-backend", "postgresql", "9.5", "current")
	archive := filepath.Join(dir, "packed", "be1.tar")
	for _, p := range []string{plain, archive} {
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte, inTar bool) {
		path, root := plain, filepath.Join(dir, "plain")
		if inTar {
			path, root = archive, filepath.Join(dir, "packed")
		}
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := ReadCollected(t.Context(), root, m, nil)
		if err != nil {
			if s := err.Error(); s != remote.Safe([]byte(s)) {
				t.Errorf("not safe: %q", s)
			}
			return
		}
		for _, s := range c.Signs {
			for _, text := range []string{s.Example, s.Node, s.Service} {
				if text != remote.Safe([]byte(text)) {
					t.Errorf("not safe: %q", text)
				}
			}
		}
	})
}
