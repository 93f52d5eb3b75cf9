package tui

import (
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
)

// paneRows is the height of a node's pane: its name, five services, copy,
// disks, clock and sentinels.
const paneRows = 9

// nodesPane is which node is selected. Nodes keep their places.
type nodesPane struct{ at int }

func (p *nodesPane) clamp(n int) { p.at = max(min(p.at, n-1), 0) }

func (p *nodesPane) choose(i, n int) {
	if i >= 0 && i < n {
		p.at = i
	}
}

func (p *nodesPane) selected(all []cluster.Node) (cluster.Node, bool) {
	if p.at < 0 || p.at >= len(all) {
		return cluster.Node{}, false
	}
	return all[p.at], true
}

func (m *model) nodesKey(k tea.KeyMsg) tea.Cmd {
	n := len(m.nodeList())
	switch {
	case is(k, m.keys.Left), is(k, m.keys.Up):
		m.nodes.choose(m.nodes.at-1, n)
	case is(k, m.keys.Right), is(k, m.keys.Down):
		m.nodes.choose(m.nodes.at+1, n)
	case is(k, m.keys.Choose):
		m.whyNode()
	}
	return nil
}

// paneX is where the pane of node i of n begins.
func paneX(w, n, i int) int { return i * (w + 1) / n }

// drawNodes draws the nodes at their fixed places.
func (m *model) drawNodes(r rect) []string {
	all := m.nodeList()
	if len(all) == 0 {
		return []string{textLine(r.w, m.st.dim, " no node has been found yet")}
	}
	if !m.lay.panes {
		return m.drawNodeRows(r, all)
	}
	rows := make([]string, r.h)
	for i, n := range all {
		x, end := paneX(r.w, len(all), i), paneX(r.w, len(all), i+1)-1
		if i == len(all)-1 {
			end = r.w
		}
		pane := m.drawNode(m.lookAt(n, i), end-x, r.h)
		for y := range rows {
			if i > 0 {
				rows[y] += m.st.rule.on("│")
			}
			rows[y] += pane[y]
		}
	}
	return rows
}

// drawNode draws one pane.
func (m *model) drawNode(n nodeLook, w, h int) []string {
	rows := []string{m.nodeHead(n, w)}
	indent := 1
	if w >= 39 {
		indent = 3
	}
	row := func(label, text, note string, mark, noteMark cluster.Mark) {
		l := newLine(w).gap(indent)
		if label != "" {
			l.col(m.st.dim, label, 15)
		}
		l.put(m.st.mark(mark), text)
		if note != "" {
			l.to(max(indent+27, l.x+1)).put(m.st.mark(noteMark), note)
		}
		rows = append(rows, l.String())
	}
	for _, s := range n.services {
		row(s.name, s.state, s.note, s.mark, s.noteMark)
	}
	for _, f := range n.rest {
		row(f.label, f.text, f.note, f.mark, f.noteMark)
	}
	for len(rows) < h {
		rows = append(rows, newLine(w).String())
	}
	return rows[:h]
}

// nodeHead is the name, the address and the role.
func (m *model) nodeHead(n nodeLook, w int) string {
	name := m.st.title
	if m.focus == paneNodes && m.nodes.at == n.place && m.top() == nil {
		name = m.st.focus
	}
	l := newLine(w-1).gap(1).put(m.st.dim, fmt.Sprint(n.place+1)+" ").put(name, n.node.Name).gap(2)
	role := n.roleText()
	room := w - 1 - l.x - width(role) - 1
	if room >= width(n.node.Address) {
		l.put(m.st.dim, n.node.Address)
	}
	if n.age != "" && w-1-l.x-width(role)-1 > len(n.age)+4 {
		l.gap(1).put(m.st.dim, "~ "+n.age)
	}
	return l.right(m.st.mark(n.roleMark), role).String() + " "
}

// drawNodeRows draws a row for each node where there is no room for panes.
func (m *model) drawNodeRows(r rect, all []cluster.Node) []string {
	looks := make([]nodeLook, len(all))
	name, addr := 4, 7
	for i, n := range all {
		looks[i] = m.lookAt(n, i)
		name, addr = max(name, width(n.Name)), max(addr, width(n.Address))
	}
	name, addr = min(name, 12), min(addr, 15)
	role, pg := 20, 13 // as long as "! waiting_for_leader": nothing moves when roles do
	if r.w >= 100 {
		role, pg = 24, 17
	}
	head := newLine(r.w).gap(1)
	nodeTitle := m.st.dim
	if m.focus == paneNodes && m.top() == nil {
		nodeTitle = m.st.focus
	}
	head.upTo(nodeTitle, "NODE", name).to(name+3).col(m.st.dim, "address", addr+2).col(m.st.dim, "role", role+1)
	head.col(m.st.dim, "PostgreSQL", pg+2).col(m.st.dim, "behind", 9).put(m.st.dim, "services")
	rows := []string{head.String()}
	for _, n := range looks {
		l := newLine(r.w).gap(1).col(m.st.title, n.node.Name, name+2).col(m.st.dim, n.node.Address, addr+2)
		l.col(m.st.mark(n.roleMark), short(n.roleText(), role), role+1)
		l.col(m.st.mark(n.pgMark()), short(n.pgText(), pg), pg+2).col(m.st.mark(n.lagMark), n.lag, 9)
		age := ""
		if n.age != "" {
			age = "~ " + n.age + "  "
		}
		sum, mark := n.serviceSum(r.w - l.x - width(age))
		sum = age + sum
		row := l.put(m.st.mark(mark), sum).String()
		if m.focus == paneNodes && n.place == m.nodes.at && m.top() == nil {
			row = m.st.chosenRow(row)
		}
		rows = append(rows, row)
	}
	return rows
}

// whyNode opens every claim about the selected node.
func (m *model) whyNode() {
	n, ok := m.nodes.selected(m.nodeList())
	if !ok {
		m.say("no node is known yet")
		return
	}
	v := &textView{heading: "What is claimed about " + strings.TrimSpace(n.Name+" "+n.Address)}
	v.make = func(m *model, w int) []string { return m.claimRows(n.Name, w) }
	m.push(v)
}
