package remote

import (
	"context"
	"strings"
	"sync"
	"time"
)

// SSH is a Host behind an SSH server. One goroutine dials, watches and dials
// again; all methods are safe for concurrent use and none waits for it.
type SSH struct {
	name    string
	timings Timings
	ask     Asker
	resolve func() ([]hop, error)
	dialer  dialer
	again   chan struct{} // Retry was called
	stopped chan struct{} // the dialling goroutine has ended
	ctx     context.Context
	cancel  context.CancelFunc

	mu      sync.Mutex
	link    Link
	live    *connection   // nil without a link
	changed chan struct{} // closed and replaced at each change of link
}

// NewSSH starts connecting to t in the background. It fails at once only when
// the configuration cannot be understood; everything else shows in Link.
func NewSSH(t Target, o Options) (Host, error) {
	if t.Name == "" {
		t.Name = t.Address
	}
	warn := oncePerText(t.Name, o)
	find := func() ([]hop, error) { return resolve(t, o, warn) }
	hops, err := find()
	if err != nil {
		return nil, err
	}
	s := &SSH{
		name: t.Name, timings: o.Timings.filled(), ask: o.Ask, resolve: find,
		dialer:  dialer{name: t.Name, hops: hops, debug: o.Debug, warn: warn},
		again:   make(chan struct{}, 1),
		stopped: make(chan struct{}),
		changed: make(chan struct{}),
		link:    Link{Phase: Connecting, Since: System{}.Now(), User: hops[len(hops)-1].user},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	go s.keep()
	return s, nil
}

// oncePerText passes each warning on once: every dial finds the same ones.
func oncePerText(host string, o Options) func(string) {
	var mu sync.Mutex
	said := map[string]bool{}
	return func(text string) {
		mu.Lock()
		defer mu.Unlock()
		if said[text] {
			return
		}
		said[text] = true
		if o.Debug != nil {
			o.Debug.Warn(text, "host", host)
		}
		if o.Warn != nil {
			o.Warn(Safe([]byte(text)))
		}
	}
}

// Name is the short name given by the configuration.
func (s *SSH) Name() string { return s.name }

// Link is the newest state of the link; it never blocks.
func (s *SSH) Link() Link {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.link
}

// Changed is closed at the next change of the link; ask for it before Link.
func (s *SSH) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Retry dials anew now, because the operator is there and says so: after a
// refused login or key, to answer what a login asks (Link.Waits), or to cut a
// pause short. It never blocks and does nothing while the link is live.
func (s *SSH) Retry() {
	select {
	case s.again <- struct{}{}:
	default:
	}
}

// Close ends the link and every session; it returns within 1 s.
func (s *SSH) Close() error {
	s.cancel()
	wait := time.NewTimer(time.Second)
	defer wait.Stop()
	select {
	case <-s.stopped:
	case <-wait.C:
	}
	return nil
}

// set changes the link. Since stays while the phase stays.
func (s *SSH) set(phase Phase, c *connection, err *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.link.Phase != phase {
		s.link.Phase, s.link.Since = phase, System{}.Now()
	}
	s.link.Err, s.link.Waits = nil, false
	if err != nil {
		s.link.Err, s.link.Waits = err, err.waits
	}
	s.live = c
	s.link.Privileged = c != nil
	if c != nil {
		s.link.Legacy = strings.Join(c.legacy, ", ")
		s.link.Fingerprint, s.link.User = c.fingerprint, c.user
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// connection is the present one, or the error of the link without one.
func (s *SSH) connection() (*connection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.live != nil:
		return s.live, nil
	case s.link.Err != nil:
		return nil, s.link.Err
	}
	return nil, &Error{Host: s.name, Kind: LinkLost, Text: "not connected yet", Remedy: "wait for the link"}
}

// Start starts a script whose input and output stay open; see Host. The
// caller closes the session.
func (s *SSH) Start(ctx context.Context, script Script) (Session, error) {
	c, err := s.connection()
	if err != nil {
		return nil, err
	}
	ctx, cancel := bounded(ctx, s.timings.Open)
	defer cancel()
	session, err := c.open(ctx, script, s.timings.Open, &lastBytes{limit: keptStderr})
	if err != nil {
		return nil, err // not a nil *session in an interface
	}
	return session, nil
}

// Run runs a script to its end or until ctx is done; see Host. Like Start it
// does not wait for a reconnect.
func (s *SSH) Run(ctx context.Context, script Script) (Result, error) {
	c, err := s.connection()
	if err != nil {
		return Result{}, err
	}
	ctx, cancel := bounded(ctx, s.timings.Run)
	defer cancel()
	return c.run(ctx, script, s.timings.Open)
}

// bounded gives ctx a deadline if it has none.
func bounded(ctx context.Context, most time.Duration) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, most)
}

// ConnectFirst waits until h is live for the first time, or returns the *Error
// of its first dial. What the login asks, it asks through Options.Ask meanwhile,
// so a dial may take some minutes; without a question it is bounded by
// Timings.Dial and three times Timings.Open. A Host of another kind is asked for
// its link every 20 ms.
func ConnectFirst(ctx context.Context, h Host) error {
	s, ok := h.(*SSH)
	if !ok {
		return waitLive(ctx, h)
	}
	for {
		changed := s.Changed()
		link := s.Link()
		switch {
		case link.Phase == Live:
			return nil
		case link.Err != nil:
			return link.Err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return lateError(s.name, ctx, "no connection in time")
		}
	}
}

func waitLive(ctx context.Context, h Host) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		link := h.Link()
		if link.Phase == Live {
			return nil
		}
		if link.Err != nil {
			return link.Err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return lateError(h.Name(), ctx, "no connection in time")
		}
	}
}
