package recovery

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// Resume takes up a plan that was left. What was at work is looked up at its
// node: finished, running and followed again, or unknown. Then the plan holds:
// it never goes on by itself. Confirm with its phrases lets it go on, Stop ends
// it as it stands. ended is closed when nothing of it is at work here any more.
// An error means that nothing was taken up.
func (x *Executor) Resume(l Left) (ended <-chan struct{}, err error) {
	r, err := x.restored(l)
	if err != nil {
		return nil, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.ctx.Err() != nil:
		return nil, errLeaving
	case x.doubles(r.plan.ID):
		return nil, fmt.Errorf("plan %s is at work", r.plan.ID)
	case x.busy() != "":
		return nil, fmt.Errorf("plan %s is at work: one plan at a time", x.busy())
	}
	x.start(r)
	return r.done, nil
}

// takeUp looks up what was at work when the cockpit was left, and asks whether
// the plan is to go on. from is the step to go on with; a bad end is how the
// plan stands, or why it does not go on. For a new plan it is the first step.
func (r *run) takeUp(ctx context.Context) (from int, end ending) {
	if r.left == nil {
		return 0, ending{status: cluster.StatusDone}
	}
	if open := r.left.open; open != nil {
		end := r.settleOpen(ctx, open)
		if ctx.Err() != nil {
			return 0, end
		}
	}
	from, why, end := r.stands()
	if r.left.broken != "" {
		return from, ending{status: notWell(end.status), sentence: joinText([]string{end.sentence, "the journal of this plan is not as it was written, so it cannot go on: " + r.left.broken})}
	}
	if !end.well() || from == len(r.plan.Steps) {
		return from, end
	}
	return from, r.askToGoOn(ctx, from, why)
}

// notWell is stopped for a plan that could have gone on.
func notWell(s cluster.Status) cluster.Status {
	if s == cluster.StatusDone || s == "" {
		return cluster.StatusStopped
	}
	return s
}

// settleOpen looks up the act without a known outcome, and writes what came of it.
func (r *run) settleOpen(ctx context.Context, open *openIntent) ending {
	say := "was at work when the cockpit was left; it is looked up on " + open.Node
	r.change(func(p *cluster.PlanState) {
		p.Status, p.Sentence = cluster.StatusRunning, joinText([]string{p.Steps[open.i].Step.Say, say})
		p.Steps[open.i].Status, p.Steps[open.i].Sentence = cluster.StatusRunning, say
	})
	end := r.lookUpOpen(ctx, open)
	if ctx.Err() != nil {
		return end
	}
	return r.settle(open.i, end)
}

// lookUpOpen finds out what came of an act: from its folder on the node, then
// from the facts that prove that it worked.
func (r *run) lookUpOpen(ctx context.Context, open *openIntent) ending {
	s := r.snapshot().Steps[open.i].Step
	if s.Kind == cluster.StepManual {
		return ending{status: cluster.StatusStopped, sentence: "the cockpit was left before it was ticked; whether it was done is not known"}
	}
	if r.x.o.Hosts[s.Node] == nil {
		return ending{status: cluster.StatusUnknown, sentence: "there is no way to " + s.Node + ": what came of it is unknown"}
	}
	now := r.x.o.Clock.Now()
	sent := open.at
	if sent.After(now) {
		sent = now // the clock was put back
	}
	boot := open.Boot
	f := &follower{r: r, i: open.i, s: s, id: s.ID, boot: boot, token: open.Token, sent: sent, moved: now, sum: sha256.New(),
		script: r.transcript(open.i, s, open.Step), copied: r.growth(s), inTerminal: open.Terminal, again: true, resumed: true}
	f.s.ID, f.script.from = open.Step, r.left.written[open.Step]
	out, end, known := f.attach(ctx)
	if !known {
		out, end = f.lookUp(ctx)
	}
	if ctx.Err() != nil {
		return end
	}
	if open.Terminal {
		out = out.hungUp()
	}
	out = f.over(out)
	switch {
	case !end.well():
		return end
	case out.wantsTerminal():
		r.mark(s.ID, func(m *mark) { m.started, m.handed = false, true })
		return ending{status: cluster.StatusRefused, sentence: fmt.Sprintf("%s (exit status %d)", wantsTerminal, out.exit)}
	}
	if renames(s.Command) {
		r.identity[s.Node] = r.identity[s.Node].renamed()
	}
	return r.awaitEffects(ctx, open.i, s, out, sent)
}

