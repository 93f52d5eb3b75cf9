package recovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// frozen is a plan as it was shown, with who its nodes were.
type frozen struct {
	plan     cluster.Plan
	general  []cluster.Guard     // hold before every step
	identity map[string]identity // by node
	typed    int                 // how many of the phrases were typed

	predicted *cluster.Prediction // of its rehearsal; nil for none
}

// Plan binds a procedure after a look, slow part included, at every node, begun
// for it; what does not come within a minute is unknown, and a node that was too
// busy to tell of its PostgreSQL is looked at up to three times. It holds the
// plan for 15 minutes. The error says what is missing; guards that do not hold
// are no error, they stand in the plan.
func (x *Executor) Plan(ctx context.Context, procedure, node, service string) (cluster.Plan, error) {
	p, err := x.procedure(procedure)
	if err != nil {
		return cluster.Plan{}, err
	}
	id := x.o.NewID()
	var f *frozen
	for tries := 1; tries <= triesToKnow; tries++ {
		began := x.o.Clock.Now()
		x.fresh(ctx, began, true)
		if err := ctx.Err(); err != nil {
			if f != nil {
				break // what the looks before told is a plan, too
			}
			return cluster.Plan{}, fmt.Errorf("%s: the nodes could not be looked at in time: %w", procedure, err)
		}
		v := x.asked(x.view(), began, began)
		plan, general, err := bind(v, p, node, service, id)
		again := tries < triesToKnow && busy(v)
		if err == nil {
			f = freeze(v, plan, general)
			again = again && unsure(plan.Guards, nil)
		}
		if !again && err != nil {
			return plan, err
		}
		if !again {
			break
		}
	}
	x.hold(f)
	return f.plan, nil
}

// freeze keeps a plan with who its nodes are by now.
func freeze(v *cluster.View, plan cluster.Plan, general []cluster.Guard) *frozen {
	f := &frozen{plan: plan, general: general, identity: map[string]identity{}}
	for _, s := range slices.Concat(plan.Steps, plan.Back) {
		if s.Command != "" && s.Node != "" {
			f.identity[s.Node] = identityOf(v.Report(s.Node))
		}
	}
	return f
}

// view is the newest view with the time of now.
func (x *Executor) view() *cluster.View {
	v := *x.o.View()
	v.Now = x.o.Clock.Now()
	v.OwnLocks = x.OwnLocks()
	return &v
}

// hold keeps a frozen plan, and throws away the oldest and the old.
func (x *Executor) hold(f *frozen) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.frozen[f.plan.ID] = f
	x.order = append(x.order, f.plan.ID)
	for len(x.order) > heldPlans {
		delete(x.frozen, x.order[0])
		x.order = x.order[1:]
	}
}

// held finds a frozen plan that is not too old. Callers hold the lock.
func (x *Executor) held(id string) (*frozen, error) {
	f, ok := x.frozen[id]
	if !ok {
		return nil, errors.New("this plan is no longer held: make it again")
	}
	if x.o.Clock.Now().Sub(f.plan.Made) > heldFor {
		x.drop(id)
		return nil, fmt.Errorf("this plan is older than %s: make it again", heldFor)
	}
	return f, nil
}

// drop forgets a plan. Callers hold the lock.
func (x *Executor) drop(id string) {
	delete(x.frozen, id)
	for i, o := range x.order {
		if o == id {
			x.order = append(x.order[:i], x.order[i+1:]...)
			return
		}
	}
}

// Recheck asks a plan's guards again on the newest view; changed tells whether
// any answer differs from the plan's own. A plan that is not held has changed.
func (x *Executor) Recheck(planID string) (guards []cluster.CheckedGuard, changed bool) {
	x.mu.Lock()
	f, err := x.held(planID)
	x.mu.Unlock()
	if err != nil {
		return nil, true
	}
	return recheck(x.view(), &f.plan)
}

