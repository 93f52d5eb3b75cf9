package cluster

import (
	"fmt"
	"strings"
	"time"
)

// etcdHealth is the node's own /health. It waits for the raft index, and a
// busy disk can make it say false once: only false in two looks running is no,
// or a process that does not run.
func (v *View) etcdHealth(node string) Answer {
	c := v.report(node).Etcd.Health
	if !c.Known {
		if s := v.service(node, "etcd").State; Is(s, "down") == True || Is(s, "finish") == True {
			return say(False, "etcd does not run on "+node, mention(node, "service.etcd.state", s))
		}
		return unknownFor(node, "etcd.health", c)
	}
	ref := mention(node, "etcd.health", c)
	if c.Value {
		return say(True, "etcd on "+node+" is healthy", ref)
	}
	if before, ok := v.healthBefore(node); ok && before == False {
		return say(False, "etcd on "+node+" is not healthy", ref)
	}
	return say(Unknown, "etcd on "+node+" said once that it is not healthy; one false is no fact", ref)
}

// healthBefore is what the look before the newest one heard from /health.
func (v *View) healthBefore(node string) (Truth, bool) {
	if r := v.earlier(node); r != nil {
		return Is(r.Etcd.Health, true), true
	}
	if ss := v.olderSamples(node); len(ss) > 0 {
		return ss[len(ss)-1].EtcdHealth, true
	}
	return Unknown, false
}

// listed is how many members the etcd cluster lists, dead ones included: as a
// healthy member tells it, else any member, else the number of nodes.
func (v *View) listed() (count int, known bool) {
	any := 0
	for _, n := range v.nodes() {
		e := v.report(n.Name).Etcd
		if !e.Members.Known || len(e.Members.Value) == 0 {
			continue
		}
		if e.Health.Known && e.Health.Value {
			return len(e.Members.Value), true
		}
		any = max(any, len(e.Members.Value))
	}
	if any > 0 {
		return any, true
	}
	return len(v.nodes()), false
}

// EtcdQuorum answers whether a majority of the listed members is healthy.
// Members that cannot be asked may be healthy without us: with them in doubt
// the answer is unknown, not no.
func (v *View) EtcdQuorum() Answer {
	listed, _ := v.listed()
	if listed == 0 {
		return say(Unknown, "no etcd member is known yet")
	}
	need := listed/2 + 1
	healthy, unsure := 0, 0
	var refs []ClaimRef
	for _, n := range v.nodes() {
		a := v.etcdHealth(n.Name)
		refs = append(refs, a.Claims...)
		switch a.Truth {
		case True:
			healthy++
		case Unknown:
			unsure++
		}
	}
	switch {
	case healthy >= need:
		return say(True, fmt.Sprintf("%d of %d etcd members are healthy", healthy, listed), refs...)
	case healthy+unsure < need:
		return say(False, fmt.Sprintf("only %d of %d etcd members are healthy; %d are needed", healthy, listed, need), refs...)
	}
	return say(Unknown, fmt.Sprintf("%d of %d etcd members are healthy and %d cannot be told", healthy, listed, unsure), refs...)
}

// stoodFor answers whether a service runs and its pid has stood for d.
func (v *View) stoodFor(node, service string, d time.Duration) Answer {
	s := v.service(node, service)
	if !s.State.Known {
		return unknownFor(node, "service."+service+".state", s.State)
	}
	ref := mention(node, "service."+service+".state", s.State)
	switch {
	case s.State.Value == "fail":
		return say(Unknown, fmt.Sprintf("runit's supervisor of %s on %s does not answer", service, node), ref)
	case s.State.Value != "run":
		return say(False, fmt.Sprintf("%s is %s on %s", service, s.State.Value, node), ref)
	case !s.InState.Known:
		return unknownFor(node, "service."+service+".in-state", s.InState)
	case s.InState.Value < d:
		return say(False, fmt.Sprintf("%s on %s is up for %s only", service, node, s.InState.Value.Round(time.Second)), ref)
	}
	return say(True, fmt.Sprintf("%s on %s is up for more than %s", service, node, d), ref)
}

// AboutNode is the node that a log line of a node is about: a peer, where the
// line names that peer's etcd member by its id and not the member of its own.
func (v *View) AboutNode(logged, line string) string {
	about := logged
	for _, n := range v.nodes() {
		id := v.memberID(n.Name)
		if len(id) < 8 || !strings.Contains(line, id) {
			continue
		}
		if n.Name == logged {
			return logged
		}
		about = n.Name
	}
	return about
}

// memberID is the node's etcd member id: by its own word, else as any list of
// members tells it; "" unknown.
func (v *View) memberID(node string) string {
	if c := v.report(node).Etcd.MemberID; c.Known {
		return c.Value
	}
	for _, n := range v.nodes() {
		for _, m := range v.report(n.Name).Etcd.Members.Value {
			if v.isMember(node, m) {
				return m.ID
			}
		}
	}
	return ""
}
