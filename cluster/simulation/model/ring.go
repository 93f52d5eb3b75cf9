package model

import (
	"fmt"
	"slices"
	"time"
)

// ring is one etcd cluster: its members as the newest entry of its log lists
// them, and what leaderl keeps in it. Dead members stay in the list. A
// quorum-loss recovery makes a second ring beside the old one.
type ring struct {
	id      string
	list    []*member
	dropped map[string]bool // ids of members that were removed for good
	store   store
}

func newRing(id string) *ring {
	return &ring{id: id, dropped: map[string]bool{}, store: store{failover: true, blocked: map[*node]bool{}, posts: map[*node]post{}}}
}

// store is what leaderl of this node reads and writes. A node that is in no
// cluster has an empty one, which nothing reaches.
func (n *node) store() *store { return &n.etcd.ring.store }

// need is how many of the listed members make a majority.
func need(list []*member) int { return len(list)/2 + 1 }

// registered are the nodes that a cluster knows, in fixed order.
func (s *store) registered() []*node { return s.nodes }

// register adds a node to those that cluster-status shows.
func (s *store) register(n *node) {
	if slices.Contains(s.nodes, n) {
		return
	}
	s.nodes = append(slices.Clone(s.nodes), n)
	slices.SortFunc(s.nodes, func(a, b *node) int { return a.index - b.index })
}

// forget drops all that the cluster keeps of a node.
func (s *store) forget(n *node) {
	s.nodes = slices.DeleteFunc(slices.Clone(s.nodes), func(o *node) bool { return o == n })
	delete(s.posts, n)
	delete(s.blocked, n)
	if s.leader == n {
		s.leader = nil
	}
	if s.last == n {
		s.last = nil
	}
}

// add lists a new member, which has not started yet. From now on it counts.
func (r *ring) add(m *member) {
	m.ring = r
	r.list = append(slices.Clone(r.list), m)
	m.list = r.list
	r.spread()
}

// spread tells a change of the list to all who hear of it: the change is
// through when the majority has it.
func (r *ring) spread() {
	for _, m := range r.list {
		if m.healthy() {
			m.list = r.list
		}
	}
}

// drop removes a member for good.
func (r *ring) drop(m *member) {
	r.list = slices.DeleteFunc(slices.Clone(r.list), func(o *member) bool { return o == m })
	r.dropped[m.id] = true
	r.spread()
}

// of is the member of a node in the ring's list, or nil.
func (r *ring) of(n *node) *member {
	for _, m := range r.list {
		if m.n == n {
			return m
		}
	}
	return nil
}

// works says whether some majority can write.
func (r *ring) works() bool {
	for _, m := range r.list {
		if m.state == stateLeader && m.healthy() {
			return true
		}
	}
	return false
}

// standalone makes a cluster of one out of a member, as etcd does with
// --force-new-cluster: the data stays, every other member is dropped. The
// product is documented to give the cluster a new id.
func (w *World) standalone(m *member) {
	old := m.ring
	r := newRing(fmt.Sprintf("%x", w.rnd.Uint64()))
	r.store.failover, r.store.index = old.store.failover, old.store.index
	for _, o := range old.list {
		if o.n != m.n {
			r.dropped[o.id] = true
		}
	}
	for id := range old.dropped {
		r.dropped[id] = true
	}
	own := &member{n: m.n, id: m.id, named: true, term: m.term, index: m.index, state: stateFollower, claim: stateFollower}
	r.add(own)
	r.store.register(m.n)
	m.n.etcd = own
	w.rings = append(w.rings, r)
	w.store = &r.store
}

// stepRings lets what has a lifetime in etcd expire, where etcd works.
func (w *World) stepRings() {
	for _, r := range w.rings {
		s := &r.store
		if s.leader != nil && !w.now.Before(s.expires) && r.works() {
			s.leader = nil
		}
		if p := s.promote; p != nil && w.now.Sub(p.since) >= requestTime && (p.target == nil || p.target.leaderl.state != promoting) {
			s.promote = nil
		}
	}
}

// expelled is a member that was removed and hears so: whom it reaches has it
// in the list of the dropped. It ends; the words are etcd's own.
func (m *member) expelled() bool {
	if !m.takesPart() {
		return false
	}
	for _, o := range m.n.w.members() {
		if o == m || !o.takesPart() || !o.ring.dropped[m.id] || !m.n.w.talks(m.n, o.n) {
			continue
		}
		if o.ring != m.ring {
			o.log("E", "rafthttp: request sent was ignored (cluster ID mismatch: peer[%s]=%s, local=%s)", m.id, m.ring.id, o.ring.id)
		}
		return true
	}
	return false
}

// leave ends the process of a member that was removed. runit starts it again
// and it ends again, until its data is gone.
func (m *member) leave() {
	m.log("E", "etcdserver: the member has been permanently removed from the cluster")
	m.log("I", "etcdserver: the data-dir used by this member must be removed.")
	m.n.service("etcd").kill()
}

// bootGrace is how long after a boot leaderl may begin to count as started by
// it.
const bootGrace = 30 * time.Second

// ledLast says whether a node that was booted may take leadership up again:
// it led last by what etcd holds, and nobody who has seen a leader since is
// left. A mere restart of leaderl does not count (chef-server issue 1473).
func (l *leaderl) ledLast() bool {
	s := l.n.store()
	if s.last != l.n || l.begun.Sub(l.n.bootedAt) > bootGrace || l.n.w.now.Sub(l.since) < leaderTTL {
		return false
	}
	for _, o := range s.registered() {
		if o != l.n && o.leaderl.sawLeader && o.leaderl.alive() && o.etcd.healthy() && o.etcd.ring == l.n.etcd.ring {
			return false
		}
	}
	return true
}
