package tui

import (
	"fmt"
	"strings"

	"chef-backend-cockpit/cluster"
)

// copiesText lays the copies of the database side by side: where each ends and
// how that is known, and what choosing one would lose of every other.
func (m *model) copiesText(w int) []string {
	t := m.view().CopyTable()
	rows := wrap(t.Sentence, w)
	for i := range rows {
		rows[i] = m.st.strong.on(rows[i])
	}
	rows = append(rows, "", m.copyLine(w, m.st.dim, "copy", "ends at", "timeline", "last commit", "system"))
	for _, r := range t.Rows {
		rows = append(rows, m.copyRow(r, w))
	}
	rows = append(rows, "")
	for _, r := range t.Rows {
		rows = append(rows, m.labelled(r.Node, r.Sentence, w)...)
		rows = append(rows, m.labelled("", historyText(r), w)...)
	}
	rows = append(rows, "", m.st.title.on("Choosing one as the leader loses of the others"))
	for _, r := range t.Rows {
		label := r.Node
		for _, c := range t.Pairs {
			if c.Chosen != r.Node {
				continue
			}
			p := m.st.plain
			switch {
			case c.Contained == cluster.Unknown:
				p = m.st.amber
			case c.Contained == cluster.False:
				p = m.st.red
			}
			rows = append(rows, m.labelledIn(p, label, lossWords(c), w)...)
			label = ""
		}
	}
	for _, b := range t.Branches {
		rows = append(rows, "")
		for _, s := range wrap(fmt.Sprintf("! %s and %s are two branches: each holds WAL that the other does not. Neither is further.", b[0], b[1]), w) {
			rows = append(rows, m.st.red.on(s))
		}
	}
	return rows
}

// lossWords is a comparison; what is not known has a mark.
func lossWords(c cluster.CopyComparison) string {
	switch c.Contained {
	case cluster.True:
		return c.Sentence
	case cluster.False:
		return "! " + c.Sentence
	}
	return "? of " + c.Other + ": " + c.Sentence
}

// historyText says how a copy came to its timeline; "" for the first one.
func historyText(r cluster.CopyRow) string {
	if len(r.History) == 0 {
		return ""
	}
	var parts []string
	for _, s := range r.History[max(0, len(r.History)-4):] {
		parts = append(parts, fmt.Sprintf("left timeline %d at %s", s.Parent, s.At))
	}
	return strings.Join(parts, ", ")
}

// copyRow is one copy in one row.
func (m *model) copyRow(r cluster.CopyRow, w int) string {
	end, p := "? unknown", m.st.dim
	if r.Known != cluster.EndUnknown && r.End != 0 {
		end, p = r.End.String()+" "+string(r.Known), m.st.plain
	}
	if r.Writes {
		end += ", goes on"
	}
	timeline, commit, system := "?", "?", "?"
	if r.Timeline != 0 {
		timeline = fmt.Sprint(r.Timeline)
	}
	if !r.Commit.IsZero() {
		commit = r.Commit.UTC().Format("01-02 15:04:05Z")
	}
	if r.SystemID != "" {
		system = r.SystemID
	}
	return m.copyLine(w, p, r.Node, end, timeline, commit, system)
}

// copyLine sets the columns of the table.
func (m *model) copyLine(w int, p paint, node, end, timeline, commit, system string) string {
	return newLine(w).col(m.st.title, node, 6).col(p, end, 34).col(p, timeline, 10).col(p, commit, 18).put(m.st.dim, system).String()
}
