package cluster_test

import (
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// factCase asks one question of a stage after a change and some looks.
type factCase struct {
	name, ask, node string
	change          func(s *stage)
	looks           int // after the change; 3 unless said
	want            cluster.Truth
	says            string // part of the sentence
}

func tryFacts(t *testing.T, cases []factCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.ask+"/"+c.name, func(t *testing.T) {
			s := newStage()
			if c.change != nil {
				c.change(s)
			}
			if c.looks == 0 {
				c.looks = 3
			}
			a := ask(t, s.looks(c.looks), c.ask, c.node)
			if a.Truth != c.want || !strings.Contains(a.Sentence, c.says) {
				t.Errorf("%s: %q, want %s: ...%s...", a.Truth, a.Sentence, c.want, c.says)
			}
			if a.Sentence == "" {
				t.Error("no sentence")
			}
		})
	}
}

func TestReachFacts(t *testing.T) {
	off := func(s *stage) { s.powerOff("be3") }
	cut := func(s *stage) { s.blind("be3", cluster.Unreachable) }
	half := func(s *stage) { cut(s); s.unseen("be3", "be2") }
	silent := func(s *stage) { cut(s); delete(s.at("be2").Peers, addressBe3) }
	tryFacts(t, []factCase{
		{"well", "unreachable", "be3", nil, 0, cluster.False, "be3"},
		{"off", "unreachable", "be3", off, 0, cluster.True, "be3"},
		{"never tried", "unreachable", "be3", func(s *stage) { s.at("be3").Reach = cluster.Claim[cluster.Reach]{} }, 0, cluster.Unknown, "reach of be3"},
		{"a refused login is an answer", "unreachable", "be3", func(s *stage) { s.blind("be3", cluster.LoginFailed) }, 0, cluster.False, "login"},
		{"refused", "login-failed", "be3", func(s *stage) { s.blind("be3", cluster.LoginFailed) }, 0, cluster.True, "be3"},
		{"changed", "host-key-changed", "be3", func(s *stage) { s.blind("be3", cluster.HostKeyChanged) }, 0, cluster.True, "be3"},
		{"well", "host-key-changed", "be3", nil, 0, cluster.False, "be3"},
		{"off", "gone", "be3", off, 0, cluster.True, "nor by its peers"},
		{"only from here", "gone", "be3", cut, 0, cluster.False, "be1 sees be3"},
		{"a peer is silent", "gone", "be3", func(s *stage) { off(s); delete(s.at("be2").Peers, addressBe3) }, 0, cluster.Unknown, "be2"},
		{"peers looked before it went", "gone", "be3", func(s *stage) { s.slowOld = true; cut(s) }, 0, cluster.Unknown, "before be3 went silent"},
		{"only from here", "seen-by-all-peers", "be3", cut, 0, cluster.True, "be1 and be2"},
		{"off", "seen-by-all-peers", "be3", off, 0, cluster.False, ""},
		{"one silent", "seen-by-all-peers", "be3", silent, 0, cluster.Unknown, "be2"},
		{"half", "seen-by-some-peers", "be3", half, 0, cluster.True, "be2 does not"},
		{"all", "seen-by-some-peers", "be3", cut, 0, cluster.False, ""},
		{"one silent", "seen-by-some-peers", "be3", silent, 0, cluster.Unknown, "be2"},
		{"one silent", "reach-in-doubt", "be3", silent, 0, cluster.True, "be1 sees it"},
		{"off", "others-hold-quorum", "be3", off, 0, cluster.True, "2 of 3"},
		{"one other unhealthy", "others-hold-quorum", "be3", func(s *stage) { s.at("be1").Etcd.Health = known(false) }, 0, cluster.False, ""},
		{"one other silent", "others-hold-quorum", "be3", func(s *stage) { s.blind("be1", cluster.Unreachable) }, 0, cluster.Unknown, ""},
		{"young", "booted-recently", "be3", func(s *stage) { s.at("be3").Host.Uptime = known(time.Minute) }, 0, cluster.True, "be3"},
		{"old", "booted-recently", "be3", nil, 0, cluster.False, ""},
		{"unknown", "booted-recently", "be3", off, 0, cluster.Unknown, "uptime of be3"},
	})
}

