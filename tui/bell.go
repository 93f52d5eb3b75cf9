package tui

import (
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"chef-backend-cockpit/cluster"
)

// Sequences that keep the window's title and bring it back (xterm's window
// operations; tmux and the usual terminals know them, others pass over them).
const (
	keepTitle = "\x1b[22;2t"
	backTitle = "\x1b[23;2t"
)

// bell rings once for each new finding of the gravest kind, and names the
// gravest that stands in the window's title until it is gone.
func (m *model) bell() tea.Cmd {
	if m.out == nil || m.player != nil || m.outer != nil {
		return nil
	}
	ring, title := false, ""
	stands := map[string]bool{}
	for _, f := range m.alarms.shown {
		if f.Priority != cluster.P1 {
			continue
		}
		if title == "" {
			title, _ = clean("! P1 " + f.ID() + " - " + m.state.Cluster)
		}
		if !f.Acked {
			stands[f.ID()] = true
			ring = ring || !m.belled[f.ID()]
		}
	}
	m.belled = stands
	send := m.titled(title)
	if ring {
		send += "\a"
	}
	if send == "" {
		return nil
	}
	return m.command(func() tea.Msg { _ = m.out.Send(send); return nil })
}

// titled is what gives the window a title; "" gives it back the one it had.
func (m *model) titled(title string) (send string) {
	was := m.title
	if !m.o.Title || title == was {
		return ""
	}
	m.title = title
	switch {
	case title == "":
		return backTitle
	case was == "":
		send = keepTitle
	}
	return send + ansi.SetWindowTitle(title)
}

// giveTitleBack leaves the window with the title that it had.
func (m *model) giveTitleBack() {
	if send := m.titled(""); send != "" {
		_ = m.out.Send(send)
	}
}
