package cluster

import (
	"fmt"
	"strings"
)

func init() {
	register(
		Fact{"fenced", "The operator typed of the node, by name, that it is off and will not start with its old disk, no look got an answer from it since, and no peer gets to its PostgreSQL (marks, peers' ports).", aboutNode((*View).fenced), noArgs},
		Fact{"others-fenced", "The operator typed of every node but the only reachable one that it is off for good.", aboutCluster((*View).othersFenced), noArgs},
		Fact{"left-behind", "A recovery from quorum loss was made without the node, and the new cluster does not list it (plans of ours, fenced nodes, etcd members).", aboutNode((*View).leftBehind), noArgs},
		Fact{"old-member-answers", "The node answers, here or to a peer, and something of the product may run there (reach, services, peers' ports).", aboutNode((*View).oldMemberAnswers), noArgs},
		Fact{"no-old-member-answers", "No member of before a recovery from quorum loss answers anywhere.", aboutCluster((*View).noOldMember), noArgs},
	)
}

// fenced: the operator's word bears no look that denies it, ours or a peer's.
// What a peer saw before the node went silent is past.
func (v *View) fenced(node string) Answer {
	switch {
	case v.FenceStands(node):
		since, silent := v.silentSince(node)
		for _, peer := range v.others(node) {
			how, ref, known := v.peerPort(peer, node, 5432)
			if known && how == "open" && !(silent && ref.At.Before(since)) {
				return say(False, fmt.Sprintf("the operator typed that %s is off, but %s gets to its port 5432", node, peer), ref)
			}
		}
		return say(True, node+" is fenced: the operator typed that it is off for good")
	case v.Fenced[node]:
		return say(False, fmt.Sprintf("%s was fenced, and answered at %s: if it is off now, say so again", node, v.Returned[node].UTC().Format("2006-01-02 15:04:05Z")))
	}
	return say(False, node+" is not fenced")
}

// FenceStands answers whether the node is fenced and no look of ours got an
// answer from it since. That it once was fenced stays known: see survivorOfRecovery.
func (v *View) FenceStands(node string) bool {
	return v.Fenced[node] && v.Returned[node].IsZero()
}

func (v *View) othersFenced() Answer {
	return v.survivor(func(node string) Answer {
		var as []Answer
		for _, n := range v.others(node) {
			as = append(as, v.fenced(n))
		}
		if len(as) == 0 {
			return say(Unknown, "no other node is known")
		}
		return all(strings.Join(v.others(node), " and ")+" are fenced: the operator typed that they are off for good", as...)
	})
}

// survivorOfRecovery is the node from which the cluster was made anew after a
// loss of quorum. The plan tells it; where the cockpit was started since, two
// fenced nodes tell that it happened, and any other node may be asked.
func (v *View) survivorOfRecovery() (survivor string, happened bool) {
	for i := len(v.Plans) - 1; i >= 0; i-- {
		p := v.Plans[i]
		if p.Plan.Procedure != "quorum-loss-recovery" {
			continue
		}
		for _, s := range p.Steps {
			if strings.Contains(s.Step.Command, "--quorum-loss-recovery") && !s.Began.IsZero() && s.Status != StatusRefused {
				return p.Plan.Node, true
			}
		}
	}
	fenced := 0
	for _, n := range v.nodes() {
		if v.Fenced[n.Name] {
			fenced++
		} else if v.etcdHealth(n.Name).Truth == True {
			survivor = n.Name
		}
	}
	return survivor, fenced >= 2
}

func (v *View) leftBehind(node string) Answer {
	survivor, happened := v.survivorOfRecovery()
	switch {
	case !happened:
		return say(False, "no recovery from quorum loss is known")
	case survivor == node:
		return say(False, node+" is the survivor of the recovery from quorum loss")
	case survivor == "":
		return say(Unknown, "no node of the new cluster can be asked for its members")
	}
	members := v.report(survivor).Etcd.Members
	if !members.Known {
		return unknownFor(survivor, "etcd.members", members)
	}
	ref := mention(survivor, "etcd.members", members)
	for _, m := range members.Value {
		if v.isMember(node, m) {
			return say(False, fmt.Sprintf("%s is a member of the cluster of %s", node, survivor), ref)
		}
	}
	if n, _ := v.snapshotNode(node); n.Address == "" {
		return say(Unknown, fmt.Sprintf("whether %s is a member of the cluster of %s is unknown: the cluster's address of it is not known", node, survivor), ref)
	}
	return say(True, fmt.Sprintf("the cluster was made anew from %s, and %s is no member of it", survivor, node), ref)
}

// isMember answers whether a listed etcd member is the node: by its address,
// or by the name under which the node's own member runs.
func (v *View) isMember(node string, m EtcdMember) bool {
	n, _ := v.snapshotNode(node)
	return SameAddress(hostOfURL(m.PeerURL), n.Address) || m.Name == node && m.PeerURL == "" ||
		m.Name != "" && Is(v.report(node).Etcd.MemberName, m.Name) == True
}

// hostOfURL is the host in "http://HOST:PORT", without an IPv6 address's brackets.
func hostOfURL(url string) string {
	_, host, ok := strings.Cut(url, "://")
	if !ok {
		return ""
	}
	host, _, _ = strings.Cut(host, "/")
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	return strings.Trim(host, "[]")
}

// oldMemberAnswers looks for life of the old cluster. Another host key may be
// that of a new machine at the old address, and decides nothing.
func (v *View) oldMemberAnswers(node string) Answer {
	c := v.report(node).Reach
	if !c.Known {
		return unknownFor(node, "reach", c)
	}
	ref := mention(node, "reach", c)
	switch c.Value {
	case Reached:
		return v.oldServices(node)
	case LoginFailed:
		return say(True, node+" answers by SSH and does not let us in: its old services may run", ref)
	case Unreachable:
		yes, _, unsure, refs := v.peerViews(node)
		switch {
		case len(yes) > 0:
			return say(True, fmt.Sprintf("%s cannot be reached from here, and %s gets an answer from it", node, strings.Join(yes, " and ")), refs...)
		case len(unsure) > 0:
			return say(Unknown, fmt.Sprintf("whether %s sees %s is unknown", nameList(unsure), node), refs...)
		}
		return say(False, node+" answers nobody", refs...)
	}
	return say(Unknown, node+" answers by SSH with a key that is not the known one: the old machine or a new one", ref)
}

// oldServices answers whether anything of the product runs on a node that is reached.
func (v *View) oldServices(node string) Answer {
	r := v.report(node)
	if Is(r.Host.Installed, false) == True {
		return say(False, "Chef Backend is not installed on "+node, mention(node, "host.installed", r.Host.Installed))
	}
	if f := r.Host.Files; f.Known && !f.Value.Data {
		return say(False, "nothing of the product's data lies on "+node+": it is a new machine, or a cleansed one", mention(node, "host.files", f))
	}
	var as []Answer
	for _, s := range []string{"etcd", "leaderl", "postgresql"} {
		a := v.serviceDown(node, s)
		a.Truth = a.Truth.Not()
		as = append(as, a)
	}
	return anyOf("nothing of the old cluster runs on "+node, as...)
}

func (v *View) noOldMember() Answer {
	var as []Answer
	for _, n := range v.nodes() {
		left := v.leftBehind(n.Name)
		if left.Truth == False {
			continue
		}
		a := all("", left, v.oldMemberAnswers(n.Name))
		a.Truth = a.Truth.Not()
		as = append(as, a)
	}
	if len(as) == 0 {
		return say(True, "no old member is known")
	}
	return all("no old member answers", as...)
}
