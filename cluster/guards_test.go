package cluster_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// slowly is a claim of the newest slow look.
func slowly[T any](s *stage, v T) cluster.Claim[T] {
	return cluster.KnownAs(v, cluster.SourceHost, s.now)
}

// stopped lets every service of a node be down for good.
func stopped(s *stage, node string) {
	for _, name := range cluster.Services {
		down := service("down", 0, time.Minute)
		down.WantUp = known(false)
		s.at(node).Services[name] = down
	}
	p := &s.at(node).PostgreSQL
	p.Postmaster, p.Ready, p.InRecovery = known(0), known(2), cluster.Claim[bool]{}
	s.at(node).Etcd.Health = known(false)
}

// holding says what lies of the product's folders on a node.
func holding(node string, f cluster.ProductFiles) func(*stage) {
	return func(s *stage) {
		s.at(node).Host.Installed = known(true)
		s.at(node).Host.Files = slowly(s, f)
	}
}

// members are what every node's etcd lists.
func members(nodes ...string) func(*stage) {
	return func(s *stage) {
		var list []cluster.EtcdMember
		for _, n := range nodes {
			list = append(list, cluster.EtcdMember{Name: "guid-" + n, PeerURL: "http://" + s.addressOf(n) + ":2380"})
		}
		for _, r := range s.reports {
			r.Etcd.Members = known(list)
		}
	}
}

// lost takes a node away, and the operator fences it.
func lost(nodes ...string) func(*stage) {
	return func(s *stage) {
		s.view.Fenced = map[string]bool{}
		for _, n := range nodes {
			s.powerOff(n)
			s.view.Fenced[n] = true
		}
	}
}

// back tells that nodes answered after they were fenced.
func back(nodes ...string) func(*stage) {
	return func(s *stage) {
		s.view.Returned = map[string]time.Time{}
		for _, n := range nodes {
			s.view.Returned[n] = s.now
		}
	}
}

func both(changes ...func(*stage)) func(*stage) {
	return func(s *stage) {
		for _, c := range changes {
			c(s)
		}
	}
}

const yes, no, unsure = cluster.True, cluster.False, cluster.Unknown

