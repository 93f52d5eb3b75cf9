package cluster

import (
	"fmt"
	"strings"
)

// Guards and effects about who belongs to the cluster, by etcd's own list: dead
// members stay in it until they are removed.
func init() {
	register(
		Fact{Name: "three-nodes-known", Check: noArgs, Ask: askThreeKnown,
			Doc: "The cockpit knows three nodes; etcd may list fewer, while one is being replaced, and never more."},
		Fact{Name: "versions-supported-where-seen", Check: noArgs, Ask: askVersionsSeen,
			Doc: "No node is known to run Chef Backend older than 2.1.0, and one is known to run a newer one (host.version)."},
		Fact{Name: "member-listed", Check: noArgs, Ask: aboutNode((*View).memberListed),
			Doc: "Healthy etcd members list the node, in agreement (etcd.members)."},
		Fact{Name: "gone-from-members", Check: noArgs, Ask: aboutNode((*View).goneFromMembers),
			Doc: "Every other node's etcd lists its members, and the node is not among them (etcd.members)."},
		Fact{Name: "only-member", Check: noArgs, Ask: aboutNode((*View).onlyMember),
			Doc: "The node's own etcd lists exactly this node (etcd.members)."},
		Fact{Name: "not-known-removed", Check: noArgs, Ask: askNotRemoved,
			Doc: "No healthy etcd lists its members without the node; a removed one that boots again must not serve (etcd.members)."},
		Fact{Name: "node-is-off", Check: noArgs, Ask: aboutNode((*View).isOff),
			Doc: "The node is reached and all its services are down and stay so, or nobody sees it and the operator fenced it by name."},
		Fact{Name: "joined", Check: noArgs, Ask: aboutNode((*View).joined),
			Doc: "The node is listed as a member and its own etcd is healthy (etcd.members, etcd.health)."},
	)
}

func askThreeKnown(v *View, _ Binding) Answer {
	if n := len(v.nodes()); n != 3 {
		return say(False, fmt.Sprintf("the cockpit knows %d nodes; the recovery guide is written for three", n))
	}
	if listed, known := v.listed(); known && listed > 3 {
		return say(False, fmt.Sprintf("etcd lists %d members; the recovery guide is written for three", listed))
	}
	return say(True, "the cockpit knows three nodes")
}

func askVersionsSeen(v *View, _ Binding) Answer {
	var seen []string
	var refs []ClaimRef
	for _, n := range v.nodes() {
		a := v.supported(n.Name)
		switch a.Truth {
		case False:
			return a
		case True:
			seen, refs = append(seen, n.Name), append(refs, a.Claims...)
		}
	}
	if len(seen) == 0 {
		return say(Unknown, "which version of Chef Backend runs is unknown of every node")
	}
	verb := " run"
	if len(seen) == 1 {
		verb = " runs"
	}
	return say(True, strings.Join(seen, " and ")+verb+" a version that the guide is written for", refs...)
}

// lists answers whether a witness' etcd lists the node. A member whose address
// it does not tell may be any node, and a node whose address is not known any
// member.
func (v *View) lists(witness, node string) Answer {
	members := v.report(witness).Etcd.Members
	if !members.Known || len(members.Value) == 0 {
		return unknownFor(witness, "etcd.members", members)
	}
	ref := mention(witness, "etcd.members", members)
	for _, m := range members.Value {
		if v.isMember(node, m) {
			return say(True, fmt.Sprintf("etcd on %s lists %s as a member", witness, node), ref)
		}
	}
	if n, _ := v.snapshotNode(node); n.Address == "" {
		return say(Unknown, fmt.Sprintf("whether etcd on %s lists %s is unknown: the cluster's address of it is not known", witness, node), ref)
	}
	for _, m := range members.Value {
		if m.PeerURL == "" && m.Name == "" {
			return say(Unknown, "etcd on "+witness+" lists a member without name and address", ref)
		}
	}
	return say(False, fmt.Sprintf("etcd on %s does not list %s as a member", witness, node), ref)
}

