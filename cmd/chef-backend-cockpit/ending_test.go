package main

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"chef-backend-cockpit/cluster/journal"
)

// restored fails unless the terminal was given back: no alternate screen, a
// cursor, and the line discipline of before.
func (s *terminal) restored() {
	s.t.Helper()
	out := s.sent()
	for _, mode := range []string{"?1049", "?25", "?2004"} {
		on, off := bytes.LastIndex(out, []byte("\x1b["+mode+"h")), bytes.LastIndex(out, []byte("\x1b["+mode+"l"))
		if cursor := mode == "?25"; cursor && off > on || !cursor && on > off {
			s.t.Errorf("the terminal was not given back: mode %s", mode)
		}
	}
}

// closedWell fails unless every incident is whole and has its last record.
func (s *terminal) closedWell() {
	s.t.Helper()
	dir := filepath.Join(s.state, "chef-backend-cockpit", "incidents")
	all, err := journal.List(dir)
	if err != nil || len(all) == 0 {
		s.t.Fatalf("incidents: %+v, %v", all, err)
	}
	for _, in := range all {
		if err := journal.Verify(in.Path); err != nil || in.Damage != "" {
			s.t.Errorf("%s: %v %s", in.ID, err, in.Damage)
		}
		last := journal.Record{}
		_ = journal.Read(in.Path, func(r journal.Record) error { last = r; return nil })
		if data, err := journal.Decode(last); err != nil || !isClosed(data) {
			s.t.Errorf("%s: the last record is %s %s", in.ID, last.Kind, last.Data)
		}
	}
	if half, _ := filepath.Glob(filepath.Join(s.state, "chef-backend-cockpit", "*", ".*")); len(half) > 0 {
		s.t.Errorf("half-written files: %q", half)
	}
}

func isClosed(data any) bool {
	n, ok := data.(*journal.NoteData)
	return ok && n.Closed
}

// Whatever ends the program, the terminal is as it was, the journal is closed,
// and the exit code says what it was.
func TestEndsInOrder(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]struct {
		sig  syscall.Signal
		code int
	}{
		"SIGTERM": {syscall.SIGTERM, 143}, "SIGHUP": {syscall.SIGHUP, 129}, "SIGINT": {syscall.SIGINT, 130},
		"a panic in a goroutine": {syscall.SIGUSR1, 70},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openWith(t, 100, 30, []string{asFaulty + "=1"}, "demo", "--scenario", "leaderl-down", "--speed", "10")
			s.see("P2", "leaderl-down")
			began := time.Now()
			if err := s.cmd.Process.Signal(end.sig); err != nil {
				t.Fatal(err)
			}
			if code := s.exit(); code != end.code {
				t.Errorf("exit code %d, want %d", code, end.code)
			}
			t.Logf("ended after %s", time.Since(began).Round(time.Millisecond))
			s.restored()
			s.closedWell()
			faults, _ := filepath.Glob(filepath.Join(s.state, "chef-backend-cockpit", "fault-*.txt"))
			if end.code != exitInternal {
				if len(faults) > 0 {
					t.Errorf("a fault file without a fault: %q", faults)
				}
				return
			}
			if len(faults) != 1 {
				t.Fatalf("fault files: %q", faults)
			}
			text, err := os.ReadFile(faults[0])
			if err != nil || !bytes.Contains(text, []byte("an invented fault")) || !bytes.Contains(text, []byte("panicWhenTold")) || !bytes.Contains(s.sent(), []byte(faults[0])) {
				t.Errorf("the fault file: %v\n%s", err, text)
			}
		})
	}
}

// A closed terminal is how a laptop or a window is closed.
func TestClosedTerminalEndsInOrder(t *testing.T) {
	t.Parallel()
	s := open(t, 100, 30, "demo", "--scenario", "leaderl-down", "--speed", "10")
	s.see("P2", "leaderl-down")
	s.pty.Close()
	if code := s.exit(); code != 129 {
		t.Errorf("exit code %d, want 129", code)
	}
	s.closedWell()
}

// A journal whose disk has gone, with no way to make another one, keeps nobody
// from leaving: the terminal is given back, and what failed is said.
func TestEndsInOrderWhenTheDiskHasGone(t *testing.T) {
	t.Parallel()
	s := open(t, 100, 30, "demo", "--scenario", "leaderl-down", "--speed", "10")
	s.see("P2", "leaderl-down")
	dir := filepath.Join(s.state, "chef-backend-cockpit", "incidents")
	s.when("the incident is on disk", func(string) bool { all, _ := journal.List(dir); return len(all) == 1 && all[0].Records > 2 })
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.press("q")
	if code := s.exit(); code != 1 || !bytes.Contains(s.sent(), []byte("the incident could not be closed")) {
		t.Errorf("exit code %d: %q", code, last(s.sent()))
	}
	s.restored()
}

// Behind ssh -t, or in a window of its own, nobody could wake a cockpit that Ctrl-Z
// stopped: it goes on by itself, and is not stopped by signals either.
func TestSuspendWithoutAShell(t *testing.T) {
	t.Parallel()
	s := open(t, 100, 30, "demo", "--scenario", "healthy")
	s.see("leader be1", "acting")
	times := func(seq string) func(string) bool {
		was := bytes.Count(s.sent(), []byte(seq))
		return func(string) bool { return bytes.Count(s.sent(), []byte(seq)) > was }
	}
	left, back := times("\x1b[?1049l"), times("\x1b[?1049h")
	s.press("\x1a")
	s.when("the screen is given away", left)
	s.when("the screen is back", back)
	s.see("leader be1", "acting")

	left = times("\x1b[?1049l")
	s.press("\x1a")
	s.when("the screen is given away again", left)
	s.cmd.Process.Signal(syscall.SIGTERM)
	if code := s.exit(); code != 128+int(syscall.SIGTERM) {
		t.Errorf("exit code %d", code)
	}
	s.restored()
}

// With every link cut there is nobody to say goodbye to: leaving takes no
// longer than a second, measured with threefold slack, in whatever way.
func TestQuitsWithAllNodesDead(t *testing.T) {
	sim := newSite(t, "", nil)
	for name, end := range map[string]struct {
		leave func(*terminal)
		code  int
	}{
		"by the key":  {func(s *terminal) { s.press("q") }, 0},
		"by a signal": {func(s *terminal) { s.cmd.Process.Signal(syscall.SIGTERM) }, 143},
	} {
		t.Run(name, func(t *testing.T) {
			sim.CutOff(false)
			s := open(t, 120, 30, "--config", sim.config, "watch")
			s.see("5 of 5 up", "ALARMS   none")
			sim.CutOff(true)
			s.see("be1 lost, be2 lost, be3 lost", "0 of 15 streams alive")
			began := time.Now()
			end.leave(s)
			if code := s.exit(); code != end.code {
				t.Errorf("exit code %d, want %d", code, end.code)
			}
			took := time.Since(began)
			t.Logf("left after %s", took.Round(time.Millisecond))
			if took > 3*time.Second {
				t.Errorf("leaving took %s with all nodes dead", took)
			}
			s.restored()
		})
	}
}
