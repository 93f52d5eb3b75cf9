package recovery

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"chef-backend-cockpit/cluster"
)

// ArmedFor is how long the cockpit stays armed, by the injected clock.
const ArmedFor = 10 * time.Minute

// Arm lets plans of T3 be confirmed for the next ten minutes. text is the
// cluster's name, typed; any other is refused. Armed again, it begins anew.
func (x *Executor) Arm(text string) error {
	switch {
	case x.o.ReadOnly:
		return errors.New("the cockpit is read-only: start it without --read-only to arm it")
	case x.o.Cluster == "":
		return errors.New("the cluster has no name to be typed: give it one in the configuration, or with --cluster")
	case text != x.o.Cluster:
		return fmt.Errorf("what was typed is not %q: the cockpit is not armed", x.o.Cluster)
	}
	x.armed.set(x.o.Clock.Now())
	return nil
}

// Disarm ends it at once. A plan that runs goes on.
func (x *Executor) Disarm() {
	x.armed.set(time.Time{})
}

// ArmedUntil is when it ends by itself; zero when the cockpit is not armed. It
// never waits for what the executor is at.
func (x *Executor) ArmedUntil() time.Time {
	since := x.armed.since()
	// The wall counts too: a laptop may sleep.
	if since.IsZero() || elapsed(since, x.o.Clock.Now()) >= ArmedFor {
		return time.Time{}
	}
	return since.Add(ArmedFor)
}

// armed is since when T3 may be confirmed; the zero time for not. It has a lock
// of its own: every round of the watch asks for it.
type armed struct {
	mu sync.Mutex
	at time.Time
}

func (a *armed) set(t time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at = t
}

func (a *armed) since() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.at
}

// NeedsArming is said of what T3 would do while the cockpit is not armed.
const NeedsArming = "needs armed mode: A"

// unarmed is why a plan may not be confirmed, nor a phrase of it taken, in the
// present mode; nil where it may.
func (x *Executor) unarmed(p *cluster.Plan) error {
	if p.Tier < cluster.T3 || !x.ArmedUntil().IsZero() {
		return nil
	}
	return fmt.Errorf("nothing was done: %s %s; press A and type the name of the cluster, then confirm again", p.Tier, NeedsArming)
}
