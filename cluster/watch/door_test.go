package watch

import (
	"context"
	"strings"
	"testing"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/remote"
)

// Without a journal nothing may be carried out, and watching may.
func TestPlanWithoutAJournal(t *testing.T) {
	c, err := catalogue.Load(assets.Files, "catalogue")
	if err != nil {
		t.Fatal(err)
	}
	w, err := New(Options{Cluster: "invented", Nodes: []cluster.Node{{Name: "be1"}, {Name: "be2"}, {Name: "be3"}},
		Clock: remote.System{}, Catalogue: c, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for _, p := range []string{"restart-service", "resync-follower", "rebuild-follower", "promote-node", "promote-previous-leader"} {
		if _, err := w.Plan(ctx, p, "be3", "etcd"); err == nil || !strings.Contains(err.Error(), "no journal") {
			t.Errorf("%s: %v", p, err)
		}
	}
	plan, err := w.Plan(ctx, "observe", "", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Confirm(plan.ID, ""); err != nil {
		t.Errorf("watching: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}
