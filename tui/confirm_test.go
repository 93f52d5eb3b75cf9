package tui

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// dialogFor opens the confirmation of a plan and leaves it dead.
func dialogFor(tier cluster.Tier, phrases ...string) *stage {
	d := armed(walGap())
	d.plan.Tier, d.plan.Phrases = tier, phrases
	s := newStage(d, 100, 30).keys("r", "enter")
	return s.raw("c")
}

// armed is a door of a cockpit that is armed.
func armed(d *fakeDoor) *fakeDoor {
	d.state.Mode, d.state.ArmedUntil = watch.Armed, d.state.At.Add(10*time.Minute)
	return d
}

// A plan of T3 can be read before anybody arms; it is not confirmed then, and
// says what is missing.
func TestPlanIsReadBeforeArming(t *testing.T) {
	d := walGap()
	d.plan.Tier, d.plan.Phrases = cluster.T3, []string{"promote be2"}
	for id, all := range d.offered {
		all[0].Ready, all[0].Tier = false, cluster.T3
		all[0].WhyNot = []cluster.CheckedGuard{{Answer: cluster.Answer{Truth: cluster.False, Sentence: watch.NeedsArming}}}
		d.offered[id] = all
	}
	s := newStage(d, 100, 30).keys("r")
	if !strings.Contains(s.screen(), "arm: A") {
		t.Errorf("the menu does not say what is missing:\n%s", s.screen())
	}
	if s.keys("enter"); !strings.Contains(s.screen(), "Must hold") {
		t.Fatalf("the plan cannot be read:\n%s", s.screen())
	}
	if s.raw("c"); !strings.Contains(s.screen(), watch.NeedsArming) {
		t.Errorf("it is not said what is missing:\n%s", s.screen())
	}
	if _, ok := s.m.dialog(); ok {
		t.Error("it can be confirmed")
	}
	s.change(func(st *watch.State) { st.Mode, st.ArmedUntil = watch.Armed, st.At.Add(10*time.Minute) })
	if text := s.screen(); strings.Contains(text, watch.NeedsArming) || !strings.Contains(text, "Armed: c confirms it.") {
		t.Errorf("armed, and it is not said:\n%s", text)
	}
}

// live lets the keyboard be quiet until the dialog is live.
func (s *stage) live() *stage {
	s.settle()
	return s
}

func paste(text string) tea.KeyMsg {
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(text), Paste: true}
}

// Every way of not saying yes. In each, nothing may be confirmed.
func TestNothingElseConfirms(t *testing.T) {
	for name, act := range map[string]func(s *stage){
		"Esc":                    func(s *stage) { s.live().typed("be3").pause(time.Second).keys("esc") },
		"Ctrl-C":                 func(s *stage) { s.live().typed("be3").pause(time.Second).keys("ctrl+c") },
		"Enter on nothing":       func(s *stage) { s.live().keys("enter") },
		"a paste":                func(s *stage) { s.live().send(paste("be3")); s.pause(time.Second).raw("enter") },
		"a paste with its Enter": func(s *stage) { s.live().send(paste("be3\n")); s.pause(time.Second).raw("enter") },
		"half a paste":           func(s *stage) { s.live().typed("be").send(paste("3")); s.pause(time.Second).raw("enter") },
		"the whole at once":      func(s *stage) { s.live().raw("be3").pause(time.Second).raw("enter") },
		"the wrong word":         func(s *stage) { s.live().typed("be2").pause(time.Second).keys("enter") },
		"too much":               func(s *stage) { s.live().typed("be33").pause(time.Second).keys("enter") },
		"other letters' case":    func(s *stage) { s.live().typed("BE3").pause(time.Second).keys("enter") },
		"y":                      func(s *stage) { s.live().typed("y").pause(time.Second).keys("enter") },
		"a hasty Enter":          func(s *stage) { s.live().typed("be").raw("3", "enter") },
		"type-ahead": func(s *stage) {
			for _, k := range []string{"b", "e", "3", "enter"} {
				s.pause(300 * time.Millisecond).raw(k)
			}
		},
		"type-ahead, then a pause and Enter": func(s *stage) { s.raw("b", "e", "3").live().raw("enter") },
		"a situation that changed": func(s *stage) {
			s.live().typed("be3").pause(time.Second)
			s.door.differs = true
			s.door.rechecks = append([]cluster.CheckedGuard{guard("not-leader", cluster.False, "be3 leads by now")}, s.door.rechecks[1:]...)
			s.change(func(*watch.State) {})
			if !strings.Contains(s.screen(), "be3 leads by now") {
				panic("the change is not shown")
			}
			s.keys("enter").typed("be3").pause(time.Second).keys("enter")
		},
		"suspending": func(s *stage) { s.live().keys("ctrl+z") },
	} {
		s := dialogFor(cluster.T2, "be3")
		act(s)
		s.settle()
		if len(s.door.confirmed) > 0 {
			t.Errorf("%s: confirmed %q", name, s.door.confirmed)
		}
	}
}

