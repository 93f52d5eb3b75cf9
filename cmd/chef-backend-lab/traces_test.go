//go:build linux

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"chef-backend-cockpit/cmd/chef-backend-lab/lab"
)

// traces is all that a lab could leave in the world of a test's own.
func traces(t *testing.T) string {
	t.Helper()
	return things(t) + processes()
}

// things are network namespaces, links, packet filters, mounts and files.
func things(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", "-c", "ip netns; ip -br link; ip route; nft list ruleset; cat /proc/self/mountinfo; ls -A /var/tmp /run /run/netns 2>&1; :").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var all []string
	for line := range strings.Lines(string(out)) {
		// A veth's number counts on, and the test has files of its own.
		if !strings.HasPrefix(line, "Test") {
			all = append(all, line)
		}
	}
	return strings.Join(all, "")
}

// processes lists what lives; who has ended and was not asked for its status is
// no process any more.
func processes() string {
	var all []string
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		name, rest, _ := bytes.Cut(stat, []byte(") "))
		if !bytes.HasPrefix(rest, []byte("Z")) && !bytes.HasPrefix(rest, []byte("X")) {
			all = append(all, string(name)+")")
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// program is a call of the lab's program as somebody would make it.
func program(t *testing.T, args ...string) *exec.Cmd {
	c := exec.CommandContext(t.Context(), os.Args[0], args...)
	c.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "CHEF_BACKEND_LAB") }), "CHEF_BACKEND_LAB_RUN=1")
	return c
}

func TestNothingStaysBehindALab(t *testing.T) {
	t.Parallel()
	if !apart(t) {
		return
	}
	before := traces(t)
	for _, args := range [][]string{{"up"}, {"fault", "node-down"}, {"fault", "partition-partial"}, {"fault", "disk-full"}, {"status"}, {"down"}} {
		if out, err := program(t, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	if now := traces(t); now != before {
		t.Errorf("before:\n%s\n\nafter down:\n%s", before, now)
	}
}

func TestNothingStaysBehindAnInterruptedUp(t *testing.T) {
	t.Parallel()
	if !apart(t) {
		return
	}
	before := traces(t)
	for _, after := range []time.Duration{50 * time.Millisecond, 300 * time.Millisecond, 2 * time.Second} {
		c := program(t, "up")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		// The moment of the kill is what is tried; nothing is waited for.
		time.Sleep(after)
		c.Process.Kill()
		c.Wait()
		if err := lab.Clean(t.Context()); err != nil {
			t.Fatalf("killed after %s: %v", after, err)
		}
		// A command that it had just started ends by itself.
		now := traces(t)
		for end := time.Now().Add(10 * time.Second); now != before && time.Now().Before(end); now = traces(t) {
			time.Sleep(50 * time.Millisecond)
		}
		if now != before {
			t.Errorf("killed after %s, then down; before:\n%s\nnow:\n%s", after, before, now)
		}
	}
}

// Bad use gets one line that says what is wrong, and leaves everything as it is.
func TestBadUseOfALab(t *testing.T) {
	t.Parallel()
	if !apart(t) {
		return
	}
	// A user who is not root must be able to read the program.
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	readable := "/var/tmp/Test-chef-backend-lab"
	if err := os.WriteFile(readable, self, 0o755); err != nil {
		t.Fatal(err)
	}
	nobody := program(t, "up")
	nobody.Path, nobody.SysProcAttr = readable, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	bare := program(t, "up")
	bare.Env = append(bare.Env, "PATH=/nowhere")
	refused(t, nobody, "needs root")
	refused(t, bare, "missing Debian packages: apt-get install --no-install-recommends iproute2 nftables")
	for _, args := range [][]string{{"status"}, {"shell", "be1"}, {"fault", "node-down"}, {"heal"}} {
		refused(t, program(t, args...), "no lab is up")
	}
	realLab(t)
	for want, args := range map[string][]string{
		"a lab is up already":                  {"up"},
		"no such fault: power-outage":          {"fault", "power-outage"},
		"no host \"be9\"":                      {"fault", "power-off@be9"},
		"no service \"nginx\"":                 {"fault", "stop:nginx@be1"},
		"fault \"node-down\" has not been str": {"heal", "node-down"},
		"no host \"be4\"; there are":           {"shell", "be4"},
	} {
		refused(t, program(t, args...), want)
	}
}

// refused runs a call that must fail in one line, without a trace.
func refused(t *testing.T, c *exec.Cmd, want string) {
	t.Helper()
	before := things(t)
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	err := c.Run()
	said := errOut.String()
	if c.ProcessState == nil || c.ProcessState.ExitCode() != 1 || out.Len() > 0 || strings.Count(said, "\n") != 1 || !strings.Contains(said, want) {
		t.Errorf("%v: %v, %q, %q; want %q", c.Args[1:], err, out.String(), said, want)
	}
	if now := things(t); now != before {
		t.Errorf("%v: before:\n%s\nafterwards:\n%s", c.Args[1:], before, now)
	}
}
