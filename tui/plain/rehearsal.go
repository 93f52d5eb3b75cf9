package plain

import (
	"context"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// rehearseWithin bounds the making of a simulation that is as the cluster.
const rehearseWithin = 90 * time.Second

// rehearsal is a plan that is carried out on a simulation. What is said of it is
// said by a conversation of its own, every text marked.
type rehearsal struct {
	door watch.Rehearsal
	plan cluster.Plan
	said *talk
}

// rehearse carries the plan that was said last out on a simulation, or leaves it.
func (t *talk) rehearse(words []string) {
	switch {
	case len(words) > 0 && words[0] == "stop" && t.rehearsal != nil:
		t.leaveRehearsal()
		t.say("The rehearsal was left. Nothing was done on any node.")
		return
	case t.rehearsal != nil:
		t.say("A rehearsal is under way. Type rehearse stop to leave it.")
		return
	case t.plan == nil:
		t.say("There is no plan to rehearse. Type menu, then plan and a number.")
		return
	}
	p := *t.plan
	if why := t.differs(p); len(why) > 0 {
		t.sayStale(why)
		return
	}
	t.say("A simulation is brought into the state in which the cluster is seen. That takes up to a minute and a half. Its hosts are in this program: nothing reaches a node.")
	ctx, cancel := context.WithTimeout(t.ctx, rehearseWithin)
	defer cancel()
	door, err := t.door.Rehearse(ctx, p.ID)
	if err != nil {
		t.report(err, "")
		return
	}
	r := &rehearsal{door: door, plan: p, said: newTalk(t.ctx, Options{Door: door, Clock: door.Clock(), Human: t.o.Human, Out: t.o.Out})}
	r.said.voice, r.said.rehearses = &voice{w: t.o.Out, mark: "Rehearsal: "}, true
	t.rehearsal = r
	r.said.say("It begins. No phrase is typed, and what the plan asks is answered by itself. Type rehearse stop to leave it.")
	t.hearRehearsal()
}

// rehearsalChanged carries a token when there is news of the rehearsal.
func (t *talk) rehearsalChanged() <-chan struct{} {
	if t.rehearsal == nil {
		return nil
	}
	return t.rehearsal.door.Changed()
}

// hearRehearsal says what changed in the rehearsal, and how it ended.
func (t *talk) hearRehearsal() {
	r := t.rehearsal
	s := r.door.State()
	r.said.state = s
	r.said.runChanges(s)
	if s.Rehearsal == nil || !s.Rehearsal.Over {
		return
	}
	begun := s.Rehearsal.Refused == "" && s.Run != nil
	r.verdict(s, begun)
	t.leaveRehearsal()
	if begun {
		t.say("It is kept with the plan, and the real run is compared with it. Confirm, or plan again.")
	}
}

// verdict says how the plan would end, and on what that rests.
func (r *rehearsal) verdict(s *watch.State, begun bool) {
	t, run := r.said, s.Run
	switch {
	case !begun:
		t.say("no step was begun. %s", capital(sentence(s.Rehearsal.Refused)))
	case run.Status == cluster.StatusDone:
		r.broughtAbout(run.Prediction)
		t.say("the plan would run to its end.")
	default:
		r.broughtAbout(run.Prediction)
		t.say("the plan would stop %s %s", run.Prediction.Stopped(r.plan), sentence(run.Sentence))
	}
	if len(s.Rehearsal.Assumed) > 0 {
		t.say("assumed, as no look told it: %s.", strings.Join(s.Rehearsal.Assumed, "; "))
	}
}

// broughtAbout says what each step changed.
func (r *rehearsal) broughtAbout(p *cluster.Prediction) {
	for _, s := range r.plan.Steps {
		if told := p.Step(s.ID); told != nil && len(told.Changed) > 0 {
			r.said.say("step %s brought about: %s.", s.Number, cluster.FactsText(told.Changed))
		}
	}
}

// leaveRehearsal ends the simulation, if there is one.
func (t *talk) leaveRehearsal() {
	if t.rehearsal == nil {
		return
	}
	door := t.rehearsal.door
	t.rehearsal = nil
	if err := door.Close(); err != nil {
		t.say("The simulation: %s", sentence(err.Error()))
	}
}
