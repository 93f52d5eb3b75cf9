package machine

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// commands are all commands of a machine beside those of the model.
var commands map[string]func(*call) int

func init() {
	commands = map[string]func(*call) int{
		"cat": cat, "head": head, "tail": tail, "dd": dd, "wc": wc, "cut": cut, "tr": tr,
		"ls": ls, "stat": stat, "readlink": readlink, "basename": basename, "dirname": dirname,
		"mv": mv, "mkdir": mkdir, "rm": rm, "rmdir": rmdir, "cp": cp, "ln": ln, "touch": touch, "chmod": chmod, "mktemp": mktemp,
		"date": date, "sleep": sleep, "id": id, "hostname": hostname, "uname": uname, "true": yes, "false": no, "sync": yes,
		"sh": sh, "env": env, "sudo": sudo, "su": su, "chpst": chpst, "timeout": timeout, "nohup": nohup, "setsid": setsid,
		"flock": flock, "tar": tarCommand, "gzip": gzipCommand, "sha256sum": sha256sum, "cmp": compare, "chown": chown, "kill": kill, "sshd": sshd, "echo": echo, "printf": printf,
	}
}

func yes(*call) int { return 0 }
func no(*call) int  { return 1 }

// sh is the shell as a command.
func sh(c *call) int {
	args, text, given, stdin := c.args[1:], "", false, false
	var set []string
	for len(args) > 0 && (strings.HasPrefix(args[0], "-") || strings.HasPrefix(args[0], "+")) && len(args[0]) > 1 {
		word := args[0]
		args = args[1:]
		if word == "--" {
			break
		}
		for _, letter := range word[1:] {
			switch letter {
			case 'c':
				given = true
			case 's':
				stdin = true
			case 'e', 'u', 'f', 'x':
				set = append(set, word[:1]+string(letter))
			default:
				fmt.Fprintf(c.err, "sh: Illegal option -%c\n", letter)
				return 2
			}
		}
	}
	if given {
		if len(args) == 0 {
			fmt.Fprintln(c.err, "sh: -c requires an argument")
			return 2
		}
		text, args = args[0], args[1:]
		c.tell(text, args)
	} else if len(args) > 0 && !stdin {
		data, err := c.m.files.Read(c.path(args[0]))
		if err != nil {
			fmt.Fprintf(c.err, "sh: cannot open %s: %s\n", args[0], reason(err))
			return exitNotFound
		}
		text, given = string(data), true
	}
	if stdin || len(args) == 0 {
		args = append([]string{"sh"}, args...)
	}
	c.set = set
	if given {
		return c.shell(text, args)
	}
	return c.stdinShell(args)
}

// tell records what a detached job runs, or a terminal in its foreground. A text with parameters of its own
// that setsid runs directly is a wrapper around the command.
func (c *call) tell(text string, args []string) {
	if c.tty != nil && c.in == c.tty && !c.login && len(args) == 0 {
		c.m.o.Step(text) // the foreground of a terminal that was handed over
		return
	}
	if c.p.step == nil || c.fresh && len(args) > 1 {
		return
	}
	c.p.step.tell(c.m, text)
}

// setsid gives a command a session of its own, which is the machine's: it goes
// on when the login ends, and ends with the power.
func setsid(c *call) int {
	o, ok := c.options("cfw")
	if !ok || len(o.rest) == 0 {
		return c.fail("no command specified")
	}
	return c.detach(o.rest, true, o.has('f'))
}

func nohup(c *call) int {
	if len(c.args) < 2 {
		return c.fail("missing operand")
	}
	return c.detach(c.args[1:], false, false)
}

// detach runs a command that outlives its login.
func (c *call) detach(args []string, session, fork bool) int {
	power, ok := c.m.enter()
	if !ok {
		return killed
	}
	p := c.m.begin(c.p, power, args[0])
	if session {
		p.parent, p.session, p.step = 1, p.pid, &step{pid: p.pid}
	}
	next := c.with(args)
	next.env, next.vars = c.environ(), nil
	next.p, next.ctx, next.fresh = p, p.ctx, true
	var own []io.Closer
	keep := func(f *os.File) *os.File {
		f = duplicate(f)
		own = append(own, f)
		return f
	}
	if c.in != nil {
		next.in = keep(c.in)
	}
	if f, ok := c.out.(*os.File); ok {
		next.out = keep(f)
	}
	if f, ok := c.err.(*os.File); ok {
		next.err = keep(f)
	}
	ended := make(chan int, 1)
	go func() {
		defer c.m.running.Done()
		status := next.run(args)
		for _, f := range own {
			f.Close()
		}
		c.m.o.Hide(p.pid)
		c.m.end(p)
		ended <- status
	}()
	c.p.started()
	if fork {
		return 0
	}
	select {
	case status := <-ended:
		return status
	case <-c.ctx.Done():
		return c.stopped()
	}
}

