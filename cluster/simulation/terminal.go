package simulation

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

// terminal is what lies between a person and a command on a pty: the kernel's
// line discipline. What is typed is echoed and passed on by lines; ends of
// lines get their carriage return. It is safe for concurrent use.
type terminal struct {
	out       io.Writer // to the person
	in        io.Writer // to the command
	interrupt func()

	mu   sync.Mutex
	line []byte
}

func newTerminal(out, in io.Writer, interrupt func()) *terminal {
	return &terminal{out: out, in: in, interrupt: interrupt}
}

// Write is what the command prints.
func (t *terminal) Write(data []byte) (int, error) {
	if _, err := t.out.Write(bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n"))); err != nil {
		return 0, err
	}
	return len(data), nil
}

// keyboard is the person's side of a terminal.
type keyboard struct{ t *terminal }

// errEnd is ^D: the end of the input.
var errEnd = errors.New("end of the input")

// Keys that the line discipline takes for itself.
const (
	keyInterrupt = 0x03
	keyEnd       = 0x04
	keyErase     = 0x08
	keyDelete    = 0x7f
	keyKill      = 0x15
)

// Write is what the person types.
func (k keyboard) Write(data []byte) (int, error) {
	t := k.t
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range data {
		if err := t.press(key); err != nil {
			return 0, err
		}
	}
	return len(data), nil
}

func (t *terminal) press(key byte) (err error) {
	switch {
	case key == '\r' || key == '\n':
		line := append(t.line, '\n')
		t.line = nil
		if _, err = t.out.Write([]byte("\r\n")); err == nil {
			_, err = t.in.Write(line)
		}
	case key == keyInterrupt:
		t.line = nil
		_, err = t.out.Write([]byte("^C\r\n"))
		t.interrupt()
	case key == keyEnd && len(t.line) == 0:
		err = errEnd
	case key == keyErase || key == keyDelete:
		if len(t.line) > 0 {
			t.line = t.line[:len(t.line)-1]
			_, err = t.out.Write([]byte("\b \b"))
		}
	case key == keyKill:
		_, err = t.out.Write(bytes.Repeat([]byte("\b \b"), len(t.line)))
		t.line = nil
	case key >= ' ':
		t.line = append(t.line, key)
		_, err = t.out.Write([]byte{key})
	}
	return err
}
