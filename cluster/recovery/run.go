package recovery

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"chef-backend-cockpit/cluster"
)

// run is one confirmed plan at work. Its goroutine alone changes the state;
// the lock is for those who ask it to stop or read it.
type run struct {
	x        *Executor
	plan     cluster.Plan
	general  []cluster.Guard
	identity map[string]identity
	typed    map[string]bool
	stop     chan struct{} // closed when the operator asked to stop
	stopOnce sync.Once
	done     chan struct{} // closed when nothing of the run is at work here

	mu    sync.Mutex
	state cluster.PlanState
	marks map[string]*mark // by step id
}

func newRun(x *Executor, f *frozen, typed map[string]bool, now time.Time) *run {
	r := &run{
		x: x, plan: f.plan, general: f.general, identity: f.identity, typed: typed,
		stop: make(chan struct{}), done: make(chan struct{}), marks: map[string]*mark{},
		state: cluster.PlanState{Plan: f.plan, Status: cluster.StatusRunning, Began: now, Sentence: "confirmed"},
	}
	for _, s := range f.plan.Steps {
		r.state.Steps = append(r.state.Steps, cluster.StepState{Step: s, Status: cluster.StatusNext})
	}
	return r
}

// mark is how far a step went that acts.
type mark struct {
	intended bool // its intent is on disk: an outcome has to follow
	started  bool // its command may have run
	bytes    int64
	digest   string
}

// askStop asks the run to stop before its next step.
func (r *run) askStop() {
	r.stopOnce.Do(func() {
		close(r.stop)
		r.change(func(p *cluster.PlanState) { p.Stopping = p.Ended.IsZero() })
	})
}

func (r *run) stopping() bool {
	select {
	case <-r.stop:
		return true
	default:
		return false
	}
}

// change edits the state and publishes a copy. The order of what is published
// is the order of the changes.
func (r *run) change(edit func(*cluster.PlanState)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	edit(&r.state)
	r.x.o.Publish(r.copied())
}

// snapshot is a copy of the state that nobody changes any more.
func (r *run) snapshot() cluster.PlanState {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.copied()
}

// copied copies what a later change would write into. Callers hold the lock.
func (r *run) copied() cluster.PlanState {
	p := r.state
	p.Steps = slices.Clone(p.Steps)
	for i := range p.Steps {
		p.Steps[i].Output = slices.Clone(p.Steps[i].Output)
	}
	p.OpenEnds = slices.Clone(p.OpenEnds)
	return p
}

// step edits one step's state and publishes it.
func (r *run) step(i int, edit func(*cluster.StepState)) {
	r.change(func(p *cluster.PlanState) { edit(&p.Steps[i]) })
}

// ending is how a step or a plan ended, with the sentence that says why.
type ending struct {
	status   cluster.Status
	sentence string
}

func (e ending) well() bool {
	return e.status == cluster.StatusDone || e.status == cluster.StatusSkipped
}

// carryOut runs the steps one after another until one does not end well, then
// the steps back where the procedure has them. When ctx ends it leaves at once:
// the outcome stays open in the journal and is looked up later.
func (r *run) carryOut(ctx context.Context) {
	r.change(func(*cluster.PlanState) {})
	end := ending{cluster.StatusDone, "all steps are done"}
	for i := range r.plan.Steps {
		if r.stopping() && !r.plan.Steps[i].Joined {
			end = ending{cluster.StatusStopped, fmt.Sprintf("stopped by the operator before step %s", r.plan.Steps[i].Number)}
			break
		}
		end = r.carry(ctx, i, r.general)
		if ctx.Err() != nil {
			return
		}
		if !end.well() {
			break
		}
	}
	if end.well() {
		end = ending{cluster.StatusDone, "all steps are done"}
	} else {
		end.sentence = joinText([]string{end.sentence, r.back(ctx)})
	}
	if ctx.Err() != nil {
		return
	}
	now := r.x.o.Clock.Now()
	ends := openEnds(r.snapshot(), end.well())
	r.change(func(p *cluster.PlanState) {
		p.Status, p.Sentence, p.Ended, p.OpenEnds = end.status, end.sentence, now, ends
	})
}

