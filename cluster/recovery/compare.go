package recovery

import (
	"context"
	"fmt"
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
		return r.askAnyway(ctx, i, func() string {
			return fmt.Sprintf("the rehearsal stopped at this step: %s", r.predicted.Sentence)
		})
	}
	if i == 0 || len(r.differences(ctx, i-1)) == 0 {
		return well
	}
	return r.askAnyway(ctx, i, func() string {
		now, _ := r.compared(i - 1)
		return "step " + r.plan.Steps[i-1].Number + " did not come to what was rehearsed" + deviationText(now)
	})
}

// endAsRehearsed says how the last step's facts compare; "" without a rehearsal.
func (r *run) endAsRehearsed(ctx context.Context) string {
	i := len(r.plan.Steps) - 1
	if r.x.o.Rehearses || r.predicted == nil || r.beyond || i < 0 {
		return ""
	}
	differ := r.differences(ctx, i)
	if len(differ) == 0 {
		return "as it was rehearsed"
	}
	text := "not as it was rehearsed" + deviationText(differ)
	if err := r.noteDeviation(r.plan.Steps[i], text); err != nil {
		return text + "; the journal can no longer be written: " + err.Error()
	}
	return text
}

// differences looks until the facts are as they were behind this step of the
// rehearsal, for deviatesAfter at most. What was seen to differ must be seen as
// rehearsed again: that it is unknown by now is not enough.
func (r *run) differences(ctx context.Context, i int) []cluster.Deviation {
	until := r.x.o.Clock.Now().Add(deviatesAfter)
	owed := map[string]cluster.Deviation{}
	for n := 0; ; n++ {
		r.x.fresh(ctx, r.x.o.Clock.Now(), n%slowEvery == 0)
		differ, unknown := r.compared(i)
		owe(owed, differ, unknown)
		if len(owed) == 0 || ctx.Err() != nil || !r.x.o.Clock.Now().Before(until) {
			r.tellCompared(i, owed, unknown)
			return sortedDeviations(r.predicted.Steps, owed)
		}
		say := "not yet as rehearsed" + deviationText(sortedDeviations(r.predicted.Steps, owed))
		r.change(func(p *cluster.PlanState) { p.Sentence, p.Steps[i].Compared = say, say })
		select {
		case <-ctx.Done():
		case <-r.stop:
			return sortedDeviations(r.predicted.Steps, owed)
		case <-r.x.o.Clock.After(compareEvery):
		}
	}
}

// owe keeps of the deviations those that stand, and those of before that are
// only unknown by now.
func owe(owed map[string]cluster.Deviation, differ []cluster.Deviation, unknown []cluster.KeyFact) {
	kept := map[string]bool{}
	for _, f := range unknown {
		kept[f.Title()] = true
	}
	for title := range owed {
		if !kept[title] {
			delete(owed, title)
		}
	}
	for _, d := range differ {
		owed[d.Fact.Title()] = d
	}
}

// sortedDeviations are deviations in the order of the prediction's facts.
func sortedDeviations(steps []cluster.PredictedStep, owed map[string]cluster.Deviation) []cluster.Deviation {
	var out []cluster.Deviation
	done := map[string]bool{}
	for _, s := range steps {
		for _, f := range s.Facts {
			if d, ok := owed[f.Title()]; ok && !done[f.Title()] {
				done[f.Title()] = true
				out = append(out, d)
			}
		}
	}
	return out
}

// compared compares the newest view with what stood behind a step of the rehearsal.
func (r *run) compared(i int) ([]cluster.Deviation, []cluster.KeyFact) {
	p := r.predicted.Step(r.plan.Steps[i].ID)
	if p == nil {
		return nil, nil
	}
	are := append(r.view().KeyFacts(), r.effectFacts(i)...)
	return cluster.Compare(p.Facts, are)
}

// tellCompared shows with the step how it compares.
func (r *run) tellCompared(i int, owed map[string]cluster.Deviation, unknown []cluster.KeyFact) {
	p := r.predicted.Step(r.plan.Steps[i].ID)
	if p == nil || len(p.Facts) == 0 {
		return
	}
	say := fmt.Sprintf("as rehearsed: %d facts", len(p.Facts)-len(unknown))
	if len(owed) > 0 {
		say = "not as rehearsed" + deviationText(sortedDeviations(r.predicted.Steps, owed))
	}
	var names []string
	for _, f := range unknown {
		if _, told := owed[f.Title()]; !told {
			names = append(names, f.Title())
		}
	}
	if len(names) > 0 {
		say += "; unknown now: " + strings.Join(names, ", ")
	}
	r.change(func(p *cluster.PlanState) { p.Sentence, p.Steps[i].Compared = say, say })
}

// deviationsSaid is how many deviations are named in a sentence.
const deviationsSaid = 4

func deviationText(all []cluster.Deviation) string {
	if len(all) == 0 {
		return "; now it is as rehearsed"
	}
	var said []string
	for _, d := range all[:min(len(all), deviationsSaid)] {
		said = append(said, d.String())
	}
	if more := len(all) - deviationsSaid; more > 0 {
		said = append(said, fmt.Sprintf("and %d more", more))
	}
	return ": " + strings.Join(said, "; ")
}

// anywayPhrase is what lets a plan go on that is not as it was rehearsed.
func anywayPhrase(p cluster.Plan) string {
	return strings.TrimSpace("go on " + p.Node)
}

// askAnyway holds before a step until the operator has typed that the plan is
// to go on all the same.
func (r *run) askAnyway(ctx context.Context, i int, why func() string) ending {
	was := r.snapshot().Steps[i]
	s := was.Step
	if err := r.noteDeviation(s, why()); err != nil {
		return ending{status: cluster.StatusFailed, sentence: fmt.Sprintf("%s; the journal can no longer be written: %v", why(), err)}
	}
	// Nothing is reached by these words alone: the step's own session looks at
	// who its node is, and its own phrase is asked for where it has one.
	s.Command, s.Node, s.Phrase = "", "", anywayPhrase(r.plan)
	end := r.askPhrase(ctx, i, s, why)
	if !end.well() {
		end.sentence = joinText([]string{end.sentence, why()})
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
