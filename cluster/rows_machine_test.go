package cluster_test

import (
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/failure"
)

// furnish gives every node of the stage a healthy machine. All values are invented.
func furnish(s *stage) {
	for _, n := range stageNodes {
		r := s.at(n.Name)
		h := &r.Host
		h.Disks = known([]cluster.Disk{
			{Path: "/var/opt/chef-backend", Total: 100 << 30, Free: 60 << 30, Inodes: 1 << 20, Mounts: true},
			{Path: "/var/log/chef-backend", Total: 40 << 30, Free: 30 << 30, Inodes: -1, Mounts: true},
		})
		h.ClockOffset, h.Version = known(40*time.Millisecond), known("2.3.16")
		h.MemoryKills = known(cluster.MemoryKills{})
		h.Certificates = known([]cluster.Certificate{{Path: "/var/opt/chef-backend/ssl/be.crt", Ends: s.now.AddDate(5, 0, 0)}})
		r.Etcd.Answers, r.Etcd.ClusterID, r.Etcd.Writable = known(true), known("7e27652122e8b2ae"), known(true)
		r.Etcd.Members = known([]cluster.EtcdMember{
			{Name: "be1", PeerURL: "http://" + addressBe1 + ":2380"}, {Name: "be2", PeerURL: "http://" + addressBe2 + ":2380"}, {Name: "be3", PeerURL: "http://" + addressBe3 + ":2380"},
		})
		r.Leaderl.Answers = known(true)
		r.Elasticsearch.Nodes, r.Elasticsearch.ReadOnly = known(3), known([]string{})
		r.PostgreSQL.TurnedAway = known(false)
		r.PostgreSQL.Connections = known(cluster.Connections{Used: 40, Max: 350, Reserved: 3})
		r.PostgreSQL.Slots = known([]cluster.Slot{})
	}
	s.at("be3").Etcd.PeerLatency = known(2 * time.Millisecond) // the raft leader
}

// disk changes the data disk of a node.
func disk(node string, change func(d *cluster.Disk)) func(*stage) {
	return func(s *stage) {
		furnish(s)
		change(&s.at(node).Host.Disks.Value[0])
	}
}

// changed furnishes the stage and changes one node's report.
func changed(node string, change func(r *cluster.Report)) func(*stage) {
	return func(s *stage) {
		furnish(s)
		change(s.at(node))
	}
}

// notListed takes be3 out of the lists of the other members.
func notListed(s *stage) {
	furnish(s)
	for _, n := range []string{"be1", "be2"} {
		s.at(n).Etcd.Members.Value = s.at(n).Etcd.Members.Value[:2]
	}
}