// carry runs one step and notes how it ended. general are guards that hold
// beside the step's own.
func (r *run) carry(ctx context.Context, i int, general []cluster.Guard) ending {
	now := r.x.o.Clock.Now()
	var s cluster.PlanStep
	r.change(func(p *cluster.PlanState) {
		s = p.Steps[i].Step
		p.Steps[i].Status, p.Steps[i].Began = cluster.StatusRunning, now
		p.Status, p.Sentence = cluster.StatusRunning, s.Say
	})
	end := r.attempt(ctx, i, s, general)
	if ctx.Err() != nil {
		return end
	}
	now = r.x.o.Clock.Now()
	r.step(i, func(st *cluster.StepState) { st.Status, st.Sentence, st.Ended = end.status, end.sentence, now })
	if r.marked(s.ID).intended {
		if err := r.recordEnd(i); err != nil && end.well() {
			return ending{cluster.StatusFailed, fmt.Sprintf("%s; the journal can no longer be written: %v", end.sentence, err)}
		}
	}
	return end
}

// attempt decides whether the step is due, lets it act, and waits for its
// effects. Nothing is judged on what was asked before the step's turn came.
func (r *run) attempt(ctx context.Context, i int, s cluster.PlanStep, general []cluster.Guard) ending {
	began := r.x.o.Clock.Now()
	r.x.fresh(ctx, began, true)
	if s.When != nil {
		switch a := s.When.Ask(r.x.current(r.view(), began), binding(&r.plan)); a.Truth {
		case cluster.False:
			return ending{cluster.StatusSkipped, a.Sentence}
		case cluster.Unknown:
			return ending{cluster.StatusRefused, "whether this step is due is unknown: " + a.Sentence}
		}
	}
	guards := distinct(append(slices.Clone(general), s.Guards...))
	if s.Command == "" {
		checked := ask(r.x.current(r.view(), began), &r.plan, guards)
		r.step(i, func(st *cluster.StepState) { st.Guards = checked })
		if why := firstMissing(checked, r.typed); why != "" {
			return ending{cluster.StatusRefused, why}
		}
		return r.awaitEffects(ctx, i, s, outcome{exitKnown: true})
	}
	out, end := r.act(ctx, i, s, guards, began)
	if !end.well() {
		return end
	}
	return r.awaitEffects(ctx, i, s, out)
}

// view is the newest view in which this plan stands as it is now.
func (r *run) view() *cluster.View {
	v := r.x.view()
	own := r.snapshot()
	plans := make([]cluster.PlanState, 0, len(v.Plans)+1)
	for _, p := range v.Plans {
		if p.Plan.ID != own.Plan.ID {
			plans = append(plans, p)
		}
	}
	v.Plans = append(plans, own)
	return v
}

// mark edits how far a step went.
func (r *run) mark(id string, edit func(*mark)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.marks[id] == nil {
		r.marks[id] = &mark{}
	}
	edit(r.marks[id])
}

func (r *run) marked(id string) mark {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := r.marks[id]; m != nil {
		return *m
	}
	return mark{}
}

// recordEnd writes the outcome of a step whose intent was written.
func (r *run) recordEnd(i int) error {
	st := r.snapshot().Steps[i]
	m := r.marked(st.Step.ID)
	return r.x.o.Recorder.Record("outcome", cluster.Outcome{
		Plan: r.plan.ID, Step: st.Step.ID, Node: st.Step.Node, Status: st.Status,
		Exit: st.Exit, ExitKnown: st.ExitKnown, Sentence: st.Sentence, Bytes: m.bytes, Digest: m.digest,
	})
}

// back carries out the steps back if a step from BackFrom on may have started,
// and says how that went; "" where there was nothing to undo. The procedure's
// general guards are not asked: that one of them broke is a reason to go back.
func (r *run) back(ctx context.Context) string {
	from := slices.IndexFunc(r.plan.Steps, func(s cluster.PlanStep) bool { return s.ID == r.plan.BackFrom })
	if from < 0 || len(r.plan.Back) == 0 || ctx.Err() != nil {
		return ""
	}
	due := slices.ContainsFunc(r.plan.Steps[from:], func(s cluster.PlanStep) bool { return r.marked(s.ID).started })
	if !due {
		return ""
	}
	for _, s := range r.plan.Back {
		s.Joined = true // to stop is a reason to go back, not to stay half way
		i := 0
		r.change(func(p *cluster.PlanState) {
			i = len(p.Steps)
			p.Steps = append(p.Steps, cluster.StepState{Step: s, Status: cluster.StatusNext})
		})
		if end := r.carry(ctx, i, nil); !end.well() {
			return fmt.Sprintf("the way back stopped at %s: %s", s.Say, end.sentence)
		}
	}
	return "the way back is done"
}
