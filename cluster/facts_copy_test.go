package cluster_test

import (
	"fmt"
	"testing"

	"chef-backend-cockpit/cluster"
)

// lagBehind takes be3 off the stream and leaves its copy at a position.
func lagBehind(s *stage, at cluster.LSN) {
	p := &s.at("be3").PostgreSQL
	p.Receive, p.Replay = known(at), known(at)
	s.at("be1").PostgreSQL.Replicas = known(s.at("be1").PostgreSQL.Replicas.Value[:1])
}

// onTimeline lets a node's control data and its newest WAL file tell a timeline.
func onTimeline(s *stage, node string, timeline uint32) {
	p := &s.at(node).PostgreSQL
	p.Control = known(cluster.ControlData{SystemID: "1", Timeline: timeline})
	p.Segments = known(cluster.Segments{Oldest: p.Segments.Value.Oldest, Newest: fmt.Sprintf("%08X%s", timeline, stageEnd.Segment()), Count: 32})
}

// killedBehind is be3 that followed be1 to timeline 88 and was killed before a
// restartpoint: its control data tell the timeline before.
func killedBehind(s *stage) {
	lagBehind(s, 0)
	p := &s.at("be3").PostgreSQL
	p.InRecovery, p.Receive, p.Replay = cluster.Claim[bool]{}, cluster.Claim[cluster.LSN]{}, cluster.Claim[cluster.LSN]{}
	p.Postmaster, p.EndOfWAL = known(0), known(stageEnd)
	p.Control = known(cluster.ControlData{SystemID: "1", Timeline: 87, State: "in archive recovery", Checkpoint: 0x16F3_1F000000})
}

// secondWriter is be3 stopped as a primary, on the leader's timeline, which it
// reached by itself and at the same position.
func secondWriter(state string) func(*stage) {
	return func(s *stage) {
		killedBehind(s)
		p := &s.at("be3").PostgreSQL
		p.EndOfWAL = known(stageEnd - 1<<20)
		p.Control = known(cluster.ControlData{SystemID: "1", Timeline: 88, State: state, Checkpoint: stageEnd - 1<<20})
	}
}

// writersBefore is be3 stopped as a primary on timeline 87, before the point
// where the leader's history leaves it, and be2 stopped there in some state.
func writersBefore(state string) func(*stage) {
	return func(s *stage) {
		for node, state := range map[string]string{"be2": state, "be3": "in production"} {
			p := &s.at(node).PostgreSQL
			p.InRecovery, p.Receive, p.Replay = cluster.Claim[bool]{}, cluster.Claim[cluster.LSN]{}, cluster.Claim[cluster.LSN]{}
			p.Postmaster, p.EndOfWAL = known(0), known(cluster.LSN(0x16F3_1F000000))
			p.Control = known(cluster.ControlData{SystemID: "1", Timeline: 87, State: state, Checkpoint: 0x16F3_1F000000})
			p.Segments = known(cluster.Segments{Newest: "00000057000016F30000001F"})
		}
	}
}

