package recovery

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// grip is the lock as it is held on one node: a session whose process there
// holds it while it hears from here.
type grip struct {
	x       *Executor
	token   string
	session remote.Session
	cancel  context.CancelFunc
	over    chan struct{} // closed when the session has ended

	mu    sync.Mutex
	sent  map[int64]time.Time // heartbeats that were not answered yet
	acked time.Time           // when the newest heartbeat that was answered was sent
	gone  bool
}

// seizing is what a node is asked for.
type seizing struct{ token, plan, from string }

// nobody's words may hold what would end a line or a word of lock.sh's files.
var notInWho = regexp.MustCompile(`[^A-Za-z0-9@._-]+`)

// seize opens the session that holds the lock on a node. The error is a
// *lockBusy, a *lockTaken where a step keeps the lock, or why it cannot be held
// there at all.
func (x *Executor) seize(ctx context.Context, host remote.Host, s seizing) (*grip, error) {
	node, nonce := host.Name(), secret()
	g := &grip{x: x, token: s.token, over: make(chan struct{}), sent: map[int64]time.Time{}, acked: x.o.Clock.Now()}
	opening, cancel := context.WithTimeout(ctx, networkWait)
	defer cancel()
	session, err := host.Start(opening, remote.Script{Name: "cockpit-lock", Text: assets.MustRead("scripts/lock.sh"),
		Args: []string{x.o.Base, s.plan, s.token, nonce, cmp.Or(notInWho.ReplaceAllString(x.o.Operator, ""), "somebody"), s.from}})
	if err != nil {
		return nil, err
	}
	g.session = session
	frames := newFrames(session.Stdout(), nonce)
	release := context.AfterFunc(opening, func() { session.Close() })
	fr, err := frames.next()
	if !release() && err == nil {
		err = context.Cause(opening)
	}
	if err == nil && fr.kind == "held" {
		var beating context.Context
		beating, g.cancel = context.WithCancel(x.ctx)
		x.wait.Go(func() {
			defer remote.Guard()
			g.hear(frames)
		})
		x.wait.Go(func() {
			defer remote.Guard()
			g.beat(beating)
		})
		return g, nil
	}
	session.Close()
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s did not say whether the lock is held: %w", node, err)
	case fr.kind == "busy":
		return nil, &lockBusy{node, holderOf(fr.text)}
	case fr.kind == "step":
		return nil, &lockTaken{fmt.Sprintf("a step is at work on %s, which keeps the lock: %s", node, stepNamed(fr.text))}
	case fr.kind == "refused":
		return nil, fmt.Errorf("%s cannot hold the lock: %s", node, fr.text)
	}
	return nil, fmt.Errorf("%s answered %q when it was asked for the lock", node, fr.kind)
}

// holderOf reads the line TOKEN PLAN KEY SINCE WHO.
func holderOf(line string) cluster.LockHolder {
	words := strings.Fields(line)
	if len(words) != 5 {
		return cluster.LockHolder{Who: "somebody"}
	}
	h := cluster.LockHolder{Token: words[0], Plan: words[1], Who: words[4]}
	if h.Plan == "-" {
		h.Plan = ""
	}
	if sec, err := strconv.ParseInt(words[3], 10, 64); err == nil {
		h.Since = time.Unix(sec, 0).UTC()
	}
	return h
}

// stepNamed names a step by the line PLAN STEP KEY TOKEN.
func stepNamed(line string) string {
	words := strings.Fields(line)
	if len(words) < 2 {
		return "an unnamed one"
	}
	return fmt.Sprintf("step %s of plan %s", words[1], words[0])
}

// live answers whether the lock is held for certain: the node gives it up 6 s
// after it heard from here, which is no sooner than 6 s after that was sent.
func (g *grip) live(now time.Time) bool {
	if g == nil {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.gone && elapsed(g.acked, now) < lockLasts
}

// lost answers whether the session that held it has ended.
func (g *grip) lost() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.gone
}

// elapsed is the longer of what went by on the running clock and on the wall:
// the first stands still while a laptop sleeps, and nodes do not sleep.
func elapsed(from, to time.Time) time.Duration {
	return max(to.Sub(from), to.Round(0).Sub(from.Round(0)))
}

// beat sends heartbeats until the grip is let go.
func (g *grip) beat(ctx context.Context) {
	for n := int64(1); ; n++ {
		g.mu.Lock()
		g.sent[n] = g.x.o.Clock.Now()
		g.mu.Unlock()
		if _, err := fmt.Fprintf(g.session.Stdin(), "%d\n", n); err != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-g.over:
			return
		case <-g.x.o.Clock.After(lockEvery):
		}
	}
}

// hear takes the answers until the session ends.
func (g *grip) hear(frames *frames) {
	defer func() {
		g.mu.Lock()
		g.gone = true
		g.mu.Unlock()
		close(g.over)
		g.cancel()
		g.session.Close()
	}()
	for {
		fr, err := frames.next()
		switch {
		case err != nil:
			return
		case fr.kind == "left":
			g.x.lockLeft(g.token, fr.text)
			return
		case fr.kind == "beat" && fr.known:
			g.heard(fr.number)
		}
	}
}

func (g *grip) heard(n int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at, ok := g.sent[n]
	if !ok {
		return
	}
	if at.After(g.acked) {
		g.acked = at
	}
	for old := range g.sent {
		if old <= n {
			delete(g.sent, old)
		}
	}
}

// goodbye is how long a node gets to end its process by itself.
const goodbye = 400 * time.Millisecond

// letGo ends the input, on which the node gives the lock up at once, and then
// the session.
func (g *grip) letGo() {
	defer remote.Guard()
	g.cancel()
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	go func() { // a link that is dead may hold it up
		defer remote.Guard()
		g.session.Stdin().Close()
	}()
	select {
	case <-g.over:
	case <-ctx.Done():
	}
	g.session.Close()
}
