package tui

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/charmbracelet/x/ansi"
)

// terminal is what os.File has and Bubble Tea looks for.
type terminal interface {
	io.ReadWriteCloser
	Fd() uintptr
	Name() string
}

// output owns the terminal: the renderer, the clipboard sequence and the bell
// write through it, one after another, and it counts what was written. It is
// safe for concurrent use.
type output struct {
	mu    sync.Mutex
	w     io.Writer
	bytes atomic.Int64
}

// Write writes to the terminal.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.w.Write(p)
	o.bytes.Add(int64(n))
	return n, err
}

// Send writes a control sequence of ours.
func (o *output) Send(s string) error {
	_, err := o.Write([]byte(s))
	return err
}

// Copy puts a text into the terminal's clipboard (OSC 52), where the terminal
// allows it. The text is ours, or was made safe on its way in.
func (o *output) Copy(s string) error { return o.Send(ansi.SetSystemClipboard(s)) }

// Bytes is how much was written so far.
func (o *output) Bytes() int64 { return o.bytes.Load() }

// ttyOutput is an output on a real terminal: Bubble Tea asks it for its size.
type ttyOutput struct {
	*output
	terminal
}

func (t ttyOutput) Write(p []byte) (int, error) { return t.output.Write(p) }

// Close leaves the terminal open: it is not ours.
func (t ttyOutput) Close() error { return nil }

// ErrGone ends Run when nobody can type any more: the terminal was closed.
var ErrGone = errors.New("the terminal is gone")

// ttyInput notices the end of the terminal, which Bubble Tea would not tell.
type ttyInput struct {
	terminal
	gone func(error)
}

// Read reads keys.
func (t ttyInput) Read(p []byte) (int, error) {
	n, err := t.terminal.Read(p)
	if err != nil {
		t.gone(fmt.Errorf("%w: %v", ErrGone, err))
	}
	return n, err
}

// Close leaves the terminal open: it is not ours.
func (t ttyInput) Close() error { return nil }
