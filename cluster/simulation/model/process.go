package model

import (
	"bytes"
	"fmt"
	"time"
)

// Exit codes of a process that a signal ended, as a shell tells them.
const (
	exitKilled = 137
	exitTerm   = 143
)

// Process is one command on a node. Quick ones have ended when Exec returns;
// the others go on with Advance. On a terminal it may ask a question and wait
// for Answer; elsewhere it has no input.
type Process struct {
	w      *World
	n      *node
	pid    int
	argv   []string
	env    map[string]string
	boot   int // boot of the node on which it began
	began  time.Time
	stages []stage
	marker time.Time // when the current stage began

	out, errOut bytes.Buffer
	exit        int
	done        bool
	onKill      func()
	child       string // command line of a child that is worth seeing

	tty    bool     // its input is a terminal
	asks   bool     // it waits for a line
	lines  []string // that came and were not read yet
	hungUp bool     // no more lines come
}

// stage is one part of a command. It is called every step until it says true.
type stage func(p *Process) (done bool)

// PID is the process id on its node.
func (p *Process) PID() int { return p.pid }

// Output is what was written to standard output since the last call.
func (p *Process) Output() []byte { return take(&p.out) }

// ErrOutput is what was written to standard error since the last call.
func (p *Process) ErrOutput() []byte { return take(&p.errOut) }

// Done says whether the process has ended, and its exit code.
func (p *Process) Done() (exit int, done bool) { return p.exit, p.done }

// Asking says whether the process waits for a line from its terminal.
func (p *Process) Asking() bool { return p.asks && len(p.lines) == 0 && !p.done }

// Answer is a line that somebody types, without its end.
func (p *Process) Answer(line string) { p.lines = append(p.lines, line) }

// HangUp is the end of the terminal's input.
func (p *Process) HangUp() { p.hungUp = true }

// readLine takes a line from the terminal; false: it has not come yet. The
// end of the input is an empty line.
func (p *Process) readLine() (string, bool) {
	p.asks = true
	switch {
	case len(p.lines) > 0:
		line := p.lines[0]
		p.lines, p.asks = p.lines[1:], false
		return line, true
	case p.hungUp:
		p.asks = false
		return "", true
	}
	return "", false
}

// Kill ends the process as SIGKILL does. An ended one is left alone.
func (p *Process) Kill() {
	if p.done {
		return
	}
	p.end(exitKilled)
	if p.onKill != nil {
		p.onKill()
	}
}

func take(b *bytes.Buffer) []byte {
	if b.Len() == 0 {
		return nil
	}
	data := append([]byte(nil), b.Bytes()...)
	b.Reset()
	return data
}

func (p *Process) end(code int) {
	p.done, p.exit, p.stages = true, code, nil
}

func (p *Process) printf(format string, a ...any) { fmt.Fprintf(&p.out, format, a...) }
func (p *Process) errorf(format string, a ...any) { fmt.Fprintf(&p.errOut, format, a...) }

// then adds parts to a command.
func (p *Process) then(s ...stage) { p.stages = append(p.stages, s...) }

// step runs the command as far as it goes now.
func (p *Process) step() {
	for !p.done {
		if len(p.stages) == 0 {
			p.end(0)
			return
		}
		current := p.stages[0]
		if !current(p) || p.done {
			return
		}
		p.stages = p.stages[1:]
		p.marker = p.w.now
	}
}

// waited says whether the current stage has lasted at least d.
func (p *Process) waited(d time.Duration) bool { return p.w.now.Sub(p.marker) >= d }

// pause is a stage that only takes time.
func pause(d time.Duration) stage {
	return func(p *Process) bool { return p.waited(d) }
}

// act is a stage that does something once.
func act(f func(p *Process)) stage {
	return func(p *Process) bool { f(p); return true }
}

// failed ends the command as chef-backend-ctl ends on any error.
func (p *Process) failed(message string) {
	p.errorf("An unexpected error occurred:\n  %s\nFor more information run the command with the --verbose flag.\n", message)
	p.end(1)
}
