package recovery

import (
	"context"
	"fmt"
	"maps"
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
	stop     chan struct{} // closed when the operator asked to stop; the way back has a new one
	done     chan struct{} // closed when nothing of the run is at work here

	mu    sync.Mutex
	state cluster.PlanState
	marks map[string]*mark // by step id
	held  *hold            // what a person is asked for; nil for nothing
	met   map[string]bool  // nodes for which a phrase was typed before a step

	left *leftover // what is known of a plan that is taken up again; nil for a new one

	predicted *cluster.Prediction // of its rehearsal; nil for none
	was       []cluster.KeyFact   // in a rehearsal: the facts before the step at work
	beyond    bool                // it went on where the rehearsal had stopped
	accepted  map[string]string   // deviations that the operator let pass: the value, by the fact's title
}

func newRun(x *Executor, f *frozen, typed map[string]bool, now time.Time) *run {
	r := &run{
		x: x, plan: f.plan, general: f.general, identity: maps.Clone(f.identity), typed: typed, predicted: f.predicted,
		stop: make(chan struct{}), done: make(chan struct{}), marks: map[string]*mark{}, met: map[string]bool{},
		state: cluster.PlanState{Plan: f.plan, Status: cluster.StatusRunning, Began: now, Sentence: "confirmed", Prediction: f.predicted},
	}
	for _, s := range f.plan.Steps {
		r.state.Steps = append(r.state.Steps, cluster.StepState{Step: s, Status: cluster.StatusNext})
	}
	return r
}

// mark is how far a step went that acts.
type mark struct {
	intended bool   // its intent is on disk: an outcome has to follow
	started  bool   // its command may have run
	folder   string // on the node, where it is not named as the step
	tries    int    // folders that were used for terminals
	handed   bool   // it wants a terminal
	again    int    // how often it was chosen again after an unknown outcome
	by       string // who ticked it, or had the terminal
	bytes    int64
	digest   string
}

// askStop asks the run to stop before its next step.
func (r *run) askStop() {
	r.change(func(p *cluster.PlanState) {
		if !r.stopping() {
			close(r.stop)
		}
		p.Stopping = p.Ended.IsZero()
	})
}

// stopping answers whether the operator asked to stop; for the run's own
// goroutine, or under the lock.
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
	again    bool // nothing was judged and nothing ran: it can be asked for once more
	unlocked bool // the operators' lock was lost before the intent: nothing ran
	answers  bool // the node answers what it did not when it was looked at: nothing ran
	unsure   bool // what is missing is only unknown: nothing was written and nothing ran
}

func (e ending) well() bool {
	return e.status == cluster.StatusDone || e.status == cluster.StatusSkipped
}

// carryOut runs the steps one after another until one does not end well, then
// the steps back where the procedure has them. When ctx ends it leaves at once:
// the outcome stays open in the journal and is looked up later.
func (r *run) carryOut(ctx context.Context) {
	r.change(func(*cluster.PlanState) {})
	end := r.forth(ctx)
	defer r.dropLock()
	if ctx.Err() != nil {
		return
	}
	if end.well() {
		end = ending{status: cluster.StatusDone, sentence: joinText([]string{"all steps are done", r.endAsRehearsed(ctx)})}
	} else {
		end.sentence = joinText([]string{end.sentence, r.back(ctx)})
	}
	if ctx.Err() != nil {
		return
	}
	r.foretellEnd(end)
	now := r.x.o.Clock.Now()
	ends := openEnds(r.snapshot(), end.well())
	if err := r.recordPlanEnd(end, ends); err != nil {
		end.sentence = joinText([]string{end.sentence, fmt.Sprintf("the journal can no longer be written: %v", err)})
	}
	r.change(func(p *cluster.PlanState) {
		p.Status, p.Sentence, p.Ended, p.OpenEnds = end.status, end.sentence, now, ends
	})
}

// forth carries out the steps, those that are left of a plan that is taken up
// again.
func (r *run) forth(ctx context.Context) ending {
	from, end := r.takeUp(ctx)
	if end.well() && from < len(r.plan.Steps) {
		end = r.takeLock(ctx)
	}
	r.beginForetelling(ctx)
	for i := from; i < len(r.plan.Steps) && end.well() && ctx.Err() == nil; i++ {
		if end := r.asRehearsed(ctx, i); !end.well() {
			return end
		}
		if r.stopping() && !r.plan.Steps[i].Joined {
			return ending{status: cluster.StatusStopped, sentence: fmt.Sprintf("stopped by the operator before step %s", r.plan.Steps[i].Number)}
		}
		end = r.carry(ctx, i, r.general)
		r.foretell(ctx, i, end)
	}
	return end
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
	return r.settle(i, end)
}

// settle notes how a step ended, in the state and in the journal.
func (r *run) settle(i int, end ending) ending {
	now := r.x.o.Clock.Now()
	end = r.asBefore(r.snapshot().Steps[i].Step.ID, end)
	r.step(i, func(st *cluster.StepState) { st.Status, st.Sentence, st.Ended = end.status, end.sentence, now })
	err := r.recordEnd(i)
	r.mark(r.snapshot().Steps[i].Step.ID, func(m *mark) { m.intended = false }) // it has its outcome
	if err != nil && end.well() {
		return ending{status: cluster.StatusFailed, sentence: fmt.Sprintf("%s; the journal can no longer be written: %v", end.sentence, err)}
	}
	return end
}

