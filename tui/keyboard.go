package tui

import (
	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster/watch"
)

// keyMsg gives a key to whoever has the keyboard: a dialog gets it as it came,
// so that it can tell a paste from typing; everybody else gets single keys.
func (m *model) keyMsg(k tea.KeyMsg) tea.Cmd {
	m.dirty = true
	if m.absorbs(k) {
		return nil
	}
	m.flash.text = ""
	if !m.lay.ok {
		if d, ok := m.dialog(); ok {
			if k.Type == tea.KeyEsc || k.Type == tea.KeyCtrlC {
				return d.typed(m, k) // nothing can be read here, so nothing but no is taken
			}
			return nil
		}
		if (is(k, m.keys.Quit) || k.Type == tea.KeyCtrlC) && m.leavesAtOnce() {
			m.closeAll()
			return m.quit()
		}
		return nil
	}
	if d, ok := m.dialog(); ok {
		return d.typed(m, k)
	}
	if k.Paste && m.prompt == nil {
		m.say("a paste is not taken for keys")
		return nil
	}
	var cmds []tea.Cmd
	for _, one := range split(k) {
		if d, ok := m.dialog(); ok {
			cmds = append(cmds, d.typed(m, one))
			continue
		}
		cmds = append(cmds, m.key(one))
	}
	return tea.Batch(cmds...)
}

// deafen lets keys fall into nothing until the keyboard was quiet: after a
// refusal, what was still being typed must not act on what stood below.
func (m *model) deafen() {
	m.deaf = arming{human: m.human}
	m.deaf.kill()
	m.deafened = true
}

// absorbs answers whether a key belongs to what was typed into a dialog that
// is closed by now. Esc leads back at any time, and is heard again.
func (m *model) absorbs(k tea.KeyMsg) bool {
	if !m.deafened || k.Type == tea.KeyEsc || m.deaf.due() == 0 {
		m.deafened = false
		return false
	}
	m.deaf.touch()
	return true
}

// key is one key outside a dialog.
func (m *model) key(k tea.KeyMsg) tea.Cmd {
	switch {
	case is(k, m.keys.Suspend):
		return m.suspend()
	case is(k, m.keys.Redraw):
		return repaint
	case m.prompt != nil:
		return m.promptKey(k)
	}
	if m.player != nil && m.replayKey(k) {
		return m.refresh()
	}
	if m.past != nil {
		if cmd, done := m.pastKey(k); done {
			return cmd
		}
	} else if m.outer != nil {
		if cmd, done := m.rehearsalKey(k); done {
			return cmd
		}
	}
	if top := m.top(); top != nil {
		return m.overlayKey(top, k)
	}
	if m.forSelected(k) && m.alarms.slidJustNow() {
		if f, ok := m.alarms.selected(); ok {
			m.say("the selection has moved to " + f.ID() + " by itself: look, and press it again")
		}
		return nil
	}
	if cmd, done := m.mainKey(k); done {
		return cmd
	}
	if is(k, m.keys.Copy) && m.focus != paneLogs {
		m.say("y copies lines, in LOGS; c makes a summary to paste, S saves lines")
		return nil
	}
	switch m.focus {
	case paneNodes:
		return m.nodesKey(k)
	case paneBoard:
		return m.boardKey(k)
	case paneAlarms:
		return m.alarmsKey(k)
	}
	return m.logsKey(k)
}

// forSelected answers whether a key does something with the selected finding.
func (m *model) forSelected(k tea.KeyMsg) bool {
	return is(k, m.keys.Recover) || is(k, m.keys.Acknowledge) || m.focus == paneAlarms && (is(k, m.keys.Why) || is(k, m.keys.Choose))
}

// mainKey are the keys that mean the same in every pane.
func (m *model) mainKey(k tea.KeyMsg) (tea.Cmd, bool) {
	switch {
	case is(k, m.keys.Quit):
		return m.quit(), true
	case is(k, m.keys.Help):
		m.help()
	case is(k, m.keys.NextPane):
		m.focus = (m.focus + 1) % paneCount
	case is(k, m.keys.PrevPane):
		m.focus = (m.focus + paneCount - 1) % paneCount
	case is(k, m.keys.Node):
		m.nodes.choose(int(k.Runes[0]-'1'), len(m.nodeList()))
		m.focus = paneNodes
	case is(k, m.keys.Why):
		m.why()
	case is(k, m.keys.Recover):
		m.recover()
	case is(k, m.keys.NodeMenu):
		m.nodeMenu()
	case is(k, m.keys.Acknowledge):
		return m.acknowledge(), true
	case is(k, m.keys.Since):
		m.push(&textView{heading: "Since it was healthy", make: (*model).sinceHealthy})
	case is(k, m.keys.Copies):
		m.push(&textView{heading: "Copies of the database", make: (*model).copiesText})
	case is(k, m.keys.Fence):
		return m.fence(), true
	case is(k, m.keys.Maintain):
		return m.maintain(), true
	case is(k, m.keys.Arm):
		return m.arm(), true
	case is(k, m.keys.Lock):
		m.push(&lockView{})
	case is(k, m.keys.Running):
		m.showRun()
	case is(k, m.keys.LookBack):
		return m.lookBack(), true
	case is(k, m.keys.Summary):
		return m.summary(), true
	case is(k, m.keys.Reconnect):
		return m.reconnect(), true
	case is(k, m.keys.Look):
		m.say("looking at all nodes")
		return m.command(func() tea.Msg { m.door.LookNow(); return nil }), true
	default:
		return m.logsMainKey(k)
	}
	return nil, true
}