func TestCopyFacts(t *testing.T) {
	gap := func(s *stage) { lagBehind(s, 0x16F3_0F000000) }
	noPosition := func(s *stage) {
		gap(s)
		p := &s.at("be3").PostgreSQL
		p.InRecovery, p.Receive, p.Replay = cluster.Claim[bool]{}, cluster.Claim[cluster.LSN]{}, cluster.Claim[cluster.LSN]{}
	}
	timeline := func(tl uint32, at cluster.LSN) func(*stage) {
		return func(s *stage) {
			lagBehind(s, at)
			onTimeline(s, "be3", tl)
		}
	}
	tryFacts(t, []factCase{
		{"well", "good-follower", "be3", nil, 0, cluster.True, "be3 is a good follower of be1"},
		{"the leader is none", "good-follower", "be1", nil, 0, cluster.False, "elected leader"},
		{"a base backup is no stream", "good-follower", "be3", func(s *stage) { s.at("be1").PostgreSQL.Replicas.Value[1].State = "backup" }, 0, cluster.False, "backup"},
		{"follows another", "good-follower", "be3", func(s *stage) { s.at("be3").PostgreSQL.Upstream = known(addressBe2) }, 0, cluster.False, "follows be2"},
		{"unsynced", "good-follower", "be3", func(s *stage) { s.at("be3").Sentinels.Unsynced = known(true) }, 0, cluster.False, "unsynced"},
		{"other cluster", "good-follower", "be3", func(s *stage) { s.at("be3").PostgreSQL.Control = known(cluster.ControlData{SystemID: "2"}) }, 0, cluster.False, "differ"},
		{"one claim missing", "good-follower", "be3", func(s *stage) { s.at("be3").Sentinels.Unsynced = cluster.Claim[bool]{} }, 0, cluster.Unknown, "sentinel.unsynced of be3"},
		{"well", "wal-removed", "be3", nil, 0, cluster.False, "still keeps"},
		{"gap", "wal-removed", "be3", gap, 0, cluster.True, "keeps none older"},
		{"the oldest kept segment is kept", "wal-removed", "be3", func(s *stage) { lagBehind(s, 0x16F3_10000000) }, 0, cluster.False, ""},
		{"other timeline, same count", "wal-removed", "be3", func(s *stage) {
			gap(s)
			s.at("be1").PostgreSQL.Segments = known(cluster.Segments{Oldest: "00000001000016F30000000F"})
		}, 0, cluster.False, ""},
		{"no position", "wal-removed", "be3", noPosition, 0, cluster.Unknown, "position"},
		{"no position, but its files end before", "wal-removed", "be3", func(s *stage) {
			noPosition(s)
			s.at("be3").PostgreSQL.Segments = known(cluster.Segments{Newest: "00000058000016F30000000E"})
		}, 0, cluster.True, "newest WAL file"},
		{"leader's files unknown", "wal-removed", "be3", func(s *stage) { gap(s); s.at("be1").PostgreSQL.Segments = cluster.Claim[cluster.Segments]{} }, 0, cluster.Unknown, "segments of be1"},
		{"nobody elected", "wal-removed", "be3", func(s *stage) { gap(s); s.role("be1", "waiting_for_leader") }, 0, cluster.False, "no leader"},
		{"same timeline", "diverged", "be3", nil, 0, cluster.False, "timeline 88"},
		{"before the fork", "diverged", "be3", timeline(87, 0x16F3_1F000000), 0, cluster.False, "before the point"},
		{"beyond the fork", "diverged", "be3", timeline(87, 0x16F3_21000000), 0, cluster.True, "16F3/20000000"},
		{"followed to the leader's timeline, then killed", "diverged", "be3", killedBehind, 0, cluster.False, "on the leader's timeline 88"},
		{"killed, and its files cannot be read", "diverged", "be3", func(s *stage) { killedBehind(s); s.at("be3").PostgreSQL.Segments = cluster.Claim[cluster.Segments]{} }, 0,
			cluster.Unknown, "segments of be3"},
		{"killed, its files too old for its end", "diverged", "be3", func(s *stage) {
			killedBehind(s)
			s.at("be3").PostgreSQL.Segments = known(cluster.Segments{Newest: "00000057000016F30000002A"})
		}, 0, cluster.Unknown, "no WAL file"},
		{"killed on the old timeline, beyond the fork", "diverged", "be3", func(s *stage) {
			killedBehind(s)
			s.at("be3").PostgreSQL.Segments = known(cluster.Segments{Newest: "00000057000016F30000002D"})
		}, 0, cluster.True, "exist only on be3"},
		{"a second primary of the leader's timeline", "diverged", "be3", secondWriter("in production"), 0, cluster.Unknown, "be1 and be3 were both primaries on timeline 88"},
		{"a second one, stopped in order", "diverged", "be3", secondWriter("shut down"), 0, cluster.Unknown, "both primaries"},
		{"a second primary of the timeline before the leader's", "diverged", "be3", writersBefore("in production"), 0, cluster.Unknown, "were both primaries on timeline 87"},
		{"the only primary of the timeline before", "diverged", "be3", writersBefore("in archive recovery"), 0, cluster.False, "before the point"},
		{"a standby that was stopped", "diverged", "be3", secondWriter("shut down in recovery"), 0, cluster.False, "timeline 88"},
		{"not in the history, whatever the files tell", "diverged", "be3", func(s *stage) {
			timeline(86, 1)(s)
			s.at("be3").PostgreSQL.Segments = known(cluster.Segments{Newest: "00000058000016F30000002D"})
		}, 0, cluster.True, "not in the history"},
		{"not in the history", "diverged", "be3", timeline(86, 1), 0, cluster.True, "not in the history"},
		{"history missing", "diverged", "be3", func(s *stage) {
			timeline(87, 1)(s)
			s.at("be1").PostgreSQL.Histories = known([]cluster.History(nil))
		}, 0, cluster.Unknown, "history"},
		{"the leader is on the first timeline, which has no history", "diverged", "be3", func(s *stage) {
			timeline(2, 1)(s)
			p := &s.at("be1").PostgreSQL
			p.Control, p.Histories = known(cluster.ControlData{SystemID: "1", Timeline: 1}), known([]cluster.History(nil))
		}, 0, cluster.True, "not in the history"},
		{"stands", "copy-stands", "be3", nil, 0, cluster.True, "stands"},
		{"advances", "copy-stands", "be3", func(s *stage) {
			for i := range 3 {
				s.at("be3").PostgreSQL.Receive = known(stageEnd + cluster.LSN(i+1))
				s.look()
			}
		}, 1, cluster.False, "advances"},
		{"stands, and a look between did not tell", "copy-stands", "be3", func(s *stage) {
			p := &s.at("be3").PostgreSQL
			receive, replay := p.Receive, p.Replay
			s.look()
			p.Receive, p.Replay = cluster.Claim[cluster.LSN]{}, cluster.Claim[cluster.LSN]{}
			s.look()
			p.Receive, p.Replay = receive, replay
			s.look()
		}, 1, cluster.True, "stands"},
		{"this look did not tell", "copy-stands", "be3", func(s *stage) {
			s.at("be3").PostgreSQL.Receive, s.at("be3").PostgreSQL.Replay = cluster.Claim[cluster.LSN]{}, cluster.Claim[cluster.LSN]{}
		}, 0, cluster.Unknown, "unknown"},
		{"process", "syncing", "be3", func(s *stage) { s.at("be3").PostgreSQL.SyncProc = known("pg_basebackup") }, 0, cluster.True, "pg_basebackup"},
		{"none", "syncing", "be3", nil, 0, cluster.False, ""},
		{"far and not catching up", "far-behind", "be3", func(s *stage) {
			s.at("be3").PostgreSQL.Receive, s.at("be3").PostgreSQL.Replay = known(stageEnd-60<<20), known(stageEnd-60<<20)
		}, 0, cluster.True, "not catching up"},
		{"far, and the site bears it", "far-behind", "be3", func(s *stage) {
			s.at("be3").PostgreSQL.Receive, s.at("be3").PostgreSQL.Replay = known(stageEnd-60<<20), known(stageEnd-60<<20)
			s.at("be1").Settings.MaxBehind = known(int64(100 << 20))
		}, 0, cluster.False, "leaderl bears 105 MB"},
		{"near", "far-behind", "be3", nil, 0, cluster.False, ""},
	})
}

