package cluster

import (
	"fmt"
	"slices"
)

// The guards and effects of promote-node and promote-previous-leader.
func init() {
	register(
		Fact{Name: "named-alike", Check: noArgs, Ask: askNamedAlike,
			Doc: "cluster-status calls the node by the name that it has here: a command that names it means this node (cluster-status)."},
		Fact{Name: "member-healthy", Check: oneWord, Ask: func(v *View, b Binding) Answer { return v.etcdHealth(argument(b, 0)) },
			Doc: "The etcd of the node named, where the command is to run, is healthy (etcd.health)."},
		Fact{Name: "nodes-see-each-other", Check: noArgs, Ask: askConnected,
			Doc: "No two nodes that answer are cut off from each other (the peers' views)."},
		Fact{Name: "node-answers", Check: oneWord, Ask: askNodeAnswers,
			Doc: "The node named is reached from here, or was given up by typing (reach)."},
		Fact{Name: "reachable-copy-contained", Check: oneWord, Ask: askReachableContained,
			Doc: "The copy of the node named, where it can be read, is contained in this node's, or was saved: promoting loses nothing of it."},
		Fact{Name: "unreachable-copy-contained", Check: oneWord, Ask: askUnreachableContained,
			Doc: "The node named can be reached; if not, what it wrote last is lost by promoting, at least what was seen."},
		Fact{Name: "positions-as-planned", Check: noArgs, Ask: askPositions,
			Doc: "Every copy ends where it ended when the plan was made; one of another node that cannot be read, then and now, was given up by typing (positions and timelines)."},
		Fact{Name: "leads-now", Check: noArgs, Ask: askLeadsNow,
			Doc: "The node is the elected leader and its PostgreSQL is out of recovery; its /leader may still withhold."},
		Fact{Name: "leads-not", Check: noArgs, Ask: askLeadsNot,
			Doc: "The node is neither the elected leader nor called promoting."},
		Fact{Name: "accepts-connections", Check: noArgs, Ask: askAccepts,
			Doc: "pg_isready answers 0 on the node; the sentence says whether PostgreSQL is in recovery."},
	)
}

func askConnected(v *View, _ Binding) Answer {
	var as []Answer
	for _, n := range v.nodes() {
		if v.Unreachable(n.Name).Truth == True {
			continue
		}
		for _, peer := range v.others(n.Name) {
			if v.Unreachable(peer).Truth != True {
				as = append(as, v.SeenByPeer(n.Name, peer))
			}
		}
	}
	if len(as) < 2 {
		return say(Unknown, "fewer than two nodes can be asked whether they see each other")
	}
	return all("all nodes that answer see each other", as...)
}

// askNamedAlike compares names because the product's commands take the name
// that cluster-status shows, and a configuration may give the node another.
func askNamedAlike(v *View, b Binding) Answer {
	row, read, ok := v.row(b.Node, true)
	switch {
	case !ok:
		return say(Unknown, "whether cluster-status calls "+b.Node+" by that name is unknown: it does not list it", read.ref)
	case row.Name != b.Node:
		return say(False, fmt.Sprintf("cluster-status on %s calls %s %q: a command that names %s means another node or none", read.witness, b.Node, row.Name, b.Node), read.ref)
	}
	return say(True, "cluster-status on "+read.witness+" calls "+b.Node+" by that name", read.ref)
}

func askNodeAnswers(v *View, b Binding) Answer {
	a := v.Unreachable(argument(b, 0))
	a.Truth = a.Truth.Not()
	return a
}

func askReachableContained(v *View, b Binding) Answer {
	other := argument(b, 0)
	if v.Unreachable(other).Truth == True {
		return say(True, other+" cannot be reached: its copy is judged apart")
	}
	return v.containedOrSaved(other, b.Node)
}

func askUnreachableContained(v *View, b Binding) Answer {
	other := argument(b, 0)
	if u := v.Unreachable(other); u.Truth != True {
		u.Truth = u.Truth.Not()
		return u
	}
	return v.Contained(other, b.Node)
}

