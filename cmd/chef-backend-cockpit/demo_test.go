package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/journal"
)

// rebuild is what reaches be3 when it is rebuilt, in order.
var rebuild = []string{
	"chef-backend-ctl stop leaderl",
	"chef-backend-ctl cluster-status",
	"PSQL_INTERNAL_OK=true chef-backend-ctl pgsql-follow --force-basebackup --verbose 10.0.4.11",
	"chef-backend-ctl start",
}

// TestDemoFromFaultToHealthy drives the real program in a terminal against the
// simulation over SSH: alarm, evidence, plan, confirmation, steps, healthy.
func TestDemoFromFaultToHealthy(t *testing.T) {
	t.Parallel()
	s := open(t, 120, 40, "demo", "--scenario", "follower-wal-gap", "--speed", "5")
	s.see("SIMULATION", "leader be1, all layers agree", "3 good copies, can lose 1")
	s.see("P2", "follower-wal-gap", "confirmed")

	s.press("w")
	s.see("does not stream from be1", "wal-segment-removed", "General Follower Recovery", "rebuild-follower")
	s.press("\x1b")
	s.miss("General Follower Recovery")

	s.openPlan()
	for _, c := range rebuild {
		s.see(c)
	}
	s.press("c")
	s.see("live: type to confirm", "Lost", "63 GB")
	s.typeSlowly("be3")
	s.enterUntil("step 1 of")
	s.see("copy the whole database from be1", "detached on be3")
	s.see("all steps are done", "be3 is a good follower of be1")
	s.home()
	s.see("ALARMS   none", "leader be1, all layers agree", "3 good copies, can lose 1")
	if code := s.quit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if got := s.intents(); !slices.Equal(got, rebuild) {
		t.Errorf("intents in the journal: %q, want %q", got, rebuild)
	}
}

// TestNothingRunsWithoutTheWord tries everything that must not confirm.
func TestNothingRunsWithoutTheWord(t *testing.T) {
	t.Parallel()
	s := open(t, 120, 40, "demo", "--scenario", "follower-wal-gap", "--speed", "5")
	s.see("follower-wal-gap", "confirmed")

	dialog := func() {
		s.home()
		s.openPlan()
		s.press("c")
		s.see("live: type to confirm")
	}
	away := func() { s.miss("live: type to confirm") }

	dialog()
	s.press("\x1b") // Esc
	away()
	dialog()
	s.press("\r") // Enter alone
	away()
	dialog()
	s.typeSlowly("be2") // another node's name
	s.pressUntilGone("\r", "live: type to confirm")
	dialog()
	s.press("be3\r") // all at once, as from a paste without brackets
	s.refused()
	dialog()
	s.press("\x1b[200~be3\r\x1b[201~") // a bracketed paste
	s.refused()

	// Typing ahead: the word and Enter are there before the dialog is.
	s.home()
	s.openPlan()
	s.press("cbe3\r")
	s.see("Rebuild be3")
	s.home()
	if code := s.quit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if got := s.intents(); len(got) != 0 {
		t.Errorf("carried out without the word: %q", got)
	}
}

// TestTerminalThatAnswersNoQueryDelaysNothing starts in a terminal that
// answers nothing: no query may stand before the first picture, and none of
// the short commands may write anything but its text.
func TestTerminalThatAnswersNoQueryDelaysNothing(t *testing.T) {
	t.Parallel()
	began := time.Now()
	v := open(t, 80, 24, "version")
	if code := v.exit(); code != 0 {
		t.Errorf("version: exit code %d", code)
	}
	if out := v.sent(); bytes.ContainsRune(out, '\x1b') || !bytes.HasPrefix(out, []byte("chef-backend-cockpit ")) {
		t.Errorf("version wrote %q", out)
	}
	if d := time.Since(began); d > 4*time.Second {
		t.Errorf("version took %s", d)
	}
	s := open(t, 80, 24, "demo", "--scenario", "healthy", "--speed", "5")
	s.see("SIMULATION", "be1", "be2", "be3")
	for _, query := range []string{"\x1b]11;?", "\x1b]10;?", "\x1b[6n", "\x1b[c", "\x1b[?u", "\x1b[>c"} {
		if bytes.Contains(s.sent(), []byte(query)) {
			t.Errorf("the first picture holds the query %q", query)
		}
	}
	if code := s.quit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if !bytes.Contains(s.sent(), []byte("\x1b[?1049l")) || !bytes.Contains(s.sent(), []byte("\x1b[?25h")) {
		t.Error("the terminal was not given back")
	}
}

// TestTooSmallATerminalIsRefusedUntouched covers the size of the terminal.
func TestTooSmallATerminalIsRefusedUntouched(t *testing.T) {
	t.Parallel()
	s := open(t, 60, 20, "demo")
	if code := s.exit(); code != 64 {
		t.Errorf("exit code %d, want 64", code)
	}
	if out := s.sent(); bytes.ContainsRune(out, '\x1b') || !bytes.Contains(out, []byte("80×24")) {
		t.Errorf("wrote %q", out)
	}
}

// home leaves every dialog. Esc is only pressed where it is needed: an Esc
// that is still unread makes one key of itself and the next letter.
func (s *terminal) home() {
	s.t.Helper()
	there := func(text string) bool { return strings.Contains(text, "q quit") }
	if !there(s.text()) {
		s.pressUntil("\x1b", "the main screen", there)
	}
}

