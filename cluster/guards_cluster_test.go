package cluster_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

func TestGuardsOfStopping(t *testing.T) {
	refused := func(s *stage) {
		stopped(s, "be3")
		for _, n := range []string{"be1", "be2"} {
			seen := cluster.PeerSeen{Ports: map[int]string{22: "open", 2380: "open", 5432: "refused", 7331: "refused"}}
			s.at(n).Peers[addressBe3] = known(seen)
		}
	}
	tryFacts(t, []factCase{
		{"the leader", "stop-is-grave", "be1", nil, 0, yes, "be1 leads"},
		{"a follower", "stop-is-grave", "be3", nil, 0, no, "hold quorum without it"},
		{"the last but one", "stop-is-grave", "be3", func(s *stage) { s.at("be2").Etcd.Health = known(false) }, 0, yes, "no etcd quorum"},
		{"nothing there", "no-sentinel-of-unknown-origin", "be3", nil, 0, yes, "no sentinel"},
		{"nobody says why", "no-sentinel-of-unknown-origin", "be3", func(s *stage) { s.at("be3").Sentinels.NoStart = known(true) }, 0, no, "nothing says why"},
		{"leaderl says why", "no-sentinel-of-unknown-origin", "be3", func(s *stage) { s.at("be3").Sentinels.NoStart = known(true); s.role("be3", "deposed_leader") }, 0, yes, "since leaderl deposed it"},
		{"cannot be looked for", "no-sentinel-of-unknown-origin", "be3", func(s *stage) { s.at("be3").Sentinels.Unsynced = cluster.Claim[bool]{} }, 0, unsure, "unsynced"},
		{"a leader", "start-order-told", "be3", nil, 0, yes, "be1 leads"},
		{"nobody leads", "start-order-told", "be3", func(s *stage) {
			s.role("be1", "waiting_for_leader")
			s.at("be1").PostgreSQL.InRecovery, s.at("be1").Leaderl.LeaderCode = known(true), known(503)
		}, 5, yes, "be1 led last: start it first"},
		{"all run", "services-started", "be3", nil, 0, yes, "run on be3"},
		{"one is down", "services-started", "be3", func(s *stage) { stopped(s, "be3") }, 0, no, "down"},
		{"with clients", "writes-told", "be3", func(s *stage) { s.at("be3").PostgreSQL.Connections = known(cluster.Connections{Used: 7}) }, 0, yes, "7 connections"},
		{"down long enough", "postgresql-refused", "be3", refused, 40, yes, "refused"},
		{"just down", "postgresql-refused", "be3", refused, 5, no, "not yet"},
		{"no peer tells", "postgresql-refused", "be3", func(s *stage) { refused(s); s.unseen("be3", "be1"); s.unseen("be3", "be2") }, 40, no, "no peer is refused"},
		{"runs", "postgresql-refused", "be3", nil, 40, no, "runs"},
	})
}

func TestGuardsOfQuorumLoss(t *testing.T) {
	alone := both(lost("be1", "be2"), func(s *stage) {
		s.at("be3").Etcd.Health = known(false)
		s.unseen("be1", "be3")
		s.unseen("be2", "be3")
	})
	tryFacts(t, []factCase{
		{"long enough", "etcd-lost-for-10s", "be3", alone, 8, yes, "not healthy since"},
		{"one false", "etcd-lost-for-10s", "be3", alone, 1, no, "not yet"},
		{"healthy", "etcd-lost-for-10s", "be3", nil, 8, no, "has its quorum"},
		{"late answers", "etcd-lost-for-10s", "be3", func(s *stage) {
			alone(s)
			s.looks(4)
			s.at("be3").Etcd.Health = cluster.Claim[bool]{}
			s.looks(2)
			s.at("be3").Etcd.Health = known(false)
		}, 1, yes, ""},
		{"no answer now", "etcd-lost-for-10s", "be3", func(s *stage) { s.at("be3").Etcd.Health = cluster.Claim[bool]{} }, 8, unsure, "etcd.health"},
		{"alone", "sees-no-peer", "be3", alone, 0, yes, "answers be3"},
		{"not alone", "sees-no-peer", "be3", nil, 0, no, "be3 sees be1"},
		{"not told", "sees-no-peer", "be3", func(s *stage) { s.at("be3").Peers = nil }, 0, unsure, "unknown"},
		{"nobody is seen", "no-other-leads", "be3", alone, 0, yes, "no other node"},
		{"itself", "no-other-leads", "be1", nil, 0, yes, "no other node"},
		{"another is named", "no-other-leads", "be3", func(s *stage) { s.blind("be1", cluster.Unreachable) }, 0, no, "calls be1 leader"},
		{"another is reached", "no-other-leads", "be3", func(s *stage) {
			for _, n := range stageNodes {
				s.at(n.Name).Ctl.Rows = cluster.Claim[[]cluster.CtlNode]{}
			}
		}, 0, no, "be1"},
		{"readable", "copy-readable", "be3", nil, 0, yes, "of system 1"},
		{"no end", "copy-readable", "be3", func(s *stage) { stopped(s, "be3") }, 0, unsure, "not known exactly"},
		{"told", "lost-copies-told", "be3", func(s *stage) {
			alone(s)
			s.view.Past.LastSeen = map[string]cluster.LastSeen{"be1": {At: s.now, Position: stageEnd, Timeline: 88, Leader: true}}
		}, 0, yes, "be1 led, and was last seen at 16F3/2D0A1B28"},
	})
}

