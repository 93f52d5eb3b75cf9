package simulation

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/simulation/machine"
	"chef-backend-cockpit/remote"
)

// How long nothing is heard before a link counts as stale and as lost, as
// package remote has it; here by the simulation's clock.
const (
	staleAfter = 3 * time.Second
	lostAfter  = 6 * time.Second
)

// errLost is why a script was given up.
var errLost = errors.New("link lost")

// local is a remote.Host without a network: the same shell on the same node,
// behind the same gate.
type local struct {
	c     *Cluster
	n     *node
	ctx   context.Context
	close context.CancelFunc
	wait  sync.WaitGroup
}

// Host is a node in process, without a network: for tests that need speed or
// many runs. What is cut or switched off hangs here, too, until the link
// counts as lost. Every call makes a new Host; an unknown node is nil.
func (c *Cluster) Host(name string) remote.Host {
	n := c.node(name)
	if n == nil {
		return nil
	}
	h := &local{c: c, n: n}
	h.ctx, h.close = context.WithCancel(context.Background())
	return h
}

// Hosts are new ones of all nodes, by their names; see Host.
func (c *Cluster) Hosts() map[string]remote.Host {
	hosts := map[string]remote.Host{}
	for _, n := range c.Nodes() {
		hosts[n.Name] = c.Host(n.Name)
	}
	return hosts
}

// Clock is what the cluster's time runs by.
func (c *Cluster) Clock() cluster.Clock { return c.clock }

// Name is the node's.
func (h *local) Name() string { return h.n.name }

// Link tells how long the gate has been shut.
func (h *local) Link() remote.Link {
	open, since, _, _ := h.n.gate.state()
	link := remote.Link{Phase: remote.Live, Since: since, Fingerprint: h.n.login.fingerprint(), User: "root", Privileged: true}
	if open && h.ctx.Err() == nil {
		if kind, text := h.n.login.refusal(); kind != "" {
			link.Phase, link.Privileged, link.Err = remote.Refused, false, h.failure(kind, text, nil)
		}
		return link
	}
	switch silent := h.c.clock.Now().Sub(since); {
	case silent >= lostAfter || h.ctx.Err() != nil:
		link.Phase, link.Since = remote.Lost, since.Add(lostAfter)
		link.Err = h.failure(remote.Unreachable, "no answer", nil)
	case silent >= staleAfter:
		link.Phase, link.Since = remote.Stale, since.Add(staleAfter)
		link.Err = h.failure(remote.LinkLost, "nothing heard", nil)
	}
	return link
}

func (h *local) failure(kind remote.Kind, text string, cause error) error {
	return &remote.Error{Host: h.n.name, Kind: kind, Text: text, Err: cause}
}

// Close ends every session and waits for them.
func (h *local) Close() error {
	h.close()
	h.wait.Wait()
	return nil
}

// Run runs a script to its end, or until ctx is done or the link is lost.
func (h *local) Run(ctx context.Context, s remote.Script) (remote.Result, error) {
	out, errOut := &bounded{limit: s.Limit}, &bounded{limit: s.Limit}
	r, err := h.start(ctx, s, out, errOut)
	if err != nil {
		return remote.Result{}, err
	}
	go func() {
		defer remote.Guard()
		r.feed.Write(s.Stdin)
		r.feed.Close()
	}()
	<-r.ended
	if r.err != nil {
		return remote.Result{}, r.err
	}
	return remote.Result{Stdout: out.kept.Bytes(), Stderr: errOut.kept.Bytes(), Dropped: out.dropped + errOut.dropped,
		Exit: r.exit, ExitKnown: true}, nil
}

// Start starts a script whose streams stay open.
func (h *local) Start(ctx context.Context, s remote.Script) (remote.Session, error) {
	if err := h.open(ctx); err != nil {
		return nil, err
	}
	read, write := io.Pipe()
	errOut := &bounded{limit: 4 << 10, last: true}
	r, err := h.start(h.ctx, s, write, errOut)
	if err != nil {
		return nil, err
	}
	r.out, r.errOut = read, errOut
	h.wait.Go(func() {
		defer remote.Guard()
		<-r.ended
		write.CloseWithError(r.err)
	})
	return r, nil
}

// open waits until a session can be opened.
func (h *local) open(ctx context.Context) error {
	if link := h.Link(); link.Phase == remote.Lost || link.Phase == remote.Refused {
		return link.Err
	}
	_, _, life, _ := h.n.gate.state()
	if err := h.n.gate.pass(life, ctx.Done()); err != nil {
		return h.failure(remote.Timeout, "the session could not be opened", ctx.Err())
	}
	return nil
}

