package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"chef-backend-cockpit/remote"
	"chef-backend-cockpit/tui/plain"
)

// plainFlag lets a command be had in lines.
func (e *env) plainFlag(c *cobra.Command) {
	c.Flags().BoolVar(&e.plain, "plain", false, "lines instead of a screen: for dumb terminals, screen readers and pipes (so does TERM=dumb)")
}

// needWay chooses between screen and lines, and refuses where neither can be.
// A terminal that says of itself that it is dumb, or does not say what it is,
// gets lines.
func (e *env) needWay() error {
	out, ok := e.out.(*os.File)
	if kind := os.Getenv("TERM"); (kind == "dumb" || kind == "") && ok && term.IsTerminal(int(out.Fd())) {
		e.plain = true
	}
	if e.plain {
		return nil
	}
	return e.needTerminal(inLines)
}

// talk shows the cluster in lines. The terminal stays as it is: its own line
// editing is the operator's. A panic is a fault, as those of goroutines are.
func (e *env) talk(ctx context.Context, fault context.CancelCauseFunc, s screen) (err error) {
	defer func() {
		if r := recover(); r != nil {
			f := &remote.Fault{Value: r, Stack: debug.Stack()}
			fault(f)
			err = f
		}
	}()
	signal.Ignore(syscall.SIGPIPE) // an output that nobody reads any more ends the cockpit in order
	ready := func() bool { return inputReady(int(e.in.Fd())) }
	o := plain.Options{Door: s.door, Clock: s.clock, Human: remote.System{}, Out: e.out, Lines: typed(ctx, e.in, ready), Ready: ready, Witness: s.witness}
	if term.IsTerminal(int(e.in.Fd())) {
		o.Flush = func() { _ = flushInput(int(e.in.Fd())) } // what is left over is refused by its time
		o.Echo = func(on bool) { _ = setEcho(int(e.in.Fd()), on) }
	}
	defer e.asking.through(s.ask)()
	s.start(ctx)
	return plain.Run(ctx, o)
}

// longestLine bounds what is taken of one line, in bytes.
const longestLine = 4096

// typed hands over what is typed, line by line, until the input ends. Who stops
// taking lines ends ctx.
func typed(ctx context.Context, in io.Reader, ready func() bool) <-chan plain.Line {
	lines := make(chan plain.Line)
	go func() {
		defer remote.Guard()
		defer close(lines)
		r := bufio.NewReaderSize(in, longestLine)
		for {
			line, err := r.ReadSlice('\n')
			if len(line) == 0 {
				return
			}
			l := plain.Line{Text: remote.Safe(trimEnd(line)), At: time.Now()}
			for errors.Is(err, bufio.ErrBufferFull) { // its rest is nobody's phrase
				l.Text = "a line that is too long"
				_, err = r.ReadSlice('\n')
			}
			l.More = r.Buffered() > 0 || err == nil && ready()
			select {
			case lines <- l:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return lines
}

// setEcho lets a terminal show what is typed, or not.
func setEcho(fd int, on bool) error {
	t, err := unix.IoctlGetTermios(fd, getTerminal)
	if err != nil {
		return err
	}
	if t.Lflag &^= unix.ECHO; on {
		t.Lflag |= unix.ECHO
	}
	return unix.IoctlSetTermios(fd, setTerminal, t)
}

// inputReady answers whether input, or its end, stands ready to be read.
func inputReady(fd int) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0
}

// trimEnd takes the line's end away.
func trimEnd(line []byte) []byte {
	for n := len(line); n > 0 && (line[n-1] == '\n' || line[n-1] == '\r'); n-- {
		line = line[:n-1]
	}
	return line
}
