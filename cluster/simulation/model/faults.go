package model

import "slices"

// fault lets something go wrong and returns how its surroundings heal; nil if
// there is nothing to heal from outside.
type fault func(w *World) (heal func())

// story is a fault with its name and what to call it. Where nothing else is
// said it strikes the last follower; -leader in its name means the leader.
type story struct {
	name, title string
	strike      fault
}

// stories are all of them, in the order in which to show them. The ordinary
// ones need no hand and come first.
var stories = slices.Concat(ordinaryStories, copyStories, leadershipStories, serviceStories, nodeStories, machineStories)

// faults are all faults by name.
var faults = map[string]fault{}

func init() {
	for _, s := range stories {
		faults[s.name] = s.strike
	}
}

// leading is the elected leader, or else the node that was it last.
func (w *World) leading() *node {
	for _, n := range w.nodes {
		if n.leaderl.state == leading && n.pg.phase == pgPrimary {
			return n
		}
	}
	if w.store.leader != nil {
		return w.store.leader
	}
	return w.nodes[0]
}

// followers are the others, in fixed order.
func (w *World) followers() []*node {
	var all []*node
	for _, n := range w.nodes {
		if n != w.leading() {
			all = append(all, n)
		}
	}
	return all
}

func (w *World) lastFollower() *node {
	all := w.followers()
	return all[len(all)-1]
}

// breakService kills a service and lets every start fail.
func (n *node) breakService(name string, b *breakage) {
	s := n.service(name)
	s.kill()
	s.fault = b
}
