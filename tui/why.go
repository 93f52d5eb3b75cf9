package tui

import (
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
)

// whyView is a finding with its evidence: for, against and missing, and what
// is offered. It goes on showing the finding as it last stood.
type whyView struct {
	box
	offers
	finding cluster.Finding
	folded  []cluster.Finding
	rivals  []cluster.Rival
	gone    bool
	moved   bool // the cursor was moved: the list must be visible
	total   int  // rows of the body when it was last drawn
}

func newWhyView(m *model, f cluster.Finding) *whyView {
	return &whyView{finding: f, folded: m.alarms.folded[f.ID()], offers: offersOf(m.door.Offers(f.ID())), rivals: m.door.Rivals(f.ID())}
}

func (v *whyView) refresh(m *model) {
	v.gone = true
	for _, f := range m.state.Findings {
		if f.ID() == v.finding.ID() {
			v.finding, v.folded, v.gone = f, m.alarms.folded[f.ID()], false
		}
	}
	if !v.gone {
		v.offers.renew(m.door.Offers(v.finding.ID()))
		v.rivals = m.door.Rivals(v.finding.ID())
	}
}

func (v *whyView) head(m *model) (string, string) {
	f := v.finding
	left := f.Failure
	if f.Node != "" {
		left += " on " + strings.Join(f.Nodes, ", ")
	}
	if v.gone {
		return left, goneText
	}
	return left, string(f.Certainty) + ", since " + clockText(f.Since) + "Z, " + f.Priority.String()
}

func (v *whyView) body(m *model, w int) ([]string, int) {
	f := v.finding
	rows := wrap(f.Title, w)
	for i := range rows {
		rows[i] = m.st.strong.on(rows[i])
	}
	if d, ok := m.door.Describe(f.Failure); ok {
		for _, p := range [][2]string{{"Cause", d.Cause}, {"Ignored", d.Ignored}, {"Time", d.Time}, {"First", d.First}, {"Guide", d.Section}} {
			rows = append(rows, m.labelled(p[0], p[1], w)...)
		}
		rows = append(rows, m.evidence(f, w)...)
		if len(d.Advice) > 0 {
			rows = append(rows, "")
		}
		for i, a := range d.Advice {
			rows = append(rows, m.labelled(map[bool]string{true: "Advice"}[i == 0], a, w)...)
		}
	} else {
		rows = append(rows, m.evidence(f, w)...)
	}
	rows = append(rows, m.rivalRows(f, v.rivals, w)...)
	if len(v.folded) > 0 {
		rows = append(rows, "", m.st.title.on("Folded under it, as consequences"))
		for _, c := range v.folded {
			rows = append(rows, textLine(w, m.st.plain, "  + "+strings.TrimSpace(c.Failure+" "+strings.Join(c.Nodes, " "))+": "+c.Title))
		}
	}
	rows = append(rows, "", m.st.title.on("Offered"))
	list, at := v.offers.rows(m, w)
	v.total = len(rows) + len(list)
	if !v.moved {
		return append(rows, list...), -1
	}
	return append(rows, list...), len(rows) + at
}

// rivalRows say what would tell a suspected finding from another one.
func (m *model) rivalRows(f cluster.Finding, rivals []cluster.Rival, w int) []string {
	var rows []string
	for _, r := range rivals {
		other := r.A
		if other == f.ID() {
			other = r.B
		}
		rows = append(rows, "", m.st.title.on("What would tell it from "+other))
		for _, t := range r.Tells[:min(len(r.Tells), 3)] {
			where := strings.Join(t.Where, ", ")
			if where == "" {
				where = "all nodes"
			}
			says := t.Question.String() + ": a " + string(t.Look) + " (" + where + ")"
			for _, p := range [][2]string{{"yes", t.IfTrue}, {"no", t.IfFalse}} {
				if p[1] != "" {
					says += ", " + p[0] + " speaks for " + p[1]
				}
			}
			rows = append(rows, m.labelled("?", says+". p probes now.", w)...)
		}
	}
	return rows
}

// labelled is a text with a word at its left.
func (m *model) labelled(label, text string, w int) []string {
	return m.labelledIn(m.st.plain, label, text, w)
}

