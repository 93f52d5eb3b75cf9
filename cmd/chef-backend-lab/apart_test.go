//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"chef-backend-cockpit/cmd/chef-backend-lab/lab"
)

// A lab has fixed addresses and a fixed folder, so one machine holds one lab.
// Tests want several, and none of them in the way of a lab that somebody has
// up: each runs in a child process that has this machine's files, but
// network, mounts and processes of its own. All of it ends with the child,
// whatever became of the lab.
const (
	labEnv     = "CHEF_BACKEND_LAB"         // 1: the lab is tried; all: with every row of the table
	apartEnv   = "CHEF_BACKEND_LAB_APART"   // set in the child
	figuresEnv = "CHEF_BACKEND_LAB_FIGURES" // where the child writes its figures
	atOnceEnv  = "CHEF_BACKEND_LAB_AT_ONCE" // labs side by side
)

// places bounds the labs side by side: a lab that is looked at all the time
// takes 0.3 of a core, and 0.7 GiB of memory with its files.
var places = make(chan struct{}, atOnce())

func atOnce() int {
	if n, err := strconv.Atoi(os.Getenv(atOnceEnv)); err == nil && n > 0 {
		return n
	}
	return max(2, 3*runtime.NumCPU())
}

// figures are what a test in a child has measured.
type figures struct {
	Up        time.Duration // from nothing to three healthy nodes
	Processes int
	Memory    int64 // bytes of all processes of the lab, shared pages counted once
	Found     time.Duration
	Healed    time.Duration
	Wall      time.Duration // of the whole test, with the lab's up and down
}

// whyNot is why no lab can be had here, "" when one can.
func whyNot(ctx context.Context) string {
	if os.Getenv(labEnv) == "" {
		return "set CHEF_BACKEND_LAB=1, as root"
	}
	if err := lab.Possible(ctx); err != nil {
		return err.Error()
	}
	return ""
}

func inChild() bool { return os.Getenv(apartEnv) != "" }

// apart is true in the child, where the test goes on. Everywhere else it has
// run the whole test in one, with its outcome, and the test returns at once.
func apart(t *testing.T) bool {
	t.Helper()
	if inChild() {
		return true
	}
	if why := whyNot(t.Context()); why != "" {
		t.Skipf("%s needs a real lab: %s", t.Name(), why)
	}
	out, _, err := runApart(t.Context(), t.Name(), t.TempDir())
	t.Log(out)
	if err != nil {
		t.Error(err)
	}
	return false
}

// testWithin bounds one test in a child.
const testWithin = 30 * time.Minute

// runApart runs one test, by its full name, in a child.
func runApart(ctx context.Context, name, folder string) (out string, f figures, err error) {
	places <- struct{}{}
	defer func() { <-places }()
	// The child dies with the thread that made it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, testWithin+time.Minute)
	defer cancel()
	file := filepath.Join(folder, "figures.json")
	pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(name), "/", "$/^") + "$"
	c := exec.CommandContext(ctx, os.Args[0], "-test.run", pattern, "-test.v", "-test.count", "1", "-test.timeout", testWithin.String())
	c.Env = append(os.Environ(), apartEnv+"=1", figuresEnv+"="+file)
	c.SysProcAttr = &unix.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS,
		Pdeathsig:  unix.SIGKILL,
	}
	c.WaitDelay = 5 * time.Second
	text, err := c.CombinedOutput()
	out = tidy(string(text))
	if raw, missing := os.ReadFile(file); missing == nil {
		err = errors.Join(err, json.Unmarshal(raw, &f))
	}
	if err == nil && !strings.Contains(string(text), "\n--- PASS: ") && !strings.Contains(string(text), "\n    --- PASS: ") {
		err = fmt.Errorf("%s did not run", name)
	}
	f.Wall = time.Since(began)
	return out, f, err
}

// tidy takes a child's output out of its own frame.
func tidy(out string) string {
	var kept []string
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\n")
		word := strings.TrimSpace(line)
		if word == "" || word == "PASS" || word == "FAIL" || strings.HasPrefix(word, "=== ") || strings.HasPrefix(word, "--- ") {
			continue
		}
		kept = append(kept, strings.TrimPrefix(line, "    "))
	}
	return strings.Join(kept, "\n")
}

// settleIn makes the child's world its own: this machine's files, and nothing
// of its mounts, processes and network that a lab would see or leave.
func settleIn() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	for _, m := range []struct{ kind, at, data string }{
		{"proc", "/proc", ""}, {"sysfs", "/sys", ""}, {"tmpfs", "/run", "mode=755"}, {"tmpfs", "/var/tmp", "mode=1777"},
	} {
		if err := unix.Mount("cblab-test", m.at, m.kind, unix.MS_NOSUID|unix.MS_NODEV, m.data); err != nil {
			return fmt.Errorf("mount %s at %s: %w", m.kind, m.at, err)
		}
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		return fmt.Errorf("loopback: %w: %s", err, out)
	}
	return os.Setenv("TMPDIR", "/var/tmp")
}

// beInit is the first process of the child's world. It runs the test as its
// own child and takes the exit status of everybody who has lost his parent: a
// host of a lab ends only when all of its processes were asked for theirs.
func beInit() int {
	if err := settleIn(); err != nil {
		fmt.Fprintln(os.Stderr, "a world of the test's own:", err)
		return 1
	}
	test, err := syscall.ForkExec(os.Args[0], os.Args, &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for {
		var status syscall.WaitStatus
		switch pid, err := syscall.Wait4(-1, &status, 0, nil); {
		case err == syscall.EINTR:
		case err != nil:
			fmt.Fprintln(os.Stderr, "waiting for the test:", err)
			return 1
		case pid == test && status.Signaled():
			fmt.Fprintln(os.Stderr, "the test ended by signal", status.Signal())
			return 1
		case pid == test && status.Exited():
			return status.ExitStatus()
		}
	}
}

// report hands the child's figures to its parent.
func (f figures) report(t *testing.T) {
	t.Helper()
	raw, err := json.Marshal(f)
	if err == nil {
		err = os.WriteFile(os.Getenv(figuresEnv), raw, 0o600)
	}
	if err != nil {
		t.Error(err)
	}
}
