package recovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"chef-backend-cockpit/cluster"
)

// A rehearsal is a plan of another executor that is carried out here, on the
// hosts of a simulation. Here is how it is taken, and how it is told what each
// step brought about.

// Times of a rehearsal, by its own clock.
const (
	calmEvery = 4 * time.Second
	// calmWithin is longer than a service must stand to count as running.
	calmWithin = cluster.StandsFor + 3*calmEvery
)

// Held is a plan that was made and not yet confirmed; false where it is not
// held, or is too old.
func (x *Executor) Held(planID string) (cluster.Plan, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	f, err := x.held(planID)
	if err != nil {
		return cluster.Plan{}, false
	}
	return f.plan, true
}

// Foreseen keeps what a rehearsal showed with the plan that was rehearsed. A
// plan that is no longer held is forgotten with its prediction.
func (x *Executor) Foreseen(p *cluster.Prediction) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if f, ok := x.frozen[p.Plan]; ok {
		f.predicted = p
	}
}

// Take holds a plan that another executor made, to rehearse it: the same steps
// with the same commands, after a look at all hosts here. An error means that
// the simulation would be treated otherwise than the cluster.
func (x *Executor) Take(ctx context.Context, plan cluster.Plan) error {
	if !x.o.Rehearses {
		return errors.New("only a rehearsal carries out a plan of another cockpit")
	}
	p, err := x.procedure(plan.Procedure)
	if err != nil {
		return err
	}
	began := x.o.Clock.Now()
	x.fresh(ctx, began, true)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("the simulation could not be looked at in time: %w", err)
	}
	v := x.asked(x.view(), began, began)
	here, general, err := bind(v, p, plan.Node, plan.Service, plan.ID)
	if err != nil {
		return err
	}
	if err := samePlan(plan, here); err != nil {
		return err
	}
	plan.Made = began // by the clock here
	x.hold(freeze(v, plan, general))
	return nil
}

// samePlan compares what would run.
func samePlan(a, b cluster.Plan) error {
	was, is := slices.Concat(a.Steps, a.Back), slices.Concat(b.Steps, b.Back)
	if len(was) != len(is) {
		return fmt.Errorf("on the simulation the plan has %d steps, not %d", len(is), len(was))
	}
	for i := range was {
		if was[i].ID != is[i].ID || was[i].Node != is[i].Node || was[i].Command != is[i].Command {
			return fmt.Errorf("on the simulation step %s would be %q on %s, not %q on %s", was[i].Number, is[i].Command, is[i].Node, was[i].Command, was[i].Node)
		}
	}
	return nil
}

// beginForetelling takes the facts before the first step of a rehearsal.
func (r *run) beginForetelling(ctx context.Context) {
	if !r.x.o.Rehearses || ctx.Err() != nil {
		return
	}
	r.was = r.view().KeyFacts()
	r.predict(func(p *cluster.Prediction) {
		p.Plan, p.At, p.Snapshot = r.plan.ID, r.x.o.Clock.Now(), r.plan.Snapshot
	})
}

// predict edits a copy of the prediction and shows it: what was published
// stays as it is.
func (r *run) predict(edit func(*cluster.Prediction)) {
	next := cluster.Prediction{}
	if r.predicted != nil {
		next = *r.predicted
		next.Steps = slices.Clone(next.Steps)
	}
	edit(&next)
	r.predicted = &next
	r.change(func(p *cluster.PlanState) { p.Prediction = &next })
}

// foretell tells what a step of a rehearsal came to. Where the next one follows
// without a stop its facts are told with that one's.
func (r *run) foretell(ctx context.Context, i int, end ending) {
	if !r.x.o.Rehearses || ctx.Err() != nil {
		return
	}
	st := r.snapshot().Steps[i]
	step := cluster.PredictedStep{ID: st.Step.ID, Status: end.status, Sentence: end.sentence, Took: st.Ended.Sub(st.Began)}
	if next := i + 1; end.well() && !(next < len(r.plan.Steps) && r.plan.Steps[next].Joined) {
		r.change(func(p *cluster.PlanState) { p.Sentence = "looking at what step " + st.Step.Number + " brings about" })
		facts := r.calmFacts(ctx, i)
		step.Facts, step.Changed, r.was = facts, cluster.Changes(r.was, facts), facts
	}
	r.predict(func(p *cluster.Prediction) { p.Steps = append(p.Steps, step) })
}

// foretellEnd tells how a rehearsal ended.
func (r *run) foretellEnd(end ending) {
	if r.x.o.Rehearses && r.predicted != nil {
		r.predict(func(p *cluster.Prediction) { p.Status, p.Sentence = end.status, end.sentence })
	}
}

// calmFacts are the facts behind step i when nothing more of what was known
// before is on its way; at the latest those of the end of calmWithin.
func (r *run) calmFacts(ctx context.Context, i int) []cluster.KeyFact {
	until := r.x.o.Clock.Now().Add(calmWithin)
	var last []cluster.KeyFact
	for {
		now := r.x.o.Clock.Now()
		r.x.fresh(ctx, now, true)
		facts := r.facts(i, now)
		_, unknown := cluster.Compare(r.was, facts)
		calm := last != nil && len(cluster.Changes(last, facts)) == 0 && len(unknown) == 0
		if calm || ctx.Err() != nil || !r.x.o.Clock.Now().Before(until) {
			return facts
		}
		last = facts
		select {
		case <-ctx.Done():
		case <-r.x.o.Clock.After(calmEvery):
		}
	}
}

// facts are the key facts, and the effects of step i, on looks begun since a
// time, and that the step was done or passed.
func (r *run) facts(i int, since time.Time) []cluster.KeyFact {
	v := r.x.current(r.view(), since)
	st := r.snapshot().Steps[i]
	out := append(v.KeyFacts(), cluster.KeyFact{Name: "step " + st.Step.Number, Value: string(st.Status)})
	if st.Status == cluster.StatusSkipped {
		return out
	}
	for _, q := range st.Step.Effects {
		f := cluster.KeyFact{Node: st.Step.Node, Name: "effect " + q.String()}
		switch a := q.Ask(v, bound(&r.plan, st.Step)); a.Truth {
		case cluster.Unknown:
			f.Why = a.Sentence
		default:
			f.Value = a.Truth.String()
		}
		out = append(out, f)
	}
	return out
}
