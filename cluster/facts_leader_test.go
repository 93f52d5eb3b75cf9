package cluster_test

import (
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

const time1h = time.Hour

// mute takes the leader's answers away: PostgreSQL down, /leader refused.
func mute(s *stage, node string) {
	r := s.at(node)
	r.PostgreSQL = cluster.PostgreSQLClaims{Ready: known(2), Postmaster: known(0), SyncProc: known("")}
	r.Leaderl.LeaderCode = known(503)
}

func TestLeaderFacts(t *testing.T) {
	waiting := func(s *stage) {
		for _, n := range stageNodes {
			s.role(n.Name, "waiting_for_leader")
			mute(s, n.Name)
		}
	}
	counts := func(s *stage) {
		s.at("be2").Ctl.Status = known([]cluster.CtlService{{Service: "leaderl", Distributed: "leader: 0; waiting: 3; follower: 0; total: 3"}})
	}
	primary := func(s *stage) {
		s.at("be2").PostgreSQL.InRecovery, s.at("be2").PostgreSQL.Current = known(false), known(stageEnd)
	}
	tryFacts(t, []factCase{
		{"well", "is-elected", "be1", nil, 0, cluster.True, "cluster-status on"},
		{"etcd's raft leader means nothing", "is-elected", "be3", nil, 0, cluster.False, "be1"},
		{"another's", "another-elected", "be1", nil, 0, cluster.False, ""},
		{"named but dead", "elected", "", func(s *stage) { mute(s, "be1") }, 0, cluster.False, "neither answers"},
		{"/leader alone is enough", "elected", "", func(s *stage) { s.at("be1").PostgreSQL = cluster.PostgreSQLClaims{} }, 0, cluster.True, "answers 200"},
		{"/leader 503 and out of recovery", "elected", "", func(s *stage) { s.at("be1").Leaderl.LeaderCode = known(503) }, 0, cluster.True, "out of recovery"},
		{"one look is not two", "elected", "", func(s *stage) { s.role("be1", "follower"); s.role("be2", "leader"); primary(s) }, 1, cluster.Unknown, "said otherwise"},
		{"two are", "is-elected", "be2", func(s *stage) { s.role("be1", "follower"); s.role("be2", "leader"); primary(s) }, 2, cluster.True, "be2"},
		{"read where etcd is sick", "elected", "", func(s *stage) {
			for _, n := range stageNodes {
				s.at(n.Name).Etcd.Health = cluster.Claim[bool]{}
			}
		}, 0, cluster.Unknown, "healthy etcd"},
		{"no quorum, nobody", "elected", "", func(s *stage) {
			for _, n := range stageNodes {
				s.at(n.Name).Etcd.Health = known(false)
			}
		}, 0, cluster.False, "nobody is elected"},
		{"two rows, one answers", "is-elected", "be2", func(s *stage) {
			s.role("be2", "leader")
			s.at("be1").Leaderl.LeaderCode, s.at("be2").Leaderl.LeaderCode = known(0), known(200)
		}, 0, cluster.True, "be2"},
		{"the node of a dead leader still leads", "leads", "be1", func(s *stage) { mute(s, "be1") }, 0, cluster.True, "be1"},
		{"its row has just gone", "leads", "be1", func(s *stage) { s.role("be1", "waiting_for_leader"); mute(s, "be1") }, 1, cluster.True, "just now"},
		{"status older than the rows", "status-names-no-leader", "", counts, 0, cluster.False, ""},
		{"status and rows agree", "status-names-no-leader", "", func(s *stage) { waiting(s); counts(s) }, 0, cluster.True, "leader: 0"},
		{"all wait", "nobody-leads", "", waiting, 0, cluster.True, "nobody leads"},
		{"one is promoting", "nobody-leads", "", func(s *stage) { waiting(s); s.role("be2", "promoting") }, 0, cluster.False, "promoting"},
		{"one is promoting for ever", "nobody-leads", "", func(s *stage) { waiting(s); s.role("be2", "promoting") }, 190, cluster.True, "nobody leads"},
		{"one is promoting for ever", "nobody-leads-or-promotes", "", func(s *stage) { waiting(s); s.role("be2", "promoting") }, 190, cluster.False, "promoting"},
		{"status, and one promoting", "status-names-no-leader", "", func(s *stage) { waiting(s); counts(s); s.role("be2", "promoting") }, 0, cluster.False, ""},
		{"status, and one promoting for ever", "status-names-no-leader", "", func(s *stage) { waiting(s); counts(s); s.role("be2", "promoting") }, 190, cluster.True, "leader: 0"},
		{"one is out of recovery", "nobody-leads", "", func(s *stage) { waiting(s); primary(s) }, 0, cluster.False, "be2"},
		{"one is silent and named", "nobody-leads", "", func(s *stage) { waiting(s); s.powerOff("be3") }, 0, cluster.True, "unknown of be3"},
		{"a reachable one that cannot tell decides", "nobody-leads", "", func(s *stage) { waiting(s); s.at("be2").PostgreSQL = cluster.PostgreSQLClaims{} }, 0, cluster.Unknown, "be2"},
		{"named leader that only we cannot see", "nobody-leads", "", func(s *stage) { s.blind("be1", cluster.Unreachable) }, 0, cluster.False, "be1 leader"},
		{"sentinel", "no-start-anywhere", "", func(s *stage) { s.at("be2").Sentinels.NoStart = known(true) }, 0, cluster.True, "be2"},
		{"sentinel unknown on one", "no-start-anywhere", "", func(s *stage) { s.powerOff("be3") }, 0, cluster.Unknown, "be3"},
	})
}

func TestFailoverFact(t *testing.T) {
	lost := func(s *stage) { s.role("be1", "deposed_leader"); mute(s, "be1") }
	tryFacts(t, []factCase{
		{"well", "failover-under-way", "", nil, 0, cluster.False, "be1 leads"},
		{"PostgreSQL hiccups", "failover-under-way", "", func(s *stage) { mute(s, "be1") }, 4, cluster.False, ""},
		{"PostgreSQL is out", "failover-under-way", "", func(s *stage) { mute(s, "be1") }, 10, cluster.True, "leaderl gives it up"},
		{"deposed", "failover-under-way", "", lost, 3, cluster.True, "be1 went"},
		{"nobody took over in time", "failover-under-way", "", lost, 35, cluster.False, "time for a failover is over"},
		{"promoting", "failover-under-way", "", func(s *stage) { lost(s); s.role("be2", "promoting") }, 35, cluster.True, "promoting"},
		{"promoting for ever", "failover-under-way", "", func(s *stage) { lost(s); s.role("be2", "promoting") }, 190, cluster.False, "over"},
		{"disabled", "failover-under-way", "", func(s *stage) {
			lost(s)
			for _, n := range stageNodes {
				s.at(n.Name).Ctl.Failover = known(false)
			}
		}, 3, cluster.False, "disabled"},
		{"the leader's host is off", "failover-under-way", "", func(s *stage) { s.powerOff("be1") }, 3, cluster.True, "until its key expires"},
		{"only we cannot see the leader", "failover-under-way", "", func(s *stage) { s.blind("be1", cluster.Unreachable) }, 3, cluster.False, ""},
		{"no quorum, no failover", "failover-under-way", "", func(s *stage) {
			lost(s)
			for _, n := range stageNodes {
				s.at(n.Name).Etcd.Health = known(false)
			}
		}, 3, cluster.False, "healthy"},
	})
}

// A plan of ours explains that nobody leads while it moves the leadership, and
// not while it waits.
func TestOurPlanMovesTheLeadership(t *testing.T) {
	for name, c := range map[string]struct {
		status cluster.Status
		step   cluster.StepState
		want   cluster.Truth
	}{
		"at work":                 {cluster.StatusRunning, cluster.StepState{Status: cluster.StatusRunning}, cluster.True},
		"awaits the promotion":    {cluster.StatusWaiting, cluster.StepState{Status: cluster.StatusWaiting, ExitKnown: true}, cluster.True},
		"waits for a person":      {cluster.StatusAsked, cluster.StepState{Status: cluster.StatusAsked}, cluster.False},
		"waits for the lost lock": {cluster.StatusWaiting, cluster.StepState{Status: cluster.StatusWaiting}, cluster.False},
		"between two steps":       {cluster.StatusRunning, cluster.StepState{Status: cluster.StatusDone}, cluster.True},
	} {
		s := newStage()
		for _, n := range stageNodes {
			s.role(n.Name, "waiting_for_leader")
			mute(s, n.Name)
		}
		v := s.looks(60)
		c.step.Step.Command, c.step.Began = "chef-backend-ctl promote be2", v.Now.Add(-time.Minute)
		v.Plans = []cluster.PlanState{{Plan: cluster.Plan{Procedure: "promote-node", Title: "Promote be2", Tier: cluster.T3}, Status: c.status, Began: v.Now.Add(-time.Hour), Steps: []cluster.StepState{c.step}}}
		if a := ask(t, v, "failover-under-way", ""); a.Truth != c.want {
			t.Errorf("%s: %s, %s", name, a.Truth, a.Sentence)
		}
		v.Plans[0].Steps[0].Began = v.Now.Add(-time.Hour)
		if a := ask(t, v, "failover-under-way", ""); a.Truth != cluster.False {
			t.Errorf("%s for an hour: %s, %s", name, a.Truth, a.Sentence)
		}
	}
}

func TestTwoPrimaries(t *testing.T) {
	second := func(s *stage) {
		s.at("be2").PostgreSQL.InRecovery, s.at("be2").PostgreSQL.Current = known(false), known(stageEnd)
	}
	tryFacts(t, []factCase{
		{"well", "two-primaries", "", nil, 0, cluster.False, ""},
		// Looks of one round are of one time on this stage: shift be2 between them.
		{"both, looked at in turn", "two-primaries", "", func(s *stage) { second(s); s.looks(3); shift(s, "be2") }, 1, cluster.True, "be1 before and after be2"},
		{"restarted in between", "two-primaries", "", func(s *stage) {
			second(s)
			for i := range 5 {
				s.at("be1").PostgreSQL.Postmaster, s.at("be2").PostgreSQL.Postmaster = known(3000+i), known(4000+i)
				s.look()
			}
		}, 1, cluster.Unknown, "not yet in looks around each other"},
		{"an orderly change", "two-primaries", "", func(s *stage) {
			second(s)
			s.at("be1").PostgreSQL.InRecovery = known(true)
		}, 3, cluster.False, ""},
		{"other clusters", "two-primaries", "", func(s *stage) {
			second(s)
			s.at("be2").PostgreSQL.Control = known(cluster.ControlData{SystemID: "2"})
			s.looks(3)
			shift(s, "be2")
		}, 1, cluster.False, ""},
		{"two answers", "two-leader-answers", "", func(s *stage) { s.at("be2").Leaderl.LeaderCode = known(200) }, 2, cluster.True, "be1 and be2"},
		{"once", "two-leader-answers", "", func(s *stage) { s.at("be2").Leaderl.LeaderCode = known(200) }, 1, cluster.False, ""},
	})
}

// shift moves the times of a node's samples, as looks at two nodes never are of
// one instant.
func shift(s *stage, node string) {
	for i := range s.view.Past.Samples[node] {
		s.view.Past.Samples[node][i].At = s.view.Past.Samples[node][i].At.Add(time.Second)
	}
}
