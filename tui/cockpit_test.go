package tui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"

	"chef-backend-cockpit/cluster/watch"
)

// runOn shows the cockpit on a pseudo-terminal of its own and hands its other
// end to f.
func runOn(t *testing.T, door watch.Door, f func(cancel context.CancelFunc, screen *os.File)) (string, error) {
	t.Helper()
	screen, tty, err := pty.Open()
	if err != nil {
		t.Skip("no pseudo-terminal here:", err)
	}
	if err := pty.Setsize(tty, &pty.Winsize{Rows: 30, Cols: 100}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, Options{Door: door, Clock: &handClock{now}, Human: realClock{}, In: tty, Out: tty})
		// Closing the terminal here would lose what is not read yet; a last word
		// ends the reading.
		_, _ = io.WriteString(tty, lastWord)
	}()
	var seen bytes.Buffer
	buf := make([]byte, 1<<16)
	once := false
	for {
		n, err := screen.Read(buf)
		seen.Write(buf[:n])
		if !once && bytes.Contains(seen.Bytes(), []byte("quit")) {
			once = true
			f(cancel, screen)
		}
		if err != nil || bytes.Contains(seen.Bytes(), []byte(lastWord)) {
			break
		}
	}
	screen.Close()
	return strings.TrimSuffix(seen.String(), lastWord), <-ended
}

// lastWord ends what is read from the terminal of a test.
const lastWord = "<the run has ended>"

type realClock struct{}

func (realClock) Now() time.Time                         { return time.Now().UTC() }
func (realClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// restored answers whether the terminal was given back as it was found.
func restored(out string) bool {
	left, shown := strings.LastIndex(out, "\x1b[?1049l"), strings.LastIndex(out, "\x1b[?25h")
	return left > strings.LastIndex(out, "\x1b[?1049h") && shown > strings.LastIndex(out, "\x1b[?25l")
}

func TestRunEndsWithTheOperator(t *testing.T) {
	out, err := runOn(t, healthy(), func(_ context.CancelFunc, screen *os.File) { _, _ = io.WriteString(screen, "q") })
	if err != nil || !restored(out) {
		t.Errorf("%v, restored %v", err, restored(out))
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	out, err := runOn(t, healthy(), func(cancel context.CancelFunc, _ *os.File) { cancel() })
	if !errors.Is(err, context.Canceled) || !restored(out) {
		t.Errorf("%v, restored %v", err, restored(out))
	}
}

func TestRunEndsWithItsTerminal(t *testing.T) {
	_, err := runOn(t, healthy(), func(_ context.CancelFunc, screen *os.File) { screen.Close() })
	if !errors.Is(err, ErrGone) {
		t.Error(err)
	}
}

// faulty is a door behind which the program breaks.
type faulty struct{ *fakeDoor }

func (faulty) NodeOffers(string) []watch.Offered { panic("a fault of our own") }
func (faulty) LookNow()                          { panic("a fault in a command") }

func TestPanicRestoresTheTerminal(t *testing.T) {
	for _, key := range []string{"n", "p"} {
		out, err := runOn(t, faulty{walGap()}, func(_ context.CancelFunc, screen *os.File) { _, _ = io.WriteString(screen, key) })
		var fault *PanicError
		if !errors.As(err, &fault) || len(fault.Stack) == 0 || !restored(out) {
			t.Errorf("%s: %v, restored %v", key, err, restored(out))
		}
	}
}

// TestScreenOfChild is the screen for TestNoQueries.
func TestScreenOfChild(t *testing.T) {
	if os.Getenv("COCKPIT_TEST_CHILD") == "" {
		t.Skip("only as a child of TestNoQueries")
	}
	in := &unreadable{File: os.Stdin, from: 1 << 10}
	if os.Getenv("COCKPIT_TEST_CHILD") == "lost" {
		in.from = 3 // each reader asks twice: the second one
	}
	if err := Run(context.Background(), Options{Door: healthy(), Clock: &handClock{now}, Human: realClock{}, In: in, Out: os.Stdout}); err != nil {
		fmt.Println(err)
	}
}

// unreadable is a terminal that cannot be read any more from the given asking on, as
// where too many files are open.
type unreadable struct {
	*os.File
	asked, from int
}

func (u *unreadable) Fd() uintptr {
	callers := make([]uintptr, 8)
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers)])
	for f, more := frames.Next(); more; f, more = frames.Next() {
		if strings.HasSuffix(f.Function, "cancelreader.NewReader") {
			if u.asked++; u.asked >= u.from {
				return ^uintptr(0)
			}
		}
	}
	return u.File.Fd()
}

