package cluster

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// etcdSettles is how long a started etcd may be unhealthy without meaning anything.
const etcdSettles = 30 * time.Second

func init() {
	register(
		Fact{"etcd-quorum", "A majority of the listed etcd members is healthy (health, members).", aboutCluster((*View).EtcdQuorum), noArgs},
		Fact{"etcd-unhealthy", "The node's etcd said that it is not healthy in its last three looks (health).", aboutNode((*View).etcdUnhealthy), noArgs},
		Fact{"etcd-healthy", "The node's etcd is healthy; one false is no fact (health).", aboutNode((*View).etcdHealth), noArgs},
		Fact{"etcd-peers-time-out", "From the node, TCP to port 2380 of every other node times out (its peers' ports).", aboutNode((*View).etcdPeersTimeOut), noArgs},
		Fact{"etcd-peers-connect", "A node with a healthy etcd connects to the node's port 2380 (peers' ports).", aboutNode((*View).etcdPeersConnect), noArgs},
		Fact{"etcd-cut-apart", "At least two reachable nodes run an etcd that is unhealthy, knows no raft leader and times out towards its peers (runit, etcd, peers' ports).", aboutCluster((*View).etcdCutApart), noArgs},
		Fact{"etcd-processes-missing", "Fewer than two etcd processes of members run (fewer than one in a cluster of one), under one pid for 15 s or healthy, although at least two hosts answer (reach, runit, health, members).", aboutCluster((*View).etcdProcessesMissing), noArgs},
	)
}

func (v *View) etcdUnhealthy(node string) Answer {
	c := v.report(node).Etcd.Health
	if !c.Known {
		return unknownFor(node, "etcd.health", c)
	}
	ref := mention(node, "etcd.health", c)
	if c.Value {
		return say(False, "etcd on "+node+" is healthy", ref)
	}
	looks, ok := v.lastLooks(node, 3)
	if !ok {
		return say(Unknown, "etcd on "+node+" is not healthy, in fewer than three looks so far", ref)
	}
	for _, s := range looks {
		if s.EtcdHealth != False {
			return say(False, "etcd on "+node+" is not healthy, but was so or unknown within the last three looks", ref)
		}
	}
	return say(True, "etcd on "+node+" is not healthy, in three looks running", ref)
}

// peerPort is how the node fares with a port of a peer: open, refused, timeout.
func (v *View) peerPort(node, peer string, port int) (how string, ref ClaimRef, known bool) {
	n, _ := v.snapshotNode(peer)
	c := v.report(node).Peers[n.Address]
	ref = mention(node, "peer."+n.Address, c)
	if !c.Known || !v.Now.IsZero() && v.Now.Sub(c.At) > peerLookMax {
		return "", ref, false
	}
	how = c.Value.Ports[port]
	return how, ref, how != ""
}

func (v *View) etcdPeersTimeOut(node string) Answer {
	var as []Answer
	for _, peer := range v.others(node) {
		how, ref, known := v.peerPort(node, peer, 2380)
		s := fmt.Sprintf("%s to port 2380 of %s: %s", node, peer, how)
		if !known {
			as = append(as, say(Unknown, fmt.Sprintf("whether %s gets to port 2380 of %s is unknown", node, peer), ref))
			continue
		}
		as = append(as, say(TruthOf(how == "timeout"), s, ref))
	}
	if len(as) == 0 {
		return say(Unknown, "no other node is known")
	}
	return all("from "+node+" port 2380 of every other node times out", as...)
}

// unhealthySince is when the present run of looks that found the node's etcd
// unhealthy began; zero when there is none.
func (v *View) unhealthySince(node string) (since time.Time) {
	ss := v.samples(node)
	for i := len(ss) - 1; i >= 0 && ss[i].EtcdHealth == False; i-- {
		since = ss[i].At
	}
	return since
}

func (v *View) etcdPeersConnect(node string) Answer {
	var as []Answer
	since := v.unhealthySince(node)
	for _, peer := range v.others(node) {
		if v.etcdHealth(peer).Truth != True {
			continue
		}
		how, ref, known := v.peerPort(peer, node, 2380)
		if !known || ref.At.Before(since) { // what a peer saw before the trouble began tells nothing of it
			as = append(as, say(Unknown, fmt.Sprintf("whether %s gets to port 2380 of %s is unknown", peer, node), ref))
			continue
		}
		as = append(as, say(TruthOf(how == "open"), fmt.Sprintf("%s to port 2380 of %s: %s", peer, node, how), ref))
	}
	if len(as) == 0 {
		return say(Unknown, "no node with a healthy etcd can be asked whether it gets to "+node)
	}
	return anyOf("no node with a healthy etcd connects to port 2380 of "+node, as...)
}

