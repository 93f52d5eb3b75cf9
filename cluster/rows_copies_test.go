package cluster_test

import (
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/failure"
)

func TestCopyRows(t *testing.T) { tryRows(t, copyRows()) }

// branch puts be3 off the stream on a timeline of its own.
func branch(timeline uint32, at cluster.LSN) func(*stage) {
	return func(s *stage) {
		lagBehind(s, at)
		onTimeline(s, "be3", timeline)
	}
}

// writing lets the leader write so many bytes a look for 30 looks.
func writing(s *stage, bytes cluster.LSN) {
	for i := range 30 {
		at := stageEnd + cluster.LSN(i+1)*bytes
		p := &s.at("be1").PostgreSQL
		p.Current, p.Postmaster = known(at), known(2000)
		s.look()
	}
}

func copyRows() []rowCase {
	foreign := func(s *stage) {
		lagBehind(s, stageEnd)
		s.at("be3").PostgreSQL.Control = known(cluster.ControlData{SystemID: "2", Timeline: 88})
	}
	backup := func(s *stage) {
		s.every = 20 * time.Second
		lagBehind(s, stageEnd)
		mute(s, "be3")
		p := &s.at("be3").PostgreSQL
		p.SyncProc, p.DataBytes = known("pg_basebackup"), known(int64(21e9))
		s.at("be3").Sentinels.Unsynced = known(true)
		s.role("be3", "waiting_for_leader")
	}
	unsynced := func(s *stage) {
		lagBehind(s, stageEnd)
		s.at("be3").Sentinels.Unsynced = known(true)
		s.role("be3", "waiting_for_leader")
	}
	near := func(s *stage) { lagBehind(s, stageEnd); writing(s, 2<<20) } // 512 MB in about 8 min
	return []rowCase{
		{name: "timeline-diverged, beyond the fork", change: branch(87, 0x16F3_21000000), looks: 3, want: []string{"timeline-diverged@be3"}},
		{name: "timeline-diverged, not in the history", change: branch(86, 0x16F3_11000000), looks: 3, want: []string{"timeline-diverged@be3"}},
		{name: "timeline-diverged, two branches of one number", change: func(s *stage) {
			lagBehind(s, stageEnd)
			s.at("be3").PostgreSQL.Histories = known([]cluster.History{{Timeline: 88, Switches: []cluster.Switch{{Parent: 87, At: 0x16F3_21000000}}}})
		}, looks: 3, want: []string{"timeline-diverged@be3"}},
		{name: "timeline-diverged, not in two looks", change: branch(87, 0x16F3_21000000), looks: 2, never: []string{"timeline-diverged@be3"}},
		{name: "timeline-diverged, before the fork", change: branch(87, 0x16F3_1F000000), looks: 5, never: []string{"timeline-diverged@be3"}},
		{name: "timeline-diverged, it followed and was killed", change: killedBehind, looks: 5, never: []string{"timeline-diverged@be3"}},
		{name: "timeline-diverged, it streams", change: func(s *stage) {
			s.at("be3").PostgreSQL.Control = known(cluster.ControlData{SystemID: "1", Timeline: 86})
		}, looks: 5, never: []string{"timeline-diverged@be3"}},
		{name: "timeline-diverged, its end unknown", change: func(s *stage) {
			branch(87, 1)(s)
			p := &s.at("be3").PostgreSQL
			p.Receive, p.Replay = cluster.Claim[cluster.LSN]{}, cluster.Claim[cluster.LSN]{}
		}, looks: 5, never: []string{"timeline-diverged@be3"}},
		{name: "timeline-diverged, a deposed leader gets its 10 minutes", change: func(s *stage) {
			branch(87, 0x16F3_21000000)(s)
			s.role("be3", "deposed_leader")
			s.view.Past.Elections = []cluster.Election{{At: s.now, From: "be3", To: "be1"}}
		}, looks: 20, never: []string{"timeline-diverged@be3"}},
		{name: "system-identifier-differs", change: foreign, looks: 2, want: []string{"system-identifier-differs@be3"}},
		{name: "system-identifier-differs while nobody leads", change: func(s *stage) {
			nobody(s)
			for i, n := range stageNodes {
				s.at(n.Name).PostgreSQL.Control = known(cluster.ControlData{SystemID: []string{"1", "1", "2"}[i], Timeline: 88})
			}
		}, looks: 5, want: []string{"failover-under-way", "system-identifier-differs@be3"}},
		{name: "system-identifier-differs, control data unread", change: func(s *stage) {
			foreign(s)
			s.at("be3").PostgreSQL.Control = cluster.Claim[cluster.ControlData]{}
		}, looks: 10, never: []string{"system-identifier-differs@be3"}},
		{name: "system-identifier-differs, a base backup replaces it", change: func(s *stage) { foreign(s); s.at("be3").PostgreSQL.SyncProc = known("pg_basebackup") }, looks: 10,
			never: []string{"system-identifier-differs@be3"}},
		{name: "sync-stalled", change: backup, looks: 38, want: []string{"sync-stalled@be3"}, hidden: []string{"syncing@be3"}},
		{name: "sync-stalled, not before 10 min", change: backup, looks: 29, want: []string{"syncing@be3"}, never: []string{"sync-stalled@be3"}},
		{name: "sync-stalled, its size unknown", change: func(s *stage) {
			backup(s)
			s.at("be3").PostgreSQL.DataBytes = cluster.Claim[int64]{}
		}, looks: 38, want: []string{"syncing@be3"}, never: []string{"sync-stalled@be3"}},
		{name: "wal-gap-near", change: near, looks: 2, want: []string{"wal-gap-near@be3"}},
		{name: "wal-gap-near, the leader is quiet", change: func(s *stage) { lagBehind(s, stageEnd); writing(s, 16<<10) }, looks: 2, never: []string{"wal-gap-near@be3"}},
		{name: "wal-gap-near, it streams", change: func(s *stage) { writing(s, 2<<20) }, looks: 2, never: []string{"wal-gap-near@be3"}},
		{name: "wal-gap-near, but what is kept is of no use to it", change: func(s *stage) {
			near(s)
			s.at("be3").PostgreSQL.Control = known(cluster.ControlData{SystemID: "1", Timeline: 86})
		}, looks: 2, never: []string{"wal-gap-near@be3"}},
		{name: "wal-gap-near, the gap is there", change: func(s *stage) { near(s); lagBehind(s, 0x16F3_0F000000) }, looks: 2,
			want: []string{"follower-wal-gap@be3"}, never: []string{"wal-gap-near@be3"}},
		{name: "follower-lagging, catching up", change: func(s *stage) {
			for i := range 5 {
				at := stageEnd - 90<<20 + cluster.LSN(i)<<20
				s.at("be3").PostgreSQL.Receive, s.at("be3").PostgreSQL.Replay = known(at), known(at)
				s.look()
			}
		}, looks: 1, never: []string{"follower-lagging@be3"}},
		{name: "partially-synced, the replay goes on", change: func(s *stage) {
			unsynced(s)
			for i := range 40 {
				s.at("be3").PostgreSQL.Receive = known(stageEnd + cluster.LSN(i))
				s.look()
			}
		}, looks: 1, never: []string{"partially-synced@be3"}},
	}
}