func TestGuardsOfFailover(t *testing.T) {
	disabled := func(s *stage) {
		for _, r := range s.reports {
			r.Ctl.Failover = known(false)
		}
	}
	behind := func(by cluster.LSN) func(*stage) {
		return func(s *stage) {
			s.at("be3").PostgreSQL.Receive, s.at("be3").PostgreSQL.Replay = known(stageEnd-by), known(stageEnd-by)
		}
	}
	leaderless := func(s *stage) {
		s.role("be1", "waiting_for_leader")
		s.at("be1").PostgreSQL.InRecovery, s.at("be1").Leaderl.LeaderCode = known(true), known(503)
	}
	tryFacts(t, []factCase{
		{"one leads", "leader-is-elected-here", "", nil, 0, yes, "be1 leads"},
		{"two write", "leader-is-elected-here", "", func(s *stage) { s.at("be3").PostgreSQL.InRecovery = known(false) }, 0, no, "be3"},
		{"one cannot be asked", "leader-is-elected-here", "", lostQuietly("be3"), 0, unsure, "be3"},
		{"enabled", "failover-allowed-everywhere", "", nil, 0, yes, "enabled"},
		{"disabled", "failover-allowed-everywhere", "", disabled, 0, no, "disabled"},
		{"close", "followers-close", "", nil, 0, yes, "1 MiB"},
		{"behind", "followers-close", "", behind(2 << 20), 0, no, "2.1 MB behind"},
		{"was behind a look ago", "followers-close", "", func(s *stage) { behind(2 << 20)(s); s.looks(1); behind(0)(s) }, 2, no, "within the last three looks"},
		{"not told", "followers-close", "", func(s *stage) { s.at("be1").PostgreSQL.Replicas = cluster.Claim[[]cluster.Replica]{} }, 0, unsure, "replicas"},
		{"one more", "can-lose-one", "", nil, 0, yes, "can lose 1"},
		{"none", "can-lose-one", "", lostQuietly("be3"), 0, no, "no further"},
		{"never", "never-armed", "be3", nil, 0, no, "never armed"},
		{"nothing was tried", "promote-failed", "", leaderless, 0, no, "promote-node comes first"},
		{"somebody leads", "promote-failed", "", nil, 0, no, "be1 leads"},
		{"without a plan", "leadership-moved", "", nil, 0, no, "leads still"},
	})
}

// lostQuietly takes a node away without a word of the operator.
func lostQuietly(node string) func(*stage) {
	return func(s *stage) { s.powerOff(node) }
}

