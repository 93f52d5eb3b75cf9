package tui

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// cut is put where a text was too long for its place.
const cut = ">"

// before is put where a text begins left of its place.
const before = "<"

// clean returns the text as it may go to the terminal, and its width in
// cells. Foreign text is made safe where it enters the program; this is the
// last door and lets no control, bidi or zero-width character pass either.
func clean(s string) (string, int) {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c > 0x7e {
			return cleanSlowly(s)
		}
	}
	return s, len(s)
}

func cleanSlowly(s string) (string, int) {
	bad := func(r rune) bool {
		return r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == 0x2028 || r == 0x2029
	}
	if !utf8.ValidString(s) || strings.IndexFunc(s, bad) >= 0 {
		s = strings.Map(func(r rune) rune {
			switch {
			case r == '\t':
				return ' '
			case bad(r):
				return '?'
			}
			return r
		}, s)
	}
	return s, ansi.StringWidth(s)
}

// width is the number of cells that the cleaned text takes.
func width(s string) int {
	_, w := clean(s)
	return w
}

// clip cleans a text and cuts it to at most n cells, with a mark where
// something is missing.
func clip(s string, n int) (string, int) {
	s, w := clean(s)
	switch {
	case n <= 0:
		return "", 0
	case w <= n:
		return s, w
	case w == len(s):
		return s[:n-1] + cut, n
	}
	s = ansi.Truncate(s, n, cut)
	return s, ansi.StringWidth(s)
}

// words cuts a text to at most n cells between two words, with a mark.
func words(s string, n int) string {
	if width(s) <= n || n < 3 {
		return short(s, n)
	}
	first := wrap(s, n-2)[0]
	if first == "" {
		return short(s, n)
	}
	return first + " " + cut
}

// line builds one row of the screen, at most w cells wide.
type line struct {
	b    strings.Builder
	x, w int
}

func newLine(w int) *line {
	l := &line{w: max(w, 0)}
	l.b.Grow(w + 48)
	return l
}

// put writes a text at the current place, cut at the row's end.
func (l *line) put(p paint, s string) *line { return l.upTo(p, s, l.w-l.x) }

// upTo writes at most n cells of a text.
func (l *line) upTo(p paint, s string, n int) *line {
	s, w := clip(s, min(n, l.w-l.x))
	if w == 0 {
		return l
	}
	l.b.WriteString(p.open)
	l.b.WriteString(s)
	l.b.WriteString(p.close)
	l.x += w
	return l
}

// col writes a text into a column of n cells and moves behind it.
func (l *line) col(p paint, s string, n int) *line {
	end := l.x + n
	return l.upTo(p, s, n).to(end)
}

// gap writes n blanks.
func (l *line) gap(n int) *line { return l.to(l.x + n) }

// to moves right to cell x; it never moves back.
func (l *line) to(x int) *line {
	for x = min(x, l.w); l.x < x; l.x++ {
		l.b.WriteByte(' ')
	}
	return l
}

// right writes a text so that it ends at the row's end, if there is room.
func (l *line) right(p paint, s string) *line {
	s, w := clip(s, l.w-l.x)
	return l.to(l.w-w).put(p, s)
}

// String is the row, filled up with blanks.
func (l *line) String() string { return l.to(l.w).b.String() }

// textLine is a row with one text.
func textLine(w int, p paint, s string) string { return newLine(w).put(p, s).String() }

// wrap breaks a text at blanks into rows of at most n cells; a longer word is
// broken anywhere. Nothing but the blank at a break is lost, and line ends in
// the text stay: commands are shown so too.
func wrap(s string, n int) []string {
	if n <= 0 {
		return nil
	}
	var rows []string
	for _, par := range strings.Split(s, "\n") {
		par, w := clean(par)
		if w <= n {
			rows = append(rows, par)
			continue
		}
		row, used := "", 0
		for i, word := range strings.Split(par, " ") {
			ww := width(word)
			if i > 0 && used+1+ww <= n {
				row, used = row+" "+word, used+1+ww
				continue
			}
			if i > 0 {
				rows = append(rows, row)
			}
			parts := hard(word, n)
			rows = append(rows, parts[:len(parts)-1]...)
			row = parts[len(parts)-1]
			used = width(row)
		}
		rows = append(rows, row)
	}
	return rows
}

// hard breaks a text at exactly n cells, changing no character: for log
// lines, where a moved blank would be a lie.
func hard(s string, n int) []string {
	s, w := clean(s)
	if w <= n || n <= 0 {
		return []string{s}
	}
	return strings.Split(ansi.Hardwrap(s, n, true), "\n")
}

// chosenRow shows a finished row as selected; the words and marks stay.
func (s *styles) chosenRow(row string) string { return s.chosen.on(ansi.Strip(row)) }
