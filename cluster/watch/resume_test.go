package watch

import (
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/remote"
)

// A plan that was left and has its turn only behind another one is taken as it
// is by then: another cockpit may be at work on it, or have ended it. The
// incident that this cockpit writes is no other one's.
func TestLeftPlanIsReadAnew(t *testing.T) {
	dir := t.TempDir()
	w, err := New(Options{Cluster: "invented", Nodes: []cluster.Node{{Name: "be1"}}, Hosts: map[string]remote.Host{"be1": silent{}},
		Clock: remote.System{}, Catalogue: &catalogue.Catalogue{}, JournalDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	other := journal.New(dir, still{t0.Add(time.Hour)}, "invented")
	defer other.Close()
	own, its := cluster.Plan{ID: "7f3a0001"}, cluster.Plan{ID: "7f3a0002"}
	for _, r := range []struct {
		in   interface{ Record(string, any) error }
		plan cluster.Plan
	}{{w.diary, own}, {other, its}} {
		if err := r.in.Record(journal.Confirm, confirmed{Plan: r.plan}); err != nil {
			t.Fatal(err)
		}
	}
	for plan, inUse := range map[string]bool{own.ID: false, its.ID: true} {
		p, read := w.unfinishedNow(t.Context(), plan)
		if !read || p == nil || p.InUse != inUse || p.Broken != "" || len(p.Records) != 0 {
			t.Fatalf("%s: %+v", plan, p)
		}
	}
	if err := w.diary.Record(journal.Intent, cluster.Intent{Plan: own.ID, Step: "1-stop", Node: "be1"}); err != nil {
		t.Fatal(err)
	}
	if p, _ := w.unfinishedNow(t.Context(), own.ID); p == nil || len(p.Records) != 1 {
		t.Errorf("what was written meanwhile is not known: %+v", p)
	}
	if err := other.Record(journal.Note, map[string]any{"ended": journal.PlanEnd{Plan: its.ID, Status: cluster.StatusDone}}); err != nil {
		t.Fatal(err)
	}
	if p, read := w.unfinishedNow(t.Context(), its.ID); p != nil || !read {
		t.Errorf("a plan that ended is still there: %+v", p)
	}
}
