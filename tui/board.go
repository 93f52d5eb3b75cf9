package tui

import (
	"fmt"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
)

// boardPane is which cell of the disagreement board is selected.
type boardPane struct{ row, col int }

// cell is the selected cell; ok is false while the board is empty.
func (p *boardPane) cell(b cluster.Board) (row, col int, ok bool) {
	if len(b.Rows) == 0 {
		return 0, 0, false
	}
	p.row = max(min(p.row, len(b.Rows)-1), 0)
	cells := min(len(b.Rows[p.row].Cells), len(b.Columns))
	p.col = max(min(p.col, cells-1), 0)
	return p.row, p.col, cells > 0
}

func (m *model) boardKey(k tea.KeyMsg) tea.Cmd {
	switch {
	case is(k, m.keys.Up):
		m.board.row--
	case is(k, m.keys.Down):
		m.board.row++
	case is(k, m.keys.Left):
		m.board.col--
	case is(k, m.keys.Right):
		m.board.col++
	case is(k, m.keys.Choose):
		m.whyCell()
	}
	if m.state != nil {
		m.board.cell(m.state.Board)
	}
	return nil
}

// drawBoard draws what each layer says of each node, and names what
// contradicts.
func (m *model) drawBoard(r rect) []string {
	rows := make([]string, 0, r.h)
	if m.state == nil || len(m.state.Board.Rows) == 0 {
		rows = append(rows, newLine(r.w).gap(1).put(m.head(paneBoard), "LEADERSHIP").gap(3).put(m.st.dim, "not looked at yet").String())
		return padRows(rows, r.w, r.h)
	}
	b := m.state.Board
	first, widths := m.boardWidths(b, r.w-2)
	l := newLine(r.w).gap(1).put(m.head(paneBoard), "LEADERSHIP").to(first + 1)
	for i, c := range b.Columns {
		l.col(m.st.dim, short(c, widths[i]-1), widths[i])
	}
	rows = append(rows, l.String())
	selRow, selCol, _ := m.board.cell(b)
	lines := 1
	if r.h >= 1+2*len(b.Rows)+2 && r.w < 120 {
		lines = 2 // there is room to say the long words on two rows
	}
	for y, row := range b.Rows {
		for n := range lines {
			l := newLine(r.w).gap(1).col(m.st.title, map[bool]string{true: row.Node}[n == 0], first)
			for x, c := range row.Cells {
				if x >= len(widths) {
					break
				}
				p := m.st.mark(c.Mark)
				if m.focus == paneBoard && m.top() == nil && y == selRow && x == selCol {
					p = m.st.chosen
				}
				l.col(p, cellPart(cellText(c), widths[x]-1, n, lines), widths[x])
			}
			rows = append(rows, l.String())
		}
	}
	return padRows(append(rows, m.boardFoot(b, r.w, r.h-len(rows))...), r.w, r.h)
}

// cellText is a cell with its mark as a word's beginning.
func cellText(c cluster.Cell) string {
	if c.Mark == cluster.MarkNone || c.Mark == cluster.MarkLeader || strings.HasPrefix(c.Text, string(c.Mark)) {
		return c.Text
	}
	return string(c.Mark) + " " + c.Text
}

// cellPart is what stands on row n of a cell that has several: the last row
// takes, and cuts, the rest.
func cellPart(s string, w, n, lines int) string {
	if lines == 1 {
		return short(s, w)
	}
	for _, m := range []string{"! ", "? ", "~ "} { // a mark stays with its word
		if rest, ok := strings.CutPrefix(s, m); ok {
			s = m[:1] + "\u00a0" + rest
		}
	}
	parts := wrap(s, w)
	part := ""
	switch {
	case n == lines-1 && n < len(parts):
		part = short(strings.Join(parts[n:], " "), w)
	case n < len(parts):
		part = parts[n]
	}
	return strings.ReplaceAll(part, "\u00a0", " ")
}

// commonWidths are what the six columns take at least where there is room:
// enough for most of what they ever say.
var commonWidths = [...]int{22, 22, 18, 22, 11, 9}

