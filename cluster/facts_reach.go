package cluster

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// bootWindow is for how long after a boot a host is still finding its feet.
const bootWindow = 3 * time.Minute

func init() {
	register(
		Fact{"unreachable", "No TCP connection to the node from here, or no SSH banner (reach).", aboutNode((*View).Unreachable), noArgs},
		Fact{"login-failed", "The node's SSH server answers, but the login or becoming root does not work, or its key is unknown (reach).", aboutNode((*View).loginFailed), noArgs},
		Fact{"host-key-changed", "The node's SSH server answers with another host key than the known one (reach).", aboutNode((*View).hostKeyChanged), noArgs},
		Fact{"gone", "The node is seen neither from here nor by any of its peers (reach, peers' ports).", aboutNode((*View).Gone), noArgs},
		Fact{"seen-by-all-peers", "Every other node sees the node (peers' ports).", aboutNode((*View).seenByAll), noArgs},
		Fact{"seen-by-some-peers", "Some of the other nodes see the node and some do not; a peer that sees nobody tells nothing of a node that is not out of our reach (peers' ports).", aboutNode((*View).seenBySome), noArgs},
		Fact{"peer-view-unknown", "Whether a peer sees the node is unknown for at least one peer that can be asked or not (peers' ports).", aboutNode((*View).peerViewUnknown), noArgs},
		Fact{"reach-in-doubt", "The node cannot be reached from here, and whether a peer sees it is unknown (reach, peers' ports).", aboutNode(func(v *View, n string) Answer { return all("", v.Unreachable(n), v.peerViewUnknown(n)) }), noArgs},
		Fact{"others-hold-quorum", "The other nodes alone are a healthy majority of the listed etcd members (etcd health, members).", aboutNode((*View).othersHoldQuorum), noArgs},
		Fact{"booted-recently", "The host booted within the last 3 minutes (uptime).", aboutNode((*View).bootedRecently), noArgs},
		Fact{"in-maintenance", "The operator marked the node as in planned work.", aboutNode((*View).maintenance), noArgs},
		Fact{"planned-work", "The operator marked some node as in planned work.", aboutCluster((*View).planned), noArgs},
		Fact{"planned-work-while-led", "The operator marked some node as in planned work, and somebody leads meanwhile.", aboutCluster((*View).plannedWhileLed), noArgs},
		Fact{"one-node-reachable", "Exactly one node can be reached from here (reach).", aboutCluster((*View).oneReachable), noArgs},
		Fact{"survivor-unhealthy", "etcd on the only reachable node is not healthy, in two looks (etcd health).", aboutCluster((*View).survivorUnhealthy), noArgs},
		Fact{"survivor-alone", "The only reachable node sees none of the others (its peers' ports).", aboutCluster((*View).survivorAlone), noArgs},
	)
}

// reachIs answers whether reaching the node ended in one of the given ways.
func (v *View) reachIs(node, yes, no string, ways ...Reach) Answer {
	c := v.report(node).Reach
	if !c.Known {
		return unknownFor(node, "reach", c)
	}
	ref := mention(node, "reach", c)
	for _, w := range ways {
		if c.Value == w {
			return say(True, node+" "+yes, ref)
		}
	}
	return say(False, node+" "+no, ref)
}

func (v *View) loginFailed(node string) Answer {
	return v.reachIs(node, "answers by SSH but does not let us in", "does not refuse our login", LoginFailed, HostKeyUnknown)
}

func (v *View) hostKeyChanged(node string) Answer {
	return v.reachIs(node, "answers by SSH with another host key than the known one", "shows no changed host key", HostKeyChanged)
}

// peerViews asks every other node whether it sees node.
func (v *View) peerViews(node string) (yes, no, unsure []string, refs []ClaimRef) {
	for _, peer := range v.others(node) {
		a := v.SeenByPeer(node, peer)
		refs = append(refs, a.Claims...)
		switch a.Truth {
		case True:
			yes = append(yes, peer)
		case False:
			no = append(no, peer)
		default:
			unsure = append(unsure, peer)
		}
	}
	return yes, no, unsure, refs
}

func (v *View) seenByAll(node string) Answer {
	yes, no, unsure, refs := v.peerViews(node)
	switch {
	case len(no) > 0:
		return say(False, fmt.Sprintf("%s does not see %s", strings.Join(no, " and "), node), refs...)
	case len(unsure) > 0 || len(yes) == 0:
		return say(Unknown, fmt.Sprintf("whether %s sees %s is unknown", nameList(unsure), node), refs...)
	}
	return say(True, fmt.Sprintf("%s see %s", strings.Join(yes, " and "), node), refs...)
}

// seesNobody answers whether a peer gets no answer from any other node: what it
// does not see is then no news of the others.
func (v *View) seesNobody(peer string) bool {
	for _, n := range v.others(peer) {
		if v.SeenByPeer(n, peer).Truth != False {
			return false
		}
	}
	return true
}

func (v *View) seenBySome(node string) Answer {
	yes, no, unsure, refs := v.peerViews(node)
	if v.Unreachable(node).Truth != True {
		no = slices.DeleteFunc(no, v.seesNobody)
	}
	switch {
	case len(yes) > 0 && len(no) > 0:
		return say(True, fmt.Sprintf("%s sees %s, %s does not", strings.Join(yes, " and "), node, strings.Join(no, " and ")), refs...)
	case len(unsure) > 0:
		return say(Unknown, fmt.Sprintf("whether %s sees %s is unknown", nameList(unsure), node), refs...)
	}
	return say(False, "the peers agree about "+node, refs...)
}

