package tui

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
)

// How long a cockpit that could not be suspended stands still: a stop takes
// effect at once, and meanwhile Ctrl-C is a signal. A wake-up that comes with
// the end of that time gets a moment to be heard. Both in real time.
const (
	wakesAfter = 200 * time.Millisecond
	wokenIn    = 50 * time.Millisecond
)

// suspend gives the terminal to the shell that started us, until that wakes us.
func (m *model) suspend() tea.Cmd {
	s := &suspending{ctx: m.ctx, human: m.o.Human, flush: m.o.Flush,
		alone: m.command(func() tea.Msg { return saidMsg{"no shell above this terminal: the cockpit goes on"} })}
	return tea.Exec(s, s.back)
}

// suspending stands in the place of the screen while the program is stopped.
// Bubble Tea's own way waits for SIGCONT alone. Where no shell stands above us,
// as behind ssh -t or in a window of its own, the kernel drops the signal that
// would stop us (setpgid(2), orphaned process groups), and nobody sends that one.
type suspending struct {
	ctx   context.Context
	human cluster.Clock
	flush func()  // throws away what was typed meanwhile; nil: nothing does
	alone tea.Cmd // says that nobody could take the terminal
	// ignored: nothing stopped us.
	ignored bool
}

func (s *suspending) SetStdin(io.Reader)  {}
func (s *suspending) SetStdout(io.Writer) {}
func (s *suspending) SetStderr(io.Writer) {}

// Run stops the program and returns when it goes on. It never fails: an error
// would be taken for one of the terminal.
func (s *suspending) Run() error {
	woken := make(chan os.Signal, 1)
	signal.Notify(woken, syscall.SIGCONT)
	defer signal.Stop(woken)
	if syscall.Kill(0, syscall.SIGTSTP) == nil && s.heard(woken, wakesAfter) || s.heard(woken, wokenIn) {
		return nil
	}
	s.ignored = true
	if s.flush != nil {
		s.flush()
	}
	return nil
}

// heard answers whether the program was woken, or ends, before d has passed.
func (s *suspending) heard(woken <-chan os.Signal, d time.Duration) bool {
	select {
	case <-woken:
		return true
	case <-s.ctx.Done():
		return true
	case <-s.human.After(d):
		return false
	}
}

// back is told that the screen is there again, or why it cannot be.
func (s *suspending) back(err error) tea.Msg {
	resumed := func() tea.Msg { return tea.ResumeMsg{} }
	switch {
	case err != nil:
		return lostMsg{err}
	case s.ignored:
		return tea.BatchMsg{resumed, s.alone}
	}
	return resumed()
}
