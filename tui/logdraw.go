package tui

import (
	"fmt"
	"regexp"
	"strings"

	"chef-backend-cockpit/cluster"
)

// drawLogs draws the page and its head. Only what can be seen is touched.
func (m *model) drawLogs(r rect) []string {
	p := &m.logs
	rows := make([]string, 0, r.h)
	rows = append(rows, m.logHead(r.w))
	room := r.h - 1
	if p.err != nil {
		return padRows(append(rows, textLine(r.w, m.st.amber, " ! "+p.err.Error()),
			textLine(r.w, m.st.plain, "   / asks anew, x shows everything")), r.w, r.h)
	}
	if len(p.page.Lines) == 0 {
		return padRows(append(rows, textLine(r.w, m.st.dim, " "+m.emptyLog())), r.w, r.h)
	}
	var body []string
	selected := -1
	find := m.finder()
	for _, l := range p.page.Lines[max(len(p.page.Lines)-room, 0):] {
		if l.Seq == p.sel && p.sel != 0 && (m.focus == paneLogs || !p.follow) {
			selected = len(body)
			body = append(body, m.selectedLine(l, r.w)...)
			continue
		}
		if p.wrap {
			body = append(body, m.wrapped(l, r.w, find)...)
			continue
		}
		body = append(body, m.logLine(l, r.w, find))
	}
	from := max(len(body)-room, 0)
	if selected >= 0 && selected < from {
		from = selected
	}
	return padRows(append(rows, body[from:min(from+room, len(body))]...), r.w, r.h)
}

// emptyLog says why no line is shown: quiet is not lost.
func (m *model) emptyLog() string {
	p := &m.logs
	if p.inFlight && p.page.Held == 0 {
		return "no lines yet"
	}
	if p.page.Held > 0 {
		return fmt.Sprintf("no line of %d matches; x shows everything", p.page.Held)
	}
	return "no lines yet; s shows the streams"
}

// logHead says what is shown and whether all streams live.
func (m *model) logHead(w int) string {
	p := &m.logs
	l := newLine(w-1).gap(1).put(m.head(paneLogs), "LOGS").gap(3)
	tail, tp := m.streamsTail()
	state := ", following"
	switch {
	case p.follow:
	case p.page.Newer > 0:
		state = fmt.Sprintf(", paused: %d below", p.page.Newer)
	default:
		state = ", paused"
	}
	room := w - 1 - l.x - width(tail) - 2 - len(state)
	says := m.logSays(true)
	if width(says) > room {
		says = m.logSays(false)
	}
	l.upTo(m.st.plain, short(says, room), room)
	if p.follow || p.page.Newer == 0 {
		l.upTo(m.st.plain, state, len(state))
	} else {
		l.upTo(m.st.strong, state, len(state))
	}
	return l.gap(2).right(tp, tail).String() + " "
}

// logSays tells which lines are shown, and how.
func (m *model) logSays(roomy bool) string {
	p := &m.logs
	says := p.of.says(roomy)
	if p.of != p.logFilter {
		says += "; looking anew"
	}
	says += p.logSight.says(m.zone(), m.now())
	if p.reading {
		says += "; reading older lines"
	}
	return says
}

