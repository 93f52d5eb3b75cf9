package machine

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"

	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// The interpreter's builtins that are left to it. All others of its builtins
// are replaced by this package's, or are no part of a POSIX shell.
var builtins = map[string]bool{
	":": true, "true": true, "false": true, "exit": true, "set": true, "shift": true, "unset": true, "echo": true,
	"break": true, "continue": true, "cd": true, "test": true, "[": true, "exec": true, "return": true,
	"read": true, "getopts": true, "hash": true, "times": true,
	"export": true, "readonly": true, "local": true,
}

// replaced are the builtins that call and internals take over.
var replaced = map[string]bool{
	"eval": true, ".": true, "trap": true, "wait": true, "command": true, "type": true, "kill": true, "umask": true,
	"pwd": true, "printf": true,
}

// internals are commands that only the shell itself can call.
var internals map[string]func(*shell, *call) int

func init() {
	internals = map[string]func(*shell, *call) int{
		"sim:job": (*shell).newJob, "sim:bg": (*shell).await, "sim:end": (*shell).endJob,
		"sim:kill": (*shell).kill, "sim:umask": (*shell).umask, "sim:command": (*shell).which, "sim:type": (*shell).kind,
		"sim:pwd": (*shell).pwd, "sim:printf": (*shell).printf, "sim:missing": (*shell).missing, "sim:error": (*shell).wrong,
	}
}

// call sees every simple command before it runs, and may put another in its
// place.
func (sh *shell) call(ctx context.Context, args []string) ([]string, error) {
	hc := interp.HandlerCtx(ctx)
	p := sh.process(&hc)
	if args[0] == "sim:end" {
		return args, nil
	}
	if status := p.status(); status != 0 {
		return []string{"exit", strconv.Itoa(status)}, nil
	}
	if text, due := p.trap(); due {
		return []string{"eval", text + "\n" + quoted(args)}, nil
	}
	name := args[0]
	if sh.declares(name) {
		p.started()
		return args, nil
	}
	if !interp.IsBuiltin(name) {
		return args, nil // exec says when it has begun
	}
	p.started()
	return sh.builtin(p, args), nil
}

func (sh *shell) builtin(p *process, args []string) []string {
	switch name := args[0]; {
	case builtins[name]:
		return args
	case name == "eval":
		return sh.eval(strings.Join(args[1:], " "))
	case name == ".":
		return sh.source(p, args)
	case name == "trap":
		return sh.trap(p, args)
	case name == "wait":
		return sh.wait(args)
	case name == "command":
		return sh.plain(p, args)
	case name == "kill" || name == "umask" || name == "type" || name == "pwd" || name == "printf":
		return append([]string{"sim:" + name}, args[1:]...)
	}
	return append([]string{"sim:missing"}, args...)
}

// eval hands on the text as it is to run here.
func (sh *shell) eval(text string) []string {
	changed, err := sh.take(text)
	if err != nil {
		return []string{"sim:error", "2", "Syntax error: " + err.Error()}
	}
	return []string{"eval", changed}
}

// source is ".": the file comes from the machine, not from where the
// interpreter would look.
func (sh *shell) source(p *process, args []string) []string {
	if len(args) != 2 {
		return []string{"sim:error", "2", ".: one file name is needed"}
	}
	data, err := p.m.files.Read(sh.c.path(args[1]))
	if err != nil {
		return []string{"sim:error", "2", ".: cannot open " + args[1] + ": " + reason(err)}
	}
	return sh.eval(string(data))
}

// plain is command: functions do not count.
func (sh *shell) plain(p *process, args []string) []string {
	rest := args[1:]
	for len(rest) > 0 && strings.HasPrefix(rest[0], "-") {
		switch rest[0] {
		case "-v", "-V":
			return append([]string{"sim:command"}, rest...)
		case "-p", "--":
			rest = rest[1:]
		default:
			return []string{"sim:error", "2", "command: Illegal option " + rest[0]}
		}
	}
	switch {
	case len(rest) == 0:
		return []string{"true"}
	case !interp.IsBuiltin(rest[0]) || builtins[rest[0]]:
		return append([]string{"command", "--"}, rest...)
	}
	return sh.builtin(p, rest)
}

// wait turns pids into what the interpreter calls its jobs.
func (sh *shell) wait(args []string) []string {
	out := []string{"wait"}
	for _, arg := range args[1:] {
		pid, _ := strconv.Atoi(arg)
		sh.mu.RLock()
		j := sh.jobs[pid]
		sh.mu.RUnlock()
		if j == nil || j.name == "" {
			return []string{"sim:error", "127", "wait: pid " + arg + " is not a child of this shell"}
		}
		out = append(out, j.name)
	}
	return out
}

// trap keeps the texts for signals here; the interpreter only knows EXIT.
func (sh *shell) trap(p *process, args []string) []string {
	rest := args[1:]
	if len(rest) > 0 && rest[0] == "--" {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return []string{"true"}
	}
	text, reset := rest[0], rest[0] == "-"
	names := rest[1:]
	if len(rest) == 1 {
		reset, names = true, rest
	}
	changed, err := sh.take(text)
	if err != nil && !reset {
		return []string{"sim:error", "2", "trap: Syntax error: " + err.Error()}
	}
	var atExit []string
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range names {
		s, ok := signalOf(name)
		switch {
		case name == "EXIT" || name == "0":
			atExit = []string{"trap", changed, "EXIT"}
			if reset {
				atExit = []string{"trap", "-", "EXIT"}
			}
		case !ok:
			return []string{"sim:error", "1", "trap: " + name + ": bad trap"}
		case reset:
			delete(p.traps, signalName(s))
		default:
			p.traps[signalName(s)] = text
		}
	}
	if atExit != nil {
		return atExit
	}
	return []string{"true"}
}

