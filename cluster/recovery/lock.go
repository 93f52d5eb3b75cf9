package recovery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// Times of the operators' lock, by the injected clock. lock.sh has the second
// one, too: a node gives the lock up so long after the last heartbeat came.
const (
	lockEvery = 2 * time.Second
	lockLasts = 6 * time.Second
	// lockOwn is how long a taking waits for a lock of our own, from before a
	// cut, to be given up by its node.
	lockOwn = 8 * time.Second
)

// locker is the operators' lock as the executor needs it.
type locker interface {
	// take holds the lock for a plan on every reachable node, in fixed order,
	// beside what is held already. from is the token of a holder to be evicted,
	// "" for none. An error means that less is held than is needed: more than
	// half of the listed nodes, with alone any one.
	take(ctx context.Context, plan, from string, alone bool) error
	// held is the token with which the lock is held on a node for certain, or
	// why it is not, there or on enough nodes.
	held(node string, alone bool) (token string, why notHeld)
	release()
	tokens() []string
}

// notHeld says why the lock does not allow a step; the zero value: it does.
type notHeld struct {
	says   string
	beside bool // it is held on enough nodes, but not on the step's own
}

// lockTaken is the error of a lock that somebody else holds, or that a step of
// another plan keeps.
type lockTaken struct{ says string }

func (e *lockTaken) Error() string { return e.says }

// lock holds the operators' lock: on each node a process that gives it up when
// it does not hear from here. See assets/scripts/lock.sh.
type lock struct {
	x      *Executor
	taking sync.Mutex // one taking at a time

	mu     sync.Mutex
	token  string // "" while nothing is wanted
	plan   string
	grips  map[string]*grip // by node
	own    []string         // every token of this cockpit, newest last
	lostTo string           // who took it over; "" for nobody
	end    context.CancelFunc
}

func newLock(x *Executor) *lock { return &lock{x: x, grips: map[string]*grip{}} }

// keptTokens is how many tokens are remembered: a node may still tell an old
// one for as long as a look lasts.
const keptTokens = 8

func (l *lock) tokens() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.own)
}

// order is the fixed order in which every cockpit takes the lock.
func (l *lock) order() []string {
	var names []string
	if v := l.x.o.View(); v != nil && v.Snapshot != nil {
		for _, n := range v.Snapshot.Nodes {
			names = append(names, n.Name)
		}
	}
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(l.x.o.Hosts))
	}
	return names
}

func (l *lock) take(ctx context.Context, plan, from string, alone bool) error {
	l.taking.Lock()
	defer l.taking.Unlock()
	if l.x.o.ReadOnly {
		return errors.New("the cockpit is read-only: it never takes the lock")
	}
	nodes := l.order()
	whole := l.begin(plan)
	var not []string
	for _, node := range nodes {
		if l.stands(node) {
			continue
		}
		err := l.grab(ctx, node, from)
		var taken *lockTaken
		if errors.As(err, &taken) && (whole || !l.enough(nodes, alone)) {
			l.release()
			return err
		}
		if err != nil {
			not = append(not, err.Error())
		}
	}
	if l.enough(nodes, alone) {
		return nil
	}
	if whole {
		l.release()
	}
	return fmt.Errorf("a majority of the nodes is needed: %s", strings.Join(not, "; "))
}

// enough answers whether there is a grip on as many nodes as are needed.
func (l *lock) enough(nodes []string, alone bool) bool {
	have, need := 0, len(nodes)/2+1
	if alone {
		need = 1
	}
	for _, n := range nodes {
		if l.stands(n) {
			have++
		}
	}
	return have >= need
}

// begin notes what is wanted, and keeps it up from now on; whole: nothing was
// held before.
func (l *lock) begin(plan string) (whole bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.plan = plan
	if l.token != "" {
		return false
	}
	l.token, l.lostTo = secret(), ""
	l.own = append(l.own, l.token)
	l.own = l.own[max(0, len(l.own)-keptTokens):]
	ctx, end := context.WithCancel(l.x.ctx)
	l.end = end
	l.x.wait.Go(func() {
		defer remote.Guard()
		l.keep(ctx)
	})
	return true
}

