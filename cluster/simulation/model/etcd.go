package model

import (
	"fmt"
	"slices"
	"sort"
	"time"
)

// Times of etcd as the product sets them (heartbeat_interval,
// election_timeout).
const (
	electionTimeout = 5 * time.Second
	etcdStamp       = "2006-01-02 15:04:05.000000"
)

// Raft states by etcd's own names.
const (
	stateFollower  = "StateFollower"
	stateCandidate = "StateCandidate"
	stateLeader    = "StateLeader"
)

// member is one etcd 2.3 member: what lies in a data directory.
type member struct {
	n       *node
	ring    *ring
	list    []*member // as this member last heard
	named   bool      // it has started once and told its name
	id      string
	running bool
	begun   time.Time // of the process

	state    string
	claim    string // what stats/self says: it changes late when a leader is cut off
	lead     *member
	leadTime time.Time // since when lead leads
	term     int
	index    uint64
	heard    time.Time     // from the leader
	patience time.Duration // until the next campaign
	majority time.Time     // a leader's last contact with a majority
	active   map[*member]bool
	received int
	sent     int
}

// store is what leaderl keeps in etcd.
type store struct {
	leader   *node // holder of the leader key; nil: the key is not there
	last     *node // the holder before that
	nodes    []*node
	promote  *promotion
	expires  time.Time
	failover bool // cluster-wide
	blocked  map[*node]bool
	posts    map[*node]post
	index    uint64 // of raft: what a majority has
}

func (m *member) log(level, format string, a ...any) {
	m.n.log("etcd", "%s %s | %s", m.n.stamp().Format(etcdStamp), level, fmt.Sprintf(format, a...))
}

func (m *member) started() {
	m.running, m.begun = true, m.n.w.now
	fresh := !m.named
	m.named = true
	m.state, m.claim, m.lead = stateFollower, stateFollower, nil
	m.heard = m.n.w.now
	m.newPatience()
	m.active = map[*member]bool{}
	m.log("I", "etcdmain: etcd Version: 2.3.8")
	if !fresh {
		m.log("N", "etcdmain: the server is already initialized as member before, starting as etcd member...")
	}
	m.log("I", "etcdserver: starting member %s in cluster %s", m.id, m.ring.id)
	m.log("I", "raft: %s became follower at term %d", m.id, m.term)
}

func (m *member) stopped() {
	if m.running {
		m.running, m.lead, m.state = false, nil, stateFollower
	}
}

func (m *member) newPatience() {
	m.patience = electionTimeout + time.Duration(m.n.w.rnd.Intn(45))*Step
}

// takesPart says whether the member runs and answers.
func (m *member) takesPart() bool {
	return m.n.etcd == m && m.running && m.n.service("etcd").serving()
}

// hears says whether two members can talk.
func (m *member) hears(o *member) bool {
	return m != o && m.ring == o.ring && m.takesPart() && o.takesPart() && m.reaches(o)
}

// reaches says whether packets go both ways between the two members' ports.
func (m *member) reaches(o *member) bool {
	w := m.n.w
	return w.passes(m.n, o.n, portEtcdPeer) && w.passes(o.n, m.n, portEtcdPeer)
}

// healthy is what /health tells: the member sees the raft index move.
func (m *member) healthy() bool {
	if !m.takesPart() {
		return false
	}
	if m.state == stateLeader {
		return m.n.w.now.Sub(m.majority) <= m.n.w.lag+Step
	}
	return m.lead != nil && m.hears(m.lead) && m.lead.state == stateLeader && m.lead.healthy()
}

// members are the members of all nodes, whatever cluster they are in.
func (w *World) members() []*member {
	all := make([]*member, len(w.nodes))
	for i, n := range w.nodes {
		all[i] = n.etcd
	}
	return all
}

func (w *World) stepEtcd() {
	for _, m := range w.members() {
		if m.expelled() {
			m.leave()
		}
	}
	for _, m := range w.members() {
		if m.takesPart() && m.state == stateLeader {
			m.beat()
		}
	}
	for _, m := range w.members() {
		if m.takesPart() && m.state != stateLeader && w.now.Sub(m.heard) >= m.patience {
			m.campaign()
		}
	}
	for _, m := range w.members() {
		m.watchPeers()
	}
	w.stepRings()
}

// beat is a leader's heartbeat to whom it reaches.
func (m *member) beat() {
	w, s, reached := m.n.w, m.n.store(), 1
	if m.late() {
		return
	}
	m.list = m.ring.list
	for _, o := range m.list {
		if !m.hears(o) {
			continue
		}
		if o.term > m.term {
			m.log("I", "raft: %s [term: %d] received a MsgAppResp message with higher term from %s [term: %d]", m.id, m.term, o.id, o.term)
			m.becomeFollower(o.term, nil)
			return
		}
		reached++
		o.received++
		m.sent++
		o.heard = w.now
		if o.lead != m || o.term != m.term || o.state != stateFollower {
			o.becomeFollower(m.term, m)
		}
	}
	if reached >= need(m.list) {
		m.majority = w.now
		if w.now.UnixMilli()%500 < Step.Milliseconds() {
			s.index++
		}
		m.index = s.index
		for _, o := range m.list {
			if m.hears(o) {
				o.index, o.list = s.index, m.list
			}
		}
		return
	}
	if w.now.Sub(m.majority) >= electionTimeout {
		m.log("W", "raft: %s stepped down to follower since quorum is not active", m.id)
		m.becomeFollower(m.term, nil)
		// stats/self is not told: it goes on saying StateLeader.
		m.claim = stateLeader
	}
}

