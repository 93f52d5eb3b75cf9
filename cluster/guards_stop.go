package cluster

import (
	"fmt"
	"strings"
	"time"
)

// The guards and effects of stop-node, start-node and stop-stale-primary.
func init() {
	register(
		Fact{Name: "stop-is-grave", Check: noArgs, Ask: askStopGrave,
			Doc: "The node leads, or without it etcd has no majority of the listed members (elected leader, etcd.health, etcd.members)."},
		Fact{Name: "no-half-done-plan", Check: noArgs, Ask: askNoHalfDone,
			Doc: "No plan of ours ended half way on the node, what stop-node stopped excepted."},
		Fact{Name: "no-sentinel-of-unknown-origin", Check: noArgs, Ask: askSentinelOrigin,
			Doc: "No sentinel lies on the node but those that leaderl's own state words explain, or explained when a plan of ours stopped the node (sentinel, cluster-status, plans of ours)."},
		Fact{Name: "sentinels-told", Check: noArgs, Ask: askSentinelsTold,
			Doc: "Holds always: says which sentinels lie on the node and why, which nobody can tell once leaderl is stopped (sentinel, cluster-status)."},
		Fact{Name: "start-order-told", Check: noArgs, Ask: askStartOrder,
			Doc: "Holds always: says who led last, and that it is started first (history)."},
		Fact{Name: "services-started", Check: noArgs, Ask: askStarted,
			Doc: "leaderl, epmd, etcd and Elasticsearch run on the node; PostgreSQL is leaderl's to start (service)."},
		Fact{Name: "writes-told", Check: noArgs, Ask: askWritesTold,
			Doc: "Holds always: says how many clients the node's PostgreSQL has, and what it wrote that the leader lacks (postgresql.connections, both copies)."},
		Fact{Name: "postgresql-refused", Check: noArgs, Ask: askRefused,
			Doc: "For 60 s no postmaster ran on the node and nothing answered there, and a peer is refused on its 5432 (postgresql.postmaster, history of looks, peers' ports)."},
	)
}

func askStopGrave(v *View, b Binding) Answer {
	leads := v.leads(b.Node)
	if leads.Truth == True {
		leads.Sentence = b.Node + " leads: stopping it makes the others elect"
		return leads
	}
	rest := v.othersHoldQuorum(b.Node)
	rest.Truth = rest.Truth.Not()
	return anyOf(b.Node+" does not lead, and the others hold quorum without it", leads, rest)
}

// askNoHalfDone: what a plan left open on purpose is no obstacle to starting
// the node again; what it left half done is.
func askNoHalfDone(v *View, b Binding) Answer {
	if p, open := v.leftOpen(b.Node, "stop-node", "backup-nodes"); len(open) > 0 {
		return say(False, fmt.Sprintf("our plan %s (%s) left open: %s", p.Plan.Title, p.Plan.ID, strings.Join(open, "; ")))
	}
	return say(True, "no plan of ours is half done on "+b.Node)
}

// explained says of a sentinel that lies on the node why it does, in leaderl's
// own words; "" where they do not tell.
func (v *View) explained(node, sentinel string) string {
	switch role, known := v.RoleOf(node); {
	case sentinel == "no-start-pgsql" && known.Truth == True && role == "deposed_leader":
		return "no-start-pgsql lies on " + node + " since leaderl deposed it"
	case sentinel == "unsynced" && v.partiallySyncedRow(node).Truth == True:
		return "unsynced lies on " + node + " since a sync of leaderl did not end"
	}
	return ""
}

// sentinelNames are leaderl's marker files.
var sentinelNames = []string{"no-start-pgsql", "unsynced"}

func askSentinelsTold(v *View, b Binding) Answer {
	var told []string
	for _, name := range sentinelNames {
		if v.sentinelAt(b.Node, name).Truth == True {
			if why := v.explained(b.Node, name); why != "" {
				told = append(told, why)
			} else {
				told = append(told, name+" lies on "+b.Node+", and nothing says why")
			}
		}
	}
	if len(told) == 0 {
		return say(True, "no sentinel is known to lie on "+b.Node)
	}
	return say(True, strings.Join(told, "; "))
}

