package tui

import (
	"strings"
	"unicode"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
)

// painter puts frames on the terminal at once, and of a frame the rows that
// differ from the last one. Bubble Tea's own renderer draws on a ticker, which
// woke an idle cockpit thirty times a second for nothing and let a key wait for
// the next tick; it keeps what it does beside: raw mode, the alternate screen,
// the cursor, and giving all that back. It is for Bubble Tea's loop alone.
type painter struct {
	out   *output
	w, h  int
	shown []string // what stands on the terminal, by row; nil: not known
	begun bool     // a first frame was asked for: Bubble Tea has the terminal
}

// resize is told of a new size: how the terminal breaks its rows anew is not known.
func (p *painter) resize(w, h int) {
	p.w, p.h = w, h
	p.forget()
}

// forget has the next frame painted whole, on an empty screen.
func (p *painter) forget() { p.shown = nil }

// paint shows a frame.
func (p *painter) paint(frame string) {
	if p.w < 1 || p.h < 1 {
		return
	}
	rows := strings.Split(frame, "\n")
	rows = rows[max(0, len(rows)-p.h):]
	var b strings.Builder
	if p.shown == nil {
		b.WriteString(ansi.EraseEntireScreen)
	}
	for i := range max(len(rows), len(p.shown)) {
		row, was := rowAt(rows, i), rowAt(p.shown, i)
		if row == was && p.shown != nil || p.shown == nil && row == "" {
			continue
		}
		n := ansi.StringWidth(row)
		if n > p.w { // it would go on in the next row
			b.WriteString(ansi.CursorPosition(1, i+1) + ansi.Truncate(row, p.w, ""))
			continue
		}
		stays := sameBefore(was, row)
		b.WriteString(ansi.CursorPosition(1+ansi.StringWidth(row[:stays]), i+1) + row[stays:])
		if n < p.w { // else erasing the rest would take the last cell
			b.WriteString(ansi.EraseLineRight)
		}
	}
	p.shown = rows
	if b.Len() > 0 && p.out.Send(b.String()) != nil {
		p.forget() // a terminal that is gone shows by its input
	}
}

// reset ends every style of a row.
const reset = "\x1b[0m"

// sameBefore is how much of a row, in bytes, stands there already: up to where
// both are alike and no style is on, behind a blank or a whole style, so that no
// character is cut. Behind a character that terminals give different widths
// nothing is taken for known.
func sameBefore(was, row string) int {
	n := 0
	for n < min(len(was), len(row)) && was[n] == row[n] {
		n++
	}
	alike := row[:n]
	if wide := strings.IndexFunc(alike, disputed); wide >= 0 {
		alike = alike[:wide]
	}
	from := 0
	if i := strings.LastIndex(alike, reset); i >= 0 {
		from = i + len(reset)
	}
	plain := alike[from:]
	if esc := strings.IndexByte(plain, '\x1b'); esc >= 0 {
		plain = plain[:esc]
	}
	return from + strings.LastIndexByte(plain, ' ') + 1
}

// disputed is a character that may not be one cell wide: all but ASCII and the
// lines of our boxes.
func disputed(r rune) bool { return r > unicode.MaxASCII && (r < '─' || r > '╿') }

// rowAt is a row, or nothing below the last.
func rowAt(rows []string, i int) string {
	if i < len(rows) {
		return rows[i]
	}
	return ""
}

// painted is the model as Bubble Tea runs it: what is seen goes to the painter.
type painted struct {
	*model
	painter *painter
}

type (
	// sizeMsg is tea.WindowSizeMsg under another name, so that Bubble Tea's
	// renderer knows no size and clears nothing.
	sizeMsg tea.WindowSizeMsg
	// repaintMsg has everything painted anew.
	repaintMsg struct{}
)

// repaint is a command: another program may have written on the screen.
func repaint() tea.Msg { return repaintMsg{} }

// bySize is Bubble Tea's filter of messages.
func bySize(_ tea.Model, msg tea.Msg) tea.Msg {
	if size, ok := msg.(tea.WindowSizeMsg); ok {
		return sizeMsg(size)
	}
	return msg
}

// Update takes one message.
func (s painted) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch m := msg.(type) {
	case sizeMsg:
		s.painter.resize(m.Width, m.Height)
		msg = tea.WindowSizeMsg(m)
	case repaintMsg, tea.ResumeMsg:
		s.painter.forget()
	}
	_, cmd := s.model.Update(msg)
	return s, cmd
}

// idle is what Bubble Tea's renderer is given to draw: nothing that shows, and
// never anything else, so that it has nothing to do.
const idle = "\x1b[m"

// View paints the frame.
func (s painted) View() string {
	s.painter.begun = true
	s.painter.paint(s.model.View())
	return idle
}