func TestTypingConfirmsOnce(t *testing.T) {
	for _, phrase := range []string{"be3", "promote be2", "q", "r c y"} {
		s := dialogFor(cluster.T3, phrase).live().typed(phrase).pause(enterTime)
		s.raw("enter", "enter", "y").settle()
		if !reflect.DeepEqual(s.door.confirmed, []string{phrase}) {
			t.Errorf("%q: confirmed %q", phrase, s.door.confirmed)
		}
		if _, ok := s.m.top().(*runView); !ok {
			t.Errorf("%q: the plan is not shown as it is carried out", phrase)
		}
	}
}

func TestLettersMayArriveInPieces(t *testing.T) {
	s := dialogFor(cluster.T3, "promote be2").live().raw("prom").typed("ote").raw(" ", "be").typed("2").pause(enterTime)
	if s.keys("enter"); len(s.door.confirmed) != 1 {
		t.Error("a slow link must not keep the operator from typing")
	}
}

func TestHastyEnterIsOnlyIgnored(t *testing.T) {
	s := dialogFor(cluster.T2, "be3").live().typed("be").raw("3", "enter").pause(enterTime)
	if s.keys("enter"); len(s.door.confirmed) != 1 {
		t.Error("after a hasty Enter an unhurried one must count")
	}
}

func TestDeadAgainWhileTypedAhead(t *testing.T) {
	s := dialogFor(cluster.T2, "be3")
	d := s.m.top().(*confirmDialog)
	for range 5 {
		s.pause(quietTime - time.Millisecond).raw("x")
		if s.send(quietMsg{d}); d.live {
			t.Fatal("live although the keyboard was not quiet")
		}
	}
	s.pause(quietTime)
	if s.send(quietMsg{d}); !d.live || d.field.text() != "" {
		t.Errorf("live %v with %q", d.live, d.field.text())
	}
	if !strings.Contains(s.screen(), "live: type to confirm") {
		t.Error("that it is live is not said")
	}
}

func TestPhrasesOneAfterAnother(t *testing.T) {
	s := dialogFor(cluster.T3, "discard be1", "promote be2")
	s.door.left = []string{"promote be2"}
	s.live().typed("discard be1").pause(enterTime).keys("enter")
	if len(s.door.confirmed) != 1 || !strings.Contains(s.screen(), "promote be2") {
		t.Fatalf("%q\n%s", s.door.confirmed, s.screen())
	}
	s.door.left = nil
	s.typed("promote be2").pause(enterTime).keys("enter")
	if !reflect.DeepEqual(s.door.confirmed, []string{"discard be1", "promote be2"}) {
		t.Errorf("%q", s.door.confirmed)
	}
}

func TestOneLetterForT1(t *testing.T) {
	for keys, want := range map[string]int{"y": 1, "Y": 0, "n": 0, "enter": 0, "esc": 0, " ": 0, "yy": 0} {
		s := dialogFor(cluster.T1, "y").live()
		if s.keys(keys); len(s.door.confirmed) != want {
			t.Errorf("%q: confirmed %q", keys, s.door.confirmed)
		}
	}
	s := dialogFor(cluster.T1, "y").raw("y")
	if s.settle(); len(s.door.confirmed) > 0 {
		t.Error("y counted while the dialog was dead")
	}
}

func TestWatchingNeedsNoWord(t *testing.T) {
	if s := dialogFor(cluster.T0); true {
		if s.settle(); !reflect.DeepEqual(s.door.confirmed, []string{""}) {
			t.Errorf("%q", s.door.confirmed)
		}
	}
}

func TestRefusalIsShown(t *testing.T) {
	for _, why := range []string{"the journal cannot be written", "nothing was done: the journal cannot be written"} {
		s := dialogFor(cluster.T2, "be3")
		s.door.refuse = errors.New(why)
		s.live().typed("be3").pause(enterTime).keys("enter")
		if !strings.Contains(s.screen(), "nothing was done: the journal cannot be written") || strings.Contains(s.screen(), "nothing was done: nothing") {
			t.Error(s.screen())
		}
	}
}

func TestReadOnlyOpensNoDialog(t *testing.T) {
	d := walGap()
	d.state.Mode = watch.ReadOnly
	s := newStage(d, 100, 30).keys("r", "enter", "c")
	if _, ok := s.m.dialog(); ok || !strings.Contains(s.screen(), "read-only") {
		t.Error(s.screen())
	}
}

// A plan that was looked for and left again must not come up later.
func TestLatePlanIsDropped(t *testing.T) {
	for _, keys := range [][]string{{"enter", "esc"}, {"enter", "esc", "r"}} {
		s := newStage(walGap(), 100, 30).keys("r").raw(keys...)
		s.settle()
		if _, ok := s.m.top().(*planView); ok || len(s.door.planned) != 1 {
			t.Errorf("%v: planned %q, and %T stands", keys, s.door.planned, s.m.top())
		}
	}
}

