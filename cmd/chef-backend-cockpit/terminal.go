package main

import (
	"bufio"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"golang.org/x/term"

	"chef-backend-cockpit/remote"
)

// The smallest screen that shows everything needed.
const minColumns, minRows = 80, 24

// needTerminal refuses to open the screen where there is none, before any
// terminal setting is touched.
func (e *env) needTerminal() error {
	out, ok := e.out.(*os.File)
	if !ok || !term.IsTerminal(int(e.in.Fd())) || !term.IsTerminal(int(out.Fd())) {
		return usage("the cockpit needs a terminal on input and output; for scripts use status --json or diagnose --json")
	}
	w, h, err := term.GetSize(int(out.Fd()))
	if err == nil && w > 0 && (w < minColumns || h < minRows) {
		return usage("the terminal has %d×%d characters, the cockpit needs %d×%d; enlarge it, or use status and diagnose", w, h, minColumns, minRows)
	}
	return nil
}

// remoteOptions are the same for all hosts: questions are put to the terminal
// before the screen opens.
func (e *env) remoteOptions() (remote.Options, error) {
	o := remote.Options{Agent: true, Ask: e.ask, Warn: func(text string) { fmt.Fprintln(e.err, "chef-backend-cockpit: "+text) }}
	if e.debugFile != "" {
		f, err := os.OpenFile(e.debugFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return o, usage("--debug: %v", err)
		}
		o.Debug = slog.New(slog.NewTextHandler(f, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return o, nil
}

// ask puts one question to the operator.
func (e *env) ask(question string, secret bool) (string, error) {
	if !term.IsTerminal(int(e.in.Fd())) {
		return "", errors.New("no terminal to ask on; use an ssh agent")
	}
	fmt.Fprint(e.err, question)
	if secret {
		b, err := term.ReadPassword(int(e.in.Fd()))
		fmt.Fprintln(e.err)
		return string(b), err
	}
	line, err := bufio.NewReader(e.in).ReadString('\n')
	return strings.TrimSpace(line), err
}
