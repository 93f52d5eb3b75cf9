package cluster_test

import (
	"testing"

	"chef-backend-cockpit/cluster"
)

// A standby that is read later than the primary seems to be ahead of it, and
// holds nothing that the primary has not, unless there is another primary.
func TestCopiesAreComparedAtOneTime(t *testing.T) {
	later := func(s *stage) *cluster.View {
		v := *s.looks(3)
		snap := *v.Snapshot
		snap.Reports = map[string]*cluster.Report{"be1": v.Snapshot.Reports["be1"], "be2": v.Snapshot.Reports["be2"]}
		r := *v.Snapshot.Reports["be3"]
		r.Began, r.Ended = r.Ended.Add(8e9), r.Ended.Add(9e9)
		r.PostgreSQL.Receive, r.PostgreSQL.Replay = known(stageEnd+20<<10), known(stageEnd+20<<10)
		snap.Reports["be3"] = &r
		v.Snapshot = &snap
		return &v
	}
	if a := later(newStage()).Contained("be3", "be1"); a.Truth != cluster.True {
		t.Errorf("%s %q", a.Truth, a.Sentence)
	}
	s := newStage()
	s.at("be2").PostgreSQL.InRecovery, s.at("be2").PostgreSQL.Current = known(false), known(stageEnd)
	if a := later(s).Contained("be3", "be1"); a.Truth == cluster.True {
		t.Errorf("with a second primary: %s %q", a.Truth, a.Sentence)
	}
	s.at("be2").PostgreSQL.Control = known(cluster.ControlData{SystemID: "1", Timeline: 87})
	s.at("be2").PostgreSQL.Segments = known(cluster.Segments{Oldest: "00000057000016F300000010", Newest: "00000057000016F30000002D", Count: 32})
	s.at("be2").PostgreSQL.Histories = known([]cluster.History{{Timeline: 87, Switches: []cluster.Switch{{Parent: 86, At: 0x16F3_10000000}}}})
	if a := later(s).Contained("be3", "be1"); a.Truth != cluster.True {
		t.Errorf("with a second primary on another timeline: %s %q", a.Truth, a.Sentence)
	}
}
