package remote

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"

	"github.com/creack/pty"
)

// localTerminal is a script on a pseudo-terminal of this machine.
type localTerminal struct {
	host string
	pty  *os.File
	course
	exit int // valid after ended
}

// Terminal starts a script on a pseudo-terminal; see TerminalHost.
func (l *Local) Terminal(_ context.Context, script Script, size Size) (Terminal, error) {
	if err := size.Check(); err != nil {
		return nil, &Error{Host: l.name, Kind: Protocol, Text: err.Error(), Remedy: "give the terminal its true size", Err: err}
	}
	sudo, err := l.ready()
	if err != nil {
		return nil, err
	}
	c := command(script, sudo)
	c.Env = append(c.Env, "TERM="+terminalName)
	f, err := pty.StartWithSize(c, windowOf(size))
	if err != nil {
		return nil, l.broken(err)
	}
	if f, err = interruptible(f); err != nil {
		c.Process.Kill() //nolint:errcheck // it has ended, or ends
		c.Wait()         //nolint:errcheck // killed
		return nil, l.broken(err)
	}
	t := &localTerminal{host: l.name, pty: f, course: newCourse()}
	go func() {
		defer Guard()
		t.exit = exitOf(c)
		close(t.drained) // there is no error output of its own
		close(t.ended)
	}()
	go func() {
		defer Guard()
		select {
		case <-l.ctx.Done():
			t.Close()
		case <-t.ended:
		case <-t.closed:
		}
	}()
	return t, nil
}

// interruptible is the same open file with reads that a Close sets free: one that
// blocks in the kernel would keep the terminal open, and nobody hung up.
func interruptible(f *os.File) (*os.File, error) {
	defer f.Close()
	syscall.ForkLock.RLock() // no process that is started meanwhile inherits it
	fd, err := syscall.Dup(int(f.Fd()))
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, err
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(err, syscall.Close(fd))
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

func windowOf(s Size) *pty.Winsize {
	return &pty.Winsize{Cols: uint16(s.Columns), Rows: uint16(s.Rows)}
}

// Read reads what the terminal shows; Linux says EIO when nobody holds its other
// end any more.
func (t *localTerminal) Read(b []byte) (int, error) {
	n, err := t.pty.Read(b)
	if errors.Is(err, syscall.EIO) || errors.Is(err, os.ErrClosed) {
		err = io.EOF
	}
	return n, err
}

func (t *localTerminal) Write(b []byte) (int, error) { return t.pty.Write(b) }

// Resize tells the terminal's programs the new size.
func (t *localTerminal) Resize(size Size) error {
	if err := size.Check(); err != nil {
		return err
	}
	return pty.Setsize(t.pty, windowOf(size))
}

// Wait waits for the end of the script or for Close: what ignores a hangup goes
// on, and nobody waits for that.
func (t *localTerminal) Wait() (Result, error) {
	if err := t.wait(t.host); err != nil {
		return Result{}, err
	}
	return Result{Exit: t.exit, ExitKnown: true}, nil
}

// Close hangs the terminal up; what runs in its foreground gets SIGHUP.
func (t *localTerminal) Close() error {
	var err error
	t.once.Do(func() {
		close(t.closed)
		err = t.pty.Close()
	})
	return err
}
