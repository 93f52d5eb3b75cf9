package tui

import (
	"fmt"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// All situations here are invented; the wordings of the log lines follow the
// services' own.

func at(clock string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05", "2026-11-23 "+clock)
	if err != nil {
		panic(err)
	}
	return t
}

var now = at("02:44:51")

func known[T any](v T, s cluster.Source) cluster.Claim[T] {
	return cluster.KnownAs(v, s, now.Add(-400*time.Millisecond))
}

var names = []string{"be1", "be2", "be3"}

// goodReport is the report of a healthy node.
func goodReport(i int) *cluster.Report {
	up := 53*24*time.Hour + 15*time.Hour
	r := &cluster.Report{Node: names[i], Seq: 9, Began: now.Add(-500 * time.Millisecond), Ended: now.Add(-400 * time.Millisecond),
		Reach: known(cluster.Reached, cluster.SourceReach), Services: map[string]cluster.ServiceClaims{}}
	for _, s := range cluster.Services {
		in := up
		if s == "postgresql" || s == "elasticsearch" {
			in = 12*time.Hour + 36*time.Minute
		}
		r.Services[s] = cluster.ServiceClaims{State: known("run", cluster.SourceRunit), PID: known(4000+i, cluster.SourceRunit),
			InState: known(in, cluster.SourceRunit), WantUp: known(true, cluster.SourceRunit)}
	}
	r.Host.Uptime = known(up, cluster.SourceHost)
	r.Host.Version = known("2.3.16", cluster.SourceHost)
	r.Host.ClockOffset = known(time.Duration(3-7*i)*time.Millisecond, cluster.SourceHost)
	r.Host.Disks = known([]cluster.Disk{{Path: "/var/opt/chef-backend", Total: 500e9, Free: 195e9 + int64(i)*9e9},
		{Path: "/var/log/chef-backend", Total: 100e9, Free: 88e9}}, cluster.SourceHost)
	r.Etcd.Health = known(true, cluster.SourceEtcd)
	r.Etcd.RaftTerm = known(uint64(14), cluster.SourceEtcd)
	r.PostgreSQL.InRecovery = known(i > 0, cluster.SourcePostgreSQL)
	r.PostgreSQL.Ready = known(0, cluster.SourcePostgreSQL)
	r.PostgreSQL.DataBytes = known(int64(58e9), cluster.SourcePostgreSQL)
	r.PostgreSQL.Control = known(cluster.ControlData{Timeline: 88}, cluster.SourcePostgreSQL)
	if i == 0 {
		r.PostgreSQL.Current = known(cluster.LSN(0x16F32D0A1B28), cluster.SourcePostgreSQL)
	} else {
		r.PostgreSQL.Receiver = known("streaming 16F3/2D0A1B28", cluster.SourcePostgreSQL)
		r.PostgreSQL.Upstream = known("10.0.4.11", cluster.SourcePostgreSQL)
	}
	r.Elasticsearch.Status = known("green", cluster.SourceElasticsearch)
	r.Elasticsearch.Nodes = known(3, cluster.SourceElasticsearch)
	r.Elasticsearch.Master = known(i == 0, cluster.SourceElasticsearch)
	r.Sentinels.NoStart = known(false, cluster.SourceSentinel)
	r.Sentinels.Unsynced = known(false, cluster.SourceSentinel)
	return r
}

func cells(texts ...string) []cluster.Cell {
	var all []cluster.Cell
	for _, t := range texts {
		c := cluster.Cell{Text: t}
		for _, m := range []cluster.Mark{cluster.MarkLook, cluster.MarkUnknown, cluster.MarkLeader} {
			if rest, ok := strings.CutPrefix(t, string(m)+" "); ok {
				c = cluster.Cell{Text: rest, Mark: m}
			}
		}
		c.Why = cluster.Answer{Truth: cluster.True, Sentence: "it says so: " + c.Text,
			Claims: []cluster.ClaimRef{{Node: "be1", Name: "leaderl leader-code", Source: cluster.SourceLeaderl, At: now}}}
		all = append(all, c)
	}
	return all
}

var boardColumns = []string{"leaderl", "etcd", "PostgreSQL", "cluster-status", "sentinels", "seen by"}

func leads(nodes ...string) []cluster.LayerLeader {
	return []cluster.LayerLeader{{Layer: "leaderl", Nodes: nodes, Known: true}, {Layer: "etcd", Nodes: []string{"be2"}, Known: true},
		{Layer: "postgresql", Nodes: nodes, Known: true}, {Layer: "cluster-status", Nodes: nodes, Known: true}}
}

// healthy is a cluster of which nothing is to be said.
func healthy() *fakeDoor {
	reports := map[string]*cluster.Report{}
	samples := map[string][]cluster.Sample{}
	var nodes []cluster.Node
	links := map[string]watch.Link{}
	for i, n := range names {
		reports[n] = goodReport(i)
		samples[n] = []cluster.Sample{{LagKnown: true, LagBytes: int64(i) * 1200 * int64(i-1) / 2}}
		nodes = append(nodes, cluster.Node{Name: n, Address: fmt.Sprintf("10.0.4.1%d", i+1)})
		links[n] = watch.Link{Phase: "live"}
	}
	d := &fakeDoor{failures: map[string]cluster.Failure{}, signs: map[string]cluster.Sign{}, offered: map[string][]watch.Offered{}}
	d.state = &watch.State{Seq: 1, At: now, Cluster: "chef-prod", Stamp: "PROD", StampColor: "red", Mode: watch.Acting, Links: links,
		View:       &cluster.View{Now: now, Snapshot: &cluster.Snapshot{Seq: 1, At: now, Nodes: nodes, Reports: reports}, Past: cluster.Past{Samples: samples}},
		Leadership: leads("be1"), Margin: cluster.Margin{Votes: 3, Listed: 3, Copies: 3, CanLose: 1, Known: true, AheadKnown: true},
		Board: cluster.Board{Columns: boardColumns, Rows: []cluster.BoardRow{
			{Node: "be1", Cells: cells("* leader", "member, term 14", "* primary, tl 88", "* leader", "-", "be2 be3")},
			{Node: "be2", Cells: cells("follower", "raft leader, term 14", "standby, tl 88", "follower", "-", "be1 be3")},
			{Node: "be3", Cells: cells("follower", "member, term 14", "standby, tl 88", "follower", "-", "be1 be2")}}},
		Last: &watch.LastFinding{ID: "node-down@be3", Ended: at("01:12:40"), For: 4 * time.Minute}}
	d.streams = allStreams()
	d.lines = quietLines(60)
	for _, n := range names {
		d.offered[n] = nodeOffers(n)
	}
	return d
}

func allStreams() []cluster.StreamState {
	var all []cluster.StreamState
	for _, n := range names {
		for _, s := range cluster.Services {
			all = append(all, cluster.StreamState{Node: n, Service: s, Alive: true, Heartbeat: now, LastLine: now.Add(-time.Minute), Lines: 1204, Bytes: 90211})
		}
	}
	return all
}

var quietTexts = []struct {
	service string
	level   cluster.Level
	text    string
}{
	{"leaderl", cluster.LevelInfo, "status_updater:handle_info => status posted"},
	{"etcd", cluster.LevelInfo, "etcdserver: saved snapshot at index 5005001"},
	{"postgresql", cluster.LevelNone, "LOG:  checkpoint complete: wrote 312 buffers (1.9%); 0 transaction log file(s) added, 0 removed, 2 recycled; write=31.2 s, sync=0.01 s, total=31.3 s"},
	{"elasticsearch", cluster.LevelWarning, "[monitor.jvm] [be1] [gc][young][311][12] duration [1.2s], collections [1]/[1.4s]"},
	{"leaderl", cluster.LevelDebug, "health_check:ping => pong"},
}

func quietLines(n int) []cluster.Line {
	var all []cluster.Line
	for i := range n {
		q := quietTexts[i%len(quietTexts)]
		all = append(all, cluster.Line{Seq: uint64(i + 1), Node: names[i%3], Service: q.service, Level: q.level, Text: q.text,
			Stamp: now.Add(time.Duration(i-n)*1300*time.Millisecond + 4321*100*time.Microsecond)})
	}
	return all
}

func addLine(d *fakeDoor, l cluster.Line) {
	l.Seq = uint64(len(d.lines) + 1)
	if l.Stamp.IsZero() {
		l.Stamp = now.Add(-500 * time.Millisecond)
	}
	d.lines = append(d.lines, l)
}

func nodeOffers(n string) []watch.Offered {
	return []watch.Offered{
		{Procedure: "restart-service", Title: "Restart leaderl on " + n, Node: n, Service: "leaderl", Tier: cluster.T1, Ready: true},
		{Procedure: "stop-node", Title: "Stop " + n, Node: n, Tier: cluster.T2, NotBuilt: true},
		{Procedure: "resync-follower", Title: "Resync " + n, Node: n, Tier: cluster.T2,
			WhyNot: []cluster.CheckedGuard{guard("sentinel-unsynced", cluster.False, n+" has no sentinel unsynced")}},
	}
}

func guard(fact string, t cluster.Truth, says string) cluster.CheckedGuard {
	return cluster.CheckedGuard{Guard: cluster.Guard{Question: cluster.Question{Fact: fact}},
		Answer: cluster.Answer{Truth: t, Sentence: says, Claims: []cluster.ClaimRef{{Node: "be3", Source: cluster.SourcePostgreSQL, At: now}}}}
}

func evidence(side cluster.Side, t cluster.Truth, says string, s cluster.Source, node string) cluster.Evidence {
	return cluster.Evidence{Kind: "fact", Name: "f", Side: side, Answer: t, Sentence: says, Node: node, Source: s, At: now}
}

// walGap is a follower that can never catch up.
func walGap() *fakeDoor {
	d := healthy()
	st := d.state
	r := st.View.Snapshot.Reports["be3"]
	r.PostgreSQL.Receiver = known("", cluster.SourcePostgreSQL)
	pg := r.Services["postgresql"]
	pg.InState = known(4*time.Minute, cluster.SourceRunit)
	r.Services["postgresql"] = pg
	st.View.Past.Samples["be3"] = []cluster.Sample{{LagKnown: true, LagBytes: 17e6}}
	st.Board.Rows[2].Cells = cells("! waiting_for_leader", "member, term 14", "! standby, no WAL", "! waiting_for_leader", "-", "be1 be2")
	st.Margin.Copies, st.Margin.Ahead = 2, 1200
	st.Findings = []cluster.Finding{
		{Failure: "follower-wal-gap", Node: "be3", Nodes: []string{"be3"}, Certainty: cluster.Confirmed, Priority: cluster.P2,
			Title: "be3 needs WAL that be1 no longer keeps; it will never catch up by itself", Since: now.Add(-4*time.Minute - 20*time.Second), FirstOut: true,
			Evidence: []cluster.Evidence{
				evidence(cluster.SideFor, cluster.True, "be3 is not streaming from be1", cluster.SourcePostgreSQL, "be1"),
				evidence(cluster.SideFor, cluster.True, "be1 no longer keeps the segment 000016F30000002D that be3 needs; its oldest is 000016F30000004A", cluster.SourcePostgreSQL, "be1"),
				evidence(cluster.SideFor, cluster.Unknown, "the histories of be3 could not be read", cluster.SourcePostgreSQL, "be3"),
				{Kind: "sign", Name: "wal-segment-removed", Side: cluster.SideFor, Answer: cluster.True, Sentence: "wal-segment-removed, 48 times since 02:40:31", Node: "be3", At: now},
				evidence(cluster.SideAgainst, cluster.False, "a base backup is running on be3", cluster.SourceHost, "be3"),
			},
			Offers: []cluster.Offer{{Procedure: "rebuild-follower"}}},
		{Failure: "follower-lagging", Node: "be3", Nodes: []string{"be3"}, Certainty: cluster.Confirmed, Priority: cluster.P3,
			Title: "be3 lags behind", Since: now.Add(-3 * time.Minute), Under: "follower-wal-gap@be3"},
	}
	d.failures["follower-wal-gap"] = cluster.Failure{Name: "follower-wal-gap", Section: "General follower recovery, item 4",
		Cause: "The leader removed WAL that this follower had not fetched.", Ignored: "No redundancy: if be1 fails, be2 alone is left.",
		Time: "Hours, while be1 and be2 stay healthy.", First: "Rebuild the follower from the leader.", Advice: []string{"Find out why it fell behind: disk, network, a long stop."}}
	d.signs["wal-segment-removed"] = cluster.Sign{Name: "wal-segment-removed", Meaning: "The leader no longer has the WAL that a follower asks for"}
	d.offered["follower-wal-gap@be3"] = []watch.Offered{
		{Procedure: "rebuild-follower", Title: "Rebuild be3", Node: "be3", Tier: cluster.T2, Ready: true},
		{Procedure: "resync-follower", Title: "Resync be3", Node: "be3", Tier: cluster.T2,
			WhyNot: []cluster.CheckedGuard{guard("sentinel-unsynced", cluster.False, "be3 has no sentinel unsynced"), guard("replay", cluster.Unknown, "the position of be3 is not known")}},
		{Procedure: "observe", Title: "Observe", Node: "be3", Tier: cluster.T0, Ready: true, Note: "it will not heal by itself"},
		{Procedure: "replace-node", Title: "Replace be3", Node: "be3", Tier: cluster.T3, NotBuilt: true},
		{Procedure: "call-support", Title: "Call Support", Tier: cluster.T0, Ready: true, Note: "a summary to paste"},
	}
	d.plan = rebuildPlan()
	d.rechecks = d.plan.Guards
	for range 8 {
		addLine(d, cluster.Line{Node: "be3", Service: "postgresql", Level: cluster.LevelInfo, Text: "LOG:  started streaming WAL from primary at 16F3/2D000000 on timeline 88"})
		addLine(d, cluster.Line{Node: "be3", Service: "postgresql", Level: cluster.LevelError, Sign: "wal-segment-removed",
			Text: "FATAL:  could not receive data from WAL stream: ERROR:  requested WAL segment 00000058000016F30000002D has already been removed"})
		addLine(d, cluster.Line{Node: "be2", Service: "leaderl", Level: cluster.LevelInfo, Text: "status_updater:handle_info => status posted"})
	}
	return d
}

func rebuildPlan() cluster.Plan {
	step := func(n, id, node, say, command, effect string, limit time.Duration) cluster.PlanStep {
		return cluster.PlanStep{ID: id, Number: n, Node: node, Say: say, Command: command, EffectSay: effect, Deadline: limit}
	}
	p := cluster.Plan{ID: "7f3a11c0", Procedure: "rebuild-follower", Section: "General follower recovery", Title: "Rebuild be3", Node: "be3", Tier: cluster.T2,
		Summary: "Replaces PostgreSQL on be3 with a full copy of be1. One follower at a time.", Phrases: []string{"be3"},
		Where: "be3, 10.0.4.13, position 3, follower: leaderl, cluster-status and PostgreSQL agree", Lost: "PostgreSQL data directory on be3: 58 GB, timeline 88, up to 16F3/2CFFFF28 (17 MB behind)",
		Kept: "be1 leads; be2 streams, lag 0 B", Lasts: "about 9 min; meanwhile the cluster can lose 1", WayBack: "none once step 3 has begun; before it, chef-backend-ctl start leaderl",
		Made: now,
		Steps: []cluster.PlanStep{
			step("1", "stop", "be3", "stop leaderl", "chef-backend-ctl stop leaderl", "leaderl is down on be3", time.Minute),
			step("2", "show", "be3", "show the cluster's status", "chef-backend-ctl cluster-status", "", time.Minute),
			step("3", "copy", "be3", "copy the leader's database", "PSQL_INTERNAL_OK=true chef-backend-ctl pgsql-follow --force-basebackup --verbose 10.0.4.11", "be3 holds a copy of be1", 6*time.Hour),
			step("3b", "aside", "be3", "move the sentinel unsynced aside", "mv -n /var/opt/chef-backend/leaderl/data/unsynced /var/opt/chef-backend-cockpit/aside/7f3a11c0/", "", time.Minute),
			step("4", "start", "be3", "start everything", "chef-backend-ctl start", "be3 is a good follower", 5*time.Minute),
		},
		Guards: []cluster.CheckedGuard{
			guard("not-leader", cluster.True, "be3 is not the leader by any claim"),
			guard("leader-answers", cluster.True, "be1 accepts connections and leads"),
			guard("disk-room", cluster.True, "be3 has room for 59 GB: 213 GB free"),
			guard("second-copy", cluster.True, "be2 is a second good copy, streaming, lag 0 B")},
		Copies: []cluster.CopyComparison{{Chosen: "be1", Other: "be3", Known: true, Contained: cluster.True, Sentence: "be3 is contained in be1: nothing of it is lost"}},
	}
	p.Steps[2].Destroys = "the data directory on be3, 58 GB"
	return p
}

// rebuilding is the rebuilding of be3 while its third step copies.
func rebuilding() *fakeDoor {
	d := walGap()
	p := d.plan
	state := func(i int, s cluster.Status, began string, took time.Duration, says string) cluster.StepState {
		st := cluster.StepState{Step: p.Steps[i], Status: s, Sentence: says}
		if began != "" {
			st.Began = at(began)
		}
		if took > 0 {
			st.Ended, st.ExitKnown = st.Began.Add(took), true
		}
		return st
	}
	copying := state(2, cluster.StatusRunning, "02:42:20", 0, "")
	copying.PID, copying.Progress = 4711, "21.4 of 58 GB, 37 %, about 4 min left"
	copying.Output = []string{"could not connect to the old primary, going on", "transaction log start point: 16F3/4A000028 on timeline 88",
		"20112304/58013136 kB (34%), 0/1 tablespace", "21405119/58013136 kB (36%), 0/1 tablespace", "22437412/58013136 kB (38%), 0/1 tablespace"}
	d.state.Run = &cluster.PlanState{Plan: p, Status: cluster.StatusRunning, Began: at("02:42:10"), Steps: []cluster.StepState{
		state(0, cluster.StatusDone, "02:42:10", 4*time.Second, "leaderl is down on be3"),
		state(1, cluster.StatusDone, "02:42:15", time.Second, "shown"),
		copying,
		state(3, cluster.StatusNext, "", 0, ""), state(4, cluster.StatusNext, "", 0, "")}}
	return d
}

// noLeader is a cluster that nobody leads, with more alarms than rows.
func noLeader() *fakeDoor {
	d := healthy()
	st := d.state
	for i, n := range names {
		r := st.View.Snapshot.Reports[n]
		r.PostgreSQL = cluster.PostgreSQLClaims{Ready: known(2, cluster.SourcePostgreSQL), Control: known(cluster.ControlData{Timeline: 88}, cluster.SourcePostgreSQL)}
		pg := r.Services["postgresql"]
		pg.State, pg.WantUp, pg.InState = known("down", cluster.SourceRunit), known(false, cluster.SourceRunit), known(95*time.Second, cluster.SourceRunit)
		r.Services["postgresql"] = pg
		role := "! waiting_for_leader"
		if i == 0 {
			role = "! deposed_leader"
			r.Sentinels.NoStart = known(true, cluster.SourceSentinel)
		}
		st.Board.Rows[i].Cells = cells(role, "member, term 16", "! down, tl 88", role, map[bool]string{true: "! no-start-pgsql", false: "-"}[i == 0], "be1 be2 be3")
		st.View.Past.Samples[n] = nil
	}
	st.Leadership = leads()
	st.View.Past.Elections = []cluster.Election{{At: at("02:42:58"), From: "be1"}}
	st.Margin = cluster.Margin{Votes: 3, Listed: 3, CanLose: -1, Known: true}
	f := func(name, node string, p cluster.Priority, c cluster.Certainty, ago time.Duration, title string) cluster.Finding {
		x := cluster.Finding{Failure: name, Node: node, Certainty: c, Priority: p, Since: now.Add(-ago), Title: title}
		if node != "" {
			x.Nodes = []string{node}
		}
		return x
	}
	st.Findings = []cluster.Finding{
		f("deposed-leader-blocked", "be1", cluster.P1, cluster.Confirmed, 60*time.Second, "nobody leads, and be1 may not start its PostgreSQL"),
		f("no-leader", "", cluster.P1, cluster.Confirmed, 60*time.Second, "nobody leads the cluster"),
		f("postgresql-down", "be1", cluster.P1, cluster.Confirmed, 80*time.Second, "PostgreSQL is down on be1"),
		f("postgresql-down", "be2", cluster.P2, cluster.Confirmed, 80*time.Second, "PostgreSQL is down on be2"),
		f("etcd-slow", "", cluster.P2, cluster.Suspected, 5*time.Minute, "etcd elects too often: disk or network is slow"),
		f("elasticsearch-down", "be2", cluster.P2, cluster.Confirmed, 130*time.Second, "Elasticsearch does not answer on be2"),
		f("disk-low", "be3", cluster.P3, cluster.Confirmed, 3*time.Hour, "the disk of be3 fills up"),
		f("certificate-expiring", "be1", cluster.P3, cluster.Confirmed, 50*time.Hour, "a certificate expires in 51 days"),
		f("version-mismatch", "", cluster.P3, cluster.Confirmed, 9*time.Hour, "be3 runs another version"),
	}
	for i := 1; i < 4; i++ {
		st.Findings[i].Under = "deposed-leader-blocked@be1"
	}
	st.Findings[4].FirstOut = true
	st.Findings[7].Acked, st.Findings[8].Acked = true, true
	st.Findings[0].Offers = []cluster.Offer{{Procedure: "observe"}, {Procedure: "promote-previous-leader"}}
	for _, id := range []string{"deposed-leader-blocked@be1"} {
		d.offered[id] = []watch.Offered{
			{Procedure: "promote-previous-leader", Title: "Promote the previous leader be1", Node: "be1", Tier: cluster.T3,
				WhyNot: []cluster.CheckedGuard{guard("copies-compared", cluster.Unknown, "the end of the WAL of be2 is not known")}},
			{Procedure: "promote-node", Title: "Promote be2", Node: "be2", Tier: cluster.T3, Ready: true},
			{Procedure: "observe", Title: "Observe", Tier: cluster.T0, Ready: true}}
	}
	st.Notices = []watch.Notice{{Text: "the journal is on a disk that is nearly full"}, {Grave: true, Text: "the journal cannot be written: nothing can be carried out"}}
	return d
}

// unseen is a node of which nothing is known.
func unseen() *fakeDoor {
	d := healthy()
	st := d.state
	reason := "10.0.4.13:22: no TCP connection within 10 s; is it powered on, or are you cut off?"
	st.View.Snapshot.Reports["be3"] = &cluster.Report{Node: "be3", Ended: now.Add(-time.Second), Reach: known(cluster.Unreachable, cluster.SourceReach)}
	st.View.Past.Samples["be3"] = nil
	st.Links["be3"] = watch.Link{Phase: "lost", Since: at("02:43:02"), Reason: reason}
	st.Board.Rows[2].Cells = cells("? not reached", "? not reached", "? not reached", "? follower", "?", "? nobody")
	st.Margin = cluster.Margin{Votes: 2, Listed: 3, Copies: 2, CanLose: 0, Known: true}
	st.Findings = []cluster.Finding{{Failure: "node-down", Node: "be3", Nodes: []string{"be3"}, Certainty: cluster.Confirmed, Priority: cluster.P2,
		Title: "be3 is reached neither from here nor by its peers", Since: now.Add(-90 * time.Second), FirstOut: true, Offers: []cluster.Offer{{Procedure: "observe"}}}}
	for i := range d.streams {
		if d.streams[i].Node == "be3" {
			d.streams[i].Alive, d.streams[i].Reason = false, "the link to be3 is lost"
		}
	}
	addLine(d, cluster.Line{Kind: cluster.LineGap, Node: "be3", Service: "etcd", Text: "at least 12 kB"})
	return d
}

// twoPrimaries is the worst: two nodes accept writes.
func twoPrimaries() *fakeDoor {
	d := healthy()
	st := d.state
	r := st.View.Snapshot.Reports["be2"]
	r.PostgreSQL = goodReport(0).PostgreSQL
	r.PostgreSQL.Control = known(cluster.ControlData{Timeline: 89}, cluster.SourcePostgreSQL)
	st.Leadership[2].Nodes = []string{"be1", "be2"}
	st.Leadership[3] = cluster.LayerLeader{Layer: "cluster-status", Nodes: []string{"be2"}, Known: true}
	st.Board.Rows[0].Cells = cells("! leader", "member, term 14", "! primary, tl 88", "! deposed_leader", "-", "be2 be3")
	st.Board.Rows[1].Cells = cells("! leader", "raft leader, term 14", "! primary, tl 89", "! leader", "-", "be1 be3")
	st.Board.Contradictions = []string{"PostgreSQL is out of recovery on be1 and on be2", "leaderl says leader on be1 and on be2", "cluster-status says be2, PostgreSQL on be1 accepts writes"}
	st.Margin = cluster.Margin{Votes: 3, Listed: 3, Copies: 1, CanLose: -1, Known: false}
	st.Findings = []cluster.Finding{{Failure: "two-primaries", Nodes: []string{"be1", "be2"}, Node: "be1", Certainty: cluster.Confirmed, Priority: cluster.P1,
		Title: "be1 and be2 both accept writes: stop and call Support", Since: now.Add(-12 * time.Second), FirstOut: true, Offers: []cluster.Offer{{Procedure: "call-support"}}}}
	return d
}