func TestGuardsOfMembership(t *testing.T) {
	all3 := members("be1", "be2", "be3")
	tryFacts(t, []factCase{
		{"three", "three-nodes-known", "be3", nil, 0, yes, "three nodes"},
		{"three of more members", "three-nodes-known", "be3", func(s *stage) {
			members("be1", "be2", "be3")(s)
			list := append(slices.Clone(s.at("be1").Etcd.Members.Value), cluster.EtcdMember{Name: "guid-be4", PeerURL: "http://10.0.4.14:2380"})
			s.at("be1").Etcd.Members, s.at("be2").Etcd.Members, s.at("be3").Etcd.Members = known(list), known(list), known(list)
		}, 0, no, "4 members"},
		{"two members", "three-nodes-known", "be3", members("be1", "be2"), 0, yes, "three nodes"},
		{"told", "versions-supported-where-seen", "", func(s *stage) { s.at("be1").Host.Version = known("2.3.16") }, 0, yes, "be1"},
		{"an old one", "versions-supported-where-seen", "", func(s *stage) {
			s.at("be1").Host.Version, s.at("be3").Host.Version = known("2.3.16"), known("2.0.30")
		}, 0, no, "older than 2.1.0"},
		{"untold", "versions-supported-where-seen", "", nil, 0, unsure, "unknown of every node"},
		{"listed", "member-listed", "be3", all3, 0, yes, "lists be3"},
		{"not listed", "member-listed", "be3", members("be1", "be2"), 0, no, "does not list be3"},
		{"in dispute", "member-listed", "be3", both(all3, func(s *stage) {
			s.at("be1").Etcd.Members = known([]cluster.EtcdMember{{PeerURL: "http://10.0.4.11:2380"}})
		}), 0, unsure, "but"},
		{"gone", "gone-from-members", "be3", members("be1", "be2"), 0, yes, "gone from the members on be1 and be2"},
		{"gone on one", "gone-from-members", "be3", both(members("be1", "be2"), func(s *stage) { s.at("be2").Etcd.Members = cluster.Claim[[]cluster.EtcdMember]{} }), 0, unsure, "be2"},
		{"still there", "gone-from-members", "be3", all3, 0, no, "lists be3"},
		{"alone", "only-member", "be3", members("be3"), 0, yes, "be3 alone"},
		{"not alone", "only-member", "be3", all3, 0, no, "3 members"},
		{"removed", "not-known-removed", "be3", members("be1", "be2"), 0, no, "does not list"},
		{"nobody tells", "not-known-removed", "be3", func(s *stage) {
			for _, r := range s.reports {
				r.Etcd.Members = cluster.Claim[[]cluster.EtcdMember]{}
			}
		}, 0, yes, "not known"},
		{"joined", "joined", "be3", all3, 0, yes, "member"},
		{"member with a dead etcd", "joined", "be3", both(all3, func(s *stage) { s.at("be3").Etcd.Health = known(false) }), 0, no, "not healthy"},
		{"stopped", "node-is-off", "be3", func(s *stage) { stopped(s, "be3") }, 0, yes, "down"},
		{"one runs", "node-is-off", "be3", func(s *stage) { stopped(s, "be3"); s.at("be3").Services["etcd"] = service("run", 9, time.Minute) }, 0, no, "etcd is run"},
		{"wanted up", "node-is-off", "be3", func(s *stage) { stopped(s, "be3"); s.at("be3").Services["etcd"] = service("down", 0, time.Minute) }, 0, no, "wants it up"},
		{"dead and fenced", "node-is-off", "be3", lost("be3"), 0, yes, "fenced by name"},
		{"dead, not fenced", "node-is-off", "be3", func(s *stage) { s.powerOff("be3") }, 0, no, "not fenced"},
		{"dead, fenced before it last answered", "node-is-off", "be3", both(lost("be3"), back("be3")), 0, no, "was fenced, and answered at"},
		{"seen by a peer", "node-is-off", "be3", both(lost("be3"), func(s *stage) { s.at("be2").Peers[addressBe3] = peer("open") }), 0, no, "be2 sees be3"},
		{"no login", "node-is-off", "be3", func(s *stage) { s.blind("be3", cluster.LoginFailed) }, 0, unsure, "cannot be asked"},
		{"asked of another", "at be3 fenced", "be1", lost("be3"), 0, yes, "be3 is fenced"},
		{"asked of another, negated", "at be3 not fenced", "be1", lost("be3"), 0, no, "be3 is fenced"},
	})
}

// A node of which the cluster's address is not known is no stranger for that.
func TestMemberWithoutAnAddress(t *testing.T) {
	s := newStage()
	members("be1", "be2", "be3")(s)
	s.at("be3").Etcd.MemberName = known("guid-be3")
	v := s.looks(2)
	nodes := slices.Clone(v.Snapshot.Nodes)
	nodes[2].Address = ""
	snap := *v.Snapshot
	snap.Nodes, v.Snapshot = nodes, &snap
	for fact, want := range map[string]cluster.Truth{"member-listed": yes, "gone-from-members": no, "not-known-removed": yes} {
		if a := ask(t, v, fact, "be3"); a.Truth != want {
			t.Errorf("by the name of its member: %s %s: %s", fact, a.Truth, a.Sentence)
		}
	}
	r := *snap.Reports["be3"]
	r.Etcd.MemberName = cluster.Claim[string]{}
	snap.Reports["be3"] = &r
	for fact, want := range map[string]cluster.Truth{"member-listed": unsure, "gone-from-members": unsure, "not-known-removed": unsure, "left-behind": no} {
		if a := ask(t, v, fact, "be3"); a.Truth != want {
			t.Errorf("without one: %s %s: %s", fact, a.Truth, a.Sentence)
		}
	}
	v.Fenced = map[string]bool{"be2": true, "be3": true}
	if a := ask(t, v, "left-behind", "be3"); a.Truth != unsure {
		t.Errorf("after a loss of quorum: left-behind %s: %s", a.Truth, a.Sentence)
	}
}

