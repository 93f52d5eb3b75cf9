package cluster_test

import (
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// TestCompare: only what was foretold and is known to be otherwise deviates.
func TestCompare(t *testing.T) {
	fact := func(value string) []cluster.KeyFact {
		return []cluster.KeyFact{{Node: "be3", Name: "database", Value: value}}
	}
	for _, c := range []struct {
		name             string
		want, is         []cluster.KeyFact
		differs, unknown string
	}{
		{"the same", fact("standby"), fact("standby"), "", ""},
		{"other", fact("standby"), fact("down"), `be3 database: rehearsed "standby", is "down"`, ""},
		{"unknown now", fact("standby"), fact(""), "", "be3 database"},
		{"unknown in the rehearsal", fact(""), fact("down"), "", ""},
		{"not told at all", fact("standby"), nil, "", "be3 database"},
		{"of another node", fact("standby"), []cluster.KeyFact{{Node: "be2", Name: "database", Value: "down"}}, "", "be3 database"},
		{"told beside it", nil, fact("down"), "", ""},
	} {
		differ, unknown := cluster.Compare(c.want, c.is)
		var said, not []string
		for _, d := range differ {
			said = append(said, d.String())
		}
		for _, f := range unknown {
			not = append(not, f.Title())
		}
		if strings.Join(said, ", ") != c.differs || strings.Join(not, ", ") != c.unknown {
			t.Errorf("%s: differ %q, unknown %q", c.name, said, not)
		}
	}
}

// TestKeyFacts changes a healthy cluster in one thing and names the facts that
// change with it; what only passes by must be unknown.
func TestKeyFacts(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(s *stage)
		want   string // "be3 database down", separated by "; "; "?" for unknown
	}{
		{"nothing", func(*stage) {}, ""},
		{"leaderl was stopped: its role tells nothing any more", func(s *stage) {
			down := service("down", 0, time.Minute)
			down.WantUp = known(false)
			s.at("be3").Services["leaderl"] = down
		}, "be3 service leaderl down; be3 role ?; be3 eligible ?; be3 blocked ?; be3 failover ?"},
		{"etcd has just started", func(s *stage) { s.at("be2").Services["etcd"] = service("run", 7, 3*time.Second) }, "be2 service etcd ?"},
		{"elasticsearch does not come up", func(s *stage) { s.at("be2").Services["elasticsearch"] = service("down", 0, time.Second) }, "be2 service elasticsearch does not stay up"},
		{"the supervisor is silent", func(s *stage) { s.at("be2").Services["epmd"] = service("fail", 0, 0) }, "be2 service epmd ?"},
		{"a sentinel was moved there", func(s *stage) { s.at("be3").Sentinels.Unsynced = known(true) }, "be3 sentinel unsynced there"},
		{"the database is down", func(s *stage) {
			p := &s.at("be3").PostgreSQL
			p.Ready, p.Postmaster, p.InRecovery = known(2), known(0), cluster.Claim[bool]{}
			p.EndOfWAL = known(stageEnd)
		}, "be3 database down"},
		{"a follower no longer streams", func(s *stage) {
			s.at("be1").PostgreSQL.Replicas = known(s.at("be1").PostgreSQL.Replicas.Value[:1])
		}, "be3 streaming not from be1"},
		{"a follower holds more", func(s *stage) {
			p := &s.at("be3").PostgreSQL
			p.Control = known(cluster.ControlData{SystemID: "1", Timeline: 89})
			p.Segments = known(cluster.Segments{Oldest: "00000059000016F300000010", Newest: "00000059000016F30000002D", Count: 32})
			p.Histories = known([]cluster.History{{Timeline: 89, Switches: []cluster.Switch{{Parent: 87, At: 0x16F3_20000000}, {Parent: 88, At: stageEnd - 1<<20}}}})
			s.at("be1").PostgreSQL.Replicas = known(s.at("be1").PostgreSQL.Replicas.Value[:1])
		}, "be3 streaming not from be1; be3 copy not held by be1"},
		{"a follower that streams was looked at later", func(s *stage) {
			s.at("be3").PostgreSQL.Receive, s.at("be3").PostgreSQL.Replay = known(stageEnd+20<<10), known(stageEnd+20<<10)
		}, "be3 copy ?"},
		{"failover is off", func(s *stage) {
			for _, r := range s.reports {
				r.Ctl.Failover = known(false)
			}
		}, "failover off"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage()
			was := s.view.KeyFacts()
			for _, f := range was {
				if f.Value == "" && f.Title() != "be1 streaming" && f.Title() != "be1 copy" {
					t.Errorf("%s of a healthy cluster is unknown: %s", f.Title(), f.Why)
				}
			}
			c.change(s)
			s.looks(3)
			differ, unknown := cluster.Compare(was, s.view.KeyFacts())
			var got []string
			for _, d := range differ {
				got = append(got, d.Fact.Title()+" "+d.Fact.Value)
			}
			for _, f := range unknown {
				if f.Why == "" {
					t.Errorf("why %s is unknown is not told", f.Title())
				}
				got = append(got, f.Title()+" ?")
			}
			if said := strings.Join(got, "; "); said != c.want {
				t.Errorf("changed: %s; want %s", said, c.want)
			}
		})
	}
}