func recheck(v *cluster.View, plan *cluster.Plan) (guards []cluster.CheckedGuard, changed bool) {
	for _, g := range plan.Guards {
		now, about := g, binding(plan)
		about.Node = g.Node
		now.Answer = g.Ask(v, about)
		guards = append(guards, now)
		changed = changed || now.Answer.Truth != g.Answer.Truth
	}
	return guards, changed
}

// Confirm hands over one typed text, compared to the letter. left are the
// phrases still to be typed; with none left the plan has begun. The first of
// them begins anew. Any other text drops the plan. An error means that nothing
// was begun. For a plan at work it answers the phrase that its next step asks
// for; any other text stops it there.
func (x *Executor) Confirm(planID, text string) (left []string, err error) {
	if r, err := x.atWork(planID); err == nil {
		return nil, r.typedText(text)
	}
	v := x.view()
	f, left, err := x.typed(planID, text, v)
	if err != nil || f == nil {
		return left, err
	}
	defer x.wait.Done()
	r, err := x.confirmed(f, v)
	if stop := x.begun(planID, r); stop {
		r.askStop()
	}
	return nil, err
}

// typed takes one text for a plan that is held. The plan is given where it was
// the last one: it then counts as beginning, and in x.wait, until begun.
func (x *Executor) typed(planID, text string, v *cluster.View) (_ *frozen, left []string, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.ctx.Err() != nil {
		return nil, nil, errLeaving
	}
	if id := x.busy(); id != "" {
		return nil, nil, fmt.Errorf("plan %s is at work: one plan at a time", id)
	}
	f, err := x.held(planID)
	if err != nil {
		return nil, nil, err
	}
	if x.o.ReadOnly && f.plan.Acts() {
		return nil, nil, errors.New("the cockpit is read-only: start it without --read-only to act")
	}
	if err := x.unarmed(&f.plan); err != nil {
		return nil, nil, err
	}
	if f.typed > 0 && text != f.next() && text == f.plan.Phrases[0] {
		f.typed = 0 // the screen that asked was left, and asks from the first one again
	}
	if want := f.next(); text != want {
		x.drop(planID)
		return nil, nil, fmt.Errorf("what was typed is not %q: nothing was done, and the plan is dropped", want)
	}
	f.typed++
	if f.typed < len(f.plan.Phrases) {
		return nil, f.plan.Phrases[f.typed:], nil
	}
	if l := v.Lock(); f.plan.Acts() && l.Held == cluster.True && !l.Ours {
		f.typed--
		return nil, nil, fmt.Errorf("nothing was done: %s", heldBy(l))
	}
	x.beginning, x.stopFirst = planID, false
	x.wait.Add(1)
	return f, nil, nil
}

// begun lets a plan begin that was confirmed, nil for one that was not after
// all; stop: the operator asked for that meanwhile.
func (x *Executor) begun(planID string, r *run) (stop bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.drop(planID)
	x.beginning = ""
	if r == nil {
		return false
	}
	x.start(r)
	return x.stopFirst
}

// errLeaving: nothing is begun any more.
var errLeaving = errors.New("the cockpit is being left")

// busy is the plan that may change something and is at work, or begins; "" for
// none. One that only watches gives way. Callers hold the lock.
func (x *Executor) busy() (id string) {
	if x.beginning != "" {
		return x.beginning
	}
	if x.run != nil && x.run.plan.Acts() && x.run.snapshot().Ended.IsZero() {
		return x.run.plan.ID
	}
	return ""
}

// Busy answers whether a plan is at work that may change something, or begins.
func (x *Executor) Busy() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.busy() != ""
}

// AtWork answers whether a plan is at work, or waits for somebody.
func (x *Executor) AtWork(planID string) bool {
	_, err := x.atWork(planID)
	return err == nil
}

// next is the text that has to be typed next.
func (f *frozen) next() string {
	if f.typed < len(f.plan.Phrases) {
		return f.plan.Phrases[f.typed]
	}
	return ""
}

