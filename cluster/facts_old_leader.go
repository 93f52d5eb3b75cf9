package cluster

import (
	"fmt"
	"strings"
)

func init() {
	register(
		Fact{"led-when-last-seen", "The node's PostgreSQL was out of recovery when its position was last seen (history).", aboutNode((*View).ledWhenLastSeen), noArgs},
		Fact{"peer-refused-postgresql", "A peer is refused on the node's port 5432, since the node went silent (peers' ports).", aboutNode((*View).peerRefused), noArgs},
		Fact{"follows-another", "The node is in recovery and follows another node than the elected leader (primary_conninfo, else cluster-status).", aboutNode((*View).followsAnother), noArgs},
		Fact{"cluster-stopped", "At least two hosts are reached, and fewer than two nodes run both etcd and leaderl (reach, runit).", aboutCluster((*View).clusterStopped), noArgs},
		Fact{"etcd-alone-missing", "Fewer than two nodes run etcd while two or more run leaderl (runit).", aboutCluster((*View).etcdAloneMissing), noArgs},
		Fact{"nobody-serves", "No /leader of a reached node answers 200, and etcd has no quorum, without which nobody is elected, or nobody leads.", aboutCluster((*View).nobodyServes), noArgs},
		Fact{"copies-ranked", "What choosing each node whose copy can be read would lose of the others (both copies, by their histories).", aboutCluster((*View).copiesRanked), noArgs},
	)
}

func (v *View) ledWhenLastSeen(node string) Answer {
	last, ok := v.Past.LastSeen[node]
	if !ok {
		return say(Unknown, "whether "+node+" led is unknown: its position was never seen from here")
	}
	at := last.At.UTC().Format("15:04:05Z")
	if last.Leader {
		return say(True, fmt.Sprintf("PostgreSQL on %s was out of recovery when it was last seen, %s", node, at))
	}
	return say(False, fmt.Sprintf("PostgreSQL on %s was in recovery when it was last seen, %s", node, at))
}

// peerRefused: a port that refuses tells that the host lives and that nothing
// listens there. What a peer saw before the node went silent is past.
func (v *View) peerRefused(node string) Answer {
	var as []Answer
	since, silent := v.silentSince(node)
	for _, peer := range v.others(node) {
		how, ref, known := v.peerPort(peer, node, 5432)
		if !known || silent && ref.At.Before(since) {
			as = append(as, say(Unknown, fmt.Sprintf("how %s fares with port 5432 of %s is unknown", peer, node), ref))
			continue
		}
		as = append(as, say(TruthOf(how == "refused"), fmt.Sprintf("%s to port 5432 of %s: %s", peer, node, how), ref))
	}
	if len(as) == 0 {
		return say(Unknown, "no peer of "+node+" is known")
	}
	return anyOf("no peer is refused on port 5432 of "+node, as...)
}

// followsAnother: who follows nobody follows no wrong node either.
func (v *View) followsAnother(node string) Answer {
	return v.ofLeader(node, func(leader string) Answer {
		c := v.report(node).PostgreSQL.Upstream
		if c.Known && c.Value == "" {
			return say(False, node+" follows nobody", mention(node, "postgresql.upstream", c))
		}
		right := v.followsNode(node, leader)
		if right.Truth == Unknown {
			right = v.followsByStatus(node, leader, right)
		}
		right.Truth = right.Truth.Not()
		return all(right.Sentence, v.inRecovery(node), right)
	})
}

// followsByStatus is the question where primary_conninfo does not tell.
func (v *View) followsByStatus(node, leader string, otherwise Answer) Answer {
	row, read, ok := v.row(node, true)
	if !ok || row.Follows == "" {
		return otherwise
	}
	if v.goesBy(leader, row.Follows) {
		return say(True, fmt.Sprintf("cluster-status on %s says that %s follows %s", read.witness, node, leader), read.ref)
	}
	for _, n := range v.others(leader) {
		if v.goesBy(n, row.Follows) {
			return say(False, fmt.Sprintf("cluster-status on %s says that %s follows %s, not %s", read.witness, node, n, leader), read.ref)
		}
	}
	return otherwise
}

