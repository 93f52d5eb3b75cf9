package observe

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// Options say at which node to look and how.
type Options struct {
	Node cluster.Node
	// Peers are the cluster's nodes, whose reach is asked from this one; this
	// node and those without an address are passed over. It may be nil.
	Peers func() []cluster.Node
	// Strangers are those of them that cannot be looked at: this node asks what
	// their services answer over the network. It may be nil.
	Strangers func() []cluster.Node
	Host      remote.Host
	Clock     cluster.Clock
	FastEvery time.Duration // 0: 2 s
	SlowEvery time.Duration // 0: 30 s
	// Publish takes every report, in order, from one goroutine; it must not
	// block. There is one report for every fast look, and one for every time
	// that a look could not be had.
	Publish func(*cluster.Report)
}

// Deadlines of a look, on the real clock: they bound the network. A look at a
// PostgreSQL that hangs takes a second of psql and three of pg_isready.
const (
	fastDeadline = 6 * time.Second
	slowDeadline = 45 * time.Second
)

// Observer looks at one node. Its methods are safe for concurrent use.
type Observer struct {
	Options
	fastLimit, slowLimit time.Duration
	wakeFast, wakeSlow   chan struct{}

	mu       sync.Mutex
	seq      uint64
	newest   *cluster.Report // as published last
	slow     *cluster.Report // newest slow look, or nil since the node was last out of reach
	slowOf   time.Time       // when the slow look in newest was begun
	lostSlow bool            // a slow look was dropped because the node was out of reach
	down     bool            // newest says that the node is not reached
	downAt   time.Time
	changed  chan struct{} // closed when newest changes
}

// New makes an Observer; it looks once Run is called.
func New(o Options) *Observer {
	if o.FastEvery <= 0 {
		o.FastEvery = 2 * time.Second
	}
	if o.SlowEvery <= 0 {
		o.SlowEvery = 30 * time.Second
	}
	return &Observer{
		Options: o, fastLimit: fastDeadline, slowLimit: slowDeadline,
		wakeFast: make(chan struct{}, 1), wakeSlow: make(chan struct{}, 1), changed: make(chan struct{}),
	}
}

// Run looks until ctx is done, then closes its sessions and returns. Fast and
// slow looks have a session each, so that a slow one never delays a fast one.
func (o *Observer) Run(ctx context.Context) {
	var both sync.WaitGroup
	both.Go(func() {
		defer remote.Guard()
		o.runFast(ctx)
	})
	both.Go(func() {
		defer remote.Guard()
		o.runSlow(ctx)
	})
	both.Wait()
}

// SlowNow asks for a slow look at once; it never blocks. While one is under
// way, another follows it: what was asked for now may not be in that one.
func (o *Observer) SlowNow() { poke(o.wakeSlow) }