func machineRows() []rowCase {
	kill := func(ago time.Duration) func(*stage) {
		return func(s *stage) {
			furnish(s)
			s.at("be3").Host.MemoryKills = known(cluster.MemoryKills{Count: 1, Victim: "java (77)", Last: s.now.Add(-ago)})
		}
	}
	ends := func(in time.Duration) func(*stage) {
		return func(s *stage) { furnish(s); s.at("be3").Host.Certificates.Value[0].Ends = s.now.Add(in) }
	}
	slot := func(active bool) func(*stage) {
		return changed("be1", func(r *cluster.Report) {
			r.PostgreSQL.Slots = known([]cluster.Slot{{Name: "old", Active: active, Restart: stageEnd - 600<<20}})
		})
	}
	return []rowCase{
		{name: "healthy machines", change: furnish, looks: 20},
		{name: "disk-full on a follower", change: disk("be3", func(d *cluster.Disk) { d.Free = 200 << 20 }), looks: 5, want: []string{"disk-full@be3"}, never: []string{"disk-low@be1"}},
		{name: "no files left", change: disk("be3", func(d *cluster.Disk) { d.Inodes = 0 }), looks: 5, want: []string{"disk-full@be3"}},
		{name: "the configured room", change: func(s *stage) {
			disk("be3", func(d *cluster.Disk) { d.Free = 900 << 20 })(s)
			s.at("be3").Settings.MinSpace = known(int64(1 << 30))
		}, looks: 5, want: []string{"disk-full@be3"}},
		{name: "a full disk hides its services", change: func(s *stage) {
			disk("be3", func(d *cluster.Disk) { d.Free = 0 })(s)
			s.at("be3").Services["etcd"] = service("down", 0, time.Minute)
			s.at("be3").Etcd = cluster.EtcdClaims{}
			s.at("be3").Services["leaderl"] = service("down", 0, time.Minute)
		}, looks: 25, want: []string{"disk-full@be3"}, hidden: []string{"etcd-down@be3", "leaderl-down@be3", "disk-low@be3"}},
		{name: "disk-low", change: disk("be3", func(d *cluster.Disk) { d.Free = 9 << 30 }), looks: 25, want: []string{"disk-low@be3"}},
		{name: "a tenth of a large disk is room", change: disk("be3", func(d *cluster.Disk) { d.Total, d.Free = 4<<40, 300<<30 }), looks: 25},
		{name: "filesystem-read-only", change: disk("be3", func(d *cluster.Disk) { d.ReadOnly = true }), looks: 5, want: []string{"filesystem-read-only@be3"}},
		{name: "mounts that cannot be read say nothing", change: disk("be3", func(d *cluster.Disk) { d.ReadOnly, d.Mounts = true, false }), looks: 5},
		{name: "out-of-memory-kill", change: kill(5 * time.Minute), looks: 5, want: []string{"out-of-memory-kill@be3"}},
		{name: "a kill long ago", change: kill(2 * time.Hour), looks: 5},
		{name: "a kill of an unknown time", change: changed("be3", func(r *cluster.Report) { r.Host.MemoryKills = known(cluster.MemoryKills{Count: 3}) }), looks: 5},
		{name: "clock-skew", change: changed("be3", func(r *cluster.Report) { r.Host.ClockOffset = known(-2 * time.Second) }), looks: 10, want: []string{"clock-skew@be3"}},
		{name: "looks too slow to compare clocks", change: changed("be3", func(r *cluster.Report) {
			r.Host.ClockOffset, r.Host.ClockError = known(2*time.Second), known(700*time.Millisecond)
		}), looks: 10},
		{name: "our own clock is the wrong one", change: func(s *stage) {
			furnish(s)
			for _, n := range stageNodes {
				s.at(n.Name).Host.ClockOffset = known(9 * time.Second)
			}
		}, looks: 10},
		{name: "connections-exhausted, turned away", change: changed("be3", func(r *cluster.Report) {
			r.PostgreSQL.TurnedAway, r.PostgreSQL.Connections = known(true), cluster.Claim[cluster.Connections]{}
		}), looks: 5, want: []string{"connections-exhausted@be3"}},
		{name: "connections-exhausted, counted", change: changed("be3", func(r *cluster.Report) { r.PostgreSQL.Connections.Value.Used = 347 }), looks: 5, want: []string{"connections-exhausted@be3"}},
		{name: "slot-holds-wal", change: slot(false), looks: 5, want: []string{"slot-holds-wal@be1"}},
		{name: "a slot in use holds what it must", change: slot(true), looks: 5},
		{name: "etcd-member-removed", change: notListed, looks: 5, want: []string{"etcd-member-removed@be3"}},
		{name: "a removed member that is stopped", change: func(s *stage) {
			notListed(s)
			down := service("down", 0, time.Minute)
			down.WantUp = known(false)
			s.at("be3").Services["etcd"] = down
		}, looks: 5, want: []string{"etcd-down@be3"}, never: []string{"etcd-member-removed@be3"}},
		{name: "etcd-cluster-id-mismatch", change: changed("be3", func(r *cluster.Report) { r.Etcd.ClusterID = known("aaaa") }), looks: 5, want: []string{"etcd-cluster-id-mismatch@be3"}},
		{name: "etcd-cannot-write", change: func(s *stage) {
			furnish(s)
			s.at("be3").Etcd = cluster.EtcdClaims{Writable: known(false)}
			s.at("be3").Services["etcd"] = service("down", 0, time.Second)
		}, looks: 25, want: []string{"etcd-cannot-write@be3"}, hidden: []string{"etcd-down@be3", "redundancy-lost"}},
		{name: "elasticsearch-read-only", change: changed("be2", func(r *cluster.Report) { r.Elasticsearch.ReadOnly = known([]string{"chef"}) }), looks: 5, want: []string{"elasticsearch-read-only"}},
		{name: "certificate-expiring", change: ends(59 * 24 * time.Hour), looks: 5, want: []string{"certificate-expiring@be3"}},
		{name: "certificate ended", change: ends(-time.Hour), looks: 5, want: []string{"certificate-expiring@be3"}},
		{name: "certificate lasts", change: ends(61 * 24 * time.Hour), looks: 5},
		{name: "version-mismatch", change: changed("be3", func(r *cluster.Report) { r.Host.Version = known("3.1.1") }), looks: 5, want: []string{"version-mismatch"}},
		{name: "wrong-version", change: func(s *stage) {
			furnish(s)
			for _, n := range stageNodes {
				s.at(n.Name).Host.Version = known("2.0.30")
			}
		}, looks: 5, want: []string{"wrong-version@be1", "wrong-version@be2", "wrong-version@be3"}},
		{name: "not-three-nodes", change: func(s *stage) {
			furnish(s)
			for _, n := range stageNodes {
				s.at(n.Name).Etcd.Members.Value = append(s.at(n.Name).Etcd.Members.Value, cluster.EtcdMember{Name: "be4", PeerURL: "http://10.0.4.14:2380"})
			}
		}, looks: 5, want: []string{"not-three-nodes"}},
		{name: "two members are a node being replaced", change: func(s *stage) { notListed(s); s.powerOff("be3") }, looks: 10, never: []string{"not-three-nodes"}, want: []string{"node-down@be3"}},
	}
}