// job is a background job of a shell.
type job struct {
	process *process
	name    string // what the interpreter calls it
}

// newJob makes the process of a job and prints its pid.
func (sh *shell) newJob(c *call) int {
	p := c.m.begin(c.p, c.p.ctx, "sh")
	sh.mu.Lock()
	sh.jobs[p.pid] = &job{process: p}
	sh.mu.Unlock()
	c.printf("%d\n", p.pid)
	return 0
}

// await notes what the interpreter calls a job, and lets the shell go on when
// the job is under way: a fork would be, too.
func (sh *shell) await(c *call) int {
	pid, _ := strconv.Atoi(c.args[1])
	sh.mu.Lock()
	j := sh.jobs[pid]
	if j != nil {
		j.name = c.args[2]
	}
	sh.mu.Unlock()
	if j == nil {
		return 0
	}
	select {
	case <-j.process.begun:
	case <-j.process.ended:
	case <-c.ctx.Done():
	case <-c.m.o.Clock.After(2 * time.Second): // a job that could not even begin
	}
	return 0
}

// endJobs ends what a shell left running: it was not told to outlive it.
func (sh *shell) endJobs() {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for _, j := range sh.jobs {
		sh.c.m.end(j.process)
	}
}

// endJob ends the process of a job with the status that it had.
func (sh *shell) endJob(c *call) int {
	status, _ := strconv.Atoi(c.args[1])
	if c.p != sh.p {
		if s := c.p.status(); s != 0 {
			status = s
		}
		c.m.end(c.p)
	}
	return status
}

func (sh *shell) kill(c *call) int {
	c.args[0] = "kill"
	return kill(c)
}

// kill sends signals to processes of the machine's shells.
func kill(c *call) int {
	signal, args := syscall.SIGTERM, c.args[1:]
	if len(args) > 0 && args[0] == "-l" {
		for _, s := range signals {
			c.printf("%s\n", s.name)
		}
		return 0
	}
	if len(args) > 0 && strings.HasPrefix(args[0], "-") && args[0] != "--" {
		word := args[0][1:]
		args = args[1:]
		if word == "s" && len(args) > 0 {
			word, args = args[0], args[1:]
		}
		s, ok := signalOf(word)
		if !ok {
			return c.fail("%s: invalid signal specification", word)
		}
		signal = s
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	status := 0
	for _, arg := range args {
		pid, err := strconv.Atoi(arg)
		if err != nil {
			status = c.fail("Illegal number: %s", arg)
			continue
		}
		targets := []*process{c.m.process(pid)}
		if pid < 0 {
			targets = c.m.group(-pid)
		}
		if len(targets) == 0 || targets[0] == nil {
			status = c.fail("No such process")
			continue
		}
		for _, p := range targets {
			p.deliver(signal)
		}
	}
	return status
}

func (sh *shell) printf(c *call) int {
	c.args[0] = "printf"
	return printf(c)
}

func (sh *shell) umask(c *call) int {
	if len(c.args) == 1 {
		c.printf("%04o\n", c.p.mask())
		return 0
	}
	mask, err := strconv.ParseUint(c.args[1], 8, 9)
	if err != nil {
		return c.fail("Illegal number: %s", c.args[1])
	}
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	c.p.umask = uint32(mask)
	return 0
}

// where says what the shell would run for a name; "" if nothing.
func (sh *shell) where(c *call, name string) string {
	if sh.declares(name) || builtins[name] || replaced[name] || syntax.IsKeyword(name) {
		return name
	}
	at, _ := c.find(name)
	return at
}

func (sh *shell) which(c *call) int {
	status := 0
	for _, name := range c.args[2:] {
		if at := sh.where(c, name); at != "" {
			c.printf("%s\n", at)
		} else {
			status = exitNotFound
		}
	}
	return status
}

func (sh *shell) kind(c *call) int {
	status := 0
	for _, name := range c.args[1:] {
		switch at := sh.where(c, name); at {
		case "":
			fmt.Fprintf(c.out, "%s: not found\n", name)
			status = exitNotFound
		case name:
			c.printf("%s is a shell builtin\n", name)
		default:
			c.printf("%s is %s\n", name, at)
		}
	}
	return status
}

func (sh *shell) pwd(c *call) int {
	c.printf("%s\n", c.dir)
	return 0
}

func (sh *shell) missing(c *call) int {
	fmt.Fprintf(c.err, "sh: %s: not found\n", c.args[1])
	return exitNotFound
}

// wrong prints an error and has the exit status that came with it.
func (sh *shell) wrong(c *call) int {
	fmt.Fprintf(c.err, "sh: %s\n", c.args[2])
	status, _ := strconv.Atoi(c.args[1])
	return status
}

// quoted is a command as text again.
func quoted(args []string) string {
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
	}
	return strings.Join(words, " ")
}