// openPlan goes from the main screen to the plan of rebuild-follower.
func (s *terminal) openPlan() {
	s.t.Helper()
	s.press("r")
	s.see("Recover", "rebuild-follower be3")
	// While PostgreSQL is still starting there is no plan, and the menu says
	// why: what is unknown enables nothing. Then it is asked for again.
	planned := func(text string) bool {
		return strings.Contains(text, "Must hold") && strings.Contains(text, "c confirm")
	}
	refused := func(text string) bool { return strings.Contains(text, "not to be had now") }
	s.press("\r")
	if refused(s.when("the plan, or why there is none", func(text string) bool { return planned(text) || refused(text) })) {
		s.pressUntil("\r", "the plan", planned)
	}
	s.see("Must hold", "c confirm")
}

// typeSlowly types letter by letter, each after the one before is seen.
func (s *terminal) typeSlowly(word string) {
	s.t.Helper()
	for i := range word {
		s.press(word[i : i+1])
		s.see("> " + word[:i+1])
	}
}

// enterUntil presses Enter until the words are seen: one that comes within
// 250 ms of the last letter does not count, and says so.
func (s *terminal) enterUntil(words string) {
	s.t.Helper()
	s.pressUntil("\r", "the word "+words, func(text string) bool { return strings.Contains(text, words) })
}

// pressUntilGone presses a key until the words have left the screen.
func (s *terminal) pressUntilGone(key, words string) {
	s.t.Helper()
	s.pressUntil(key, "gone: "+words, func(text string) bool { return !strings.Contains(text, words) })
}

// pressUntil presses a key again and again, each time waiting for the screen
// to change.
func (s *terminal) pressUntil(key, what string, ok func(string) bool) {
	s.t.Helper()
	for range 40 {
		s.press(key)
		timeout := time.After(300 * time.Millisecond)
		for waiting := true; waiting; {
			select {
			case <-s.changed:
			case <-timeout:
				waiting = false
			}
			if ok(s.text()) {
				return
			}
		}
	}
	s.t.Fatalf("not reached by pressing %q: %s\n%s", key, what, s.text())
}

// refused waits for the dialog's word against a paste, and leaves it.
func (s *terminal) refused() {
	s.t.Helper()
	s.see("by hand")
	s.press("\x1b")
	s.miss("live: type to confirm")
}

// intents are the commands that the program's journal says were begun.
func (s *terminal) intents() []string {
	s.t.Helper()
	return intentsBelow(s.t, s.state)
}

// intentsBelow reads them from the journals below a state folder.
func intentsBelow(t *testing.T, state string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(state, "chef-backend-cockpit", "incidents", "*", journal.FileName))
	if err != nil {
		t.Fatal(err)
	}
	var commands []string
	for _, path := range found {
		if err := journal.Verify(path); err != nil {
			t.Errorf("the journal is damaged: %v", err)
		}
		err := journal.Read(path, func(r journal.Record) error {
			if r.Kind != journal.Intent {
				return nil
			}
			var i cluster.Intent
			err := json.Unmarshal(r.Data, &i)
			commands = append(commands, i.Command)
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	if len(found) == 0 {
		t.Error("no journal was written")
	}
	return commands
}

// TestRehearsalInTheScreen rehearses a plan in the real program, leaves the
// rehearsal, and finds the plan as it was, with nothing done.
func TestRehearsalInTheScreen(t *testing.T) {
	if os.Getenv("CHEF_BACKEND_SAFETY") == "" {
		t.Skip("takes half a minute: make test-safety, or CHEF_BACKEND_SAFETY=1")
	}
	t.Parallel()
	s := open(t, 120, 40, "demo", "--scenario", "follower-wal-gap", "--speed", "5")
	s.see("P2", "follower-wal-gap", "confirmed")
	s.press("w")
	s.see("rebuild-follower")
	s.press("\x1b")
	s.miss("General Follower Recovery")
	s.openPlan()
	s.press("h")
	s.see("REHEARSAL on a simulation: nothing here reaches a node", "REHEARSAL: rebuild-follower be3", "Assumed")
	s.see("brought about: be3 service leaderl down")
	s.press("q")
	s.see("SIMULATION", "plan ", "Must hold", "left before its end: it foretells nothing")
	s.press("\x1b")
	s.home()
	if code := s.quit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if got := s.intents(); len(got) > 0 {
		t.Errorf("a rehearsal wrote intents: %q", got)
	}
}

// What a plan asks of a person is done on the simulated machines; what wants a
// word only, or is no step of this plan, is not.
func TestHandworkOfADemo(t *testing.T) {
	effect := []cluster.Question{{Fact: "blank-machine"}}
	r := &cluster.PlanState{Plan: cluster.Plan{ID: "00000001"}, Steps: []cluster.StepState{
		{Step: cluster.PlanStep{ID: "1-join", Command: "x", Effects: effect}},
		{Step: cluster.PlanStep{ID: "2a-install", Kind: cluster.StepManual, Effects: effect, ToDo: "Install it."}},
		{Step: cluster.PlanStep{ID: "2c-licence", Kind: cluster.StepManual}},
	}}
	for step, want := range map[string]bool{"1-join": false, "2a-install": true, "2c-licence": false, "9-none": false} {
		if s, works := handwork(r, "00000001", step); works != want || works && s.ToDo != "Install it." {
			t.Errorf("%s: %v, %+v", step, works, s)
		}
	}
	if _, works := handwork(r, "00000002", "2a-install"); works {
		t.Error("a step of another plan")
	}
	if _, works := handwork(nil, "00000001", "2a-install"); works {
		t.Error("a step of no plan")
	}
}