// UpstreamOf is the node that a node follows, by its own word, else by
// cluster-status; "" where that is nobody, or no node that is known.
func (v *View) UpstreamOf(node string) string {
	c := v.report(node).PostgreSQL.Upstream
	host := c.Value
	if !c.Known {
		row, _, _ := v.row(node, true)
		host = row.Follows
	}
	for _, n := range v.others(node) {
		if v.goesBy(n, host) {
			return n
		}
	}
	return ""
}

// running counts the reachable nodes on which all the services run, and those
// of which that cannot be told; nodes that are not reached are among the latter.
func (v *View) running(services ...string) (runs, unsure int, refs []ClaimRef) {
	for _, n := range v.nodes() {
		as := []Answer{}
		for _, s := range services {
			a := v.serviceDown(n.Name, s)
			a.Truth = a.Truth.Not()
			as = append(as, a)
		}
		a := all("", as...)
		refs = append(refs, a.Claims...)
		switch a.Truth {
		case True:
			runs++
		case Unknown:
			unsure++
		}
	}
	return runs, unsure, refs
}

func (v *View) clusterStopped() Answer {
	names, refs, _ := v.reachable()
	if len(names) < 2 {
		return say(False, "fewer than two hosts are reached", refs...)
	}
	runs, unsure, more := v.running("etcd", "leaderl")
	refs = append(refs, more...)
	switch {
	case runs >= 2:
		return say(False, fmt.Sprintf("etcd and leaderl run on %d nodes", runs), refs...)
	case runs+unsure < 2:
		return say(True, fmt.Sprintf("%s are reached, and etcd and leaderl run together on %d nodes", strings.Join(names, " and "), runs), refs...)
	}
	return say(Unknown, fmt.Sprintf("etcd and leaderl run together on %d nodes; of %d it cannot be told", runs, unsure), refs...)
}

func (v *View) etcdAloneMissing() Answer {
	etcd, unsureEtcd, refs := v.running("etcd")
	leaderl, unsureLeaderl, more := v.running("leaderl")
	refs = append(refs, more...)
	s := fmt.Sprintf("etcd runs on %d nodes, leaderl on %d", etcd, leaderl)
	switch {
	case etcd >= 2 || leaderl+unsureLeaderl < 2:
		return say(False, s, refs...)
	case etcd+unsureEtcd < 2 && leaderl >= 2:
		return say(True, s, refs...)
	}
	return say(Unknown, s+"; of the others it cannot be told", refs...)
}

// nobodyServes: without etcd quorum nobody is elected, whatever PostgreSQL is
// out of recovery: a last leader that was started alone is, and no frontend
// gets to it.
func (v *View) nobodyServes() Answer {
	q := turned(v.EtcdQuorum())
	as := []Answer{anyOf("", q, v.nobodyLeads())}
	for _, n := range v.nodes() {
		if r := v.report(n.Name).Reach; r.Known && r.Value != Reached {
			continue // those are counted by the rows about what is reached
		}
		as = append(as, turned(v.saysItLeads(n.Name)))
	}
	if len(as) == 1 {
		return say(Unknown, "no node is reached that could tell who leads")
	}
	return all("nobody can be elected or is, and no /leader answers 200", as...)
}

// copiesRanked is for the screen: the choice is the operator's.
func (v *View) copiesRanked() Answer {
	var parts []string
	known := Unknown
	for _, n := range v.nodes() {
		for _, c := range v.CompareCopies(n.Name) {
			if c.Known && c.Contained == False {
				known = True
				parts = append(parts, c.Sentence)
			}
		}
	}
	if known == True {
		return say(True, strings.Join(parts, "; "))
	}
	for _, n := range v.nodes() { // nothing would be lost, or nothing can be said
		holds := True
		why := ""
		for _, c := range v.CompareCopies(n.Name) {
			holds = And(holds, c.Contained)
			if c.Contained != True {
				why = c.Sentence
			}
		}
		if holds == True {
			return say(True, n.Name+" holds everything that the others hold")
		}
		if why != "" {
			parts = append(parts, why)
		}
	}
	return say(Unknown, strings.Join(parts, "; "))
}
