package tui

import (
	"context"
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// planView is a plan before anything runs: a checklist to read, with the exact
// commands. What is shown is what runs; whatever has changed since it was made
// is named, and then it cannot be confirmed.
type planView struct {
	box
	plan    cluster.Plan
	changed []string
	word    string
	cancel  context.CancelFunc
	// rehearsing: what is waited for is a simulation; rehearsed is what the
	// plan's rehearsal showed.
	rehearsing bool
	rehearsed  *cluster.Prediction
	begins     bool // it was confirmed without a dialog, and is not answered yet
}

func newPlanView(p cluster.Plan) *planView { return &planView{plan: p} }

func (v *planView) closed() {
	if v.cancel != nil {
		v.cancel()
	}
}

func (v *planView) head(*model) (string, string) {
	what := strings.Join(strings.Fields(v.plan.Procedure+" "+v.plan.Service+" "+v.plan.Node), " ")
	return what, "plan " + v.plan.ID + ", " + v.plan.Tier.String()
}

func (v *planView) refresh(m *model) {
	if guards, changed := m.door.Recheck(v.plan.ID); changed {
		v.changed = difference(v.plan.Guards, guards)
	} else {
		v.changed = nil
	}
}

// difference names every guard whose answer is another one than in the plan.
func difference(was, is []cluster.CheckedGuard) []string {
	before := map[string]cluster.CheckedGuard{}
	for _, g := range was {
		before[g.Node+" "+g.Question.String()] = g
	}
	var rows []string
	for _, g := range is {
		if b, ok := before[g.Node+" "+g.Question.String()]; !ok || b.Answer.Truth != g.Answer.Truth {
			rows = append(rows, fmt.Sprintf("was %s, now %s: %s", b.Answer.Truth, g.Answer.Truth, g.Answer.Sentence))
		}
	}
	if len(rows) == 0 {
		rows = []string{"the plan is no longer what would be made now"}
	}
	return rows
}

func (v *planView) body(m *model, w int) ([]string, int) {
	p := v.plan
	rows := wrap(p.Summary, w)
	if p.Lasts != "" {
		rows = append(rows, m.labelled("Lasts", p.Lasts, w)...)
	}
	if p.Section != "" {
		rows = append(rows, m.labelled("Guide", p.Section, w)...)
	}
	rows = append(rows, "")
	for _, s := range p.Steps {
		rows = append(rows, m.planStep(s, w)...)
	}
	if len(p.Back) > 0 {
		rows = append(rows, "", m.st.title.on("The way back")+m.st.dim.on(", carried out if step "+p.BackFrom+" or a later one does not end well"))
		for _, s := range p.Back {
			rows = append(rows, m.planStep(s, w)...)
		}
	}
	rows = append(rows, v.rehearsedRows(m, w)...)
	for i, c := range p.Copies {
		if i == 0 {
			rows = append(rows, "", m.st.title.on("What would be lost of the other copies"))
		}
		for _, s := range wrap(c.Sentence, w-2) {
			rows = append(rows, "  "+s)
		}
	}
	rows = append(rows, "", m.st.title.on("Must hold")+m.st.dim.on(", and is read again on the nodes before each step"))
	rows = append(rows, m.guardRows(p.Guards, w)...)
	return rows, -1
}

// planStep is one step: number, node, command byte for byte, what it destroys,
// and by what it is known to have worked.
func (m *model) planStep(s cluster.PlanStep, w int) []string {
	var rows []string
	at := 10
	command := []string{s.Say}
	if s.Command != "" {
		command = wrap(s.Command, w-at)
	}
	for i, c := range command {
		l := newLine(w)
		if i == 0 {
			l.gap(1).col(m.st.strong, s.Number, 3).col(m.st.dim, s.Node, 6)
		}
		p := m.st.strong
		if s.Command == "" {
			p = m.st.plain
		}
		rows = append(rows, l.to(at).put(p, c).String())
	}
	var says []string
	if s.Command != "" && s.Say != "" {
		says = append(says, s.Say)
	}
	if s.When != nil {
		says = append(says, "only while: "+s.When.String())
	}
	end := "within " + limitText(s.Deadline)
	if s.EffectSay != "" {
		end = "then: " + s.EffectSay + ", " + end
	}
	if s.Deadline > 0 {
		says = append(says, end)
	}
	if s.Joined {
		says = append(says, "at once after the step before: no stop between them")
	}
	for _, t := range wrap(strings.Join(says, "; "), w-at) {
		rows = append(rows, newLine(w).gap(at).put(m.st.dim, t).String())
	}
	if s.Destroys != "" {
		for _, t := range wrap("! last point of no return: "+s.Destroys, w-at) {
			rows = append(rows, newLine(w).gap(at).put(m.st.amber, t).String())
		}
	}
	return rows
}

// foot names what keeps the plan from being confirmed.
func (v *planView) foot(m *model, w int) []string {
	var rows []string
	switch {
	case v.rehearsing:
		rows = []string{m.st.strong.on("Bringing a simulation into the state of the cluster; at most 90 s. Esc goes back.")}
	case v.cancel != nil:
		rows = []string{m.st.strong.on("Looking at all nodes afresh for the plan; at most 15 s.")}
	case len(v.changed) > 0:
		rows = append(rows, m.st.red.on("! The situation changed since the plan was made; p makes it again."))
		for _, c := range v.changed {
			for _, s := range wrap(c, w-2) {
				rows = append(rows, m.st.red.on("  "+s))
			}
		}
	case m.armed() && strings.Contains(v.word, watch.NeedsArming):
		rows = []string{m.st.strong.on("Armed: c confirms it.")}
	case v.word != "":
		for _, s := range wrap("! "+v.word, w) {
			rows = append(rows, m.st.amber.on(s))
		}
	}
	return rows[:min(len(rows), 6)]
}

func (v *planView) bindings(m *model) []key.Binding {
	confirm := renamed(m.keys.Confirm, "confirm")
	if v.plan.Tier == cluster.T0 {
		confirm = renamed(m.keys.Confirm, "begin watching")
	}
	return []key.Binding{confirm, renamed(m.keys.Rehearse, "rehearse on a simulation"), renamed(m.keys.Copy, "copy the commands"), renamed(m.keys.Again, "plan again"), bind("up/down", "read"), renamed(m.keys.Back, "back")}
}

func (v *planView) key(m *model, k tea.KeyMsg) tea.Cmd {
	switch {
	case is(k, m.keys.Confirm):
		return v.confirm(m)
	case is(k, m.keys.Rehearse):
		return v.rehearse(m)
	case is(k, m.keys.Copy):
		return m.copyText(v.commands(), "the commands are copied, where the terminal allows that")
	case is(k, m.keys.Again):
		if v.cancel != nil {
			return nil
		}
		ctx, cancel := context.WithCancel(m.ctx)
		v.cancel, v.word = cancel, ""
		return m.askPlan(ctx, v.plan.Procedure, v.plan.Node, v.plan.Service)
	}
	v.scroll.key(m, k)
	return nil
}

// renewed takes the plan that was made again.
func (v *planView) renewed(m *model, a planMsg) {
	v.closed()
	v.cancel = nil
	if a.err != nil {
		v.word = a.err.Error()
		return
	}
	v.plan, v.changed, v.word, v.rehearsed = a.plan, nil, "", nil
	m.say("the plan was made again: read it anew")
}

// commands are the plan's commands with their nodes, for a note.
func (v *planView) commands() string {
	var b strings.Builder
	for _, s := range v.plan.Steps {
		if s.Command != "" {
			fmt.Fprintf(&b, "%s: %s\n", s.Node, s.Command)
		}
	}
	return b.String()
}

// confirm opens the dialog. A plan that only watches begins at once.
func (v *planView) confirm(m *model) tea.Cmd {
	v.refresh(m)
	switch {
	case v.cancel != nil:
		return nil
	case len(v.changed) > 0:
		v.word = "make the plan again with p, and read it"
		return nil
	case v.plan.Tier == cluster.T0:
		if v.begins {
			return nil
		}
		v.begins = true
		return m.confirmText(v.plan.ID, "")
	case m.state != nil && m.state.Mode == watch.ReadOnly:
		v.word = "the cockpit was started read-only: nothing can be carried out"
		return nil
	case v.plan.Tier >= cluster.T3 && !m.armed():
		v.word = v.plan.Tier.String() + " " + watch.NeedsArming + " and the name of the cluster; then confirm it here"
		return nil
	case m.acting():
		v.word = "another plan is at work: one at a time"
		return nil
	}
	return m.push(newConfirmDialog(m, v.plan))
}
