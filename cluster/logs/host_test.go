package logs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"sync"
	"testing"

	"chef-backend-cockpit/remote"
)

// shellHost is this machine's own shell as a host, with a link that the test
// can stall and cut.
type shellHost struct {
	shell []string

	mu    sync.Mutex
	cut   bool
	open  *shellSession
	stall chan struct{} // nil: the output flows
}

func newShellHost(shell ...string) *shellHost { return &shellHost{shell: shell} }

func (h *shellHost) Name() string { return "be1" }
func (h *shellHost) Close() error { return nil }

func (h *shellHost) Run(context.Context, remote.Script) (remote.Result, error) {
	return remote.Result{}, errors.New("not used by the logs")
}

func (h *shellHost) Link() remote.Link {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cut {
		return remote.Link{Phase: remote.Lost, Err: errors.New("the test cut the link")}
	}
	return remote.Link{Phase: remote.Live}
}

func (h *shellHost) Start(_ context.Context, s remote.Script) (remote.Session, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cut {
		return nil, errors.New("the test cut the link")
	}
	args := append(h.shell[1:len(h.shell):len(h.shell)], "-c", s.Text, s.Name)
	cmd := exec.Command(h.shell[0], append(args, s.Args...)...)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	pr, pw := io.Pipe()
	x := &shellSession{host: h, cmd: cmd, in: in, out: pr, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = pw, &x.stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		x.err = cmd.Wait()
		pw.Close()
		close(x.done)
	}()
	h.open = x
	return x, nil
}

// setCut cuts or mends the link; a cut ends the session as a lost link does.
func (h *shellHost) setCut(cut bool) {
	h.mu.Lock()
	h.cut = cut
	open := h.open
	h.mu.Unlock()
	if cut && open != nil {
		open.Close()
	}
}

// setStall stops or lets go what the cockpit reads.
func (h *shellHost) setStall(stall bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !stall && h.stall != nil {
		close(h.stall)
		h.stall = nil
	}
	if stall {
		h.stall = make(chan struct{})
	}
}

// shellSession is one run of the script.
type shellSession struct {
	host   *shellHost
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *io.PipeReader
	stderr bytes.Buffer
	done   chan struct{}
	err    error
}

func (x *shellSession) Stdin() io.WriteCloser { return x.in }
func (x *shellSession) Stdout() io.Reader     { return x }

func (x *shellSession) Read(b []byte) (int, error) {
	n, err := x.out.Read(b)
	x.host.mu.Lock()
	stall := x.host.stall
	x.host.mu.Unlock()
	if stall != nil {
		select {
		case <-stall:
		case <-x.done:
		}
	}
	return n, err
}

func (x *shellSession) Wait() (remote.Result, error) {
	<-x.done
	return remote.Result{Stderr: x.stderr.Bytes(), Exit: x.cmd.ProcessState.ExitCode(), ExitKnown: true}, nil
}

func (x *shellSession) Close() error {
	x.in.Close()
	x.out.CloseWithError(io.ErrClosedPipe)
	return nil
}

// shells are those under which the script has to work, as far as they are here.
func shells(t *testing.T) map[string][]string {
	found := map[string][]string{}
	for _, s := range [][]string{{"dash"}, {"bash"}, {"busybox", "sh"}} {
		if path, err := exec.LookPath(s[0]); err == nil {
			found[s[0]] = append([]string{path}, s[1:]...)
		}
	}
	if len(found) == 0 {
		t.Skip("no dash, bash or busybox on this machine")
	}
	return found
}