func TestQuittingAsksWhileAStepRuns(t *testing.T) {
	s := newStage(rebuilding(), 100, 30).raw("q", "y")
	s.settle()
	if s.ended || !strings.Contains(s.screen(), "goes on by itself") {
		t.Fatal("it must ask, and not take the y that was typed ahead")
	}
	s.change(func(n *watch.State) {
		run := *n.Run
		run.Steps = append([]cluster.StepState{}, run.Steps...)
		run.Steps[2].Status, run.Steps[3].Status = cluster.StatusDone, cluster.StatusRunning
		n.Run = &run
	})
	if !strings.Contains(s.screen(), "step 3b, 4 of 5") {
		t.Error("the step that is told must be the one at work")
	}
	if s.keys("y"); !s.ended {
		t.Error("y leaves")
	}
	if s = newStage(rebuilding(), 100, 30).keys("q", "enter"); s.ended || s.m.top() != nil {
		t.Error("any other key stays")
	}
	if s = newStage(walGap(), 100, 30).keys("q"); !s.ended {
		t.Error("without a step at work q leaves at once")
	}
}

func TestSuspendOnlyWithoutDialog(t *testing.T) {
	suspends := func(s *stage) bool {
		_, cmd := s.m.Update(keyOf("ctrl+z"))
		if cmd == nil {
			return false
		}
		msg := cmd()
		if all, ok := msg.(tea.BatchMsg); ok {
			msg = all[0]()
		}
		return fmt.Sprintf("%T", msg) == "tea.execMsg" // Bubble Tea's own
	}
	if !suspends(newStage(walGap(), 100, 30)) || !suspends(newStage(walGap(), 100, 30).keys("r")) {
		t.Error("Ctrl-Z suspends where there is no dialog")
	}
	if suspends(dialogFor(cluster.T2, "be3")) || suspends(newStage(rebuilding(), 100, 30).keys("q")) {
		t.Error("Ctrl-Z suspends in a dialog")
	}
}

// What cannot be read cannot be confirmed.
func TestTooSmallTakesOnlyNo(t *testing.T) {
	s := dialogFor(cluster.T2, "be3").live().typed("be3").pause(time.Second)
	s.send(tea.WindowSizeMsg{Width: 60, Height: 20})
	s.raw("enter").settle()
	s.typed("be3").pause(time.Second).keys("enter")
	if len(s.door.confirmed) > 0 {
		t.Errorf("confirmed %q unseen", s.door.confirmed)
	}
	if s.keys("esc"); s.m.top() == nil {
		t.Error("Esc must close the dialog alone")
	}
	if _, still := s.m.dialog(); still {
		t.Error("Esc is no here too")
	}
}

// A dialog that was laid out anew is read anew.
func TestResizeMakesTheDialogDead(t *testing.T) {
	s := dialogFor(cluster.T2, "be3").live().typed("be3").pause(time.Second)
	s.send(tea.WindowSizeMsg{Width: 120, Height: 40})
	if s.raw("enter"); len(s.door.confirmed) > 0 || s.m.top().(*confirmDialog).live {
		t.Error("still live after a resize")
	}
}

// What is still being typed when a wrong phrase closed the dialog acts on
// nothing that stood below it.
func TestKeysAfterARefusalFallIntoNothing(t *testing.T) {
	s := dialogFor(cluster.T3, "promote be2").live().typed("promote be3").pause(enterTime).raw("enter")
	s.typed("pcq").raw("enter", "ctrl+c").settle()
	if _, ok := s.m.top().(*planView); !ok || len(s.door.planned) != 1 || s.ended {
		t.Errorf("%T stands, planned %q, ended %v", s.m.top(), s.door.planned, s.ended)
	}
	if !strings.Contains(s.screen(), "nothing was done on be3") {
		t.Error("why it closed must stay to be read")
	}
	if s.pause(quietTime).keys("p"); len(s.door.planned) != 2 {
		t.Error("after a pause keys count again")
	}
	s = dialogFor(cluster.T2, "be3").live().typed("be2").pause(enterTime).keys("enter", "esc")
	if _, ok := s.m.top().(*menu); !ok {
		t.Errorf("Esc leads back at any time, but %T stands", s.m.top())
	}
}

func TestWordsOfTheDialogAreWhole(t *testing.T) {
	for _, phrases := range [][]string{{"promote be2"}, {"discard what only be1 and be3 hold", "promote be2"}, {strings.Repeat("a long phrase ", 4) + "be2"}} {
		d := armed(walGap())
		d.plan.Tier, d.plan.Phrases = cluster.T3, phrases
		s := newStage(d, 80, 24).keys("r", "enter", "c")
		for _, words := range []string{phrases[0], "by hand, then Enter", "Esc, or Enter on anything else, is no."} {
			if !strings.Contains(ansi.Strip(s.screen()), words) {
				t.Errorf("%q cannot be read:\n%s", words, ansi.Strip(s.screen()))
			}
		}
	}
	s := dialogFor(cluster.T2, "be3").raw("enter")
	if !strings.Contains(s.screen(), notLive) {
		t.Error("an Enter that came too early is not answered")
	}
	if s.settle(); strings.Contains(s.screen(), "not live") {
		t.Error("live, and it still says that it is not")
	}
	if s.typed("be").raw("3", "enter"); !strings.Contains(s.screen(), "¼ s") {
		t.Error("how long to wait is not said")
	}
}
