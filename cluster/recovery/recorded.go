package recovery

import (
	"cmp"
	"fmt"

	"chef-backend-cockpit/cluster"
)

// How steps and plans ended goes into the journal here.

// recordEnd writes the outcome of a step whose intent was written. Of one that
// was passed without an act, and of the plan's end, a note tells.
func (r *run) recordEnd(i int) error {
	st := r.snapshot().Steps[i]
	end := ending{status: st.Status, sentence: st.Sentence}
	switch {
	case r.marked(st.Step.ID).intended:
		return r.recordOutcome(st, end)
	case end.well() && kept(&r.plan):
		return r.x.o.Recorder.Record("note", planNote{Text: fmt.Sprintf("plan %s: step %s %s. %s", r.plan.ID, st.Step.ID, end.status, end.sentence),
			Passed: &cluster.Outcome{Plan: r.plan.ID, Step: st.Step.ID, Node: st.Step.Node, Status: end.status, Sentence: end.sentence}})
	}
	return nil
}

// planNote is a note about a plan.
type planNote struct {
	Text   string           `json:"text"`
	Passed *cluster.Outcome `json:"passed,omitempty"` // a step without an act
	Ended  *planEnd         `json:"ended,omitempty"`
}

// planEnd is how a plan ended: it is not taken up again.
type planEnd struct {
	Plan     string         `json:"plan"`
	Status   cluster.Status `json:"status"`
	Sentence string         `json:"sentence"`
	OpenEnds []string       `json:"openEnds,omitempty"`
}

func (r *run) recordPlanEnd(end ending, ends []string) error {
	if !kept(&r.plan) {
		return nil
	}
	return r.x.o.Recorder.Record("note", planNote{Text: fmt.Sprintf("plan %s %s: %s", r.plan.ID, end.status, end.sentence),
		Ended: &planEnd{Plan: r.plan.ID, Status: end.status, Sentence: end.sentence, OpenEnds: ends}})
}

func (r *run) recordOutcome(st cluster.StepState, end ending) error {
	m := r.marked(st.Step.ID)
	return r.x.o.Recorder.Record("outcome", cluster.Outcome{
		Plan: r.plan.ID, Step: cmp.Or(m.folder, st.Step.ID), Node: st.Step.Node, Status: end.status, By: m.by,
		Exit: st.Exit, ExitKnown: st.ExitKnown, Sentence: end.sentence, Bytes: m.bytes, Digest: m.digest,
	})
}
