package recovery

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chef-backend-cockpit/cluster"
)

// onDisk runs a command of the catalogue in a real shell, with the node's paths
// moved below a folder.
func onDisk(t *testing.T, shell, root, command string) (string, error) {
	t.Helper()
	command = strings.ReplaceAll(command, "-C / ", "-C "+root+" ")
	command = strings.ReplaceAll(command, "{f#/}", "{f#"+root+"/}")
	for _, p := range []string{"/var/opt/", "/etc/chef-backend", "/root/chef-backend"} {
		command = strings.ReplaceAll(command, p, root+p)
	}
	cmd := exec.CommandContext(t.Context(), shell, "-c", command)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// eachShell runs a test under the shells that nodes have; busybox brings its
// own tar, cp and the rest, which come first where they are linked.
func eachShell(t *testing.T, run func(t *testing.T, shell, root string)) {
	for _, name := range []string{"dash", "bash", "busybox"} {
		t.Run(name, func(t *testing.T) {
			path, err := exec.LookPath(name)
			if err != nil {
				t.Skip(name, "is not installed here")
			}
			if name == "busybox" {
				bin := t.TempDir()
				for _, applet := range []string{"sh", "tar", "cp", "mkdir", "chmod", "readlink", "sha256sum", "cat"} {
					if err := os.Symlink(path, filepath.Join(bin, applet)); err != nil {
						t.Fatal(err)
					}
				}
				t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
				path = filepath.Join(bin, "sh")
			}
			run(t, path, t.TempDir())
		})
	}
}

// commandOf is a command of the catalogue as a plan binds it.
func commandOf(t *testing.T, procedure, step string) string {
	t.Helper()
	w := newWorld(t)
	plan, err := w.executor().Bind(w.view(), procedure, "be3", "")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(plan.Steps, func(s cluster.PlanStep) bool { return s.ID == step })
	if i < 0 {
		t.Fatalf("%s has no step %s", procedure, step)
	}
	return plan.Steps[i].Command
}

// A copy holds the database, the places that its links lead to, and the
// configuration; nobody but root can read it.
func TestSavingOnRealShells(t *testing.T) {
	folder, save, read := commandOf(t, "backup-nodes", "1-folder"), commandOf(t, "backup-nodes", "2-save"), commandOf(t, "backup-nodes", "3-read")
	eachShell(t, func(t *testing.T, shell, root string) {
		data := root + "/var/opt/chef-backend/postgresql/9.5/data"
		put(t, data+"/PG_VERSION", "9.5\n")
		put(t, data+"/pg_tblspc/.keep", "")
		put(t, root+"/elsewhere/space/16385", "rows")
		put(t, root+"/elsewhere/wal/000000010000000000000001", "wal")
		put(t, root+"/etc/chef-backend/chef-backend.rb", "")
		for from, to := range map[string]string{"/pg_tblspc/16384": "/elsewhere/space", "/pg_xlog": "/elsewhere/wal"} {
			if err := os.Symlink(root+to, data+from); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []string{folder, save, read} {
			if out, err := onDisk(t, shell, root, c); err != nil {
				t.Fatalf("%s: %v: %s", c, err, out)
			}
		}
		kept := root + "/var/opt/chef-backend-cockpit/copies/PLAN/be3"
		list, err := os.ReadFile(kept + ".list")
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"var/opt/chef-backend/postgresql/9.5/data/PG_VERSION\n", "/elsewhere/space/16385\n", "/elsewhere/wal/000000010000000000000001\n", "etc/chef-backend/chef-backend.rb\n"} {
			if !strings.Contains(string(list), want) {
				t.Errorf("the copy lacks %s:\n%s", want, list)
			}
		}
		if info, err := os.Stat(kept + ".tar"); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		if sum, err := os.ReadFile(kept + ".sha256"); err != nil || !strings.HasSuffix(string(sum), "  be3.tar\n") {
			t.Errorf("checksum %q, %v", sum, err)
		}
	})
}

// Wherever the database lies behind a link, the copy holds it; an archive
// without it is no copy.
func TestSavingFollowsLinksOnRealShells(t *testing.T) {
	const product, data = "/var/opt/chef-backend", "/var/opt/chef-backend/postgresql/9.5/data"
	for _, c := range []struct {
		procedure, save, read string
		moved                 []string
	}{
		{"backup-nodes", "2-save", "3-read", []string{product, product + "/postgresql", product + "/postgresql/9.5", data, data + "/global", data + "/base/1", "/etc/chef-backend"}},
		{"replace-node", "1d-save", "1e-read", []string{product, data}},
		{"stop-stale-primary", "3b-save", "3c-read", []string{product, product + "/postgresql", data}},
	} {
		save, read := commandOf(t, c.procedure, c.save), commandOf(t, c.procedure, c.read)
		partly := strings.Contains(save, "--exclude")
		for _, moved := range c.moved {
			eachShell(t, func(t *testing.T, shell, root string) {
				if partly && filepath.Base(shell) == "sh" {
					t.Skip("busybox cannot leave files out")
				}
				for _, f := range []string{data + "/global/pg_control", data + "/base/1/1259", product + "/etcd/wal", "/etc/chef-backend/chef-backend.rb"} {
					put(t, root+f, f)
				}
				copies := root + "/var/opt/chef-backend-cockpit/copies/PLAN"
				put(t, copies+"/none", "")
				if err := errors.Join(os.Rename(root+moved, root+"/moved"), os.Symlink(root+"/moved", root+moved)); err != nil {
					t.Fatal(err)
				}
				if out, err := onDisk(t, shell, root, "tar -c -f /var/opt/chef-backend-cockpit/copies/PLAN/be3.tar -C / etc"); err != nil {
					t.Fatal(err, out)
				}
				if out, err := onDisk(t, shell, root, read); err == nil || !strings.Contains(out, "the copy lacks ") {
					t.Fatalf("an archive without the database: %v: %s", err, out)
				}
				for _, command := range []string{save, read} {
					if out, err := onDisk(t, shell, root, command); err != nil {
						t.Fatalf("%s: %v: %s", command, err, out)
					}
				}
				list, err := os.ReadFile(copies + "/be3.list")
				if err != nil {
					t.Fatal(err)
				}
				for _, want := range []string{"/pg_control\n", "/1259\n", "/chef-backend.rb\n"} {
					if !strings.Contains(string(list), want) {
						t.Errorf("%s elsewhere: the copy lacks %s:\n%s", moved, want, list)
					}
				}
				if partly && strings.Contains(string(list), "/etcd/wal\n") {
					t.Errorf("%s elsewhere: etcd's files are in the copy:\n%s", moved, list)
				}
			})
		}
	}
}

// The configuration comes back from wherever the cleanse put it, also out of an
// archive, and the world reads none of it; without a copy nothing is copied.
func TestConfigurationComesBackOnRealShells(t *testing.T) {
	unpack, back := commandOf(t, "replace-node", "4b-unpack"), commandOf(t, "replace-node", "5-copy")
	eachShell(t, func(t *testing.T, shell, root string) {
		if err := os.MkdirAll(root+"/etc/chef-backend", 0o755); err != nil {
			t.Fatal(err)
		}
		put(t, root+"/root/chef-backend-cleanse-1/chef-backend.rb", "half a copy")
		if out, err := onDisk(t, shell, root, back); err == nil || !strings.Contains(out, "no copy holds both files") {
			t.Fatalf("without a whole copy: %v: %s", err, out)
		}
		if left, _ := os.ReadDir(root + "/etc/chef-backend"); len(left) != 0 {
			t.Fatalf("%d files were copied", len(left))
		}
		put(t, root+"/packed/etc/chef-backend/chef-backend.rb", "whole")
		put(t, root+"/packed/etc/chef-backend/chef-backend-secrets.json", "{}")
		if out, err := onDisk(t, shell, root, "tar -c -f /root/chef-backend-cleanse-2.tar -C "+root+"/packed etc"); err != nil {
			t.Fatal(err, out)
		}
		put(t, root+"/packed/etc/chef-backend/chef-backend.rb", "another")
		if out, err := onDisk(t, shell, root, "tar -c -f /root/chef-backend-cleanse-0.tar -C "+root+"/packed etc"); err != nil {
			t.Fatal(err, out)
		}
		if out, err := onDisk(t, shell, root, unpack); err != nil {
			t.Fatalf("%s: %v: %s", unpack, err, out)
		}
		if again, err := onDisk(t, shell, root, unpack+"; ls /root/chef-backend-cleanse-PLAN-2.tar; echo /root/chef-backend-unpack*"); err != nil || again != "etc\n"+root+"/root/chef-backend-unpack*\n" {
			t.Fatalf("unpacked again: %v: %s", err, again)
		}
		for from, want := range map[string]string{"0": "another", "2": "whole"} { // apart, so that they can be compared
			got, err := os.ReadFile(root + "/root/chef-backend-cleanse-PLAN-" + from + ".tar/etc/chef-backend/chef-backend.rb")
			if err != nil || string(got) != want {
				t.Errorf("archive %s: %q, %v", from, got, err)
			}
		}
		for _, c := range []string{back} {
			if out, err := onDisk(t, shell, root, c); err != nil {
				t.Fatalf("%s: %v: %s", c, err, out)
			}
		}
		for _, name := range []string{"chef-backend.rb", "chef-backend-secrets.json"} {
			info, err := os.Stat(root + "/etc/chef-backend/" + name)
			if err != nil || info.Mode().Perm() != 0o640 {
				t.Errorf("%s: %v, %v", name, info, err)
			}
		}
	})
}
