package watch

import (
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// What a finding is compared with is older than what it waited out: a snapshot
// that already showed the change is not the last healthy one.
func TestLastHealthyIsBeforeWhatStands(t *testing.T) {
	start := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	var c calm
	for s := 0; s <= 2000; s += 2 {
		c.learn(healthyView(at(s)), nil)
	}
	if n := len(c); n > int(calmFor/calmEvery)+2 {
		t.Errorf("%d snapshots are kept", n)
	}
	if got := c.before(nil); got == nil || got.At != at(2000) {
		t.Errorf("with nothing standing: %v", got)
	}
	stands := func(since int) []cluster.Finding {
		return []cluster.Finding{{Failure: "recent", Since: at(1998)}, {Failure: "follows-wrong-node", Since: at(since)}}
	}
	if got := c.before(stands(1950)); got == nil || got.At.After(at(1940)) || got.At.Before(at(1920)) {
		t.Errorf("compared with %v, and what stands began at %v", got, at(1950))
	}
	c.learn(healthyView(at(2002)), stands(1950))
	if got := c.before(nil); got.At != at(2000) {
		t.Errorf("a snapshot in which something stood is called healthy: %v", got.At)
	}
	first := c[0].At
	if got := c.before(stands(int(first.Sub(start).Seconds()) + 4)); got == nil || got.At != first {
		t.Errorf("the first look was well, and what stands began 4 s later: %v", got)
	}
	if got := c.before(stands(0)); got != nil {
		t.Errorf("what stands began before anything that was seen: %v", got)
	}
}

// healthyView is as little as makes a cluster healthy: be1 leads, the others
// could take over.
func healthyView(now time.Time) *cluster.View {
	snap := &cluster.Snapshot{At: now, Reports: map[string]*cluster.Report{}}
	rows := []cluster.CtlNode{}
	for i, name := range []string{"be1", "be2", "be3"} {
		n := cluster.Node{Name: name, Address: "10.0.4.1" + name[2:]}
		snap.Nodes = append(snap.Nodes, n)
		role := map[bool]string{true: "leader", false: "follower"}[i == 0]
		rows = append(rows, cluster.CtlNode{Name: name, IP: n.Address, Role: role, Eligible: cluster.True, Blocked: cluster.False, Failover: cluster.True})
	}
	for i, n := range snap.Nodes {
		r := &cluster.Report{Node: n.Name, Services: map[string]cluster.ServiceClaims{}}
		r.Reach = cluster.KnownAs(cluster.Reached, cluster.SourceReach, now)
		for _, s := range cluster.Services {
			r.Services[s] = cluster.ServiceClaims{State: cluster.KnownAs("run", cluster.SourceRunit, now), InState: cluster.KnownAs(time.Hour, cluster.SourceRunit, now)}
		}
		r.Etcd.Health = cluster.KnownAs(true, cluster.SourceEtcd, now)
		r.Ctl.Rows, r.Ctl.Failover = cluster.KnownAs(rows, cluster.SourceCtl, now), cluster.KnownAs(true, cluster.SourceCtl, now)
		r.Sentinels.Unsynced = cluster.KnownAs(false, cluster.SourceHost, now)
		r.Settings.RequiredFollowers = cluster.KnownAs(0, cluster.SourceHost, now)
		r.PostgreSQL.InRecovery = cluster.KnownAs(i > 0, cluster.SourcePostgreSQL, now)
		r.PostgreSQL.Control = cluster.KnownAs(cluster.ControlData{SystemID: "1", Timeline: 1}, cluster.SourcePostgreSQL, now)
		r.PostgreSQL.Upstream = cluster.KnownAs(snap.Nodes[0].Address, cluster.SourcePostgreSQL, now)
		snap.Reports[n.Name] = r
	}
	snap.Reports["be1"].PostgreSQL.Replicas = cluster.KnownAs([]cluster.Replica{
		{Address: "10.0.4.12", State: "streaming"}, {Address: "10.0.4.13", State: "streaming"}}, cluster.SourcePostgreSQL, now)
	return &cluster.View{Now: now, Snapshot: snap, Previous: snap}
}
