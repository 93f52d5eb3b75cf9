package plain

import (
	"fmt"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// sayPlan says a plan before anything runs, command by command.
func (t *talk) sayPlan(p cluster.Plan) {
	t.say("Plan %s: %s, %s.", p.ID, offerName(p.Procedure, p.Node, p.Service), tiers[p.Tier])
	t.sub("%s", sentence(p.Summary))
	t.labelled("Lasts", p.Lasts)
	t.labelled("Guide", p.Section)
	for _, s := range p.Steps {
		t.sayStep(s)
	}
	if len(p.Back) > 0 {
		t.say("The way back, carried out if step %s or a later one does not end well:", p.BackFrom)
		for _, s := range p.Back {
			t.sayStep(s)
		}
	}
	if len(p.Copies) > 0 {
		t.say("What would be lost of the other copies:")
		for _, c := range p.Copies {
			t.sub("%s", sentence(c.Sentence))
		}
	}
	t.say("This must hold, and is read again on the nodes before each step:")
	for _, g := range p.Guards {
		t.sub("%s", sentence(t.guardWords(g)))
	}
	t.say("Nothing has run. Type confirm to be asked for the phrase, rehearse to see it carried out on a simulation first, plan again to make it anew.")
}

// sayStep says one step: command byte for byte, what it destroys, and by what
// it is known to have worked.
func (t *talk) sayStep(s cluster.PlanStep) {
	t.say("%s: %s", stepName(s), sentence(or(s.Say, s.Command)))
	t.labelled("Command", s.Command)
	t.labelled("By hand", s.ToDo)
	if s.When != nil {
		t.labelled("Only while", s.When.String())
	}
	if s.EffectSay != "" {
		t.labelled("Then", s.EffectSay)
	}
	if s.Deadline > 0 {
		t.labelled("Within", spanText(s.Deadline))
	}
	if s.Joined {
		t.sub("At once after the step before: no stop between them.")
	}
	if s.Destroys != "" {
		t.labelled("Last point of no return", s.Destroys)
	}
}

// confirm begins with the question for the plan that was said last.
func (t *talk) confirm([]string) {
	p := t.plan
	switch {
	case p == nil:
		t.say("There is no plan to confirm. Type menu, then plan and a number.")
		return
	case p.Tier == cluster.T0:
		t.handOver(*p, "")
		return
	case t.state.Mode == watch.ReadOnly:
		t.say("The cockpit was started read-only: nothing can be carried out.")
		return
	}
	if t.acting() != nil { // one that only watches gives way
		t.say("Another plan is at work: one at a time.")
		return
	}
	if why := t.differs(*p); len(why) > 0 {
		t.sayStale(why)
		return
	}
	if p.Tier >= cluster.T3 && t.state.Mode != watch.Armed {
		t.say("T3 can be confirmed only while the cockpit is armed. Type arm first, then plan again.")
		return
	}
	t.sayLast(*p)
	t.askPhrase(*p, p.Phrases)
}

// sayStale says why a plan can no longer be taken as it is.
func (t *talk) sayStale(why []string) {
	t.say("The situation changed since the plan was made. Type plan again, and read it.")
	for _, w := range why {
		t.sub("%s", sentence(w))
	}
}

// differs names every guard whose answer is another one than in the plan.
func (t *talk) differs(p cluster.Plan) []string {
	guards, changed := t.door.Recheck(p.ID)
	if !changed {
		return nil
	}
	before := map[string]cluster.Truth{}
	for _, g := range p.Guards {
		before[g.Node+" "+g.Question.String()] = g.Answer.Truth
	}
	var all []string
	for _, g := range guards {
		if was, ok := before[g.Node+" "+g.Question.String()]; !ok || was != g.Answer.Truth {
			all = append(all, fmt.Sprintf("was %s, now %s: %s", was, g.Answer.Truth, g.Answer.Sentence))
		}
	}
	if len(all) == 0 {
		all = []string{"the plan is no longer what would be made now"}
	}
	return all
}

// sayLast says where, what is lost, what is kept, how long, and the way back.
func (t *talk) sayLast(p cluster.Plan) {
	t.say("%s.", p.Title)
	t.labelled("Where", p.Where)
	t.labelled("Lost", p.Lost)
	for _, c := range p.Copies {
		t.sub("%s", sentence(c.Sentence))
	}
	t.labelled("Kept", p.Kept)
	t.labelled("Lasts", p.Lasts)
	t.labelled("Way back", p.WayBack)
	for _, s := range p.Steps {
		if s.Command != "" {
			t.labelled("Runs on "+s.Node, s.Command)
		}
	}
}

// askPhrase asks for the first of the phrases that are left.
func (t *talk) askPhrase(p cluster.Plan, left []string) {
	if len(left) == 0 {
		return
	}
	want := left[0]
	for _, g := range p.Guards {
		if g.Override != "" && g.Override == want {
			t.say("%s The phrase says that you go on all the same.", sentence(g.Answer.Sentence))
		}
	}
	put := "Type " + want + " by hand, then Enter."
	if n := len(p.Phrases); n > 1 {
		put = fmt.Sprintf("Type %s by hand, then Enter. This is phrase %d of %d.", want, n-len(left)+1, n)
	}
	t.ask(question{
		put: put + " Anything else, or an empty line, is no.", want: want,
		no:     "nothing was done on " + or(p.Node, "any node"),
		wrong:  func(typed string) { t.witness(func(w watch.Witness) { w.WrongPhrase(p, typed) }) },
		spoilt: func() []string { return t.differs(p) },
		yes:    func() { t.handOver(p, want) },
	})
}

// handOver hands a typed text to the door.
func (t *talk) handOver(p cluster.Plan, text string) {
	left, err := t.door.Confirm(p.ID, text)
	switch {
	case err != nil:
		t.plan = nil
		t.say("Nothing was done: %s", sentence(err.Error()))
		t.deafen()
	case len(left) > 0:
		t.askPhrase(p, left)
	default:
		t.plan = nil
		t.say("Plan %s is confirmed and begins. Type stop to stop it before its next step.", p.ID)
		t.hear()
	}
}

// spanText is a length of time.
func spanText(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d < 2*time.Minute:
		return plural(int(d.Seconds()), "second", "seconds")
	case d < 2*time.Hour:
		text := plural(int(d.Minutes()), "minute", "minutes")
		if rest := int(d.Seconds()) % 60; rest > 0 && d < 10*time.Minute {
			text += " " + plural(rest, "second", "seconds")
		}
		return text
	}
	return plural(int(d.Hours()), "hour", "hours")
}

// clockText is a time of day, in UTC.
func clockText(at time.Time) string {
	if at.IsZero() {
		return "an unknown time"
	}
	return at.UTC().Format("15:04:05") + "Z"
}

// goesOnText says what becomes of a plan that is left.
func goesOnText(r cluster.PlanState) string {
	return fmt.Sprintf("%s is at work. Its step goes on by itself on its node; no further step begins without the cockpit.",
		strings.TrimSpace(offerName(r.Plan.Procedure, r.Plan.Node, r.Plan.Service)))
}
