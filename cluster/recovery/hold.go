package recovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"chef-backend-cockpit/cluster"
)

// askEvery is how often a node is looked at anew while a person is asked about it.
const askEvery = 5 * time.Second

// hold is a run that waits for a person. It has no end of its own: nothing runs
// meanwhile. The run's lock guards it.
type hold struct {
	ask     cluster.Ask
	i       int           // of the step in the state
	step    string        // id
	phrase  string        // to be typed, for AskPhrase
	who     *identity     // the machine that the phrase is for; nil while it is not known
	unready string        // why the phrase cannot be taken yet; "" when it can
	differ  deviations    // what is told to be otherwise than rehearsed; once answered, what was told then
	answer  chan bool     // whether the phrase was right; true for a tick
	wants   chan *wanted  // terminals that are wanted
	over    chan struct{} // closed when nothing is asked for any more
}

// deviations are facts that are otherwise than rehearsed, by their titles.
type deviations map[string]cluster.Deviation

// reason is what is said before a question, and the deviations that it tells.
type reason struct {
	text   string
	differ deviations
}

// enter lets the run wait for a person. What is asked is published with it:
// nothing can be answered that nobody was shown.
func (r *run) enter(i int, h *hold, askedFor, sentence string) {
	h.i, h.answer, h.wants, h.over = i, make(chan bool, 1), make(chan *wanted), make(chan struct{})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = h
	st := &r.state.Steps[i]
	r.state.Status, r.state.Sentence = cluster.StatusAsked, sentence
	st.Status, st.Asks, st.AskedFor, st.Sentence = cluster.StatusAsked, h.ask, askedFor, sentence
	r.x.o.Publish(r.copied())
}

// leave ends the waiting.
func (r *run) leave(h *hold) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held == h {
		r.over(h)
	}
	close(h.over)
}

// over ends what is asked for, and what is shown of it with it. Callers hold
// the lock.
func (r *run) over(h *hold) {
	r.held = nil
	st := &r.state.Steps[h.i]
	r.state.Status, r.state.Sentence = cluster.StatusRunning, st.Step.Say
	st.Status, st.Asks, st.AskedFor = cluster.StatusRunning, "", ""
	r.x.o.Publish(r.copied())
}

// retell publishes the question in other words, unless it was answered
// meanwhile. What the words do not tell is not taken as told.
func (r *run) retell(h *hold, sentence string, differ deviations) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if st := &r.state.Steps[h.i]; r.held == h && st.Sentence != sentence {
		h.differ = differ
		r.state.Sentence, st.Sentence = sentence, sentence
		r.x.o.Publish(r.copied())
	}
}

// askPhrase holds before a step that reaches a further node until its phrase is
// typed. Who the node is is taken first, and shown with the question; the
// step's session compares it with what was confirmed. before is what is said
// before the question, anew every few seconds; nil for nothing. The screens let
// nobody answer other words than they showed: an age or a count that moves by
// itself has no place in them. Who types the phrase lets pass what was told then.
func (r *run) askPhrase(ctx context.Context, i int, s cluster.PlanStep, before func() reason) ending {
	if before == nil {
		before = func() reason { return reason{} }
	}
	h := &hold{ask: cluster.AskPhrase, step: s.ID, phrase: s.Phrase}
	said := ""
	for s.Command != "" && h.who == nil {
		var why string
		if said, why = r.meet(ctx, s, h); why != "" {
			return ending{status: cluster.StatusRefused, sentence: why + notRun(s)}
		}
		if h.who == nil {
			if end := r.pauseFor(ctx, i, s, said); !end.well() {
				return end
			}
		}
	}
	ask := fmt.Sprintf("type %q to go on: %s", s.Phrase, s.Say)
	first := before()
	h.differ = first.differ
	r.enter(i, h, s.Phrase, joinText([]string{first.text, ask, said}))
	defer r.leave(h)
	for {
		select {
		case <-ctx.Done():
			return ending{status: cluster.StatusStopped, sentence: "left before step " + s.Number}
		case <-r.stop:
			return ending{status: cluster.StatusStopped, sentence: "stopped by the operator before step " + s.Number}
		case right := <-h.answer:
			if !right {
				return ending{status: cluster.StatusStopped, sentence: fmt.Sprintf("what was typed is not %q%s", s.Phrase, notRun(s))}
			}
			if h.who != nil {
				r.identity[s.Node] = *h.who
			}
			r.met[s.Node] = true
			r.accept(h.differ)
			return ending{status: cluster.StatusDone}
		case <-r.x.o.Clock.After(askEvery):
		}
		if s.Command != "" {
			var why string
			if said, why = r.meet(ctx, s, h); why != "" {
				return ending{status: cluster.StatusRefused, sentence: why + notRun(s)}
			}
		}
		now := before()
		r.retell(h, joinText([]string{now.text, ask, said}), now.differ)
	}
}

