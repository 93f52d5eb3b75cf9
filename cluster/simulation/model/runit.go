package model

import (
	"fmt"
	"strings"
	"time"
)

// Times of runit and of the services under it.
const (
	restartPause = time.Second     // runsv waits this long if it ended sooner than that
	svPatience   = 7 * time.Second // sv waits this long for what it asked
)

// serviceNames are the services in the product's own order.
var serviceNames = []string{"leaderl", "epmd", "etcd", "postgresql", "elasticsearch"}

// stopTime is how long a service takes to end after SIGTERM.
var stopTime = map[string]time.Duration{
	"leaderl": 800 * time.Millisecond, "epmd": 100 * time.Millisecond, "etcd": 200 * time.Millisecond,
	"postgresql": 1200 * time.Millisecond, "elasticsearch": 1500 * time.Millisecond,
}

// warmUp is how long a started service takes before it listens. PostgreSQL
// listens at once and refuses logins until it is consistent.
var warmUp = map[string]time.Duration{
	"leaderl": time.Second, "etcd": 600 * time.Millisecond, "elasticsearch": 6 * time.Second,
}

// breakage makes every start of a service fail.
type breakage struct {
	lives time.Duration // from start to death
	lines []string      // what it logs at its death
	stuck bool          // an old process is in the way: chef-backend-ctl kills it
}

// service is one runit service of one node.
type service struct {
	n        *node
	name     string
	up       bool
	hung     bool // the process stands and answers nothing, not even SIGTERM
	want     bool // what runsv was told
	pid      int
	since    time.Time // of the last change between up and down
	endAt    time.Time // zero, or when the process ends that got SIGTERM
	tryAt    time.Time // when runsv starts it (again)
	fault    *breakage // of every start
	doomed   *breakage // of the process that runs now
	retired  bool      // not linked: runsvdir does not know it
	logPID   int
	logSince time.Time
}

func (n *node) service(name string) *service {
	for _, s := range n.services {
		if s.name == name {
			return s
		}
	}
	panic("no such service: " + name)
}

// serving says whether the service does its work on its port.
func (s *service) serving() bool { return s.listens() && !s.hung }

// listens says whether connections to its port are accepted. The kernel does
// so for a hung process, too.
func (s *service) listens() bool {
	return s.up && s.doomed == nil && s.n.w.now.Sub(s.since) >= warmUp[s.name]
}

// start tells runsv to have it up, as `sv up`.
func (s *service) start() {
	if !s.want && !s.retired && !s.n.adrift {
		s.want = true
		if !s.up {
			s.tryAt = s.n.w.now
		}
	}
}

// stop tells runsv to have it down, as `sv down`.
func (s *service) stop() {
	if s.n.adrift {
		return
	}
	s.want = false
	s.term()
}

// term sends SIGTERM.
func (s *service) term() {
	if s.up && s.endAt.IsZero() && !s.hung {
		s.endAt = s.n.w.now.Add(stopTime[s.name])
	}
}

// vanish is a power cut.
func (s *service) vanish() {
	s.up, s.want, s.hung, s.doomed, s.pid, s.endAt = false, false, false, nil, 0, time.Time{}
}

// unstick ends what is in the way of a start, or does not end by itself.
func (s *service) unstick() bool {
	if s.up && s.hung {
		s.kill()
		return true
	}
	if s.fault == nil || !s.fault.stuck {
		return false
	}
	s.fault = nil
	s.tryAt = s.n.w.now
	return true
}

// kill ends the process at once; runsv starts it again.
func (s *service) kill() {
	if s.up {
		s.ended(false)
	}
}

func (n *node) stepServices() {
	if !n.booted() {
		return
	}
	for _, s := range n.services {
		s.step()
	}
}

func (s *service) step() {
	now := s.n.w.now
	switch {
	case s.up && !s.endAt.IsZero() && !now.Before(s.endAt):
		s.ended(true)
	case s.up && s.doomed != nil && now.Sub(s.since) >= s.doomed.lives:
		for _, line := range s.doomed.lines {
			s.n.log(s.name, "%s", s.n.dated(line))
		}
		s.ended(false)
	case s.up && s.name == "postgresql" && s.n.pg.phase == pgRefused && now.Sub(s.since) >= 200*time.Millisecond:
		s.ended(false)
	case !s.up && s.want && !s.n.adrift && !now.Before(s.tryAt):
		s.begun()
	}
}

// dated fills in the time where a program writes one of its own: {clock} as
// etcd does, {erlang} as Erlang does.
func (n *node) dated(line string) string {
	at := n.stamp()
	return strings.NewReplacer("{clock}", at.Format(etcdStamp), "{erlang}", at.Format("{{2006,1,2},{15,4,5}}")).Replace(line)
}

// trouble is why a start will fail, if it will. Erlang starts an epmd itself
// where none runs; one that does not answer is another matter.
func (s *service) trouble() *breakage {
	if e := s.n.service("epmd"); s.fault == nil && s.name == "leaderl" && (e.fault != nil || e.hung) {
		return unregistered
	}
	return s.fault
}

// begun is the moment of a start.
func (s *service) begun() {
	s.up, s.hung, s.since, s.pid, s.endAt = true, false, s.n.w.now, s.n.nextPID(), time.Time{}
	if s.doomed = s.trouble(); s.doomed != nil {
		return
	}
	switch s.name {
	case "etcd":
		s.n.etcd.started()
	case "leaderl":
		s.n.leaderl.started()
	case "postgresql":
		s.n.pg.started()
	case "elasticsearch":
		s.n.es.started()
	}
}

// ended is the moment of an end. clean: by SIGTERM.
func (s *service) ended(clean bool) {
	s.tryAt = s.n.w.now
	if s.n.w.now.Sub(s.since) < restartPause {
		s.tryAt = s.n.w.now.Add(restartPause)
	}
	s.up, s.hung, s.doomed, s.since, s.pid, s.endAt = false, false, nil, s.n.w.now, 0, time.Time{}
	switch s.name {
	case "etcd":
		s.n.etcd.stopped()
	case "leaderl":
		s.n.leaderl.stopped()
	case "postgresql":
		if clean {
			s.n.pg.shutDown()
		} else {
			s.n.pg.crashed()
		}
	case "elasticsearch":
		s.n.es.stopped()
	}
}

// unsupervised is what sv says where nobody listens on its supervise/ok.
func unsupervised(label string) string { return "fail: " + label + ": runsv not running" }

// state is what `sv status` says about it, without the log service.
func (s *service) state(label string) string {
	seconds := int(s.n.w.now.Sub(s.since) / time.Second)
	if s.up {
		text := fmt.Sprintf("run: %s: (pid %d) %ds", label, s.pid, seconds)
		if !s.want {
			text += ", want down"
		}
		if !s.endAt.IsZero() {
			text += ", got TERM"
		}
		return text
	}
	text := fmt.Sprintf("down: %s: %ds, normally up", label, seconds)
	if s.want {
		text += ", want up"
	}
	return text
}

// status is the whole line of `sv status`.
func (s *service) status(label string) string {
	seconds := int(s.n.w.now.Sub(s.logSince) / time.Second)
	return fmt.Sprintf("%s; run: log: (pid %d) %ds", s.state(label), s.logPID, seconds)
}
