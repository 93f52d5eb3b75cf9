package cluster

import (
	"fmt"
	"strings"
)

// KeyFact is one thing about the cluster in words that can be compared between
// two views: a rehearsal's and the real one's.
type KeyFact struct {
	Node  string `json:"node,omitempty"` // "" : about the cluster
	Name  string `json:"name"`           // "postgresql", "copy"
	Value string `json:"value"`          // "" : unknown
	Why   string `json:"why,omitempty"`  // why it is unknown
}

// Title names the fact: "be3 postgresql".
func (f KeyFact) Title() string { return strings.TrimSpace(f.Node + " " + f.Name) }

// KeyFacts are what a step of a procedure is judged by beside its own effects:
// who is elected, each node's role, services, database, sentinels, etcd member
// and switches, and whether the elected leader's copy holds all of the node's.
// Whatever only passes by is unknown: the service that has just started, the
// role of a node whose leaderl does not run. They come in a fixed order, and
// every one of them always.
func (v *View) KeyFacts() []KeyFact {
	e := v.Elected()
	out := []KeyFact{
		told("", "elected", electedWord(e), e.Answer),
		told("", "failover", onWord(v.failoverOn()), say(Unknown, "cluster-status does not tell whether failover is enabled")),
	}
	for _, n := range v.nodes() {
		out = append(out, v.keyFactsOf(n.Name, e)...)
	}
	return out
}

// told is a fact with its value, or with why it has none.
func told(node, name, value string, a Answer) KeyFact {
	f := KeyFact{Node: node, Name: name, Value: value}
	if value == "" {
		f.Why = a.Sentence
	}
	return f
}

func electedWord(e Elected) string {
	switch e.Truth {
	case True:
		return e.Node
	case False:
		return "nobody"
	}
	return ""
}

// word is one of two words, "" while it is unknown.
func word(t Truth, yes, no string) string {
	switch t {
	case True:
		return yes
	case False:
		return no
	}
	return ""
}

func onWord(t Truth) string { return word(t, "on", "off") }

func (v *View) keyFactsOf(node string, e Elected) []KeyFact {
	reach := v.report(node).Reach
	out := []KeyFact{told(node, "reach", string(reach.Value), unknownFor(node, "reach", reach))}
	for _, s := range Services {
		out = append(out, v.serviceFact(node, s))
	}
	db, why := v.databaseWord(node)
	noStart, unsynced := v.sentinelAt(node, "no-start-pgsql"), v.sentinelAt(node, "unsynced")
	health := v.report(node).Etcd.Health
	return append(out,
		v.roleFact(node),
		told(node, "database", db, why),
		v.followsFact(node, e),
		v.copyFact(node, e),
		told(node, "sentinel no-start-pgsql", word(noStart.Truth, "there", "not there"), noStart),
		told(node, "sentinel unsynced", word(unsynced.Truth, "there", "not there"), unsynced),
		told(node, "etcd member", word(Is(health, true), "healthy", "not healthy"), unknownFor(node, "etcd.health", health)),
		v.switchFact(node, "eligible", func(r CtlNode) string { return word(r.Eligible, "yes", "no") }),
		v.switchFact(node, "blocked", func(r CtlNode) string { return word(r.Blocked, "yes", "no") }),
		v.switchFact(node, "failover", func(r CtlNode) string { return onWord(r.Failover) }),
	)
}

// serviceFact is a service that stands, one that is to be down, or one that
// does not come up. What has just started may be any of them.
func (v *View) serviceFact(node, service string) KeyFact {
	name, s := "service "+service, v.service(node, service)
	runs := v.ServiceRuns(node, service)
	switch {
	case runs.Truth == True:
		return told(node, name, "up", runs)
	case v.serviceRestarts(node, service).Truth == True:
		return told(node, name, "does not stay up", runs)
	case !s.State.Known || s.State.Value == "run" || s.State.Value == "fail":
		return told(node, name, "", runs)
	case Is(s.WantUp, true) == True:
		return told(node, name, "does not stay up", runs)
	case Is(s.WantUp, true) == False:
		return told(node, name, "down", runs)
	}
	return told(node, name, "", unknownFor(node, "service."+service+".want-up", s.WantUp))
}

// roleFact is the word of cluster-status, where the node's leaderl stands behind it.
func (v *View) roleFact(node string) KeyFact {
	if runs := v.ServiceRuns(node, "leaderl"); runs.Truth != True {
		return told(node, "role", "", runs)
	}
	role, a := v.RoleOf(node)
	if role == "unknown" {
		role = ""
	}
	return told(node, "role", role, a)
}

// databaseWord is what PostgreSQL is; the answer says why that is unknown.
func (v *View) databaseWord(node string) (string, Answer) {
	p := v.report(node).PostgreSQL
	out := v.OutOfRecovery(node)
	switch {
	case p.InRecovery.Known:
		return word(TruthOf(p.InRecovery.Value), "standby", "primary"), out
	case p.Postmaster.Known && p.Postmaster.Value == 0:
		return "down", out
	case p.Ready.Known && p.Ready.Value == 1:
		return "starting", out
	}
	return "", out
}

// followsFact is whether a node streams from the elected leader.
func (v *View) followsFact(node string, e Elected) KeyFact {
	if e.Truth != True || e.Node == node {
		return told(node, "streaming", "", say(Unknown, node+" has no leader to stream from"))
	}
	a := v.StreamsFrom(node, e.Node)
	return told(node, "streaming", word(a.Truth, "from "+e.Node, "not from "+e.Node), a)
}

// copyFact is whether the elected leader's copy holds all that the node's does.
func (v *View) copyFact(node string, e Elected) KeyFact {
	if e.Truth != True || e.Node == node {
		return told(node, "copy", "", say(Unknown, "no leader's copy to compare that of "+node+" with"))
	}
	a := v.Contained(node, e.Node)
	if a.Truth == False && v.StreamsFrom(node, e.Node).Truth == True {
		// Whoever streams holds nothing more: it was only looked at later.
		return told(node, "copy", "", say(Unknown, node+" streams from "+e.Node+" and was looked at later"))
	}
	return told(node, "copy", word(a.Truth, "held by "+e.Node, "not held by "+e.Node), a)
}

// switchFact is a column of cluster-status about a node whose leaderl runs.
func (v *View) switchFact(node, name string, ask func(CtlNode) string) KeyFact {
	if runs := v.ServiceRuns(node, "leaderl"); runs.Truth != True {
		return told(node, name, "", runs)
	}
	row, read, ok := v.row(node, true)
	why := say(Unknown, fmt.Sprintf("cluster-status does not tell %s of %s", name, node), read.ref)
	if !ok {
		return told(node, name, "", why)
	}
	return told(node, name, ask(row), why)
}
