package main

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/muesli/cancelreader"
	"golang.org/x/term"

	"chef-backend-cockpit/remote"
)

// asking puts what logins ask to the operator: on the terminal before the screen
// opens, in the screen while it is open.
type asking struct {
	terminal remote.Asker
	turn     chan struct{} // one question at a time on the terminal

	mu     sync.Mutex
	screen remote.Asker // nil while no screen is open
}

func newAsking(e *env) *asking {
	return &asking{terminal: e.askOnTerminal, turn: make(chan struct{}, 1)}
}

// ask is the remote.Asker of all hosts.
func (a *asking) ask(ctx context.Context, q remote.Question) ([]string, error) {
	a.mu.Lock()
	screen := a.screen
	a.mu.Unlock()
	if screen != nil {
		return screen(ctx, q)
	}
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return a.terminal(ctx, q)
}

// through gives the questions to a screen until the returned function is called.
func (a *asking) through(screen remote.Asker) (release func()) {
	set := func(s remote.Asker) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.screen = s
	}
	set(screen)
	return func() { set(nil) }
}

// askOnTerminal puts a question to the plain terminal. Ctrl-C is a no, and the
// end of ctx ends the reading: what is typed later belongs to the screen.
func (e *env) askOnTerminal(ctx context.Context, q remote.Question) ([]string, error) {
	fmt.Fprintf(e.err, "%s: %s\n", q.Host, q.From)
	for _, line := range q.Text {
		fmt.Fprintf(e.err, "  | %s\n", line)
	}
	var answers []string
	for _, p := range q.Prompts {
		answer, err := e.line(ctx, "  "+p.Text, p.Secret)
		if err != nil {
			return nil, err
		}
		answers = append(answers, answer)
	}
	return answers, nil
}

// line reads one line from the terminal, secret without an echo.
func (e *env) line(ctx context.Context, prompt string, secret bool) (string, error) {
	before, err := term.MakeRaw(int(e.in.Fd()))
	if err != nil {
		return "", err
	}
	defer term.Restore(int(e.in.Fd()), before)
	in, err := cancelreader.NewReader(e.in)
	if err != nil {
		return "", err
	}
	defer in.Close()
	stop := context.AfterFunc(ctx, func() { in.Cancel() })
	defer stop()
	t := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{in, e.err}, prompt)
	read := t.ReadLine
	if secret {
		read = func() (string, error) { return t.ReadPassword(prompt) }
	}
	text, err := read()
	if err != nil {
		fmt.Fprint(e.err, "\r\n")
	}
	return text, err
}
