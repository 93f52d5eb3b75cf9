package machine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"strings"

	"mvdan.cc/sh/v3/expand"
)

// call is one command with everything that a process would be given.
type call struct {
	m        *Machine
	p        *process // the process that runs it
	fresh    bool     // the process was made for this command: a shell takes it over
	ctx      context.Context
	uid      int
	args     []string // with its own name first
	resolved string   // the path at which it was found
	set      []string // options for the shell that the call is
	dir      string
	in       *os.File // nil: closed
	tty      *os.File // the session's terminal, if it has one
	login    bool     // the shell of the login itself
	out, err io.Writer
	env      map[string]string
	vars     expand.Environ // where env comes from once it is needed
}

// exit statuses of a shell.
const (
	exitNotRunnable = 126
	exitNotFound    = 127
)

// environ is the environment, made on first use: most commands never look.
func (c *call) environ() map[string]string {
	if c.env == nil {
		c.env = map[string]string{}
		for name, v := range c.vars.Each {
			if v.Exported && v.IsSet() {
				c.env[name] = v.String()
			} else {
				delete(c.env, name)
			}
		}
	}
	return c.env
}

func (c *call) getenv(name string) string {
	if c.env == nil && c.vars != nil {
		return c.vars.Get(name).String()
	}
	return c.env[name]
}

// with is the same call of another command, as env, sudo or timeout make it.
func (c *call) with(args []string) *call {
	next := *c
	next.args = args
	return &next
}

// withEnv adds to the environment without touching the caller's.
func (c *call) withEnv(name, value string) *call {
	next := *c
	next.env = maps.Clone(c.environ())
	next.env[name] = value
	return &next
}

// path is an absolute, clean path.
func (c *call) path(p string) string {
	if !path.IsAbs(p) {
		p = c.dir + "/" + p
	}
	return path.Clean(p)
}

// input is standard input; reading ends when the command is killed.
func (c *call) input() io.Reader { return interruptible{c.ctx, c.in} }

func (c *call) printf(format string, a ...any) { fmt.Fprintf(c.out, format, a...) }

// fail prints an error as commands do, and is the exit status 1.
func (c *call) fail(format string, a ...any) int {
	fmt.Fprintf(c.err, "%s: %s\n", path.Base(c.args[0]), fmt.Sprintf(format, a...))
	return 1
}

// failed is fail for what a file operation returned.
func (c *call) failed(what string, err error) int { return c.fail("%s: %s", what, reason(err)) }

// reason is an error in the words of the C library.
func reason(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "No such file or directory"
	case errors.Is(err, fs.ErrExist):
		return "File exists"
	case errors.Is(err, fs.ErrPermission):
		return "Permission denied"
	}
	s := cause(err).Error()
	if s == "" {
		return "Input/output error"
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// find is where a command lies; the exit status says why it does not.
func (c *call) find(name string) (string, int) {
	if strings.Contains(name, "/") {
		p := c.path(name)
		info, err := c.m.stat(p, true, c.p)
		switch {
		case err != nil:
			return "", exitNotFound
		case info.IsDir() || info.Mode()&0o111 == 0:
			return "", exitNotRunnable
		}
		return p, 0
	}
	for _, dir := range strings.Split(c.getenv("PATH"), ":") {
		p := path.Join(c.path(dir), name)
		if info, err := c.m.stat(p, true, c.p); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return p, 0
		}
	}
	return "", exitNotFound
}

// run finds and runs a command, and is its exit status.
func (c *call) run(args []string) int {
	if status := c.stopped(); status != 0 {
		return status
	}
	at, status := c.find(args[0])
	switch status {
	case exitNotFound:
		fmt.Fprintf(c.err, "sh: %s: not found\n", args[0])
		return status
	case exitNotRunnable:
		fmt.Fprintf(c.err, "sh: %s: Permission denied\n", args[0])
		return status
	}
	next := c.with(args)
	next.resolved = at
	if f, ok := commands[path.Base(at)]; ok {
		status = f(next)
	} else if next.isModel() {
		status = next.model()
	} else {
		status = next.script()
	}
	if s := c.stopped(); s != 0 {
		return s
	}
	return status
}

// stopped is the exit status of a call whose process or time is over, or 0.
func (c *call) stopped() int {
	if s := c.p.status(); s != 0 {
		return s
	}
	if c.ctx.Err() != nil {
		return termed
	}
	return 0
}

// script runs a file that is no command of the machine: a shell script that
// somebody wrote there.
func (c *call) script() int {
	data, err := c.m.files.Read(c.resolved)
	if err != nil || !strings.HasPrefix(string(data), "#!") || string(data) == stub {
		fmt.Fprintf(c.err, "sh: %s: Exec format error\n", c.args[0])
		return exitNotRunnable
	}
	return c.shell(string(data), c.args)
}

func (c *call) isModel() bool {
	for _, p := range c.m.o.Commands {
		if path.Base(p) == path.Base(c.resolved) {
			return true
		}
	}
	return false
}

// readLine reads a line and nothing beyond it.
func readLine(r io.Reader) (string, error) {
	var line []byte
	for one := make([]byte, 1); ; {
		n, err := r.Read(one)
		switch {
		case n == 1 && one[0] == '\n':
			return string(line), nil
		case n == 1:
			line = append(line, one[0])
		case err != nil:
			return string(line), err
		}
	}
}

// model runs a command of the model and passes on what it prints while the
// model moves on.
func (c *call) model() int {
	env := maps.Clone(c.environ())
	env["PWD"] = c.dir
	tty := c.tty != nil && c.in == c.tty
	p, ok := c.m.o.Exec(append([]string{c.resolved}, c.args[1:]...), env, tty)
	if !ok {
		fmt.Fprintf(c.err, "sh: %s: not found\n", c.args[0])
		return exitNotFound
	}
	asker, _ := p.(Asker)
	for {
		stepped := c.m.o.Stepped()
		// Asked before the output is taken, so that the question is out first.
		asking := tty && asker != nil && asker.Asking()
		out, errOut, exit, done := p.Poll()
		if len(errOut) > 0 {
			c.err.Write(errOut)
		}
		if len(out) > 0 {
			if _, err := c.out.Write(out); err != nil {
				p.Kill() // as a broken pipe does
				return 141
			}
		}
		if done {
			return exit
		}
		if asking {
			line, err := readLine(c.input())
			switch {
			case c.ctx.Err() != nil:
			case err != nil:
				asker.HangUp()
				continue
			default:
				asker.Answer(line)
				continue
			}
		}
		select {
		case <-stepped:
		case <-c.ctx.Done():
			p.Kill()
			return c.stopped()
		}
	}
}
