package watch

import (
	"testing"

	"chef-backend-cockpit/cluster"
)

// While a guide waits for a person its parts are plans of their own. Behind a
// part the guide is at work again: it can be ticked, and the incident stays open.
func TestGuideIsAtWorkAgainBehindItsPart(t *testing.T) {
	w := marked(t, "")
	guide := cluster.PlanState{Plan: cluster.Plan{ID: "guide", Steps: []cluster.PlanStep{{ID: "1-all", Kind: cluster.StepManual}}}, Status: cluster.StatusAsked}
	part := cluster.PlanState{Plan: cluster.Plan{ID: "part", Tier: cluster.T2, Steps: []cluster.PlanStep{{ID: "1-stop", Command: "stop it"}}}, Status: cluster.StatusRunning}
	ended := part
	ended.Status, ended.Ended = cluster.StatusDone, t0
	ticked := guide
	ticked.Status, ticked.Ended = cluster.StatusDone, t0
	for i, now := range []struct {
		published cluster.PlanState
		run       string
		working   bool
	}{{guide, "guide", true}, {part, "part", true}, {guide, "part", true}, {ended, "guide", true}, {ticked, "guide", false}} {
		w.planChanged(now.published)
		if s := w.State(); s.Run.Plan.ID != now.run || w.working() != now.working || s.Run.Running() != now.working {
			t.Errorf("%d: at work is %s, %s; working %v", i, s.Run.Plan.ID, s.Run.Status, w.working())
		}
	}
	if p := w.State().Plan("part"); p == nil || p.Status != cluster.StatusDone {
		t.Errorf("how the part ended is %+v", p)
	}
	if p := w.State().Plan("other"); p != nil {
		t.Errorf("a plan that is none: %+v", p)
	}
}
