package cluster_test

import (
	"maps"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// What nobody has seen, or saw too long ago, or could not try, is no answer.
func TestDoubtIsNoAnswer(t *testing.T) {
	partly := func(how string) func(*stage) {
		return func(s *stage) {
			s.powerOff("be3")
			for _, peerName := range []string{"be1", "be2"} {
				s.at(peerName).Peers = maps.Clone(s.at(peerName).Peers)
				s.at(peerName).Peers[addressBe3] = known(cluster.PeerSeen{Ports: map[int]string{22: how, 5432: "timeout"}})
			}
		}
	}
	follows := func(host string) func(*stage) {
		return func(s *stage) { s.at("be3").PostgreSQL.Upstream = known(host) }
	}
	tryFacts(t, []factCase{
		{"ports not tried", "gone", "be3", partly("timeout"), 0, cluster.Unknown, "did not try port 2380"},
		{"one port is enough to be seen", "seen-by-all-peers", "be3", partly("refused"), 0, cluster.True, ""},
		{"2380 not tried", "etcd-peers-time-out", "be1", partly("timeout"), 0, cluster.False, ""}, // be2's is open
		{"a name that is nobody's", "good-follower", "be3", follows("db.example"), 0, cluster.Unknown, "follows db.example"},
		{"an address that is nobody's", "good-follower", "be3", follows("10.9.9.9"), 0, cluster.False, "10.9.9.9"},
		{"the leader's long name", "good-follower", "be3", func(s *stage) {
			s.at("be1").Host.HostName = known("be1")
			follows("be1.example.com")(s)
		}, 0, cluster.True, ""},
		{"the leader's other address", "good-follower", "be3", func(s *stage) {
			s.at("be1").Host.Addresses = known([]string{addressBe1, "192.168.7.1"})
			follows("192.168.7.1")(s)
		}, 0, cluster.True, ""},
	})
}

// A cluster of one known node has no peers that could be asked.
func TestOneNodeAlone(t *testing.T) {
	nodes := []cluster.Node{{Name: "be1", Address: addressBe1}}
	r := &cluster.Report{Node: "be1", Reach: known(cluster.Reached)}
	r.Etcd.Health = known(false)
	v := &cluster.View{Snapshot: &cluster.Snapshot{Seq: 2, Nodes: nodes, Reports: map[string]*cluster.Report{"be1": r}},
		Previous: &cluster.Snapshot{Seq: 1, Nodes: nodes, Reports: map[string]*cluster.Report{"be1": {Seq: 9, Reach: r.Reach, Etcd: r.Etcd}}}}
	if a := ask(t, v, "survivor-alone", ""); a.Truth != cluster.Unknown {
		t.Errorf("alone: %s, %s", a.Truth, a.Sentence)
	}
	r.Reach = known(cluster.Unreachable)
	if a := ask(t, v, "gone", "be1"); a.Truth != cluster.Unknown {
		t.Errorf("gone: %s, %s", a.Truth, a.Sentence)
	}
}

// Rows that a slow look left behind long ago elect nobody and hold nobody up.
func TestOldRowsCountForNothing(t *testing.T) {
	s := newStage()
	v := s.looks(1)
	if e := v.Elected(); e.Truth != cluster.True {
		t.Fatalf("at first: %s", e.Answer.Sentence)
	}
	for _, snapshot := range []*cluster.Snapshot{v.Snapshot, v.Previous} {
		snapshot.At = v.Now
		for _, r := range snapshot.Reports {
			r.Ctl.Rows.At = v.Now.Add(-2 * time.Minute)
		}
	}
	if e := v.Elected(); e.Truth != cluster.Unknown {
		t.Errorf("%s: %s", e.Truth, e.Answer.Sentence)
	}
	if a := ask(t, v, "nobody-leads", ""); a.Truth != cluster.Unknown {
		t.Errorf("%s: %s", a.Truth, a.Sentence)
	}
}

// A promotion that was under way when the history began does not last for ever,
// and hides a missing leader no longer than a failover may take.
func TestStuckPromotionIsNoFailover(t *testing.T) {
	s := newStage()
	s.role("be1", "follower")
	s.role("be2", "promoting")
	v := s.looks(2)
	v.Past.Elections = nil
	for age, want := range map[time.Duration]cluster.Truth{time.Minute: cluster.True, 20 * time.Minute: cluster.False} {
		v.Past.Since = v.Now.Add(-age)
		if a := ask(t, v, "failover-under-way", ""); a.Truth != want {
			t.Errorf("after %s: %s, %s", age, a.Truth, a.Sentence)
		}
	}
}

func TestSameAddress(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"10.0.4.11", "10.0.4.11", true}, {"FD00::11", "fd00:0:0:0:0:0:0:11", true}, {"::ffff:10.0.4.11", "10.0.4.11", true},
		{"be1", "be1", true}, {"", "", false}, {"10.0.4.11", "10.0.4.12", false}, {"be1", "10.0.4.11", false},
	} {
		if got := cluster.SameAddress(c.a, c.b); got != c.same {
			t.Errorf("%q and %q: %v", c.a, c.b, got)
		}
	}
}
