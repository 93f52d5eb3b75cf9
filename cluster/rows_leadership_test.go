package cluster_test

import (
	"slices"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/failure"
)

func TestLeadershipRows(t *testing.T) { tryRows(t, leadershipRows()) }

// lead makes another node the leader by every layer; be3 follows it, and be1
// does where it can be asked.
func (s *stage) lead(node string) {
	end := stageEnd
	for _, n := range stageNodes {
		r := s.at(n.Name)
		if n.Name == node {
			s.role(n.Name, "leader")
			r.Leaderl.LeaderCode = known(200)
			r.PostgreSQL.InRecovery, r.PostgreSQL.Current = known(false), known(end)
			continue
		}
		s.role(n.Name, "follower")
		if r.Reach.Value != cluster.Reached {
			continue
		}
		r.Leaderl.LeaderCode = known(503)
		p := &r.PostgreSQL
		p.InRecovery, p.Upstream, p.Current = known(true), known(s.addressOf(node)), cluster.Claim[cluster.LSN]{}
		p.Receive, p.Replay = known(end), known(end)
	}
	var replicas []cluster.Replica
	for _, n := range stageNodes {
		if n.Name != node && s.at(n.Name).Reach.Value == cluster.Reached {
			replicas = append(replicas, cluster.Replica{Address: n.Address, State: "streaming", Replay: end})
		}
	}
	s.at(node).PostgreSQL.Replicas = known(replicas)
}

// failoverOff switches failover off for the cluster.
func failoverOff(s *stage) {
	for _, n := range stageNodes {
		s.at(n.Name).Ctl.Failover = known(false)
	}
}

// nobody lets every node wait, its PostgreSQL down.
func nobody(s *stage) {
	for _, n := range stageNodes {
		s.role(n.Name, "waiting_for_leader")
		mute(s, n.Name)
	}
}

// stopAll stops every service of the nodes named.
func stopAll(s *stage, nodes ...string) {
	for _, n := range nodes {
		for _, name := range cluster.Services {
			s.at(n).Services[name] = cluster.ServiceClaims{State: known("down"), PID: known(0), WantUp: known(false), InState: known(time.Minute)}
		}
		s.at(n).Etcd, s.at(n).Ctl = cluster.EtcdClaims{}, cluster.CtlClaims{}
		s.at(n).Leaderl.LeaderCode, s.at(n).Elasticsearch.Answers = known(0), known(false)
		mute(s, n)
	}
}

// withhold lets the leader tell the frontends that it does not lead.
func withhold(required int, followers ...string) func(*stage) {
	return func(s *stage) {
		s.at("be1").Leaderl.LeaderCode = known(503)
		for _, n := range stageNodes {
			s.at(n.Name).Settings.RequiredFollowers = known(required)
		}
		var left []cluster.Replica
		for _, n := range followers {
			left = append(left, cluster.Replica{Address: s.addressOf(n), State: "streaming", Replay: stageEnd})
		}
		s.at("be1").PostgreSQL.Replicas = known(left)
	}
}

// ineligible makes cluster-status call nodes not eligible.
func ineligible(s *stage, nodes ...string) {
	for _, n := range nodes {
		s.row(n, func(r *cluster.CtlNode) { r.Eligible = cluster.False })
	}
}

// elections is a history of leaders, a minute apart, the last one just now.
func elections(leaders ...string) func(*stage) {
	return func(s *stage) {
		from := "be3"
		for i, to := range leaders {
			s.view.Past.Elections = append(s.view.Past.Elections, cluster.Election{At: s.now.Add(-time.Duration(len(leaders)-1-i) * time.Minute), From: from, To: to})
			from = to
		}
	}
}