func (v *View) peerViewUnknown(node string) Answer {
	yes, no, unsure, refs := v.peerViews(node)
	if len(unsure) == 0 {
		return say(False, "every peer tells whether it sees "+node, refs...)
	}
	s := fmt.Sprintf("whether %s sees %s is unknown", nameList(unsure), node)
	if len(yes) > 0 {
		s += "; " + strings.Join(yes, " and ") + " sees it"
	}
	if len(no) > 0 {
		s += "; " + strings.Join(no, " and ") + " does not"
	}
	return say(True, s, refs...)
}

// nameList is a list of names, or "any peer".
func nameList(names []string) string {
	if len(names) == 0 {
		return "any peer"
	}
	return strings.Join(names, " or ")
}

func (v *View) othersHoldQuorum(node string) Answer {
	listed, _ := v.listed()
	need := listed/2 + 1
	healthy, unsure := 0, 0
	var refs []ClaimRef
	for _, peer := range v.others(node) {
		a := v.etcdHealth(peer)
		refs = append(refs, a.Claims...)
		switch a.Truth {
		case True:
			healthy++
		case Unknown:
			unsure++
		}
	}
	switch {
	case listed > 0 && healthy >= need:
		return say(True, fmt.Sprintf("the others hold quorum without %s: %d of %d etcd members are healthy there", node, healthy, listed), refs...)
	case healthy+unsure < need:
		return say(False, "the others hold no etcd quorum without "+node, refs...)
	}
	return say(Unknown, "whether the others hold etcd quorum without "+node+" cannot be told", refs...)
}

func (v *View) bootedRecently(node string) Answer {
	c := v.report(node).Host.Uptime
	if !c.Known {
		return unknownFor(node, "host.uptime", c)
	}
	ref := mention(node, "host.uptime", c)
	if c.Value < bootWindow {
		return say(True, fmt.Sprintf("%s booted %s ago", node, c.Value.Round(time.Second)), ref)
	}
	return say(False, node+" did not boot within the last 3 minutes", ref)
}

// markedBy is " by WHO", where it is known who marked the node.
func (v *View) markedBy(node string) string {
	if who := v.MarkedBy[node]; who != "" {
		return " by " + who
	}
	return ""
}

// MaintenanceNote says until when a node is in planned work and by whom; ""
// where it is not.
func (v *View) MaintenanceNote(node string) string {
	if !v.inMaintenance(node) {
		return ""
	}
	return "in maintenance until " + v.Maintenance[node].UTC().Format("15:04Z") + v.markedBy(node)
}

func (v *View) maintenance(node string) Answer {
	if v.inMaintenance(node) {
		return say(True, node+" is "+v.MaintenanceNote(node))
	}
	return say(False, node+" is not in maintenance")
}

func (v *View) planned() Answer {
	for _, n := range v.nodes() {
		if v.inMaintenance(n.Name) {
			return v.maintenance(n.Name)
		}
	}
	return say(False, "no node is in maintenance")
}

// plannedWhileLed: what planned work takes out is known to who marked it, as
// long as it does no more than that. A handover is a part of it for as long as
// nobody is said to lead either.
func (v *View) plannedWhileLed() Answer {
	e := v.Elected()
	lead := e.Answer
	lead.Truth = e.Truth
	if last, ok := v.lastElection(); ok && e.Truth == False && last.To == "" && v.Now.Sub(last.At) < LeaderTTL+StatusAge {
		lead = say(True, fmt.Sprintf("%s led until %s ago", last.From, v.Now.Sub(last.At).Round(time.Second)))
	}
	return all("", v.planned(), lead)
}

// reachable lists the nodes that are reached from here; sure is false while
// that is unknown of any.
func (v *View) reachable() (names []string, refs []ClaimRef, sure bool) {
	sure = len(v.nodes()) > 0
	for _, n := range v.nodes() {
		c := v.report(n.Name).Reach
		refs = append(refs, mention(n.Name, "reach", c))
		if !c.Known {
			sure = false
		} else if c.Value == Reached {
			names = append(names, n.Name)
		}
	}
	return names, refs, sure
}

func (v *View) oneReachable() Answer {
	names, refs, sure := v.reachable()
	switch {
	case len(names) > 1:
		return say(False, strings.Join(names, " and ")+" are reached from here", refs...)
	case !sure:
		return say(Unknown, "not every node has been tried yet", refs...)
	case len(names) == 0:
		return say(False, "no node is reached from here", refs...)
	}
	for _, n := range v.others(names[0]) {
		if a := v.Unreachable(n); a.Truth != True {
			return say(False, a.Sentence, refs...)
		}
	}
	return say(True, "only "+names[0]+" is reached from here", refs...)
}

// survivor asks a question about the only reachable node.
func (v *View) survivor(ask func(node string) Answer) Answer {
	one := v.oneReachable()
	if one.Truth != True {
		return one
	}
	names, _, _ := v.reachable()
	return ask(names[0])
}

func (v *View) survivorUnhealthy() Answer {
	return v.survivor(func(node string) Answer {
		a := v.etcdHealth(node)
		a.Truth = a.Truth.Not()
		return a
	})
}

func (v *View) survivorAlone() Answer {
	return v.survivor(func(node string) Answer {
		var as []Answer
		if len(v.others(node)) == 0 {
			return say(Unknown, "no other node is known")
		}
		for _, peer := range v.others(node) {
			a := v.SeenByPeer(peer, node)
			a.Truth = a.Truth.Not()
			as = append(as, a)
		}
		return all(node+" sees none of the others", as...)
	})
}
