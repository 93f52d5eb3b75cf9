package observe

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// handClock stands until it is moved on.
type handClock struct {
	mu      sync.Mutex
	now     time.Time
	waiting []alarm
	set     chan struct{} // one token for every alarm that is set
}

type alarm struct {
	at time.Time
	c  chan time.Time
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := alarm{c.now.Add(d), make(chan time.Time, 1)}
	c.waiting = append(c.waiting, a)
	c.set <- struct{}{}
	return a.c
}

// forward moves on to the earliest alarm. Whoever calls it once for every
// token never leaves an alarm waiting.
func (c *handClock) forward() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		return
	}
	first := slices.MinFunc(c.waiting, func(a, b alarm) int { return a.at.Compare(b.at) })
	if c.now.Before(first.at) {
		c.now = first.at
	}
	first.c <- c.now
	c.waiting = slices.DeleteFunc(c.waiting, func(a alarm) bool { return a == first })
}

// fakeHost answers looks by a function; "" is no answer at all.
type fakeHost struct {
	mu     sync.Mutex
	link   remote.Link
	answer func(kind, nonce, peers string) string
	starts int
}

func (h *fakeHost) Name() string { return "be2" }
func (h *fakeHost) Close() error { return nil }
func (h *fakeHost) Run(_ context.Context, s remote.Script) (remote.Result, error) {
	var kind, nonce string
	fmt.Sscanf(string(s.Stdin), "look %s %s", &kind, &nonce)
	return remote.Result{Stdout: []byte(h.answer(kind, nonce, "")), ExitKnown: true}, nil
}

func (h *fakeHost) Link() remote.Link {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.link
}

func (h *fakeHost) setLink(l remote.Link) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.link = l
}

func (h *fakeHost) Start(_ context.Context, s remote.Script) (remote.Session, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.link.Phase != remote.Live {
		return nil, h.link.Err
	}
	h.starts++
	ir, iw := io.Pipe()
	or, ow := io.Pipe()
	go func() { // the node's shell
		defer ow.Close()
		for {
			var line [512]byte
			n, err := ir.Read(line[:])
			if err != nil {
				return
			}
			words := strings.SplitN(strings.TrimSpace(string(line[:n])), " ", 4)
			text := h.answer(words[1], words[2], strings.Join(words[3:], " "))
			if text == "exit" {
				return
			}
			if _, err := io.WriteString(ow, text); err != nil {
				return
			}
		}
	}()
	return &fakeSession{iw, or, ir}, nil
}

type fakeSession struct {
	in  *io.PipeWriter
	out *io.PipeReader
	far *io.PipeReader
}

func (s *fakeSession) Stdin() io.WriteCloser        { return s.in }
func (s *fakeSession) Stdout() io.Reader            { return s.out }
func (s *fakeSession) Wait() (remote.Result, error) { return remote.Result{}, nil }
func (s *fakeSession) Close() error                 { s.in.Close(); s.far.Close(); return s.out.Close() }

// healthy answers as a node whose /leader says 200, cluster address 10.0.4.12.
func healthy(kind, nonce, peers string) string {
	var b []byte
	if kind == fast {
		b = framed(fast, "leaderl", "HTTP/1.1 200 OK\r\n\r\n", "ps", " 1 0 init")
	} else {
		b = framed(slow, "version", "chef-backend 2.3.16", "peers", "10.0.4.11 22 open", "cluster-status", string(clusterTable))
	}
	return strings.ReplaceAll(string(b), "@@n ", "@@"+nonce+" ")
}

const clusterTable = "Name  IP         GUID  Role    PG  ES\nbe1   10.0.4.11  aa    leader  a   b\nbe2   10.0.4.12  bb    x       a   b\n"

var live = remote.Link{Phase: remote.Live, Fingerprint: "SHA256:abc", Privileged: true}

// watched is an Observer at work on a fake host and a clock moved by hand.
type watched struct {
	*Observer
	t       *testing.T
	host    *fakeHost
	clock   *handClock
	reports chan *cluster.Report
}

func watch(t *testing.T, answer func(kind, nonce, peers string) string) *watched {
	w := &watched{t: t, host: &fakeHost{link: live, answer: answer},
		clock: &handClock{now: someTime, set: make(chan struct{}, 1000)}, reports: make(chan *cluster.Report, 100)}
	w.Observer = New(Options{
		Node: cluster.Node{Name: "be2", Address: "10.0.4.12"}, Host: w.host, Clock: w.clock,
		Peers: func() []cluster.Node {
			return []cluster.Node{{Name: "be1", Address: "10.0.4.11"}, {Name: "be2", Address: "10.0.4.12"}, {Name: "be3", Address: "10.0.4.13"}, {Name: "odd", Address: "$(reboot)"}}
		},
		Publish: func(r *cluster.Report) { w.reports <- r },
	})
	w.fastLimit, w.slowLimit = 200*time.Millisecond, 200*time.Millisecond
	return w
}

func (w *watched) start() {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	go func() { w.Run(ctx); close(done) }()
	w.t.Cleanup(func() { cancel(); <-done })
}

// next waits for the report that holds; the clock moves on whenever the
// observer waits for it.
func (w *watched) next(holds func(*cluster.Report) bool) *cluster.Report {
	w.t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case r := <-w.reports:
			if holds(r) {
				return r
			}
		case <-w.clock.set:
			w.clock.forward()
		case <-limit:
			w.t.Fatal("no such report")
		}
	}
}

// still waits for the report that holds while the clock stands.
func (w *watched) still(holds func(*cluster.Report) bool) {
	w.t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case r := <-w.reports:
			if holds(r) {
				return
			}
		case <-limit:
			w.t.Fatal("no such report while the clock stands")
		}
	}
}