func (m *member) becomeFollower(term int, lead *member) {
	old := m.lead
	changed := m.term != term || m.state != stateFollower
	m.term, m.state, m.lead = term, stateFollower, lead
	m.heard = m.n.w.now
	m.newPatience()
	if changed {
		m.log("I", "raft: %s became follower at term %d", m.id, term)
	}
	m.tellLeader(old)
	if lead != nil {
		m.claim, m.leadTime = stateFollower, m.n.w.now
	}
}

// tellLeader logs a change of the raft leader as raft.node does.
func (m *member) tellLeader(old *member) {
	switch {
	case old == m.lead:
	case m.lead == nil:
		m.log("I", "raft.node: %s lost leader %s at term %d", m.id, old.id, m.term)
	case old == nil:
		m.log("I", "raft.node: %s elected leader %s at term %d", m.id, m.lead.id, m.term)
	default:
		m.log("I", "raft.node: %s changed leader from %s to %s at term %d", m.id, old.id, m.lead.id, m.term)
	}
}

// campaign is an election that the member calls. Whoever has missed entries
// cannot win, but its higher term unseats a leader that hears of it.
func (m *member) campaign() {
	w, old := m.n.w, m.lead
	m.log("I", "raft: %s is starting a new election at term %d", m.id, m.term)
	m.term++
	m.state, m.lead = stateCandidate, nil
	m.claim = keepLeader(m.claim, stateCandidate)
	m.heard = w.now
	m.newPatience()
	m.log("I", "raft: %s became candidate at term %d", m.id, m.term)
	m.log("I", "raft: %s received vote from %s at term %d", m.id, m.id, m.term)
	m.tellLeader(old)
	votes := 1
	for _, o := range m.list {
		if o == m {
			continue
		}
		m.log("I", "raft: %s [logterm: %d, index: %d] sent vote request to %s at term %d", m.id, m.term-1, m.index, o.id, m.term)
		if !m.hears(o) || o.term >= m.term {
			continue
		}
		heard, patience := o.heard, o.patience
		o.becomeFollower(m.term, nil)
		if o.index > m.index {
			o.heard, o.patience = heard, patience
			o.log("I", "raft: %s [logterm: %d, index: %d, vote: 0] rejected vote from %s [logterm: %d, index: %d] at term %d", o.id, m.term-1, o.index, m.id, m.term-1, m.index, m.term)
			continue
		}
		votes++
		m.log("I", "raft: %s received vote from %s at term %d", m.id, o.id, m.term)
	}
	if votes < need(m.list) {
		return
	}
	m.log("I", "raft: %s [q:%d] has received %d votes and 0 vote rejections", m.id, need(m.list), votes)
	m.state, m.claim, m.lead, m.leadTime, m.majority = stateLeader, stateLeader, m, w.now, w.now
	m.log("I", "raft: %s became leader at term %d", m.id, m.term)
	m.tellLeader(nil)
}

// keepLeader: a member that once led goes on saying so in stats/self until it
// hears of another leader.
func keepLeader(old, state string) string {
	if old == stateLeader {
		return old
	}
	return state
}

// watchPeers logs the state of the links to the peers.
func (m *member) watchPeers() {
	if !m.takesPart() {
		return
	}
	for _, o := range m.list {
		if o == m {
			continue
		}
		m.mismatch(o)
		heard, known := m.active[o]
		now := m.hears(o)
		if known && heard == now {
			if !now && m.n.w.now.UnixMilli()%30000 < Step.Milliseconds() {
				m.log("W", "rafthttp: the connection to peer %s is unhealthy", o.id)
			}
			continue
		}
		m.active[o] = now
		switch {
		case now:
			m.log("I", "rafthttp: the connection with %s became active", o.id)
		case known:
			m.log("E", "rafthttp: failed to dial %s on stream MsgApp v2 (dial tcp %s:%d: %s)", o.id, o.n.address, portEtcdPeer, m.dialError(o))
			m.log("I", "rafthttp: the connection with %s became inactive", o.id)
		}
	}
}

func (m *member) dialError(o *member) string {
	if m.reaches(o) && !o.n.service("etcd").hung {
		return "getsockopt: connection refused"
	}
	return "i/o timeout"
}

// sorted are the members as /v2/members lists them.
func (m *member) sorted() []*member {
	all := slices.Clone(m.list)
	sort.Slice(all, func(i, j int) bool { return all[i].id < all[j].id })
	return all
}
