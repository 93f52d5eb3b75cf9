package tui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// A node is fenced by its own phrase, typed by hand; by nothing else.
func TestFencingANode(t *testing.T) {
	for name, act := range map[string]func(s *stage){
		"Esc":            func(s *stage) { s.live().typed("be3 is off").pause(time.Second).keys("esc") },
		"another node":   func(s *stage) { s.live().typed("be2 is off").pause(time.Second).keys("enter") },
		"a paste":        func(s *stage) { s.live().send(paste("be3 is off")); s.pause(time.Second).raw("enter") },
		"type-ahead":     func(s *stage) { s.raw("b", "e", "3", "enter") },
		"a hasty Enter":  func(s *stage) { s.live().typed("be3 is of").raw("f", "enter") },
		"Enter at once":  func(s *stage) { s.live().keys("enter") },
		"the whole word": func(s *stage) { s.live().raw("be3 is off").pause(time.Second).raw("enter") },
	} {
		s := newStage(healthy(), 100, 30).keys("3").raw("F")
		act(s)
		if s.settle(); len(s.door.said) > 0 {
			t.Errorf("%s: said %q", name, s.door.said)
		}
	}
	s := newStage(healthy(), 100, 30).keys("3").raw("F").live().typed("be3 is off").pause(time.Second).raw("enter", "enter").live()
	if !slices.Equal(s.door.said, []string{"be3 is off"}) {
		t.Errorf("said %q", s.door.said)
	}
	s.change(func(st *watch.State) { st.View.Fenced = map[string]bool{"be3": true} })
	if !strings.Contains(s.screen(), "fenced, on your word") {
		t.Errorf("a fenced node is not shown as one:\n%s", s.screen())
	}
	s.raw("F").live().typed("be3 is on").pause(time.Second).raw("enter").settle()
	if !slices.Equal(s.door.said, []string{"be3 is off", "be3 is on"}) {
		t.Errorf("taken back: said %q", s.door.said)
	}
}

// Planned work is marked from a list and shown on the node.
func TestMaintenance(t *testing.T) {
	s := newStage(healthy(), 120, 40).keys("2").raw("M").keys("down", "enter").live()
	if !slices.Equal(s.door.said, []string{"be2 maintenance 1h0m0s"}) {
		t.Fatalf("said %q", s.door.said)
	}
	s.change(func(st *watch.State) {
		st.View.Maintenance = map[string]time.Time{"be2": st.At.Add(time.Hour)}
		st.View.MarkedBy = map[string]string{"be2": "ann@bastion"}
	})
	if !strings.Contains(s.screen(), "maintenance until") {
		t.Errorf("planned work is not shown:\n%s", s.screen())
	}
	if s.raw("M"); !strings.Contains(s.screen(), "says ann@bastion") {
		t.Errorf("who works there is not shown:\n%s", s.screen())
	}
}

// What has changed since all was well is named, and what only grows is not.
func TestSinceHealthy(t *testing.T) {
	s := newStage(healthy(), 120, 40)
	if s.raw("d"); !strings.Contains(s.screen(), "nothing to compare with") {
		t.Errorf("never healthy:\n%s", s.screen())
	}
	s.keys("esc")
	s.change(func(st *watch.State) {
		was := *st.View.Snapshot
		st.Healthy = &was
		now := was
		now.Reports = map[string]*cluster.Report{}
		for n, r := range was.Reports {
			c := *r
			now.Reports[n] = &c
		}
		r := now.Reports["be3"]
		r.Sentinels.Unsynced = known(true, cluster.SourceSentinel)
		r.PostgreSQL.Replay = known(r.PostgreSQL.Replay.Value+4096, cluster.SourcePostgreSQL)
		v := *st.View
		v.Snapshot = &now
		v.Past.Elections = []cluster.Election{{At: was.At.Add(time.Second), From: "be1", To: ""}}
		st.View = &v
	})
	got := s.raw("d").screen()
	for _, want := range []string{"unsynced", "true, was false", "be3", "nobody, was be1"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing:\n%s", want, got)
		}
	}
	if strings.Contains(got, "replay") {
		t.Errorf("a position that only grows counts as a change:\n%s", got)
	}
}
