package plain

import (
	"context"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// hangUp is the line that ends a node's terminal, as ssh(1) has it.
const hangUp = "~."

// handed is a node's terminal that is read and written by lines.
type handed struct {
	node  string
	t     watch.Terminal
	lines <-chan string // closed when it has ended
	since time.Time     // what was typed before is not for it
}

// takeTerminal opens the terminal that a step waits for.
func (t *talk) takeTerminal(plan cluster.Plan, step cluster.PlanStep) {
	t.say("Looking at %s before its terminal is opened.", step.Node)
	ctx, cancel := context.WithTimeout(t.ctx, watch.LooksWithin)
	defer cancel()
	opened, err := t.door.Terminal(ctx, plan.ID, step.ID, watch.Size{Columns: columns, Rows: 24})
	if err != nil {
		t.report(err, "")
		return
	}
	t.flush()
	t.ahead()
	t.handed = &handed{node: step.Node, t: opened, lines: watch.TerminalLines(opened), since: t.o.Human.Now()}
	t.say("The terminal on %s is open, and runs %s. What it writes is said behind the node's name. Each line that you type now goes there, is shown, and is kept in the journal: no password. %s alone hangs it up.",
		step.Node, step.Command, hangUp)
}

// terminalLines are those of the terminal that is open; nil for none.
func (t *talk) terminalLines() <-chan string {
	if t.handed == nil {
		return nil
	}
	return t.handed.lines
}

// terminalSaid says what came from the terminal, or that it has ended.
func (t *talk) terminalSaid(line string, more bool) {
	h := t.handed
	if more {
		t.say("%s: %s", h.node, line)
		return
	}
	h.t.Close() //nolint:errcheck // it has ended, and the plan tells how
	t.handed = nil
	t.deafen()
	t.say("The terminal on %s has ended; its output was kept. Lines are commands again.", h.node)
	t.say("Ready.")
}

// typeThere types a line into the terminal.
func (t *talk) typeThere(l Line) {
	h := t.handed
	switch {
	case l.At.Before(h.since):
		t.say("Ignored, because it was typed before the terminal was open.")
	case l.Text == hangUp:
		t.say("Hanging up the terminal on %s.", h.node)
		h.t.Close() //nolint:errcheck // the end of its lines tells
	default:
		if err := watch.WriteLine(h.t, l.Text); err != nil {
			t.say("%s", sentence(capital(err.Error())))
		}
	}
}

// leaveTerminal hangs a terminal up that is still open.
func (t *talk) leaveTerminal() {
	if t.handed == nil {
		return
	}
	t.handed.t.Close() //nolint:errcheck // nobody hears of it any more
	for range t.handed.lines {
	}
	t.handed = nil
}
