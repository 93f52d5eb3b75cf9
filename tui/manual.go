package tui

import (
	"slices"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// Page is one text of the manual.
type Page struct {
	Name string // by which it is asked for
	Says string // what it tells, in a few words
	Text func() string
	// Entry marks the page of one failure or procedure: it is listed only
	// where that entry is on the screen.
	Entry bool
}

// keysView is every key; the manual stands behind it.
type keysView struct{ box }

func (v *keysView) head(*model) (string, string) { return "Keys", "" }

func (v *keysView) body(m *model, w int) ([]string, int) { return helpText(m, w), -1 }

func (v *keysView) bindings(m *model) []key.Binding {
	all := []key.Binding{renamed(m.keys.Back, "back"), bind("up/down", "scroll")}
	if len(m.o.Manual) > 0 {
		all = append([]key.Binding{renamed(m.keys.Help, "the manual")}, all...)
	}
	return all
}

func (v *keysView) key(m *model, k tea.KeyMsg) tea.Cmd {
	v.scroll.key(m, k)
	return nil
}

// help opens the keys, and from there the manual: first the pages of what is on
// the screen. From the manual it goes back to where it was asked for.
func (m *model) help() {
	switch m.top().(type) {
	case *manualView:
		m.pop()
		m.pop()
	case *keysView:
		if len(m.o.Manual) == 0 {
			m.pop()
			return
		}
		var about []string
		if len(m.overlays) > 1 {
			about = subjects(m.overlays[len(m.overlays)-2])
		}
		m.push(&manualView{pages: pagesFor(m.o.Manual, about)})
	default:
		m.push(&keysView{})
	}
}

// subjects are the entries of the catalogue that a box shows.
func subjects(o overlay) []string {
	switch v := o.(type) {
	case *whyView:
		return append([]string{v.finding.Failure}, v.offers.names()...)
	case *menu:
		return v.offers.names()
	case *planView:
		return []string{v.plan.Procedure}
	case *runView:
		return []string{v.plan.Procedure}
	}
	return nil
}

// names are the procedures of the list, the one at the cursor first.
func (o *offers) names() []string {
	var all []string
	for i, c := range o.all {
		if i == o.at {
			all = slices.Insert(all, 0, c.Procedure)
		} else if !slices.Contains(all, c.Procedure) {
			all = append(all, c.Procedure)
		}
	}
	return all
}

// pagesFor are the pages of some entries, then the topics.
func pagesFor(manual []Page, about []string) []Page {
	var pages []Page
	for _, name := range about {
		i := slices.IndexFunc(manual, func(p Page) bool { return p.Entry && p.Name == name })
		if i >= 0 && !slices.ContainsFunc(pages, func(p Page) bool { return p.Name == name }) {
			pages = append(pages, manual[i])
		}
	}
	for _, p := range manual {
		if !p.Entry {
			pages = append(pages, p)
		}
	}
	return pages
}

// manualView lists pages of the manual, of which one can be read.
type manualView struct {
	box
	pages []Page
	at    int
}

func (v *manualView) head(*model) (string, string) {
	return "The manual, as chef-backend-cockpit help TOPIC prints it", ""
}

func (v *manualView) body(m *model, w int) ([]string, int) {
	name := 0
	for _, p := range v.pages {
		name = max(name, width(p.Name))
	}
	rows := make([]string, 0, len(v.pages))
	for i, p := range v.pages {
		mark := map[bool]string{true: "> ", false: "  "}[i == v.at]
		rows = append(rows, newLine(w).put(m.st.plain, mark).col(m.st.key, p.Name, min(name, w/2)+2).put(m.st.plain, p.Says).String())
	}
	return rows, v.at
}

func (v *manualView) bindings(m *model) []key.Binding {
	return []key.Binding{renamed(m.keys.Choose, "read"), bind("up/down", "move"), renamed(m.keys.Back, "back")}
}

func (v *manualView) key(m *model, k tea.KeyMsg) tea.Cmd {
	switch {
	case v.scroll.move(m, k, &v.at, len(v.pages)-1):
	case is(k, m.keys.Choose) && v.at < len(v.pages):
		text := v.pages[v.at].Text()
		m.push(&textView{heading: v.pages[v.at].Name, text: text, make: func(_ *model, w int) []string { return reflow(text, w) }})
	}
	return nil
}
