package cluster_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/cluster/failure"
)

// rowCase lets looks go by over a changed stage and compares the findings that
// are confirmed and unhidden with those that must stand, and only those.
type rowCase struct {
	name   string
	change func(s *stage)
	looks  int // 2 s each
	want   []string
	hidden []string // IDs that must stand under another
	never  []string // IDs that must not stand at all, not even suspected
	others bool     // what else stands is another row's matter
}

func load(t interface{ Fatal(...any) }) *catalogue.Catalogue {
	c, err := catalogue.Load(assets.Files, "catalogue")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// watchRow evaluates every look and returns the findings of the last one, and
// what else stood confirmed and unhidden on the way.
func watchRow(e *failure.Engine, s *stage, looks int) (last []cluster.Finding, way []string) {
	for range looks {
		last = e.Evaluate(s.looks(1))
		for _, id := range unhidden(last) {
			if !slices.Contains(way, id) {
				way = append(way, id)
			}
		}
	}
	return last, way
}

func unhidden(fs []cluster.Finding) (ids []string) {
	for _, f := range fs {
		if f.Certainty == cluster.Confirmed && f.Under == "" {
			ids = append(ids, f.ID())
		}
	}
	slices.Sort(ids)
	return ids
}

func TestRows(t *testing.T) { tryRows(t, rows()) }

// tryRows tries each row on a healthy cluster of its own.
func tryRows(t *testing.T, rows []rowCase) {
	c := load(t)
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			s, e := newStage(), failure.NewEngine(c.Failures)
			if fs, _ := watchRow(e, s, 5); len(fs) > 0 {
				t.Fatalf("the healthy cluster has %s", fs[0].ID())
			}
			if r.change != nil {
				r.change(s)
			}
			fs, _ := watchRow(e, s, r.looks)
			if got := unhidden(fs); !r.others && !slices.Equal(got, r.want) {
				t.Errorf("stands %v, want %v%s", got, r.want, explain(fs))
			}
			for _, id := range r.hidden {
				if !slices.ContainsFunc(fs, func(f cluster.Finding) bool { return f.ID() == id && f.Under != "" }) {
					t.Errorf("%s does not stand under another%s", id, explain(fs))
				}
			}
			for _, id := range r.never {
				if slices.ContainsFunc(fs, func(f cluster.Finding) bool { return f.ID() == id }) {
					t.Errorf("%s stands%s", id, explain(fs))
				}
			}
		})
	}
}

func explain(fs []cluster.Finding) string {
	var b strings.Builder
	for _, f := range fs {
		b.WriteString("\n  " + f.ID() + " " + string(f.Certainty) + " " + f.Priority.String() + " under " + f.Under)
		for _, e := range f.Evidence {
			b.WriteString("\n    " + e.Answer.String() + " " + e.Name + ": " + e.Sentence)
		}
	}
	return b.String()
}

