package tui

import (
	"context"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// offers is a list of procedures of which one can be chosen. The cursor holds
// on to the procedure, not to the row: an offer that moves does not put
// another one under the finger.
type offers struct {
	all    []watch.Offered
	at     int
	cancel context.CancelFunc // of the plan being made; nil for none
	word   string             // why the last choice came to nothing
	held   string             // the procedure of the cursor while the list is empty
}

func offersOf(all []watch.Offered) offers { return offers{all: all} }

func idOf(o watch.Offered) string { return o.Procedure + " " + o.Node + " " + o.Service }

// renew takes a newer list and keeps the cursor on its procedure.
func (o *offers) renew(all []watch.Offered) {
	was := o.held
	if o.at < len(o.all) {
		was = idOf(o.all[o.at])
	}
	o.all, o.held = all, ""
	if len(all) == 0 { // a finding that comes and goes takes its offers with it
		o.held = was
	}
	for i, n := range all {
		if idOf(n) == was {
			o.at = i
			return
		}
	}
	o.at = max(min(o.at, len(all)-1), 0)
}

// closed gives up a plan that is still being made.
func (o *offers) closed() {
	if o.cancel != nil {
		o.cancel()
		o.cancel = nil
	}
}

// key moves and chooses.
func (o *offers) key(m *model, k tea.KeyMsg) tea.Cmd {
	switch {
	case is(k, m.keys.Up):
		o.move(-1)
	case is(k, m.keys.Down):
		o.move(+1)
	case is(k, m.keys.Choose):
		return o.choose(m)
	}
	return nil
}

func (o *offers) move(d int) {
	o.at = max(min(o.at+d, len(o.all)-1), 0)
	o.word = ""
}

// choose asks for the plan of a ready offer; of a greyed one it says again
// what is missing.
func (o *offers) choose(m *model) tea.Cmd {
	if o.at >= len(o.all) || o.cancel != nil {
		return nil
	}
	c := o.all[o.at]
	if !c.Ready && !c.OnlyUnarmed() {
		o.word = c.Procedure + " is not to be had now: " + whyNot(c)
		return nil
	}
	if c.Procedure == "call-support" {
		return m.summary()
	}
	ctx, cancel := context.WithCancel(m.ctx)
	o.cancel, o.word = cancel, ""
	return m.askPlan(ctx, c.Procedure, c.Node, c.Service)
}

// answered takes the end of the making of a plan.
func (o *offers) answered(err error) {
	o.closed()
	if err != nil {
		o.word = err.Error()
	}
}

// whyNot is the first thing that keeps an offer from being chosen.
func whyNot(o watch.Offered) string {
	switch {
	case o.NotBuilt:
		return notBuilt
	case o.First != "":
		return "deal first with: " + o.First
	case len(o.WhyNot) > 0:
		return o.WhyNot[0].Answer.Sentence
	}
	return "its conditions are not met"
}

// notBuilt is said of an offer that this version cannot carry out.
const notBuilt = "not in this version"

// stateOf is the state of an offer, and the note beside it.
func stateOf(o watch.Offered) (state, note string) {
	switch {
	case o.NotBuilt:
		return notBuilt, ""
	case o.OnlyUnarmed():
		return "arm: A", o.Note
	case !o.Ready:
		return "not now", whyNot(o)
	case len(o.Price) > 0:
		return "ready !", o.Note // something is to be given up by typing
	}
	return "ready", o.Note
}

// rows draws the list and, below it, all about the procedure at the cursor.
func (o *offers) rows(m *model, w int) (rows []string, at int) {
	if len(o.all) == 0 {
		return []string{m.st.dim.on("nothing is offered here")}, 0
	}
	name := 16
	for _, c := range o.all {
		name = max(name, width(offerName(c)))
	}
	name = min(name, w/2)
	for i, c := range o.all {
		l := newLine(w).put(m.st.plain, map[bool]string{true: "> ", false: "  "}[i == o.at])
		p := m.st.plain
		if !c.Ready {
			p = m.st.dim
		}
		state, note := stateOf(c)
		l.col(p, offerName(c), name+2).col(m.st.dim, c.Tier.String(), 4)
		if note == "" {
			l.put(p, state)
		} else {
			l.col(p, state, 9)
			l.put(m.st.dim, words(note, w-l.x))
		}
		row := l.String()
		if i == o.at {
			row = m.st.chosenRow(row)
			at = len(rows)
		}
		rows = append(rows, row)
	}
	return rows, at
}

func offerName(o watch.Offered) string {
	return strings.Join(strings.Fields(o.Procedure+" "+o.Service+" "+o.Node), " ")
}

// about says what the procedure at the cursor is and what it waits for.
func (o *offers) about(m *model, w int) []string {
	var rows []string
	switch {
	case o.cancel != nil:
		rows = append(rows, m.st.strong.on("Looking at all nodes afresh for the plan; at most 15 s. Esc leaves it."))
	case o.word != "":
		for _, s := range wrap("! "+o.word, w) {
			rows = append(rows, m.st.amber.on(s))
		}
	case o.at < len(o.all):
		c := o.all[o.at]
		// The title of one that was never bound still has its braces.
		says := strings.NewReplacer("{node}", c.Node, "{service}", c.Service).Replace(c.Title)
		if c.Note != "" {
			says += ": " + c.Note
		}
		rows = append(rows, wrap(says, w)...)
		if !c.Ready && len(c.WhyNot) == 0 {
			for _, s := range wrap("! "+whyNot(c), w) {
				rows = append(rows, m.st.amber.on(s))
			}
		}
		rows = append(rows, m.guardRows(append(slices.Clone(c.WhyNot), c.Price...), w)...)
		for _, s := range wrap(c.Tier.String()+": "+tierMeans[c.Tier], w) {
			rows = append(rows, m.st.dim.on(s))
		}
	}
	return rows
}

// tierMeans says what a tier can do and what confirms it.
var tierMeans = map[cluster.Tier]string{
	cluster.T0: "only reads",
	cluster.T1: "harmless to data; y confirms it",
	cluster.T2: "touches one node's data or service; a typed phrase confirms it",
	cluster.T3: "changes who leads or belongs, or takes a safety away; armed (A), by a phrase",
}

// guardRows lists guards: their answer, what was seen, and how old that is.
func (m *model) guardRows(all []cluster.CheckedGuard, w int) []string {
	var rows []string
	for _, g := range all {
		age := ""
		for _, c := range g.Answer.Claims {
			if a := evidenceAge(m.looked(), c.At, c.Source); a != "" {
				age = a
			}
		}
		says := g.Answer.Sentence
		if says == "" {
			says = g.Question.String()
		}
		if g.Answer.Truth != cluster.True && g.Override != "" {
			says += "; or type: " + g.Override
		}
		for i, s := range wrap(says, w-21) {
			l := newLine(w)
			if i == 0 {
				l.put(m.st.truth(g.Answer.Truth), mark(g.Answer.Truth)+g.Answer.Truth.String())
			}
			l.to(11).col(m.st.plain, s, w-21)
			if i == 0 {
				l.right(m.st.dim, age)
			}
			rows = append(rows, l.String())
		}
	}
	return rows
}

// mark stands before an answer that ought to be true.
func mark(t cluster.Truth) string {
	switch t {
	case cluster.False:
		return "! "
	case cluster.Unknown:
		return "? "
	}
	return "  "
}
