package tui

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// inRehearsal is the state that a rehearsal of a plan shows; edit changes it.
func inRehearsal(d *fakeDoor, edit func(*watch.State)) *fakeDoor {
	from := rebuilding()
	s := *from.state
	s.Stamp, s.StampColor, s.Mode = "REHEARSAL", "magenta", watch.Rehearsing
	s.Rehearsal = &watch.RehearsalAt{Plan: d.plan.ID, Assumed: []string{
		"a whole copy of a database takes about half a minute here, whatever its size",
		"the disks of be2 are not known; here they have room"}}
	run := *s.Run
	run.Prediction = &cluster.Prediction{Plan: d.plan.ID, Steps: []cluster.PredictedStep{
		{ID: run.Steps[0].Step.ID, Status: cluster.StatusDone, Took: 3 * time.Second, Changed: []cluster.KeyFact{{Node: "be3", Name: "service leaderl", Value: "down"}}},
		{ID: run.Steps[1].Step.ID, Status: cluster.StatusDone, Took: time.Second}}}
	s.Run = &run
	if edit != nil {
		edit(&s)
	}
	d.rehearsal = &fakeRehearsal{fakeDoor: &fakeDoor{state: &s}}
	return d
}

// rehearsing is a rehearsal whose third step is at work.
func rehearsing() *fakeDoor { return inRehearsal(walGap(), nil) }

// rehearsed is one that has ended where the plan would stop.
func rehearsed() *fakeDoor {
	return inRehearsal(walGap(), func(s *watch.State) {
		s.Rehearsal.Over = true
		p := *s.Run.Prediction
		why := "not within 6h0m0s: be3 does not stream from be1"
		p.Steps = append(p.Steps, cluster.PredictedStep{ID: s.Run.Steps[2].Step.ID, Status: cluster.StatusFailed, Sentence: why})
		p.Status, p.Sentence = cluster.StatusFailed, why
		st := &s.Run.Steps[2]
		st.Status, st.Sentence, st.Ended, st.Exit, st.ExitKnown = cluster.StatusFailed, why, st.Began.Add(time.Minute), 1, true
		s.Run.Prediction, s.Run.Status, s.Run.Sentence, s.Run.Ended = &p, cluster.StatusFailed, why, st.Ended
	})
}

// deviating is a real run that holds because a step came to something else
// than in its rehearsal.
func deviating() *fakeDoor {
	d := rebuilding()
	run := *d.state.Run
	run.Status = cluster.StatusAsked
	run.Steps[0].Compared = "as rehearsed: 42 facts; unknown now: be3 role"
	run.Steps[1].Compared = `not as rehearsed: be2 service etcd: rehearsed "up", is "down"`
	st := &run.Steps[2]
	st.Status, st.Asks, st.AskedFor, st.Output, st.Progress, st.PID = cluster.StatusAsked, cluster.AskPhrase, "go on be3", nil, "", 0
	st.Sentence = `step 2 did not come to what was rehearsed: be2 service etcd: rehearsed "up", is "down"; type "go on be3" to go on: copy the whole database`
	d.state.Run = &run
	return d
}

// TestRehearsalIsAlwaysMarked holds that no picture of a rehearsal can be taken
// for the cluster's, in whatever box and size, without any colour.
func TestRehearsalIsAlwaysMarked(t *testing.T) {
	for _, size := range sizes {
		for _, way := range [][]string{nil, {"esc"}, {"esc", "w"}, {"esc", "tab", "w"}, {"?"}, {"o"}, {"esc", "d"}, {"esc", "K"}, {"esc", "u"}, {"esc", "/", "x"}, {"esc", "A"}, {"esc", "F"}, {"esc", "c"}} {
			s := newStageWith(rehearsing(), size[0], size[1], Options{Theme: "none"}).keys("r", "enter", "h").keys(way...)
			rows := strings.Split(ansi.Strip(s.screen()), "\n")
			if !strings.HasPrefix(rows[0], " REHEARSAL ") || !strings.Contains(rows[1], "REHEARSAL") {
				t.Errorf("%v at %v: %q, %q", way, size, rows[0], rows[1])
			}
			if s.m.inner.top() != nil && !strings.Contains(strings.Join(rows, "\n"), "┌ REHEARSAL: ") {
				t.Errorf("%v at %v: the box is not marked", way, size)
			}
		}
	}
}

// TestRehearsalComesBackToThePlan holds that the plan is read where it was left,
// that it is not confirmed by anything typed in the rehearsal, and that a
// change of the cluster meanwhile keeps it from being confirmed.
func TestRehearsalComesBackToThePlan(t *testing.T) {
	s := newStage(rehearsed(), 100, 30).keys("r", "enter", "h")
	if s.m.inner == nil {
		t.Fatal("no rehearsal was opened")
	}
	s.keys("c", "b", "e", "3", "enter")
	s.change(func(*watch.State) { s.door.differs = true })
	s.keys("esc", "q")
	v, ok := s.m.top().(*planView)
	if s.m.inner != nil || !ok || s.door.rehearsal.closes != 1 {
		t.Fatalf("not back at the plan; closed %d times", s.door.rehearsal.closes)
	}
	if s.keys("c"); len(s.door.confirmed)+len(s.door.rehearsal.confirmed) > 0 || s.m.top() != v || !strings.Contains(s.screen(), "The situation changed") {
		t.Errorf("the plan did not pass its guards anew: %v", s.door.confirmed)
	}
	if !strings.Contains(strings.Join(rowsOf(v.body(s.m, 90)), "\n"), "It would stop at step 3: failed.") {
		t.Error("what the rehearsal showed is not told with the plan")
	}
}

func rowsOf(rows []string, _ int) []string { return rows }

// TestRehearsalThatCannotBe says why, and leaves the plan as it is.
func TestRehearsalThatCannotBe(t *testing.T) {
	s := newStage(walGap(), 100, 30).keys("r", "enter", "h")
	if _, ok := s.m.top().(*planView); !ok || s.m.inner != nil || !strings.Contains(s.screen(), "this state cannot be rehearsed: invented") {
		t.Errorf("%s", s.screen())
	}
	d := rehearsing()
	s = newStage(d, 100, 30).keys("r", "enter").raw("h", "esc")
	if s.settle(); s.m.inner != nil || d.rehearsal.closes != 1 {
		t.Error("a rehearsal that nobody waits for any more was not closed")
	}
}
