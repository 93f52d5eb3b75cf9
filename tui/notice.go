package tui

import (
	"fmt"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
)

// flash is a word to the operator after a key. It stays for six seconds or
// until the next key.
type flash struct {
	text  string
	until time.Time
}

func (f *flash) fade(now time.Time) {
	if f.text != "" && now.After(f.until) {
		f.text = ""
	}
}

// say shows a word to the operator.
func (m *model) say(text string) {
	m.flash = flash{text, m.human.Now().Add(6 * time.Second)}
	m.dirty = true
}

// drawRibbon is the thin rule under the situation line. It carries the word
// to the operator, else the standing notices: nothing has to make room.
func (m *model) drawRibbon(w int) string {
	p, text := m.st.strong, m.flash.text
	if text == "" {
		p, text = m.notice(w - 7)
		if n := m.behindBox(); n != "" {
			p, text = m.st.red, "! Meanwhile: "+n // a box lies over the alarms
		}
	}
	switch {
	case m.past != nil:
		p, text = m.st.strong, m.pastRibbon(m.flash.text)
	case m.outer != nil:
		p, text = m.st.strong, m.rehearsalRibbon(text)
	}
	l := newLine(w)
	if text == "" {
		return l.put(m.st.rule, strings.Repeat("─", w)).String()
	}
	l.put(m.st.rule, "── ").upTo(p, text, w-7).put(m.st.rule, " ")
	return l.put(m.st.rule, strings.Repeat("─", max(w-l.x, 0))).String()
}

// behindBox are findings that came after the box was opened that lies over the
// alarms; "" without a box.
func (m *model) behindBox() string {
	if len(m.overlays) == 0 {
		return ""
	}
	return newcomers(m.alarms.shown, func(f cluster.Finding) bool {
		return !m.seen[f.ID()] && (f.Priority == cluster.P1 || !m.mended(f)) // a plan at work brings on some of its own
	})
}

// newcomers names the first of the findings that are new and grave enough to be
// told over anything else, and how many more there are; "" for none.
func newcomers(all []cluster.Finding, isNew func(cluster.Finding) bool) string {
	first, more := "", 0
	for _, f := range all {
		switch {
		case f.Under != "" || f.Acked || f.Priority > cluster.P2 || !isNew(f):
		case first == "":
			first = strings.TrimSpace(fmt.Sprintf("%s %s %s", f.Priority, f.Failure, f.Node))
		default:
			more++
		}
	}
	if more > 0 {
		first += fmt.Sprintf(" and %d more", more)
	}
	return first
}

// notice is the gravest standing notice, and how many more there are.
func (m *model) notice(room int) (paint, string) {
	if m.state == nil || len(m.state.Notices) == 0 {
		return m.st.plain, ""
	}
	all := m.state.Notices
	first := all[0]
	for _, n := range all {
		if n.Grave {
			first = n
			break
		}
	}
	p, text := m.st.strong, first.Text
	if first.Grave {
		p, text = m.st.red, "! "+text
	}
	if more := len(all) - 1; more > 0 {
		says := " (+" + plural(more, "notice", "notices") + ": c)"
		text = short(text, room-len(says)) + says
	}
	return p, text
}

// withNotices is a text with all standing notices before it.
func (m *model) withNotices(text string) string {
	var b strings.Builder
	if m.state != nil {
		for _, n := range m.state.Notices {
			b.WriteString("Notice: " + n.Text + "\n")
		}
	}
	return b.String() + text
}
