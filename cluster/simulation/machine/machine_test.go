package machine

import (
	"bytes"
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// realClock is the real time: these tests are about the shell, which waits
// for moments at most.
type realClock struct{}

func (realClock) Now() time.Time                         { return time.Now().UTC() }
func (realClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// echoed is a command of the model that prints its arguments and one variable.
type echoed struct{ out string }

func (e *echoed) Poll() ([]byte, []byte, int, bool) { return []byte(e.out), []byte("said\n"), 3, true }
func (e *echoed) Kill()                             {}

// bench is a machine with a model of one command, sv.
type bench struct {
	*Machine
	mu    sync.Mutex
	steps []string
	pid   int
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{pid: 1000}
	never := make(chan struct{})
	m, err := New(Options{
		Name: "be1", Address: "10.0.4.11", Dir: t.TempDir(), Clock: realClock{}, Now: func() time.Time { return time.Now().UTC() },
		Commands: []string{"/opt/chef-backend/embedded/bin/sv"},
		Exec: func(argv []string, env map[string]string, _ bool) (Command, bool) {
			return &echoed{strings.Join(argv, " ") + " " + env["MARK"] + "\n"}, true
		},
		Stepped: func() <-chan struct{} { return never },
		Virtual: func(p string) ([]byte, bool) {
			return []byte("0a1b2c3d-0000-4000-a000-000000000001\n"), p == "/proc/sys/kernel/random/boot_id"
		},
		NewPID: func() int { b.mu.Lock(); defer b.mu.Unlock(); b.pid++; return b.pid },
		Show:   func(int, string) {}, Hide: func(int) {},
		Step: func(text string) { b.mu.Lock(); b.steps = append(b.steps, text); b.mu.Unlock() },
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Machine = m
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// run runs a text in a session of root with some input.
func (b *bench) run(ctx context.Context, text, input string) (out, errOut string, exit int) {
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	defer r.Close()
	go func() { w.WriteString(input); w.Close() }()
	var o, e locked
	exit = b.Run(ctx, Session{User: "root", Text: text, Stdin: r, Stdout: &o, Stderr: &e})
	return o.String(), e.String(), exit
}

// locked is a buffer for several writers.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(p) }
func (l *locked) String() string              { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }
