package tui

import (
	"cmp"

	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
)

// A plan can hold for a person: for the name of a further node, for work that
// is done outside, for a terminal. Here is how that is asked and answered.

// askedText says what the plan waits for, and which key answers.
func askedText(s *cluster.StepState) string {
	switch s.Asks {
	case cluster.AskPhrase:
		return "t: type " + phraseOf(s) + " to go on, or s to stop"
	case cluster.AskTick:
		return "t: tick it when it is done, or s to stop"
	case cluster.AskTerminal:
		return "t: type " + s.Step.Node + " to take its terminal, or s to stop"
	}
	return ""
}

// phraseOf is what is to be typed: the step's own phrase, or the plan's where a
// plan that was left is to go on.
func phraseOf(s *cluster.StepState) string { return cmp.Or(s.AskedFor, s.Step.Phrase) }

// answerAsked opens what answers the plan.
func (m *model) answerAsked(r *cluster.PlanState) tea.Cmd {
	s := r.Asked()
	if s == nil {
		m.say("the plan asks for nothing now")
		return nil
	}
	plan, step := r.Plan.ID, s.Step
	where := says{"Where", step.Node + ", step " + step.Number + " of " + r.Plan.Title}
	switch s.Asks {
	case cluster.AskPhrase:
		return m.push(&wordDialog{
			title: r.Plan.Title + ": go on with " + step.Node, phrase: newPhrase(m), want: phraseOf(s),
			says:    []says{where, {"Next", step.Say}, {"Runs", step.Command}, {"Why", s.Sentence}, {"Lost", step.Destroys}},
			hand:    func(text string) error { _, err := m.door.Confirm(plan, text); return err },
			said:    "goes on with " + step.Node,
			nothing: "nothing was done on " + step.Node + "; the plan still waits",
			plan:    r.Plan, still: stillAsks(plan, *s),
		})
	case cluster.AskTick:
		return m.push(&wordDialog{
			title: "Tick: " + step.Say, phrase: newPhrase(m), want: "done",
			says:    []says{where, {"Do", step.ToDo}, {"Then", step.EffectSay}},
			hand:    func(string) error { return m.door.Tick(plan, step.ID) },
			said:    "ticked; what came of it is looked at now",
			nothing: "it is not ticked; the plan still waits",
			still:   stillAsks(plan, *s),
		})
	case cluster.AskTerminal:
		if !m.canHandOver() {
			return nil
		}
		return m.push(&wordDialog{
			title: r.Plan.Title + ": the terminal on " + step.Node, phrase: newPhrase(m), want: step.Node,
			says:    []says{where, {"Next", step.Say}, {"Runs", step.Command}, {"Why", s.Sentence}, {"Lost", step.Destroys}},
			goes:    func(m *model) tea.Cmd { return m.takeTerminal(r.Plan, step) },
			nothing: "no terminal was opened on " + step.Node + "; the plan still waits",
			plan:    r.Plan, still: stillAsks(plan, *s),
		})
	}
	return nil
}

// stillAsks answers whether a plan asks for the same, and for the same reason.
func stillAsks(plan string, was cluster.StepState) func(*model) bool {
	return func(m *model) bool {
		r := m.running()
		if r == nil || r.Plan.ID != plan {
			return false
		}
		s := r.Asked()
		return s != nil && s.Step.ID == was.Step.ID && s.Asks == was.Asks && s.AskedFor == was.AskedFor && s.Sentence == was.Sentence
	}
}
