package recovery

import (
	"context"
	"fmt"
	"slices"

	"chef-backend-cockpit/cluster"
)

// back carries out the steps back if a step from BackFrom on may have started,
// and says how that went; "" where there was nothing to undo. The procedure's
// general guards are not asked: that one of them broke is a reason to go back.
func (r *run) back(ctx context.Context) string {
	if ctx.Err() != nil || !r.goesBack() || r.left != nil && r.left.broken != "" {
		return ""
	}
	r.heardStop()
	for n, s := range r.plan.Back {
		s.Joined = true // to stop is a reason to go back, not to stay half way
		i := len(r.plan.Steps) + n
		r.change(func(p *cluster.PlanState) {
			if i == len(p.Steps) {
				p.Steps = append(p.Steps, cluster.StepState{Step: s, Status: cluster.StatusNext})
			}
		})
		switch before, end := r.backAgain(ctx, i); {
		case before:
			continue
		case !end.well():
			return fmt.Sprintf("the way back stopped before %s: %s", s.Say, end.sentence)
		}
		if end := r.carry(ctx, i, nil); !end.well() {
			return fmt.Sprintf("the way back stopped at %s: %s", s.Say, end.sentence)
		}
	}
	return "the way back is done"
}

// heardStop is called when the way back begins, for which a stop was a reason:
// no wait on it ends by that stop, but by one that is asked for anew.
func (r *run) heardStop() {
	r.change(func(p *cluster.PlanState) {
		if r.stopping() {
			r.stop, p.Stopping = make(chan struct{}), false
		}
	})
}

// goesBack answers whether the plan has steps back that are due.
func (r *run) goesBack() bool {
	from := slices.IndexFunc(r.plan.Steps, func(s cluster.PlanStep) bool { return s.ID == r.plan.BackFrom })
	return from >= 0 && len(r.plan.Back) > 0 &&
		slices.ContainsFunc(r.plan.Steps[from:], func(s cluster.PlanStep) bool { return r.marked(s.ID).started })
}

// backAgain asks whether the way back of a plan that was left is to go on, once;
// before: this step of it was carried out before.
func (r *run) backAgain(ctx context.Context, i int) (before bool, end ending) {
	end = ending{status: cluster.StatusDone}
	if r.left == nil {
		return false, end
	}
	st := r.snapshot().Steps[i]
	switch {
	case st.Status == cluster.StatusDone || st.Status == cluster.StatusSkipped:
		return true, end
	case r.left.going:
		return false, end
	case st.Status != cluster.StatusNext && r.marked(st.Step.ID).started:
		return false, ending{status: st.Status, sentence: st.Sentence} // it is never begun again
	}
	return false, r.askToGoOn(ctx, i, "the way back is due: "+st.Step.Say)
}
