package tui

import (
	"fmt"
	"slices"
	"time"

	"chef-backend-cockpit/cluster/watch"
)

// rateRows draws how many errors each service wrote, minute by minute.
func rateRows(m *model, w int) []string {
	t, ok := m.door.(watch.RateTeller)
	if !ok {
		return wrap("Errors are counted on a living cluster only.", w)
	}
	var nodes []string
	of := "all nodes"
	if m.logs.node != "" {
		nodes, of = []string{m.logs.node}, m.logs.node
	}
	minutes := min(60, max(w-40, 10))
	rates := t.ErrorRates(nodes, minutes)
	most := 1
	for _, r := range rates {
		most = max(most, slices.Max(r.Counts))
	}
	rows := append(wrap(fmt.Sprintf("Lines of level error, %s, the last %d minutes; the highest bar is %d in a minute.", of, minutes, most), w), "")
	rows = append(rows, newLine(w).col(m.st.dim, "service", 15).col(m.st.dim, fmt.Sprintf("%d min ago", minutes), minutes-3).col(m.st.dim, "now", 5).
		col(m.st.dim, "in all", 8).put(m.st.dim, "last min").String())
	for _, r := range rates {
		sum := 0
		for _, n := range r.Counts {
			sum += n
		}
		known := func(i int) bool {
			end := r.Until.Add(-time.Duration(len(r.Counts)-1-i) * time.Minute)
			return !r.Since.IsZero() && end.After(r.Since)
		}
		p := m.st.plain
		if sum > 0 {
			p = m.st.strong
		}
		rows = append(rows, newLine(w).col(m.st.plain, r.Service, 15).col(p, rateBar(r.Counts, known, most), minutes+2).
			col(p, fmt.Sprint(sum), 8).put(p, fmt.Sprint(r.Counts[len(r.Counts)-1])).String())
	}
	rows = append(rows, "")
	return append(rows, wrap("A dot is a minute without an error, a blank one of which no line was read. b in the logs chooses the node.", w)...)
}
