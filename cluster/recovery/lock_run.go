package recovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"chef-backend-cockpit/cluster"
)

// lockMajority is the fact that a procedure asks where the operator may put the
// majority aside by typing.
const lockMajority = "lock-on-majority"

// alone answers whether it was typed that the lock need not be held on a
// majority of the nodes.
func (r *run) alone() bool {
	return slices.ContainsFunc(r.general, func(g cluster.Guard) bool {
		return g.Fact == lockMajority && g.Override != "" && r.typed[g.Override]
	})
}

// takeLock takes the operators' lock before anything of the plan begins. A plan
// without commands needs none.
func (r *run) takeLock(ctx context.Context) ending {
	if !r.plan.Acts() {
		return ending{status: cluster.StatusDone}
	}
	r.change(func(p *cluster.PlanState) { p.Sentence = "takes the operators' lock" })
	if err := r.x.lock.take(ctx, r.plan.ID, "", r.alone()); err != nil {
		return ending{status: cluster.StatusRefused, sentence: fmt.Sprintf("the operators' lock could not be taken, nothing ran: %v", err)}
	}
	return ending{status: cluster.StatusDone}
}

// dropLock gives the lock up when the plan is over. A step that still runs
// keeps it at its node.
func (r *run) dropLock() {
	if r.plan.Acts() {
		r.x.lock.release()
	}
}

// locked holds the plan before a step until the lock is held again where it was
// lost. What somebody else took ends the plan. A step without a command needs
// no lock.
func (r *run) locked(ctx context.Context, i int, s cluster.PlanStep) ending {
	holds := false
	for s.Command != "" {
		if _, why := r.x.lock.held(s.Node, r.alone()); why.says == "" {
			return r.goesOn(i, holds)
		}
		err := r.x.lock.take(ctx, r.plan.ID, "", r.alone())
		_, why := r.x.lock.held(s.Node, r.alone())
		var taken *lockTaken
		switch {
		case errors.As(err, &taken):
			return ending{status: cluster.StatusRefused, sentence: taken.says + notRun(s)}
		case why.says == "":
			return r.goesOn(i, holds)
		case why.beside:
			return ending{status: cluster.StatusRefused, sentence: "the operators' lock: " + why.says + notRun(s)}
		case err != nil:
			why.says = err.Error()
		}
		holds = true
		say := fmt.Sprintf("holds before step %s: the operators' lock was lost: %s", s.Number, why.says)
		if r.snapshot().Sentence != say {
			r.change(func(p *cluster.PlanState) {
				p.Status, p.Sentence = cluster.StatusWaiting, say
				p.Steps[i].Status, p.Steps[i].Sentence = cluster.StatusWaiting, say
			})
		}
		select {
		case <-ctx.Done():
			return ending{status: cluster.StatusStopped, sentence: "left before step " + s.Number}
		case <-r.stop:
			return ending{status: cluster.StatusStopped, sentence: "stopped by the operator before step " + s.Number + ", while the operators' lock was lost"}
		case <-r.x.o.Clock.After(lockEvery):
		}
	}
	return ending{status: cluster.StatusDone}
}

// goesOn: the lock is held; where the plan held for it, that is said no longer.
func (r *run) goesOn(i int, held bool) ending {
	if held {
		r.change(func(p *cluster.PlanState) {
			st := &p.Steps[i]
			p.Status, p.Sentence = cluster.StatusRunning, st.Step.Say
			st.Status, st.Sentence = cluster.StatusRunning, ""
		})
	}
	return ending{status: cluster.StatusDone}
}

// actLocked acts. Where the lock is lost in the last moment before the intent it
// waits; where the node knows more than its look told, what it refused is
// recorded; where a guard is only unknown nothing was. Then it looks and asks
// the guards anew.
func (r *run) actLocked(ctx context.Context, i int, s cluster.PlanStep, general []cluster.Guard, since time.Time) (outcome, ending) {
	for tries := 1; ; {
		out, end := r.act(ctx, i, s, general, since)
		switch {
		case ctx.Err() != nil:
			return out, end
		case end.unlocked:
			if end := r.locked(ctx, i, s); !end.well() {
				return outcome{}, end
			}
		case end.unsure && tries < triesToKnow:
			tries++
			r.step(i, func(st *cluster.StepState) { st.Sentence = end.sentence + "; it is looked at again" })
		case end.answers && tries < triesToKnow:
			tries++
			if err := r.recordOutcome(r.snapshot().Steps[i], r.asBefore(s.ID, end)); err != nil {
				return out, end
			}
			r.mark(s.ID, func(m *mark) { m.intended = false }) // it has its outcome
			r.step(i, func(st *cluster.StepState) { st.Sentence = end.sentence + "; it is looked at again" })
		default:
			return out, end
		}
		since = r.x.o.Clock.Now()
		r.step(i, func(st *cluster.StepState) { st.Began = since })
		r.x.fresh(ctx, since, true)
	}
}

// OwnLocks are the tokens with which this cockpit holds, or held, the
// operators' lock.
func (x *Executor) OwnLocks() []string { return x.lock.tokens() }

// lockLeft hears that somebody took the lock over.
func (x *Executor) lockLeft(token, who string) {
	if l, ok := x.lock.(*lock); ok {
		l.left(token, who)
	}
}
