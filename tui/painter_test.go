package tui

import (
	"regexp"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
)

// place is one in the first column, which is left away.
var place = regexp.MustCompile("\x1b\\[(\\d+);?H")

// A frame is painted at once, whole where nothing is known of the screen, and
// else the rows that differ.
func TestPainter(t *testing.T) {
	var sent strings.Builder
	p := &painter{out: &output{w: &sent}}
	for _, c := range []struct {
		name  string
		do    func()
		frame string
		want  string
	}{
		{"no size yet", func() {}, "one\ntwo", ""},
		{"first", func() { p.resize(5, 3) }, "one\n\ntwo", "\x1b[2J\x1b[1;1Hone\x1b[K\x1b[3;1Htwo\x1b[K"},
		{"the same", func() {}, "one\n\ntwo", ""},
		{"a row", func() {}, "one\n2\ntwo", "\x1b[2;1H2\x1b[K"},
		{"as wide as the screen", func() {}, "12345\n2\ntwo", "\x1b[1;1H12345"},
		{"wider", func() {}, "1234567\n2\ntwo", "\x1b[1;1H12345"},
		{"fewer rows", func() {}, "one", "\x1b[1;1Hone\x1b[K\x1b[2;1H\x1b[K\x1b[3;1H\x1b[K"},
		{"more rows than there are", func() {}, "0\n1\n2\n3", "\x1b[1;1H1\x1b[K\x1b[2;1H2\x1b[K\x1b[3;1H3\x1b[K"},
		{"forgotten", p.forget, "1\n2\n3", "\x1b[2J\x1b[1;1H1\x1b[K\x1b[2;1H2\x1b[K\x1b[3;1H3\x1b[K"},
		{"what is before stays", func() {}, "1 a\n2\n3", "\x1b[1;1H1 a\x1b[K"},
		{"behind a blank", func() {}, "1 b\n2\n3", "\x1b[1;3Hb\x1b[K"},
		{"styled", func() {}, "\x1b[1mab\x1b[0m c\n2\n3", "\x1b[1;1H\x1b[1mab\x1b[0m c\x1b[K"},
		{"behind a style", func() {}, "\x1b[1mab\x1b[0m\x1b[2md e\x1b[0m\n2\n3", "\x1b[1;3H\x1b[2md e\x1b[0m"},
		{"within a style", func() {}, "\x1b[1mab\x1b[0m\x1b[2md f\x1b[0m\n2\n3", "\x1b[1;3H\x1b[2md f\x1b[0m"},
		{"a letter of two bytes", func() {}, "\x1b[1mab\x1b[0m ä\n2\n3", "\x1b[1;3H ä\x1b[K"},
		{"behind one of disputed width", func() {}, "→ 1 a\n2\n3", "\x1b[1;1H→ 1 a"},
		{"which stays", func() {}, "→ 1 b\n2\n3", "\x1b[1;1H→ 1 b"},
		{"back", func() {}, "\x1b[1mab\x1b[0m ä\n2\n3", "\x1b[1;1H\x1b[1mab\x1b[0m ä\x1b[K"},
		{"which is another", func() {}, "\x1b[1mab\x1b[0m ö\n2\n3", "\x1b[1;4Hö\x1b[K"},
	} {
		sent.Reset()
		c.do()
		p.paint(c.frame)
		if got := strings.ReplaceAll(sent.String(), "\x1b[H", "\x1b[1;1H"); place.ReplaceAllString(got, "\x1b[$1;1H") != c.want {
			t.Errorf("%s: %q, want %q", c.name, sent.String(), c.want)
		}
	}
}

// What Bubble Tea is given to draw never differs; sizes reach the model, and
// what another program left on the screen is painted over.
func TestPaintedLeavesBubbleTeaNothingToDraw(t *testing.T) {
	var sent strings.Builder
	stage := newStage(healthy(), 100, 30)
	s := painted{stage.m, &painter{out: &output{w: &sent}}}
	for _, msg := range []tea.Msg{tea.WindowSizeMsg{Width: 120, Height: 40}, keyOf("tab"), contentNow{}, repaintMsg{}, tea.ResumeMsg{}, tea.WindowSizeMsg{Width: 80, Height: 24}} {
		sent.Reset()
		s.Update(bySize(s, msg))
		if s.View() != idle {
			t.Fatalf("%T: Bubble Tea has something to draw", msg)
		}
		whole := strings.HasPrefix(sent.String(), "\x1b[2J")
		switch msg.(type) {
		case tea.KeyMsg, contentNow:
			if whole {
				t.Errorf("%T: painted whole", msg)
			}
		default:
			if !whole {
				t.Errorf("%T: not painted whole: %q", msg, sent.String())
			}
		}
	}
	if s.w != 80 || s.h != 24 {
		t.Errorf("the model has %dx%d", s.w, s.h)
	}
}