func rows() []rowCase {
	down := func(node, name string) func(*stage) {
		return func(s *stage) { s.at(node).Services[name] = service("down", 0, 30*time.Second) }
	}
	gap := func(s *stage) { lagBehind(s, 0x16F3_0F000000) }
	allWait := func(s *stage) {
		for _, n := range stageNodes {
			s.role(n.Name, "waiting_for_leader")
			mute(s, n.Name)
		}
	}
	cut := func(s *stage, a, b string) { s.unseen(a, b); s.unseen(b, a) }
	sick := func(s *stage, nodes ...string) {
		for _, n := range nodes {
			s.at(n).Etcd.Health, s.at(n).Etcd.RaftLeader = known(false), known("")
		}
	}
	unsynced := func(s *stage) {
		lagBehind(s, stageEnd)
		s.at("be3").Sentinels.Unsynced = known(true)
		s.role("be3", "waiting_for_leader")
	}
	return []rowCase{
		{name: "healthy", looks: 60},
		{name: "node-down, not before 10 s", change: func(s *stage) { s.powerOff("be3") }, looks: 5},
		{name: "node-down", change: func(s *stage) { s.powerOff("be3") }, looks: 25, want: []string{"node-down@be3"}, hidden: []string{"redundancy-lost"}},
		{name: "operator-cut-off", change: func(s *stage) { s.blind("be3", cluster.Unreachable) }, looks: 25, want: []string{"operator-cut-off@be3"}},
		{name: "partition-partial", change: func(s *stage) { s.blind("be3", cluster.Unreachable); s.unseen("be3", "be2") }, looks: 25, want: []string{"partition-partial@be3"}},
		{name: "login-failed", change: func(s *stage) { s.blind("be3", cluster.LoginFailed) }, looks: 25, want: []string{"login-failed@be3"}},
		{name: "host-key-changed", change: func(s *stage) { s.blind("be3", cluster.HostKeyChanged) }, looks: 25, want: []string{"host-key-changed@be3"}},
		{name: "quorum-lost-one-seen", change: func(s *stage) { s.powerOff("be2"); s.powerOff("be1"); sick(s, "be3") }, looks: 40, want: []string{"quorum-lost-one-seen"}},
		{name: "partition-quorum-kept", change: func(s *stage) { cut(s, "be3", "be1"); cut(s, "be3", "be2"); sick(s, "be3"); lagBehind(s, stageEnd) }, looks: 40,
			want: []string{"partition-quorum-kept@be3"}, hidden: []string{"redundancy-lost"}, never: []string{"etcd-down@be3"}},
		{name: "partition-quorum-lost", change: func(s *stage) {
			cut(s, "be3", "be1")
			cut(s, "be3", "be2")
			cut(s, "be1", "be2")
			sick(s, "be1", "be2", "be3")
		}, looks: 60, want: []string{"partition-quorum-lost"}},
		{name: "no-leader is a failover first", change: allWait, looks: 20, want: []string{"failover-under-way"}},
		{name: "no-leader", change: allWait, looks: 40, want: []string{"no-leader"}},
		{name: "no-leader, a promotion that hangs", change: func(s *stage) { allWait(s); s.role("be2", "promoting") }, looks: 220, want: []string{"no-leader"}},
		{name: "no-leader, not while one is promoting", change: func(s *stage) { allWait(s); s.role("be2", "promoting") }, looks: 120, want: []string{"failover-under-way"}},
		{name: "deposed-leader-blocked", change: func(s *stage) {
			allWait(s)
			s.role("be1", "deposed_leader")
			s.at("be1").Sentinels.NoStart = known(true)
		}, looks: 40, want: []string{"deposed-leader-blocked"}, hidden: []string{"no-leader"}},
		{name: "postgresql-down", change: func(s *stage) {
			down("be3", "postgresql")(s)
			s.at("be3").PostgreSQL.Ready = known(2)
			lagBehind(s, stageEnd)
		}, looks: 25, want: []string{"postgresql-down@be3"}},
		{name: "leaderl holds PostgreSQL down on purpose", change: func(s *stage) { down("be3", "postgresql")(s); s.role("be3", "waiting_for_leader") }, looks: 25},
		{name: "a sentinel holds PostgreSQL down", change: func(s *stage) { down("be3", "postgresql")(s); s.at("be3").Sentinels.NoStart = known(true) }, looks: 25},
		{name: "PostgreSQL dies on the leader", change: func(s *stage) { down("be1", "postgresql")(s); mute(s, "be1") }, looks: 25, want: []string{"failover-under-way"}, never: []string{"postgresql-down@be1"}},
		{name: "PostgreSQL dies on the leader, failover disabled", change: func(s *stage) {
			down("be1", "postgresql")(s)
			mute(s, "be1")
			for _, n := range stageNodes {
				s.at(n.Name).Ctl.Failover = known(false)
			}
		}, looks: 25, want: []string{"failover-disabled", "postgresql-down@be1"}},
		{name: "etcd-down", change: func(s *stage) { down("be3", "etcd")(s); s.at("be3").Etcd = cluster.EtcdClaims{} }, looks: 25, want: []string{"etcd-down@be3"}, hidden: []string{"redundancy-lost"}},
		{name: "etcd-quorum-lost", change: func(s *stage) {
			for _, n := range []string{"be2", "be3"} {
				down(n, "etcd")(s)
				s.at(n).Etcd = cluster.EtcdClaims{}
			}
			sick(s, "be1")
		}, looks: 25, want: []string{"etcd-quorum-lost"}},
		{name: "leaderl-down", change: down("be3", "leaderl"), looks: 25, want: []string{"leaderl-down@be3"}},
		{name: "elasticsearch-down", change: func(s *stage) { down("be3", "elasticsearch")(s); s.at("be3").Elasticsearch.Answers = known(false) }, looks: 25, want: []string{"elasticsearch-down@be3"}},
		{name: "partially-synced, not before 60 s", change: unsynced, looks: 29},
		{name: "partially-synced", change: unsynced, looks: 40, want: []string{"partially-synced@be3"}},
		{name: "follower-wal-gap", change: gap, looks: 25, want: []string{"follower-wal-gap@be3"}},
		{name: "follower-lagging", change: func(s *stage) {
			s.at("be3").PostgreSQL.Receive, s.at("be3").PostgreSQL.Replay = known(stageEnd-60<<20), known(stageEnd-60<<20)
		}, looks: 25, want: []string{"follower-lagging@be3"}},
		{name: "syncing", change: func(s *stage) { unsynced(s); s.at("be3").PostgreSQL.SyncProc = known("pg_basebackup") }, looks: 40, want: []string{"syncing@be3"}},
	}
}