func TestMachineRows(t *testing.T) { tryRows(t, machineRows()) }

func TestServiceRows(t *testing.T) {
	t.Parallel()
	initializing := func(nodes ...string) func(*stage) {
		return func(s *stage) {
			furnish(s)
			for _, n := range nodes {
				s.role(n, "initializing")
			}
		}
	}
	yellow := func(s *stage) {
		furnish(s)
		for _, n := range stageNodes {
			s.at(n.Name).Elasticsearch.Status = known("yellow")
		}
	}
	fail := func(why string) func(*stage) {
		return changed("be3", func(r *cluster.Report) {
			for name := range r.Services {
				u := cluster.Claim[int]{Reason: "runit: " + why}
				r.Services[name] = cluster.ServiceClaims{State: known("fail"), PID: u}
			}
		})
	}
	tryRows(t, []rowCase{
		{name: "elasticsearch-red is one finding", change: func(s *stage) {
			yellow(s)
			for _, n := range stageNodes {
				s.at(n.Name).Elasticsearch.Status = known("red")
			}
		}, looks: 33, want: []string{"elasticsearch-red"}},
		{name: "red is what one cut-off node says", change: func(s *stage) {
			furnish(s)
			s.at("be3").Elasticsearch.Status, s.at("be3").Elasticsearch.Nodes = known("red"), known(1)
		}, looks: 5},
		{name: "elasticsearch-degraded, yellow", change: yellow, looks: 5, want: []string{"elasticsearch-degraded"}},
		{name: "elasticsearch-degraded, two nodes", change: func(s *stage) {
			furnish(s)
			for _, n := range stageNodes {
				s.at(n.Name).Elasticsearch.Nodes = known(2)
			}
		}, looks: 5, want: []string{"elasticsearch-degraded"}},
		{name: "yellow after a start", change: func(s *stage) { yellow(s); s.at("be2").Services["elasticsearch"] = service("run", 7, 4*time.Minute) }, looks: 5, never: []string{"elasticsearch-degraded"}},
		{name: "yellow because a service is down", change: func(s *stage) {
			yellow(s)
			s.at("be3").Services["elasticsearch"], s.at("be3").Elasticsearch.Answers = service("down", 0, time.Hour), known(false)
		}, looks: 10, want: []string{"elasticsearch-down@be3"}, never: []string{"elasticsearch-degraded"}},
		{name: "etcd-slow, by its peers", change: changed("be3", func(r *cluster.Report) { r.Etcd.PeerLatency = known(600 * time.Millisecond) }), looks: 5, want: []string{"etcd-slow"}},
		{name: "the configured heartbeat", change: changed("be3", func(r *cluster.Report) {
			r.Etcd.PeerLatency, r.Settings.Heartbeat = known(600*time.Millisecond), known(time.Second)
		}), looks: 5},
		{name: "leaderl-not-joining, not before 60 s", change: initializing("be3"), looks: 28, never: []string{"leaderl-not-joining@be3"}, want: nil},
		{name: "leaderl-not-joining", change: initializing("be3"), looks: 40, want: []string{"leaderl-not-joining@be3"}},
		{name: "epmd-down", change: changed("be3", func(r *cluster.Report) { r.Services["epmd"] = service("down", 0, time.Minute) }), looks: 5, want: []string{"epmd-down@be3"}},
		{name: "supervisor-down", change: fail("runsv not running"), looks: 5, want: []string{"supervisor-down@be3"}, never: []string{"etcd-down@be3", "leaderl-down@be3"}},
		{name: "supervisor cannot be opened", change: fail("unable to open supervise/ok: file does not exist"), looks: 5, want: []string{"supervisor-down@be3"}},
		{name: "a service that was never set up", change: fail("unable to change to service directory: file does not exist"), looks: 5, never: []string{"supervisor-down@be3"}},
		{name: "service-hung, leaderl", change: changed("be3", func(r *cluster.Report) {
			r.Leaderl = cluster.LeaderlClaims{Answers: known(false)}
		}), looks: 5, want: []string{"service-hung@be3"}},
		{name: "service-hung, etcd", change: changed("be3", func(r *cluster.Report) {
			r.Etcd = cluster.EtcdClaims{Answers: known(false)}
		}), looks: 5, want: []string{"service-hung@be3"}, never: []string{"etcd-down@be3"}},
	})
}

