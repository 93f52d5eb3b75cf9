package tui

import (
	"cmp"
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

// Themes are the names that Options.Theme may have. "contrast" sets foreground
// and background of what matters, and nothing is faint, so that it can be read
// on any background; "none" is without colour.
var Themes = []string{"dark", "light", "contrast", "none"}

// newStyles makes the paints. Sixteen colours are enough for all of them.
func newStyles(theme, stampColor string) *styles {
	r := lipgloss.NewRenderer(io.Discard)
	r.SetColorProfile(termenv.ANSI)
	r.SetHasDarkBackground(theme != "light")
	base := r.NewStyle()
	bold := base.Bold(true)
	s := &styles{
		title:  paintOf(bold),
		focus:  paintOf(bold.Reverse(true)),
		strong: paintOf(bold),
		chosen: paintOf(base.Reverse(true)),
		key:    paintOf(bold),
		match:  paintOf(bold.Underline(true)),
	}
	stamp := lipgloss.Color(stampNumber(stampColor))
	s.stamp = paintOf(bold.Reverse(true).Foreground(stamp))
	faint, leader, amber, red := base.Foreground(grey), bold.Foreground(cyan), base.Foreground(yellow), bold.Foreground(brightRed)
	switch theme {
	case "light":
		amber, red = bold.Foreground(yellow), bold.Foreground(darkRed)
	case "contrast":
		faint, leader = base, bold.Foreground(black).Background(brightCyan)
		amber, red = bold.Foreground(black).Background(brightYellow), bold.Foreground(white).Background(darkRed)
	case "none":
		faint, leader, amber, red = base.Faint(true), bold, base, bold
		s.stamp = paintOf(bold.Reverse(true))
	}
	s.dim, s.rule, s.leader, s.amber, s.red = paintOf(faint), paintOf(faint), paintOf(leader), paintOf(amber), paintOf(red)
	return s
}

// Colours of every terminal that has any, by their number.
const (
	black        = lipgloss.Color("0")
	darkRed      = lipgloss.Color("1")
	yellow       = lipgloss.Color("3")
	cyan         = lipgloss.Color("6")
	grey         = lipgloss.Color("8")
	brightRed    = lipgloss.Color("9")
	brightYellow = lipgloss.Color("11")
	brightCyan   = lipgloss.Color("14")
	white        = lipgloss.Color("15")
)

// stampNumber turns the configuration's colour word into one of the sixteen.
func stampNumber(word string) string {
	words := map[string]string{"red": "1", "green": "2", "amber": "3", "blue": "4", "magenta": "5", "cyan": "6"}
	return cmp.Or(words[word], "7")
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