// quit leaves the cockpit; while a plan runs commands it asks first, and says that
// the step goes on.
func (m *model) quit() tea.Cmd {
	switch {
	case m.past != nil:
		return m.leavePast()
	case m.outer != nil:
		return m.leaveRehearsal()
	}
	if !m.leavesAtOnce() {
		return m.push(newQuitDialog(m, *m.running()))
	}
	return tea.Quit
}

// leavesAtOnce answers whether nothing has to be asked before this screen is
// left: no plan of ours that runs commands is at work and not only shown.
func (m *model) leavesAtOnce() bool {
	return !m.acting() || m.outer != nil || m.past != nil || m.player != nil
}

// witness tells what the operator does to who wants to know; a rehearsal is
// nobody's business.
func (m *model) witness(tell func(watch.Witness)) {
	if m.o.Witness != nil && m.outer == nil {
		tell(m.o.Witness)
	}
}

// why opens the evidence of what has the keys.
func (m *model) why() {
	switch m.focus {
	case paneNodes:
		m.whyNode()
		return
	case paneBoard:
		m.whyCell()
		return
	case paneLogs:
		m.whyLog()
		return
	}
	if f, ok := m.alarms.selected(); ok {
		m.witness(func(w watch.Witness) { w.Looked(f.ID()) })
		m.push(newWhyView(m, f))
		return
	}
	m.say("no finding stands; Tab to a node or to the board and press w there")
}

// recover opens what is offered for the selected finding.
func (m *model) recover() {
	f, ok := m.alarms.selected()
	if !ok {
		m.say("no finding stands; n shows what can be done on a node")
		return
	}
	m.witness(func(w watch.Witness) { w.Looked(f.ID()) })
	v := newMenu("Recover: "+f.ID(), f.Title, func() offers { return offersOf(m.door.Offers(f.ID())) })
	v.finding = f.ID()
	m.push(v)
}

// nodeMenu opens what can be done on the selected node.
func (m *model) nodeMenu() {
	n, ok := m.nodes.selected(m.nodeList())
	if !ok {
		m.say("no node is known yet")
		return
	}
	m.witness(func(w watch.Witness) { w.Looked("") })
	about := "Everything that can be had of the cluster and on " + n.Name
	if n.Address != "" {
		about += ", " + n.Address
	}
	m.push(newMenu("Node "+n.Name, about+".", func() offers { return offersOf(m.door.NodeOffers(n.Name)) }))
}

// acknowledge marks the selected finding as seen.
func (m *model) acknowledge() tea.Cmd {
	f, ok := m.alarms.selected()
	if !ok {
		m.say("nothing to acknowledge")
		return nil
	}
	m.alarms.ack(f.ID())
	m.say("acknowledged: " + f.ID() + "; it stands until it is mended")
	return m.command(func() tea.Msg { m.door.Acknowledge(f.ID()); return contentNow{} })
}

// showRun opens the plan at work, or the last one.
func (m *model) showRun() {
	if m.state == nil || m.state.Run == nil {
		m.say("no plan is at work")
		return
	}
	if m.outer != nil && m.past == nil {
		m.push(newRehearsalView(m.state.Run.Plan))
		return
	}
	m.push(newRunView(m.state.Run.Plan))
}

// whyCell opens the claims behind a cell of the board.
func (m *model) whyCell() {
	if m.state == nil {
		return
	}
	row, col, ok := m.board.cell(m.state.Board)
	if !ok {
		m.say("the board is empty as yet")
		return
	}
	b := m.state.Board
	c := b.Rows[row].Cells[col]
	v := &textView{heading: b.Columns[col] + " on " + b.Rows[row].Node}
	v.make = func(m *model, w int) []string { return m.cellText(c, w) }
	m.push(v)
}
