package tui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// holding is a plan at work whose step 2 waits for a person.
func holding(asks cluster.Ask, step cluster.PlanStep) *stage {
	return holdingWith(asks, step, Options{})
}

func holdingWith(asks cluster.Ask, step cluster.PlanStep, o Options) *stage {
	s := newStageWith(rebuilding(), 120, 40, o)
	s.change(func(st *watch.State) {
		run := *st.Run
		run.Status = cluster.StatusAsked
		run.Steps = slices.Clone(run.Steps)
		step.ID, step.Number, step.Node = "2-further", "2", "be2"
		run.Steps[1] = cluster.StepState{Step: step, Status: cluster.StatusAsked, Asks: asks, Began: st.At, Sentence: "waits for you"}
		st.Run = &run
	})
	return s.raw("g")
}

// A further node is reached by its phrase, typed; Esc leaves the plan waiting.
func TestPlanAsksForAFurtherNode(t *testing.T) {
	s := holding(cluster.AskPhrase, cluster.PlanStep{Say: "join be2", Phrase: "be2", Command: "chef-backend-ctl join-cluster 10.0.4.11"})
	if !strings.Contains(s.screen(), "asks you") || !strings.Contains(s.screen(), "type be2 to go on") {
		t.Fatalf("the question is not on the screen:\n%s", s.screen())
	}
	s.raw("t").live().typed("be2").pause(time.Second).keys("esc")
	s.raw("t").live().typed("be3").pause(time.Second).keys("enter")
	if s.settle(); len(s.door.confirmed) > 0 {
		t.Fatalf("confirmed %q", s.door.confirmed)
	}
	s.pause(time.Second).raw("t").live().typed("be2").pause(time.Second).raw("enter").settle()
	if !slices.Equal(s.door.confirmed, []string{"be2"}) {
		t.Errorf("confirmed %q", s.door.confirmed)
	}
}

// What is done outside is shown whole and ticked by a word, not by one key.
func TestPlanAsksForATick(t *testing.T) {
	s := holding(cluster.AskTick, cluster.PlanStep{Kind: cluster.StepManual, Say: "install be2", ToDo: "Install the package of version 2.3.16.\nCopy the secrets."})
	for _, want := range []string{"Install the package of version 2.3.16.", "Copy the secrets.", "tick it when it is done"} {
		if !strings.Contains(s.screen(), want) {
			t.Errorf("%q is missing:\n%s", want, s.screen())
		}
	}
	s.raw("t").live().raw("y").pause(time.Second).raw("enter").settle()
	if len(s.door.ticked) > 0 {
		t.Errorf("ticked by another word: %q", s.door.ticked)
	}
	s.pause(time.Second).raw("t").live().typed("done").pause(time.Second).raw("enter").settle()
	if !slices.Equal(s.door.ticked, []string{"2-further"}) {
		t.Errorf("ticked %q", s.door.ticked)
	}
}

// Without a real terminal none is handed over, and the plan goes on waiting.
func TestPlanAsksForATerminal(t *testing.T) {
	s := holding(cluster.AskTerminal, cluster.PlanStep{Kind: cluster.StepTerminal, Say: "answer be2", Command: "chef-backend-ctl cleanse"})
	if s.raw("t").settle(); !strings.Contains(s.screen(), "no terminal that could be handed over") {
		t.Errorf("not said:\n%s", s.screen())
	}
}
