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

// wakesAfter is how long a cockpit that could not be suspended stands still.
const wakesAfter = 2 * time.Second

// suspend gives the terminal to the shell that started us, until that wakes us.
func (m *model) suspend() tea.Cmd {
	return tea.Exec(&suspending{ctx: m.ctx, human: m.o.Human}, func(error) tea.Msg { return tea.ResumeMsg{} })
}

// suspending stands in the place of the screen while the program is stopped.
// Bubble Tea's own way waits for SIGCONT alone. Where no shell stands above us,
// as behind ssh -t or in a window of its own, the kernel drops the signal that
// would stop us (setpgid(2), orphaned process groups), and nobody sends that one.
type suspending struct {
	ctx   context.Context
	human cluster.Clock
}

func (s *suspending) SetStdin(io.Reader)  {}
func (s *suspending) SetStdout(io.Writer) {}
func (s *suspending) SetStderr(io.Writer) {}

// Run stops the program and returns when it goes on.
func (s *suspending) Run() error {
	woken := make(chan os.Signal, 1)
	signal.Notify(woken, syscall.SIGCONT)
	defer signal.Stop(woken)
	if err := syscall.Kill(0, syscall.SIGTSTP); err != nil {
		return err
	}
	select {
	case <-woken:
	case <-s.human.After(wakesAfter):
	case <-s.ctx.Done():
	}
	return nil
}
