package logs

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"chef-backend-cockpit/assets"
)

// Real svlogd writes and rotates on this machine, while the reader stalls once
// for 3 s and the link is cut once for 5 s of the follower's clock: no line is
// lost, doubled or out of order. It is runit's own; tests run without it where
// it is not installed.
func TestRealSvlogd(t *testing.T) {
	svlogd, err := exec.LookPath("svlogd")
	if err != nil {
		t.Skip("svlogd (package runit) is not on this machine")
	}
	defer goleak.VerifyNone(t)
	dir := t.TempDir()
	log := dir + "/etcd"
	if err := os.Mkdir(log, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(log+"/config", []byte("s20000\nn0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(svlogd, "-tt", log)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { in.Close(); cmd.Wait() }()
	h := newShellHost("sh")
	f := follow(t, h, dir, nil)
	defer f.stop()
	fmt.Fprintln(in, "LOG:  line 1 of many")
	f.until(t, "the first line", f.holds("line 1 of"))
	w := bufio.NewWriter(in)
	const lines = 100000
	for n := 2; n <= lines; n++ {
		fmt.Fprintf(w, "LOG:  line %d of many\n", n)
		switch n {
		case lines / 5, lines / 2:
			w.Flush()
			f.until(t, "keeping up", f.holds(fmt.Sprintf("line %d of", n)))
			if n == lines/5 {
				h.setStall(true)
			} else {
				h.setCut(true)
			}
		case lines * 2 / 5:
			w.Flush()
			<-f.o.Clock.After(3 * time.Second)
			h.setStall(false)
		case lines * 4 / 5:
			w.Flush()
			<-f.o.Clock.After(5 * time.Second)
			h.setCut(false)
		}
	}
	w.Flush()
	f.until(t, "the last line", f.holds(fmt.Sprintf("line %d of", lines)))
	ns, gaps := f.numbers(t, "etcd")
	if len(ns) != lines || len(gaps) != 0 {
		t.Fatalf("%d lines, gaps %v", len(ns), gaps)
	}
	for i, n := range ns {
		if n != i+1 {
			t.Fatalf("line %d in place %d", n, i+1)
		}
	}
	if rotated, _ := filepath.Glob(log + "/@*"); len(rotated) < 200 {
		t.Fatalf("only %d rotations", len(rotated))
	}
}

// When the channel is gone the reader ends, with all that it started; what it
// costs while nothing happens is a few milliseconds a minute.
func TestNothingStaysOnTheNode(t *testing.T) {
	for name, shell := range shells(t) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := newSvlogd(t, dir+"/etcd", 3)
			defer s.file.Close()
			s.write(10)
			args := append(shell[1:len(shell):len(shell)], "-c", assets.MustRead("scripts/follow.sh"), "follow")
			cmd := exec.Command(shell[0], args...)
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(in, "MARK")
			a := newAnswers(out, "MARK", func() {})
			if err := a.ready(); err != nil {
				t.Fatal(err)
			}
			const polls = 100
			for n := range polls {
				fmt.Fprintf(in, "%d;stat %s/etcd/current %s/leaderl/current\n", n, dir, dir)
				parts, err := a.next(n)
				if err != nil || len(parts) != 1 || len(parseStat(parts[0].data)) != 1 {
					t.Fatal(parts, err)
				}
			}
			children := descendants(t, cmd.Process.Pid)
			in.Close()
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			select {
			case err := <-ended:
				if err != nil {
					t.Fatal(err)
				}
			case <-time.After(10 * time.Second):
				cmd.Process.Kill()
				t.Fatal("the reader outlives its input")
			}
			for _, pid := range children {
				if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil {
					t.Errorf("process %d stays: %s", pid, b)
				}
			}
			cost := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			t.Logf("%s: %v of processor time for %d polls, %.2f %% of a core at the calm pace", name, cost, polls,
				100*cost.Seconds()/polls/pollEvery.Seconds())
			if per := cost / polls; per > 15*time.Millisecond { // threefold slack on 1 % of a core
				t.Errorf("%v a poll", per)
			}
		})
	}
}

// descendants are the processes below pid, by /proc; none where it is missing.
func descendants(t *testing.T, pid int) (all []int) {
	t.Helper()
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		b, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		_, after, _ := strings.Cut(string(b), ") ")
		w := strings.Fields(after)
		if len(w) > 1 && w[1] == strconv.Itoa(pid) {
			child, _ := strconv.Atoi(strings.Split(name, "/")[2])
			all = append(append(all, child), descendants(t, child)...)
		}
	}
	return all
}