// asBefore: a step that was chosen again after an unknown outcome and did not
// run, refused or stopped, leaves what it came to before as unknown as it was.
func (r *run) asBefore(id string, end ending) ending {
	if r.marked(id).again > 0 && (end.status == cluster.StatusRefused || end.status == cluster.StatusStopped) {
		end.status, end.sentence = cluster.StatusUnknown, "what it came to before is unknown; "+end.sentence
	}
	return end
}

// attempt decides whether the step is due, asks for its phrase, lets it act,
// and waits for its effects. Nothing is judged on what was asked before the
// step's turn came, or before its phrase was typed.
func (r *run) attempt(ctx context.Context, i int, s cluster.PlanStep, general []cluster.Guard) ending {
	if end := r.locked(ctx, i, s); !end.well() {
		return end
	}
	began, end, due := r.due(ctx, s, general)
	if !due {
		return end
	}
	if s.Phrase != "" {
		if end := r.askPhrase(ctx, i, s, nil); !end.well() {
			return end
		}
		if began, end, due = r.due(ctx, s, general); !due {
			return end
		}
	}
	// The deadline counts neither what a person took nor how long the lock was lost.
	r.step(i, func(st *cluster.StepState) { st.Began = began })
	if s.Kind == cluster.StepManual {
		return r.byHand(ctx, i, s, general, began)
	}
	if s.Command == "" {
		// A step that only waits for its effects needs no leave. What the plan's
		// guards forbid may be just what it waits for the end of.
		if len(s.Guards) > 0 {
			if why := r.holds(i, s, general, began); why != "" {
				return ending{status: cluster.StatusRefused, sentence: why}
			}
		}
		return r.awaitEffects(ctx, i, s, outcome{exitKnown: true}, began)
	}
	if r.plan.Tier >= cluster.T2 && r.plan.Node != "" && s.About != "" && !r.met[s.Node] {
		return ending{status: cluster.StatusRefused, sentence: "nobody typed for " + s.Node + ", which the plan reaches here" + notRun(s)}
	}
	out, end := r.command(ctx, i, s, general, began)
	if !end.well() {
		return r.overtaken(ctx, s, end)
	}
	if renames(s.Command) {
		r.identity[s.Node] = r.identity[s.Node].renamed()
	}
	begun := r.snapshot().Steps[i].Began
	if r.marked(s.ID).by != "" {
		begun = r.x.o.Clock.Now() // somebody sat at it
	}
	return r.awaitEffects(ctx, i, s, out, begun)
}

// wantsTerminal is how an outcome begins that says so; it is found by that when
// the plan is taken up again.
const wantsTerminal = "it wants a terminal and did nothing"

// command carries out the step's command: in a terminal where it is one of
// those, or where it answers that it wants one.
func (r *run) command(ctx context.Context, i int, s cluster.PlanStep, general []cluster.Guard, began time.Time) (outcome, ending) {
	switch {
	case s.Kind == cluster.StepTerminal:
		return r.inTerminal(ctx, i, s, general, "the command needs a terminal")
	case r.marked(s.ID).handed:
		return r.inTerminal(ctx, i, s, general, "the command requires explicit approval")
	}
	out, end := r.actLocked(ctx, i, s, general, began)
	if !end.well() || !out.wantsTerminal() {
		return out, end
	}
	now := ending{status: cluster.StatusRefused, sentence: fmt.Sprintf("%s (exit status %d)", wantsTerminal, out.exit)}
	if err := r.recordOutcome(r.snapshot().Steps[i], now); err != nil {
		return outcome{}, ending{status: cluster.StatusFailed, sentence: fmt.Sprintf("%s; the journal can no longer be written: %v", now.sentence, err)}
	}
	r.mark(s.ID, func(m *mark) { m.intended, m.started = false, false })
	return r.inTerminal(ctx, i, s, general, "the command requires explicit approval")
}

// due looks at all nodes and answers whether the step is to be carried out; if
// not, end says why. began is when it looked.
func (r *run) due(ctx context.Context, s cluster.PlanStep, general []cluster.Guard) (began time.Time, end ending, due bool) {
	began = r.looked(ctx, s, general)
	if s.When == nil {
		return began, end, true
	}
	switch a := r.when(s, began); a.Truth {
	case cluster.False:
		return began, ending{status: cluster.StatusSkipped, sentence: a.Sentence}, false
	case cluster.Unknown:
		return began, ending{status: cluster.StatusRefused, sentence: "whether this step is due is unknown: " + a.Sentence}, false
	}
	return began, end, true
}

// overtaken answers how a step ended that was refused before its command was
// sent: where it is no longer due, the cluster has done it by itself meanwhile.
func (r *run) overtaken(ctx context.Context, s cluster.PlanStep, refused ending) ending {
	if refused.status != cluster.StatusRefused || s.When == nil || r.marked(s.ID).started {
		return refused
	}
	if _, end, due := r.due(ctx, s, nil); !due && end.status == cluster.StatusSkipped {
		return end
	}
	return refused
}

// holds asks the guards before a step without a command; why is the first
// thing that does not hold, "" for none.
func (r *run) holds(i int, s cluster.PlanStep, general []cluster.Guard, since time.Time) (why string) {
	checked := askAll(r.x.current(r.view(), since), &r.plan, s, general)
	r.step(i, func(st *cluster.StepState) { st.Guards = checked })
	return firstMissing(checked, r.typed)
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
