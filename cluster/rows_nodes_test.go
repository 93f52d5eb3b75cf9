package cluster_test

import (
	"slices"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/failure"
)

func TestNodeRows(t *testing.T) { tryRows(t, nodeRows()) }

// isolate lets a node's etcd run on without its peers.
func isolate(s *stage, node string) {
	for _, o := range stageNodes {
		if o.Name != node {
			s.unseen(node, o.Name)
			s.unseen(o.Name, node)
		}
	}
	s.at(node).Etcd.Health, s.at(node).Etcd.RaftLeader = known(false), known("")
}

// oneLeft is a loss of quorum of which only be3 can be seen.
func oneLeft(s *stage) {
	s.powerOff("be1")
	s.powerOff("be2")
	s.at("be3").Etcd.Health, s.at("be3").Etcd.RaftLeader = known(false), known("")
}

// remade is a cluster made anew from be1 after a loss of quorum: be3 has joined
// as a new node, be2 is left behind.
func remade(s *stage) {
	s.view.Fenced = map[string]bool{"be2": true, "be3": true}
	for _, n := range []string{"be1", "be3"} {
		s.at(n).Etcd.Members = known([]cluster.EtcdMember{{ID: "1", Name: "g1", PeerURL: "http://10.0.4.11:2380"}, {ID: "3", Name: "g3", PeerURL: "http://10.0.4.13:2380"}})
	}
}

// gone2 takes be2 away, host and all.
func gone2(s *stage) { remade(s); s.powerOff("be2") }

func nodeRows() []rowCase {
	fence := func(names ...string) map[string]bool {
		m := map[string]bool{}
		for _, n := range names {
			m[n] = true
		}
		return m
	}
	sign := func(name, node, line string) func(*stage) {
		return func(s *stage) {
			for i, n := range stageNodes {
				s.at(n.Name).Etcd.MemberID = known([]string{"a11111111111", "b22222222222", "c33333333333"}[i])
			}
			s.view.Signs = []cluster.SignSeen{{Sign: name, Node: node, Service: "etcd", Count: 2, Last: s.now.Add(time.Minute), Example: line}}
		}
	}
	return []rowCase{
		{name: "node-down of the leader, and nobody knows whether it writes", change: func(s *stage) {
			s.powerOff("be1")
			s.lead("be2")
		}, looks: 25, want: []string{"node-down@be1", "old-leader-unseen@be1"}, hidden: []string{"redundancy-lost"}},
		{name: "node-down, a peer not asked", change: func(s *stage) {
			s.powerOff("be3")
			delete(s.at("be2").Peers, addressBe3)
		}, looks: 25, never: []string{"node-down@be3"}},
		{name: "node-down without quorum of the others", change: func(s *stage) {
			s.powerOff("be3")
			s.at("be2").Etcd.Health = known(false)
		}, looks: 5, never: []string{"node-down@be3"}},
		{name: "a peer's line about a node that we reach raises nothing", change: sign("etcd-peer-inactive", "be1", "the connection with c33333333333 became inactive"), looks: 10, never: []string{"node-down@be3", "node-down@be1"}},
		{name: "two-nodes-down", change: func(s *stage) { oneLeft(s); s.view.Fenced = fence("be1", "be2") }, looks: 40,
			want: []string{"two-nodes-down"}, hidden: []string{"quorum-lost-one-seen"}},
		{name: "two-nodes-down, one of them not fenced", change: func(s *stage) { oneLeft(s); s.view.Fenced = fence("be1") }, looks: 40,
			want: []string{"quorum-lost-one-seen"}, never: []string{"two-nodes-down"}},
		{name: "two-nodes-down, one of them fenced in an earlier incident", change: func(s *stage) {
			oneLeft(s)
			s.view.Fenced, s.view.Returned = fence("be1", "be2"), map[string]time.Time{"be2": s.now.Add(-time.Hour)}
		}, looks: 40, want: []string{"quorum-lost-one-seen"}, never: []string{"two-nodes-down"}},
		{name: "two-nodes-down, fenced, and the survivor well", change: func(s *stage) {
			s.powerOff("be2")
			s.view.Fenced = fence("be2", "be3")
		}, looks: 30, want: []string{"node-down@be2"}, never: []string{"two-nodes-down", "quorum-lost-one-seen"}},
		{name: "two-nodes-down, one answers a peer's question", change: func(s *stage) {
			oneLeft(s)
			s.view.Fenced = fence("be1", "be2")
			s.at("be3").Peers[addressBe2] = peer("refused")
		}, looks: 40, never: []string{"two-nodes-down", "quorum-lost-one-seen"}},
		{name: "old-member-returned", change: remade, looks: 3, want: []string{"old-member-returned@be2"}},
		{name: "old-member-returned, seen by a peer alone", change: func(s *stage) {
			gone2(s)
			s.at("be1").Peers[addressBe2] = peer("refused")
		}, looks: 3, want: []string{"old-member-returned@be2"}},
		{name: "old-member-returned, it is off", change: gone2, looks: 30, want: []string{"node-down@be2"}, never: []string{"old-member-returned@be2"}},
		{name: "old-member-returned, the host without the product", change: func(s *stage) {
			remade(s)
			s.at("be2").Host.Installed = known(false)
		}, looks: 3, want: []string{"etcd-member-removed@be2"}, never: []string{"old-member-returned@be2"}},
		{name: "old-member-returned, it joined", change: func(s *stage) {
			remade(s)
			for _, n := range []string{"be1", "be3"} {
				s.at(n).Etcd.Members.Value = append(s.at(n).Etcd.Members.Value, cluster.EtcdMember{ID: "2", Name: "g2", PeerURL: "http://10.0.4.12:2380"})
			}
		}, looks: 30, never: []string{"old-member-returned@be2"}},
		{name: "old-member-returned, no recovery was made", change: func(s *stage) {
			remade(s)
			s.view.Fenced = nil
		}, looks: 3, want: []string{"etcd-member-removed@be2"}, never: []string{"old-member-returned@be2"}},
		{name: "old-member-returned, members unknown", change: func(s *stage) {
			remade(s)
			for _, n := range stageNodes {
				s.at(n.Name).Etcd.Members = cluster.Claim[[]cluster.EtcdMember]{}
			}
		}, looks: 3, never: []string{"old-member-returned@be2"}},
		{name: "partition-partial between two nodes that we reach", change: func(s *stage) { s.unseen("be3", "be2"); s.unseen("be2", "be3") }, looks: 25,
			want: []string{"partition-partial@be2", "partition-partial@be3"}},
		{name: "partition-partial, not before 15 s", change: func(s *stage) { s.unseen("be3", "be2") }, looks: 7, never: []string{"partition-partial@be3"}},
		{name: "partition-partial, a view unknown", change: func(s *stage) {
			s.blind("be3", cluster.Unreachable)
			delete(s.at("be2").Peers, addressBe3)
		}, looks: 25},
		{name: "a cut-off node's view of the others is no news of them", change: func(s *stage) { isolate(s, "be3"); lagBehind(s, stageEnd) }, looks: 40,
			want: []string{"partition-quorum-kept@be3"}},
		{name: "partition-quorum-lost, two of them", change: func(s *stage) {
			isolate(s, "be2")
			isolate(s, "be3")
			s.powerOff("be1")
		}, looks: 60, want: []string{"partition-quorum-lost"}},
		{name: "operator-cut-off from the leader", change: func(s *stage) { s.blind("be1", cluster.Unreachable) }, looks: 25, want: []string{"operator-cut-off@be1"}},
		{name: "a key that we do not know is no failure of the node", change: func(s *stage) { s.blind("be3", cluster.HostKeyUnknown) }, looks: 25, want: []string{"login-failed@be3"}},
	}
}