// duplicate is the same open file once more: the shell closes its own when
// the statement ends, a detached command writes on.
func duplicate(f *os.File) *os.File {
	conn, err := f.SyscallConn()
	if err != nil {
		return f
	}
	copied := -1
	if conn.Control(func(fd uintptr) { copied, err = syscall.Dup(int(fd)) }) != nil || err != nil {
		return f
	}
	syscall.CloseOnExec(copied)
	return os.NewFile(uintptr(copied), f.Name())
}

func env(c *call) int {
	args, next := c.args[1:], c
	for len(args) > 0 {
		if args[0] == "-i" || args[0] == "-" {
			next = c.with(c.args)
			next.env = map[string]string{}
		} else if args[0] == "-u" && len(args) > 1 {
			next = next.withEnv(args[1], "")
			delete(next.env, args[1])
			args = args[1:]
		} else if name, value, ok := strings.Cut(args[0], "="); ok {
			next = next.withEnv(name, value)
		} else {
			break
		}
		args = args[1:]
	}
	if len(args) > 0 {
		return next.run(args)
	}
	for name, value := range next.environ() {
		c.printf("%s=%s\n", name, value)
	}
	return 0
}

// as is the same call for another user.
func (c *call) as(user string) *call {
	next := c.withEnv("USER", user).withEnv("LOGNAME", user).withEnv("HOME", "/var/opt/chef-backend")
	next.uid = 997
	if user == "root" {
		next = next.withEnv("HOME", "/root")
		next.uid = 0
	}
	return next
}

func sudo(c *call) int {
	o, ok := c.options("nEHkSu:p:")
	if !ok {
		return 1
	}
	user := "root"
	if o.has('u') {
		user = o.values['u']
	}
	// Without a file everybody may do everything; with one only without a password.
	if rules, err := c.m.files.Read("/etc/sudoers"); err == nil && !strings.Contains(string(rules), "NOPASSWD") {
		return c.fail("a password is required")
	}
	next := c.as(user)
	for len(o.rest) > 0 {
		name, value, ok := strings.Cut(o.rest[0], "=")
		if !ok {
			break
		}
		next, o.rest = next.withEnv(name, value), o.rest[1:]
	}
	if len(o.rest) == 0 {
		return c.fail("a command is required")
	}
	return next.run(o.rest)
}

// su USER [-s SHELL] -c TEXT [ARGS…]: options come after the user, too.
func su(c *call) int {
	user, text, args := "root", "", c.args[1:]
	var rest []string
	named := false
	for len(args) > 0 {
		switch arg := args[0]; {
		case (arg == "-s" || arg == "-c") && len(args) > 1:
			if arg == "-c" {
				text = args[1]
			}
			args = args[1:]
		case arg == "-" || arg == "-l" || arg == "-m" || arg == "-p":
		case !named:
			user, named = arg, true
		default:
			rest = append(rest, arg)
		}
		args = args[1:]
	}
	return c.as(user).run(append([]string{"/bin/sh", "-c", text}, rest...))
}

func chpst(c *call) int {
	o, ok := c.options("u:U:e:P012n:")
	if !ok || len(o.rest) == 0 {
		return 100
	}
	next := c
	if user, _, _ := strings.Cut(o.values['u'], ":"); user != "" {
		next = c.as(user)
	}
	return next.run(o.rest)
}

// timeout kills a command after a time of the machine's clock.
func timeout(c *call) int {
	o, ok := c.options("k:s:")
	if !ok || len(o.rest) < 2 {
		c.fail("missing operand")
		return 125
	}
	d, err := seconds(o.rest[0])
	if err != nil {
		c.fail("invalid time interval '%s'", o.rest[0])
		return 125
	}
	signal := syscall.SIGTERM
	if s, known := signalOf(o.values['s']); known && o.has('s') {
		signal = s
	}
	next := c.with(o.rest[1:])
	var cancel context.CancelFunc
	next.ctx, cancel = context.WithCancel(c.ctx)
	defer cancel()
	over := make(chan bool, 1)
	go func() {
		select {
		case <-c.m.o.Clock.After(d):
			over <- true
			cancel()
		case <-next.ctx.Done():
			over <- false
		}
	}()
	status := next.run(next.args)
	cancel()
	if !<-over || c.stopped() != 0 {
		return status
	}
	if signal == syscall.SIGKILL {
		return killed
	}
	return 124
}

// seconds reads a time as sleep and timeout take it: 1, 0.5, 2m.
func seconds(word string) (time.Duration, error) {
	unit := time.Second
	if n := len(word); n > 0 {
		switch word[n-1] {
		case 's':
			word = word[:n-1]
		case 'm':
			unit, word = time.Minute, word[:n-1]
		case 'h':
			unit, word = time.Hour, word[:n-1]
		case 'd':
			unit, word = 24*time.Hour, word[:n-1]
		}
	}
	n, err := strconv.ParseFloat(word, 64)
	if err != nil || n < 0 || n > 1e9 {
		return 0, fmt.Errorf("invalid time interval %q", word)
	}
	return time.Duration(n * float64(unit)), nil
}
