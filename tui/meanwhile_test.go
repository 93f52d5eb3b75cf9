package tui

import (
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// What happens while a hand is on its way to a key must not put another thing
// under it.

// A key that was meant for the finding before does nothing to one that was
// selected by itself; pressed again it does.
func TestASelectionThatMovesByItselfIsReadFirst(t *testing.T) {
	grave := cluster.Finding{Failure: "no-leader", Certainty: cluster.Confirmed, Priority: cluster.P1, Title: "nobody leads", Since: now}
	for _, k := range []string{"a", "r", "w", "enter"} {
		s := newStage(walGap(), 100, 30)
		s.change(func(n *watch.State) { n.Findings = append([]cluster.Finding{grave}, n.Findings...) })
		if s.raw(k); len(s.door.acked) > 0 || s.m.top() != nil || !strings.Contains(s.screen(), "the selection has moved to no-leader") {
			t.Errorf("%s acts on a finding that nobody has read:\n%s", k, s.screen())
		}
		if s.raw(k).settle(); len(s.door.acked) == 0 && s.m.top() == nil {
			t.Errorf("%s pressed again does nothing", k)
		}
		s = newStage(walGap(), 100, 30)
		s.change(func(n *watch.State) { n.Findings = append([]cluster.Finding{grave}, n.Findings...) })
		if s.pause(time.Second).raw(k).settle(); len(s.door.acked) == 0 && s.m.top() == nil {
			t.Errorf("%s does nothing a second later", k)
		}
	}
}

// A plan that is ready while another box stands over its menu is not opened
// below the hand, and can be chosen again.
func TestAPlanBehindAnotherBoxIsChosenAgain(t *testing.T) {
	s := newStage(walGap(), 100, 30).keys("r")
	s.raw("enter") // the plan is being made
	made := s.pending
	s.pending = nil
	s.keys("?")
	s.pending = made
	s.settle()
	if _, plan := s.m.top().(*planView); plan {
		t.Fatal("a plan lies over the box that was opened since")
	}
	s.keys("esc")
	if !strings.Contains(s.screen(), "choose it again") {
		t.Errorf("not said:\n%s", s.screen())
	}
	s.keys("enter")
	if _, plan := s.m.top().(*planView); !plan {
		t.Errorf("the plan cannot be chosen any more:\n%s", s.screen())
	}
}

// A question whose reason changes while it is read is not answered by what was
// typed for the one before.
func TestAQuestionThatChangesIsReadAnew(t *testing.T) {
	s := holding(cluster.AskPhrase, cluster.PlanStep{Say: "join be2", Phrase: "be2", Command: "chef-backend-ctl join-cluster 10.0.4.11"})
	s.raw("t").live().typed("be2").pause(time.Second)
	s.change(func(st *watch.State) {
		run := *st.Run
		run.Steps = append([]cluster.StepState(nil), run.Steps...)
		run.Steps[1].Sentence = "step 1 did not come to what was rehearsed: the elected node"
		st.Run = &run
	})
	if s.raw("enter").settle(); len(s.door.confirmed) > 0 {
		t.Fatalf("confirmed %q for another reason than was read", s.door.confirmed)
	}
	if !strings.Contains(s.screen(), "has changed") {
		t.Errorf("not said:\n%s", s.screen())
	}
	s.pause(time.Second).raw("t").live().typed("be2").pause(time.Second).raw("enter").settle()
	if len(s.door.confirmed) != 1 {
		t.Errorf("confirmed %q", s.door.confirmed)
	}
}

// A plan that only watches gives way to a repair; one that acts does not.
func TestAPlanThatWatchesKeepsNoRepairFromBeingConfirmed(t *testing.T) {
	for _, acts := range []bool{false, true} {
		d := rebuilding()
		if !acts {
			run := *d.state.Run
			run.Plan = cluster.Plan{ID: "0b5e0001", Procedure: "observe", Tier: cluster.T0, Steps: []cluster.PlanStep{{ID: "1", Say: "watch"}}}
			run.Steps = []cluster.StepState{{Step: run.Plan.Steps[0], Status: cluster.StatusWaiting}}
			d.state.Run = &run
		}
		d.plan.ID = "another1"
		s := newStage(d, 100, 30).keys("r", "enter", "c")
		if _, asks := s.m.top().(*confirmDialog); asks == acts {
			t.Errorf("a plan at work that acts: %v; the dialog is open: %v\n%s", acts, asks, s.screen())
		}
	}
}

// What was is only looked at: nothing in it is said to be stopped or asked.
func TestThePastStopsNothing(t *testing.T) {
	d := rebuilding()
	was := *d.state
	d.earlier = []*watch.State{&was}
	s := newStage(d, 100, 30).keys("H", "g", "s")
	if s.door.stops > 0 || strings.Contains(s.screen(), "asked to stop") || strings.Contains(s.screen(), "s stops before") || !strings.Contains(s.screen(), "this is the past") {
		t.Errorf("%d stops:\n%s", s.door.stops, s.screen())
	}
}

// A finding that is confirmed while one looks back is told there, although what
// confirms it began before.
func TestWhatIsFoundMeanwhileIsToldInThePast(t *testing.T) {
	s := newStage(wasHealthy(), 100, 30).keys("H")
	s.change(func(n *watch.State) {
		n.Findings = append(n.Findings, cluster.Finding{Failure: "node-down", Node: "be2", Priority: cluster.P2, Certainty: cluster.Confirmed, Since: now.Add(-time.Hour)})
	})
	if s.keys("tab"); !strings.Contains(s.screen(), "! Meanwhile: P2 node-down be2") {
		t.Errorf("not told:\n%s", s.screen())
	}
}

// On a terminal that is too small the cockpit can be left with a box open, too,
// unless a step is at work.
func TestATooSmallTerminalCanBeLeft(t *testing.T) {
	for name, d := range map[string]*fakeDoor{"with a box open": walGap(), "with a step at work": rebuilding()} {
		s := newStage(d, 100, 30).keys("w")
		s.keys("?")
		s.m.resize(40, 10)
		if s.keys("q"); s.ended != (name == "with a box open") {
			t.Errorf("%s: left %v\n%s", name, s.ended, s.screen())
		}
	}
}

// A plan that only watches is left at once; and where a question cannot be read,
// what is said to be taken is what is taken.
func TestOnlyAPlanThatActsKeepsFromLeaving(t *testing.T) {
	d := rebuilding()
	run := *d.state.Run
	run.Plan = cluster.Plan{ID: "0b5e0001", Procedure: "observe", Tier: cluster.T0, Steps: []cluster.PlanStep{{ID: "1", Say: "watch"}}}
	run.Steps = []cluster.StepState{{Step: run.Plan.Steps[0], Status: cluster.StatusWaiting}}
	d.state.Run = &run
	if s := newStage(d, 100, 30).keys("q"); !s.ended {
		t.Errorf("a plan that watches asks before it is left:\n%s", s.screen())
	}
	s := dialogFor(cluster.T2, "be3")
	if s.m.resize(40, 10); strings.Contains(s.screen(), "q to leave") || !strings.Contains(s.screen(), "Esc for no") {
		t.Errorf("with a question open:\n%s", s.screen())
	}
	if s.keys("esc"); !strings.Contains(s.screen(), "q to leave") {
		t.Errorf("without one:\n%s", s.screen())
	}
}

// More nodes than three leave no room on a small screen: that is said.
func TestManyNodesNeedRoom(t *testing.T) {
	for n := 1; n < 20; n++ {
		if l := newLayout(80, 24, n); l.ok && l.logs.h < 2 {
			t.Errorf("%d nodes leave %d rows to the logs", n, l.logs.h)
		}
	}
	if !newLayout(80, 24, 3).ok {
		t.Error("three nodes fit")
	}
}
