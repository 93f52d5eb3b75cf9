package tui

import (
	"fmt"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster/watch"
)

// The last hour has a screen of its own, as a rehearsal has: the same panes as
// they were. The living screen stands behind it and goes on hearing the cluster.

// skipBy is how far one key leads back or on.
const skipBy = 5 * time.Minute

// pastKeys are the keys of the last hour.
func (k *keyMap) pastKeys() {
	k.LookBack = bind("H", "look back over an hour", "H")
	k.Earlier = bind(",", "moment before", ",")
	k.Later = bind(".", "next moment", ".")
	k.ChangeBefore = bind("<", "change before", "<")
	k.ChangeAfter = bind(">", "next change", ">")
	k.SkipBack = bind("{", "5 min back", "{")
	k.SkipOn = bind("}", "5 min on", "}")
	k.Now = bind("q H", "back to now", "q", "H", "ctrl+c")
}

// past are they, the most needed first.
func (k keyMap) past() []key.Binding {
	return []key.Binding{k.ChangeBefore, k.ChangeAfter, k.Earlier, k.Later, k.SkipBack, k.SkipOn, k.Now}
}

// lookBack opens the last hour.
func (m *model) lookBack() tea.Cmd {
	machine, ok := m.door.(watch.TimeMachine)
	if !ok || m.outer != nil {
		m.say("there is no hour to look back over here")
		return nil
	}
	door, ok := machine.Earlier()
	if !ok {
		m.say("nothing was seen yet")
		return nil
	}
	o := m.o
	o.Door, o.Clock = door, door
	in := newModel(m.ctx, o, m.out)
	in.behind(m)
	in.focus, in.logs.logFilter, in.logs.logSight = m.focus, m.logs.logFilter, m.logs.logSight
	m.inner = in
	return tea.Batch(in.resize(m.w, m.h), in.Init(), repaint)
}

// leavePast goes back to now.
func (m *model) leavePast() tea.Cmd {
	out := m.outer
	out.inner, out.dirty = nil, true
	return tea.Batch(out.refresh(), repaint)
}

// pastKey leads through the last hour; false: the key is none of its keys.
func (m *model) pastKey(k tea.KeyMsg) (tea.Cmd, bool) {
	moved := true
	switch {
	case is(k, m.keys.Now) && (m.top() == nil || k.Type == tea.KeyCtrlC):
		return m.leavePast(), true
	case is(k, m.keys.Earlier):
		moved = m.past.Step(-1)
	case is(k, m.keys.Later):
		moved = m.past.Step(+1)
	case is(k, m.keys.ChangeBefore):
		moved = m.past.Jump(-1)
	case is(k, m.keys.ChangeAfter):
		moved = m.past.Jump(+1)
	case is(k, m.keys.SkipBack):
		moved = m.past.Skip(-skipBy)
	case is(k, m.keys.SkipOn):
		moved = m.past.Skip(skipBy)
	case is(k, m.keys.Arm), is(k, m.keys.Fence), is(k, m.keys.Maintain), is(k, m.keys.TakeOver), is(k, m.keys.Answer),
		m.top() == nil && (is(k, m.keys.Look) || is(k, m.keys.Acknowledge)):
		m.onlyShown()
		return nil, true
	default:
		return nil, false
	}
	if !moved {
		m.say("nothing further in that direction")
		return nil, true
	}
	m.logs.follow, m.logs.end = true, 0 // its newest lines are those of the moment
	m.logs.changed()
	return m.refresh(), true
}

// onlyShown answers whether the screen shows what was, and says that nothing can
// be done in it then.
func (m *model) onlyShown() bool {
	switch {
	case m.past != nil:
		m.say("this is the past: nothing can be said, asked or carried out in it; q leads back to now")
	case m.player != nil:
		m.say("this is a replay: it shows what was, and nothing can be said or asked of a node")
	default:
		return false
	}
	return true
}

// pastSegment says on the situation line where in the last hour it stands.
func (m *model) pastSegment(e watch.EarlierAt) segment {
	ago := agoText(m.began.Sub(m.state.At))
	return segment{p: m.st.strong, rank: 1, says: []string{
		fmt.Sprintf("%s, %d of %d moments", ago, e.Moment, e.Moments),
		fmt.Sprintf("%s, %d/%d", ago, e.Moment, e.Moments), ago}}
}

// agoText is how long ago something was.
func agoText(d time.Duration) string {
	if age := ageText(max(d, 0)); age != "now" {
		return age + " ago"
	}
	return "just now"
}

// pastRibbon stands below the situation line of the past.
func (m *model) pastRibbon(text string) string {
	if text != "" {
		return "PAST: " + text
	}
	if n := m.newOutside(); n != "" {
		return "PAST. ! Meanwhile: " + n + "; q: back to now"
	}
	text = "as it was at " + m.state.At.UTC().Format("15:04:05Z")
	if e := m.state.Earlier; e != nil {
		text += ", seen since " + e.Oldest.UTC().Format("15:04:05Z")
	}
	return "PAST: " + text + "; q: back to now"
}

// innerWord marks the screens that stand in place of the living one.
func (m *model) innerWord() string {
	switch {
	case m.past != nil:
		return "PAST"
	case m.outer != nil:
		return "REHEARSAL"
	}
	return ""
}
