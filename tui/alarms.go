package tui

import (
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
)

// alarmsPane is the findings that stand, without those that fold under
// another one. The selection holds on to the finding, not to the row.
type alarmsPane struct {
	shown  []cluster.Finding
	folded map[string][]cluster.Finding // by the ID of the finding above
	at     int
	id     string
	acked  map[string]bool // acknowledged here, until the state says so too
}

// take sorts a new list of findings.
func (p *alarmsPane) take(all []cluster.Finding) {
	p.shown, p.folded = nil, map[string][]cluster.Finding{}
	stands := map[string]bool{}
	for _, f := range all {
		stands[f.ID()] = true
	}
	for _, f := range all {
		f.Acked = f.Acked || p.acked[f.ID()]
		if f.Under != "" && stands[f.Under] {
			p.folded[f.Under] = append(p.folded[f.Under], f)
			continue
		}
		p.shown = append(p.shown, f)
	}
	for id := range p.acked {
		if !stands[id] {
			delete(p.acked, id)
		}
	}
	for i, f := range p.shown {
		if f.ID() == p.id {
			p.at = i
			return
		}
	}
	p.choose(0)
}

func (p *alarmsPane) choose(i int) {
	p.at = max(min(i, len(p.shown)-1), 0)
	p.id = ""
	if f, ok := p.selected(); ok {
		p.id = f.ID()
	}
}

func (p *alarmsPane) selected() (cluster.Finding, bool) {
	if p.at < 0 || p.at >= len(p.shown) {
		return cluster.Finding{}, false
	}
	return p.shown[p.at], true
}

func (p *alarmsPane) ack(id string) {
	if p.acked == nil {
		p.acked = map[string]bool{}
	}
	p.acked[id] = true
	for i := range p.shown {
		if p.shown[i].ID() == id {
			p.shown[i].Acked = true
		}
	}
}

func (m *model) alarmsKey(k tea.KeyMsg) tea.Cmd {
	switch {
	case is(k, m.keys.Up):
		m.alarms.choose(m.alarms.at - 1)
	case is(k, m.keys.Down):
		m.alarms.choose(m.alarms.at + 1)
	case is(k, m.keys.Choose):
		m.why()
	}
	return nil
}

// drawAlarms draws at most five findings, the gravest first.
func (m *model) drawAlarms(r rect) []string {
	n := len(m.alarms.shown)
	room := min(r.h-1, 5)
	top := max(min(m.alarms.at-room+1, n-room), 0)
	rows := []string{m.alarmHead(r.w, n, n-room)}
	var first bool
	for _, f := range m.alarms.shown {
		first = first || f.FirstOut
	}
	for i := top; i < min(top+room, n); i++ {
		chosen := i == m.alarms.at && m.focus == paneAlarms && m.top() == nil
		rows = append(rows, m.alarmRow(m.alarms.shown[i], r.w, first && n > 1, chosen))
		if i == m.alarms.at && n < room {
			more := m.alarmMore(m.alarms.shown[i], r.w, first && n > 1)
			rows = append(rows, more[:min(len(more), room-n)]...)
		}
	}
	return padRows(rows, r.w, r.h)
}

func (m *model) alarmHead(w, n, more int) string {
	l := newLine(w-1).gap(1).put(m.head(paneAlarms), "ALARMS").gap(3)
	if n == 0 {
		l.put(m.st.dim, "none")
		if m.state != nil && m.state.Last != nil {
			last := m.state.Last
			l.gap(3).right(m.st.dim, "last: "+last.ID+", "+clockText(last.Ended)+"Z, for "+stoodText(last))
		}
		return l.String() + " "
	}
	fresh, folded := 0, 0
	for _, f := range m.alarms.shown {
		if !f.Acked {
			fresh++
		}
		folded += len(m.alarms.folded[f.ID()])
	}
	says := plural(n, "finding", "findings")
	if fresh > 0 {
		says += ", " + plural(fresh, "new", "new")
	}
	if folded > 0 {
		says += ", " + plural(folded, "consequence", "consequences") + " folded"
	}
	l.put(m.st.plain, says)
	if more > 0 {
		l.gap(3).right(m.st.strong, "+"+plural(more, "further", "further"))
	}
	return l.String() + " "
}

// alarmRow is one finding: priority, new or seen, first-out, name, title, how
// it is known and since when, what it folds, and what is offered first.
func (m *model) alarmRow(f cluster.Finding, w int, firstColumn, chosen bool) string {
	p := m.st.priority(f.Priority)
	l := newLine(w - 1)
	if chosen {
		l.put(m.st.strong, ">")
	}
	l.to(1).put(p, f.Priority.String()).gap(1)
	if chosen {
		p = p.reversed()
	}
	fresh, first := "   ", ""
	if !f.Acked {
		fresh = "new"
	}
	l.col(m.st.strong, fresh, 4)
	if firstColumn {
		if f.FirstOut {
			first = "first"
		}
		l.col(m.st.strong, first, 6)
	}
	tail := m.alarmTail(f, w)
	name := f.Failure
	if f.Node != "" {
		name += " " + strings.Join(f.Nodes, " ")
	}
	room := w - 2 - l.x - width(tail)
	l.upTo(p, name, room)
	if text := ": " + f.Title; room-width(name) > 12 && f.Title != "" {
		l.upTo(m.st.plain, text, room-width(name)-1)
	}
	return l.gap(1).right(m.st.plain, tail).String() + " "
}

// alarmMore uses rows that stand empty: the whole title of the selected
// finding where its row had to cut it, and what it folds.
func (m *model) alarmMore(f cluster.Finding, w int, firstColumn bool) []string {
	at := 8
	if firstColumn {
		at = 14
	}
	var rows []string
	name := strings.TrimSpace(f.Failure + " " + strings.Join(f.Nodes, " "))
	if at+width(name)+2+width(f.Title)+width(m.alarmTail(f, w))+2 > w-1 {
		for _, s := range wrap(f.Title, w-at-2) {
			rows = append(rows, newLine(w).gap(at).put(m.st.plain, s).String())
		}
	}
	for _, c := range m.alarms.folded[f.ID()] {
		says := "+ " + strings.TrimSpace(c.Failure+" "+strings.Join(c.Nodes, " "))
		rows = append(rows, newLine(w).gap(at).put(m.st.dim, says+"   folded: its consequence").String())
	}
	return rows
}

// alarmTail is the right end of a finding's row.
func (m *model) alarmTail(f cluster.Finding, w int) string {
	var parts []string
	if n := len(m.alarms.folded[f.ID()]); n > 0 {
		parts = append(parts, "+"+plural(n, "folded", "folded"))
	}
	since := ageText(m.now().Sub(f.Since))
	word := "confirmed"
	if f.Certainty == cluster.Suspected {
		word = "? suspected"
	}
	switch {
	case w >= 100:
		parts = append(parts, fmt.Sprintf("%-11s %6s", word, since))
	case f.Certainty == cluster.Suspected:
		parts = append(parts, word+" "+since)
	default:
		parts = append(parts, since)
	}
	if w >= 100 {
		offer := "-"
		for _, o := range f.Offers {
			if o.Procedure != "observe" || len(f.Offers) == 1 {
				offer = o.Procedure
				break
			}
		}
		last, n := clip(offer, 23)
		parts = append(parts, last+strings.Repeat(" ", 23-n))
	}
	return strings.Join(parts, "   ")
}
