package main

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"

	"chef-backend-cockpit/cluster/scenario"
)

// seedOf is the lowest number whose drill is that fault.
func seedOf(t *testing.T, fault string) int64 {
	t.Helper()
	for seed := int64(1); seed < 1000; seed++ {
		if chosen(seed).rows[0].Name == fault {
			return seed
		}
	}
	t.Fatalf("no number below 1000 is a drill on %s", fault)
	return 0
}

func TestDrillsAreUnforeseenAndRepeatable(t *testing.T) {
	t.Parallel()
	met := map[string]bool{}
	for seed := int64(1); seed < 400; seed++ {
		x, again := chosen(seed), chosen(seed)
		if x.rows[0].Row() != again.rows[0].Row() || x.calm != again.calm {
			t.Fatalf("number %d is another drill each time", seed)
		}
		if x.calm < calmLeast || x.calm > calmMost {
			t.Errorf("number %d strikes after %s", seed, x.calm)
		}
		met[x.rows[0].Name] = true
	}
	for _, rows := range scenario.Exercises() {
		row := rows[0]
		if !met[row.Name] {
			t.Errorf("no number is a drill on %s", row.Name)
		}
		if told(row) == "" || len(targets(rows)) == 0 {
			t.Errorf("%s has nothing to be told or done", row.Name)
		}
	}
	if len(met) < 12 {
		t.Errorf("only %d faults are drilled: %v", len(met), met)
	}
}

func TestDrillIsCalledRightly(t *testing.T) {
	t.Parallel()
	for _, c := range [][]string{
		{"demo", "--drill", "--scenario", "no-leader"},
		{"demo", "--seed", "3"},
		{"demo", "--drill", "--seed", "-1"},
	} {
		s := open(t, 80, 24, c...)
		if code := s.exit(); code != exitUsage || bytes.Count(s.sent(), []byte("\n")) != 1 {
			t.Errorf("%q: exit code %d, wrote %q", c, code, s.sent())
		}
	}
}

// TestDrillLeftBeforeTheStrike leaves the screen at once: the terminal is given
// back, and nothing is told of what would have struck.
func TestDrillLeftBeforeTheStrike(t *testing.T) {
	t.Parallel()
	s := open(t, 80, 24, "demo", "--drill", "--seed", "3")
	s.see("SIMULATION, DRILL", "q quit")
	s.press("q")
	if code := s.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	_, text, left := bytes.Cut(s.sent(), []byte("\x1b[?1049l"))
	if !left || !bytes.Contains(text, []byte("left before anything happened")) || !bytes.Contains(text, []byte("demo --drill --seed 3")) {
		t.Errorf("after the screen it wrote %q", text)
	}
	if fault := chosen(3).rows[0].Name; bytes.Contains(s.sent(), []byte(fault)) {
		t.Errorf("it names %s", fault)
	}
}

// TestDrillFromStrikeToDebriefing is a drill in the real program, in lines on a
// terminal: it is not told what strikes, types one wrong phrase, mends it, and is
// told of it.
func TestDrillFromStrikeToDebriefing(t *testing.T) {
	t.Parallel()
	seed := strconv.FormatInt(seedOf(t, "leaderl-down"), 10)
	restarting := order{"restart-service be3 leaderl", "y"}
	c := converse(t, true, nil, "demo", "--drill", "--plain", "--seed", seed, "--speed", "3")
	c.hears("stamped SIMULATION, DRILL")
	c.hears("leaderl-down on be3, leaderl is down on be3.")
	c.types("why leaderl-down\n")
	c.hears("leaderl-down on be3.")
	c.refused(order{"restart-service be3 etcd", "y"}, "confirm\n", "n\n", "no: nothing was done on be3.")
	c.repairs(restarting)
	if code := c.exit(); code != 0 { // it ends by itself
		t.Errorf("exit code %d", code)
	}
	_, text, _ := strings.Cut(c.all(), "has ended: done.")
	told := strings.Join(strings.Fields(text), " ")
	for _, want := range []string{
		"DRILL, debriefing. It was leaderl-down: leaderl is down on be3.",
		"The right way: restart-service be3 leaderl.", ": all was well again.", "Detection took you",
		"you opened the plan restart-service be3 etcd, which does not mend this.", `you typed "n" to confirm restart-service be3 etcd.`,
		"Commands that reached nodes: 1.", "be3: chef-backend-ctl restart leaderl",
		"What happened, from the journal:", "leaderl-down@be3 has gone", "journal report", "demo --drill --seed " + seed,
	} {
		if !strings.Contains(told, want) {
			t.Errorf("the debriefing lacks %q", want)
		}
	}
	if t.Failed() {
		t.Logf("%s", text)
	}
	// A step that its node refused had its intent written, and was asked for again.
	if got, want := slices.Compact(intentsBelow(t, c.state)), []string{"chef-backend-ctl restart leaderl"}; !slices.Equal(got, want) {
		t.Errorf("intents in the journal: %q, want %q", got, want)
	}
}
