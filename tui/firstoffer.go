package tui

import (
	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster/watch"
)

// offerCache is what the alarms show as the way out of each finding. Binding
// procedures on trial takes time, so that a command asks, once for each state.
type offerCache struct {
	byID     map[string]string // by the finding's ID; absent: not asked yet
	seq      uint64            // of the state that was asked about
	asked    bool
	inFlight bool
}

// of is what is shown for a finding; nothing until the answer is there.
func (c *offerCache) of(id string) string { return c.byID[id] }

type firstOffersMsg struct {
	seq  uint64
	byID map[string]string
}

// fetchOffers asks what is offered for the findings, where the state is
// another one than the one that was asked about.
func (m *model) fetchOffers() tea.Cmd {
	c := &m.alarms.first
	if m.state == nil || c.inFlight || (c.asked && c.seq == m.state.Seq) {
		return nil
	}
	ids := make([]string, 0, len(m.alarms.shown))
	for _, f := range m.alarms.shown {
		ids = append(ids, f.ID())
	}
	c.asked, c.seq = true, m.state.Seq
	if len(ids) == 0 {
		c.byID = nil
		return nil
	}
	c.inFlight = true
	seq := c.seq
	return m.command(func() tea.Msg {
		a := firstOffersMsg{seq, map[string]string{}}
		for _, id := range ids {
			a.byID[id] = firstOffer(m.door.Offers(id))
		}
		return a
	})
}

// takeOffers takes the answer, and asks again where the state has moved on.
func (m *model) takeOffers(a firstOffersMsg) tea.Cmd {
	m.alarms.first.inFlight, m.alarms.first.byID = false, a.byID
	m.dirty = true
	return m.fetchOffers()
}

// firstOffer is the first offer that can be chosen now; else watching, or the
// first that can be chosen at another time. One that is not in this version
// is never held out as the way.
func firstOffer(all []watch.Offered) string {
	built := "-"
	for _, o := range all {
		switch {
		case o.NotBuilt:
		case o.Ready:
			return o.Procedure
		case built == "-" || o.Procedure == "observe":
			built = o.Procedure
		}
	}
	return built
}
