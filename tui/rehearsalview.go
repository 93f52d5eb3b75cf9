package tui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
)

// rehearsalView is a plan as it is carried out on a simulation: what each step
// is expected to bring about, what it did, where the plan would stop, and what
// was assumed for it.
type rehearsalView struct{ *runView }

func newRehearsalView(p cluster.Plan) *rehearsalView { return &rehearsalView{newRunView(p)} }

func (v *rehearsalView) body(m *model, w int) ([]string, int) {
	rows := wrap("The phrases are not typed here, nothing is written but a note, and every host is a simulated one.", w)
	rows = append(rows, "")
	at := -1
	r := v.state(m)
	if r == nil {
		rows = append(rows, "The plan "+v.plan.ID+" begins on the simulation.")
	} else {
		for i, s := range r.Steps {
			if i == len(r.Plan.Steps) {
				rows = append(rows, "", m.st.title.on("The way back"))
			}
			if atWork(s) {
				at = len(rows)
			}
			rows = append(rows, v.step(m, s, w)...)
			rows = append(rows, expects(m, r.Prediction, s, w)...)
		}
		if !r.Running() {
			at = len(rows)
			rows = append(rows, v.verdict(m, r, w)...)
		}
	}
	if why := m.refusedText(); why != "" {
		for _, t := range wrap("! "+why, w) {
			rows = append(rows, m.st.amber.on(t))
		}
	}
	rows = append(rows, v.assumed(m, w)...)
	if v.moved {
		at = -1
	}
	return rows, at
}

// expects is what a step is expected to bring about, or what it brought about.
func expects(m *model, p *cluster.Prediction, s cluster.StepState, w int) []string {
	var rows []string
	sub := func(text string) {
		for _, t := range wrap(text, w-21) {
			rows = append(rows, newLine(w).gap(21).put(m.st.dim, t).String())
		}
	}
	if s.Step.EffectSay != "" && s.Status != cluster.StatusDone {
		sub("expected: " + s.Step.EffectSay)
	}
	if told := p.Step(s.Step.ID); told != nil {
		if text := cluster.FactsText(told.Changed); text != "" {
			sub("brought about: " + text)
		}
	}
	return rows
}

// verdict says how the plan would end.
func (v *rehearsalView) verdict(m *model, r *cluster.PlanState, w int) []string {
	rows := v.result(m, r, w)
	says, p := "The plan would run to its end.", m.st.strong
	if r.Status != cluster.StatusDone {
		says, p = "The plan would stop "+r.Prediction.Stopped(r.Plan), m.st.amber
	}
	for _, t := range wrap(says, w) {
		rows = append(rows, p.on(t))
	}
	return rows
}

func (v *rehearsalView) assumed(m *model, w int) []string {
	if m.state == nil || m.state.Rehearsal == nil || len(m.state.Rehearsal.Assumed) == 0 {
		return nil
	}
	rows := []string{"", m.st.title.on("Assumed") + m.st.dim.on(", as no look told it")}
	for _, a := range m.state.Rehearsal.Assumed {
		for i, t := range wrap(a, w-4) {
			l := newLine(w).gap(2)
			if i == 0 {
				l.put(m.st.dim, "- ")
			}
			rows = append(rows, l.to(4).put(m.st.plain, t).String())
		}
	}
	return rows
}

func (v *rehearsalView) foot(m *model, w int) []string {
	text := "What is seen here foretells the real run: there a deviation holds the plan."
	if r := v.state(m); r != nil && r.Running() {
		text = "The simulation's time runs faster. s stops before the next step, q leaves at any time."
	}
	return []string{textLine(w, m.st.dim, text)}
}

func (v *rehearsalView) bindings(m *model) []key.Binding {
	out := m.keys.Output
	if v.whole {
		out = renamed(out, "in short")
	}
	all := []key.Binding{renamed(m.keys.Leave, "leave, back to the plan")}
	if r := v.state(m); r == nil || r.Running() {
		all = append(all, m.keys.Stop)
	}
	return append(all, out, bind("Esc", "see the simulated cluster (g: back)"), bind("up/down", "read"))
}

func (v *rehearsalView) key(m *model, k tea.KeyMsg) tea.Cmd {
	if is(k, m.keys.Answer) {
		m.say("what the plan asks is answered by itself here")
		return nil
	}
	return v.runView.key(m, k)
}

// rehearsedRows stand in the plan after its rehearsal.
func (v *planView) rehearsedRows(m *model, w int) []string {
	p := v.rehearsed
	if p == nil {
		return nil
	}
	rows := []string{"", m.st.title.on("Rehearsed on a simulation") + m.st.dim.on(", and kept with the plan: the real run is compared with it")}
	says := "It would run to its end."
	if p.Status != cluster.StatusDone {
		says = "! It would stop " + p.Stopped(v.plan) + " " + p.Sentence
	}
	for _, t := range wrap(says, w-2) {
		rows = append(rows, "  "+t)
	}
	for _, s := range v.plan.Steps {
		if told := p.Step(s.ID); told != nil && len(told.Changed) > 0 {
			for _, t := range wrap("step "+s.Number+" brought about: "+cluster.FactsText(told.Changed), w-2) {
				rows = append(rows, m.st.dim.on("  "+t))
			}
		}
	}
	return rows
}