func TestGuardsOfJoining(t *testing.T) {
	blank := cluster.ProductFiles{}
	cleansed := cluster.ProductFiles{Cleansed: []string{"/root/chef-backend-cleanse-1"}}
	differ := cluster.ProductFiles{Cleansed: []string{"/root/chef-backend-cleanse-1", "/root/chef-backend-cleanse-2"}, Differ: true}
	packed := cluster.ProductFiles{Packed: []string{"/root/chef-backend-cleanse-1.tgz"}}
	unpacked := cluster.ProductFiles{Unpacked: packed.Packed}
	whole := cluster.ProductFiles{Data: true, Config: true, Whole: true, Holds: []cluster.ProductFile{{Name: "chef-backend.rb", Mode: "-rw-r-----"}}}
	open := whole
	open.Holds = []cluster.ProductFile{{Name: "chef-backend.rb", Mode: "-rw-r--r--"}}
	ports := func(how string, unless int) func(*stage) {
		return func(s *stage) {
			for _, a := range []string{addressBe1, addressBe2} {
				seen := cluster.PeerSeen{Ports: map[int]string{}}
				for _, p := range []int{22, 2379, 2380, 5432, 7331, 9300} {
					if seen.Ports[p] = "open"; p == unless {
						seen.Ports[p] = how
					}
				}
				s.at("be3").Peers[a] = known(seen)
			}
		}
	}
	two := members("be1", "be2")
	tryFacts(t, []factCase{
		{"old", "old-machine", "be3", holding("be3", cleansed), 0, yes, "was in the cluster"},
		{"blank", "old-machine", "be3", holding("be3", blank), 0, no, "nothing of the product"},
		{"gone", "old-machine", "be3", lost("be3"), 0, no, "cannot be reached"},
		{"untold", "old-machine", "be3", nil, 0, unsure, "host.files"},
		{"blank", "blank-machine", "be3", holding("be3", blank), 0, yes, "blank machine"},
		{"used", "blank-machine", "be3", holding("be3", whole), 0, no, "was in a cluster before"},
		{"no package", "blank-machine", "be3", both(holding("be3", blank), func(s *stage) { s.at("be3").Host.Installed = known(false) }), 0, no, "not installed"},
		{"gone", "blank-machine", "be3", lost("be3"), 0, unsure, "cannot be asked"},
		{"there", "data-there", "be3", holding("be3", whole), 0, yes, "is on be3"},
		{"gone", "data-there", "be3", holding("be3", blank), 0, no, "gone from be3"},
		{"says what is in it", "config-there", "be3", holding("be3", whole), 0, yes, "holds chef-backend.rb"},
		{"overwrites nothing", "config-empty", "be3", holding("be3", whole), 0, no, "nothing is overwritten"},
		{"empty", "config-empty", "be3", holding("be3", cluster.ProductFiles{Config: true}), 0, yes, "empty"},
		{"to make", "config-folder-to-make", "be3", holding("be3", cleansed), 0, yes, "no /etc/chef-backend"},
		{"there already", "config-folder-to-make", "be3", holding("be3", cluster.ProductFiles{Config: true, Cleansed: cleansed.Cleansed}), 0, no, "is on be3, empty"},
		{"to restore", "config-to-restore", "be3", holding("be3", cleansed), 0, yes, "put back"},
		{"not cleansed", "config-to-restore", "be3", holding("be3", whole), 0, no, "not cleansed"},
		{"kept", "cleanse-kept-config", "be3", holding("be3", packed), 0, yes, "tgz"},
		{"not kept", "cleanse-kept-config", "be3", holding("be3", blank), 0, no, "nothing lies at"},
		{"whole", "config-whole", "be3", holding("be3", whole), 0, yes, "secrets"},
		{"not whole", "config-whole", "be3", holding("be3", blank), 0, no, "does not hold both"},
		{"closed", "config-closed", "be3", holding("be3", whole), 0, yes, "nothing"},
		{"open to all", "config-closed", "be3", holding("be3", open), 0, no, "everybody can read /etc/chef-backend/chef-backend.rb"},
		{"packed", "cleanse-copy-packed", "be3", holding("be3", packed), 0, yes, "packed in"},
		{"packed beside an older folder", "cleanse-copy-packed", "be3", holding("be3", cluster.ProductFiles{Cleansed: cleansed.Cleansed, Packed: packed.Packed}), 0, yes, "packed in"},
		{"unpacked", "cleanse-copy-packed", "be3", holding("be3", unpacked), 0, no, "no archive"},
		{"unpacked, without both files", "config-to-restore", "be3", holding("be3", unpacked), 0, yes, "put back"},
		{"a folder", "cleanse-copy-packed", "be3", holding("be3", cleansed), 0, no, "no archive"},
		{"usable", "cleanse-copy-usable", "be3", holding("be3", cleansed), 0, yes, "cleanse-1"},
		{"two that differ", "cleanse-copy-usable", "be3", holding("be3", differ), 0, no, "differ"},
		{"none", "cleanse-copy-usable", "be3", holding("be3", blank), 0, no, "holds both"},
		{"for root", "secrets-ready", "be3", holding("be3", cluster.ProductFiles{Secrets: "-rw-------"}), 0, yes, "for root alone"},
		{"for a group", "secrets-ready", "be3", holding("be3", cluster.ProductFiles{Secrets: "-rw-r-----"}), 0, no, "chmod 0600"},
		{"absent", "secrets-ready", "be3", holding("be3", blank), 0, no, "there is no"},
		{"all open", "ports-open", "be3", both(two, ports("", 0)), 0, yes, "every port"},
		{"a closed one", "ports-open", "be3", both(two, ports("timeout", 9300)), 0, no, "port 9300 of be1 from be3: timeout"},
		{"7331 of the leader alone", "ports-open", "be3", both(two, ports("", 0), func(s *stage) { s.at("be3").Peers[addressBe2].Value.Ports[7331] = "refused" }), 0, yes, ""},
		{"not tried", "ports-open", "be3", two, 0, unsure, "2379"},
		{"agree", "clock-agrees", "be3", func(s *stage) {
			s.at("be1").Host.ClockOffset, s.at("be3").Host.ClockOffset = known(time.Second), known(-400*time.Millisecond)
		}, 0, yes, "1.4s apart"},
		{"apart", "clock-agrees", "be3", func(s *stage) {
			s.at("be1").Host.ClockOffset, s.at("be3").Host.ClockOffset = known(time.Second), known(-time.Second)
		}, 0, no, "2s apart"},
		{"untold", "clock-agrees", "be3", nil, 0, unsure, "clock-offset"},
		{"same", "same-version", "be3", func(s *stage) { s.at("be1").Host.Version, s.at("be3").Host.Version = known("2.3.16"), known("2.3.16") }, 0, yes, "2.3.16"},
		{"other", "same-version", "be3", func(s *stage) { s.at("be1").Host.Version, s.at("be3").Host.Version = known("2.3.16"), known("2.2.0") }, 0, no, "2.2.0"},
		{"untold", "same-version", "be3", nil, 0, unsure, "host.version"},
		{"nothing written", "kept-wal-told", "be3", nil, 0, yes, "512 MB"},
		{"told", "own-copy-told", "be3", nil, 0, yes, "choosing be1 loses nothing of be3"},
		{"room where the data will lie", "room-for-a-copy", "be3", both(holding("be3", blank), func(s *stage) {
			s.at("be1").PostgreSQL.DataBytes = slowly(s, int64(1<<30))
			s.at("be3").Host.Room = slowly(s, cluster.Room{Data: 4 << 30})
		}), 0, yes, "will lie"},
	})
}