func leadershipRows() []rowCase {
	wrong := func(s *stage) { s.at("be3").PostgreSQL.Upstream = known(addressBe2); lagBehind(s, stageEnd) }
	return []rowCase{
		{name: "old-leader-unseen, a peer is refused", change: func(s *stage) {
			s.powerOff("be1")
			s.lead("be2")
			for _, n := range []string{"be2", "be3"} {
				s.at(n).Peers[addressBe1] = known(cluster.PeerSeen{Ports: map[int]string{22: "timeout", 2380: "timeout", 5432: "refused", 7331: "timeout"}})
			}
		}, looks: 25, want: []string{"operator-cut-off@be1"}, never: []string{"old-leader-unseen@be1"}},
		{name: "old-leader-unseen, fenced", change: func(s *stage) {
			s.powerOff("be1")
			s.lead("be2")
			s.view.Fenced = map[string]bool{"be1": true}
		}, looks: 25, want: []string{"node-down@be1"}, never: []string{"old-leader-unseen@be1"}},
		{name: "old-leader-unseen, fenced, and its peers get to its PostgreSQL", change: func(s *stage) {
			s.blind("be1", cluster.Unreachable)
			s.lead("be2")
			s.view.Fenced = map[string]bool{"be1": true}
		}, looks: 25, want: []string{"old-leader-unseen@be1", "operator-cut-off@be1"}},
		{name: "old-leader-unseen, fenced once, and it led again since", change: func(s *stage) {
			s.view.Fenced, s.view.Returned = map[string]bool{"be1": true}, map[string]time.Time{"be1": s.now.Add(-time.Hour)}
			s.powerOff("be1")
			s.lead("be2")
		}, looks: 25, want: []string{"node-down@be1", "old-leader-unseen@be1"}},
		{name: "old-leader-unseen, a follower that went", change: func(s *stage) { s.powerOff("be3") }, looks: 25, want: []string{"node-down@be3"}, never: []string{"old-leader-unseen@be3"}},
		{name: "follows-wrong-node", change: wrong, looks: 30, want: []string{"follows-wrong-node@be3"}},
		{name: "follows-wrong-node, not before 45 s", change: wrong, looks: 21, never: []string{"follows-wrong-node@be3"}},
		{name: "follows-wrong-node, it follows nobody", change: func(s *stage) { s.at("be3").PostgreSQL.Upstream = known("") }, looks: 30, never: []string{"follows-wrong-node@be3"}},
		{name: "follows-wrong-node, by a name that nobody knows", change: func(s *stage) { s.at("be3").PostgreSQL.Upstream = known("leader.example") }, looks: 30, never: []string{"follows-wrong-node@be3"}},
		{name: "follows-wrong-node, by cluster-status alone", change: func(s *stage) {
			lagBehind(s, stageEnd)
			s.at("be3").PostgreSQL.Upstream = cluster.Claim[string]{}
			s.row("be3", func(r *cluster.CtlNode) { r.Follows = addressBe2 })
		}, looks: 30, want: []string{"follows-wrong-node@be3"}},
		{name: "follows-wrong-node, a sync puts it right", change: func(s *stage) { wrong(s); s.at("be3").PostgreSQL.SyncProc = known("pg_rewind") }, looks: 30, want: []string{"syncing@be3"}, never: []string{"follows-wrong-node@be3"}},
		{name: "leadership-flapping", change: elections("be1", "", "be2", "be1"), looks: 2, want: []string{"leadership-flapping"}},
		{name: "leadership-flapping, gaps are no elections", change: elections("be1", "", "be1", "", "be1", "", "be1"), looks: 2, never: []string{"leadership-flapping"}},
		{name: "leadership-flapping, long ago", change: func(s *stage) {
			elections("be1", "be2", "be1")(s)
			for i := range s.view.Past.Elections {
				s.view.Past.Elections[i].At = s.view.Past.Elections[i].At.Add(-9 * time.Minute)
			}
		}, looks: 2, never: []string{"leadership-flapping"}},
		{name: "leadership-flapping, by plans of ours", change: func(s *stage) {
			elections("be1", "be2", "be1")(s)
			s.view.Plans = []cluster.PlanState{{Status: cluster.StatusDone, Began: s.now.Add(-time.Hour), Ended: s.now.Add(-time.Minute),
				Plan: cluster.Plan{ID: "1", Procedure: "orderly-failover", Tier: cluster.T3, Node: "be2"}}}
		}, looks: 2, never: []string{"leadership-flapping"}},
		{name: "leader-withheld", change: withhold(1), looks: 5, want: []string{"leader-withheld"}},
		{name: "leader-withheld, enough followers", change: withhold(1, "be2"), looks: 40, want: []string{"redundancy-lost"}},
		{name: "leader-withheld, nothing required", change: withhold(0), looks: 5},
		{name: "leader-withheld, nobody tells what is required", change: func(s *stage) {
			withhold(1)(s)
			for _, n := range stageNodes {
				s.at(n.Name).Settings = cluster.SettingsClaims{}
			}
		}, looks: 5},
		{name: "failover-disabled", change: failoverOff, looks: 40, want: []string{"failover-disabled"}, hidden: []string{"redundancy-lost"}},
		{name: "failover-disabled, for planned work", change: func(s *stage) {
			failoverOff(s)
			s.view.Maintenance["be2"] = s.now.Add(time.Hour)
		}, looks: 40, never: []string{"failover-disabled", "redundancy-lost"}},
		{name: "failover-disabled for a node", change: func(s *stage) { s.row("be3", func(r *cluster.CtlNode) { r.Failover = cluster.False }) }, looks: 5, want: []string{"failover-disabled"}},
		{name: "failover-disabled, not told", change: func(s *stage) {
			for _, n := range stageNodes {
				s.at(n.Name).Ctl.Failover = cluster.Claim[bool]{}
			}
		}, looks: 40, never: []string{"failover-disabled"}},
		{name: "nobody leads and failover is disabled", change: func(s *stage) { failoverOff(s); nobody(s) }, looks: 40, want: []string{"failover-disabled", "no-leader"}},
		{name: "no-eligible-follower", change: func(s *stage) { ineligible(s, "be2", "be3") }, looks: 30, want: []string{"no-eligible-follower"}},
		{name: "no-eligible-follower, one is blocked", change: func(s *stage) {
			ineligible(s, "be2")
			s.row("be3", func(r *cluster.CtlNode) { r.Blocked = cluster.True })
		}, looks: 30, want: []string{"no-eligible-follower"}},
		{name: "no-eligible-follower, one is", change: func(s *stage) { ineligible(s, "be2") }, looks: 40, never: []string{"no-eligible-follower"}},
		{name: "no-eligible-follower, of one it is not told", change: func(s *stage) {
			ineligible(s, "be2")
			s.row("be3", func(r *cluster.CtlNode) { r.Eligible, r.Blocked = cluster.Unknown, cluster.Unknown })
		}, looks: 40, never: []string{"no-eligible-follower"}},
		{name: "cluster-down", change: func(s *stage) { stopAll(s, "be1", "be2", "be3") }, looks: 40, want: []string{"cluster-down"}, hidden: []string{"etcd-quorum-lost"}},
		{name: "cluster-down, not before 60 s", change: func(s *stage) { stopAll(s, "be1", "be2", "be3") }, looks: 29, others: true, never: []string{"cluster-down"}},
		{name: "cluster-down, one host is off", change: func(s *stage) { stopAll(s, "be1", "be2"); s.powerOff("be3") }, looks: 40, want: []string{"cluster-down"}},
		{name: "cluster-down, etcd alone is missing", change: func(s *stage) {
			for _, n := range stageNodes {
				s.at(n.Name).Services["etcd"] = service("down", 0, time.Minute)
				s.at(n.Name).Etcd, s.at(n.Name).Ctl = cluster.EtcdClaims{}, cluster.CtlClaims{}
				s.at(n.Name).Leaderl.LeaderCode = known(503)
				mute(s, n.Name)
			}
		}, looks: 60, want: []string{"etcd-quorum-lost"}, never: []string{"cluster-down"}},
		{name: "cluster-down, one /leader still answers 200", change: func(s *stage) {
			stopAll(s, "be2", "be3")
			s.at("be1").Etcd.Health, s.at("be1").Etcd.RaftLeader = known(false), known("")
		}, looks: 40, others: true, never: []string{"cluster-down"}},
		{name: "cluster-down, supervisors silent", change: func(s *stage) {
			stopAll(s, "be1", "be2", "be3")
			for _, n := range []string{"be2", "be3"} {
				s.at(n).Services["leaderl"] = cluster.ServiceClaims{State: known("fail")}
				s.at(n).Services["etcd"] = cluster.ServiceClaims{State: known("fail")}
			}
		}, looks: 40, others: true, never: []string{"cluster-down"}},
		{name: "deposed-leader-stuck", change: deposedStuck, looks: 32, want: []string{"deposed-leader-stuck@be3"}},
		{name: "deposed-leader-stuck, not before 10 min", change: deposedStuck, looks: 29, never: []string{"deposed-leader-stuck@be3"}},
		{name: "deposed-leader-stuck, it syncs", change: func(s *stage) {
			deposedStuck(s)
			s.at("be3").PostgreSQL.SyncProc = known("pg_basebackup")
		}, looks: 32, want: []string{"syncing@be3"}, never: []string{"deposed-leader-stuck@be3"}},
	}
}