// leaderl under a pid that keeps changing is one finding, P1 on the leader,
// named by what its log says, and folds under an epmd that is down.
func TestLeaderlCrashLoop(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		node     string
		epmd     bool
		terms    bool // in the log
		want     string
		priority cluster.Priority
	}{
		{"be3", false, true, "leaderl-crash-loop@be3", cluster.P2},
		{"be1", false, true, "leaderl-crash-loop@be1", cluster.P1},
		{"be3", false, false, "leaderl-down@be3", cluster.P2},
		{"be3", true, true, "epmd-down@be3", cluster.P2},
		{"be1", true, true, "epmd-down@be1", cluster.P1},
	} {
		s, e := newStage(), failure.NewEngine(load(t).Failures)
		furnish(s)
		watchRow(e, s, 5)
		if c.epmd {
			s.at(c.node).Services["epmd"] = service("down", 0, time.Minute)
		}
		var fs []cluster.Finding
		for i := range 12 {
			if c.terms {
				s.view.Signs = []cluster.SignSeen{{Sign: "leaderl-crash-report", Node: c.node, Service: "leaderl", Count: 2 + uint64(i), Last: s.now, Example: "invented"}}
			}
			s.at(c.node).Services["leaderl"] = service("run", 8000+i, time.Second)
			fs, _ = watchRow(e, s, 1)
		}
		if got := unhidden(fs); len(got) != 1 || got[0] != c.want || fs[0].Priority != c.priority {
			t.Errorf("%s, epmd down %v: stands %v, want %s %s%s", c.node, c.epmd, got, c.priority, c.want, explain(fs))
		}
	}
}

