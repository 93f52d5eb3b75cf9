//go:build linux

package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"

	"chef-backend-cockpit/cmd/chef-backend-lab/lab"
)

// packageEnv is the package that the child installs.
const packageEnv = "CHEF_BACKEND_LAB_PACKAGE"

// A machine with the built package and nothing else, whose user has a ~/.ssh,
// reaches the three nodes through a jump host with one command: as text, and as
// the full screen.
func TestCleanMachineThroughAJumpHost(t *testing.T) {
	t.Parallel()
	if !inChild() && whyNot(t.Context()) == "" {
		os.Setenv(packageEnv, makePackage(t))
	}
	if !apart(t) {
		return
	}
	l := realLab(t).Lab
	b, err := l.Bastion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	d := newDesk(t, b, os.Getenv(packageEnv))

	if out, err := d.command("version").CombinedOutput(); err != nil {
		t.Fatalf("the package alone: %v\n%s", err, out)
	}
	past := exec.Command("ip", append(b.Desk()[1:], "curl", "-s", "-m", "2", "telnet://10.0.4.11:22")...)
	if err := past.Run(); err == nil || past.ProcessState.ExitCode() != 7 {
		t.Errorf("the desk may reach a node past the jump host: curl says %v, where 7 is: no route", err)
	}
	status := func() (string, int) {
		c := d.command("status", "be1")
		out, err := c.CombinedOutput()
		if err != nil && c.ProcessState == nil {
			t.Fatal(err)
		}
		return string(out), c.ProcessState.ExitCode()
	}
	out, code := status()
	t.Logf("chef-backend-cockpit status be1\n%s", out)
	for _, words := range []string{"be1", "be2", "be3", "10.0.4.12", "10.0.4.13"} {
		if !strings.Contains(out, words) {
			t.Errorf("status lacks %q", words)
		}
	}
	if code != 0 {
		t.Errorf("status of a healthy cluster: exit %d", code)
	}
	d.screen("be1")

	b.Stop()
	if out, code := status(); code != 3 || !strings.Contains(out, "10.0.5.1") {
		t.Errorf("without the jump host: exit %d\n%s", code, out)
	}
	d.clean()
}

// makePackage makes the package for this machine.
func makePackage(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	c := exec.Command("../../assets/packaging/dist.sh", dir, "linux/"+runtime.GOARCH)
	c.Env = append(os.Environ(), "VERSION=0.0.0~lab", "COMMIT=lab")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("the package: %v\n%s", err, out)
	}
	all, _ := filepath.Glob(dir + "/*.deb")
	if len(all) != 1 {
		t.Fatalf("packages: %q", all)
	}
	return all[0]
}

// desk is a machine with the package and a user's ~/.ssh.
type desk struct {
	t    *testing.T
	b    *lab.Bastion
	root string
}

func newDesk(t *testing.T, b *lab.Bastion, deb string) *desk {
	t.Helper()
	d := &desk{t, b, t.TempDir()}
	for _, dir := range []string{"var/lib/dpkg/info", "var/lib/dpkg/updates", "tmp", "etc"} {
		if err := os.MkdirAll(filepath.Join(d.root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for file, text := range map[string]string{"var/lib/dpkg/status": "", "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n"} {
		if err := os.WriteFile(filepath.Join(d.root, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.Command("dpkg", "--root="+d.root, "-i", deb)
	c.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("dpkg: %v\n%s", err, out)
	}
	if err := b.Home(filepath.Join(d.root, "root/.ssh")); err != nil {
		t.Fatal(err)
	}
	return d
}

// command is the cockpit on that machine: its files and its network.
func (d *desk) command(args ...string) *exec.Cmd {
	words := append(d.b.Desk(), "chroot", d.root, "/usr/bin/chef-backend-cockpit")
	c := exec.CommandContext(d.t.Context(), words[0], append(words[1:], args...)...)
	c.Env = []string{"HOME=/root", "USER=root", "TERM=xterm-256color", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	c.WaitDelay = 5 * time.Second
	return c
}

// screen opens the full screen, sees three live nodes and every log, and leaves.
func (d *desk) screen(host string) {
	d.t.Helper()
	c := d.command(host)
	f, err := pty.StartWithSize(c, &pty.Winsize{Cols: 120, Rows: 40})
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	emulator := vt.NewSafeEmulator(120, 40)
	go io.Copy(io.Discard, emulator) // its answers go nowhere
	pictures, ended := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		buf := make([]byte, 32<<10)
		for {
			n, err := f.Read(buf)
			emulator.Write(buf[:n])
			select {
			case <-pictures: // nobody looked at it
			default:
			}
			pictures <- emulator.String()
			if err != nil {
				return
			}
		}
	}()
	see := func(words ...string) {
		d.t.Helper()
		last, late := "", time.After(90*time.Second)
		for {
			select {
			case last = <-pictures:
				if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(last, w) }) {
					d.t.Logf("the full screen\n%s", last)
					return
				}
			case <-ended:
				d.t.Fatalf("the screen ended before %q\n%s", words, last)
			case <-late:
				d.t.Fatalf("not seen: %q\n%s", words, last)
			}
		}
	}
	see("leader be", "all layers agree", "3 good copies, can lose 1", "15 of 15 streams alive")
	f.WriteString("q")
	// A cluster that no configuration has is offered to be kept: Enter alone is no.
	asked := time.NewTicker(time.Second)
	defer asked.Stop()
	for late := time.After(30 * time.Second); ; {
		select {
		case <-asked.C:
			f.WriteString("\r")
			continue
		case <-ended:
		case <-late:
			c.Process.Signal(syscall.SIGKILL)
			d.t.Errorf("the screen does not end\n%s", emulator.String())
		}
		break
	}
	if err := c.Wait(); err != nil {
		d.t.Errorf("the screen: %v", err)
	}
}

// clean holds that the machine has the package, the ~/.ssh as it was, and what
// the cockpit keeps; and nothing of the lab.
func (d *desk) clean() {
	d.t.Helper()
	out, err := exec.Command("find", d.root, "-type", "f", "-not", "-path", "*/var/lib/dpkg/*", "-not", "-path", "*/var/log/*").Output()
	if err != nil {
		d.t.Fatal(err)
	}
	for _, path := range strings.Fields(string(bytes.ReplaceAll(out, []byte(d.root), nil))) {
		if !strings.Contains(path, "chef-backend-cockpit") && !strings.HasPrefix(path, "/root/.ssh/") && path != "/etc/passwd" {
			d.t.Errorf("on the machine: %s", path)
		}
	}
}