// Why a sentinel lies on a node is told before leaderl is stopped there.
func TestSentinelIsExplainedByThePlanThatStopped(t *testing.T) {
	s := newStage()
	s.at("be1").Sentinels.NoStart = known(true)
	s.role("be1", "deposed_leader")
	told, _ := cluster.ParseQuestion("sentinels-told")
	before := told.Ask(s.looks(2), cluster.Binding{Node: "be1"})
	s.role("be1", "unknown")
	v := s.looks(2)
	if a := ask(t, v, "no-sentinel-of-unknown-origin", "be1"); a.Truth != no {
		t.Errorf("without a plan: %s", a.Sentence)
	}
	v.Plans = []cluster.PlanState{{Plan: cluster.Plan{Procedure: "stop-node", Node: "be1", Guards: []cluster.CheckedGuard{{Guard: cluster.Guard{Question: told}, Answer: before}}}, Status: cluster.StatusDone}}
	if a := ask(t, v, "no-sentinel-of-unknown-origin", "be1"); a.Truth != yes || !strings.Contains(a.Sentence, "leaderl deposed it") {
		t.Errorf("told by a plan: %s %s", a.Truth, a.Sentence)
	}
	s.at("be1").Sentinels.Unsynced = known(true)
	later := s.looks(2)
	later.Plans = v.Plans
	if a := ask(t, later, "no-sentinel-of-unknown-origin", "be1"); a.Truth != no {
		t.Errorf("another one since: %s", a.Sentence)
	}
}

// What was handed over is told from the leader of the plan.
func TestFormerLeaderIsCompared(t *testing.T) {
	plan := &cluster.Plan{ID: "7c1e5a02", Node: "be2", Values: map[string]string{"leader": "be2"}}
	v := newStage().looks(2)
	for fact, want := range map[string]string{"leadership-moved": "be1 is the elected leader", "former-leader-compared": "nothing was lost"} {
		q, _ := cluster.ParseQuestion(fact)
		if a := q.Ask(v, cluster.Binding{Node: "be2", Plan: plan}); a.Truth != yes || !strings.Contains(a.Sentence, want) {
			t.Errorf("%s: %s %s", fact, a.Truth, a.Sentence)
		}
	}
}

// The guide says of each part how it stands and which plan to start for it.
func TestGuideNamesThePlanToStart(t *testing.T) {
	diverged := func(s *stage) { s.at("be1").PostgreSQL.Replicas.Value = s.at("be1").PostgreSQL.Replicas.Value[:1] }
	tryFacts(t, []factCase{
		{"nothing to do", "guide-done copies", "", nil, 0, yes, "none is to be rebuilt"},
		{"nothing to do", "guide-done leader", "", nil, 0, yes, "be1 leads"},
		{"nothing to do", "guide-done followers", "", nil, 0, yes, "good followers"},
		{"one does not stream", "guide-done copies", "", diverged, 0, no, "start stop-node be3, then backup-nodes be3"},
		{"one is stopped", "guide-done copies", "", func(s *stage) { diverged(s); stopped(s, "be3") }, 0, no, "start backup-nodes be3"},
		{"one is gone", "guide-done copies", "", func(s *stage) { s.powerOff("be3") }, 0, unsure, "cannot be reached"},
		{"one does not stream", "guide-done followers", "", diverged, 0, no, "start rebuild-follower be3"},
		{"nobody leads", "guide-done leader", "", func(s *stage) {
			s.role("be1", "waiting_for_leader")
			s.at("be1").PostgreSQL.InRecovery, s.at("be1").Leaderl.LeaderCode = known(true), known(503)
		}, 5, no, "call Support first, then start promote-previous-leader"},
		{"told", "guide-tells followers", "", diverged, 0, yes, "followers, to do: "},
	})
}

// A member that a plan of ours took out bars nothing that puts one in again.
func TestFewerMembersByAPlanOfOurs(t *testing.T) {
	s := newStage()
	members("be1", "be2")(s)
	v := s.looks(2)
	if a := ask(t, v, "cluster-of-three", "be3"); a.Truth != no {
		t.Errorf("without a plan: %s", a.Sentence)
	}
	step := cluster.StepState{Step: cluster.PlanStep{ID: "1-remove", Command: "chef-backend-ctl remove-node be3 --yes"}, Status: cluster.StatusNext}
	v.Plans = []cluster.PlanState{{Plan: cluster.Plan{ID: "7c1e5a02"}, Steps: []cluster.StepState{step}}}
	if a := ask(t, v, "cluster-of-three", "be3"); a.Truth != no {
		t.Errorf("before its step: %s", a.Sentence)
	}
	v.Plans[0].Steps[0].Status, v.Plans[0].Steps[0].Began = cluster.StatusDone, v.Now.Add(-time.Minute)
	if a := ask(t, v, "cluster-of-three", "be3"); a.Truth != yes || !strings.Contains(a.Sentence, "7c1e5a02") {
		t.Errorf("after its step: %s", a.Sentence)
	}
}

