package cluster

import "fmt"

// NetworkClaims are what the services of a node answer to another node over the
// network. They are shown where the node itself cannot be looked at, and never
// taken for a look at it: who answers on an address is not known for certain, so
// no fact and no guard reads them.
type NetworkClaims struct {
	EtcdHealth    Claim[bool]   `claim:"etcd-health"`
	MemberName    Claim[string] `claim:"etcd-member-name"`
	RaftLeader    Claim[string] `claim:"etcd-raft-leader"`
	RaftTerm      Claim[uint64] `claim:"etcd-raft-term"`
	LeaderCode    Claim[int]    `claim:"leaderl-leader-code"`  // as LeaderlClaims.LeaderCode
	Elasticsearch Claim[string] `claim:"elasticsearch-status"` // green, yellow, red
}

// OverNetwork is the newest that other nodes got to hear of a node's services,
// and which of them asked; ok is false when none did, or the node was reached.
func (v *View) OverNetwork(node string) (c NetworkClaims, from string, ok bool) {
	if v == nil || v.Snapshot == nil {
		return c, "", false
	}
	n, there := v.Snapshot.Node(node)
	if !there || v.report(node).Reach.Known && v.report(node).Reach.Value == Reached {
		return c, "", false
	}
	for _, peer := range v.others(node) {
		got, asked := v.report(peer).Network[n.Address]
		if asked && (!ok || got.LeaderCode.At.After(c.LeaderCode.At)) {
			c, from, ok = got, peer, true
		}
	}
	return c, from, ok
}

// heardCell is a cell of what another node heard over the network; it falls back
// to what is unknown. The answer behind it stays unknown: nobody looked there.
func heardCell[T any](unknown Cell, node, address, from, name, text string, c Claim[T]) Cell {
	if !c.Known || text == "" {
		return unknown
	}
	unknown.Text = text + " by " + from
	unknown.Why.Sentence += fmt.Sprintf("; to %s it answers over the network: %s", from, text)
	unknown.Why.Claims = append(unknown.Why.Claims, ClaimRef{Node: from, Name: "network." + address + "." + name, Source: c.Source, At: c.At})
	return unknown
}

// leaderlHeard is what leaderl of a node that is not reached answers to others.
func (v *View) leaderlHeard(r *Report, unknown Cell) Cell {
	c, from, ok := v.OverNetwork(r.Node)
	if !ok {
		return unknown
	}
	text := ""
	switch c.LeaderCode.Value {
	case 200:
		text = "leader"
	case 503:
		text = "not leader"
	case 0:
		text = "refused"
	}
	return heardCell(unknown, r.Node, v.addressOf(r.Node), from, "leaderl-leader-code", text, c.LeaderCode)
}

// etcdHeard is what etcd of a node that is not reached answers to others.
func (v *View) etcdHeard(r *Report, unknown Cell) Cell {
	c, from, ok := v.OverNetwork(r.Node)
	if !ok {
		return unknown
	}
	text := "not healthy"
	if c.EtcdHealth.Value {
		text = "member"
		if c.RaftLeader.Known && c.RaftLeader.Value != "" && Is(c.MemberName, c.RaftLeader.Value) == True {
			text = "raft leader"
		}
	}
	return heardCell(unknown, r.Node, v.addressOf(r.Node), from, "etcd-health", text, c.EtcdHealth)
}

// addressOf is the cluster address of a node; "" for one that is none.
func (v *View) addressOf(node string) string {
	n, _ := v.Snapshot.Node(node)
	return n.Address
}
