package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/muesli/cancelreader"
	"golang.org/x/term"
)

// leave is the key that hangs a handed-over terminal up: Ctrl-], as telnet(1)
// has it. Every other key belongs to the host.
const leave = 0x1d

// ErrHungUp says that the operator hung the terminal up.
var ErrHungUp = errors.New("hung up by the operator")

// HandOver joins the operator's terminal to one on a host until that ends, the
// operator presses Ctrl-], or ctx is done. It puts in into raw mode and back,
// and passes changes of size on. Bytes go both ways as they are. It blocks; it
// reads nothing of in any more when it returns, and closes t.
func HandOver(ctx context.Context, t Terminal, in *os.File, out io.Writer) (Result, error) {
	defer t.Close()
	keys, err := cancelreader.NewReader(in)
	if err != nil {
		return Result{}, fmt.Errorf("the keyboard cannot be handed over: %w", err)
	}
	defer keys.Close()
	if was, err := term.MakeRaw(int(in.Fd())); err == nil { // no terminal in a test: nothing to put back
		defer term.Restore(int(in.Fd()), was)
	}
	sizes := make(chan os.Signal, 1)
	signal.Notify(sizes, syscall.SIGWINCH)
	defer signal.Stop(sizes)

	gone := make(chan struct{}) // nothing more comes from the host
	go func() {
		defer Guard()
		defer close(gone)
		io.Copy(out, t) //nolint:errcheck // how it ended is Wait's to say
	}()
	typed := make(chan error, 1)
	go func() {
		defer Guard()
		typed <- passKeys(t, keys)
	}()
	var why error
	for open := true; open; {
		select {
		case <-sizes:
			if w, h, err := term.GetSize(int(in.Fd())); err == nil {
				t.Resize(Size{w, h}) //nolint:errcheck // a host that does not hear of it draws for the old size
			}
		case <-ctx.Done():
			why, open = ctx.Err(), false
		case err := <-typed:
			typed = nil // the keyboard has ended; the host may go on
			why, open = err, err == nil
		case <-gone:
			open = false
		}
	}
	if why != nil {
		t.Close()
	}
	<-gone
	if keys.Cancel() && typed != nil {
		<-typed
	}
	r, err := t.Wait()
	if why != nil {
		err = why
	}
	return r, err
}

// passKeys gives the host what is typed, up to the key that hangs up.
func passKeys(t io.Writer, keys io.Reader) error {
	buf := make([]byte, 1024)
	for {
		n, err := keys.Read(buf)
		b, _, hangUp := bytes.Cut(buf[:n], []byte{leave})
		if len(b) > 0 {
			if _, err := t.Write(b); err != nil {
				return nil // the host has ended
			}
		}
		if hangUp {
			return ErrHungUp
		}
		if err != nil {
			return nil
		}
	}
}
