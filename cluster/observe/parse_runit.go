package observe

import (
	"bytes"
	"path"
	"strconv"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
)

// runit reads the lines of sv status, one per service. A service that sv says
// nothing of is unknown, not down.
func (l *look) runit(r *cluster.Report) {
	r.Services = make(map[string]cluster.ServiceClaims, len(cluster.Services))
	body, _, reason := l.open("runit", "sv")
	for _, name := range cluster.Services {
		why := reason
		if why == "" {
			why = "sv says nothing of it"
		}
		r.Services[name] = serviceUnknown(l, why)
	}
	if reason != "" {
		return
	}
	for line := range bytes.Lines(body) {
		if name, c, ok := l.parseSV(line); ok {
			if _, asked := r.Services[name]; asked {
				r.Services[name] = c
			}
		}
	}
}

func serviceUnknown(l *look, reason string) cluster.ServiceClaims {
	src := cluster.SourceRunit
	return cluster.ServiceClaims{
		State:   unknown[string](l, reason, src),
		PID:     unknown[int](l, reason, src),
		InState: unknown[time.Duration](l, reason, src),
		WantUp:  unknown[bool](l, reason, src),
	}
}

// parseSV reads one line of sv(8):
//
//	run: /opt/…/leaderl: (pid 6788) 106976s; run: log: (pid 6739) 106982s
//	down: /opt/…/postgresql: 3s, normally up, want up; run: log: …
//	fail: /opt/…/etcd: runsv not running
func (l *look) parseSV(line []byte) (name string, c cluster.ServiceClaims, ok bool) {
	main, _, _ := strings.Cut(string(bytes.TrimSpace(line)), ";") // the rest is about the service's logger
	state, rest, ok1 := strings.Cut(main, ": ")
	where, rest, ok2 := strings.Cut(rest, ": ")
	if !ok1 || !ok2 || strings.ContainsAny(state, " /") {
		return "", c, false
	}
	name, src := path.Base(strings.TrimSpace(where)), cluster.SourceRunit
	switch state {
	case "fail", "warning", "timeout":
		c = serviceUnknown(l, "runit: "+text([]byte(rest)))
		if state != "timeout" {
			c.State = known(l, "fail", src)
		}
		return name, c, true
	}
	c = serviceUnknown(l, "sv's line was not understood: "+text([]byte(main)))
	c.State = known(l, text([]byte(state)), src)
	if p, after, found := strings.Cut(rest, ") "); found && strings.HasPrefix(p, "(pid ") {
		if pid, err := strconv.Atoi(p[len("(pid "):]); err == nil && pid > 0 {
			c.PID = known(l, pid, src)
		}
		rest = after
	} else if state == "down" {
		c.PID = known(l, 0, src)
	}
	flags := strings.Split(rest, ", ")
	if d, fine := seconds(strings.TrimSuffix(flags[0], "s")); fine && strings.HasSuffix(flags[0], "s") {
		c.InState = known(l, d, src)
		up := state == "run" || state == "finish"
		for _, f := range flags[1:] {
			switch strings.TrimSpace(f) {
			case "want up":
				up = true
			case "want down", "want exit":
				up = false
			}
		}
		c.WantUp = known(l, up, src)
	}
	return name, c, true
}
