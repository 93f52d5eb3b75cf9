package recovery

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
)

// deviatesAfter is how long what a step brought about may take to become as it
// was rehearsed: cluster-status is late by itself, and services need a while.
const (
	deviatesAfter = 40 * time.Second
	compareEvery  = 2 * time.Second
)

// asRehearsed compares what the steps before step i brought about with the
// plan's rehearsal, and holds where a fact is known to be otherwise, or where
// the rehearsal itself came no further. Only typed words let the plan go on.
func (r *run) asRehearsed(ctx context.Context, i int) ending {
	well := ending{status: cluster.StatusDone}
	if r.x.o.Rehearses || r.predicted == nil || r.beyond || r.plan.Steps[i].Joined {
		return well
	}
	s := r.plan.Steps[i]
	p := r.predicted.Step(s.ID)
	if stopped := p == nil || p.Status != cluster.StatusDone && p.Status != cluster.StatusSkipped; stopped {
		r.beyond = true
		return r.askAnyway(ctx, i, func() reason {
			return reason{text: "the rehearsal stopped at this step: " + r.predicted.Sentence}
		})
	}
	if i == 0 {
		return well
	}
	// What came while the words were typed nobody has read: it is asked for anew.
	for differ := r.differences(ctx, i-1); len(differ.owed) > 0; r.look(differ) {
		end := r.askAnyway(ctx, i, func() reason {
			r.look(differ)
			return reason{"step " + r.plan.Steps[i-1].Number + " did not come to what was rehearsed" + differ.text(), differ.told()}
		})
		if !end.well() {
			return end
		}
	}
	return well
}

// accept lets pass what the operator has read: it holds no further step.
func (r *run) accept(differ deviations) {
	if r.accepted == nil {
		r.accepted = map[string]string{}
	}
	for title, d := range differ {
		r.accepted[title] = d.Fact.Value
	}
}

// endAsRehearsed says how the last step's facts compare; "" without a rehearsal.
func (r *run) endAsRehearsed(ctx context.Context) string {
	i := len(r.plan.Steps) - 1
	if r.x.o.Rehearses || r.predicted == nil || r.beyond || i < 0 {
		return ""
	}
	differ := r.differences(ctx, i)
	switch {
	case len(differ.owed) == 0 && len(r.accepted) > 0:
		return "as it was rehearsed, but for what was let pass"
	case len(differ.owed) == 0:
		return "as it was rehearsed"
	}
	text := "not as it was rehearsed" + differ.text()
	if err := r.noteDeviation(r.plan.Steps[i], text); err != nil {
		return text + "; the journal can no longer be written: " + err.Error()
	}
	return text
}

// comparison is what a step brought about against its rehearsal.
type comparison struct {
	i       int       // of the step
	since   time.Time // looks begun before it do not count
	want    []cluster.KeyFact
	owed    deviations
	unknown []cluster.KeyFact
}

// look compares once more. What was seen to differ must be seen as rehearsed
// again: that it is unknown by now is not enough.
func (r *run) look(c *comparison) {
	var differ []cluster.Deviation
	differ, c.unknown = cluster.Compare(c.want, r.facts(c.i, c.since))
	kept := map[string]bool{}
	for _, f := range c.unknown {
		kept[f.Title()] = true
	}
	maps.DeleteFunc(c.owed, func(title string, d cluster.Deviation) bool { return !kept[title] || r.accepted[title] == d.Fact.Value })
	for _, d := range differ {
		if title := d.Fact.Title(); r.accepted[title] != d.Fact.Value {
			c.owed[title] = d
		}
	}
}

