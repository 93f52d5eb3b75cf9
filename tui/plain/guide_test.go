package plain

import (
	"strings"
	"testing"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// While a guide waits a part of it is carried out. How the part ended is said
// although the guide is at work again by then, which says what it waits for.
func TestTheEndOfAPartIsSaidBeforeItsGuide(t *testing.T) {
	s := newStage(t, cluster.Plan{})
	guide := cluster.PlanState{Plan: cluster.Plan{ID: "7f3a0008", Procedure: "guide"}, Status: cluster.StatusAsked, Steps: []cluster.StepState{
		{Step: cluster.PlanStep{ID: "1", Number: "1"}, Status: cluster.StatusDone, Sentence: "read"},
		{Step: cluster.PlanStep{ID: "2", Number: "2", Say: "rebuild it"}, Status: cluster.StatusAsked, Asks: cluster.AskTick}}}
	rebuilds := rebuild(cluster.T2, "be3")
	part := cluster.PlanState{Plan: rebuilds, Status: cluster.StatusRunning, Steps: []cluster.StepState{{Step: rebuilds.Steps[0], Status: cluster.StatusRunning}}}
	ended := part
	ended.Status, ended.Sentence, ended.OpenEnds = cluster.StatusFailed, "no space left", []string{"leaderl is stopped on be3"}
	ended.Steps = []cluster.StepState{{Step: rebuilds.Steps[0], Status: cluster.StatusFailed, Sentence: "no space left"}}
	at := func(run cluster.PlanState, all ...cluster.PlanState) string {
		s.change(func(s *watch.State) {
			s.Run = &run
			view := *s.View
			view.Plans = all
			s.View = &view
		})
		return strings.Join(strings.Fields(s.said()), " ")
	}
	if got := at(guide, guide); !strings.Contains(got, "guide waits for you.") || !strings.Contains(got, "Step 1 is done") {
		t.Errorf("the guide: said %q", got)
	}
	if got := at(part, guide, part); !strings.Contains(got, "begins") {
		t.Errorf("the part: said %q", got)
	}
	got := at(guide, guide, ended)
	end, asks := strings.Index(got, "rebuild-follower be3 has ended: failed. No space left. Left open: leaderl is stopped on be3"), strings.Index(got, "guide waits for you.")
	if end < 0 || asks < end || strings.Contains(got, "Step 1 is done") {
		t.Errorf("behind the part: said %q", got)
	}
	if got := at(guide, guide, ended); got != "" {
		t.Errorf("said again: %q", got)
	}
}
