package recovery

import (
	"context"
	"time"

	"chef-backend-cockpit/cluster"
)

// triesToKnow is how often the nodes are looked at for one plan or step while
// what it asks is unknown: a busy node does not answer every look in time, and
// one that starts answers after it was looked at.
const triesToKnow = 3

// unsure answers whether no guard is known not to hold, and some are unknown,
// but for those that were overridden.
func unsure(gs []cluster.CheckedGuard, typed map[string]bool) bool {
	unknown := false
	for _, g := range gs {
		switch {
		case g.Override != "" && typed[g.Override]:
		case g.Answer.Truth == cluster.Unknown:
			unknown = true
		case g.Answer.Truth == cluster.False && g.Override == "":
			return false
		}
	}
	return unknown
}

// busy answers whether a node that was reached has a PostgreSQL that runs, does
// not turn connections away, and told nothing of its state.
func busy(v *cluster.View) bool {
	if v.Snapshot == nil {
		return false
	}
	for _, r := range v.Snapshot.Reports {
		if r == nil || r.Reach.Value != cluster.Reached {
			continue
		}
		if p := r.PostgreSQL; p.Postmaster.Known && p.Postmaster.Value > 0 && !p.InRecovery.Known && p.Ready.Value == 0 {
			return true
		}
	}
	return false
}

// looked looks at all nodes before a step and answers when it began; again while
// the looks do not tell whether the step is due, or, for one without a command,
// whether its guards hold. The command of another asks its own in the end.
func (r *run) looked(ctx context.Context, s cluster.PlanStep, general []cluster.Guard) time.Time {
	for tries := 1; ; tries++ {
		began := r.x.o.Clock.Now()
		r.x.fresh(ctx, began, true)
		doubt := s.When != nil && r.when(s, began).Truth == cluster.Unknown ||
			s.Command == "" && (len(s.Guards) > 0 || s.Kind == cluster.StepManual) && unsure(askAll(r.x.current(r.view(), began), &r.plan, s, general), r.typed)
		if !doubt || tries == triesToKnow || ctx.Err() != nil {
			return began
		}
	}
}

// when asks whether a step is due.
func (r *run) when(s cluster.PlanStep, since time.Time) cluster.Answer {
	return s.When.Ask(r.x.current(r.view(), since), bound(&r.plan, s))
}