// boardWidths gives each column what it needs, and takes it from the widest
// where there is not enough. They depend on the texts only as far as they
// outgrow a common width, so that columns keep still.
func (m *model) boardWidths(b cluster.Board, room int) (first int, widths []int) {
	first = 13
	widths = make([]int, len(b.Columns))
	need := make([]int, len(b.Columns))
	sum := first
	for i, c := range b.Columns {
		need[i] = width(c) + 1
		for _, row := range b.Rows {
			if i < len(row.Cells) {
				need[i] = max(need[i], width(cellText(row.Cells[i]))+1)
			}
		}
		widths[i] = need[i]
		if i < len(commonWidths) {
			widths[i] = max(need[i], commonWidths[i])
		}
		sum += widths[i]
	}
	narrower := func(spare func(i int) int) {
		for sum > room {
			most := 0
			for i := range widths {
				if spare(i) > spare(most) {
					most = i
				}
			}
			if len(widths) == 0 || spare(most) <= 0 {
				return
			}
			widths[most]--
			sum--
		}
	}
	narrower(func(i int) int { return widths[i] - need[i] })
	narrower(func(i int) int { return widths[i] - 8 })
	return first, widths
}

// boardFoot is what contradicts, and the last change of leadership.
func (m *model) boardFoot(b cluster.Board, w, h int) []string {
	if h <= 0 {
		return nil
	}
	last := m.lastChange()
	if len(b.Contradictions) == 0 {
		return []string{newLine(w-1).gap(1).put(m.st.dim, last).gap(2).right(m.st.dim, "no contradictions").String() + " "}
	}
	rows := make([]string, 0, h)
	for i, c := range b.Contradictions {
		l := newLine(w).gap(1)
		if more := len(b.Contradictions) - i - 1; i == h-1 && more > 0 {
			says := fmt.Sprintf("   +%d more: Tab to the board, w", more)
			rows = append(rows, l.upTo(m.st.red, "! "+c, w-l.x-len(says)-1).put(m.st.red, says).String())
			break
		}
		rows = append(rows, l.put(m.st.red, "! "+c).String())
	}
	if len(rows) < h {
		rows = append(rows, newLine(w).gap(1).put(m.st.dim, last).String())
	}
	return rows[:min(len(rows), h)]
}

// changesKept is for how long changes of the elected leader are remembered.
const changesKept = 15 * time.Minute

// lastChange is the newest change of the elected leader that is remembered.
func (m *model) lastChange() string {
	v := m.view()
	if v == nil || len(v.Past.Elections) == 0 {
		if v != nil && !v.Past.Since.IsZero() && v.Now.Sub(v.Past.Since) > changesKept {
			return "leadership has not changed for 15 min"
		}
		return "leadership has not changed while watched"
	}
	e := v.Past.Elections[len(v.Past.Elections)-1]
	who := func(n string) string {
		if n == "" {
			return "nobody"
		}
		return n
	}
	text := "last change " + clockText(e.At) + "Z: " + who(e.From) + " to " + who(e.To)
	if n := len(v.Past.Elections); n > 1 {
		text += ", " + plural(n, "change", "changes") + " in 15 min"
	}
	return text
}

// head is the paint of a pane's head.
func (m *model) head(p pane) paint {
	if m.focus == p && m.top() == nil {
		return m.st.focus
	}
	return m.st.title
}

// padRows makes exactly h rows.
func padRows(rows []string, w, h int) []string {
	for len(rows) < h {
		rows = append(rows, strings.Repeat(" ", w))
	}
	return rows[:h]
}

// cellText is the claims behind a cell, for the box that shows them, and all
// that contradicts.
func (m *model) cellText(c cluster.Cell, w int) []string {
	rows := []string{newLine(w).put(m.st.mark(c.Mark), cellText(c)).String(), ""}
	rows = append(rows, wrap(c.Why.Sentence, w)...)
	if len(c.Why.Claims) > 0 {
		rows = append(rows, "", m.st.title.on("The claims behind it"))
	}
	for _, k := range c.Why.Claims {
		l := newLine(w).gap(2).col(m.st.plain, k.Name, 30).col(m.st.dim, string(k.Source)+" on "+k.Node, 26)
		rows = append(rows, l.put(m.st.dim, clockText(k.At)).gap(2).put(m.st.dim, evidenceAge(m.looked(), k.At, k.Source)).String())
	}
	if len(m.state.Board.Contradictions) > 0 {
		rows = append(rows, "", m.st.title.on("What contradicts"))
		for _, s := range m.state.Board.Contradictions {
			for _, r := range wrap("! "+s, w-2) {
				rows = append(rows, "  "+m.st.red.on(r))
			}
		}
	}
	return rows
}
