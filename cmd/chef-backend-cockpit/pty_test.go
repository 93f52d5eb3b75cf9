package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"

	"chef-backend-cockpit/cluster/simulation"
)

// patience bounds every wait of these tests: they fail by it, they never
// depend on it.
const patience = 90 * time.Second

// terminal is the program in a pseudo-terminal with a terminal emulator as
// its screen. It answers no query that the program may send.
type terminal struct {
	t       *testing.T
	pty     *os.File
	cmd     *exec.Cmd
	state   string // XDG_STATE_HOME of the program
	changed chan struct{}
	ended   chan struct{}

	mu   sync.Mutex
	emu  *vt.Emulator
	raw  bytes.Buffer
	size [2]int
}

// open starts the program with arguments in a terminal of that size.
func open(t *testing.T, cols, rows int, args ...string) *terminal {
	t.Helper()
	return openWith(t, cols, rows, nil, args...)
}

// openWith is open with more in the environment.
func openWith(t *testing.T, cols, rows int, env []string, args ...string) *terminal {
	t.Helper()
	home := simulation.InMemory(t)
	s := &terminal{
		t: t, cmd: exec.Command(os.Args[0], args...), state: home + "/state",
		changed: make(chan struct{}, 1), ended: make(chan struct{}), emu: vt.NewEmulator(cols, rows), size: [2]int{cols, rows},
	}
	s.cmd.Env = []string{asProgram + "=1", "TERM=xterm-256color", "HOME=" + home, "XDG_STATE_HOME=" + s.state, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + home}
	s.cmd.Env = append(s.cmd.Env, env...)
	f, err := pty.StartWithSize(s.cmd, &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)})
	if err != nil {
		t.Fatal(err)
	}
	s.pty = f
	// The emulator's answers go nowhere. It is never closed: that would race
	// with this read, which ends with the tests.
	go io.Copy(io.Discard, s.emu)
	go s.read()
	t.Cleanup(func() {
		s.cmd.Process.Kill()
		s.cmd.Wait()
		f.Close()
		<-s.ended
	})
	return s
}

// read feeds the emulator until the program is gone.
func (s *terminal) read() {
	defer close(s.ended)
	buf := make([]byte, 32<<10)
	for {
		n, err := s.pty.Read(buf)
		s.mu.Lock()
		s.raw.Write(buf[:n])
		s.emu.Write(buf[:n])
		s.mu.Unlock()
		select {
		case s.changed <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// text is the screen as text.
func (s *terminal) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.emu.String()
}

// sent is every byte that the program wrote.
func (s *terminal) sent() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.raw.Bytes())
}

// press sends keys as typed at once.
func (s *terminal) press(keys string) {
	s.t.Helper()
	if _, err := s.pty.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// when waits until the screen satisfies ok and returns it.
func (s *terminal) when(what string, ok func(text string) bool) string {
	s.t.Helper()
	end := time.After(patience)
	for {
		text := s.text()
		if ok(text) {
			return text
		}
		select {
		case <-s.changed:
		case <-s.ended:
			if text = s.text(); ok(text) {
				return text
			}
			s.t.Fatalf("the program ended before: %s\n%s", what, text)
		case <-end:
			s.t.Fatalf("not seen: %s\n%s", what, text)
		}
	}
}

// see waits until all words stand on the screen at once.
func (s *terminal) see(words ...string) string {
	s.t.Helper()
	return s.when(strings.Join(words, " + "), func(text string) bool {
		for _, w := range words {
			if !strings.Contains(text, w) {
				return false
			}
		}
		return true
	})
}

// miss waits until the word has left the screen.
func (s *terminal) miss(word string) string {
	s.t.Helper()
	return s.when("gone: "+word, func(text string) bool { return !strings.Contains(text, word) })
}

// quit presses q until the program ends, and is its exit code: an Esc that is
// still unread makes one key of itself and the first q.
func (s *terminal) quit() int {
	s.t.Helper()
	for tries := 0; ; tries++ {
		s.press("q")
		select {
		case <-s.ended:
			return s.exit()
		case <-time.After(5 * time.Second):
		}
		if tries == 5 {
			s.t.Fatalf("the program does not end\n%s", s.text())
		}
	}
}

// exit waits for the end of the program and returns its code.
func (s *terminal) exit() int {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.t.Fatalf("the program does not end\n%s", s.text())
	}
	err := s.cmd.Wait()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return e.ExitCode()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return 0
}
