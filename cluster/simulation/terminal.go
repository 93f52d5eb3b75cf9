package simulation

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"syscall"

	"chef-backend-cockpit/remote"
)

// terminal is what lies between a person and a command on a pty: the kernel's
// line discipline. What is typed is echoed and passed on by lines; ends of
// lines get their carriage return. It is safe for concurrent use.
type terminal struct {
	out     io.Writer // to the person
	in      io.Writer // to the command
	signals chan syscall.Signal

	mu   sync.Mutex
	line []byte
}

func newTerminal(out, in io.Writer) *terminal {
	return &terminal{out: out, in: in, signals: make(chan syscall.Signal, 4)}
}

// signal tells what runs in the foreground. More than it can take are lost,
// as signals are.
func (t *terminal) signal(s syscall.Signal) {
	select {
	case t.signals <- s:
	default:
	}
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
		t.signal(syscall.SIGINT)
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

// Terminal starts a script on a terminal of the node.
func (h *local) Terminal(ctx context.Context, s remote.Script, size remote.Size) (remote.Terminal, error) {
	if err := size.Check(); err != nil {
		return nil, h.failure(remote.Protocol, err.Error(), err)
	}
	if err := h.open(ctx); err != nil {
		return nil, err
	}
	// A pipe of the kernel holds something, as a pty does: who types an echo
	// need not be reading at that moment.
	read, write, err := os.Pipe()
	if err != nil {
		return nil, h.failure(remote.Protocol, err.Error(), err)
	}
	t := newTerminal(write, nil)
	r, err := h.startOn(h.ctx, s, t, t, t)
	if err != nil {
		return nil, errors.Join(err, read.Close(), write.Close())
	}
	t.in = r.feed
	r.out, r.errOut = read, &bounded{limit: 4 << 10, last: true}
	h.wait.Go(func() {
		defer remote.Guard()
		<-r.ended
		write.Close()
	})
	return handedOver{r, t}, nil
}

// handedOver is a terminal from the person's side.
type handedOver struct {
	*running
	t *terminal
}

func (o handedOver) Read(b []byte) (int, error) { return o.out.Read(b) }

func (o handedOver) Write(b []byte) (int, error) {
	_, err := keyboard{o.t}.Write(b)
	if errors.Is(err, errEnd) {
		err = o.feed.Close()
	}
	return len(b), err
}

// Resize changes nothing: no command here asks for the size.
func (o handedOver) Resize(size remote.Size) error { return size.Check() }

// Close hangs up.
func (o handedOver) Close() error {
	o.t.signal(syscall.SIGHUP)
	return o.running.Close()
}
