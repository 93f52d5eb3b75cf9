package model

import (
	"net/url"
	"slices"
	"time"

	"chef-backend-cockpit/cluster"
)

// members brings the list of etcd's members into the state seen, with the dead
// and the unknown ones.
func (b *bringing) members() {
	ring, listed := b.w.rings[0], b.listed()
	for _, n := range b.w.nodes {
		r := b.report(n)
		if r != nil && r.Etcd.MemberID.Known {
			n.etcd.id = r.Etcd.MemberID.Value
		}
		if r != nil && r.Etcd.MemberName.Known && r.Etcd.MemberName.Value != "" {
			n.guid = r.Etcd.MemberName.Value
		}
	}
	if listed == nil {
		b.assume("the list of etcd's members is not known; here all nodes are members")
		return
	}
	var list []*member
	for _, m := range listed {
		n := b.of(m)
		if n == nil {
			n = b.stranger(host(m.PeerURL))
			n.etcd.ring = ring
			ring.store.register(n)
		}
		n.etcd.id = m.ID
		if m.Name != "" {
			n.guid = m.Name
		}
		list = append(list, n.etcd)
	}
	ring.list = list
	for _, n := range b.w.nodes {
		n.etcd.list = list
		if !slices.Contains(list, n.etcd) {
			ring.dropped[n.etcd.id] = true
			ring.store.forget(n)
		}
	}
	b.clusters()
}

// stranger is a member that is none of the nodes, as cluster-status has it.
func (b *bringing) stranger(address string) *node {
	n := b.w.stranger(address, address)
	for _, o := range b.w.nodes {
		r := b.report(o)
		if r == nil {
			continue
		}
		for _, row := range r.Ctl.Rows.Value {
			if cluster.SameAddress(row.IP, address) {
				n.name, n.leaderl.failover = row.Name, row.Failover == cluster.True
			}
		}
	}
	return n
}

// listed is the list of a healthy member, or else of any.
func (b *bringing) listed() []cluster.EtcdMember {
	var any []cluster.EtcdMember
	for _, n := range b.w.nodes {
		r := b.report(n)
		if r == nil || !r.Etcd.Members.Known || len(r.Etcd.Members.Value) == 0 {
			continue
		}
		if cluster.Is(r.Etcd.Health, true) == cluster.True {
			return r.Etcd.Members.Value
		}
		any = r.Etcd.Members.Value
	}
	return any
}

// of is the node of a listed member; nil for a stranger.
func (b *bringing) of(m cluster.EtcdMember) *node {
	for _, n := range b.w.nodes {
		if cluster.SameAddress(host(m.PeerURL), n.address) {
			return n
		}
	}
	return nil
}

// host is the host of a member's URL.
func host(peerURL string) string {
	u, err := url.Parse(peerURL)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// clusters puts members apart that tell different cluster ids.
func (b *bringing) clusters() {
	rings := map[string]*ring{}
	main := b.w.rings[0]
	for _, healthy := range []bool{true, false} { // the id of a healthy one is the cluster's
		for _, n := range b.w.nodes {
			r := b.report(n)
			if r == nil || !r.Etcd.ClusterID.Known || cluster.Is(r.Etcd.Health, true) == cluster.True != healthy {
				continue
			}
			id := r.Etcd.ClusterID.Value
			switch {
			case len(rings) == 0:
				main.id, rings[id] = id, main
			case rings[id] == nil:
				rings[id] = newRing(id)
				rings[id].list = main.list
			}
			n.etcd.ring = rings[id]
		}
	}
}

// raft brings the election into the state seen.
func (b *bringing) raft() {
	term := 0
	for _, n := range b.w.nodes {
		if r := b.report(n); r != nil && r.Etcd.RaftTerm.Known {
			term = max(term, int(r.Etcd.RaftTerm.Value))
		}
	}
	lead := b.raftLeader()
	for _, m := range b.w.members() {
		if term > 0 {
			m.term = term
		}
		m.state, m.claim, m.lead = stateFollower, stateFollower, nil
		m.heard, m.majority = b.w.now, b.w.now
		if lead != nil && m.ring == lead.ring {
			m.lead = lead
		}
	}
	if lead != nil {
		lead.state, lead.claim = stateLeader, stateLeader
	}
	for _, m := range b.w.members() {
		r := b.report(m.n)
		if m != lead && m.lead != nil && r != nil && cluster.Is(r.Etcd.Health, true) != cluster.True {
			m.lead = nil
		}
	}
	for _, n := range b.w.nodes {
		if r := b.report(n); r != nil && r.Etcd.PeerLatency.Known && r.Etcd.PeerLatency.Value > 300*time.Millisecond {
			b.w.lag = max(b.w.lag, r.Etcd.PeerLatency.Value)
		}
	}
}

// raftLeader is whom healthy members call so; where they name nobody of the
// cluster, a member that takes part.
func (b *bringing) raftLeader() *member {
	var healthy *member
	for _, n := range b.w.nodes {
		r := b.report(n)
		if r == nil || cluster.Is(r.Etcd.Health, true) != cluster.True {
			continue
		}
		healthy = n.etcd
		for _, o := range b.w.nodes {
			if name := r.Etcd.RaftLeader.Value; r.Etcd.RaftLeader.Known && name != "" && (name == o.guid || name == o.etcd.id) && o.etcd.takesPart() {
				return o.etcd
			}
		}
	}
	if healthy != nil {
		b.assume("who leads etcd's election is not known; here %s does", healthy.n.title())
	}
	return healthy
}

// key gives the leader key to the node that is seen to lead.
func (b *bringing) key() {
	e := b.v.Elected()
	if e.Truth == cluster.True {
		b.leader = b.w.node(e.Node)
	}
	for _, n := range b.w.nodes {
		role, _ := b.v.RoleOf(n.name)
		if b.leader == nil && role == leading && n.service("leaderl").up && n.etcd.healthy() {
			b.leader = n
		}
	}
	for _, r := range b.w.rings {
		r.store.leader = nil
	}
	if b.leader == nil {
		if e.Truth == cluster.Unknown {
			b.assume("who is elected is not known; here nobody is")
		}
		return
	}
	s := b.leader.store()
	b.w.store = s
	s.leader, s.last, s.expires = b.leader, b.leader, b.w.now.Add(leaderTTL-5*time.Second)
}
