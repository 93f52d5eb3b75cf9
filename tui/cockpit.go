package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// Options are what the screen needs.
type Options struct {
	Door    watch.Door
	Clock   cluster.Clock  // the cluster's: ages and the clock on the screen
	Human   cluster.Clock  // real time: how quiet the keyboard is
	Theme   string         // one of Themes; "" is dark
	Title   bool           // the terminal's window can be given a title
	Zone    *time.Location // the operator's, for times asked for in it; nil is time.Local
	Manual  []Page         // behind the help; none: the keys alone
	SaveDir string         // where saved lines go; "": nothing can be saved
	In      io.Reader      // the terminal's input
	Out     io.Writer      // the terminal's output
	Flush   func()         // throws away what was typed and not read yet; nil: nothing does
	Ready   func() bool    // whether something was typed that was not read yet; nil: nobody can tell
	Witness watch.Witness  // if set, is told what the operator does
	// Written, if set, is told at the end how many bytes went to the terminal.
	Written func(bytes int64)
}

// PanicError is a fault of the program itself; the terminal has been restored
// when Run returns it.
type PanicError struct {
	Value any
	Stack []byte
}

// Error names the fault; the stack is for a file.
func (e *PanicError) Error() string { return fmt.Sprintf("internal error: %v", e.Value) }

// Run shows the cockpit until the operator quits, ctx is done or the terminal
// is gone. It blocks; the terminal is as before when it returns. The error is
// nil when the operator quit, ctx's cause when ctx ended it, ErrGone, a
// *PanicError, or else why the terminal could not be used.
func Run(ctx context.Context, o Options) error {
	if o.Door == nil || o.Clock == nil || o.Human == nil || o.In == nil || o.Out == nil {
		return errors.New("the screen needs a door, two clocks, an input and an output")
	}
	ctx, gone := context.WithCancelCause(ctx)
	defer gone(nil)

	out := &output{w: o.Out}
	var to io.Writer = out
	if f, ok := o.Out.(terminal); ok {
		to = ttyOutput{out, f}
	}
	in := o.In
	if f, ok := o.In.(terminal); ok {
		in = ttyInput{f, gone}
	}
	p := &painter{out: out}
	m := newModel(ctx, o, out)
	m.repaint = p.forget
	program := tea.NewProgram(painted{m, p}, tea.WithInput(in), tea.WithOutput(to), tea.WithFilter(bySize),
		tea.WithAltScreen(), tea.WithoutSignalHandler(), tea.WithFPS(1))
	// Not tea.WithContext: a program that is killed closes its input's pipe under
	// the goroutine that reads it; one that quits waits for it.
	defer context.AfterFunc(ctx, program.Quit)()
	_, err := program.Run()
	if err != nil && !errors.Is(err, tea.ErrProgramKilled) && p.begun {
		// Of all its ends this one alone, an input that cannot be read, leaves the
		// terminal as the screen had it.
		_ = program.ReleaseTerminal()
	}
	m.giveTitleBack()
	if o.Written != nil {
		o.Written(out.Bytes())
	}
	switch {
	case m.panic != nil:
		return m.panic
	case m.lost != nil:
		return m.lost
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, tea.ErrProgramPanic):
		return &PanicError{Value: err}
	}
	return err
}
