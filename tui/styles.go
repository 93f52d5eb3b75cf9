package tui

import (
	"io"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"

	"chef-backend-cockpit/cluster"
)

// paint is a style reduced to what is written before and after a text, since
// lipgloss is too slow to be asked for every cell of every frame.
type paint struct{ open, close string }

// on puts the paint on a text; the empty text stays empty.
func (p paint) on(s string) string {
	if p.open == "" || s == "" {
		return s
	}
	return p.open + s + p.close
}

// reversed is the paint with its colours exchanged, for what is selected.
func (p paint) reversed() paint { return paint{p.open + "\x1b[7m", "\x1b[0m"} }

// styles are the paints by meaning. Colour only repeats what a word or a mark
// says: without colour everything can still be read.
type styles struct {
	plain  paint
	dim    paint // what is only read when looked for
	rule   paint // lines between the panes
	title  paint // heads of panes
	focus  paint // head of the pane that has the keys
	strong paint // new, or the thing itself
	leader paint // the one accent of a healthy screen
	amber  paint // somebody should look
	red    paint // somebody must act
	chosen paint // the selected row
	stamp  paint // the environment
	key    paint // a key in a list of keys
	match  paint // text that was searched for
}

// newStyles makes the paints. Sixteen colours are enough for all of them.
func newStyles(noColor bool, theme, stampColor string) *styles {
	r := lipgloss.NewRenderer(io.Discard)
	r.SetColorProfile(termenv.ANSI)
	r.SetHasDarkBackground(theme != "light")
	base := r.NewStyle()
	colour := func(s lipgloss.Style, dark, light string) lipgloss.Style {
		switch {
		case noColor:
			return s
		case theme == "light":
			return s.Foreground(lipgloss.Color(light))
		}
		return s.Foreground(lipgloss.Color(dark))
	}
	faint := colour(base, "8", "8")
	if noColor {
		faint = base.Faint(true)
	}
	return &styles{
		dim:    paintOf(faint),
		rule:   paintOf(faint),
		title:  paintOf(base.Bold(true)),
		focus:  paintOf(base.Bold(true).Reverse(true)),
		strong: paintOf(base.Bold(true)),
		leader: paintOf(colour(base.Bold(true), "6", "6")),
		amber:  paintOf(colour(base, "3", "3")),
		red:    paintOf(colour(base.Bold(true), "9", "1")),
		chosen: paintOf(base.Reverse(true)),
		stamp:  paintOf(colour(base.Bold(true).Reverse(true), stampNumber(stampColor), stampNumber(stampColor))),
		key:    paintOf(base.Bold(true)),
		match:  paintOf(base.Underline(true).Bold(true)),
	}
}

// stampNumber turns the configuration's colour word into one of the sixteen.
func stampNumber(word string) string {
	words := []string{"black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"}
	for i, w := range words {
		if w == word {
			return string(rune('0' + i))
		}
	}
	return "7"
}

// paintOf asks lipgloss once what a style writes around a text.
func paintOf(s lipgloss.Style) paint {
	out := s.Render("x")
	i := strings.IndexByte(strings.ReplaceAll(out, "\x1b", " "), 'x')
	return paint{open: out[:i], close: out[i+1:]}
}

// priority is the paint of a finding.
func (s *styles) priority(p cluster.Priority) paint {
	switch p {
	case cluster.P1:
		return s.red
	case cluster.P2:
		return s.amber
	}
	return s.plain
}

// mark is the paint of a cell with this mark.
func (s *styles) mark(m cluster.Mark) paint {
	switch m {
	case cluster.MarkLook:
		return s.amber
	case cluster.MarkUnknown, cluster.MarkStale:
		return s.dim
	case cluster.MarkLeader:
		return s.leader
	}
	return s.plain
}

// truth is the paint of an answer that ought to be true.
func (s *styles) truth(t cluster.Truth) paint {
	switch t {
	case cluster.False:
		return s.red
	case cluster.Unknown:
		return s.amber
	}
	return s.plain
}
