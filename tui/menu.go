package tui

import (
	"errors"
	"slices"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// menu is the list of what can be done, for a finding or for a node.
type menu struct {
	box
	offers
	heading, about string
	finding        string // the id of the finding that it is for; "" for a node
	again          func() offers
	footTall       int // the foot never shrinks: the list above keeps its place
}

func newMenu(heading, about string, again func() offers) *menu {
	return &menu{heading: heading, about: about, again: again, offers: again()}
}

func (v *menu) head(m *model) (string, string) {
	if v.gone(m) {
		return v.heading, goneText
	}
	return v.heading, ""
}

// goneText is said in the head of a box whose finding has gone meanwhile.
const goneText = "it no longer stands"

// gone answers whether the finding that it is for stands no more.
func (v *menu) gone(m *model) bool {
	return v.finding != "" && m.state != nil && !slices.ContainsFunc(m.state.Findings, func(f cluster.Finding) bool { return f.ID() == v.finding })
}

func (v *menu) body(m *model, w int) ([]string, int) {
	rows := append(wrap(v.about, w), "")
	if v.gone(m) && len(v.offers.all) == 0 {
		return append(rows, wrap("This finding has gone. Esc, and see what stands among the alarms now.", w)...), 0
	}
	list, at := v.offers.rows(m, w)
	return append(rows, list...), len(rows) + at
}

// foot keeps the place for what is said of the procedure at the cursor.
func (v *menu) foot(m *model, w int) []string {
	rows := v.offers.about(m, w)
	v.footTall = min(max(v.footTall, len(rows), 4), 9)
	for len(rows) < v.footTall {
		rows = append(rows, "")
	}
	return rows[:v.footTall]
}

func (v *menu) bindings(m *model) []key.Binding {
	return []key.Binding{renamed(m.keys.Choose, "choose"), bind("up/down PgUp/PgDn", "move"), renamed(m.keys.Back, "back")}
}

func (v *menu) key(m *model, k tea.KeyMsg) tea.Cmd {
	page := max(v.scroll.rows-2, 1)
	switch {
	case is(k, m.keys.PageUp):
		v.offers.move(-page)
	case is(k, m.keys.PageDown):
		v.offers.move(page)
	case is(k, m.keys.Top):
		v.offers.move(-len(v.offers.all))
	case is(k, m.keys.Bottom):
		v.offers.move(len(v.offers.all))
	default:
		return v.offers.key(m, k)
	}
	return nil
}

func (v *menu) refresh(*model) { v.offers.renew(v.again().all) }

// takePlan opens the plan that was asked for, unless the box that asked is closed
// or another one stands over it by now: then the plan has to be chosen again.
func (m *model) takePlan(a planMsg) tea.Cmd {
	if !m.below(a.from) {
		return nil
	}
	m.dirty = true
	covered := m.top() != a.from
	if covered && a.err == nil {
		a.err = errors.New("the plan was ready while another box was open: choose it again")
	}
	if a.err == nil {
		m.witness(func(w watch.Witness) { w.Opened(a.plan) })
	}
	switch v := a.from.(type) {
	case *menu:
		v.offers.answered(a.err)
	case *whyView:
		v.offers.answered(a.err)
	case *planView:
		v.renewed(m, a)
		return nil
	}
	if a.err == nil {
		return m.push(newPlanView(a.plan))
	}
	return nil
}
