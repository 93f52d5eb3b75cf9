package recovery

import (
	"errors"
	"fmt"
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
	x.mu.Lock()
	defer x.mu.Unlock()
	x.armed = x.o.Clock.Now()
	return nil
}

// Disarm ends it at once. A plan that runs goes on.
func (x *Executor) Disarm() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.armed = time.Time{}
}

// ArmedUntil is when it ends by itself; zero when the cockpit is not armed.
func (x *Executor) ArmedUntil() time.Time {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.isArmed() {
		return time.Time{}
	}
	return x.armed.Add(ArmedFor)
}

// isArmed: callers hold the lock. The wall counts too: a laptop may sleep.
func (x *Executor) isArmed() bool {
	return !x.armed.IsZero() && elapsed(x.armed, x.o.Clock.Now()) < ArmedFor
}

// NeedsArming is said of what T3 would do while the cockpit is not armed.
const NeedsArming = "needs armed mode: A"

// unarmed is why a plan may not be confirmed, nor a phrase of it taken, in the
// present mode; nil where it may. Callers hold the lock.
func (x *Executor) unarmed(p *cluster.Plan) error {
	if p.Tier < cluster.T3 || x.isArmed() {
		return nil
	}
	return fmt.Errorf("nothing was done: %s %s; press A and type the name of the cluster, then confirm again", p.Tier, NeedsArming)
}