// says tells which lines are shown; where there is little room only what is
// left out is told.
func (p logFilter) says(roomy bool) string {
	var parts []string
	add := func(chosen, all string) {
		switch {
		case chosen != "":
			parts = append(parts, chosen)
		case roomy:
			parts = append(parts, all)
		}
	}
	add(p.node, "all nodes")
	add(p.service, "all services")
	if p.level > cluster.LevelNone {
		level := map[cluster.Level]string{cluster.LevelInfo: "info", cluster.LevelWarning: "warning", cluster.LevelError: "error"}[p.level]
		parts = append(parts, level+" and worse")
	}
	if p.signs {
		parts = append(parts, "signs only")
	}
	if p.text != "" {
		text := fmt.Sprintf("%q", p.text)
		if p.all {
			text += " marked"
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		return "everything"
	}
	return strings.Join(parts, ", ")
}

// finder finds the searched text in a line; nil where there is none.
func (m *model) finder() func(string) (int, int) {
	q := m.logs.of.withText()
	switch {
	case q.Text == "":
		return nil
	case q.Regexp:
		re, err := regexp.Compile(q.Text)
		if err != nil {
			return nil
		}
		return func(s string) (int, int) {
			if at := re.FindStringIndex(s); at != nil {
				return at[0], at[1]
			}
			return -1, -1
		}
	}
	fold := strings.ToLower(q.Text) == q.Text
	return func(s string) (int, int) {
		if fold {
			if low := strings.ToLower(s); len(low) == len(s) {
				s = low
			}
		}
		i := strings.Index(s, q.Text)
		return i, i + len(q.Text)
	}
}

// levelLetters stand before a line: D I W E, - where the service tells none.
var levelLetters = [...]string{"-", "D", "I", "W", "E"}

// prefix writes what stands before a line's text.
func (m *model) prefix(l *line, k cluster.Line) {
	wide := l.w >= 100
	stamp := m.stamp(k.Stamp, wide)
	l.gap(1)
	if wide {
		l.col(m.st.dim, stamp, 14)
	} else {
		l.col(m.st.dim, stamp, 9)
	}
	name := 3
	for _, n := range m.nodeList() {
		name = max(name, min(width(n.Name), 12))
	}
	l.col(m.st.plain, k.Node, name+1)
	if wide {
		l.col(m.st.dim, k.Service, 14)
	} else {
		l.col(m.st.dim, shortService(k.Service), 11)
	}
	letter := levelLetters[min(int(k.Level), len(levelLetters)-1)]
	if k.Text == "" && k.Kind == cluster.LineText || k.Kind == cluster.LineBegin {
		letter = "" // the service wrote an empty line: there is nothing to grade
	}
	lp := m.st.dim
	if k.Level >= cluster.LevelWarning {
		lp = m.st.strong
	}
	l.col(lp, letter, 2)
	if k.Sign != "" {
		l.put(m.st.amber, "» ")
	}
}

// lineText is a line's text with what happened to it on its way.
func lineText(k cluster.Line) string {
	s := k.Text
	if k.Kind == cluster.LineGap {
		s = "! lines are missing here: " + s
	}
	if k.Late {
		s = "(late) " + s
	}
	if k.Cut > 0 {
		s += fmt.Sprintf(" [+%s cut off]", bytesText(k.Cut))
	}
	return s
}

// logLine is one line, cut where the screen ends.
func (m *model) logLine(k cluster.Line, w int, find func(string) (int, int)) string {
	l := newLine(w)
	m.prefix(l, k)
	text := lineText(k)
	if aside := m.logs.aside; aside > 0 {
		mark := before
		if text == "" {
			mark = " " // nothing of it is out of sight
		}
		text = fromCell(head(text, aside+w), aside)
		l.put(m.st.dim, mark)
	}
	if len(text) > 4*w && find != nil {
		text = text[:4*w] // more cannot be seen
	}
	return m.putFound(l, m.linePaint(k), head(text, w), find).String()
}

// linePaint is how a line's text is shown.
func (m *model) linePaint(k cluster.Line) paint {
	switch {
	case k.Kind == cluster.LineGap:
		return m.st.amber
	case k.Level >= cluster.LevelError:
		return m.st.strong
	case k.Level == cluster.LevelDebug || k.Kind == cluster.LineBegin:
		return m.st.dim
	}
	return m.st.plain
}

// putFound writes a text, with what was searched for marked in it.
func (m *model) putFound(l *line, p paint, text string, find func(string) (int, int)) *line {
	if find != nil {
		text, _ = clean(text)
		if i, j := find(text); i >= 0 && j > i && j <= len(text) && l.x+width(text[:j]) < l.w {
			return l.put(p, text[:i]).put(m.st.match, text[i:j]).put(p, text[j:])
		}
	}
	return l.put(p, text)
}

// head keeps the part of a long text that can be seen at all, so that a line
// of 8 KiB costs no more than a short one. A cell needs at most 32 bytes here.
func head(s string, w int) string {
	if len(s) > 32*w {
		return s[:32*w]
	}
	return s
}

// selectedLine is the selected line, whole where that was asked for.
func (m *model) selectedLine(k cluster.Line, w int) []string {
	switch {
	case m.logs.unfold:
	case m.logs.wrap:
		rows := m.wrapped(k, w, nil)
		for i := range rows {
			rows[i] = m.st.chosenRow(rows[i])
		}
		return rows
	default:
		return []string{m.st.chosenRow(m.logLine(k, w, nil))}
	}
	l := newLine(w)
	m.prefix(l, k)
	at := l.x
	parts := hard(lineText(k), w-at-1)
	rows := []string{m.st.chosenRow(l.put(m.st.plain, parts[0]).String())}
	for _, s := range parts[1:] {
		rows = append(rows, newLine(w).gap(at).put(m.st.strong, s).String())
	}
	if s, ok := m.door.SignMeaning(k.Sign); k.Sign != "" && ok {
		for _, row := range wrap("sign "+s.Name+": "+s.Meaning, w-at-1) {
			rows = append(rows, newLine(w).gap(at).put(m.st.amber, row).String())
		}
	}
	return rows
}

// whyLog explains the selected line, else the streams.
func (m *model) whyLog() {
	i := m.logs.index()
	if i < 0 {
		m.push(&textView{heading: "Streams: one is one node's service", make: streamRows})
		return
	}
	k := m.logs.page.Lines[i]
	v := &textView{heading: "Line of " + k.Service + " on " + k.Node + ", " + clockText(k.Stamp) + "Z"}
	v.make = func(m *model, w int) []string {
		rows := hard(lineText(k), w)
		if s, ok := m.door.SignMeaning(k.Sign); k.Sign != "" && ok {
			rows = append(rows, "", m.st.title.on("Recognised as "+s.Name))
			rows = append(rows, wrap(s.Meaning+".", w)...)
			rows = append(rows, "", m.st.dim.on("A line raises a suspicion only; looks at the nodes confirm it."))
		}
		return rows
	}
	m.push(v)
}
