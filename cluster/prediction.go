package cluster

import (
	"fmt"
	"strings"
	"time"
)

// Prediction is what a rehearsal of a plan on the simulation showed. It is kept
// with the plan, and what the real steps bring about is compared with it.
type Prediction struct {
	Plan     string          `json:"plan"`
	At       time.Time       `json:"at"`       // when it was rehearsed, by our clock
	Snapshot uint64          `json:"snapshot"` // sequence of the snapshot whose state the simulation was brought into
	Steps    []PredictedStep `json:"steps"`    // of those that were reached, in order
	Status   Status          `json:"status"`   // how the rehearsal ended
	Sentence string          `json:"sentence"` // and why
	// Assumed says in sentences what the snapshot did not tell and was assumed.
	Assumed []string `json:"assumed,omitempty"`
}

// PredictedStep is what one step came to in the rehearsal.
type PredictedStep struct {
	ID       string        `json:"id"`
	Status   Status        `json:"status"`
	Sentence string        `json:"sentence,omitempty"`
	Took     time.Duration `json:"took"` // on the simulation's clock
	// Facts are the step's effects and the key facts behind it; empty where the
	// next step follows without a stop. Changed are those of them that the step
	// brought about.
	Facts   []KeyFact `json:"facts,omitempty"`
	Changed []KeyFact `json:"changed,omitempty"`
}

// Stopped says where a rehearsal stopped that did not run to the plan's end.
func (p *Prediction) Stopped(plan Plan) string {
	if p == nil || len(p.Steps) == 0 {
		return "before its first step."
	}
	last := p.Steps[len(p.Steps)-1]
	for _, s := range plan.Steps {
		if s.ID == last.ID {
			return fmt.Sprintf("at step %s: %s.", s.Number, last.Status)
		}
	}
	return "on its way back."
}

// FactsText names facts with their values.
func FactsText(all []KeyFact) string {
	var said []string
	for _, f := range all {
		said = append(said, f.Title()+" "+f.Value)
	}
	return strings.Join(said, ", ")
}

// Deviation is a fact that is now known to be other than it was in the rehearsal.
type Deviation struct {
	Fact KeyFact `json:"fact"` // as it is
	Want string  `json:"want"` // as it was in the rehearsal
}

// String says both.
func (d Deviation) String() string {
	return fmt.Sprintf("%s: rehearsed %q, is %q", d.Fact.Title(), d.Want, d.Fact.Value)
}

// Compare compares facts with predicted ones. What was unknown in the rehearsal
// predicts nothing; what is unknown now deviates from nothing, and is listed.
func Compare(predicted, are []KeyFact) (differ []Deviation, unknown []KeyFact) {
	type key struct{ node, name string }
	now := map[key]KeyFact{}
	for _, f := range are {
		now[key{f.Node, f.Name}] = f
	}
	for _, want := range predicted {
		if want.Value == "" {
			continue
		}
		is, ok := now[key{want.Node, want.Name}]
		switch {
		case !ok:
			unknown = append(unknown, KeyFact{Node: want.Node, Name: want.Name, Why: "nobody tells it any more"})
		case is.Value == "":
			unknown = append(unknown, is)
		case is.Value != want.Value:
			differ = append(differ, Deviation{is, want.Value})
		}
	}
	return differ, unknown
}

// Changes are the facts of after whose known value differs from that in before.
func Changes(before, after []KeyFact) []KeyFact {
	var out []KeyFact
	differ, _ := Compare(before, after)
	for _, d := range differ {
		out = append(out, d.Fact)
	}
	return out
}

// Step is the prediction for a step; nil where the rehearsal did not reach it.
func (p *Prediction) Step(id string) *PredictedStep {
	if p == nil {
		return nil
	}
	for i := range p.Steps {
		if p.Steps[i].ID == id {
			return &p.Steps[i]
		}
	}
	return nil
}