func (v *View) memberListed(node string) Answer {
	var yes, no []Answer
	for _, n := range v.nodes() {
		if v.etcdHealth(n.Name).Truth != True {
			continue
		}
		switch a := v.lists(n.Name, node); a.Truth {
		case True:
			yes = append(yes, a)
		case False:
			no = append(no, a)
		}
	}
	switch {
	case len(yes) > 0 && len(no) > 0:
		return say(Unknown, fmt.Sprintf("%s, but %s", yes[0].Sentence, no[0].Sentence), append(yes[0].Claims, no[0].Claims...)...)
	case len(yes) > 0:
		return yes[0]
	case len(no) > 0:
		return no[0]
	}
	return say(Unknown, "whether "+node+" is a member is unknown: no healthy etcd tells its members")
}

func (v *View) goneFromMembers(node string) Answer {
	var as []Answer
	for _, n := range v.others(node) {
		a := v.lists(n, node)
		a.Truth = a.Truth.Not()
		as = append(as, a)
	}
	if len(as) == 0 {
		return say(Unknown, "no other node is known")
	}
	return all(fmt.Sprintf("%s is gone from the members on %s", node, strings.Join(v.others(node), " and ")), as...)
}

func (v *View) onlyMember(node string) Answer {
	own := v.lists(node, node)
	if n := len(v.report(node).Etcd.Members.Value); own.Truth == True && n != 1 {
		return say(False, fmt.Sprintf("etcd on %s lists %d members", node, n), own.Claims...)
	}
	if own.Truth == True {
		own.Sentence = "etcd on " + node + " lists " + node + " alone"
	}
	return own
}

func askNotRemoved(v *View, b Binding) Answer {
	a := v.memberListed(b.Node)
	if a.Truth == False {
		return a
	}
	own, _ := v.snapshotNode(b.Node)
	for _, n := range v.nodes() { // a list that cannot be compared with the node clears it of nothing
		told := a.Truth == Unknown && v.etcdHealth(n.Name).Truth == True && v.report(n.Name).Etcd.Members.Known
		if told && own.Address == "" {
			return v.lists(n.Name, b.Node)
		}
	}
	return say(True, b.Node+" is not known to be removed", a.Claims...)
}

// isOff is what removing a node asks of it: of one that is reached that nothing
// of the product runs or is about to, of one that is not that nobody sees it
// and that a person stands for it.
func (v *View) isOff(node string) Answer {
	c := v.report(node).Reach
	if !c.Known {
		return unknownFor(node, "reach", c)
	}
	switch c.Value {
	case Reached:
		return v.stopped(node)
	case Unreachable:
		return all(node+" is seen by nobody, and fenced by name", v.Gone(node), v.fenced(node))
	}
	return say(Unknown, fmt.Sprintf("%s answers by SSH, but cannot be asked: %s", node, c.Value), mention(node, "reach", c))
}

// stopped answers whether all services of a node are down and kept so. Where
// the product's data are gone there is nothing that could run on them.
func (v *View) stopped(node string) Answer {
	r := v.report(node)
	if f := r.Host.Files; f.Known && !f.Value.Data && Is(r.PostgreSQL.Postmaster, 0) == True {
		return say(True, "nothing of the product's data lies on "+node, mention(node, "host.files", f))
	}
	as := []Answer{v.noPostmaster(node)}
	for _, s := range Services {
		as = append(as, askServiceDown(v, Binding{Node: node, Args: []string{s}}))
	}
	return all("all services of "+node+" are down", as...)
}

func (v *View) joined(node string) Answer {
	own := v.etcdHealth(node)
	if own.Truth == True {
		own.Sentence = "etcd on " + node + " is healthy"
	}
	return all(node+" is a member, and its etcd is healthy", v.memberListed(node), own)
}
