package tui

import (
	"context"
	"runtime/debug"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

type (
	contentMsg struct{} // time for a new picture; the pump waits for the next
	contentNow struct{} // something was done: a new picture at once
	summaryMsg struct{ text string }
	copiedMsg  struct{ text string }
	quietMsg   struct{ of overlay }
	lostMsg    struct{ err error } // nothing can be typed or read any more
	planMsg    struct {
		from overlay
		plan cluster.Plan
		err  error
	}
	confirmedMsg struct {
		planID, text string
		left         []string
		err          error
	}
)

// command makes a command whose panic ends the program in order.
// What a rehearsal asked for comes back to it.
func (m *model) command(f func() tea.Msg) tea.Cmd {
	return func() (msg tea.Msg) {
		defer func() {
			if r := recover(); r != nil {
				msg = &PanicError{Value: r, Stack: debug.Stack()}
			}
		}()
		if msg = f(); m.outer != nil && msg != nil {
			msg = innerMsg{m, msg}
		}
		return msg
	}
}

// pump waits for the next picture that no key asks for: at least one content
// period, longer where the pictures are too large for the terminal's budget,
// then until something changed, and a second at most, since ages and the clock
// grow older by themselves. There is never more than one at a time.
func (m *model) pump() tea.Cmd {
	written := m.written()
	return m.command(func() tea.Msg {
		if !m.wait(contentPeriod) {
			return nil
		}
		slow := slowDown(m.written() - written)
		if slow > 0 && !m.wait(slow) {
			return nil
		}
		select {
		case <-m.door.Changed():
		case <-m.human.After(time.Second - contentPeriod - slow):
		case <-m.ctx.Done():
			return nil
		}
		return contentMsg{}
	})
}

// terminalRate is how many bytes a second go to the terminal at most while
// nobody types: a screen over a slow line must not fall behind its logs.
const terminalRate = 40_000

// slowDown is how much longer than a content period the next picture waits
// after one of so many bytes; never so long that there is none in a second.
func slowDown(bytes int64) time.Duration {
	pays := time.Duration(bytes) * time.Second / terminalRate
	return min(max(pays-contentPeriod, 0), time.Second-contentPeriod)
}

// written is how much went to the terminal so far.
func (m *model) written() int64 {
	if m.out == nil {
		return 0
	}
	return m.out.Bytes()
}

// wait answers whether d has passed before the end of everything.
func (m *model) wait(d time.Duration) bool {
	select {
	case <-m.human.After(d):
		return true
	case <-m.ctx.Done():
		return false
	}
}

// waitQuiet wakes an overlay that waits for the keyboard to be quiet.
func (m *model) waitQuiet(of overlay, d time.Duration) tea.Cmd {
	return m.command(func() tea.Msg {
		if !m.wait(d) {
			return nil
		}
		return quietMsg{of}
	})
}

// askPlan binds a procedure for the box on top. The answer is void once that box
// is closed.
func (m *model) askPlan(ctx context.Context, procedure, node, service string) tea.Cmd {
	from := m.top()
	return m.command(func() tea.Msg {
		ctx, cancel := context.WithTimeout(ctx, watch.LooksWithin)
		defer cancel()
		p, err := m.door.Plan(ctx, procedure, node, service)
		return planMsg{from, p, err}
	})
}

// copyText puts a text into the terminal's clipboard.
func (m *model) copyText(text, said string) tea.Cmd {
	return m.command(func() tea.Msg {
		if m.out == nil || m.out.Copy(text) != nil {
			return copiedMsg{"the terminal did not take the copy"}
		}
		return copiedMsg{said}
	})
}

// summary fetches the text to paste; making it may take a moment.
func (m *model) summary() tea.Cmd {
	return m.command(func() tea.Msg { return summaryMsg{m.door.Summary()} })
}
