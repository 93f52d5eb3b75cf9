package tui

// helpText is every binding of the key map, group by group, and what dialogs
// and marks mean. Two columns where there is room: the last group stands in the
// left one, which is the shorter.
func helpText(m *model, w int) []string {
	var left, right []string
	groups := m.keys.groups()
	for i, g := range groups {
		to := &left
		if i >= 2 && i < len(groups)-1 && w >= 76 {
			to = &right
		}
		if len(*to) > 0 {
			*to = append(*to, "")
		}
		col := w
		if w >= 76 {
			col = w/2 - 1
		}
		*to = append(*to, newLine(col).put(m.st.title, g.title).String())
		for _, b := range g.keys {
			h := b.Help()
			*to = append(*to, newLine(col).gap(1).col(m.st.key, h.Key, 11).put(m.st.plain, h.Desc).String())
		}
	}
	rows := left
	if len(right) > 0 {
		rows = nil
		for i := 0; i < max(len(left), len(right)); i++ {
			var a, b string
			if i < len(left) {
				a = left[i]
			}
			if i < len(right) {
				b = right[i]
			}
			rows = append(rows, fill(a, w/2)+b)
		}
	}
	rows = append(rows, "")
	for _, s := range []string{
		"No single key changes a node. A dialog is dead until the keyboard has been quiet for 0.4 s, then live; T1 takes y, T2 and T3 the phrase " +
			"that it names, typed by hand, then Enter. Esc, Ctrl-C, or Enter on anything else is no.",
		"Marks: ! look at this   ? unknown   ~ age of an old look   » a recognised line   + folded under another finding. " +
			"A finding that came first was there before all others: perhaps their cause, not what to do first. Times are UTC; z shows those of log lines otherwise.",
	} {
		rows = append(rows, wrap(s, w)...)
	}
	return rows
}