// Who else changes something is in the way, a dead or fenced node's silence is not.
func TestNothingElseAtWork(t *testing.T) {
	blind := func(s *stage) { s.blind("be3", cluster.Unreachable) }
	mute := func(s *stage) { delete(s.at("be2").Peers, addressBe3) }
	open := func(s *stage) { s.at("be2").Peers[addressBe3] = peer("open") }
	tryFacts(t, []factCase{
		{"quiet", "no-sync-anywhere", "", nil, 0, yes, "on any node"},
		{"a join", "no-sync-anywhere", "", func(s *stage) { s.at("be2").Host.AtWork = known("join-cluster") }, 0, no, "join-cluster is at work on be2"},
		{"a dead node", "no-sync-anywhere", "", lostQuietly("be3"), 0, yes, ""},
		{"one that we alone do not reach", "no-sync-anywhere", "", blind, 0, unsure, "be3"},
		{"fenced, and a peer is not asked", "no-sync-anywhere", "", both(lost("be3"), mute), 0, yes, ""},
		{"fenced before it last answered, and a peer is not asked", "no-sync-anywhere", "", both(lost("be3"), mute, back("be3")), 0, unsure, "be3"},
		{"fenced, and a peer gets to its PostgreSQL", "no-sync-anywhere", "", both(lost("be3"), open), 0, unsure, "be3"},
	})
}

// A fence of an earlier incident still lies on both others, and the one node
// lost its network: they lead, and are reached from here.
func TestStaleFencesMakeNoNewCluster(t *testing.T) {
	c := load(t)
	about := func(p cluster.Procedure, v *cluster.View) (shut []string) {
		asked := []string{"at", "no-other-leads", "etcd-lost-for-10s", "sees-no-peer"}
		for _, s := range p.Steps[:2] {
			for _, g := range s.Guards {
				if !slices.Contains(asked, g.Fact) {
					continue
				}
				for _, other := range []string{"be1", "be2"} {
					q := cluster.Question{Fact: g.Fact, Args: slices.Clone(g.Args), Not: g.Not}
					for i := range q.Args {
						q.Args[i] = strings.ReplaceAll(q.Args[i], "{other}", other)
					}
					if a := q.Ask(v, cluster.Binding{Node: "be3"}); a.Truth != yes {
						shut = append(shut, s.ID+": "+q.String()+": "+a.Sentence)
					}
				}
			}
		}
		return shut
	}
	dead, stale := newStage(), newStage()
	oneLeft(dead)
	isolate(stale, "be3")
	v := dead.looks(10)
	v.Fenced = map[string]bool{"be1": true, "be2": true}
	w := stale.looks(10)
	w.Fenced = v.Fenced
	for _, name := range []string{"quorum-loss-recovery", "restore-node"} {
		i := slices.IndexFunc(c.Procedures, func(p cluster.Procedure) bool { return p.Name == name })
		if shut := about(c.Procedures[i], v); len(shut) > 0 {
			t.Errorf("%s, both others dead: %s", name, strings.Join(shut, "\n"))
		}
		shut := strings.Join(about(c.Procedures[i], w), "\n")
		for _, s := range c.Procedures[i].Steps[:2] {
			if len(s.Guards) > 0 && (!strings.Contains(shut, s.ID+": at be1 unreachable") || !strings.Contains(shut, s.ID+": no-other-leads")) {
				t.Errorf("%s, both others alive: step %s is kept by %s", name, s.ID, shut)
			}
		}
	}
}

