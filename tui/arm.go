package tui

import (
	"fmt"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster/watch"
)

// arm asks for the cluster's name, which arms the cockpit for T3; where it is
// armed it ends that.
func (m *model) arm() tea.Cmd {
	switch {
	case m.state == nil:
		return nil
	case m.state.Mode == watch.ReadOnly:
		m.say("the cockpit is read-only: start it without --read-only to arm it")
		return nil
	case m.armed():
		return m.command(func() tea.Msg {
			m.door.Disarm()
			return saidMsg{"no longer armed: T3 is refused; a plan at work goes on"}
		})
	case m.state.Cluster == "":
		m.say("the cluster has no name to be typed: give it one in the configuration, or with --cluster")
		return nil
	}
	return m.push(&wordDialog{
		title: "Arm the cockpit", phrase: newPhrase(m), want: m.state.Cluster,
		says: []says{
			{"Where", "the cluster " + m.state.Cluster},
			{"Means", "For ten minutes plans of T3 can be confirmed: those that change who leads or who is a member, or take a safety away. Each still wants its own phrase."},
			{"After", "A plan that runs goes on when the time is over; a phrase in its middle then wants the cockpit armed again."},
			{"Back", "A again ends it at once."},
		},
		hand: func(text string) error { return m.door.Arm(text) },
		said: "armed for ten minutes: T3 can be confirmed", nothing: "the cockpit is not armed",
	})
}

// armed answers whether T3 can be confirmed now.
func (m *model) armed() bool {
	return m.state != nil && m.state.Mode == watch.Armed && m.now().Before(m.state.ArmedUntil)
}

// modeText is the mode; what is left of being armed in whole minutes, begun
// ones included, so that nothing ticks.
func (m *model) modeText() string {
	switch {
	case m.state.Mode == "":
		return string(watch.ReadOnly)
	case m.armed():
		left := m.state.ArmedUntil.Sub(m.now())
		return fmt.Sprintf("ARMED %d min", int((left+time.Minute-1)/time.Minute))
	case m.state.Mode == watch.Armed:
		return string(watch.Acting)
	}
	return string(m.state.Mode)
}
