package watch

import (
	"context"
	"slices"
	"sync"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/remote"
)

// neighbour shows what another cockpit on this machine does, live from its
// journal. One elsewhere is seen by its steps on the nodes alone.
type neighbour struct {
	dir, cluster string // of the incidents; "" for none
	run          func(func())
	wake         func()

	mu     sync.Mutex
	of     string // id of the plan that is followed or was looked for
	cancel context.CancelFunc
	state  *cluster.PlanState // of that plan; replaced, never changed
}

// plan is the newest state of the other's plan; nil where none is followed.
func (n *neighbour) plan() *cluster.PlanState {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state
}

// look begins to follow the plan for which somebody else holds the lock, and
// ends it when that is over.
func (n *neighbour) look(ctx context.Context, l cluster.Lock) {
	plan := l.Holder.Plan
	if l.Held != cluster.True || l.Ours || n.dir == "" {
		plan = ""
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if plan == n.of {
		return
	}
	if n.cancel != nil {
		n.cancel()
	}
	n.of, n.cancel, n.state = plan, nil, nil
	if plan == "" {
		return
	}
	ctx, n.cancel = context.WithCancel(ctx)
	n.run(func() { n.follow(ctx, plan) })
}

// follow finds the plan's journals and follows the newest, which may go on with
// one in which the plan was confirmed. That it is not there, or can no longer be
// read, only means that less is shown. A journal is a file that others write:
// what is shown of it is made safe anew.
func (n *neighbour) follow(ctx context.Context, plan string) {
	plans, _, err := journal.FindUnfinished(n.dir, n.cluster)
	if err != nil {
		return
	}
	i := slices.IndexFunc(plans, func(p journal.Unfinished) bool { return p.Plan == plan })
	if i < 0 {
		return
	}
	told := newReplayed()
	for _, r := range append([]journal.Record{plans[i].Confirmed}, plans[i].Records...) {
		told.take(r.Safe())
	}
	// Other cockpits write in real time, however fast the cluster's goes here.
	_ = journal.Follow(ctx, remote.System{}, journal.Path(n.dir, plans[i].Incident), func(r journal.Record) error {
		if r.Kind != journal.Snapshot && r.Kind != journal.Finding { // those are looked at here
			told.take(r.Safe())
			n.show(plan, told.plans)
		}
		return nil
	}, nil)
}

// show publishes the newest state of a plan, if it is still the one that is
// followed.
func (n *neighbour) show(plan string, all []cluster.PlanState) {
	i := slices.IndexFunc(all, func(p cluster.PlanState) bool { return p.Plan.ID == plan })
	if i < 0 {
		return
	}
	n.mu.Lock()
	if n.of == plan {
		n.state = &all[i]
	}
	n.mu.Unlock()
	n.wake()
}
