package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/x/ansi"

	"chef-backend-cockpit/cluster"
)

// draw makes all rows of the screen.
func (m *model) draw() []string {
	if m.h == 0 || m.w == 0 {
		return nil
	}
	if !m.lay.ok {
		return m.drawTooSmall()
	}
	rows := make([]string, m.h)
	rows[m.lay.situation.y] = m.drawSituation(m.w)
	rows[m.lay.ribbon.y] = m.drawRibbon(m.w)
	put(rows, m.lay.nodes, m.drawNodes(m.lay.nodes))
	lower := m.lay.logs
	boardBelow := m.lay.board.h == 0 && m.focus == paneBoard
	switch {
	case boardBelow:
		put(rows, lower, m.drawBoard(lower))
	default:
		put(rows, lower, m.drawLogs(lower))
	}
	if m.lay.board.h > 0 {
		put(rows, m.lay.board, m.drawBoard(m.lay.board))
	}
	alarms := m.drawAlarms(m.lay.alarms)
	if m.lay.beside {
		for i, a := range alarms {
			y := m.lay.alarms.y + i
			rows[y] = fill(rows[y], m.lay.board.w) + m.st.rule.on("│") + a
		}
	} else {
		put(rows, m.lay.alarms, alarms)
	}
	for _, r := range m.lay.rules {
		rows[r.y] = m.st.rule.on(m.ruleText(r))
	}
	rows[m.lay.footer.y] = m.drawFooter(m.w)
	if m.top() != nil {
		m.dimBehind(rows)
		m.drawBox(rows)
	}
	for i := range rows {
		rows[i] = strings.TrimRight(rows[i], " ")
	}
	return rows
}

// put copies the rows of a pane into the screen.
func put(rows []string, r rect, pane []string) {
	for i := 0; i < r.h && i < len(pane); i++ {
		rows[r.y+i] = pane[i]
	}
}

// ruleText is a thin rule, with crossings where the panes' own rules end.
func (m *model) ruleText(r rect) string {
	b := []rune(strings.Repeat("─", r.w))
	cross := func(x int, up, down bool) {
		if x <= 0 || x >= len(b) {
			return
		}
		switch {
		case up && down:
			b[x] = '┼'
		case up:
			b[x] = '┴'
		case down:
			b[x] = '┬'
		}
	}
	below := m.lay.beside && r.y+1 == m.lay.board.y
	above := m.lay.beside && r.y == m.lay.board.y+m.lay.board.h
	if m.lay.panes && r.y == m.lay.nodes.y+m.lay.nodes.h {
		n := max(len(m.nodeList()), 1)
		for i := 1; i < n; i++ {
			x := paneX(m.w, n, i) - 1
			cross(x, true, below && x == m.lay.board.w)
		}
	}
	if below && b[m.lay.board.w] == '─' {
		cross(m.lay.board.w, false, true)
	}
	if above {
		cross(m.lay.board.w, true, false)
	}
	return string(b)
}

// dimBehind makes everything between the situation and the keys quiet while a
// box stands over it.
func (m *model) dimBehind(rows []string) {
	for y := 2; y < len(rows); y++ {
		rows[y] = m.st.dim.on(strings.TrimRight(ansi.Strip(rows[y]), " "))
	}
}

// drawTooSmall says calmly what is needed.
func (m *model) drawTooSmall() []string {
	rows := make([]string, m.h)
	text := fmt.Sprintf("needs %dx%d, has %dx%d", leastWidth, leastHeight, m.w, m.h)
	says := []string{text, "enlarge it, or q to leave"}
	if _, asks := m.dialog(); asks {
		says[1] = "enlarge it to answer, or Esc for no"
	} else if !m.leavesAtOnce() {
		says[1] = "enlarge it to go on"
	}
	if m.state != nil {
		for _, f := range m.state.Findings {
			if f.Under == "" && f.Priority == cluster.P1 {
				says = append(says, "P1 "+f.ID())
			}
		}
	}
	if r := m.running(); r != nil {
		says = append(says, "running: "+r.Plan.Procedure+" "+r.Plan.Node)
	}
	for i, s := range says {
		if y := max((m.h-len(says))/2, 0) + i; y < m.h {
			s, n := clip(s, m.w)
			rows[y] = strings.Repeat(" ", (m.w-n)/2) + s
		}
	}
	return rows
}

// drawFooter is the row of keys for where the operator is.
func (m *model) drawFooter(w int) string {
	if m.prompt != nil {
		return m.drawPrompt(w)
	}
	l := newLine(w).gap(1)
	if m.top() != nil {
		return l.String()
	}
	last := []key.Binding{renamed(m.keys.Help, "help"), renamed(m.keys.Quit, "quit")}
	switch {
	case m.past != nil:
		last[1] = renamed(m.keys.Now, "now")
	case m.outer != nil:
		last[1] = m.keys.Leave
	}
	room := w - 2
	for _, b := range last {
		room -= width(b.Help().Key) + 1 + width(b.Help().Desc) + 3
	}
	for _, b := range append(m.footerKeys(room), last...) {
		h := b.Help()
		l.put(m.st.key, h.Key).put(m.st.dim, " "+h.Desc).gap(3)
	}
	return l.String()
}

// footerKeys are as many of the keys as there is room for.
func (m *model) footerKeys(room int) []key.Binding {
	k := m.keys
	var all []key.Binding
	all = append(all, renamed(k.NextPane, "pane"))
	switch m.focus {
	case paneAlarms:
		all = append(all, renamed(k.Why, "why"), renamed(k.Recover, "recover"), renamed(k.Acknowledge, "acknowledge"), renamed(k.NodeMenu, "node"), renamed(k.Text, "find"), renamed(k.NextSign, "next sign"))
	case paneNodes:
		all = append(all, renamed(k.Node, "node"), renamed(k.NodeMenu, "what can be done"), renamed(k.Why, "its claims"), renamed(k.Recover, "recover"))
	case paneBoard:
		all = append(all, bind("arrows", "cell"), renamed(k.Why, "claims behind it"), renamed(k.Recover, "recover"))
	default:
		all = append(all, renamed(k.Pause, map[bool]string{true: "pause", false: "resume"}[m.logs.follow]), renamed(k.Text, "find"), renamed(k.ByNode, "node"), renamed(k.ByService, "service"), renamed(k.ByLevel, "level"), renamed(k.NextSign, "next sign"), renamed(k.Unfold, "unfold"), renamed(k.Follow, "follow"))
	}
	all = append(all, renamed(k.Look, "probe"), renamed(k.Summary, "summary"))
	if m.player != nil {
		all = append(m.keys.replay(), all...)
	}
	if m.past != nil {
		all = append(m.keys.past()[:6:6], all...)
	} else if m.state != nil && m.state.Run != nil {
		all = append(all[:1], append([]key.Binding{renamed(k.Running, "plan")}, all[1:]...)...)
	}
	for i, b := range all {
		room -= width(b.Help().Key) + 1 + width(b.Help().Desc) + 3
		if room < 0 {
			return all[:i]
		}
	}
	return all
}
