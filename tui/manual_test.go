package tui

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

// From the help the manual is two keys away, with the pages of what is on the
// screen first; what is read there is the page's own text.
func TestHelpLeadsToTheManual(t *testing.T) {
	page := func(name string, entry bool) Page {
		return Page{Name: name, Says: "says " + name, Entry: entry, Text: func() string { return "# " + name + "\n\n    as it is\n" }}
	}
	manual := []Page{page("screen", false), page("limits", false), page("follower-wal-gap", true), page("rebuild-follower", true), page("no-leader", true)}
	open := func(keys ...string) string {
		s := newStageWith(walGap(), 80, 24, Options{Manual: manual}).keys(keys...)
		check(t, s.screen(), 80, 24)
		return ansi.Strip(s.screen())
	}
	for _, c := range []struct {
		keys      []string
		says, not string
	}{
		{[]string{"?"}, "? the manual", "says screen"},
		{[]string{"?", "?"}, "> screen", "says follower-wal-gap"},
		{[]string{"?", "?", "down", "enter"}, "# limits", "says screen"},
		{[]string{"w", "?", "?"}, "> follower-wal-gap", "says no-leader"},
		{[]string{"w", "?", "?", "enter"}, "    as it is", "says screen"},
		{[]string{"r", "?", "?"}, "> rebuild-follower", "says follower-wal-gap"},
		{[]string{"r", "enter", "?", "?"}, "> rebuild-follower", "says follower-wal-gap"},
		{[]string{"w", "?", "?", "?"}, "for      true", "says screen"},
	} {
		screen := open(c.keys...)
		if !strings.Contains(screen, c.says) || strings.Contains(screen, c.not) {
			t.Errorf("%v: want %q and not %q\n%s", c.keys, c.says, c.not, screen)
		}
	}
}
