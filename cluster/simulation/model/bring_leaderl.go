package model

import (
	"time"

	"chef-backend-cockpit/cluster"
)

// role brings a node's leaderl into the role that cluster-status tells of it.
func (b *bringing) role(n *node) {
	l, s := n.leaderl, n.service("leaderl")
	word, _ := b.v.RoleOf(n.name)
	if !s.up || s.doomed != nil {
		l.running = false
		return
	}
	l.running, l.begun, l.since, l.refreshed, l.etcdSeen = true, s.since, b.w.now.Add(-2*time.Minute), b.w.now, b.w.now
	l.sawLeader, l.followed, l.failedFor, l.job = false, nil, nil, nil
	switch {
	case b.leader == n:
		l.state, l.sawLeader = leading, true
	case word == following:
		l.state, l.sawLeader, l.followed = following, b.leader != nil, b.leader
	case word == waiting:
		l.state, l.failedFor = waiting, b.leader
		b.still(n, "waits")
	case word == deposed:
		l.state, l.idle = deposed, b.leader != nil
		b.still(n, "stays deposed")
	case word == initializing:
		l.state, l.hangs = initializing, true
		b.still(n, "goes on initializing")
	default:
		b.guessed(n)
	}
}

// still: what keeps a node where it is does not show; that it stayed there does.
func (b *bringing) still(n *node, what string) {
	b.assume("%s %s here as long as nobody does anything, as it did so far", n.name, what)
}

// guessed is the role of a node of which cluster-status tells none.
func (b *bringing) guessed(n *node) {
	l := n.leaderl
	switch r := b.report(n); {
	case r == nil && b.leader != nil && b.leader.pg.phase == pgPrimary:
		l.state, l.sawLeader, l.followed = following, true, b.leader
	case n.pg.phase == pgPrimary:
		l.state, l.sawLeader = leading, true
	case n.files.Exists(noStartFile):
		l.state = deposed
	default:
		l.state, l.failedFor = waiting, b.leader
	}
	if !n.etcd.healthy() {
		l.etcdSeen = b.w.now.Add(-leaderTTL)
	}
	if n.powered {
		b.assume("cluster-status tells no role of %s; here it is %s", n.name, l.state)
	}
}

// switches brings failover and what bars a node from leading into their state.
func (b *bringing) switches(n *node) {
	row, ok := b.row(n)
	if !ok {
		return
	}
	l, s := n.leaderl, n.store()
	if row.Failover != cluster.Unknown {
		l.failover = row.Failover == cluster.True
	}
	s.blocked[n] = row.Blocked == cluster.True
	l.eligible = row.Eligible != cluster.False
}

// row is the newest row of cluster-status about a node.
func (b *bringing) row(n *node) (cluster.CtlNode, bool) {
	var best cluster.CtlNode
	var at time.Time
	for _, o := range b.w.nodes {
		r := b.report(o)
		if r == nil || !r.Ctl.Rows.Known || !r.Ctl.Rows.At.After(at) {
			continue
		}
		for _, row := range r.Ctl.Rows.Value {
			if cluster.SameAddress(row.IP, n.address) || row.Name == n.name {
				best, at = row, r.Ctl.Rows.At
			}
		}
	}
	return best, !at.IsZero()
}

// posts are what the nodes last told one another. A row that says unknown is
// of a node that has fallen silent.
func (b *bringing) posts() {
	for _, n := range b.w.nodes {
		n.store().failover = true
	}
	known := false
	for _, n := range b.w.nodes {
		if r := b.report(n); r != nil && r.Ctl.Failover.Known {
			n.store().failover, known = r.Ctl.Failover.Value, true
		}
	}
	if !known {
		b.assume("whether failover is enabled is not known; here it is")
	}
	for _, n := range b.w.nodes {
		s, l := n.store(), n.leaderl
		delete(s.posts, n)
		if l.alive() && n.etcd.healthy() {
			eligible := l.eligible
			l.report()
			l.eligible = eligible
			continue
		}
		row, ok := b.row(n)
		if !ok || row.Role == "unknown" || row.Role == "" {
			continue
		}
		s.posts[n] = post{at: b.w.now.Add(-leaderTTL / 2), role: row.Role, pg: row.PostgreSQL, es: row.Elasticsearch,
			following: row.Follows, eligible: row.Eligible == cluster.True, partial: row.PartiallySynced == cluster.True, failover: row.Failover != cluster.False}
	}
	for _, n := range b.w.nodes {
		r := b.report(n)
		if r != nil && r.Settings.RequiredFollowers.Known && r.Settings.RequiredFollowers.Value != b.w.required {
			b.w.require(r.Settings.RequiredFollowers.Value)
		}
	}
}