// etcd that keeps falling over is seen running for moments: the quorum is lost
// all the same.
func TestEtcdQuorumLostInALoop(t *testing.T) {
	s, e := newStage(), failure.NewEngine(load(t).Failures)
	furnish(s)
	watchRow(e, s, 5)
	var fs []cluster.Finding
	for i := range 20 {
		for j, n := range []string{"be2", "be3"} {
			s.at(n).Etcd, s.at(n).Services["etcd"] = cluster.EtcdClaims{}, service("down", 0, time.Second)
			if (i+j)%3 == 0 {
				s.at(n).Services["etcd"] = service("run", 7000+10*i+j, 0)
			}
		}
		s.at("be1").Etcd.Health = known(false)
		fs, _ = watchRow(e, s, 1)
	}
	if got := unhidden(fs); len(got) != 1 || got[0] != "etcd-quorum-lost" {
		t.Errorf("stands %v%s", got, explain(fs))
	}
}

// A long start is advice while it gets on, and graver once it does not.
func TestLongStart(t *testing.T) {
	t.Parallel()
	for name, priority := range map[string]cluster.Priority{"00000058000016F30000002": cluster.P3, "": cluster.P2} {
		s, e := newStage(), failure.NewEngine(load(t).Failures)
		furnish(s)
		p := &s.at("be3").PostgreSQL
		p.Ready, p.Recovering = known(1), known("00000058000016F30000002D")
		var fs []cluster.Finding
		for i := range 60 {
			if name != "" {
				p.Recovering = known(name + string(rune('0'+i/10)))
			}
			fs, _ = watchRow(e, s, 1)
		}
		if len(fs) == 0 || fs[0].ID() != "postgresql-starting@be3" || fs[0].Priority != priority {
			t.Errorf("replays %q…: want postgresql-starting@be3 %s%s", name, priority, explain(fs))
		}
	}
}

// Terms that rise while all etcd processes stand mean a slow etcd; a restart or
// a partition make them rise as well.
func TestRaftTermsThatRise(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(s *stage, ago func(time.Duration) time.Time)
		want   cluster.Truth
	}{
		{"all stand", func(*stage, func(time.Duration) time.Time) {}, cluster.True},
		{"a process is new", func(s *stage, _ func(time.Duration) time.Time) {
			s.at("be2").Services["etcd"] = service("run", 9, 3*time.Minute)
		}, cluster.False},
		{"a partition meanwhile", func(s *stage, ago func(time.Duration) time.Time) { s.view.Past.Apart = ago(5 * time.Minute) }, cluster.False},
		{"a partition long ago", func(s *stage, ago func(time.Duration) time.Time) { s.view.Past.Apart = ago(11 * time.Minute) }, cluster.True},
		{"one election", func(s *stage, _ func(time.Duration) time.Time) { s.view.Past.Terms = s.view.Past.Terms[:2] }, cluster.False},
		{"long ago", func(s *stage, _ func(time.Duration) time.Time) {
			for i := range s.view.Past.Terms {
				s.view.Past.Terms[i].At = s.view.Past.Terms[i].At.Add(-9 * time.Minute)
			}
		}, cluster.False},
		{"no term seen", func(s *stage, _ func(time.Duration) time.Time) { s.view.Past.Terms = nil }, cluster.Unknown},
	} {
		s := newStage()
		furnish(s)
		ago := func(d time.Duration) time.Time { return s.now.Add(-d) }
		s.view.Past.Terms = []cluster.TermSeen{{At: ago(time.Hour), Term: 40}, {At: ago(4 * time.Minute), Term: 41}, {At: ago(2 * time.Minute), Term: 42}}
		c.change(s, ago)
		if a := ask(t, s.looks(1), "etcd-slow", ""); a.Truth != c.want {
			t.Errorf("%s: %s: %s", c.name, a.Truth, a.Sentence)
		}
	}
}

// A slow claim that was not renewed says nothing of now.
func TestOldSlowClaimsAreUnknown(t *testing.T) {
	s := newStage()
	disk("be3", func(d *cluster.Disk) { d.Free = 0 })(s)
	s.at("be3").Host.Disks.At = s.now.Add(-3 * time.Minute)
	if a := ask(t, s.looks(1), "disk-full", "be3"); a.Truth != cluster.Unknown {
		t.Errorf("%s: %s", a.Truth, a.Sentence)
	}
}
