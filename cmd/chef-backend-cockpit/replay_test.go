package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chef-backend-cockpit/cluster/journal"
)

// A journal that the program wrote plays in the same screen, led by keys; one
// of another format, or none, gets one line and no screen.
func TestReplayInATerminal(t *testing.T) {
	t.Parallel()
	s := open(t, 120, 40, "demo", "--scenario", "leaderl-down", "--speed", "10")
	s.see("P2", "leaderl-down", "confirmed")
	if code := s.quit(); code != 0 {
		t.Fatalf("exit code %d: %q", code, last(s.sent()))
	}
	all, err := journal.List(filepath.Join(s.state, "chef-backend-cockpit", "incidents"))
	if err != nil || len(all) != 1 {
		t.Fatalf("incidents: %+v, %v", all, err)
	}

	r := open(t, 120, 40, "replay", all[0].Path)
	r.see("REPLAY", "chef-demo", "read-only", fmt.Sprintf("of %d", all[0].Records))
	r.pressUntil(" ", "it is held or over", func(text string) bool { return strings.Contains(text, ", held") || strings.Contains(text, ", end") })
	r.pressUntil("<", "its first finding", func(text string) bool { return strings.Contains(text, "no further finding or step there") })
	r.pressUntil(">", "the finding", func(text string) bool {
		return strings.Contains(text, "leaderl-down be3") && strings.Contains(text, "confirmed")
	})
	r.press("F")
	r.see("this is a replay")
	r.press("r")
	r.see("restart-service leaderl be3", "nothing can be carried out")
	r.pressUntilGone("\x1b", "Recover: ")
	r.home()
	if code := r.quit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	r.restored()

	text, err := os.ReadFile(all[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "journal.jsonl")
	if err := os.WriteFile(other, []byte(strings.Replace(string(text), `"format":1`, `"format":7`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	f := open(t, 120, 40, "replay", other)
	if code := f.exit(); code != 1 || !strings.Contains(string(f.sent()), "format 7") || strings.Contains(string(f.sent()), "\x1b") {
		t.Errorf("another format: exit code %d, %q", code, f.sent())
	}
}

// last is the end of what was written.
func last(b []byte) []byte { return b[max(0, len(b)-400):] }
