package tui

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"

	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
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
		return "t: take the terminal, or s to stop"
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
		return m.takeTerminal(plan, step)
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

// terminalMsg is a terminal to be handed over, or why there is none.
type terminalMsg struct {
	plan string
	step cluster.PlanStep
	t    watch.Terminal
	err  error
}

// takeTerminal asks for the terminal of a step.
func (m *model) takeTerminal(plan string, step cluster.PlanStep) tea.Cmd {
	if _, ok := m.o.In.(*os.File); !ok || m.w < 1 || m.h < 1 {
		m.say("this is no terminal that could be handed over")
		return nil
	}
	m.say("looking at " + step.Node + " before its terminal is opened")
	size := watch.Size{Columns: m.w, Rows: m.h}
	return m.command(func() tea.Msg {
		ctx, cancel := context.WithTimeout(m.ctx, watch.LooksWithin)
		defer cancel()
		t, err := m.door.Terminal(ctx, plan, step.ID, size)
		return terminalMsg{plan, step, t, err}
	})
}

// handTerminal gives the screen away until the node's terminal has ended.
func (m *model) handTerminal(a terminalMsg) tea.Cmd {
	m.dirty = true
	if a.err != nil {
		m.say("no terminal: " + a.err.Error())
		return nil
	}
	in, ok := m.o.In.(*os.File)
	if v, reads := m.top().(*runView); !ok || !reads || v.plan.ID != a.plan || m.inner != nil {
		a.t.Close() //nolint:errcheck // nothing was begun in it
		m.say("the terminal on " + a.step.Node + " was ready while something else was open: g, then t again")
		return nil
	}
	return tea.Exec(&handing{ctx: m.ctx, step: a.step, t: a.t, in: in, out: m.o.Out, repaint: m.repaint, quiet: m.quietly}, func(err error) tea.Msg {
		if err != nil {
			a.t.Close() //nolint:errcheck // where the screen could not be given away nobody began it
			return saidMsg{"the terminal ended: " + err.Error()}
		}
		return saidMsg{"back from the terminal on " + a.step.Node}
	})
}

// quietly throws away what was typed for the screen while another program takes
// its place.
func (m *model) quietly() {
	if m.wait(quietTime) && m.o.Flush != nil {
		m.o.Flush()
	}
}

// handing is a node's terminal in the place of the screen. What goes through it
// is raw by nature, so it is announced before and after.
type handing struct {
	ctx  context.Context
	step cluster.PlanStep
	t    watch.Terminal
	in   *os.File
	out  io.Writer
	// repaint is told that nothing of the screen is left.
	repaint func()
	// quiet waits a moment and throws away what is typed in it: that was meant
	// for the screen.
	quiet func()
}

func (h *handing) SetStdin(io.Reader)  {}
func (h *handing) SetStdout(io.Writer) {}
func (h *handing) SetStderr(io.Writer) {}

// Run blocks until the terminal has ended.
func (h *handing) Run() error {
	node, _ := clean(h.step.Node)
	command, _ := clean(h.step.Command)
	fmt.Fprintf(h.out, "\r\n── terminal on %s: %s\r\n── everything typed goes there; Ctrl-] hangs it up\r\n\r\n", node, command)
	if h.quiet != nil {
		h.quiet()
	}
	err := watch.HandOver(h.ctx, h.t, h.in, h.out)
	if h.repaint != nil {
		h.repaint()
	}
	// Whatever the host left switched on is switched off.
	fmt.Fprintf(h.out, "\x1b[0m\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1049l\r\n── the terminal on %s has ended; back in the cockpit\r\n", node)
	return err
}