// A peer's line about a member's connection is evidence about that member's
// node, and about no other.
func TestPeerLinesAreAboutThePeer(t *testing.T) {
	s, e := newStage(), failure.NewEngine(load(t).Failures)
	s.at("be3").Etcd.MemberID = known("c33333333333")
	for _, n := range []string{"be1", "be2"} {
		s.at(n).Etcd.Members = known([]cluster.EtcdMember{{ID: "c33333333333", Name: "g3", PeerURL: "http://10.0.4.13:2380"},
			{ID: "a11111111111", Name: "g1", PeerURL: "http://10.0.4.11:2380"}, {ID: "b22222222222", Name: "g2", PeerURL: "http://10.0.4.12:2380"}})
	}
	s.looks(3)
	s.blind("be3", cluster.Unreachable)
	delete(s.at("be1").Peers, addressBe3)
	delete(s.at("be2").Peers, addressBe3)
	s.view.Signs = []cluster.SignSeen{{Sign: "etcd-peer-inactive", Node: "be1", Service: "etcd", Count: 1, Last: s.now, Example: "the connection with c33333333333 became inactive"}}
	fs, _ := watchRow(e, s, 3)
	i := slices.IndexFunc(fs, func(f cluster.Finding) bool { return f.ID() == "node-down@be3" })
	if i < 0 || fs[i].Certainty != cluster.Suspected {
		t.Errorf("%s", explain(fs))
	}
	for line, want := range map[string]string{
		"the connection with c33333333333 became inactive":           "be3",
		"raft.node: a11111111111 lost leader c33333333333 at term 9": "be1",
		"server is likely overloaded":                                "be1",
	} {
		if got := s.view.AboutNode("be1", line); got != want {
			t.Errorf("%q is about %s, want %s", line, got, want)
		}
	}
}

// That the others may live without the one node that is seen is what the row
// about it says: it is not said twice.
func TestOneSeenSaysThatTheOthersMayLive(t *testing.T) {
	s, e := newStage(), failure.NewEngine(load(t).Failures)
	isolate(s, "be3")
	watchRow(e, s, 30)
	s.powerOff("be1")
	s.powerOff("be2")
	fs, _ := watchRow(e, s, 30)
	for _, f := range fs {
		if f.Under == "" && f.ID() != "quorum-lost-one-seen" {
			t.Errorf("beside the loss of quorum stands %s", f.ID())
		}
	}
	if len(fs) == 0 || fs[0].ID() != "quorum-lost-one-seen" {
		t.Error(explain(fs))
	}
}
