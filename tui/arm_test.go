package tui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// The cockpit is armed by the cluster's name, typed by hand, from the main
// screen and from a menu; A again ends it.
func TestArming(t *testing.T) {
	for name, act := range map[string]func(s *stage){
		"Esc":         func(s *stage) { s.live().typed("chef-prod").pause(time.Second).keys("esc") },
		"a node":      func(s *stage) { s.live().typed("be3").pause(time.Second).keys("enter") },
		"a paste":     func(s *stage) { s.live().send(paste("chef-prod")); s.pause(time.Second).raw("enter") },
		"type-ahead":  func(s *stage) { s.raw("c", "h", "enter") },
		"in one read": func(s *stage) { s.live().raw("chef-prod").pause(time.Second).raw("enter") },
	} {
		s := newStage(healthy(), 100, 30).raw("A")
		act(s)
		if s.settle(); len(s.door.said) > 0 {
			t.Errorf("%s: said %q", name, s.door.said)
		}
	}
	for _, way := range [][]string{{"A"}, {"n", "A"}} {
		s := newStage(healthy(), 100, 30).raw(way...).live().typed("chef-prod").pause(time.Second).raw("enter").live()
		if !slices.Equal(s.door.said, []string{"arm chef-prod"}) {
			t.Fatalf("%v: said %q", way, s.door.said)
		}
	}
	s := newStage(healthy(), 100, 30)
	s.change(func(st *watch.State) { st.Mode, st.ArmedUntil = watch.Armed, st.At.Add(9*time.Minute+time.Second) })
	if !strings.Contains(s.screen(), "ARMED 10 min") {
		t.Errorf("not shown as armed:\n%s", s.screen())
	}
	before := s.screen()
	s.change(func(st *watch.State) { st.ArmedUntil = st.ArmedUntil.Add(-500 * time.Millisecond) })
	if s.screen() != before {
		t.Error("the countdown ticks within a minute")
	}
	s.raw("A").settle()
	if !slices.Equal(s.door.said, []string{"disarm"}) {
		t.Errorf("said %q", s.door.said)
	}
	s.change(func(st *watch.State) { st.ArmedUntil = st.At })
	if strings.Contains(s.screen(), "ARMED") {
		t.Error("armed when the time is over")
	}
	s.change(func(st *watch.State) { st.Mode = watch.ReadOnly })
	if s.raw("A"); !strings.Contains(s.screen(), "read-only: start it without") {
		t.Errorf("a read-only cockpit asks for it:\n%s", s.screen())
	}
}

// Who acts stands on the screen of who watches, with what he does, and the lock
// is taken over by typing.
func TestWhoHoldsTheLock(t *testing.T) {
	s := newStage(healthy(), 120, 40)
	s.change(func(st *watch.State) { st.Lock.Held = cluster.False })
	if s.raw("K"); !strings.Contains(s.screen(), "Nobody holds the operators' lock") {
		t.Errorf("a free lock:\n%s", s.screen())
	}
	if s.raw("T").settle(); len(s.door.said) > 0 || strings.Contains(s.screen(), "Take over") {
		t.Error("a free lock can be taken over")
	}
	plan := cluster.Plan{ID: "7f3a0001", Procedure: "rebuild-follower", Node: "be3", Steps: []cluster.PlanStep{{ID: "1-stop", Number: "1", Node: "be3", Say: "stop leaderl"}}}
	s.change(func(st *watch.State) {
		st.Lock = cluster.Lock{Held: cluster.True, On: []string{"be1", "be2"}, Holder: cluster.LockHolder{Who: "ann@bastion", Plan: plan.ID, Since: st.At}}
		st.Other = &cluster.PlanState{Plan: plan, Status: cluster.StatusRunning, Sentence: "stop leaderl", Steps: []cluster.StepState{{Step: plan.Steps[0], Status: cluster.StatusRunning, Began: st.At}}}
		report := *st.View.Snapshot.Reports["be3"]
		report.Lock.Step = cluster.KnownAs(cluster.StepSeen{Plan: plan.ID, Step: "1-stop", Command: "chef-backend-ctl stop leaderl", Running: cluster.True}, cluster.SourceHost, st.At)
		st.View.Snapshot.Reports["be3"] = &report
	})
	for _, want := range []string{"ann@bastion acts since", "on be1, be2", "runs: chef-backend-ctl stop leaderl (step 1-stop of plan 7f3a0001)", "journal on this machine: rebuild-follower be3", "take the lock over"} {
		if !strings.Contains(s.screen(), want) {
			t.Errorf("%q is missing:\n%s", want, s.screen())
		}
	}
	s.raw("T").live().typed("take over from ann").pause(time.Second).raw("enter").live()
	if len(s.door.said) > 0 {
		t.Errorf("said %q", s.door.said)
	}
	s.pause(time.Second).raw("T").live().typed("take over from ann@bastion").pause(time.Second).raw("enter").live()
	if !slices.Equal(s.door.said, []string{"take over from ann@bastion"}) {
		t.Errorf("said %q", s.door.said)
	}
	s.change(func(st *watch.State) { st.Lock.Ours, st.Other = true, nil })
	if s.keys("esc"); !strings.Contains(s.screen(), "lock: yours") {
		t.Errorf("the own lock:\n%s", s.screen())
	}
}
