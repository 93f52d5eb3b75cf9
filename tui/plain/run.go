package plain

import (
	"cmp"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// runHeard is what was said of the plan at work.
type runHeard struct {
	id     string
	status cluster.Status
	steps  map[string]string // by step, what was said last
	why    map[string]string // by step, why it was said to wait for a person
	told   map[string]time.Time
}

// progressEvery is how seldom the progress of a step is said by itself, by the
// cluster's clock.
const progressEvery = 30 * time.Second

// running is the plan at work; nil for none.
func (t *talk) running() *cluster.PlanState {
	if t.state != nil && t.state.Run != nil && t.state.Run.Running() {
		return t.state.Run
	}
	return nil
}

// acting is the plan at work that runs commands; nil for none, and for one that
// only watches.
func (t *talk) acting() *cluster.PlanState {
	if r := t.running(); r != nil && r.Plan.Acts() {
		return r
	}
	return nil
}

// runChanges says what became of the steps since they were spoken of. Behind a
// part a guide is at work again: first it is said how the part ended, then what
// the guide waits for.
func (t *talk) runChanges(s *watch.State) {
	r := s.Run
	if r == nil {
		return
	}
	if r.Plan.ID != t.run.id {
		if before := s.Plan(t.run.id); before != nil {
			t.planChanges(s, before)
		}
		t.hearRun(r)
	}
	t.planChanges(s, r)
}

// hearRun begins to hear a plan, or goes on with it.
func (t *talk) hearRun(r *cluster.PlanState) {
	if t.runs == nil {
		t.runs = map[string]runHeard{}
	}
	t.runs[t.run.id] = t.run
	known := false
	if t.run, known = t.runs[r.Plan.ID]; !known {
		t.run = runHeard{id: r.Plan.ID, steps: map[string]string{}, why: map[string]string{}, told: map[string]time.Time{}}
	}
	for _, st := range r.Steps {
		if st.Status == cluster.StatusAsked {
			delete(t.run.steps, st.Step.ID) // said once more
		}
	}
}

// planChanges says what became of a plan.
func (t *talk) planChanges(s *watch.State, r *cluster.PlanState) {
	for _, st := range r.Steps {
		t.stepChanges(s, r, st)
	}
	if t.run.status != r.Status && !r.Running() {
		t.say("%s %s has ended: %s. %s", clockText(s.At), offerName(r.Plan.Procedure, r.Plan.Node, r.Plan.Service), r.Status, t.capital(sentence(r.Sentence)))
		for _, e := range r.OpenEnds {
			t.labelled("Left open", e)
		}
	}
	t.run.status = r.Status
}

// stepChanges says how a step stands, when it stands otherwise.
func (t *talk) stepChanges(s *watch.State, r *cluster.PlanState, st cluster.StepState) {
	if st.Status == cluster.StatusNext {
		return
	}
	key := st.Step.ID
	says := string(st.Status) + string(st.Asks) + st.AskedFor
	about := stepName(st.Step)
	if t.run.steps[key] == says {
		if st.Status == cluster.StatusAsked && t.run.why[key] != st.Sentence && !t.rehearses {
			t.say("%s %s still waits for you, and says now: %s", clockText(s.At), about, sentence(st.Sentence))
		}
		t.run.why[key] = st.Sentence
		t.progress(s, st)
		return
	}
	t.run.steps[key], t.run.why[key], t.run.told[key] = says, st.Sentence, s.At
	switch st.Status {
	case cluster.StatusRunning:
		t.say("%s %s begins: %s", clockText(s.At), about, sentence(or(st.Step.Say, st.Step.Command)))
	case cluster.StatusWaiting:
		since := ""
		if st.Step.Command != "" {
			since = "the command has ended; "
		}
		t.say("%s %s: %swaiting until %s", clockText(s.At), about, since, sentence(or(st.Step.EffectSay, "its effect is seen")))
	case cluster.StatusAsked:
		if t.rehearses {
			t.say("%s %s asks for a person; here that is answered by itself.", clockText(s.At), about)
			break
		}
		t.sayAsked(r, st)
	default:
		t.say("%s %s is %s. %s", clockText(s.At), about, st.Status, t.capital(sentence(st.Sentence)))
		t.stepTrouble(st)
	}
}

// stepName is a step by its number and node.
func stepName(s cluster.PlanStep) string {
	if s.Node == "" {
		return "Step " + s.Number
	}
	return "Step " + s.Number + " on " + s.Node
}

// progress says a step's progress now and then.
func (t *talk) progress(s *watch.State, st cluster.StepState) {
	if st.Status != cluster.StatusRunning || st.Progress == "" || s.At.Sub(t.run.told[st.Step.ID]) < progressEvery {
		return
	}
	t.run.told[st.Step.ID] = s.At
	t.say("%s %s: %s", clockText(s.At), stepName(st.Step), sentence(st.Progress))
}

// stepTrouble says what is known of a step that did not end well.
func (t *talk) stepTrouble(st cluster.StepState) {
	if st.Status == cluster.StatusDone || st.Status == cluster.StatusSkipped {
		return
	}
	if st.ExitKnown && st.Exit != 0 {
		t.sub("Its exit status is %d.", st.Exit)
	}
	for _, g := range st.Guards {
		if g.Answer.Truth != cluster.True {
			t.sub("%s", sentence(t.guardWords(g)))
		}
	}
	for _, o := range st.Output[max(len(st.Output)-6, 0):] {
		t.labelled("It wrote", o)
	}
}

// sayAsked says what the plan waits for.
func (t *talk) sayAsked(r *cluster.PlanState, st cluster.StepState) {
	t.say("%s waits for you. %s: %s", offerName(r.Plan.Procedure, r.Plan.Node, r.Plan.Service), stepName(st.Step), sentence(st.Step.Say))
	t.labelled("Why", st.Sentence)
	t.labelled("Command", st.Step.Command)
	t.labelled("Lost", st.Step.Destroys)
	switch st.Asks {
	case cluster.AskPhrase:
		t.sub("Type answer to be asked for the phrase, or stop.")
	case cluster.AskTick:
		t.labelled("Do", st.Step.ToDo)
		t.labelled("Then", st.Step.EffectSay)
		t.sub("Type tick when it is done, or stop.")
	case cluster.AskTerminal:
		t.sub("It wants a terminal. Type answer to be asked for the node's name and have one here, by lines, or stop. For a program that draws, quit and open the cockpit with its screen: that takes the plan up where it stands.")
	}
}

// answerPlan answers what the plan waits for.
func (t *talk) answerPlan([]string) {
	r := t.running()
	st := r.Asked()
	if st == nil {
		t.say("No plan asks for anything now.")
		return
	}
	plan, step, was := r.Plan, st.Step, *st
	spoilt := func() []string { return t.asksOtherwise(plan.ID, was) }
	t.sayAsked(r, *st)
	switch st.Asks {
	case cluster.AskPhrase:
		want := cmp.Or(st.AskedFor, step.Phrase)
		t.ask(question{put: "Type " + want + " by hand, then Enter. Anything else, or an empty line, is no.", want: want, spoilt: spoilt,
			no:    "nothing was done on " + step.Node + "; the plan still waits",
			wrong: func(typed string) { t.witness(func(w watch.Witness) { w.WrongPhrase(plan, typed) }) },
			yes: func() {
				_, err := t.door.Confirm(plan.ID, want)
				t.report(err, "It goes on with "+step.Node+".")
			}})
	case cluster.AskTick:
		t.ask(question{put: "Type done by hand, then Enter, when it is done. Anything else is no.", want: "done", spoilt: spoilt,
			no:  "it is not ticked; the plan still waits",
			yes: func() { t.report(t.door.Tick(plan.ID, step.ID), "Ticked. What came of it is looked at now.") }})
	case cluster.AskTerminal:
		t.ask(question{put: "Type " + step.Node + " by hand, then Enter, to take its terminal. Anything else, or an empty line, is no.", want: step.Node, spoilt: spoilt,
			no:    "no terminal was opened on " + step.Node + "; the plan still waits",
			wrong: func(typed string) { t.witness(func(w watch.Witness) { w.WrongPhrase(plan, typed) }) },
			yes:   func() { t.takeTerminal(plan, step) }})
	}
}

// asksOtherwise says why what was asked for is no longer what is waited for;
// nothing while the plan asks for the same, and for the same reason.
func (t *talk) asksOtherwise(plan string, was cluster.StepState) []string {
	r := t.running()
	now := r.Asked()
	switch {
	case now == nil || r.Plan.ID != plan || now.Step.ID != was.Step.ID:
		return []string{"the plan no longer waits there"}
	case now.Asks != was.Asks || now.AskedFor != was.AskedFor || now.Sentence != was.Sentence:
		return []string{"what the plan waits for has changed: read it, and type answer or tick again"}
	}
	return nil
}

// report says an error, or that it is done.
func (t *talk) report(err error, done string) {
	if err != nil {
		t.deafen()
		t.say("%s", sentence(capital(err.Error())))
		return
	}
	t.say("%s", done)
}

// stop asks the plan at work to stop.
func (t *talk) stop([]string) {
	if t.running() == nil {
		t.say("No plan is at work.")
		return
	}
	t.door.Stop()
	t.say("It stops before its next step. The step at work is never interrupted.")
}

// output says what the steps of the newest plan wrote, as far as it is held.
func (t *talk) output([]string) {
	r := t.state.Run
	if r == nil {
		t.say("No plan was carried out here.")
		return
	}
	t.say("%s, %s. %s", offerName(r.Plan.Procedure, r.Plan.Node, r.Plan.Service), r.Status, sentence(r.Sentence))
	for _, st := range r.Steps {
		t.say("%s, %s: %s", stepName(st.Step), st.Status, sentence(or(st.Sentence, st.Step.Say)))
		t.labelled("Command", st.Step.Command)
		t.labelled("Progress", st.Progress)
		for _, o := range st.Output {
			t.labelled("It wrote", o)
		}
	}
}
