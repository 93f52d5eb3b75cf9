package logs

import (
	"context"
	"time"

	"chef-backend-cockpit/remote"
)

const (
	// openingFor is how long the first lines wait for the backlog of every node.
	// Links come up one after the other, further apart than lines wait for each
	// other later, and the first screen is to be in the order of time.
	openingFor = 3 * time.Second
	// clockFor is how long a node's first session waits for the first look to
	// tell how its clock is: else its backlog would stand in a wrong place.
	clockFor = time.Second
)

// opening says whether lines are still held back. The lock of Logs guards it.
type opening struct {
	until time.Time // when waiting ends at the latest
	over  bool
	begun []bool // by node: its backlog is here
}

// holdsBack answers whether the first lines have to wait longer: for a node
// whose backlog is not here and whose link may still bring it.
func (l *Logs) holdsBack() bool {
	l.mu.Lock()
	waits := !l.opening.over && l.o.Clock.Now().Before(l.opening.until)
	begun := append([]bool(nil), l.opening.begun...)
	l.mu.Unlock()
	if !waits {
		return false
	}
	for i, f := range l.followers {
		if f.host == nil || begun[i] {
			continue
		}
		switch f.host.Link().Phase {
		case remote.Connecting, remote.Live, remote.Stale:
			return true
		}
	}
	l.mu.Lock()
	l.opening.over = true
	l.mu.Unlock()
	return false
}

// begin hears that a node has no more to tell for the moment.
func (f *follower) begin() {
	f.l.mu.Lock()
	f.l.opening.begun[f.index] = true
	f.l.mu.Unlock()
}

// clocked waits until it is known how the node's clock is, or long enough;
// false when ctx is done.
func (f *follower) clocked(ctx context.Context) bool {
	for range 4 {
		if f.l.o.Offset(f.node) != 0 {
			break
		}
		select {
		case <-ctx.Done():
			return false
		case <-f.l.o.Clock.After(clockFor / 4):
		}
	}
	return ctx.Err() == nil
}