// grab takes the lock on one node. What is in the way there of our own, from
// before a cut, is waited for.
func (l *lock) grab(ctx context.Context, node, from string) error {
	l.mu.Lock()
	token, plan, lostTo := l.token, l.plan, l.lostTo
	l.mu.Unlock()
	if lostTo != "" {
		return &lockTaken{lostTo + " took the lock over"}
	}
	host := l.x.o.Hosts[node]
	if host == nil {
		return fmt.Errorf("there is no way to %s", node)
	}
	until := l.x.o.Clock.Now().Add(lockOwn)
	for {
		g, err := l.x.seize(ctx, host, seizing{token: token, plan: plan, from: from})
		var busy *lockBusy
		switch {
		case err == nil:
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.token != token {
				g.letGo()
				return errors.New("the lock is not wanted any more")
			}
			l.grips[node] = g
			return nil
		case !errors.As(err, &busy):
			return err
		case !slices.Contains(l.tokens(), busy.holder.Token):
			return &lockTaken{fmt.Sprintf("%s holds the lock on %s since %s", busy.holder.Who, node, busy.holder.Since.Format("15:04Z"))}
		case !l.x.o.Clock.Now().Before(until):
			return fmt.Errorf("%s has not given our own lock up yet", node)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-l.x.o.Clock.After(lockEvery / 4):
		}
	}
}

// stands answers whether there is a grip on a node that was not lost, even if
// the newest heartbeat was not answered yet.
func (l *lock) stands(node string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.grips[node]
	return g != nil && !g.lost()
}

func (l *lock) held(node string, alone bool) (string, notHeld) {
	nodes := l.order()
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.x.o.Clock.Now()
	var on, not []string
	for _, n := range nodes {
		if l.grips[n].live(now) {
			on = append(on, n)
		} else {
			not = append(not, n)
		}
	}
	need := len(nodes)/2 + 1
	if alone {
		need = 1
	}
	switch {
	case l.lostTo != "":
		return "", notHeld{says: l.lostTo + " took the operators' lock over"}
	case len(on) < need:
		return "", notHeld{says: fmt.Sprintf("it is held on %d of %d nodes, not on %s", len(on), len(nodes), strings.Join(not, " and "))}
	case !slices.Contains(on, node):
		g := l.grips[node]
		return "", notHeld{says: "it is not held on " + node, beside: g == nil || g.lost()}
	}
	return l.token, notHeld{}
}

// release gives the lock up everywhere. A node that cannot be told does so by
// itself.
func (l *lock) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.token == "" {
		return
	}
	l.end()
	for node, g := range l.grips {
		delete(l.grips, node)
		l.x.wait.Go(g.letGo)
	}
	l.token, l.plan = "", ""
}

// keep takes the lock again on nodes that were cut off and are back, until it
// is released.
func (l *lock) keep(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.x.o.Clock.After(lockEvery):
		}
		if !l.taking.TryLock() {
			continue // somebody is at it
		}
		for _, node := range l.order() {
			if h := l.x.o.Hosts[node]; ctx.Err() == nil && !l.stands(node) && h != nil && h.Link().Phase == remote.Live {
				l.grab(ctx, node, "") //nolint:errcheck // whether it is held shows before the next step
			}
		}
		l.taking.Unlock()
	}
}

// left notes that somebody took the lock over.
func (l *lock) left(token, who string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.token == token {
		l.lostTo = who
	}
}

// lockBusy is a node's answer that somebody holds the lock.
type lockBusy struct {
	node   string
	holder cluster.LockHolder
}

func (e *lockBusy) Error() string { return e.holder.Who + " holds the lock on " + e.node }
