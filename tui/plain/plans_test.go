package plain

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// What is confirmed is the plan that was asked for last, or nothing. One of T0
// begins without a question.
func TestAPlanThatCouldNotBeMadeLeavesNoneToConfirm(t *testing.T) {
	for words, again := range map[string]string{"plan 1": "stop-service be2 etcd", "plan 2": "restart-service be1", "plan 9": "observe", "plan observe be2": "observe be2"} {
		s := newStage(t, cluster.Plan{ID: "7f3a0001", Procedure: "observe", Tier: cluster.T0})
		s.types("plan observe")
		s.offers = []watch.Offered{{Procedure: "stop-service", Node: "be2", Service: "etcd", Ready: true}, {Procedure: "restart-service", Node: "be1"}}
		s.door.noPlan = errors.New("be2 does not answer")
		s.types(words)
		s.said()
		s.types("confirm")
		if got := s.said(); len(s.door.confirmed) > 0 || !strings.Contains(got, "There is no plan to confirm") {
			t.Errorf("%s: handed over %q, said %q", words, s.door.confirmed, got)
		}
		s.door.noPlan = nil
		s.types("plan again")
		if got := s.door.asked[len(s.door.asked)-1]; got != again {
			t.Errorf("%s: again made %q, want %q", words, got, again)
		}
		s.types("confirm")
		if !slices.Equal(s.door.confirmed, []string{""}) {
			t.Errorf("%s: then handed over %q", words, s.door.confirmed)
		}
	}
}

// A plan that only watches, or leads a person, gives way to a repair.
func TestOnlyAPlanThatActsKeepsAnotherFromBeingConfirmed(t *testing.T) {
	guide := cluster.Plan{ID: "7f3a0009", Procedure: "guide", Steps: []cluster.PlanStep{{ID: "1", Kind: cluster.StepManual, ToDo: "read it"}}}
	acts := rebuild(cluster.T2, "be3")
	acts.ID = "7f3a0009"
	for _, c := range []struct {
		at   cluster.Plan
		asks bool
	}{{guide, true}, {acts, false}} {
		s := newStage(t, rebuild(cluster.T2, "be3"))
		s.change(func(s *watch.State) { s.Run = &cluster.PlanState{Plan: c.at, Status: cluster.StatusRunning} })
		s.types("plan rebuild-follower be3")
		s.said()
		s.types("confirm")
		s.pass(quietTime)
		if got := s.said(); strings.Contains(got, "Type be3 by hand") != c.asks || strings.Contains(got, "Another plan is at work") == c.asks {
			t.Errorf("while %s is at work: said %q", c.at.Procedure, got)
		}
	}
}

// A question that a plan at work asks is answered as it was read, or not at all.
func TestAQuestionFallsWhenItsReasonChanges(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*cluster.StepState)
		says   string
	}{
		"the same":            {func(*cluster.StepState) {}, "Type be3 by hand"},
		"another reason":      {func(st *cluster.StepState) { st.Sentence = "be3 was started again" }, "what the plan waits for has changed"},
		"another phrase":      {func(st *cluster.StepState) { st.AskedFor = "be2" }, "what the plan waits for has changed"},
		"another kind":        {func(st *cluster.StepState) { st.Asks = cluster.AskTick }, "what the plan waits for has changed"},
		"it waits no longer":  {func(st *cluster.StepState) { st.Status = cluster.StatusRunning }, "the plan no longer waits there"},
		"another step's turn": {func(st *cluster.StepState) { st.Step.ID = "2" }, "the plan no longer waits there"},
	} {
		s := newStage(t, cluster.Plan{})
		asks := func(change func(*cluster.StepState)) {
			p := rebuild(cluster.T2, "be3")
			st := cluster.StepState{Step: p.Steps[0], Status: cluster.StatusAsked, Asks: cluster.AskPhrase, AskedFor: "be3", Sentence: "be3 is the machine of the plan"}
			change(&st)
			s.change(func(s *watch.State) {
				s.Run = &cluster.PlanState{Plan: p, Status: cluster.StatusAsked, Steps: []cluster.StepState{st}}
			})
		}
		asks(func(*cluster.StepState) {})
		s.types("answer")
		s.pass(quietTime)
		asks(c.change)
		if got := s.said(); !strings.Contains(got, c.says) || (s.question == nil) == (name == "the same") {
			t.Errorf("%s: stands %v, said %q", name, s.question != nil, got)
		} else if name == "another reason" && !strings.Contains(strings.Join(strings.Fields(got), " "), "Step 1 on be3 still waits for you, and says now: be3 was started again.") {
			t.Errorf("the new reason was not said: %q", got)
		}
	}
}

func TestNothingToMakeAgain(t *testing.T) {
	s := newStage(t, rebuild(cluster.T2, "be3"))
	s.types("plan again")
	if got := s.said(); len(s.door.asked) > 0 || !strings.Contains(got, "There is no plan to make again") {
		t.Errorf("asked for %q, said %q", s.door.asked, got)
	}
}

// A plan that only watches holds nobody who wants to leave, and loses nothing.
func TestOnlyAPlanThatActsIsAskedAboutAtTheEnd(t *testing.T) {
	for _, tier := range []cluster.Tier{cluster.T0, cluster.T2} {
		p := rebuild(tier)
		if tier == cluster.T0 {
			p.Steps[0].Command = ""
		}
		acts := p.Acts()
		s := newStage(t, p)
		s.change(func(s *watch.State) { s.Run = &cluster.PlanState{Plan: p, Status: cluster.StatusRunning} })
		s.said()
		s.inputEnded()
		if got := s.said(); acts != (tier > cluster.T0) || strings.Contains(got, "is at work") != acts {
			t.Errorf("%s, acts %v: said %q", tier, acts, got)
		}
		if s.types("quit"); s.quit == acts {
			t.Errorf("%s: left %v", tier, s.quit)
		}
	}
}