func TestMargin(t *testing.T) {
	cases := []struct {
		name   string
		change func(s *stage)
		want   cluster.Margin
	}{
		{"healthy", nil, cluster.Margin{Votes: 3, Listed: 3, Copies: 3, CanLose: 1, Known: true, AheadKnown: true}},
		{"a follower is off", func(s *stage) { s.powerOff("be3") }, cluster.Margin{Votes: 2, Listed: 3, Copies: 2, CanLose: 0, Known: true, AheadKnown: true}},
		{"in maintenance counts as lost", func(s *stage) { s.view.Maintenance["be3"] = s.now.Add(time1h) }, cluster.Margin{Votes: 2, Listed: 3, Copies: 2, CanLose: 0, Known: true, AheadKnown: true}},
		{"one copy is bad, the other bears it", func(s *stage) { s.at("be3").Sentinels.Unsynced = known(true) }, cluster.Margin{Votes: 3, Listed: 3, Copies: 2, CanLose: 1, Known: true, AheadKnown: true}},
		{"failover off: the leader must stay", func(s *stage) {
			for _, n := range stageNodes {
				s.at(n.Name).Ctl.Failover = known(false)
			}
		}, cluster.Margin{Votes: 3, Listed: 3, Copies: 3, CanLose: 0, Known: true, AheadKnown: true}},
		{"nobody leads: cannot serve", func(s *stage) { s.role("be1", "waiting_for_leader") }, cluster.Margin{Votes: 3, Listed: 3, CanLose: -1, Known: true}},
		{"unknown counts as lost", func(s *stage) { s.blind("be3", cluster.LoginFailed) }, cluster.Margin{Votes: 2, Listed: 3, Copies: 2, CanLose: 0, AheadKnown: true}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newStage()
			if c.change != nil {
				c.change(s)
			}
			if got := s.looks(3).Margin(); got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
	s := newStage()
	s.blind("be3", cluster.LoginFailed)
	if a := ask(t, s.looks(3), "margin-spent", ""); a.Truth != cluster.Unknown {
		t.Errorf("a node that cannot be asked spends no margin for sure: %s %q", a.Truth, a.Sentence)
	}
}