func TestGuardsOfSaving(t *testing.T) {
	room := func(free int64, apart bool) func(*stage) {
		return func(s *stage) {
			s.at("be3").Host.TreeBytes = slowly(s, int64(10<<30))
			s.at("be3").Host.Room = slowly(s, cluster.Room{Data: free, Copies: free, Apart: apart})
		}
	}
	tryFacts(t, []factCase{
		{"stopped", "node-stopped", "be3", func(s *stage) { stopped(s, "be3") }, 0, yes, "down"},
		{"runs", "node-stopped", "be3", nil, 0, no, "PostgreSQL runs"},
		{"out of sight", "node-stopped", "be3", lost("be3"), 0, unsure, "postmaster"},
		{"down", "no-postmaster", "be3", func(s *stage) { stopped(s, "be3") }, 0, yes, "no PostgreSQL"},
		{"runs", "no-postmaster", "be3", nil, 0, no, "its files change"},
		{"2 GB stay free", "room-for-saving", "be3", room(12<<30, false), 0, yes, "beside the data"},
		{"they do not", "room-for-saving", "be3", room(11<<30, false), 0, no, "beside the data"},
		{"another disk", "room-for-saving", "be3", room(11<<30, true), 0, yes, "another file system"},
		{"untold", "room-for-saving", "be3", nil, 0, unsure, "tree-bytes"},
		{"told", "copy-told", "be3", nil, 0, yes, "newest WAL file 00000058000016F30000002D"},
		{"unreadable", "copy-told", "be3", func(s *stage) { s.at("be3").PostgreSQL.Control = cluster.Claim[cluster.ControlData]{} }, 0, unsure, "cannot be read"},
		{"never saved", "copy-was-saved", "be3", nil, 0, unsure, "no copy"},
		{"contained", "needs-saving", "be3", nil, 0, no, "loses nothing"},
		{"own WAL", "needs-saving", "be3", func(s *stage) { ownWAL(s) }, 0, yes, "of WAL of be3"},
		{"nothing there", "needs-saving", "be3", both(holding("be3", cluster.ProductFiles{}), noControl("be3")), 0, no, "no copy"},
		{"an empty folder", "needs-saving", "be3", both(noControl("be3"), empty("be3")), 0, no, "no copy"},
		{"no size, and a copy", "copy-told", "be3", empty("be3"), 0, yes, "newest WAL file 00000058000016F30000002D"},
		{"no size, and a copy with WAL of its own", "needs-saving", "be3", both(empty("be3"), func(s *stage) { ownWAL(s) }), 0, yes, "of WAL of be3"},
		{"logs fit", "room-for-logs", "be3", logRoom(3<<30, 4<<30), 0, yes, "3.2 GB free on /var/log/chef-backend and 4.3 GB on /"},
		{"logs do not", "room-for-logs", "be3", logRoom(1<<30, 4<<30), 0, no, "2 GB"},
		{"nor at the top", "room-for-logs", "be3", logRoom(3<<30, 1<<30), 0, no, "1.1 GB on /"},
		{"the top is untold", "room-for-logs", "be3", func(s *stage) {
			logRoom(3<<30, 0)(s)
			s.at("be3").Host.Room = cluster.Claim[cluster.Room]{}
		}, 0, unsure, "host.room"},
		{"untold", "room-for-logs", "be3", nil, 0, unsure, "host.disks"},
	})
}

