package tui

import (
	"slices"

	"chef-backend-cockpit/cluster"
)

// wrapMost bounds the rows of one wrapped line; Enter shows it whole.
const wrapMost = 8

// textAt is the column at which the texts of lines begin.
func (m *model) textAt(k cluster.Line, w int) int {
	l := newLine(w)
	m.prefix(l, k)
	return l.x
}

// wrapped is a line in as many rows as it needs, wrapMost at most.
func (m *model) wrapped(k cluster.Line, w int, find func(string) (int, int)) []string {
	at := m.textAt(k, w)
	parts, more := m.wrapParts(k, w-at-1, wrapMost)
	p := m.linePaint(k)
	rows := make([]string, 0, len(parts))
	for i, s := range parts {
		l := newLine(w)
		if i == 0 {
			m.prefix(l, k)
		} else {
			l.gap(at)
		}
		m.putFound(l, p, s, find)
		if more && i == len(parts)-1 {
			l.to(w-1).put(m.st.dim, cut)
		}
		rows = append(rows, l.String())
	}
	return rows
}

// wrapParts are the rows of a line's text, at most so many, and whether there
// are more.
func (m *model) wrapParts(k cluster.Line, w, most int) (parts []string, more bool) {
	text := lineText(k)
	parts = wrap(head(text, w*most), w)
	more = len(parts) > most
	return parts[:min(len(parts), most)], more
}

// fitWrapped leaves those lines of a page that fit into the pane when they are
// wrapped, so that no line is passed by on the way up or down. The page then
// ends at the line that it returns.
func (m *model) fitWrapped(a logMsg) logMsg {
	lines, w, room := a.page.Lines, m.lay.logs.w, m.logs.rows
	if !m.logs.wrap || len(lines) == 0 {
		return a
	}
	anchor, down := len(lines)-1, false
	switch i := slices.IndexFunc(lines, func(l cluster.Line) bool { return l.Seq >= a.ask.end }); {
	case a.ask.jump != nil && a.found != 0:
		anchor, down = max(slices.IndexFunc(lines, func(l cluster.Line) bool { return l.Seq >= a.found }), 0), true
	case a.ask.delta > 1 && a.ask.end != 0:
		anchor, down = max(i, 0), true // what stood last stands first
		if next := anchor + 1; next < len(lines) && m.wrappedRows(lines[anchor], w)+m.wrappedRows(lines[next], w) > room {
			anchor = next // unless there is no room for anything else
		}
	case a.ask.delta < 0:
		if i := slices.IndexFunc(lines, func(l cluster.Line) bool { return l.Seq == a.end }); i >= 0 {
			anchor = i
		}
	}
	from, to := anchor, anchor+1
	left := room - m.wrappedRows(lines[anchor], w)
	for _, down := range []bool{down, !down} {
		for {
			i := from - 1
			if down {
				i = to
			}
			if i < 0 || i >= len(lines) || m.wrappedRows(lines[i], w) > left {
				break
			}
			left -= m.wrappedRows(lines[i], w)
			from, to = min(from, i), max(to, i+1)
		}
	}
	a.page.Lines = lines[from:to]
	a.page.Newer += uint64(len(lines) - to)
	if from > 0 {
		a.page.Older, a.page.Beyond = true, false
	}
	if a.end != 0 {
		a.end = lines[to-1].Seq
	}
	return a
}

// wrappedRows is how many rows a line takes.
func (m *model) wrappedRows(k cluster.Line, w int) int {
	parts, _ := m.wrapParts(k, w-m.textAt(k, w)-1, wrapMost)
	return len(parts)
}