// After waits for a report whose fast part, and with slow its slow part too,
// was begun at t or later. A report that says that the node is not reached
// counts for both. The error is ctx's, with the node's name.
func (o *Observer) After(ctx context.Context, t time.Time, slow bool) (*cluster.Report, error) {
	for first := true; ; first = false {
		o.mu.Lock()
		r, changed := o.newest, o.changed
		fresh := r != nil && !r.Began.Before(t)
		slowFresh := !slow || o.down || !o.slowOf.Before(t)
		o.mu.Unlock()
		if fresh && slowFresh {
			return r, nil
		}
		if first && slow {
			poke(o.wakeSlow)
		}
		if first || slowFresh {
			poke(o.wakeFast)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: no look that was begun after %s: %w", o.Node.Name, t.UTC().Format(time.TimeOnly), ctx.Err())
		}
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// runFast is the loop that publishes.
func (o *Observer) runFast(ctx context.Context) {
	ch := &channel{host: o.Host, name: "cockpit-fast-look"}
	defer ch.close()
	for failed := 0; ctx.Err() == nil; {
		began, link := o.Clock.Now(), o.Host.Link()
		if link.Phase != remote.Live {
			if link.Phase != remote.Stale {
				ch.close() // it cannot come back; a stale link may
			}
			o.publishDown(began, link)
			o.waitLive(ctx)
			continue
		}
		h := o.ask(ctx, ch, o.fastLimit, fast, "")
		if ctx.Err() != nil {
			return
		}
		if h.err != nil && o.Host.Link().Phase != remote.Live {
			continue // the link tells better than the look what happened
		}
		o.publishLook(h, began, link)
		if failed++; h.err == nil {
			failed = 0
		}
		o.pause(ctx, began, failed)
	}
}

// pause waits for the next fast look. After three failures in a row the node
// is given more time: each failed look may have left a stuck shell behind.
func (o *Observer) pause(ctx context.Context, began time.Time, failed int) {
	every := o.FastEvery
	if failed >= 3 {
		every *= 4
	}
	select {
	case <-ctx.Done():
	case <-o.wakeFast:
	case <-o.Clock.After(max(every-o.Clock.Now().Sub(began), o.FastEvery/4)):
	}
}

// waitLive waits for a live link, at most as long as a fast look's period.
func (o *Observer) waitLive(ctx context.Context) {
	const parts = 8
	for range parts {
		select {
		case <-ctx.Done():
			return
		case <-o.wakeFast:
			return
		case <-o.Clock.After(o.FastEvery / parts):
		}
		if o.Host.Link().Phase == remote.Live {
			return
		}
	}
}

// runSlow keeps the newest slow look; each one asks for a fast look, which
// publishes it.
func (o *Observer) runSlow(ctx context.Context) {
	ch := &channel{host: o.Host, name: "cockpit-slow-look"}
	defer ch.close()
	for ctx.Err() == nil {
		if link := o.Host.Link(); link.Phase != remote.Live {
			if link.Phase != remote.Stale {
				ch.close()
			}
			select {
			case <-ctx.Done():
			case <-o.Clock.After(o.FastEvery / 8):
			}
			continue
		}
		select { // what is asked for until now is answered by this look
		case <-o.wakeSlow:
		default:
		}
		began, link, peers := o.Clock.Now(), o.Host.Link(), o.peers()
		h := o.ask(ctx, ch, o.slowLimit, slow, joined(" ", peers)+joined(" +", o.addresses(o.Strangers)))
		if ctx.Err() != nil {
			return
		}
		r, _ := o.read(h, began, link)
		fillPeers(r, peers)
		o.keepSlow(r)
		select {
		case <-ctx.Done():
		case <-o.wakeSlow:
		case <-o.Clock.After(max(o.SlowEvery-o.Clock.Now().Sub(began), o.FastEvery)):
		}
	}
}

// heard is what came of one look.
type heard struct {
	frame frame
	raw   []byte
	err   error // why the answer is not whole; nil when it is
}

// ask is one look with its deadline.
func (o *Observer) ask(ctx context.Context, ch *channel, limit time.Duration, kind, peers string) heard {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	nonce := rand.Text()
	raw, err := ch.ask(ctx, kind, nonce, peers)
	f, ok := parseFrame(raw, nonce)
	if !ok {
		f = frame{kind: kind}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no answer within %s", plain(limit))
	}
	return heard{f, raw, err}
}

// plain writes a deadline as an operator says it: "3 s".
func plain(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'g', 3, 64) + " s"
}

// peers are the other nodes' addresses, plain ones only: they go into a line
// of shell input.
func (o *Observer) peers() []string { return o.addresses(o.Peers) }

func (o *Observer) addresses(nodes func() []cluster.Node) []string {
	if nodes == nil {
		return nil
	}
	var all []string
	for _, n := range nodes() {
		a, err := netip.ParseAddr(n.Address)
		if n.Name != o.Node.Name && n.Address != o.Node.Address && err == nil && a.Zone() == "" {
			all = append(all, a.String())
		}
	}
	return all
}

func joined(before string, peers []string) string {
	s := ""
	for _, p := range peers {
		s += before + p
	}
	return s
}