// A sync that failed is suspected long before its hold is over, and what
// cluster-status said before is no news once the sentinel is gone.
func TestPartiallySyncedIsSuspectedEarly(t *testing.T) {
	s, e := newStage(), failure.NewEngine(load(t).Failures)
	watchRow(e, s, 3)
	lagBehind(s, stageEnd)
	s.at("be3").Sentinels.Unsynced = known(true)
	if fs, _ := watchRow(e, s, 4); len(fs) > 0 {
		t.Errorf("8 s after: %s", explain(fs))
	}
	fs, _ := watchRow(e, s, 3)
	if len(fs) != 1 || fs[0].ID() != "partially-synced@be3" || fs[0].Certainty != cluster.Suspected {
		t.Errorf("14 s after: %s", explain(fs))
	}
	if fs, _ = watchRow(e, s, 25); len(fs) == 0 || fs[0].Certainty != cluster.Confirmed {
		t.Errorf("64 s after: %s", explain(fs))
	}
	s, e = newStage(), failure.NewEngine(load(t).Failures)
	s.row("be3", func(r *cluster.CtlNode) { r.PartiallySynced = cluster.True })
	if fs, _ := watchRow(e, s, 20); len(fs) > 0 {
		t.Errorf("the row alone: %s", explain(fs))
	}
}

// The data directory that grows is no stall, and the progress is told.
func TestSyncThatGrowsIsNoStall(t *testing.T) {
	s, e := newStage(), failure.NewEngine(load(t).Failures)
	mute(s, "be3")
	lagBehind(s, stageEnd)
	s.at("be3").PostgreSQL.SyncProc = known("pg_basebackup")
	s.at("be1").PostgreSQL.DataBytes = known(int64(61e9))
	var fs []cluster.Finding
	s.every = 15 * time.Second
	for i := range 40 { // 20 min, a slow look every 30 s
		s.at("be3").PostgreSQL.DataBytes = known(int64(i+1) * 5e8)
		fs, _ = watchRow(e, s, 2)
	}
	if len(unhidden(fs)) != 1 || fs[0].ID() != "syncing@be3" || !strings.Contains(explain(fs), "20 GB of 61 GB, 32 %") {
		t.Errorf("%s", explain(fs))
	}
}

// What only this node has is said in bytes.
func TestDivergedSaysWhatIsOnlyHere(t *testing.T) {
	s := newStage()
	branch(87, 0x16F3_21000000)(s)
	if a := ask(t, s.looks(3), "diverged", "be3"); a.Truth != cluster.True || !strings.Contains(a.Sentence, "17 MB exist only on be3") {
		t.Errorf("%s %q", a.Truth, a.Sentence)
	}
}

// A failover that is under way says by when it should have ended.
func TestFailoverNamesItsEnd(t *testing.T) {
	s := newStage()
	nobody(s)
	v := s.looks(4)
	a := ask(t, v, "failover-under-way", "")
	want := v.Past.Elections[0].At.Add(cluster.HealthChecks + cluster.LeaderTTL).Format(time.TimeOnly)
	if a.Truth != cluster.True || !strings.Contains(a.Sentence, "should end by "+want+"Z") {
		t.Errorf("%s %q, want %s", a.Truth, a.Sentence, want)
	}
}