func (m *model) labelledIn(p paint, label, text string, w int) []string {
	if text == "" {
		return nil
	}
	var rows []string
	for i, s := range wrap(text, w-9) {
		l := newLine(w)
		if i == 0 {
			l.put(m.st.dim, label)
		}
		rows = append(rows, l.to(9).put(p, s).String())
	}
	return rows
}

// evidence lists what speaks for it, what against it, and what is not known.
func (m *model) evidence(f cluster.Finding, w int) []string {
	groups := map[string][]cluster.Evidence{}
	for _, e := range f.Evidence {
		side := string(e.Side)
		if e.Kind == "fact" && e.Answer == cluster.Unknown {
			side = "missing"
		}
		groups[side] = append(groups[side], e)
	}
	var rows []string
	for _, side := range []string{"for", "against", "missing"} {
		for i, e := range groups[side] {
			if i == 0 {
				rows = append(rows, "")
			}
			rows = append(rows, m.evidenceRows(side, i == 0, e, w)...)
		}
	}
	return rows
}

func (m *model) evidenceRows(side string, first bool, e cluster.Evidence, w int) []string {
	word, p := e.Answer.String(), m.st.plain
	switch {
	case e.Kind == "sign":
		word = "» sign"
	case e.Answer == cluster.Unknown:
		word, p = "? "+word, m.st.amber
	case e.Side == cluster.SideAgainst:
		word = map[cluster.Truth]string{cluster.True: "holds", cluster.False: "ruled out"}[e.Answer]
	}
	room := w - 9 - 11 - 30
	if w < 90 {
		room = w - 9 - 11 - 20
	}
	from := seenText(e, evidenceAge(m.looked(), e.At, e.Source), w-20-room-2)
	var rows []string
	for i, s := range wrap(e.Sentence, room) {
		l := newLine(w)
		if i == 0 {
			if first {
				l.put(m.st.title, side)
			}
			l.to(9).put(p, word).to(20)
		}
		l.to(20).col(m.st.plain, s, room)
		if i == 0 {
			l.gap(2).put(m.st.dim, from)
		}
		rows = append(rows, l.String())
	}
	return rows
}

// seenText says by whom and where evidence was seen, and how long ago, as far as
// the columns reach.
func seenText(e cluster.Evidence, age string, columns int) string {
	if age != "" {
		age = ", " + age
	}
	source, nodes := string(e.Source), strings.ReplaceAll(e.Node, ", ", " ")
	from := source + age
	if e.Node != "" {
		from = strings.TrimSpace(source+" on "+e.Node) + age
		for _, shorter := range []string{strings.TrimSpace(source + " " + nodes), nodes} {
			if width(from) > columns {
				from = shorter
			}
		}
	}
	return from
}

// foot says what became of the last choice, and what greyed offers wait for.
func (v *whyView) foot(m *model, w int) []string {
	if !v.moved && v.offers.word == "" && v.offers.cancel == nil {
		return nil
	}
	rows := v.offers.about(m, w)
	for len(rows) < 4 {
		rows = append(rows, "")
	}
	return rows[:min(len(rows), 6)]
}

func (v *whyView) bindings(m *model) []key.Binding {
	return []key.Binding{renamed(m.keys.Choose, "choose"), bind("up/down", "move"), bind("PgUp/PgDn", "read"), renamed(m.keys.Look, "probe"), renamed(m.keys.Back, "back")}
}

func (v *whyView) key(m *model, k tea.KeyMsg) tea.Cmd {
	switch {
	case is(k, m.keys.PageUp), is(k, m.keys.PageDown), is(k, m.keys.Top), is(k, m.keys.Bottom):
		v.scroll.key(m, k)
		return nil
	case is(k, m.keys.Look):
		if m.onlyShown() {
			return nil
		}
		m.say("looking at all nodes")
		return m.command(func() tea.Msg { m.door.LookNow(); return nil })
	case is(k, m.keys.Choose) && !v.moved && v.scroll.top+v.scroll.tall < v.total:
		v.moved = true // the list comes into sight before anything is chosen
		return nil
	case is(k, m.keys.Up), is(k, m.keys.Down):
		if !v.moved {
			v.moved = true
			return nil
		}
	}
	return v.offers.key(m, k)
}