// An input that cannot be read ends the cockpit at its start, and leaves the
// terminal as it was.
func TestStartThatFailsRestoresTheTerminal(t *testing.T) {
	screen, tty, err := pty.Open()
	if err != nil {
		t.Skip("no pseudo-terminal here:", err)
	}
	defer screen.Close()
	_ = pty.Setsize(tty, &pty.Winsize{Rows: 30, Cols: 100})
	before, err := term.GetState(int(tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	err = Run(t.Context(), Options{Door: healthy(), Clock: &handClock{now}, Human: realClock{}, In: &unreadable{File: tty, from: 1}, Out: tty})
	after, _ := term.GetState(int(tty.Fd()))
	_, _ = io.WriteString(tty, lastWord)
	var seen bytes.Buffer
	for buf := make([]byte, 1<<16); !bytes.Contains(seen.Bytes(), []byte(lastWord)); {
		n, err := screen.Read(buf)
		if seen.Write(buf[:n]); err != nil {
			break
		}
	}
	if err == nil || !reflect.DeepEqual(after, before) || !restored(seen.String()) {
		t.Errorf("%v; the terminal's modes are %+v, were %+v; the screen is given back: %v", err, after, before, restored(seen.String()))
	}
}

// Ctrl-Z without a shell above is said and costs a moment; where the terminal
// does not come back the cockpit ends, and says why.
func TestWhatCtrlZComesTo(t *testing.T) {
	for mode, want := range map[string]string{"alone": "no shell above this terminal", "lost": "the terminal cannot be had back"} {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		child := exec.CommandContext(ctx, self, "-test.run=^TestScreenOfChild$")
		child.Env = append(os.Environ(), "COCKPIT_TEST_CHILD="+mode, "TERM=xterm-256color")
		screen, err := pty.StartWithSize(child, &pty.Winsize{Rows: 30, Cols: 100})
		if err != nil {
			t.Skip("no pseudo-terminal here:", err)
		}
		var seen bytes.Buffer
		buf := make([]byte, 1<<16)
		for _, step := range []struct{ until, press string }{{"quit", "\x1a"}, {want, "q"}} {
			for !bytes.Contains(seen.Bytes(), []byte(step.until)) {
				n, err := screen.Read(buf)
				if seen.Write(buf[:n]); err != nil {
					t.Fatalf("%s: without %q: %v\n%q", mode, step.until, err, seen.String())
				}
			}
			_, _ = io.WriteString(screen, step.press)
		}
		_, _ = io.Copy(&seen, screen)
		if err := child.Wait(); err != nil || !restored(seen.String()) {
			t.Errorf("%s: %v, restored %v", mode, err, restored(seen.String()))
		}
		screen.Close()
	}
}

// The program asks the terminal nothing: one that does not answer delays
// nothing, and no late answer becomes a key.
func TestNoQueries(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	child := exec.CommandContext(ctx, self, "-test.run=^TestScreenOfChild$")
	child.Env = append(os.Environ(), "COCKPIT_TEST_CHILD=1", "TERM=xterm-256color")
	screen, err := pty.StartWithSize(child, &pty.Winsize{Rows: 30, Cols: 100})
	if err != nil {
		t.Skip("no pseudo-terminal here:", err)
	}
	defer screen.Close()
	var seen bytes.Buffer
	buf := make([]byte, 1<<16)
	for !bytes.Contains(seen.Bytes(), []byte("quit")) {
		n, err := screen.Read(buf)
		if err != nil {
			t.Fatalf("no picture: %v\n%q", err, seen.String())
		}
		seen.Write(buf[:n])
	}
	for _, query := range []string{"\x1b]10;?", "\x1b]11;?", "\x1b[6n", "\x1b[c", "\x1b[>", "\x1bP"} {
		if strings.Contains(seen.String(), query) {
			t.Errorf("the terminal was asked %q", query)
		}
	}
	_, _ = io.WriteString(screen, "q")
	_, _ = io.Copy(io.Discard, screen)
	_ = child.Wait()
}

func TestOutputCountsAndCopies(t *testing.T) {
	var b bytes.Buffer
	o := &output{w: &b}
	if err := o.Copy("hello"); err != nil || !strings.Contains(b.String(), "aGVsbG8=") {
		t.Errorf("%v: %q", err, b.String())
	}
	if o.Bytes() != int64(b.Len()) {
		t.Errorf("counted %d of %d", o.Bytes(), b.Len())
	}
}
