package scenario

import (
	"context"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/cluster/simulation"
	"chef-backend-cockpit/cluster/watch"
	"chef-backend-cockpit/remote"
)

// twoCockpits runs beside the rows of the table.
func twoCockpits(t *testing.T) {
	t.Parallel()
	clock := remote.NewScaled(min(speed, 3)) // two cockpits look twice as often
	sim, err := simulation.Start(t.Context(), simulation.Options{Clock: clock, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	r, err := TwoCockpits(ctx, sim, simulation.InMemory(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the holder was seen after %s; the lock was free %s after it had gone", r.Seen.Round(100*time.Millisecond), r.Freed.Round(100*time.Millisecond))
}

// A second cockpit on the same machine sees the first one's plan from its
// journal, and its steps from the node; it takes the lock over by typing, and
// the first can begin no further step.
func TestSecondCockpitWatchesAndTakesOver(t *testing.T) {
	o := newOverSSH(t)
	c, err := catalogue.Load(assets.Files, "catalogue")
	if err != nil {
		t.Fatal(err)
	}
	bed := o.sim
	bob, err := watch.New(watch.Options{Cluster: "bed", Nodes: bed.Nodes(), Hosts: bed.Hosts(), Clock: o.clock,
		Catalogue: c, JournalDir: o.journal, Operator: "bob@laptop"})
	if err != nil {
		t.Fatal(err)
	}
	bob.Start(t.Context())
	defer bob.Close()
	watcher := &lockCockpit{bed: bed, w: bob}
	err = watcher.until(t.Context(), "the other's plan is shown", func(s *watch.State) bool {
		if s.Lock.Holder.Who != "ann@bastion" || s.Lock.Holder.Plan != o.plan.ID || len(s.Lock.On) != 3 {
			return false
		}
		return s.Other != nil && s.Other.Plan.ID == o.plan.ID && s.Other.Steps[0].Status == cluster.StatusDone
	})
	if err != nil {
		t.Fatal(err)
	}
	if st := bob.State().View.Report("be3").Lock.Step.Value; st.Plan != o.plan.ID || !st.Ended || st.Exit != 1 && st.Exit != 0 || st.Running == cluster.True {
		t.Errorf("the newest step on be3 is told as %+v", st)
	}
	if err := bob.TakeOver(t.Context(), "take over from ann"); err == nil {
		t.Error("taken over by another phrase")
	}
	if err := bob.TakeOver(t.Context(), watch.TakeOverPhrase("ann@bastion")); err != nil {
		t.Fatal(err)
	}
	if err := watcher.until(t.Context(), "the lock is bob's", func(s *watch.State) bool { return s.Lock.Ours }); err != nil {
		t.Error(err)
	}
	term, err := o.w.Terminal(t.Context(), o.plan.ID, "2-wipe", watch.Size{Columns: 80, Rows: 24})
	if err == nil {
		term.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "bob@laptop took the operators' lock over") || o.wiped() {
		t.Errorf("the next step of who lost the lock: %v", err)
	}
}
