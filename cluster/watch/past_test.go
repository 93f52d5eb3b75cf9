package watch

import (
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

var t0 = time.Date(2026, 3, 1, 2, 40, 0, 0, time.UTC)

// threeNodes is a snapshot in which leader leads by every layer.
func threeNodes(seq uint64, at time.Time, leader string) *cluster.Snapshot {
	s := &cluster.Snapshot{Seq: seq, At: at, Reports: map[string]*cluster.Report{}}
	var rows []cluster.CtlNode
	var members []cluster.EtcdMember
	for i, name := range []string{"be1", "be2", "be3"} {
		n := cluster.Node{Name: name, Address: "10.0.4.1" + string(rune('1'+i))}
		s.Nodes = append(s.Nodes, n)
		role := "follower"
		if name == leader {
			role = "leader"
		}
		rows = append(rows, cluster.CtlNode{Name: name, IP: n.Address, Role: role, Eligible: cluster.True})
		members = append(members, cluster.EtcdMember{ID: name, Name: name, PeerURL: "http://" + n.Address + ":2380"})
	}
	for _, n := range s.Nodes {
		leads := n.Name == leader
		code := 503
		if leads {
			code = 200
		}
		r := &cluster.Report{Node: n.Name, Seq: seq, Began: at, Ended: at}
		r.Reach = cluster.KnownAs(cluster.Reached, cluster.SourceReach, at)
		r.Etcd.Health = cluster.KnownAs(true, cluster.SourceEtcd, at)
		r.Etcd.Members = cluster.KnownAs(members, cluster.SourceEtcd, at)
		r.Etcd.RaftTerm = cluster.KnownAs(uint64(14), cluster.SourceEtcd, at)
		r.Leaderl.LeaderCode = cluster.KnownAs(code, cluster.SourceLeaderl, at)
		r.PostgreSQL.InRecovery = cluster.KnownAs(!leads, cluster.SourcePostgreSQL, at)
		r.PostgreSQL.Current = cluster.KnownAs(cluster.LSN(1000+seq), cluster.SourcePostgreSQL, at)
		r.PostgreSQL.Replay = cluster.KnownAs(cluster.LSN(900+seq), cluster.SourcePostgreSQL, at)
		r.Ctl.Rows = cluster.KnownAs(rows, cluster.SourceCtl, at)
		s.Reports[n.Name] = r
	}
	return s
}

// learnAll feeds a past one snapshot a look.
func learnAll(p *past, leaders ...string) {
	var previous *cluster.Snapshot
	for i, leader := range leaders {
		at := t0.Add(time.Duration(i) * FastEvery)
		s := threeNodes(uint64(i+1), at, leader)
		p.learn(&cluster.View{Now: at, Snapshot: s, Previous: previous})
		previous = s
	}
}

func TestPastCountsDistinctElections(t *testing.T) {
	p := newPast()
	learnAll(&p, "be1", "be1", "be1", "be2", "be2", "be2", "be2")
	h := p.copy()
	if len(h.Elections) == 0 || h.Elections[len(h.Elections)-1].To != "be2" {
		t.Fatalf("elections: %+v", h.Elections)
	}
	if len(h.Terms) != 1 || h.Terms[0].Term != 14 {
		t.Errorf("terms: %+v", h.Terms)
	}
	if got := h.LastSeen["be3"]; got.Position != cluster.LSN(907) || got.Leader {
		t.Errorf("last seen of be3: %+v", got)
	}
}

// Of a node that went away the timeline counts on which it was, not the one that
// its control data told until the next restartpoint.
func TestPastKeepsTheTimelineReached(t *testing.T) {
	p, s := newPast(), threeNodes(1, t0, "be1")
	pg := &s.Reports["be3"].PostgreSQL
	pg.Control = cluster.KnownAs(cluster.ControlData{SystemID: "1", State: "in archive recovery", Timeline: 5}, cluster.SourcePostgreSQL, t0)
	pg.Segments = cluster.KnownAs(cluster.Segments{Oldest: "000000050000000000000000", Newest: "000000060000000000000000", Count: 2}, cluster.SourcePostgreSQL, t0)
	p.learn(&cluster.View{Now: t0, Snapshot: s})
	if got := p.copy().LastSeen["be3"].Timeline; got != 6 {
		t.Errorf("timeline %d", got)
	}
}

func TestPastIsBoundedAndFrozen(t *testing.T) {
	p := newPast()
	leaders := make([]string, 3*samplesKept)
	for i := range leaders {
		leaders[i] = "be1"
	}
	learnAll(&p, leaders[:10]...)
	early := p.copy()
	p = newPast()
	learnAll(&p, leaders...)
	h := p.copy()
	if n := len(h.Samples["be1"]); n != samplesKept {
		t.Errorf("%d samples are kept, want %d", n, samplesKept)
	}
	if n := len(early.Samples["be1"]); n != 10 {
		t.Errorf("an earlier copy has changed: %d samples", n)
	}
	last := h.Samples["be2"][samplesKept-1]
	if !last.LagKnown || last.LagBytes != 100 {
		t.Errorf("lag of be2: %+v", last)
	}
}

// A copy on another branch is not so and so many bytes behind.
func TestNoLagOnAnotherBranch(t *testing.T) {
	p := newPast()
	var previous *cluster.Snapshot
	for i, timeline := range []uint32{5, 5, 4, 3, 3} {
		at := t0.Add(time.Duration(i) * FastEvery)
		s := threeNodes(uint64(i+1), at, "be1")
		control := func(node string, timeline uint32) {
			s.Reports[node].PostgreSQL.Control = cluster.KnownAs(cluster.ControlData{SystemID: "1", Timeline: timeline}, cluster.SourcePostgreSQL, at)
		}
		control("be1", 5)
		control("be3", timeline)
		s.Reports["be1"].PostgreSQL.Histories = cluster.KnownAs([]cluster.History{{Timeline: 5, Switches: []cluster.Switch{{Parent: 4, At: 5000}}}}, cluster.SourcePostgreSQL, at)
		if streams := i == 4; streams {
			s.Reports["be1"].PostgreSQL.Replicas = cluster.KnownAs([]cluster.Replica{{Address: "10.0.4.13", State: "streaming"}}, cluster.SourcePostgreSQL, at)
		}
		p.learn(&cluster.View{Now: at, Snapshot: s, Previous: previous})
		previous = s
		// Timeline 4 is the leader's own past; on 3 nobody knows how
		// far it is, unless it streams.
		if got, want := last(p.h.Samples["be3"]).LagKnown, i > 0 && timeline != 3 || i == 4; got != want {
			t.Errorf("look %d, timeline %d: lag known %v", i, timeline, got)
		}
	}
}

func last(ss []cluster.Sample) cluster.Sample { return ss[len(ss)-1] }
