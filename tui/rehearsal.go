package tui

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// A rehearsal has a screen of its own, of the same kind, in place of the
// cluster's: the same panes over the simulation. The cluster's screen stands
// behind it as it was left, goes on hearing the cluster, and rings its bell.

// rehearseWithin bounds the making of a simulation that is as the cluster.
const rehearseWithin = 90 * time.Second

type (
	// innerMsg is for the screen of a rehearsal.
	innerMsg struct {
		to  *model
		msg tea.Msg
	}
	// rehearsalMsg is a rehearsal that begins, or why there is none.
	rehearsalMsg struct {
		from *planView
		plan string
		door watch.Rehearsal
		err  error
	}
)

// toInner gives a message to the rehearsal's screen, if there is one.
func (m *model) toInner(msg tea.Msg) tea.Cmd {
	if m.inner == nil {
		return nil
	}
	return m.innerUpdate(innerMsg{m.inner, msg})
}

// innerUpdate lets the rehearsal's screen take a message. One that is for a
// screen that was left is void.
func (m *model) innerUpdate(a innerMsg) tea.Cmd {
	if m.inner == nil || a.to != m.inner {
		return nil
	}
	_, cmd := a.to.Update(a.msg)
	if a.to.panic != nil {
		m.panic = a.to.panic
	}
	return cmd
}

// rehearse asks for a rehearsal of the plan that is read.
func (v *planView) rehearse(m *model) tea.Cmd {
	v.refresh(m)
	switch {
	case v.cancel != nil:
		return nil
	case m.outer != nil:
		return nil
	case len(v.changed) > 0:
		v.word = "make the plan again with p, and read it"
		return nil
	}
	ctx, cancel := context.WithTimeout(m.ctx, rehearseWithin)
	v.cancel, v.rehearsing, v.word = cancel, true, ""
	plan := v.plan.ID
	return m.command(func() tea.Msg {
		door, err := m.door.Rehearse(ctx, plan)
		return rehearsalMsg{v, plan, door, err}
	})
}

// takeRehearsal opens the rehearsal's screen; one that nobody waits for any
// more is closed.
func (m *model) takeRehearsal(a rehearsalMsg) tea.Cmd {
	m.dirty = true
	v := a.from
	if !m.below(v) || v.plan.ID != a.plan {
		return m.closeRehearsal(a.door)
	}
	v.closed()
	v.cancel, v.rehearsing = nil, false
	if a.err != nil {
		v.word = a.err.Error()
		return nil
	}
	if m.top() != overlay(v) {
		v.word = "the rehearsal was ready while another box was open: h again"
		return m.closeRehearsal(a.door)
	}
	o := m.o
	o.Door, o.Clock = a.door, a.door.Clock()
	in := newModel(m.ctx, o, m.out)
	in.behind(m)
	m.inner = in
	in.push(newRehearsalView(v.plan))
	return tea.Batch(in.resize(m.w, m.h), in.Init())
}

func (m *model) closeRehearsal(door watch.Rehearsal) tea.Cmd {
	if door == nil {
		return nil
	}
	return m.command(func() tea.Msg {
		if err := door.Close(); err != nil {
			return saidMsg{"the simulation: " + err.Error()}
		}
		return nil
	})
}

// leaveRehearsal goes back to the plan, which stands as it was read; its guards
// are asked anew there.
func (m *model) leaveRehearsal() tea.Cmd {
	out := m.outer
	out.inner, out.dirty = nil, true
	if v, ok := out.top().(*planView); ok {
		if r := m.ownRun(); r != nil && !r.Ended.IsZero() {
			v.rehearsed = r.Prediction
			v.word = ""
		} else if m.refusedText() == "" {
			v.word = "the rehearsal was left before its end: it foretells nothing"
		} else {
			v.word = "the rehearsal began no step: " + m.refusedText()
		}
		v.refresh(out)
	}
	door, _ := m.door.(watch.Rehearsal)
	return tea.Batch(out.closeRehearsal(door), out.refresh(), repaint)
}

// ownRun is the rehearsed plan as it is carried out; nil before it begins.
func (m *model) ownRun() *cluster.PlanState {
	if m.state == nil || m.state.Run == nil || m.state.Rehearsal == nil || m.state.Run.Plan.ID != m.state.Rehearsal.Plan {
		return nil
	}
	return m.state.Run
}

func (m *model) refusedText() string {
	if m.state == nil || m.state.Rehearsal == nil {
		return ""
	}
	return m.state.Rehearsal.Refused
}

// rehearsalKey are the keys that mean something else in a rehearsal: nothing
// can be asked or said of a node there.
func (m *model) rehearsalKey(k tea.KeyMsg) (tea.Cmd, bool) {
	_, own := m.top().(*rehearsalView)
	switch {
	case is(k, m.keys.Leave) && (own || m.top() == nil || k.Type == tea.KeyCtrlC):
		return m.leaveRehearsal(), true
	case is(k, m.keys.Arm), is(k, m.keys.Fence), is(k, m.keys.Maintain), is(k, m.keys.TakeOver),
		m.top() == nil && (is(k, m.keys.Look) || is(k, m.keys.Recover) || is(k, m.keys.NodeMenu) || is(k, m.keys.Acknowledge)):
		m.say("it shows one plan; nothing else can be said, asked or carried out in it")
		return nil, true
	}
	return nil, false
}

// rehearsalRibbon stands below the situation line of every rehearsal.
func (m *model) rehearsalRibbon(text string) string {
	if text != "" {
		return "REHEARSAL: " + text
	}
	if n := m.newOutside(); n != "" {
		return "REHEARSAL. ! Meanwhile on the real cluster: " + n
	}
	return "REHEARSAL on a simulation: nothing here reaches a node"
}

// newOutside are findings of the real cluster that nobody has seen yet.
func (m *model) newOutside() string {
	if m.outer == nil || m.outer.state == nil {
		return ""
	}
	return newcomers(m.outer.state.Findings, func(f cluster.Finding) bool { return !m.stood[f.ID()] || f.Since.After(m.began) })
}

// behind notes which screen stands behind this one, and which findings stood on
// it: one may have been true long before it is a finding.
func (m *model) behind(outer *model) {
	m.outer, m.began, m.repaint = outer, outer.now(), outer.repaint
	m.stood = map[string]bool{}
	if outer.state != nil {
		for _, f := range outer.state.Findings {
			m.stood[f.ID()] = true
		}
	}
}