// An ordinary failover shows itself as that and as nothing else, from the death
// of the leader's PostgreSQL to the deposed leader's sync.
func TestOrdinaryFailover(t *testing.T) {
	s, e := newStage(), failure.NewEngine(load(t).Failures)
	var way []string
	phase := func(looks int, change func()) {
		change()
		_, w := watchRow(e, s, looks)
		way = append(way, w...)
	}
	phase(5, func() {})
	phase(13, func() { // 26 s of health checks
		mute(s, "be1")
		s.at("be1").Services["postgresql"] = service("down", 0, time.Second)
	})
	phase(3, func() {
		s.role("be1", "deposed_leader")
		s.at("be1").Sentinels.NoStart = known(true)
		s.at("be1").Services["postgresql"] = cluster.ServiceClaims{State: known("down"), PID: known(0), WantUp: known(false), InState: known(time.Second)}
	})
	phase(5, func() { s.role("be2", "promoting") })
	phase(20, func() {
		s.role("be2", "leader")
		two := s.at("be2")
		two.Leaderl.LeaderCode = known(200)
		two.PostgreSQL.InRecovery, two.PostgreSQL.Current = known(false), known(stageEnd)
		two.PostgreSQL.Replicas = known([]cluster.Replica{{Address: addressBe3, State: "streaming", Replay: stageEnd}})
		s.at("be3").PostgreSQL.Upstream = known(addressBe2)
		s.at("be1").Sentinels.Unsynced, s.at("be1").PostgreSQL.SyncProc = known(true), known("pgsql-follow")
	})
	for _, id := range way {
		if id != "failover-under-way" {
			t.Errorf("%s stood on the way", id)
		}
	}
	if !slices.Contains(way, "failover-under-way") {
		t.Error("the failover was not named")
	}
	if fs := e.Evaluate(s.view); len(unhidden(fs)) > 0 {
		t.Errorf("after it stands %v%s", unhidden(fs), explain(fs))
	}
}

// A planned restart of a service on a follower shows nothing.
func TestPlannedRestart(t *testing.T) {
	t.Parallel()
	for _, name := range cluster.Services {
		s, e := newStage(), failure.NewEngine(load(t).Failures)
		watchRow(e, s, 5)
		s.at("be3").Services[name] = service("down", 0, 0)
		_, way := watchRow(e, s, 1)
		for i := range 45 {
			s.at("be3").Services[name] = service("run", 7000, time.Duration(2*i)*time.Second)
			if name == "elasticsearch" {
				s.at("be3").Elasticsearch.Answers = known(i > 30) // it takes its time
			}
			_, w := watchRow(e, s, 1)
			way = append(way, w...)
		}
		if len(way) > 0 {
			t.Errorf("restart of %s: %v", name, way)
		}
	}
}

// A plan of ours at work excuses what it does to its node, and to no other.
func TestOurPlanExcuses(t *testing.T) {
	for _, c := range []struct {
		status cluster.Status
		node   string
		want   []string
	}{
		{cluster.StatusRunning, "be3", nil},
		{cluster.StatusRunning, "be2", []string{"leaderl-down@be3"}},
		{cluster.StatusStopped, "be3", []string{"leaderl-down@be3"}},
	} {
		s, e := newStage(), failure.NewEngine(load(t).Failures)
		s.view.Plans = []cluster.PlanState{{Plan: cluster.Plan{ID: "00000001", Title: "Resync " + c.node, Node: c.node, Tier: cluster.T2}, Status: c.status, OpenEnds: []string{"leaderl is stopped on be3"}}}
		s.at("be3").Services["leaderl"] = service("down", 0, time.Minute)
		if fs, _ := watchRow(e, s, 10); !slices.Equal(unhidden(fs), c.want) {
			t.Errorf("plan %s on %s: stands %v, want %v", c.status, c.node, unhidden(fs), c.want)
		} else if c.status == cluster.StatusStopped && !slices.ContainsFunc(fs[0].Evidence, func(e cluster.Evidence) bool {
			return strings.Contains(e.Sentence, "00000001) ended and left open: leaderl is stopped on be3")
		}) {
			t.Errorf("what the plan left open is not said: %+v", fs[0].Evidence)
		}
	}
}

