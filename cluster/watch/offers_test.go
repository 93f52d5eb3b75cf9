package watch

import (
	"slices"
	"strings"
	"testing"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/remote"
)

// TestOffersAreBound holds for which nodes a procedure is offered: the finding's
// own, or whom that one follows; and that a node's menu has the cluster's.
func TestOffersAreBound(t *testing.T) {
	c, err := catalogue.Load(assets.Files, "catalogue")
	if err != nil {
		t.Fatal(err)
	}
	w, err := New(Options{Cluster: "invented", Nodes: []cluster.Node{{Name: "be1"}, {Name: "be2"}, {Name: "be3"}},
		Clock: remote.System{}, Catalogue: c, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	bound := func(v *cluster.View, o cluster.Offer) []string {
		var nodes []string
		for _, off := range w.offersFor(v, cluster.Finding{Node: "be3", Nodes: []string{"be3"}}, o, "") {
			nodes = append(nodes, off.Node)
		}
		slices.Sort(nodes)
		return nodes
	}
	for want, o := range map[string]cluster.Offer{
		"be3":         {Procedure: "rebuild-follower"},
		"be1 be2 be3": {Procedure: "stop-stale-primary", Upstream: true}, // whom it follows is not known yet
		"":            {Procedure: "set-failover-on"},
	} {
		if got := bound(w.View(), o); !slices.Equal(got, strings.Split(want, " ")) {
			t.Errorf("%s is offered for %q, not for %q", o.Procedure, got, want)
		}
	}
	v := *w.View()
	follows := cluster.Report{Node: "be3"}
	follows.PostgreSQL.Upstream = cluster.KnownAs("be2", cluster.SourcePostgreSQL, v.Now)
	snap := *v.Snapshot
	snap.Reports = map[string]*cluster.Report{"be3": &follows}
	v.Snapshot = &snap
	if got := bound(&v, cluster.Offer{Procedure: "stop-stale-primary", Upstream: true}); !slices.Equal(got, []string{"be2"}) {
		t.Errorf("what stops a stale primary is offered for %q, and be3 follows be2", got)
	}
	rebuild, _ := w.procedure("rebuild-follower")
	off := w.offered(w.View(), rebuild, "be3", "")
	given := func(g cluster.CheckedGuard) bool { return g.Override == "discard be3" }
	if !slices.ContainsFunc(off.Price, given) || slices.ContainsFunc(off.WhyNot, given) {
		t.Errorf("what is to be given up by typing is not told: %+v", off.Price)
	}
	whole := func(o Offered) bool { return o.Procedure == "set-failover-off" && o.Node == "" }
	if !slices.ContainsFunc(w.NodeOffers("be3"), whole) {
		t.Error("set-failover-off is in no menu")
	}
}