// confirmation is what the journal keeps of a confirmed plan.
type confirmation struct {
	Plan     cluster.Plan        `json:"plan"`
	General  []cluster.Guard     `json:"general"`
	Typed    []string            `json:"typed"`
	Identity map[string]identity `json:"identity"`
	By       string              `json:"by,omitempty"`
	At       time.Time           `json:"at"`
	// Predicted is what the plan's rehearsal showed; nil where it was not rehearsed.
	Predicted *cluster.Prediction `json:"predicted,omitempty"`
}

// PlanID names the plan that was confirmed.
func (c confirmation) PlanID() string { return c.Plan.ID }

// confirmed is the run of a plan whose phrases were all typed, where v still
// allows it, with the confirmation on disk. The disk may take its time: callers
// do not hold the lock.
func (x *Executor) confirmed(f *frozen, v *cluster.View) (*run, error) {
	guards, _ := recheck(v, &f.plan)
	typed := overrides(f.plan.Phrases)
	if why := firstMissing(guards, typed); why != "" {
		return nil, fmt.Errorf("nothing was done: %s", why)
	}
	now := x.o.Clock.Now()
	if kept(&f.plan) {
		c := confirmation{Plan: f.plan, General: f.general, Typed: f.plan.Phrases, Identity: f.identity, By: x.o.Operator, At: now, Predicted: f.predicted}
		if err := x.o.Recorder.Record("confirm", c); err != nil {
			return nil, fmt.Errorf("nothing was done: the confirmation could not be written: %w", err)
		}
	}
	return newRun(x, f, typed, now), nil
}

// start lets a run begin when the one before, which gives way, is over. A guide
// that waits for a person goes on waiting: its parts are plans of their own.
// Callers hold the lock.
func (x *Executor) start(r *run) {
	before := x.run
	if before != nil && guides(&before.plan) && r.plan.Acts() {
		if x.guide != nil {
			x.guide.askStop() // one guide at a time
		}
		x.guide, before = before, nil
	}
	if before != nil {
		before.askStop()
	}
	x.run = r
	x.wait.Add(1)
	go func() {
		defer remote.Guard()
		defer x.wait.Done()
		defer close(r.done)
		if before != nil {
			<-before.done
		}
		r.carryOut(x.ctx)
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.run == r {
			x.run = nil
		}
		if x.guide == r {
			x.guide = nil
		}
	}()
}

// kept answers whether the journal keeps a plan: whoever confirms one that
// only watches does nothing.
func kept(p *cluster.Plan) bool { return p.Acts() || byPerson(p) }

// byPerson answers whether a plan holds a step for a person.
func byPerson(p *cluster.Plan) bool {
	return slices.ContainsFunc(p.Steps, func(s cluster.PlanStep) bool { return s.Kind == cluster.StepManual })
}

// guides answers whether a plan only leads a person, step by step.
func guides(p *cluster.Plan) bool {
	return !p.Acts() && (len(p.Steps) > 1 || byPerson(p))
}

// overrides are the phrases that were typed, to be looked up.
func overrides(phrases []string) map[string]bool {
	out := map[string]bool{}
	for _, p := range phrases {
		out[p] = true
	}
	return out
}

// firstMissing is the sentence of the first guard that neither holds nor was
// overridden by typing; "" when there is none.
func firstMissing(gs []cluster.CheckedGuard, typed map[string]bool) string {
	g := missing(gs, typed)
	if g == nil {
		return ""
	}
	return missingText(g)
}

// missing is that guard; nil when there is none.
func missing(gs []cluster.CheckedGuard, typed map[string]bool) *cluster.CheckedGuard {
	for _, g := range gs {
		if g.Answer.Truth == cluster.True || g.Override != "" && typed[g.Override] {
			continue
		}
		return &g
	}
	return nil
}

// missingText says why a guard does not hold.
func missingText(g *cluster.CheckedGuard) string {
	if g.Answer.Truth == cluster.Unknown && !strings.Contains(g.Answer.Sentence, "unknown") {
		return g.Answer.Sentence + " (unknown)"
	}
	return g.Answer.Sentence
}
