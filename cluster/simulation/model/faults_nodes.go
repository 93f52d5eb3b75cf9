package model

import "time"

// nodeStories are about nodes and the network between them.
var nodeStories = []story{
	{"node-down", "A follower has lost its power", nodeDown},
	{"operator-cut-off", "You cannot reach a node that its peers see", operatorCutOff},
	{"partition-partial", "A node is seen by one peer only", partitionPartial},
	{"partition-quorum-kept", "A node is cut off from both peers", partitionQuorumKept},
	{"partition-quorum-lost", "All nodes are cut off from one another", partitionQuorumLost},
	{"quorum-lost-one-seen", "Two nodes have lost their power", quorumLost},
	{"two-nodes-down", "Two nodes have lost their power for good", quorumLost},
	{"old-member-returned", "A lost node comes back after the other one was made a cluster of its own", oldMemberReturned},
	{"login-failed", "A node refuses your login", loginFailed},
	{"host-key-changed", "A node answers with another host key", hostKeyChanged},
}

func nodeDown(w *World) func() {
	n := w.lastFollower()
	n.powerOff()
	return n.powerOn
}

func operatorCutOff(w *World) func() {
	n := w.lastFollower()
	w.Cut("", n.name)
	return func() { w.Join("", n.name) }
}

// partitionPartial leaves a node one peer, which is the raft leader: else
// etcd 2.3, which does not ask before it votes, would elect and elect again.
func partitionPartial(w *World) func() {
	n := w.lastFollower()
	var peer *node
	for _, o := range w.nodes {
		if o != n && (peer == nil || o.etcd.state != stateLeader) {
			peer = o
		}
	}
	w.Cut("", n.name)
	w.Cut(n.name, peer.name)
	return func() {
		w.Join("", n.name)
		w.Join(n.name, peer.name)
	}
}

func partitionQuorumKept(w *World) func() {
	n := w.lastFollower()
	of := func(a, b *node) bool { return a == n || b == n }
	w.setLinks(true, of)
	return func() { w.setLinks(false, of) }
}

func partitionQuorumLost(w *World) func() {
	all := func(*node, *node) bool { return true }
	w.setLinks(true, all)
	return func() { w.setLinks(false, all) }
}

// quorumLost leaves one follower.
func quorumLost(w *World) func() {
	survivor := w.lastFollower()
	for _, n := range w.nodes {
		if n != survivor {
			n.powerOff()
		}
	}
	return func() {
		for _, n := range w.nodes {
			n.powerOn()
		}
	}
}

// oldMemberReturned: two nodes are lost, the third one is made a cluster of
// its own, and then one of the two comes back with its old data. It can do
// nothing alone; with the third one's help it could elect a second leader.
// Where the recovery has been made already, the old one only comes back.
func oldMemberReturned(w *World) func() {
	for _, n := range w.nodes {
		if len(w.rings) > 1 && !n.powered && n.store() != w.store {
			n.powerOn()
			return n.powerOff
		}
	}
	survivor := w.lastFollower()
	lost := []*node{}
	for _, n := range w.nodes {
		if n != survivor {
			n.powerOff()
			lost = append(lost, n)
		}
	}
	w.in(5*time.Second, func() { survivor.service("leaderl").stop(); survivor.service("etcd").stop() })
	w.in(8*time.Second, func() {
		w.standalone(survivor.etcd)
		survivor.service("etcd").start()
		survivor.service("leaderl").start()
		survivor.store().promote = &promotion{target: survivor, since: w.now, force: true}
	})
	w.in(45*time.Second, lost[0].powerOn)
	return lost[0].powerOff
}

// loginFailed: the key that lets the operator in is no longer accepted.
func loginFailed(w *World) func() {
	n := w.lastFollower()
	n.locked = true
	return func() { n.locked = false }
}

// hostKeyChanged: the node has another host key, as after a new installation.
func hostKeyChanged(w *World) func() {
	n := w.lastFollower()
	n.rekeyed = true
	return func() { n.rekeyed = false }
}

// Locked says whether a node's SSH server refuses the operator's login.
func (w *World) Locked(name string) bool {
	n := w.node(name)
	return n != nil && n.locked
}

// Rekeyed says whether a node's SSH server has another host key than at the
// beginning.
func (w *World) Rekeyed(name string) bool {
	n := w.node(name)
	return n != nil && n.rekeyed
}
