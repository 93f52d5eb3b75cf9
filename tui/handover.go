package tui

import (
	"context"
	"fmt"
	"io"
	"os"

	tea "github.com/charmbracelet/bubbletea"
	"golang.org/x/term"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// A step can want a terminal on its node. Here it is asked for, and the
// operator's own is given to it until it has ended.

// terminalMsg is a terminal to be handed over, or why there is none.
type terminalMsg struct {
	plan cluster.Plan
	step cluster.PlanStep
	t    watch.Terminal
	err  error
}

// canHandOver answers whether there is a terminal here to give away, and says so
// where there is none.
func (m *model) canHandOver() bool {
	if _, ok := m.o.In.(*os.File); ok && m.w > 0 && m.h > 0 {
		return true
	}
	m.say("this is no terminal that could be handed over")
	return false
}

// takeTerminal asks for the terminal of a step.
func (m *model) takeTerminal(plan cluster.Plan, step cluster.PlanStep) tea.Cmd {
	if !m.canHandOver() {
		return nil
	}
	m.say("looking at " + step.Node + " before its terminal is opened")
	size := watch.Size{Columns: m.w, Rows: m.h}
	return m.command(func() tea.Msg {
		ctx, cancel := context.WithTimeout(m.ctx, watch.LooksWithin)
		defer cancel()
		t, err := m.door.Terminal(ctx, plan.ID, step.ID, size)
		return terminalMsg{plan, step, t, err}
	})
}

// handTerminal gives the screen away until the node's terminal has ended. The
// command runs by now, and to close its terminal would hang it up: so whatever
// was opened meanwhile makes room.
func (m *model) handTerminal(a terminalMsg) tea.Cmd {
	m.dirty = true
	if a.err != nil {
		m.say("no terminal: " + a.err.Error())
		return nil
	}
	in, ok := m.o.In.(*os.File)
	if !ok {
		a.t.Close() //nolint:errcheck // none is asked for where none could be handed over
		m.say("this is no terminal that could be handed over")
		return nil
	}
	var left tea.Cmd
	if m.inner != nil {
		left = m.inner.quit()
	}
	m.closeAll()
	m.push(newRunView(a.plan))
	h := &handing{ctx: m.ctx, step: a.step, t: a.t, in: in, out: m.o.Out, repaint: m.repaint, quiet: m.quietly}
	return tea.Batch(left, tea.Exec(h, h.back))
}

// noisyMost is how many quiet times a keyboard is waited for that does not
// become quiet: a key that is stuck must not keep a command waiting for ever.
const noisyMost = 50

// quietly throws away what is typed for the screen while another program takes
// its place, until nothing came for the quiet time: a phrase that is still being
// typed must not answer a prompt of a host.
func (m *model) quietly() {
	for range noisyMost {
		if !m.wait(quietTime) {
			return
		}
		came := m.o.Ready != nil && m.o.Ready()
		if m.o.Flush != nil {
			m.o.Flush()
		}
		if !came {
			return
		}
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
	// quiet throws away what is typed until the keyboard is quiet: at the beginning
	// that was meant for the screen, at the end for the node.
	quiet func()
	ended error // how the node's terminal ended
}

func (h *handing) SetStdin(io.Reader)  {}
func (h *handing) SetStdout(io.Writer) {}
func (h *handing) SetStderr(io.Writer) {}

// Run blocks until the terminal has ended. It never fails: an error would be
// taken for one of the operator's own terminal.
func (h *handing) Run() error {
	node, _ := clean(h.step.Node)
	command, _ := clean(h.step.Command)
	// From here on Ctrl-C is a key, too: as a signal it would end the cockpit, and
	// with it what runs in the terminal.
	if was, err := term.MakeRaw(int(h.in.Fd())); err == nil {
		defer term.Restore(int(h.in.Fd()), was)
	}
	fmt.Fprintf(h.out, "\r\n── terminal on %s: %s\r\n── everything typed goes there; Ctrl-] hangs it up\r\n\r\n", node, command)
	if h.quiet != nil {
		h.quiet()
	}
	h.ended = watch.HandOver(h.ctx, h.t, h.in, h.out)
	// What is still being typed was meant for the node: as keys of the screen it
	// could stop the plan.
	if h.quiet != nil {
		h.quiet()
	}
	if h.repaint != nil {
		h.repaint()
	}
	// Whatever the host left switched on is switched off.
	fmt.Fprintf(h.out, "\x1b[0m\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1049l\r\n── the terminal on %s has ended; back in the cockpit\r\n", node)
	return nil
}

// back is told that the screen is there again, or why it cannot be.
func (h *handing) back(err error) tea.Msg {
	switch {
	case err != nil:
		h.t.Close() //nolint:errcheck // nobody can type into it any more
		return lostMsg{err}
	case h.ended != nil:
		return saidMsg{"the terminal ended: " + h.ended.Error()}
	}
	return saidMsg{"back from the terminal on " + h.step.Node}
}