// differences looks until the facts are as they were behind step i of the
// rehearsal, for deviatesAfter at most.
func (r *run) differences(ctx context.Context, i int) *comparison {
	now := r.x.o.Clock.Now()
	until := now.Add(deviatesAfter)
	c := &comparison{i: i, since: now, owed: deviations{}}
	if p := r.predicted.Step(r.plan.Steps[i].ID); p != nil {
		c.want = p.Facts
	}
	for n := 0; len(c.want) > 0; n++ {
		r.x.fresh(ctx, r.x.o.Clock.Now(), n%slowEvery == 0)
		r.look(c)
		if len(c.owed) == 0 || ctx.Err() != nil || !r.x.o.Clock.Now().Before(until) {
			break
		}
		say := "not yet as rehearsed" + c.text()
		r.change(func(p *cluster.PlanState) { p.Sentence, p.Steps[i].Compared = say, say })
		select {
		case <-ctx.Done():
		case <-r.stop:
			return c
		case <-r.x.o.Clock.After(compareEvery):
		}
	}
	r.tellCompared(c)
	return c
}

// tellCompared shows with the step how it compares.
func (r *run) tellCompared(c *comparison) {
	if len(c.want) == 0 {
		return
	}
	say := fmt.Sprintf("as rehearsed: %d facts", len(c.want)-len(c.unknown))
	if len(c.owed) > 0 {
		say = "not as rehearsed" + c.text()
	}
	var names []string
	for _, f := range c.unknown {
		if _, told := c.owed[f.Title()]; !told {
			names = append(names, f.Title())
		}
	}
	if len(names) > 0 {
		say += "; unknown now: " + strings.Join(names, ", ")
	}
	r.change(func(p *cluster.PlanState) { p.Sentence, p.Steps[c.i].Compared = say, say })
}

// deviationsSaid is how many deviations are named in a sentence.
const deviationsSaid = 4

// text names what differs, in the order of the rehearsal's facts.
func (c *comparison) text() string {
	if len(c.owed) == 0 {
		return "; now it is as rehearsed"
	}
	told := c.told()
	var said []string
	for _, f := range c.want {
		if d, ok := told[f.Title()]; ok {
			said = append(said, d.String())
		}
	}
	if more := len(c.owed) - len(told); more > 0 {
		said = append(said, fmt.Sprintf("and %d more", more))
	}
	return ": " + strings.Join(said, "; ")
}

// told are the deviations that a sentence names. Only these were read, so that
// only these are let pass: the others are told and asked for next.
func (c *comparison) told() deviations {
	told := deviations{}
	for _, f := range c.want {
		if d, ok := c.owed[f.Title()]; ok && len(told) < deviationsSaid {
			told[f.Title()] = d
		}
	}
	return told
}

// anywayPhrase is what lets a plan go on that is not as it was rehearsed.
func anywayPhrase(p cluster.Plan) string {
	return strings.TrimSpace("go on " + p.Node)
}

// askAnyway holds before a step until the operator has typed that the plan is
// to go on all the same.
func (r *run) askAnyway(ctx context.Context, i int, why func() reason) ending {
	was := r.snapshot().Steps[i]
	s := was.Step
	if err := r.noteDeviation(s, why().text); err != nil {
		return ending{status: cluster.StatusFailed, sentence: fmt.Sprintf("%s; the journal can no longer be written: %v", why().text, err)}
	}
	// Nothing is reached by these words alone: the step's own session looks at
	// who its node is, and its own phrase is asked for where it has one.
	s.Command, s.Node, s.Phrase = "", "", anywayPhrase(r.plan)
	end := r.askPhrase(ctx, i, s, why)
	if !end.well() {
		end.sentence = joinText([]string{end.sentence, why().text})
	}
	r.step(i, func(st *cluster.StepState) { *st = was })
	return end
}

// noteDeviation writes what was expected and what is into the journal.
func (r *run) noteDeviation(s cluster.PlanStep, text string) error {
	if !kept(&r.plan) {
		return nil
	}
	return r.x.o.Recorder.Record("note", planNote{Text: fmt.Sprintf("plan %s, step %s: %s", r.plan.ID, s.Number, text)})
}