func TestEtcdFacts(t *testing.T) {
	sick := func(s *stage) { s.at("be3").Etcd.Health = known(false) }
	cutAll := func(s *stage) {
		for _, n := range stageNodes {
			s.at(n.Name).Etcd.Health, s.at(n.Name).Etcd.RaftLeader = known(false), known("")
			for _, o := range stageNodes {
				s.unseen(n.Name, o.Name)
			}
		}
	}
	stop := func(s *stage, nodes ...string) {
		for _, n := range nodes {
			s.at(n).Services["etcd"] = service("down", 0, time.Minute)
			s.at(n).Etcd = cluster.EtcdClaims{}
		}
	}
	tryFacts(t, []factCase{
		{"well", "etcd-quorum", "", nil, 0, cluster.True, "3 of 3"},
		{"one false is no fact", "etcd-healthy", "be3", sick, 1, cluster.Unknown, "one false is no fact"},
		{"two are", "etcd-healthy", "be3", sick, 2, cluster.False, "be3"},
		{"all cut", "etcd-quorum", "", cutAll, 0, cluster.False, "0 of 3"},
		{"two unseen may be well", "etcd-quorum", "", func(s *stage) { s.powerOff("be2"); s.powerOff("be3") }, 0, cluster.Unknown, "cannot be told"},
		{"dead members stay listed", "etcd-quorum", "", func(s *stage) {
			for _, n := range stageNodes {
				s.at(n.Name).Etcd.Members = known([]cluster.EtcdMember{{Name: "be1"}, {Name: "be2"}, {Name: "be3"}, {Name: "old4"}, {Name: "old5"}})
			}
			stop(s, "be3")
		}, 0, cluster.False, "2 of 5"},
		{"three looks", "etcd-unhealthy", "be3", sick, 3, cluster.True, "three looks"},
		{"two looks", "etcd-unhealthy", "be3", sick, 2, cluster.False, ""},
		{"all cut", "etcd-cut-apart", "", cutAll, 0, cluster.True, "be1 and be2 and be3"},
		{"one sick", "etcd-cut-apart", "", sick, 0, cluster.False, ""},
		{"ports unknown", "etcd-cut-apart", "", func(s *stage) {
			cutAll(s)
			for _, n := range stageNodes {
				s.at(n.Name).Peers = nil
			}
		}, 0, cluster.Unknown, "2380"},
		{"two stopped", "etcd-processes-missing", "", func(s *stage) { stop(s, "be2", "be3") }, 0, cluster.True, "be2 and be3"},
		{"one stopped", "etcd-processes-missing", "", func(s *stage) { stop(s, "be3") }, 0, cluster.False, ""},
		{"supervisors silent", "etcd-processes-missing", "", func(s *stage) {
			for _, n := range []string{"be2", "be3"} {
				s.at(n).Services["etcd"] = cluster.ServiceClaims{State: known("fail")}
			}
		}, 0, cluster.Unknown, ""},
		{"one was taken out of the cluster", "etcd-processes-missing", "", func(s *stage) {
			members("be1", "be2")(s)
			s.at("be3").Services, s.at("be3").Etcd = nil, cluster.EtcdClaims{}
			stop(s, "be2")
		}, 0, cluster.True, "be2"},
		{"a cluster of one", "etcd-processes-missing", "", func(s *stage) {
			members("be1")(s)
			for _, n := range []string{"be2", "be3"} {
				s.at(n).Services, s.at(n).Etcd = nil, cluster.EtcdClaims{}
			}
		}, 0, cluster.False, ""},
		{"members by addresses that nobody knows", "etcd-processes-missing", "", func(s *stage) {
			for _, r := range s.reports {
				r.Etcd.Members = known([]cluster.EtcdMember{{Name: "x", PeerURL: "http://192.0.2.1:2380"}, {Name: "y", PeerURL: "http://192.0.2.2:2380"}})
			}
			s.at("be3").Services, s.at("be3").Etcd = nil, cluster.EtcdClaims{}
			stop(s, "be2")
		}, 0, cluster.Unknown, ""},
		{"a stuck member", "etcd-out", "be3", sick, 3, cluster.True, "be3"},
		{"cut, not stuck", "etcd-out", "be3", func(s *stage) { sick(s); s.unseen("be3", "be1"); s.unseen("be3", "be2") }, 3, cluster.False, ""},
		{"peers looked before", "etcd-out", "be3", func(s *stage) { sick(s); s.slowOld = true }, 3, cluster.Unknown, "2380"},
	})
}

