package tui

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

// TestThemes holds the painted screens; TestPictures holds the words, in more
// sizes. cat shows them as they are.
func TestThemes(t *testing.T) {
	for _, theme := range Themes {
		for _, p := range []struct {
			name string
			door func() *fakeDoor
			keys []string
		}{
			{"healthy", healthy, nil},
			{"no-leader", noLeader, nil},
			{"why", walGap, []string{"w"}},
			{"confirm", walGap, []string{"r", "enter", "c", "b", "e"}},
		} {
			for _, size := range [][2]int{{80, 24}, {120, 40}} {
				name := fmt.Sprintf("%s-%s-%dx%d", theme, p.name, size[0], size[1])
				got := newStageWith(p.door(), size[0], size[1], Options{Theme: theme}).keys(p.keys...).screen() + "\n"
				golden(t, filepath.Join("testdata", "themes", name+".txt"), got)
				if plain := newStage(p.door(), size[0], size[1]).keys(p.keys...).screen() + "\n"; ansi.Strip(got) != ansi.Strip(plain) {
					t.Errorf("%s has other words than the dark one", name)
				}
			}
		}
	}
}

// Nothing that matters is faint in high contrast, and each of its colours
// brings its own background.
func TestContrastCanBeReadOnAnyBackground(t *testing.T) {
	s := newStyles("contrast", "red")
	for name, p := range map[string]paint{"leader": s.leader, "amber": s.amber, "red": s.red} {
		codes := strings.Split(strings.TrimSuffix(strings.TrimPrefix(p.open, "\x1b["), "m"), ";")
		fore, back := false, false
		for _, c := range codes {
			fore = fore || len(c) == 2 && (c[0] == '3' || c[0] == '9')
			back = back || len(c) == 2 && c[0] == '4' || len(c) == 3 && c[:2] == "10"
		}
		if !fore || !back {
			t.Errorf("%s is %q", name, p.open)
		}
	}
	if s.dim.open != "" || s.rule.open != "" {
		t.Errorf("faint: %q, %q", s.dim.open, s.rule.open)
	}
}
