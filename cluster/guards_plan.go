package cluster

import (
	"fmt"
	"strings"
)

// Facts about the plan itself: what its own earlier steps came to.
func init() {
	register(
		Fact{Name: "step-ended", Check: oneWord, Ask: askStepEnded,
			Doc: "The plan's step named has ended and its exit status is known."},
		Fact{Name: "step-exited-0", Check: oneWord, Ask: askStepExited0,
			Doc: "The plan's step named has ended with exit status 0."},
	)
}

// oneWord is the check of facts that take one name: of a step or a node.
func oneWord(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("takes one name, got %q", strings.Join(args, " "))
	}
	return nil
}

// argument is the n-th word behind the fact's name; "" where there is none.
func argument(b Binding, n int) string {
	if n < len(b.Args) {
		return b.Args[n]
	}
	return ""
}

// step finds a step's state by its id.
func (p PlanState) step(id string) (StepState, bool) {
	for _, s := range p.Steps {
		if s.Step.ID == id {
			return s, true
		}
	}
	return StepState{}, false
}

// ownStep finds a step of the plan that asks.
func (v *View) ownStep(b Binding) (StepState, Answer) {
	id := argument(b, 0)
	if b.Plan == nil {
		return StepState{}, say(Unknown, "no plan runs: step "+id+" has no outcome")
	}
	for i := len(v.Plans) - 1; i >= 0; i-- {
		if v.Plans[i].Plan.ID != b.Plan.ID {
			continue
		}
		s, ok := v.Plans[i].step(id)
		if !ok || s.Began.IsZero() {
			return s, say(Unknown, "step "+id+" has not run yet")
		}
		if !s.ExitKnown {
			return s, say(Unknown, fmt.Sprintf("the outcome of %q on %s is not known", s.Step.Command, s.Step.Node))
		}
		return s, say(True, fmt.Sprintf("%q on %s ended with exit status %d", s.Step.Command, s.Step.Node, s.Exit))
	}
	return StepState{}, say(Unknown, "plan "+b.Plan.ID+" has not begun")
}

func askStepEnded(v *View, b Binding) Answer {
	_, a := v.ownStep(b)
	return a
}

func askStepExited0(v *View, b Binding) Answer {
	s, a := v.ownStep(b)
	if a.Truth == True {
		a.Truth = TruthOf(s.Exit == 0)
	}
	return a
}
