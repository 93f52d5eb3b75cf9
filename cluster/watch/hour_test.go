package watch

import (
	"fmt"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// stateAt is a state at a second after noon in which these findings stand.
func stateAt(second int, findings ...string) *State {
	s := &State{At: noon.Add(time.Duration(second) * time.Second), Mode: Acting, Stamp: "PROD"}
	for _, f := range findings {
		s.Findings = append(s.Findings, cluster.Finding{Failure: f, Priority: cluster.P2})
	}
	return s
}

func TestHourKeepsWhatChanges(t *testing.T) {
	var h hour
	for second := 0; second < 60; second += 2 {
		s := stateAt(second)
		if second >= 41 {
			s = stateAt(second, "node-down")
		}
		h.keep(moment{state: s})
	}
	var at []int
	for _, m := range h.kept {
		at = append(at, int(m.state.At.Sub(noon).Seconds()))
	}
	if want := "[0 16 32 42 58]"; fmt.Sprint(at) != want {
		t.Errorf("kept %v, want %s: a change at once, else every fifteen seconds", at, want)
	}
}

func TestHourIsBounded(t *testing.T) {
	var h hour
	for second := 0; second < 3*3600; second += 2 { // each round tells another thing
		h.keep(moment{state: stateAt(second, fmt.Sprint("finding-", second))})
		if len(h.kept) > mostMoments {
			t.Fatalf("%d moments after %d s", len(h.kept), second)
		}
	}
	oldest, newest := h.kept[0].state.At, h.kept[len(h.kept)-1].state.At
	if d := newest.Sub(oldest); d < 50*time.Minute || d > hourLasts {
		t.Errorf("it reaches %v back", d)
	}
	for i := 1; i < len(h.kept); i++ {
		if !h.kept[i].state.At.After(h.kept[i-1].state.At) {
			t.Fatalf("moment %d is not after the one before", i)
		}
	}
}

// travelling is a door onto moments at these seconds; in those of bad a finding
// stands.
func travelling(t *testing.T, seconds []int, bad map[int]bool) *Earlier {
	t.Helper()
	w := &Watch{o: Options{Catalogue: &catalogue.Catalogue{}}}
	for _, s := range seconds {
		if bad[s] {
			w.hour.keep(moment{state: stateAt(s, "node-down")})
		} else {
			w.hour.keep(moment{state: stateAt(s)})
		}
	}
	e, ok := w.Earlier()
	if !ok {
		t.Fatal("there is no hour")
	}
	return e.(*Earlier)
}

func TestTravelling(t *testing.T) {
	e := travelling(t, []int{0, 60, 120, 180, 240, 900, 960}, map[int]bool{120: true, 180: true})
	at := func() int { return int(e.State().At.Sub(noon).Seconds()) }
	for _, step := range []struct {
		name string
		do   func() bool
		ok   bool
		at   int
	}{
		{"it opens at the newest", func() bool { return true }, true, 960},
		{"there is none after it", func() bool { return e.Step(+1) }, false, 960},
		{"one back", func() bool { return e.Step(-1) }, true, 900},
		{"to the change before: the finding went away", func() bool { return e.Jump(-1) }, true, 240},
		{"to the one before that: it came", func() bool { return e.Jump(-1) }, true, 120},
		{"none before", func() bool { return e.Jump(-1) }, false, 120},
		{"five minutes on: what was shown then", func() bool { return e.Skip(5 * time.Minute) }, true, 240},
		{"further, over a silence", func() bool { return e.Skip(5 * time.Minute) }, true, 900},
		{"five minutes back", func() bool { return e.Skip(-5 * time.Minute) }, true, 240},
		{"to the first", func() bool { return e.Skip(-time.Hour) }, true, 0},
		{"no further", func() bool { return e.Skip(-time.Hour) }, false, 0},
	} {
		if ok := step.do(); ok != step.ok || at() != step.at {
			t.Errorf("%s: %v at %d, want %v at %d", step.name, ok, at(), step.ok, step.at)
		}
	}
	if s := e.State(); s.Mode != ReadOnly || s.Stamp != "PAST, PROD" {
		t.Errorf("the past is %s, stamped %q", s.Mode, s.Stamp)
	}
}

// Nothing passes through the door of the past.
func TestNothingActsInThePast(t *testing.T) {
	e := travelling(t, []int{0, 60}, nil)
	if _, err := e.Plan(t.Context(), "observe", "be1", ""); err != errEarlier {
		t.Errorf("Plan: %v", err)
	}
	if _, err := e.Confirm("00000001", "y"); err != errEarlier {
		t.Errorf("Confirm: %v", err)
	}
	if err := e.Arm("chef-demo"); err != errEarlier {
		t.Errorf("Arm: %v", err)
	}
	if err := e.Fence("be1", "be1 is off"); err != errEarlier {
		t.Errorf("Fence: %v", err)
	}
	if _, err := e.Rehearse(t.Context(), "00000001"); err != errEarlier {
		t.Errorf("Rehearse: %v", err)
	}
	p, err := e.Logs(LogQuery{}, 0, 10)
	if err != nil || len(p.Lines) > 0 {
		t.Errorf("lines of a moment that had none: %v, %v", p.Lines, err)
	}
}