// What was typed of a node, and what a peer saw of it, tells of one that is out
// of reach alone.
func TestNoPrimaryWhereNobodyAnswers(t *testing.T) {
	led := func(s *stage) { // be1 writes no more; of be3 each row tells otherwise
		s.at("be1").PostgreSQL.InRecovery = known(true)
	}
	mutely := func(s *stage) { // its postmaster runs, and psql gives no answer in time
		led(s)
		s.at("be3").PostgreSQL.InRecovery = cluster.Claim[bool]{}
	}
	fenced := func(s *stage) { s.view.Fenced = map[string]bool{"be3": true} }
	refused := func(s *stage) { s.at("be2").Peers[addressBe3] = peer("refused") }
	blind := func(s *stage) { s.blind("be3", cluster.Unreachable) }
	tryFacts(t, []factCase{
		{"dead", "no-primary-anywhere", "", both(led, lostQuietly("be3")), 0, unsure, "be3"},
		{"dead and fenced", "no-primary-anywhere", "", both(led, lost("be3")), 0, yes, ""},
		{"fenced, and a peer gets to it", "no-primary-anywhere", "", both(led, fenced, blind), 0, unsure, "typed that be3 is off, but be1 gets to its port 5432"},
		{"fenced, and a peer got to it before it went silent", "no-primary-anywhere", "", both(led, fenced, func(s *stage) {
			s.looks(1)
			s.slowOld = true
			blind(s)
		}), 3, yes, ""},
		{"refused to a peer", "no-primary-anywhere", "", both(led, lostQuietly("be3"), refused), 0, yes, ""},
		{"refused to a peer before it went silent", "no-primary-anywhere", "", both(led, refused, func(s *stage) {
			s.looks(1)
			s.slowOld = true
			blind(s)
		}), 3, unsure, "be3"},
		{"reached and fenced once", "no-primary-anywhere", "", both(mutely, fenced), 0, unsure, "be3"},
		{"reached and refused to a peer", "no-other-primary", "be1", both(mutely, refused), 0, unsure, "be3"},
		{"no login and fenced once", "no-primary-anywhere", "", both(led, fenced, func(s *stage) { s.blind("be3", cluster.LoginFailed) }), 0, unsure, "be3"},
	})
}

// A copy that answers and cannot be read has a way past it: the words that give
// it up. Nothing passes over the plan's own copy, or one that has changed.
func TestPositionsOfWhatCannotBeRead(t *testing.T) {
	guard := cluster.Guard{Question: cluster.Question{Fact: "reachable-copy-contained", Args: []string{"be3"}}, Override: "snapshot be3"}
	blind := func(s *stage, node string) {
		stopped(s, node)
		s.at(node).PostgreSQL.Control = cluster.Claim[cluster.ControlData]{Reason: "pg_control cannot be read"}
	}
	for name, c := range map[string]struct {
		change func(s *stage)
		plan   func(*cluster.Plan)
		want   cluster.Truth
		says   string
	}{
		"nothing is asked for": {func(s *stage) { blind(s, "be3") }, func(p *cluster.Plan) { p.Steps = nil }, unsure, "be3 ends is unknown"},
		"a word is asked for":  {func(s *stage) { blind(s, "be3") }, nil, yes, ""},
		"the word was typed": {func(s *stage) { blind(s, "be3") }, func(p *cluster.Plan) {
			p.Steps, p.Phrases = nil, []string{"snapshot be3", "promote be2"}
		}, yes, ""},
		"another's was":    {func(s *stage) { blind(s, "be3") }, func(p *cluster.Plan) { p.Steps, p.Phrases = nil, []string{"snapshot be1"} }, unsure, "be3"},
		"it could be read": {func(s *stage) { blind(s, "be3") }, func(p *cluster.Plan) { p.Values["position-be3"] = "16F3/2D0A1B28 on timeline 88" }, no, "changed"},
		"its own copy":     {func(s *stage) { blind(s, "be2") }, func(p *cluster.Plan) { p.Phrases = []string{"snapshot be2"} }, unsure, "be2"},
		"no copy at all": {func(s *stage) { blind(s, "be3"); holding("be3", cluster.ProductFiles{})(s) },
			func(p *cluster.Plan) { p.Steps = nil }, yes, ""},
		"gone since": {func(s *stage) { blind(s, "be3"); holding("be3", cluster.ProductFiles{})(s) },
			func(p *cluster.Plan) { p.Values["position-be3"] = "unknown" }, no, "unknown then, no copy now"},
	} {
		s := newStage()
		c.change(s)
		v := s.looks(2)
		p := &cluster.Plan{Node: "be2", Values: v.Positions(), Steps: []cluster.PlanStep{{ID: "2-promote", Guards: []cluster.Guard{guard}}}}
		if c.plan != nil {
			c.plan(p)
		}
		q, _ := cluster.ParseQuestion("positions-as-planned")
		if a := q.Ask(v, cluster.Binding{Node: "be2", Plan: p}); a.Truth != c.want || !strings.Contains(a.Sentence, c.says) {
			t.Errorf("%s: %s %s", name, a.Truth, a.Sentence)
		}
	}
}