// deposedStuck leaves be3 a deposed leader, its PostgreSQL held down.
func deposedStuck(s *stage) {
	s.every = 20 * time.Second
	lagBehind(s, stageEnd)
	mute(s, "be3")
	s.role("be3", "deposed_leader")
	s.at("be3").Sentinels.NoStart = known(true)
	s.at("be3").Services["postgresql"] = cluster.ServiceClaims{State: known("down"), PID: known(0), WantUp: known(false), InState: known(time.Minute)}
}

// Failover disabled is grave once nobody leads, and stands first.
func TestFailoverDisabledIsTheCause(t *testing.T) {
	s, e := newStage(), failure.NewEngine(load(t).Failures)
	failoverOff(s)
	watchRow(e, s, 5)
	nobody(s)
	fs, _ := watchRow(e, s, 40)
	if len(fs) < 2 || fs[0].ID() != "failover-disabled" || fs[0].Priority != cluster.P1 || fs[1].ID() != "no-leader" {
		t.Errorf("%s", explain(fs))
	}
}

// What is required and not known raises a suspicion, and no more.
func TestLeaderWithheldSuspected(t *testing.T) {
	s, e := newStage(), failure.NewEngine(load(t).Failures)
	withhold(1)(s)
	for _, n := range stageNodes {
		s.at(n.Name).Settings = cluster.SettingsClaims{}
	}
	fs, _ := watchRow(e, s, 5)
	if len(fs) == 0 || fs[0].ID() != "leader-withheld" || fs[0].Certainty != cluster.Suspected {
		t.Errorf("%s", explain(fs))
	}
}

// A handover in the midst of planned work is a part of it; that nobody leads
// any more is none.
func TestHandoverInPlannedWork(t *testing.T) {
	s, e := newStage(), failure.NewEngine(load(t).Failures)
	failoverOff(s)
	s.view.Maintenance["be3"] = s.now.Add(time.Hour)
	watchRow(e, s, 30)
	nobody(s)
	if fs, way := watchRow(e, s, 20); slices.Contains(way, "failover-disabled") {
		t.Errorf("40 s into a handover: %s", explain(fs))
	}
	if fs, _ := watchRow(e, s, 20); !slices.Contains(unhidden(fs), "failover-disabled") {
		t.Errorf("nobody leads for 80 s: %s", explain(fs))
	}
}
