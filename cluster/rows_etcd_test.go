package cluster_test

import (
	"slices"
	"testing"
	"time"

	"chef-backend-cockpit/cluster/failure"
)

// After a partition the members come back one by one, as real ones do, within
// some seconds of each other: the last of them is not down.
func TestLastMemberToComeBackIsNotDown(t *testing.T) {
	s, e := newStage(), failure.NewEngine(load(t).Failures)
	watchRow(e, s, 5)
	raft := s.at("be2").Etcd.RaftLeader.Value
	health := func(healthy bool, nodes ...string) {
		for _, n := range nodes {
			leader := ""
			if healthy {
				leader = raft
			}
			s.at(n).Etcd.Health, s.at(n).Etcd.RaftLeader = known(healthy), known(leader)
			s.at(n).Services["etcd"] = service("run", 700, 10*time.Minute)
		}
	}
	health(false, "be1", "be2", "be3")
	_, before := watchRow(e, s, 20)
	health(true, "be2", "be3")
	_, way := watchRow(e, s, 4)
	health(true, "be1")
	_, after := watchRow(e, s, 5)
	if all := slices.Concat(before, way, after); slices.Contains(all, "etcd-down@be1") {
		t.Errorf("etcd-down@be1 stood: %v", all)
	}
	health(false, "be1")
	if fs, _ := watchRow(e, s, 10); !slices.Contains(unhidden(fs), "etcd-down@be1") {
		t.Errorf("a member that stays unhealthy among healthy ones: %s", explain(fs))
	}
}