// askSentinelOrigin: where leaderl itself says why a sentinel lies there, or
// said so when a plan of ours stopped it, its origin is known.
func askSentinelOrigin(v *View, b Binding) Answer {
	var as []Answer
	for _, name := range sentinelNames {
		a := v.sentinelAt(b.Node, name)
		a.Truth = a.Truth.Not()
		if a.Truth == False {
			a.Sentence = fmt.Sprintf("%s lies on %s, and nothing says why: look at it first", name, b.Node)
			if why := v.explained(b.Node, name); why != "" {
				a.Truth, a.Sentence = True, why
			} else if why = v.explainedBefore(b.Node, name); why != "" {
				a.Truth, a.Sentence = True, why
			}
		}
		as = append(as, a)
	}
	return all("", as...)
}

// explainedBefore is what the newest plan of ours that stopped the node told of
// a sentinel there; "" where it told no reason.
func (v *View) explainedBefore(node, sentinel string) string {
	for i := len(v.Plans) - 1; i >= 0; i-- {
		p := v.Plans[i].Plan
		if p.Procedure != "stop-node" || p.Node != node {
			continue
		}
		for _, g := range p.Guards {
			for said := range strings.SplitSeq(g.Answer.Sentence, "; ") {
				if g.Fact == "sentinels-told" && strings.HasPrefix(said, sentinel+" lies on "+node+" since ") {
					return said + ", told before it was stopped"
				}
			}
		}
		return ""
	}
	return ""
}

func askStartOrder(v *View, b Binding) Answer {
	if e := v.Elected(); e.Truth == True {
		return say(True, e.Node+" leads: "+b.Node+" joins it", e.Answer.Claims...)
	}
	last := v.lastLeader()
	switch last {
	case "":
		return say(True, "who led last is not known: start first the node whose copy is the furthest")
	case b.Node:
		return say(True, b.Node+" led last: it is the one to start first")
	}
	return say(True, last+" led last: start it first, and the others one by one once etcd has its majority")
}

// lastLeader is who led last as far as the history tells; "" for unknown.
func (v *View) lastLeader() string {
	if last, ok := v.lastElection(); ok {
		if last.To != "" {
			return last.To
		}
		return last.From
	}
	newest, at := "", time.Time{}
	for _, n := range v.nodes() {
		if l, ok := v.Past.LastSeen[n.Name]; ok && l.Leader && l.At.After(at) {
			newest, at = n.Name, l.At
		}
	}
	return newest
}

func askStarted(v *View, b Binding) Answer {
	var as []Answer
	for _, s := range []string{"leaderl", "epmd", "etcd", "elasticsearch"} {
		as = append(as, v.ServiceRuns(b.Node, s))
	}
	return all("leaderl, epmd, etcd and Elasticsearch run on "+b.Node, as...)
}

func askWritesTold(v *View, b Binding) Answer {
	c := v.report(b.Node).PostgreSQL.Connections
	clients := "how many clients it has is unknown"
	if c.Known {
		clients = fmt.Sprintf("PostgreSQL on %s has %d connections", b.Node, c.Value.Used)
	}
	leader := v.planLeader(b)
	if leader == "" {
		return say(True, clients, mention(b.Node, "postgresql.connections", c))
	}
	stray := v.Contained(b.Node, leader)
	return say(True, clients+"; "+stray.Sentence, append(stray.Claims, mention(b.Node, "postgresql.connections", c))...)
}

// refusedFor is for how long a stopped primary has to stay silent.
const refusedFor = time.Minute

func askRefused(v *View, b Binding) Answer {
	gone := v.noPostmaster(b.Node)
	if gone.Truth != True {
		return gone
	}
	since, silent := v.silentDatabaseSince(b.Node)
	if !silent || v.Now.Sub(since) < refusedFor {
		return say(False, fmt.Sprintf("PostgreSQL on %s is down, but not yet for %s", b.Node, refusedFor), gone.Claims...)
	}
	var as []Answer
	for _, peer := range v.others(b.Node) {
		how, ref, known := v.peerPort(peer, b.Node, 5432)
		switch {
		case !known || ref.At.Before(since):
			as = append(as, say(Unknown, fmt.Sprintf("whether %s is refused on 5432 of %s is unknown", peer, b.Node), ref))
		default:
			as = append(as, say(TruthOf(how == "refused"), fmt.Sprintf("5432 of %s from %s: %s", b.Node, peer, how), ref))
		}
	}
	return anyOf("no peer is refused on 5432 of "+b.Node, as...)
}

// silentDatabaseSince is since when every look found no answer of the node's
// PostgreSQL; ok is false when the newest look found one, or the history tells nothing.
func (v *View) silentDatabaseSince(node string) (since time.Time, ok bool) {
	ss := v.samples(node)
	for i := len(ss) - 1; i >= 0 && ss[i].Ready == 2; i-- {
		since, ok = ss[i].At, true
	}
	return since, ok
}