// stands finds where the plan stands: the step to go on with, and why it is
// asked for, or how the plan ended.
func (r *run) stands() (from int, why string, end ending) {
	p := r.snapshot()
	for i, st := range p.Steps[:len(r.plan.Steps)] {
		m := r.marked(st.Step.ID)
		switch {
		case st.Status == cluster.StatusDone || st.Status == cluster.StatusSkipped:
		case st.Status == cluster.StatusNext:
			return i, "", ending{status: cluster.StatusDone}
		case len(p.Steps) > len(r.plan.Steps): // it was on the way back
			return i, "", ending{status: st.Status, sentence: st.Sentence}
		case st.Status == cluster.StatusRefused && !m.started, st.Status == cluster.StatusStopped && st.Step.Kind == cluster.StepManual:
			return i, st.Sentence, ending{status: cluster.StatusDone}
		case st.Status == cluster.StatusUnknown && st.Step.Repeatable && st.Step.Kind == cluster.StepCommand && !r.goesBack():
			r.mark(st.Step.ID, func(m *mark) { m.again++ })
			return i, st.Sentence + "; it can be done again without harm", ending{status: cluster.StatusDone}
		default:
			return i, "", ending{status: st.Status, sentence: st.Sentence}
		}
	}
	if len(p.Steps) > len(r.plan.Steps) {
		return len(r.plan.Steps), "", ending{status: cluster.StatusStopped, sentence: "stopped before the cockpit was left"}
	}
	return len(r.plan.Steps), "", ending{status: cluster.StatusDone}
}

// connected waits a little for the links of a cockpit that has just begun: what
// is asked and the lock need more than the step's own node.
func (r *run) connected(ctx context.Context, i int, s cluster.PlanStep) ending {
	waiting, cancel := context.WithTimeout(ctx, networkWait)
	defer cancel()
	for waiting.Err() == nil {
		var not []string
		for name, h := range r.x.o.Hosts {
			if h.Link().Phase == remote.Connecting {
				not = append(not, name)
			}
		}
		if len(not) == 0 {
			break
		}
		slices.Sort(not)
		if end := r.pauseFor(ctx, i, s, "connecting to "+strings.Join(not, " and ")); !end.well() {
			return end
		}
	}
	return ending{status: cluster.StatusDone}
}

// askToGoOn holds before a step until the plan's phrases were typed once more,
// with the guards as they are now.
func (r *run) askToGoOn(ctx context.Context, i int, why string) ending {
	was := r.snapshot().Steps[i]
	s := was.Step
	phrases := r.plan.Phrases
	if len(phrases) == 0 {
		phrases = []string{"go on"}
	}
	if end := r.connected(ctx, i, s); !end.well() {
		r.step(i, func(st *cluster.StepState) { *st = was })
		return end
	}
	r.x.fresh(ctx, r.x.o.Clock.Now(), true)
	missing := r.missingNow(i, s)
	before := func() reason {
		return reason{text: joinText([]string{"the cockpit was left during this plan, and nothing goes on by itself", why, missing()})}
	}
	for _, phrase := range phrases {
		s.Phrase = phrase
		if end := r.askPhrase(ctx, i, s, before); !end.well() {
			r.step(i, func(st *cluster.StepState) { *st = was })
			return end
		}
	}
	r.left.going = true
	return ending{status: cluster.StatusDone}
}

// missingNow asks the guards of a step as they are now, to be shown; what lets
// it act is asked again when its turn has come. "" where all hold. While the same
// one is missing the words stay as they are: the answers move with every look,
// and stand with the step.
func (r *run) missingNow(i int, s cluster.PlanStep) func() string {
	var was, said string
	return func() string {
		v := r.view()
		if s.When != nil && s.When.Ask(v, bound(&r.plan, s)).Truth == cluster.False {
			return "not due now: it will be passed"
		}
		checked := askAll(v, &r.plan, s, r.general)
		r.mu.Lock()
		r.state.Steps[i].Guards = checked
		r.mu.Unlock()
		g := missing(checked, r.typed)
		if g == nil {
			was, said = "", ""
		} else if is := fmt.Sprint(g.Node, " ", g.String(), " ", g.Answer.Truth); is != was {
			was, said = is, "does not hold now: "+missingText(g)
		}
		return said
	}
}
