package tui

import (
	"fmt"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster/watch"
)

// replayKeys are the keys of a replay. They work in every pane and over every
// box, and mean nothing elsewhere.
func (k *keyMap) replayKeys() {
	k.Play = bind("Space", "play, hold", " ")
	k.PlayOne = bind(".", "next record", ".")
	k.NextEvent = bind(">", "next finding or step", ">")
	k.PrevEvent = bind("<", "finding or step before", "<")
	k.Faster = bind("+", "faster", "+", "=")
	k.Slower = bind("-", "slower", "-")
}

// replay are they, the most needed first.
func (k keyMap) replay() []key.Binding {
	return []key.Binding{k.Play, k.NextEvent, k.PrevEvent, k.PlayOne, k.Faster, k.Slower}
}

// replayKey leads the replay; false: the key is none of its keys.
func (m *model) replayKey(k tea.KeyMsg) bool {
	there := true
	switch {
	case is(k, m.keys.Play):
		m.player.Pause()
	case is(k, m.keys.PlayOne):
		m.player.Step()
	case is(k, m.keys.NextEvent):
		there = m.player.Jump(+1)
	case is(k, m.keys.PrevEvent):
		there = m.player.Jump(-1)
	case is(k, m.keys.Faster):
		m.player.Faster(+1)
	case is(k, m.keys.Slower):
		m.player.Faster(-1)
	case is(k, m.keys.Fence), is(k, m.keys.Maintain), is(k, m.keys.Look):
		return m.onlyShown()
	default:
		return false
	}
	if m.flash.text = ""; !there {
		m.say("no further finding or step there")
	}
	return true
}

// replaySegment says on the situation line where the replay stands.
func (m *model) replaySegment(p watch.ReplayAt) segment {
	how := "held"
	switch {
	case p.Playing:
		how = fmt.Sprintf("x%d", p.Speed)
	case p.Over():
		how = "end"
	}
	return segment{p: m.st.strong, rank: 1, says: []string{
		fmt.Sprintf("record %d of %d, %s", p.Record, p.Records, how),
		fmt.Sprintf("%d of %d, %s", p.Record, p.Records, how),
		fmt.Sprintf("%d/%d %s", p.Record, p.Records, how)}}
}

// looked is the time by which the age of a look is told. The journal leaves out
// looks that found nothing new, so in a replay none is older than its snapshot.
func (m *model) looked() time.Time {
	if v := m.view(); m.player != nil && v != nil {
		return v.Now
	}
	return m.now()
}