// logRoom is what be3 has free for logs, and at the top.
func logRoom(logs, top int64) func(*stage) {
	return func(s *stage) {
		s.at("be3").Host.Disks = slowly(s, []cluster.Disk{{Path: "/var/log/chef-backend", Free: logs}})
		s.at("be3").Host.Room = slowly(s, cluster.Room{Top: top})
	}
}

// noControl takes the control data of a node's copy away, empty all its files.
func noControl(node string) func(*stage) {
	return func(s *stage) { s.at(node).PostgreSQL.Control = cluster.Claim[cluster.ControlData]{} }
}

func empty(node string) func(*stage) {
	return func(s *stage) { s.at(node).PostgreSQL.DataBytes = slowly(s, int64(0)) }
}

// ownWAL gives be3 a megabyte that nobody else has.
func ownWAL(s *stage) {
	s.at("be3").PostgreSQL.Receive, s.at("be3").PostgreSQL.Replay = known(stageEnd+1<<20), known(stageEnd+1<<20)
}

// A base backup that failed gave the old copy up only where the control file is
// gone: what cannot be read may be there still.
func TestFailedBaseBackupGaveUpWhatIsGone(t *testing.T) {
	for reason, want := range map[string]cluster.Truth{
		`pg_controldata: could not open file "/var/opt/chef-backend/postgresql/9.5/data/global/pg_control" for reading: No such file or directory`: yes,
		`pg_controldata: could not open file "/var/opt/chef-backend/postgresql/9.5/data/global/pg_control" for reading: Input/output error`:        unsure,
		"no data directory below /var/opt/chef-backend/postgresql":                                                                                 yes,
		"pg_controldata gave no answer": unsure,
	} {
		s := newStage()
		stopped(s, "be3")
		s.at("be3").PostgreSQL.Control = cluster.UnknownAs[cluster.ControlData](reason, cluster.SourcePostgreSQL, s.now)
		v := s.looks(2)
		v.Plans = []cluster.PlanState{{Plan: cluster.Plan{ID: "7c1e5a02", Node: "be3"}, Status: cluster.StatusFailed,
			Steps: []cluster.StepState{{Step: cluster.PlanStep{ID: "3-basebackup", Node: "be3"}, Status: cluster.StatusFailed}}}}
		for _, fact := range []string{"copy-of-this-cluster", "no-wal-of-its-own"} {
			if a := ask(t, v, fact, "be3"); a.Truth != want {
				t.Errorf("%s: %s is %s, want %s: %s", reason, fact, a.Truth, want, a.Sentence)
			}
		}
	}
}