// running is a script under way.
type running struct {
	cancel context.CancelCauseFunc
	feed   *os.File
	out    io.ReadCloser
	errOut *bounded
	ended  chan struct{} // closed when exit and err are set
	exit   int
	err    error
}

// start runs a script in the background. Its output passes the gate; when the
// gate stays shut for too long the script is given up.
func (h *local) start(ctx context.Context, s remote.Script, out, errOut io.Writer) (*running, error) {
	return h.startOn(ctx, s, out, errOut, nil)
}

// startOn is start, on a terminal or, with nil, not.
func (h *local) startOn(ctx context.Context, s remote.Script, out, errOut io.Writer, t *terminal) (*running, error) {
	if link := h.Link(); link.Phase == remote.Refused {
		return nil, link.Err
	}
	in, feed, err := os.Pipe()
	if err != nil {
		return nil, h.failure(remote.Protocol, err.Error(), err)
	}
	name := s.Name
	if name == "" {
		name = "sh"
	}
	r := &running{feed: feed, ended: make(chan struct{})}
	ctx, r.cancel = context.WithCancelCause(ctx)
	stop := context.AfterFunc(h.ctx, func() { r.cancel(errLost) })
	_, _, life, _ := h.n.gate.state()
	h.wait.Go(func() {
		defer remote.Guard()
		h.watch(ctx, life, r.cancel)
	})
	h.wait.Go(func() {
		defer remote.Guard()
		defer close(r.ended)
		defer stop()
		defer feed.Close()
		defer in.Close()
		pass := func() error { return h.n.gate.pass(life, ctx.Done()) }
		if r.err = pass(); r.err == nil {
			login := machine.Session{User: "root", Argv: append([]string{"/bin/sh", "-c", s.Text, name}, s.Args...),
				Stdin: in, Stdout: passing{out, pass}, Stderr: passing{errOut, pass}}
			if t != nil {
				login.TTY, login.Signals = true, t.signals
			}
			r.exit = h.n.machine.Run(ctx, login)
			r.err = pass()
		}
		if cause := context.Cause(ctx); cause != nil {
			r.err = cause
		}
		r.err = h.outcome(r.err)
		r.cancel(nil)
	})
	return r, nil
}

// outcome is the error that a caller sees: the outcome is unknown.
func (h *local) outcome(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled):
		return h.failure(remote.Timeout, "the end was not waited for; the outcome is unknown", err)
	}
	return h.failure(remote.LinkLost, "the link was lost; the outcome is unknown", err)
}

// watch gives a script up when nothing has passed the gate for too long, or
// when its connection was ended.
func (h *local) watch(ctx context.Context, life int, give context.CancelCauseFunc) {
	for {
		open, _, now, changed := h.n.gate.state()
		if open && now != life {
			give(errGone)
			return
		}
		var late <-chan time.Time
		if !open {
			if h.n.gate.ended() {
				give(errLost)
				return
			}
			late = h.c.clock.After(lostAfter)
		}
		select {
		case <-changed:
		case <-late:
			give(errLost)
			return
		case <-ctx.Done():
			return
		}
	}
}

// Stdin is the script's input. Writing blocks when the script does not read.
func (r *running) Stdin() io.WriteCloser { return r.feed }

// Stdout must be read.
func (r *running) Stdout() io.Reader { return r.out }

// Wait waits for the end.
func (r *running) Wait() (remote.Result, error) {
	<-r.ended
	if r.err != nil {
		return remote.Result{Stderr: r.errOut.kept.Bytes()}, r.err
	}
	return remote.Result{Stderr: r.errOut.kept.Bytes(), Exit: r.exit, ExitKnown: true}, nil
}

// Close ends the script.
func (r *running) Close() error {
	r.feed.Close()
	r.out.Close()
	r.cancel(errLost)
	<-r.ended
	return nil
}

// passing is a stream through the gate.
type passing struct {
	w    io.Writer
	pass func() error
}

func (p passing) Write(b []byte) (int, error) {
	if err := p.pass(); err != nil {
		return 0, err
	}
	return p.w.Write(b)
}

// bounded keeps the first bytes of a stream, or the last ones.
type bounded struct {
	limit int64
	last  bool

	mu      sync.Mutex
	kept    bytes.Buffer
	dropped int64
}

func (b *bounded) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	limit := int(b.limit)
	if limit == 0 {
		limit = 1 << 20
	}
	if b.last {
		b.kept.Write(data)
		if over := b.kept.Len() - limit; over > 0 {
			b.kept.Next(over)
			b.dropped += int64(over)
		}
		return len(data), nil
	}
	room := min(limit-b.kept.Len(), len(data))
	b.kept.Write(data[:room])
	b.dropped += int64(len(data) - room)
	return len(data), nil
}