// pauseFor waits a little for a node that does not tell who it is. It has no
// end of its own: a machine may only be on its way.
func (r *run) pauseFor(ctx context.Context, i int, s cluster.PlanStep, said string) ending {
	r.change(func(p *cluster.PlanState) {
		p.Status, p.Sentence = cluster.StatusWaiting, cmp.Or(waitsFor(s.Node), "waits: ")+said
		p.Steps[i].Status, p.Steps[i].Sentence = cluster.StatusWaiting, p.Sentence
	})
	select {
	case <-ctx.Done():
		return ending{status: cluster.StatusStopped, sentence: "left before step " + s.Number}
	case <-r.stop:
		return ending{status: cluster.StatusStopped, sentence: "stopped by the operator before step " + s.Number}
	case <-r.x.o.Clock.After(askEvery):
		return ending{status: cluster.StatusDone}
	}
}

func waitsFor(node string) string {
	if node == "" {
		return ""
	}
	return "waits for " + node + ": "
}

// meet looks at the node that a step reaches; said is who it is, or that it does
// not tell. why is what makes it the wrong machine, "" for nothing. A machine
// that the plan knew must be the same one, unless the step says that it may be
// new.
func (r *run) meet(ctx context.Context, s cluster.PlanStep, h *hold) (said, why string) {
	since := r.x.o.Clock.Now()
	looking, cancel := context.WithTimeout(ctx, networkWait)
	defer cancel()
	r.x.o.Fresh(looking, s.Node, since, false) //nolint:errcheck // a missing look shows by the report's age
	was, now := r.identity[s.Node], identityOf(r.x.current(r.view(), since).Report(s.Node))

	r.mu.Lock()
	defer r.mu.Unlock()
	h.unready = ""
	switch changed := was.machineDiffers(s.Node, now); {
	case !now.known() || now.BootID == "":
		h.unready = s.Node + " does not tell who it is" + r.linkText(s.Node)
		return h.unready, ""
	case h.who != nil && h.who.differs(s.Node, now) != "":
		return "", "while the phrase was asked for another machine answered: " + h.who.differs(s.Node, now)
	case !was.known():
		said = s.Node + " was not seen when the plan was made; it is " + now.text()
	case changed != "" && s.NewMachine:
		said = s.Node + " is another machine than when the plan was made; it is " + now.text()
	case changed != "":
		return "", changed
	case was.BootID != now.BootID:
		said = s.Node + " was started again since the plan was made; it is " + now.text()
	default:
		said = s.Node + " is the machine of the plan: " + now.text()
	}
	h.who = &now
	return said, ""
}

// linkText says why a node cannot be reached, if that is so.
func (r *run) linkText(node string) string {
	if host := r.x.o.Hosts[node]; host == nil {
		return ": there is no way to it"
	} else if err := host.Link().Err; err != nil {
		return ": " + err.Error()
	}
	return ""
}

// asked is the hold of a kind; an error says that nothing of it is asked for.
func (r *run) asked(ask cluster.Ask, step string) (*hold, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h := r.held; h != nil && h.ask == ask && (step == "" || h.step == step) {
		return h, nil
	}
	return nil, fmt.Errorf("plan %s does not ask for this now", r.plan.ID)
}

// typing is what the journal keeps of a phrase that was typed, or of a tick, in
// the middle of a plan.
type typing struct {
	Plan     string    `json:"plan"`
	Step     string    `json:"step"`
	Typed    string    `json:"typed,omitempty"`
	Ticked   bool      `json:"ticked,omitempty"`
	Identity *identity `json:"identity,omitempty"`
	By       string    `json:"by,omitempty"`
	At       time.Time `json:"at"`
}

