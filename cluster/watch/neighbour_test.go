package watch

import (
	"context"
	"sync"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/journal"
)

// confirmed is the record of a plan that begins.
type confirmed struct {
	Plan  cluster.Plan `json:"plan"`
	Typed []string     `json:"typed"`
	By    string       `json:"by,omitempty"`
}

// neighbourAt follows a plan of another cockpit whose incidents are in a folder;
// until waits for its state to be as it should.
func neighbourAt(t *testing.T, dir, plan string) (until func(what string, ok func(p cluster.PlanState) bool)) {
	var wait sync.WaitGroup
	told := make(chan struct{}, 1)
	n := &neighbour{dir: dir, cluster: "invented", wake: func() { signal(told) }, run: func(f func()) { wait.Go(f) }}
	n.look(t.Context(), cluster.Lock{Held: cluster.True, Holder: cluster.LockHolder{Plan: plan}})
	t.Cleanup(wait.Wait)
	t.Cleanup(func() { n.look(context.Background(), cluster.Lock{}) })
	return func(what string, ok func(p cluster.PlanState) bool) {
		t.Helper()
		late := time.After(30 * time.Second)
		for {
			select {
			case <-told:
				if p := n.plan(); p != nil && ok(*p) {
					return
				}
			case <-late:
				t.Fatalf("never seen: %s; %+v", what, n.plan())
			}
		}
	}
}

// What another cockpit on this machine does is shown as its journal grows, also
// of a plan that began in an earlier incident, and of a step that is done again.
func TestNeighbourIsFollowed(t *testing.T) {
	dir := t.TempDir()
	plan := cluster.Plan{ID: "7f3a0001", Title: "Rebuild be3", Node: "be3", Steps: []cluster.PlanStep{
		{ID: "1-stop", Node: "be3", Say: "stop leaderl", Command: "chef-backend-ctl stop leaderl"}, {ID: "2-look", Node: "be3"}, {ID: "3-copy", Node: "be3", Say: "copy"}}}
	j := journal.New(dir, still{t0}, "invented")
	record := func(kind string, data any) {
		t.Helper()
		if err := j.Record(kind, data); err != nil {
			t.Fatal(err)
		}
	}
	record(journal.Confirm, confirmed{plan, []string{"be3"}, "ann@bastion"})
	record(journal.Intent, cluster.Intent{Plan: plan.ID, Step: "1-stop", Node: "be3"})
	record(journal.Outcome, cluster.Outcome{Plan: plan.ID, Step: "1-stop", Node: "be3", Status: cluster.StatusDone})
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = journal.New(dir, still{t0.Add(time.Minute)}, "invented")
	record(journal.Note, goingOn{Text: "goes on", GoesOn: plan.ID})

	until := neighbourAt(t, dir, plan.ID)
	until("what was done before", func(p cluster.PlanState) bool {
		return p.Steps[0].Status == cluster.StatusDone && p.Steps[2].Status == cluster.StatusNext
	})
	record(journal.Intent, cluster.Intent{Plan: plan.ID, Step: "3-copy-again1", Node: "be3"})
	until("a step that is done again", func(p cluster.PlanState) bool {
		return p.Sentence == "copy" && p.Steps[2].Status == cluster.StatusRunning && p.Running()
	})
	record(journal.Output, journal.OutputData{Plan: plan.ID, Step: "3-copy-again1", Node: "be3", Lines: []string{"10 \x1b[31m%"}})
	until("its output, made safe", func(p cluster.PlanState) bool {
		out := p.Steps[2].Output
		return len(out) == 1 && out[0] != "" && out[0][3] != 0x1b
	})
	record(journal.Note, map[string]any{"text": "over", "ended": journal.PlanEnd{Plan: plan.ID, Status: cluster.StatusStopped, Sentence: "stopped", OpenEnds: []string{"leaderl is stopped on be3"}}})
	until("its end", func(p cluster.PlanState) bool { return !p.Ended.IsZero() && len(p.OpenEnds) == 1 })
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}

// A plan that is followed in the one incident that holds all of it, the usual
// case, is there once, as far as it got.
func TestNeighbourInOneIncident(t *testing.T) {
	dir := t.TempDir()
	plan := cluster.Plan{ID: "7f3a0002", Node: "be3", Steps: []cluster.PlanStep{
		{ID: "1-stop", Node: "be3", Say: "stop", Command: "stop it"}, {ID: "2-copy", Node: "be3", Say: "copy", Command: "copy it"}}}
	j := journal.New(dir, still{t0}, "invented")
	record := func(kind string, data any) {
		t.Helper()
		if err := j.Record(kind, data); err != nil {
			t.Fatal(err)
		}
	}
	record(journal.Confirm, confirmed{plan, []string{"be3"}, "ann@bastion"})
	record(journal.Intent, cluster.Intent{Plan: plan.ID, Step: "1-stop", Node: "be3"})
	record(journal.Output, journal.OutputData{Plan: plan.ID, Step: "1-stop", Node: "be3", Lines: []string{"ok: down"}})

	until := neighbourAt(t, dir, plan.ID)
	until("the step at work", func(p cluster.PlanState) bool {
		return p.Steps[0].Status == cluster.StatusRunning && len(p.Steps[0].Output) == 1
	})
	record(journal.Outcome, cluster.Outcome{Plan: plan.ID, Step: "1-stop", Node: "be3", Status: cluster.StatusDone})
	until("its end", func(p cluster.PlanState) bool { return p.Steps[0].Status == cluster.StatusDone })
	record(journal.Intent, cluster.Intent{Plan: plan.ID, Step: "2-copy", Node: "be3"})
	until("the next step", func(p cluster.PlanState) bool {
		return p.Steps[0].Status == cluster.StatusDone && p.Steps[1].Status == cluster.StatusRunning
	})
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}
