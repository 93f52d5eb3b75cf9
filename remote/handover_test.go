package remote

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"go.uber.org/goleak"
)

// echoing is a host's terminal that answers every byte, and ends at a q.
type echoing struct {
	out    *io.PipeReader
	in     *io.PipeWriter
	types  func() // once the terminal is joined
	once   sync.Once
	mu     sync.Mutex
	got    bytes.Buffer
	closed bool
}

func newEchoing(types func()) *echoing {
	r, w := io.Pipe()
	return &echoing{out: r, in: w, types: types}
}

func (e *echoing) Read(b []byte) (int, error) {
	e.once.Do(e.types)
	return e.out.Read(b)
}

func (e *echoing) Write(b []byte) (int, error) {
	e.mu.Lock()
	e.got.Write(b)
	e.mu.Unlock()
	n, err := e.in.Write(b)
	if bytes.ContainsRune(b, 'q') {
		e.in.Close()
	}
	return n, err
}

func (e *echoing) Resize(Size) error { return nil }

func (e *echoing) Wait() (Result, error) { return Result{Exit: 3, ExitKnown: true}, nil }

func (e *echoing) Close() error {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	return e.in.Close()
}

func (e *echoing) typed() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.got.String()
}

// keyboard is the operator's side of a terminal, and the end that types.
func keyboard(t *testing.T) (in, hands *os.File) {
	t.Helper()
	hands, in, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	t.Cleanup(func() { hands.Close(); in.Close() })
	return in, hands
}

// Bytes go both ways as they are, control bytes included, until the host ends;
// what is typed afterwards is left for the screen.
func TestHandOverToTheEnd(t *testing.T) {
	defer goleak.VerifyNone(t)
	in, hands := keyboard(t)
	e, out := newEchoing(func() { io.WriteString(hands, "ls\x03\x1b[A q") }), &bytes.Buffer{}
	r, err := HandOver(t.Context(), e, in, out)
	if err != nil || r.Exit != 3 {
		t.Fatalf("%+v, %v", r, err)
	}
	if e.typed() != "ls\x03\x1b[A q" || out.String() != e.typed() {
		t.Errorf("the host got %q, the operator saw %q", e.typed(), out.String())
	}
	io.WriteString(hands, "x\n")
	b := make([]byte, 8)
	if n, err := in.Read(b); err != nil || string(b[:n]) != "x\n" {
		t.Errorf("the next key is %q, %v", b[:n], err)
	}
}

func TestHandOverHungUp(t *testing.T) {
	defer goleak.VerifyNone(t)
	in, hands := keyboard(t)
	e := newEchoing(func() { io.WriteString(hands, "ab\x1dcd") })
	if _, err := HandOver(t.Context(), e, in, io.Discard); !errors.Is(err, ErrHungUp) {
		t.Errorf("ended with %v", err)
	}
	if e.typed() != "ab" || !e.closed {
		t.Errorf("the host got %q; closed: %v", e.typed(), e.closed)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := HandOver(ctx, newEchoing(func() {}), in, io.Discard); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("cut off: %v", err)
	}
}