// typedText answers the phrase that the run asks for. A wrong one stops the
// plan; a right one that came too early changes nothing.
func (r *run) typedText(text string) error {
	h, err := r.asked(cluster.AskPhrase, "")
	if err != nil {
		return err
	}
	r.mu.Lock()
	right, unready, who, differ := text == h.phrase, h.unready, h.who, h.differ // as it was typed, however long the disk takes
	r.mu.Unlock()
	if right && unready != "" {
		return fmt.Errorf("nothing was done: %s", unready)
	}
	if right {
		if err := r.x.unarmed(&r.plan); err != nil {
			return err
		}
		t := typing{Plan: r.plan.ID, Step: h.step, Typed: text, Identity: who, By: r.x.o.Operator, At: r.x.o.Clock.Now()}
		if err := r.x.o.Recorder.Record("confirm", t); err != nil {
			return fmt.Errorf("nothing was done: the confirmation could not be written: %w", err)
		}
	}
	if !r.reply(h, right, who, differ) {
		return errors.New("the plan has gone on meanwhile")
	}
	if !right {
		return fmt.Errorf("what was typed is not %q: nothing was done, and the plan stops", h.phrase)
	}
	return nil
}

// reply answers a hold once, with the machine that was confirmed and what was
// told then. From then on nobody is shown the question any more.
func (r *run) reply(h *hold, right bool, who *identity, differ deviations) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held != h {
		return false
	}
	h.who, h.differ = who, differ
	h.answer <- right
	r.over(h)
	return true
}

// Tick says that what a manual step asks for has been done. What came of it is
// looked at next. An error means that nothing is ticked.
func (x *Executor) Tick(planID, stepID string) error {
	r, err := x.atWork(planID)
	if err != nil {
		return err
	}
	h, err := r.asked(cluster.AskTick, stepID)
	if err != nil {
		return err
	}
	t := typing{Plan: planID, Step: stepID, Ticked: true, By: x.o.Operator, At: x.o.Clock.Now()}
	if err := x.o.Recorder.Record("confirm", t); err != nil {
		return fmt.Errorf("the tick could not be written: %w", err)
	}
	if !r.reply(h, true, nil, nil) {
		return errors.New("the plan has gone on meanwhile")
	}
	return nil
}

// byHand asks a person to carry the step out, waits for the tick, and looks for
// the effects from then on.
func (r *run) byHand(ctx context.Context, i int, s cluster.PlanStep, general []cluster.Guard, since time.Time) ending {
	if why := r.holds(i, s, general, since); why != "" {
		return ending{status: cluster.StatusRefused, sentence: why + notRun(s)}
	}
	intent := cluster.Intent{Plan: r.plan.ID, Step: s.ID, Node: s.Node, ToDo: s.ToDo, Repeatable: s.Repeatable, Guards: r.snapshot().Steps[i].Guards}
	if err := r.x.o.Recorder.Record("intent", intent); err != nil {
		return ending{status: cluster.StatusRefused, sentence: fmt.Sprintf("what is to be done could not be written: %v", err) + notRun(s)}
	}
	r.mark(s.ID, func(m *mark) { m.intended = true })
	h := &hold{ask: cluster.AskTick, step: s.ID}
	r.enter(i, h, s.Say, "waits until somebody has done it: "+s.Say)
	select {
	case <-ctx.Done():
	case <-r.stop:
	case <-h.answer:
		r.leave(h)
		now := r.x.o.Clock.Now()
		r.mark(s.ID, func(m *mark) { m.by = r.x.o.Operator })
		end := r.awaitEffects(ctx, i, s, outcome{exitKnown: true}, now)
		end.sentence = joinText([]string{"ticked at " + now.UTC().Format(time.TimeOnly) + "Z" + byText(r.x.o.Operator), end.sentence})
		return end
	}
	r.leave(h)
	return ending{status: cluster.StatusStopped, sentence: "stopped by the operator before it was ticked; whether it was done is not known"}
}

func byText(who string) string {
	if who == "" {
		return ""
	}
	return " by " + who
}
