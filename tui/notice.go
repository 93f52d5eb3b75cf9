package tui

import (
	"strings"
	"time"
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
