package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"

	"chef-backend-cockpit/remote"
)

// The smallest screen that shows everything needed.
const minColumns, minRows = 80, 24

// inLines is what there is without a screen.
const inLines = "--plain; for scripts there are status --json and diagnose --json"

// needTerminal refuses to open the screen where there is none, before any
// terminal setting is touched. instead is what there is without one.
func (e *env) needTerminal(instead string) error {
	out, ok := e.out.(*os.File)
	if !ok || !term.IsTerminal(int(e.in.Fd())) || !term.IsTerminal(int(out.Fd())) {
		return usage("the screen needs a terminal on input and output; without one use %s", instead)
	}
	w, h, err := term.GetSize(int(out.Fd()))
	if err == nil && w > 0 && (w < minColumns || h < minRows) {
		return usage("the terminal has %d×%d characters, the screen needs %d×%d; enlarge it, or use %s", w, h, minColumns, minRows, instead)
	}
	return nil
}

// warnings say what is odd but stops nothing. Hosts warn from goroutines of
// their own, and while the screen is open nobody else may write to the
// terminal: what comes then is said when it is closed.
type warnings struct {
	mu    sync.Mutex
	out   io.Writer
	held  bool
	later []string
}

// say writes one warning, or keeps it.
func (w *warnings) say(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held {
		w.later = append(w.later, text)
		return
	}
	fmt.Fprintln(w.out, "chef-backend-cockpit: "+text)
}

// hold keeps warnings back until the returned function is called.
func (w *warnings) hold() (release func()) {
	w.mu.Lock()
	w.held = true
	w.mu.Unlock()
	return func() {
		w.mu.Lock()
		w.held = false
		later := w.later
		w.later = nil
		w.mu.Unlock()
		for _, text := range later {
			w.say(text)
		}
	}
}

// remoteOptions are the same for all hosts. Without a terminal nobody is asked.
func (e *env) remoteOptions() remote.Options {
	o := remote.Options{Agent: true, Warn: e.warnings.say, Debug: e.debug.logger()}
	if term.IsTerminal(int(e.in.Fd())) {
		o.Ask = e.asking.ask
	}
	return o
}

// askWithin asks and gives up when ctx ends: a signal is not to wait for Enter.
func (e *env) askWithin(ctx context.Context, question string) (string, error) {
	type answer struct {
		text string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		defer remote.Guard()
		fmt.Fprint(e.err, question)
		text, err := bufio.NewReader(e.in).ReadString('\n')
		if errors.Is(err, io.EOF) {
			err = nil // the keyboard is gone: no answer
		}
		got <- answer{strings.TrimSpace(text), err}
	}()
	select {
	case a := <-got:
		return a.text, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