func TestServiceFacts(t *testing.T) {
	set := func(name string, c cluster.ServiceClaims) func(*stage) {
		return func(s *stage) { s.at("be3").Services[name] = c }
	}
	mute := func(s *stage) { s.at("be3").Elasticsearch = cluster.ElasticsearchClaims{Answers: known(false)} }
	loop := func(s *stage) {
		for i := range 4 {
			s.at("be3").Services["leaderl"] = service("run", 5000+i, time.Second)
			s.look()
		}
	}
	dies := func(s *stage) { // at once: no look ever meets it alive
		for range 4 {
			s.at("be3").Services["leaderl"] = service("down", 0, 0)
			s.look()
		}
	}
	lies := func(s *stage) {
		for i := range 4 {
			s.at("be3").Services["leaderl"] = service("down", 0, time.Duration(i)*2*time.Second)
			s.look()
		}
	}
	tryFacts(t, []factCase{
		{"well", "service-runs leaderl", "be3", nil, 0, cluster.True, "be3"},
		{"young", "service-runs leaderl", "be3", set("leaderl", service("run", 5, 4*time.Second)), 0, cluster.False, "4s ago"},
		{"down", "service-runs leaderl", "be3", set("leaderl", service("down", 0, time.Minute)), 0, cluster.False, "down"},
		{"supervisor silent is not down", "service-down leaderl", "be3", set("leaderl", cluster.ServiceClaims{State: known("fail")}), 0, cluster.Unknown, "be3"},
		{"node silent", "service-runs leaderl", "be3", func(s *stage) { s.powerOff("be3") }, 0, cluster.Unknown, "cannot be asked"},
		{"loop", "service-restarts leaderl", "be3", loop, 1, cluster.True, "times within 60 s"},
		{"dies at once", "service-restarts leaderl", "be3", dies, 0, cluster.True, "times within 60 s"},
		{"stays down", "service-restarts leaderl", "be3", lies, 0, cluster.False, ""},
		{"one restart", "service-restarts leaderl", "be3", set("leaderl", service("run", 7, time.Second)), 0, cluster.False, ""},
		{"it has stood since", "service-restarts leaderl", "be3", func(s *stage) { loop(s); s.at("be3").Services["leaderl"] = service("run", 5003, cluster.StandsFor) }, 1, cluster.False, "has stood"},
		{"stopped on purpose", "postgresql-out", "be3", set("postgresql", cluster.ServiceClaims{State: known("down"), PID: known(0), WantUp: known(false)}), 0, cluster.False, ""},
		{"wanted up", "postgresql-out", "be3", set("postgresql", service("down", 0, time.Second)), 0, cluster.True, "wants it up"},
		{"silent thrice", "postgresql-out", "be3", func(s *stage) { s.at("be3").PostgreSQL.Ready = known(2) }, 3, cluster.True, "three looks"},
		{"silent twice", "postgresql-out", "be3", func(s *stage) { s.at("be3").PostgreSQL.Ready = known(2) }, 2, cluster.False, ""},
		{"starting", "postgresql-starting", "be3", func(s *stage) { s.at("be3").PostgreSQL.Ready = known(1) }, 0, cluster.True, "starting"},
		{"mute", "elasticsearch-out", "be3", mute, 3, cluster.True, "three looks"},
		{"mute twice", "elasticsearch-out", "be3", mute, 2, cluster.False, ""},
		{"mute but young", "elasticsearch-out", "be3", func(s *stage) {
			mute(s)
			s.at("be3").Services["elasticsearch"] = service("run", 9, time.Minute)
		}, 3, cluster.False, ""},
		{"not asked", "elasticsearch-out", "be3", func(s *stage) { s.at("be3").Elasticsearch = cluster.ElasticsearchClaims{} }, 3, cluster.Unknown, "elasticsearch.answers"},
		{"leader in trouble for 10 s", "leaderl-still-checks", "be1", func(s *stage) { s.at("be1").PostgreSQL.Ready = known(2) }, 5, cluster.True, "25s"},
		{"leader in trouble for 30 s", "leaderl-still-checks", "be1", func(s *stage) { s.at("be1").PostgreSQL.Ready = known(2) }, 15, cluster.False, ""},
		{"follower silent for 30 s", "leaderl-still-checks", "be3", func(s *stage) { s.at("be3").PostgreSQL.Ready = known(2) }, 15, cluster.True, "40s late"},
		{"follower silent for 50 s", "leaderl-still-checks", "be3", func(s *stage) { s.at("be3").PostgreSQL.Ready = known(2) }, 25, cluster.False, ""},
	})
}
