package remote

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// drainMost is how long the rest of an error output is waited for after a script
// has ended: what it left running may hold that open.
const drainMost = 500 * time.Millisecond

// localSession is a running script of this machine.
type localSession struct {
	host    string
	in, out *os.File
	errs    *os.File
	stderr  keeper
	course
	exit int // valid after ended
}

// start starts a script on pipes. Its process is waited for whatever becomes of
// the session; the session is closed with the host.
func (l *Local) start(script Script, sudo bool, stderr keeper) (*localSession, error) {
	c := command(script, sudo)
	s := &localSession{host: l.name, stderr: stderr, course: newCourse()}
	var theirs [3]*os.File
	var err error
	open := func(ours **os.File, i int) {
		r, w, e := os.Pipe()
		if err = errors.Join(err, e); e != nil {
			return
		}
		if *ours, theirs[i] = r, w; i == 0 {
			*ours, theirs[i] = w, r
		}
	}
	open(&s.in, 0)
	open(&s.out, 1)
	open(&s.errs, 2)
	c.Stdin, c.Stdout, c.Stderr = theirs[0], theirs[1], theirs[2]
	if err == nil {
		err = c.Start()
	}
	for _, f := range theirs {
		f.Close() // nil is none
	}
	if err != nil {
		s.in.Close()
		s.out.Close()
		s.errs.Close()
		return nil, err
	}
	s.watch(c)
	go func() {
		defer Guard()
		select {
		case <-l.ctx.Done():
			s.Close()
		case <-s.closed:
		}
	}()
	return s, nil
}

// watch waits for the process and reads its error output.
func (s *localSession) watch(c *exec.Cmd) {
	read := make(chan struct{})
	go func() {
		defer Guard()
		defer close(read)
		io.Copy(s.stderr, s.errs) //nolint:errcheck // what came is what there is
	}()
	go func() {
		defer Guard()
		s.exit = exitOf(c)
		close(s.ended)
		late := time.NewTimer(drainMost)
		defer late.Stop()
		select {
		case <-read:
		case <-late.C:
		}
		close(s.drained)
	}()
}

// exitOf waits for a process and is its exit status as a shell tells it.
func exitOf(c *exec.Cmd) int {
	err := c.Wait()
	var e *exec.ExitError
	if errors.As(err, &e) {
		if w, ok := e.Sys().(syscall.WaitStatus); ok && w.Signaled() {
			return 128 + int(w.Signal())
		}
		return e.ExitCode()
	}
	if err != nil {
		return 255
	}
	return 0
}

func (s *localSession) Stdin() io.WriteCloser { return s.in }
func (s *localSession) Stdout() io.Reader     { return s.out }

// Wait waits for the end of the script or for Close.
func (s *localSession) Wait() (Result, error) {
	if err := s.wait(s.host); err != nil {
		return Result{Stderr: s.stderr.bytes()}, err
	}
	return Result{Stderr: s.stderr.bytes(), Exit: s.exit, ExitKnown: true}, nil
}

// Close ends the script's input and output at once. The script itself is not
// killed: it sees what it would see at the other end of a link.
func (s *localSession) Close() error {
	s.once.Do(func() {
		close(s.closed)
		s.in.Close()
		s.out.Close()
		s.errs.Close()
	})
	return nil
}
