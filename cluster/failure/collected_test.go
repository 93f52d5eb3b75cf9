package failure

import (
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// Signs alone suspect, each on its node or for the cluster, the gravest first.
func TestFromSigns(t *testing.T) {
	at := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	failures := []cluster.Failure{
		{Name: "wal-gap", Scope: "node", Priority: cluster.P2, Title: "WAL is gone for {node} on {leader}", Seen: []string{"removed", "refused"}},
		{Name: "nobody", Scope: "cluster", Priority: cluster.P1, Title: "Nobody leads", Seen: []string{"leaderless"}},
		{Name: "other", Scope: "node", Priority: cluster.P1, Seen: []string{"never"}},
	}
	got := FromSigns(failures, []cluster.SignSeen{
		{Sign: "removed", Node: "be3", Service: "postgresql", Count: 48, First: at.Add(time.Minute), Last: at.Add(time.Hour)},
		{Sign: "leaderless", Node: "be1", Service: "ctl", Count: 1},
		{Sign: "leaderless", Node: "be2", Service: "ctl", Count: 1},
		{Sign: "refused", Node: "be1", Service: "postgresql", Count: 2, First: at},
		{Sign: "unclaimed", Node: "be1", Service: "etcd", Count: 2, First: at},
	})
	if len(got) != 3 {
		t.Fatalf("%d findings: %v", len(got), got)
	}
	for i, want := range []string{"nobody", "wal-gap@be1", "wal-gap@be3"} {
		if got[i].ID() != want || got[i].Certainty != cluster.Suspected {
			t.Errorf("finding %d is %s, %s; not %s", i, got[i].ID(), got[i].Certainty, want)
		}
	}
	if len(got[0].Evidence) != 2 || !got[0].Since.IsZero() {
		t.Errorf("nobody: %d pieces of evidence since %s", len(got[0].Evidence), got[0].Since)
	}
	if f := got[2]; f.Title != "WAL is gone for be3 on the leader" || !f.Since.Equal(at.Add(time.Minute)) {
		t.Errorf("%s: %q since %s", f.ID(), f.Title, f.Since)
	}
}

// A line of etcd about a peer is no news of the node that wrote it.
func TestFromSignsNamesThePeer(t *testing.T) {
	failures := []cluster.Failure{{Name: "gone", Scope: "node", Priority: cluster.P2, Title: "{node} is gone", Seen: []string{"inactive", "lost", "slow"}}}
	sign := func(name, node, line string) cluster.SignSeen {
		return cluster.SignSeen{Sign: name, Node: node, Service: "etcd", Count: 1, Example: line}
	}
	candidate := sign("lost", "be3", "2026-11-23 12:00:00.000001 I | raft: ca3d5f0e6b1f2c01 is starting a new election at term 412")
	inactive := sign("inactive", "be1", "2026-11-23 12:00:00.000001 I | rafthttp: the connection with ca3d5f0e6b1f2c01 became inactive")
	for _, c := range []struct {
		signs []cluster.SignSeen
		id    string
		title string
	}{
		{[]cluster.SignSeen{inactive}, "gone", "a node is gone"},
		{[]cluster.SignSeen{inactive, candidate}, "gone@be3", "be3 is gone"},
		{[]cluster.SignSeen{candidate}, "gone@be3", "be3 is gone"},
		{[]cluster.SignSeen{sign("slow", "be1", "etcdserver: failed to send out heartbeat on time (exceeded the 500ms timeout for 1.5s)")}, "gone@be1", "be1 is gone"},
	} {
		got := FromSigns(failures, c.signs)
		if len(got) != 1 || got[0].ID() != c.id || got[0].Title != c.title {
			t.Errorf("%v: %+v", c.signs, got)
		}
	}
}
