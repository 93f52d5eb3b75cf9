package plain

import (
	"strings"
	"testing"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

func TestRehearsalInLines(t *testing.T) {
	plan := rebuild(cluster.T1)
	s := newStage(t, plan)
	s.types("rehearse")
	s.types("plan rebuild-follower be3")
	s.types("rehearse")
	if said := s.said(); !strings.Contains(said, "no plan to rehearse") || !strings.Contains(said, "The simulation cannot be brought into this state.") || s.rehearsal != nil {
		t.Fatalf("said:\n%s", said)
	}
	s.human.now = s.human.now.Add(quietTime)
	door := &fakeRehearsal{fakeDoor: &fakeDoor{state: healthy()}}
	door.state.Run = &cluster.PlanState{Plan: plan, Status: cluster.StatusRunning, Steps: []cluster.StepState{{Step: plan.Steps[0], Status: cluster.StatusAsked, Asks: cluster.AskTick}}}
	s.door.rehearsal = door
	s.types("rehearse")
	s.types("rehearse")
	said := s.said()
	if !strings.Contains(said, "Step 1 on be3 asks for a person; here that is answered by\n  itself") || !strings.Contains(said, "under way") || strings.Contains(said, "Type tick") {
		t.Errorf("said:\n%s", said)
	}
	step := cluster.PredictedStep{ID: "1", Status: cluster.StatusFailed, Changed: []cluster.KeyFact{{Name: "leader", Value: "be2"}}}
	door.state.Run = &cluster.PlanState{Plan: plan, Status: cluster.StatusFailed, Sentence: "leaderl does not stop", Prediction: &cluster.Prediction{Steps: []cluster.PredictedStep{step}},
		Steps: []cluster.StepState{{Step: plan.Steps[0], Status: cluster.StatusFailed}}}
	door.state.Rehearsal = &watch.RehearsalAt{Over: true, Assumed: []string{"be2 has room"}}
	s.hearRehearsal()
	said = strings.Join(strings.Fields(s.said()), " ")
	for _, want := range []string{"Rehearsal: the plan would stop at step 1: failed. leaderl does not stop.", "Rehearsal: step 1 brought about:", "be2 has room", "It is kept with the plan"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in:\n%s", want, said)
		}
	}
	if !door.closed || s.rehearsal != nil || s.plan == nil {
		t.Error("the simulation must be gone, and the plan still there")
	}
}

// Where no step was begun nothing is said to be kept.
func TestRehearsalThatIsRefused(t *testing.T) {
	s := newStage(t, rebuild(cluster.T1))
	door := &fakeRehearsal{fakeDoor: &fakeDoor{state: healthy()}}
	door.state.Rehearsal = &watch.RehearsalAt{Over: true, Refused: "be2 is seen otherwise"}
	s.door.rehearsal = door
	s.types("plan rebuild-follower be3")
	s.types("rehearse")
	if said := s.said(); !strings.Contains(said, "no step was begun. Be2 is seen otherwise.") || strings.Contains(said, "kept with the plan") || !door.closed {
		t.Errorf("said:\n%s", said)
	}
}

func TestRehearsalCanBeLeft(t *testing.T) {
	s := newStage(t, rebuild(cluster.T1))
	door := &fakeRehearsal{fakeDoor: &fakeDoor{state: healthy()}}
	s.door.rehearsal = door
	s.types("plan rebuild-follower be3")
	s.types("rehearse")
	s.types("rehearse stop")
	if !door.closed || s.rehearsal != nil || !strings.Contains(s.said(), "Nothing was done on any node.") {
		t.Error("it was not left")
	}
}
