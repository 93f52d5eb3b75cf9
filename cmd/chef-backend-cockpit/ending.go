package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/term"

	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/remote"
	"chef-backend-cockpit/tui"
	"chef-backend-cockpit/tui/plain"
)

// signalled is the cause of an end by a signal.
type signalled struct{ sig syscall.Signal }

func (s signalled) Error() string { return "ended by " + s.sig.String() }

// code is the exit code as shells know it.
func (s signalled) code() int { return 128 + int(s.sig) }

// overdue is how long an end in order may take after a signal or a panic. A
// terminal that takes no more bytes, or a lock that a panic left, would hold
// the program for ever.
const overdue = 8 * time.Second

// ending sees to it that the program ends when it has to, with the terminal as
// it was.
type ending struct {
	mu   sync.Mutex
	in   *os.File // the screen's terminal; nil while there is none
	out  *os.File
	was  *term.State
	once sync.Once
}

func newEnding() *ending { return &ending{} }

// listen is a context that ends with the first signal; its cause says which.
func (e *ending) listen(ctx context.Context) context.Context {
	ctx, end := context.WithCancelCause(ctx)
	came := make(chan os.Signal, 1)
	signal.Notify(came, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		defer remote.Guard()
		s := signalled{(<-came).(syscall.Signal)}
		end(s)
		e.soon(s.code(), func() {})
	}()
	return ctx
}

// owns notes whose terminal is raw from now on; nil: none any more.
func (e *ending) owns(in, out *os.File) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.in, e.out, e.was = in, out, nil
	if in != nil {
		e.was, _ = term.GetState(int(in.Fd())) // a terminal that has gone needs nothing
	}
}

// soon ends the program hard when it has not ended by itself in time; last is
// done before, with the terminal as it was.
func (e *ending) soon(code int, last func()) {
	e.once.Do(func() {
		time.AfterFunc(overdue, func() {
			e.restore()
			last()
			os.Exit(code)
		})
	})
}

// restore gives the terminal back without the screen's help.
func (e *ending) restore() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.was == nil {
		return
	}
	_ = term.Restore(int(e.in.Fd()), e.was)
	if e.out == nil {
		return
	}
	written := make(chan struct{})
	go func() {
		defer remote.Guard()
		defer close(written)
		e.out.WriteString("\x1b[?2004l\x1b[?1049l\x1b[?25h\x1b[0m\r\n")
	}()
	select {
	case <-written:
	case <-time.After(100 * time.Millisecond): // nobody reads it any more
	}
}

// left turns the way in which the screen ended into the program's own: a signal
// and a closed terminal have their exit codes, a fault of the program leaves
// its stack in a file. closed is what closing the door came to.
func left(ctx context.Context, err, closed error, incident string) error {
	cause := context.Cause(ctx)
	if f, ok := errors.AsType[*remote.Fault](cause); ok {
		return faulty(f, closed, incident)
	}
	if p, ok := errors.AsType[*tui.PanicError](err); ok {
		return faulty(&remote.Fault{Value: p.Value, Stack: p.Stack}, closed, incident)
	}
	if s, ok := errors.AsType[signalled](cause); ok {
		return &exitError{s.code(), closed}
	}
	if errors.Is(err, tui.ErrGone) || errors.Is(err, plain.ErrGone) {
		return &exitError{signalled{syscall.SIGHUP}.code(), closed}
	}
	if err == nil {
		err = closed
	}
	return err
}

// faulty leaves what is known of a fault in a file of the state folder.
func faulty(f *remote.Fault, closed error, incident string) error {
	path := "nowhere: the state folder cannot be written"
	if dir, err := journal.DefaultDir(); err == nil {
		dir = filepath.Dir(dir)
		name := filepath.Join(dir, "fault-"+time.Now().UTC().Format("20060102T150405Z")+".txt")
		text := fmt.Sprintf("%s\nincident: %s\nclosing: %v\n\n%v\n\n%s\n", versionText(), or(incident, "none"), closed, f.Value, f.Stack)
		if os.MkdirAll(dir, 0o700) == nil && writeWhole(name, []byte(text)) == nil {
			path = name
		}
	}
	return &exitError{exitInternal, fmt.Errorf("%w; what was running on a node goes on there; details: %s", f, path)}
}

// writeWhole writes a file of this user's own whole or not at all; one that is
// there is replaced.
func writeWhole(name string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".half-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already when all went well
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