// cutOff answers whether one node's etcd is up, unhealthy, without a raft
// leader, and times out towards its peers.
func (v *View) cutOff(node string) Answer {
	lead := v.report(node).Etcd.RaftLeader
	noLeader := unknownFor(node, "etcd.raft-leader", lead)
	if lead.Known {
		noLeader = say(TruthOf(lead.Value == ""), fmt.Sprintf("etcd on %s takes %q for its raft leader", node, lead.Value), mention(node, "etcd.raft-leader", lead))
	}
	health := v.etcdHealth(node)
	health.Truth = health.Truth.Not()
	return all(node+" is cut off from its peers", v.stoodFor(node, "etcd", StandsFor), health, noLeader, v.etcdPeersTimeOut(node))
}

func (v *View) etcdCutApart() Answer {
	names, refs, _ := v.reachable()
	var cut, unsure []string
	why := ""
	for _, n := range names {
		a := v.cutOff(n)
		refs = append(refs, a.Claims...)
		switch a.Truth {
		case True:
			cut = append(cut, n)
		case Unknown:
			unsure = append(unsure, n)
			why = a.Sentence
		}
	}
	switch {
	case len(cut) >= 2:
		return say(True, "etcd runs on "+strings.Join(cut, " and ")+" but gets no answer from its peers", refs...)
	case len(cut)+len(unsure) < 2:
		return say(False, "fewer than two reachable nodes are cut off from their peers", refs...)
	}
	return say(Unknown, why, refs...)
}

// unlisted answers whether the node is surely no etcd member: every list that
// healthy members tell, or any where none is healthy, is one of other nodes.
func (v *View) unlisted(node string) bool {
	var told, healthy [][]EtcdMember
	for _, n := range v.nodes() {
		c := v.report(n.Name).Etcd.Members
		if !c.Known || len(c.Value) == 0 {
			continue
		}
		told = append(told, c.Value)
		if v.etcdHealth(n.Name).Truth == True {
			healthy = append(healthy, c.Value)
		}
	}
	if len(healthy) > 0 {
		told = healthy
	}
	return len(told) > 0 && !slices.ContainsFunc(told, func(list []EtcdMember) bool { return !v.listOfOthers(list, node) })
}

// listOfOthers answers whether every member of a list is another node than this one.
func (v *View) listOfOthers(list []EtcdMember, node string) bool {
	for _, m := range list {
		if v.isMember(node, m) || !slices.ContainsFunc(v.others(node), func(n string) bool { return v.isMember(n, m) }) {
			return false
		}
	}
	return true
}

func (v *View) etcdProcessesMissing() Answer {
	names, refs, _ := v.reachable()
	need := 2
	if n, known := v.listed(); known {
		need = min(need, n)
	}
	runs, unsure := 0, 0
	var down []string
	for _, n := range names {
		if v.unlisted(n) {
			continue
		}
		s := v.service(n, "etcd").State
		refs = append(refs, mention(n, "service.etcd.state", s))
		switch {
		case !s.Known || s.Value == "fail":
			unsure++
		// One that keeps falling over is in state run for moments; one that has
		// just come up and is healthy runs.
		case v.ServiceRuns(n, "etcd").Truth == True, Is(v.report(n).Etcd.Health, true) == True:
			runs++
		default:
			down = append(down, n)
		}
	}
	// A member that cannot be reached may run one: with it the others still
	// have fewer than two only when at most none of the reachable ones runs.
	hidden := 0
	for _, n := range v.nodes() {
		if !slices.Contains(names, n.Name) && !v.unlisted(n.Name) {
			hidden++
		}
	}
	switch {
	case len(names) < 2:
		return say(False, "fewer than two hosts answer", refs...)
	case len(down) > 0 && (runs+unsure+hidden < need || runs+unsure < need && hidden > 0 && v.EtcdQuorum().Truth == False):
		return say(True, "etcd does not run on "+strings.Join(down, " and "), refs...)
	case runs >= need:
		return say(False, fmt.Sprintf("etcd runs on %d of the cluster's nodes", runs), refs...)
	}
	return say(Unknown, "whether two etcd processes run cannot be told", refs...)
}
