package observe

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// What a cleanse left is told by names and permissions, and two copies that are
// not the same are told apart; nothing of what they hold leaves the node.
func TestProductFilesOnRealShells(t *testing.T) {
	shells(t, func(t *testing.T, shell string) {
		n := newFakeNode(t)
		r := n.report(shell, "look slow n1")
		if f := r.Host.Files; !f.Known || !f.Value.Data || !f.Value.Config || f.Value.Whole || f.Value.Secrets != "" || len(f.Value.Cleansed) != 0 {
			t.Errorf("before: %+v", f)
		}
		for _, at := range []string{"/etc/chef-backend", "/root/chef-backend-cleanse-1", "/root/chef-backend-cleanse-2/etc/chef-backend"} {
			n.file(at+"/chef-backend.rb", "SECRET\n")
			n.file(at+"/chef-backend-secrets.json", "{}\n")
		}
		n.file("/root/chef-backend-cleanse-3.tgz", "x")
		n.file("/root/chef-backend-secrets.json", "{}\n")
		if err := os.Chmod(filepath.Join(n.root, "/root/chef-backend-secrets.json"), 0o600); err != nil {
			t.Fatal(err)
		}
		r = n.report(shell, "look slow n1")
		f := r.Host.Files.Value
		if !f.Whole || len(f.Holds) != 3 || f.Holds[2].Name != "chef-backend.rb" || len(f.Cleansed) != 2 || f.Differ || len(f.Packed) != 1 || f.Secrets != "-rw-------" {
			t.Errorf("after a cleanse: %+v", f)
		}
		n.file("/root/chef-backend-cleanse-2/etc/chef-backend/chef-backend.rb", "other\n")
		if f = n.report(shell, "look slow n1").Host.Files.Value; !f.Differ {
			t.Errorf("two different copies: %+v", f)
		}
		if !r.Host.Room.Known || !r.Host.TreeBytes.Known || r.Host.TreeBytes.Value == 0 {
			t.Errorf("room %+v, size %+v", r.Host.Room, r.Host.TreeBytes)
		}
	})
}

// An archive is unpacked once a plan's folder of its very name is there and no
// older: a second cleanse's archive is not, whatever the first one left.
func TestArchivesOfCleansesOnRealShells(t *testing.T) {
	shells(t, func(t *testing.T, shell string) {
		n := newFakeNode(t)
		told := func(why string, unpacked ...string) {
			t.Helper()
			f := n.report(shell, "look slow n1").Host.Files.Value
			var names []string
			for _, one := range f.Unpacked {
				names = append(names, strings.TrimPrefix(filepath.Base(one), "chef-backend-cleanse"))
			}
			if !slices.Equal(names, unpacked) || len(f.Packed)+len(f.Unpacked) != 3 {
				t.Errorf("%s: %+v", why, f)
			}
		}
		at := func(name string, hour int) {
			when := time.Date(2026, 11, 23, hour, 0, 0, 0, time.UTC)
			if err := os.Chtimes(filepath.Join(n.root, "/root/chef-backend-cleanse"+name), when, when); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"-2026.tar.gz", "-2027.tar.gz", ".tar.gz"} {
			n.file("/root/chef-backend-cleanse"+name, "x")
			at(name, 2)
		}
		told("before")
		n.file("/root/chef-backend-cleanse-0a1b2c3d-2026.tar.gz/etc/chef-backend/chef-backend.rb", "old\n")
		n.file("/root/chef-backend-cleanse-0a1b2c3d-2026.tar.gz/etc/chef-backend/chef-backend-secrets.json", "{}\n")
		at("-0a1b2c3d-2026.tar.gz", 3)
		told("the first was unpacked", "-2026.tar.gz")
		at("-2026.tar.gz", 4)
		told("it was written again")
	})
}

func TestCommandsAtWork(t *testing.T) {
	for args, want := range map[string]string{
		"/opt/chef-backend/embedded/bin/ruby /usr/bin/chef-backend-ctl join-cluster 10.0.4.11 --recovery": "join-cluster",
		"chef-backend-ctl --verbose restart postgresql":                                                   "restart",
		"chef-backend-ctl cluster-status --json":                                                          "",
		"sh -c chef-backend-ctl stop":                                                                     "",
		"grep chef-backend-ctl stop":                                                                      "",
		"man chef-backend-ctl":                                                                            "",
	} {
		if got := ctlCommand(firstWords([]byte(args), 12)); got != want {
			t.Errorf("%s: %q, want %q", args, got, want)
		}
	}
}