// positionValue is under which key a plan keeps where a node's copy ended.
func positionValue(node string) string { return "position-" + node }

// Positions are the plan values that tell where every copy ends.
func (v *View) Positions() map[string]string {
	out := map[string]string{}
	for _, n := range v.nodes() {
		out[positionValue(n.Name)] = v.positionToCompare(n.Name)
	}
	return out
}

// noCopy is the word for where a copy ends on a node that surely has none.
const noCopy = "no copy"

// positionToCompare is PositionOf, which knows no word for no copy at all.
func (v *View) positionToCompare(node string) string {
	at := v.PositionOf(node)
	if at == positionUnknown && v.noControl(node) {
		return noCopy
	}
	return at
}

// givenUp answers whether the plan passes over a node's copy on a person's word:
// typed already, or asked for by a guard of it that does not hold without.
func (v *View) givenUp(node string, b Binding) bool {
	words := []string{"snapshot " + node, "discard " + node}
	if slices.ContainsFunc(b.Plan.Phrases, func(p string) bool { return slices.Contains(words, p) }) {
		return true
	}
	for _, s := range b.Plan.Steps {
		for _, g := range s.Guards {
			if slices.Contains(words, g.Override) && g.Ask(v, b).Truth != True {
				return true
			}
		}
	}
	return false
}

// askPositions: what cannot be told of the plan's own node is never passed over.
func askPositions(v *View, b Binding) Answer {
	if b.Plan == nil {
		return say(True, "the positions are taken when the plan is made")
	}
	for _, n := range v.nodes() {
		was, ok := b.Plan.Values[positionValue(n.Name)]
		if !ok {
			return say(Unknown, "the plan holds no position of "+n.Name)
		}
		switch now := v.positionToCompare(n.Name); {
		case now != was:
			return say(False, fmt.Sprintf("the copy on %s changed since the plan was made: %s then, %s now", n.Name, was, now))
		case now == positionUnknown && (n.Name == b.Node || n.Name == b.Plan.Node || !v.givenUp(n.Name, b)):
			return say(Unknown, "where the copy on "+n.Name+" ends is unknown, now and when the plan was made")
		}
	}
	return say(True, "every copy ends where it ended when the plan was made")
}

func askLeadsNow(v *View, b Binding) Answer {
	e := v.Elected()
	lead := e.Answer
	lead.Truth = e.Truth
	if e.Truth == True && e.Node != b.Node {
		lead = say(False, e.Node+" is the elected leader, not "+b.Node, lead.Claims...)
	}
	return all(b.Node+" leads and accepts writes", lead, v.OutOfRecovery(b.Node))
}

func askLeadsNot(v *View, b Binding) Answer {
	e := v.Elected()
	lead := e.Answer
	lead.Truth = e.Truth.Not()
	if e.Truth == True {
		lead.Truth = TruthOf(e.Node != b.Node)
	}
	role, a := v.RoleOf(b.Node)
	if a.Truth == True {
		a.Truth = TruthOf(role != "leader" && role != "promoting")
	}
	return all(b.Node+" neither leads nor is promoting", lead, a)
}

func askAccepts(v *View, b Binding) Answer {
	c := v.report(b.Node).PostgreSQL.Ready
	if !c.Known {
		return unknownFor(b.Node, "postgresql.ready", c)
	}
	ref := mention(b.Node, "postgresql.ready", c)
	if c.Value != 0 {
		word := "does not answer"
		if c.Value == 1 {
			word = "is still starting"
		}
		return say(False, fmt.Sprintf("PostgreSQL on %s %s", b.Node, word), ref)
	}
	where := "whether in recovery is not known"
	if r := v.report(b.Node).PostgreSQL.InRecovery; r.Known {
		where = map[bool]string{true: "in recovery", false: "out of recovery"}[r.Value]
	}
	return say(True, fmt.Sprintf("PostgreSQL on %s accepts connections, %s", b.Node, where), ref)
}
