package tui

import (
	"fmt"
	"strings"
)

// streamsTail counts the streams and the holes in them at the end of the logs'
// head.
func (m *model) streamsTail() (string, paint) {
	alive, stale, gaps := 0, 0, uint64(0)
	for _, s := range m.logs.streams {
		switch {
		case s.Alive:
			alive++
		case s.Stale:
			stale++
		}
		gaps += s.Gaps
	}
	all := len(m.logs.streams)
	tail := fmt.Sprintf("%d of %d streams alive", alive, all)
	if gaps > 0 {
		tail += ", " + plural(int(gaps), "gap", "gaps")
	}
	switch {
	case all == 0:
		return "no streams yet", m.st.dim
	case alive == all:
		return tail, m.st.dim
	case alive+stale == all:
		return "~ " + tail + " (s)", m.st.amber
	}
	return "! " + tail + " (s)", m.st.amber
}

// streamRows says of every stream whether it is quiet, stale or lost, and what
// is missing in it. A stream that is alive was heard within its period; of the
// others the time of the last answer is shown.
func streamRows(m *model, w int) []string {
	if len(m.logs.streams) == 0 {
		return []string{"no stream has been opened yet"}
	}
	rows := []string{newLine(w).col(m.st.dim, "node", 10).col(m.st.dim, "service", 16).col(m.st.dim, "state", 14).col(m.st.dim, "answered", 10).
		col(m.st.dim, "last line", 10).col(m.st.dim, "lines", 10).col(m.st.dim, "gaps", 6).put(m.st.dim, "").String()}
	for _, s := range m.logs.streams {
		state, p, heard := "alive", m.st.plain, "in time"
		if !s.Alive {
			heard = "never"
			if !s.Heartbeat.IsZero() {
				heard = clockText(s.Heartbeat)
			}
		}
		switch {
		case s.Stale:
			state, p = "~ stale", m.st.amber
		case !s.Alive:
			state, p = "! lost", m.st.amber
		case s.LastLine.IsZero() || m.now().Sub(s.LastLine) > 2*slowPeriod:
			state = "quiet, alive"
		}
		gp := m.st.dim
		if s.Gaps > 0 {
			gp = m.st.amber
		}
		l := newLine(w).col(m.st.plain, s.Node, 10).col(m.st.plain, s.Service, 16).col(p, state, 14).col(m.st.dim, heard, 10).
			col(m.st.dim, clockText(s.LastLine), 10)
		l.col(m.st.dim, fmt.Sprint(s.Lines), 10).col(gp, fmt.Sprint(s.Gaps), 6)
		rows = append(rows, l.put(m.st.dim, s.Reason).String())
	}
	rows = append(rows, "")
	return append(rows, wrap("quiet: it answers and has nothing new. stale (~): no answer for 3 s. lost (!): none for longer, or the link is gone; "+
		"it is tried again, and what was written meanwhile is read then. gaps: holes where a file is gone from the node; each has a row of its own "+
		"in the log. Nothing else is ever left out.", w)...)
}

// rateBars are the heights of a bar, from one error to the most.
var rateBars = []rune("▁▂▃▄▅▆▇█")

// rateBar draws counts, the highest as a whole bar. A minute of which nothing
// is known is not one without errors.
func rateBar(counts []int, known func(int) bool, most int) string {
	var b strings.Builder
	for i, n := range counts {
		switch {
		case n > 0:
			b.WriteRune(rateBars[(n*len(rateBars)-1)/most])
		case known(i):
			b.WriteByte('.')
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}