// A copy counts from its last step on, for as long as the node's copy stays as
// it was, and a fuzzy one never.
func TestWhatWasSavedCounts(t *testing.T) {
	s := newStage()
	stopped(s, "be3")
	ownWAL(s)
	s.at("be3").PostgreSQL.Control.Value.State = "shut down in recovery"
	s.at("be3").PostgreSQL.EndOfWAL = known(stageEnd + 1<<20)
	v := s.looks(2)
	b := cluster.Binding{Node: "be3"}
	told := cluster.Guard{Question: cluster.Question{Fact: "copy-told"}}
	step := func(id string) cluster.StepState {
		return cluster.StepState{Step: cluster.PlanStep{ID: id, Node: "be3"}, Status: cluster.StatusDone, ExitKnown: true,
			Guards: []cluster.CheckedGuard{{Guard: told, Answer: told.Ask(v, b)}}}
	}
	saved := func(v *cluster.View, steps ...cluster.StepState) cluster.Truth {
		v.Plans = []cluster.PlanState{{Plan: cluster.Plan{ID: "7c1e5a02", Node: "be3"}, Status: cluster.StatusDone, Steps: steps}}
		return ask(t, v, "copy-was-saved", "be3").Truth
	}
	failed := step("2-save")
	failed.Exit = 1
	for name, c := range map[string]struct {
		want  cluster.Truth
		steps []cluster.StepState
	}{
		"saved and read":          {yes, []cluster.StepState{step("2-save"), step("3-read")}},
		"not read back":           {unsure, []cluster.StepState{step("2-save")}},
		"changed while it ran":    {unsure, []cluster.StepState{failed, step("3-read")}},
		"fuzzy counts for nobody": {unsure, []cluster.StepState{step("2-fuzzy"), step("3-read")}},
	} {
		if got := saved(v, c.steps...); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	v.Plans = nil
	if a := ask(t, v, "no-wal-of-its-own", "be3"); a.Truth == yes {
		t.Errorf("nothing was saved: %s", a.Sentence)
	}
	saved(v, step("2-save"), step("3-read"))
	for fact, want := range map[string]cluster.Truth{"no-wal-of-its-own": yes, "needs-saving": no} {
		if a := ask(t, v, fact, "be3"); a.Truth != want {
			t.Errorf("saved: %s %s: %s", fact, a.Truth, a.Sentence)
		}
	}
	s.at("be3").PostgreSQL.EndOfWAL = known(stageEnd + 2<<20)
	later := s.looks(2)
	if got := saved(later, step("2-save"), step("3-read")); got != no {
		t.Errorf("the copy went on: %s", got)
	}
	later.Plans = slices.Clone(v.Plans)
	later.Plans[0].Plan.Phrases = []string{"fuzzy be3", "be3"}
	q, _ := cluster.ParseQuestion("fuzzy-asked")
	if a := q.Ask(later, cluster.Binding{Node: "be3", Plan: &later.Plans[0].Plan}); a.Truth != yes || !strings.Contains(a.Sentence, "counts for nothing") {
		t.Errorf("fuzzy: %s %s", a.Truth, a.Sentence)
	}
	q, _ = cluster.ParseQuestion("copy-unchanged")
	if a := q.Ask(v, cluster.Binding{Node: "be3", Plan: &v.Plans[0].Plan}); a.Truth != yes {
		t.Errorf("while it was saved: %s %s", a.Truth, a.Sentence)
	}
}
