package model

import (
	"path"
	"strings"
	"time"
)

// sv is runit's own command: sv COMMAND SERVICE…, services by path or by name.
func sv(p *Process) {
	args := p.argv[1:]
	patience := svPatience
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		if args[0] == "-w" && len(args) > 1 {
			patience = seconds(args[1])
			args = args[1:]
		}
		args = args[1:]
	}
	if len(args) < 2 {
		p.errorf("usage: sv [-v] [-w sec] command service ...\n\n")
		p.end(100)
		return
	}
	sum := 0
	for _, label := range args[1:] {
		s := p.n.serviceAt(label)
		switch {
		case s == nil:
			p.printf("%s\n", noService(label))
			sum++
		case p.n.adrift:
			p.printf("%s\n", unsupervised(label))
			sum++
		case args[0] == "status":
			p.printf("%s\n", s.status(label))
		default:
			control(p, s, label, args[0], patience, &sum)
		}
	}
	p.then(act(func(p *Process) { p.end(sum) }))
}

// noService is what sv says of a service that is not linked.
func noService(label string) string {
	return "fail: " + label + ": unable to change to service directory: file does not exist"
}

// serviceAt finds a service by the path of its directory or by its name.
func (n *node) serviceAt(label string) *service {
	dir := path.Dir(label)
	for _, s := range n.services {
		if !s.retired && s.name == path.Base(label) && (dir == "." || dir == serviceDir) {
			return s
		}
	}
	return nil
}

// control adds what sv does for one service: tell runsv, wait, say what is.
func control(p *Process, s *service, label, verb string, patience time.Duration, sum *int) {
	var reached func() bool
	p.then(act(func(p *Process) {
		if p.n.adrift {
			p.printf("%s\n", unsupervised(label))
			*sum++
			return
		}
		reached = s.order(verb)
	}))
	p.then(func(p *Process) bool {
		switch {
		case reached == nil:
			return true
		case reached():
			p.printf("ok: %s\n", s.state(label))
			return true
		case p.waited(patience):
			p.printf("timeout: %s\n", s.state(label))
			*sum++
			return true
		}
		return false
	})
}

// order sends a command to runsv. It returns what sv waits for; nil: nothing.
func (s *service) order(verb string) (reached func() bool) {
	old := s.pid
	isUp := func() bool { return s.up }
	isDown := func() bool { return !s.up && !s.want }
	switch strings.TrimPrefix(verb, "force-") {
	case "start", "up", "once":
		s.start()
		return isUp
	case "stop", "down", "exit", "shutdown":
		s.stop()
		return isDown
	case "restart", "reload":
		s.term()
		s.start()
		return func() bool { return s.up && s.pid != old }
	case "term", "int":
		s.term()
	case "kill":
		s.kill()
	}
	return nil
}

// ctlService is start, stop, restart and the signals of chef-backend-ctl, for
// one service or for all. Its exit code is the sum of sv's.
func ctlService(p *Process, args []string) {
	verb := args[0]
	names := serviceNames
	if len(args) > 1 {
		names = args[1:]
	}
	for _, name := range names {
		if !known(name) {
			p.errorf("Unknown service: %s\n", name)
			p.end(1)
			return
		}
	}
	sum := 0
	p.then(pause(600 * time.Millisecond)) // the bundled Ruby starts
	for _, name := range names {
		s := p.n.service(name)
		if s.retired {
			p.then(act(func(p *Process) { p.printf("%s\n", noService(name)); sum++ }))
			continue
		}
		if verb == "restart" || verb == "stop" {
			p.then(act(func(p *Process) {
				if s.unstick() {
					p.printf("found stuck pids still running in process group: %d, sending SIGKILL\n", p.n.nextPID())
				}
			}))
		}
		control(p, s, name, verb, svPatience, &sum)
	}
	p.then(act(func(p *Process) { p.end(sum) }))
}

func known(service string) bool {
	for _, name := range serviceNames {
		if name == service {
			return true
		}
	}
	return false
}

// ctlServiceList lists the services, all enabled.
func ctlServiceList(p *Process, _ []string) {
	for _, name := range serviceNames {
		p.printf("%s*\n", name)
	}
	p.end(0)
}