// A plan that only watches hides nothing of what it watches.
func TestWatchingExcusesNothing(t *testing.T) {
	for tier, want := range map[cluster.Tier][]string{cluster.T0: {"no-eligible-follower"}, cluster.T2: nil} {
		s, e := newStage(), failure.NewEngine(load(t).Failures)
		s.view.Plans = []cluster.PlanState{{Plan: cluster.Plan{ID: "00000001", Procedure: "observe", Tier: tier}, Status: cluster.StatusWaiting}}
		ineligible(s, "be2", "be3")
		if fs, _ := watchRow(e, s, 30); !slices.Equal(unhidden(fs), want) {
			t.Errorf("with a plan of %s at work stands %v, want %v%s", tier, unhidden(fs), want, explain(fs))
		}
	}
}

// A log line suspects at most, and not even that against a direct look.
func TestLogLineConfirmsNothing(t *testing.T) {
	c := load(t)
	sign := func(s *stage) {
		s.view.Signs = []cluster.SignSeen{{Sign: "wal-segment-removed", Node: "be3", Service: "postgresql", Count: 48, Last: s.now.Add(time.Minute), Example: "invented"}}
	}
	s, e := newStage(), failure.NewEngine(c.Failures)
	sign(s)
	if fs, _ := watchRow(e, s, 10); len(fs) > 0 {
		t.Errorf("be3 streams, yet there stands %s", fs[0].ID())
	}
	s, e = newStage(), failure.NewEngine(c.Failures)
	sign(s)
	s.at("be3").PostgreSQL = cluster.PostgreSQLClaims{}
	lead := s.at("be1").PostgreSQL
	lead.Replicas = cluster.Claim[[]cluster.Replica]{}
	s.at("be1").PostgreSQL = lead
	fs, _ := watchRow(e, s, 10)
	i := slices.IndexFunc(fs, func(f cluster.Finding) bool { return f.ID() == "follower-wal-gap@be3" })
	if i < 0 || fs[i].Certainty != cluster.Suspected {
		t.Errorf("the sign should raise a suspicion and no more%s", explain(fs))
	}
}

// Whatever is blanked of a view, an unknown never confirms what the whole view
// does not, and a view of which nothing is known confirms nothing at all.
func TestUnknownConfirmsNothing(t *testing.T) {
	t.Parallel()
	c := load(t)
	rapid.Check(t, func(t *rapid.T) {
		s := newStage()
		for _, n := range stageNodes {
			s.reports[n.Name] = &cluster.Report{Node: n.Name}
		}
		s.view.Past = cluster.Past{Samples: map[string][]cluster.Sample{}}
		for _, sign := range c.Signs {
			if rapid.Bool().Draw(t, sign.Name) {
				node := rapid.SampledFrom([]string{"be1", "be2", "be3"}).Draw(t, "node")
				s.view.Signs = append(s.view.Signs, cluster.SignSeen{Sign: sign.Name, Node: node, Count: 1, Last: s.now})
			}
		}
		e := failure.NewEngine(c.Failures)
		fs, way := watchRow(e, s, rapid.IntRange(1, 40).Draw(t, "looks"))
		if len(way) > 0 {
			t.Fatalf("confirmed: %v%s", way, explain(fs))
		}
		for _, p := range c.Procedures {
			if p.Built && p.Tier > cluster.T0 && enabled(s.view, p) {
				t.Fatalf("%s is enabled on a view of which nothing is known", p.Name)
			}
		}
	})
}

// enabled answers whether every guard of a procedure holds for be3.
func enabled(v *cluster.View, p cluster.Procedure) bool {
	b := cluster.Binding{Node: "be3", Service: "postgresql", Plan: &cluster.Plan{Node: "be3", Service: "postgresql", Values: map[string]string{}}}
	for _, g := range append(slices.Clone(p.Guards), stepGuards(p)...) {
		if g.Ask(v, b).Truth != cluster.True {
			return false
		}
	}
	return true
}

// stepGuards are the guards of a procedure's steps.
func stepGuards(p cluster.Procedure) (all []cluster.Guard) {
	for _, s := range p.Steps {
		all = append(all, s.Guards...)
	}
	return all
}

// Evidence says on which node it was seen, whatever node it is about.
func TestEvidenceSaysWhereItWasSeen(t *testing.T) {
	s, e := newStage(), failure.NewEngine(load(t).Failures)
	s.unseen("be3", "be1")
	s.blind("be3", cluster.Unreachable)
	fs, _ := watchRow(e, s, 20)
	if len(fs) == 0 || fs[0].ID() != "partition-partial@be3" {
		t.Fatal(explain(fs))
	}
	if got := fs[0].Evidence[0]; got.Node != "be1, be2" {
		t.Errorf("what be1 and be2 see of be3 is told as on %q: %s", got.Node, got.Sentence)
	}
}
