package cluster

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Elected says who leads, by the derived fact "elected leader".
type Elected struct {
	Node   string // "" when nobody is, or it is unknown
	Truth  Truth  // True: Node leads; False: nobody is elected; Unknown
	Answer Answer
}

// ctlRead is one reading of cluster-status.
type ctlRead struct {
	witness string // where it was read
	rows    []CtlNode
	ref     ClaimRef
}

// rowsMax is the age beyond which rows of cluster-status count for nothing: two
// periods of the slow look and what a slow one may take.
const rowsMax = 90 * time.Second

// newestRows is the newest cluster-status read on a node whose etcd is
// healthy. Elsewhere the rows may be stale without saying so: such a reading
// is only given when healthy is false.
func newestRows(s *Snapshot, healthy bool) (ctlRead, bool) {
	var best ctlRead
	if s == nil {
		return best, false
	}
	for _, n := range s.Nodes {
		r := s.Reports[n.Name]
		if r == nil || !r.Ctl.Rows.Known {
			continue
		}
		if healthy && Is(r.Etcd.Health, true) != True {
			continue
		}
		if at := r.Ctl.Rows.At; !s.At.IsZero() && !at.IsZero() && s.At.Sub(at) > rowsMax {
			continue
		}
		if best.witness == "" || r.Ctl.Rows.At.After(best.ref.At) {
			best = ctlRead{n.Name, r.Ctl.Rows.Value, mention(n.Name, "ctl.cluster-status", r.Ctl.Rows)}
		}
	}
	return best, best.witness != ""
}

// rowNode finds the node that a row of cluster-status is about: by address,
// else by name, else by the GUID under which its etcd member runs.
func rowNode(s *Snapshot, row CtlNode) string {
	if n, ok := s.ByAddress(row.IP); ok {
		return n.Name
	}
	if n, ok := s.Node(row.Name); ok {
		return n.Name
	}
	for _, n := range s.Nodes {
		if r := s.Reports[n.Name]; r != nil && row.GUID != "" && Is(r.Etcd.MemberName, row.GUID) == True {
			return n.Name
		}
	}
	return ""
}

// row finds the node's row in the newest trusted reading of cluster-status.
func (v *View) row(node string, healthy bool) (CtlNode, ctlRead, bool) {
	if v == nil || v.Snapshot == nil {
		return CtlNode{}, ctlRead{}, false
	}
	read, ok := newestRows(v.Snapshot, healthy)
	if !ok {
		return CtlNode{}, read, false
	}
	for _, row := range read.rows {
		if rowNode(v.Snapshot, row) == node {
			return row, read, true
		}
	}
	return CtlNode{}, read, false
}

// RoleOf is leaderl's raw state word for the node, from the newest
// cluster-status read on a node with a healthy etcd; where there is none, from
// the newest reading at all, which the sentence says. The answer is True when
// the word is known.
func (v *View) RoleOf(node string) (string, Answer) {
	row, read, ok := v.row(node, true)
	doubt := ""
	if !ok {
		row, read, ok = v.row(node, false)
		doubt = ", where etcd is not healthy: it may be stale"
	}
	if !ok {
		if read.witness != "" {
			return "", say(Unknown, "cluster-status on "+read.witness+" does not list "+node, read.ref)
		}
		return "", say(Unknown, "the role of "+node+" is unknown: cluster-status could be read nowhere")
	}
	return row.Role, say(True, fmt.Sprintf("cluster-status on %s calls %s %s%s", read.witness, node, row.Role, doubt), read.ref)
}

// namedLeader is whom the newest trusted cluster-status calls leader; several
// only while one of the rows is old.
func namedLeader(s *Snapshot) (names []string, read ctlRead, ok bool) {
	if read, ok = newestRows(s, true); !ok {
		return nil, read, false
	}
	for _, row := range read.rows {
		if row.Role == "leader" {
			name := rowNode(s, row)
			if name == "" {
				name = row.Name
			}
			names = append(names, name)
		}
	}
	return names, read, true
}

// OutOfRecovery answers whether the node's PostgreSQL runs as a primary. No
// postmaster, or one that is still starting, accepts no writes: no.
func (v *View) OutOfRecovery(node string) Answer {
	return outOfRecovery(node, v.report(node))
}

func outOfRecovery(node string, r *Report) Answer {
	p := r.PostgreSQL
	if p.InRecovery.Known {
		ref := mention(node, "postgresql.in-recovery", p.InRecovery)
		if p.InRecovery.Value {
			return say(False, "PostgreSQL on "+node+" is in recovery", ref)
		}
		return say(True, "PostgreSQL on "+node+" is out of recovery", ref)
	}
	if p.Postmaster.Known && p.Postmaster.Value == 0 {
		return say(False, "PostgreSQL is not running on "+node, mention(node, "postgresql.postmaster", p.Postmaster))
	}
	if p.Ready.Known && p.Ready.Value == 1 {
		return say(False, "PostgreSQL on "+node+" is starting and accepts nothing yet", mention(node, "postgresql.ready", p.Ready))
	}
	return unknownFor(node, "postgresql.in-recovery", p.InRecovery)
}

// leaderAnswer answers whether the node's /leader says 200.
func leaderAnswer(node string, r *Report) Answer {
	c := r.Leaderl.LeaderCode
	if !c.Known {
		return unknownFor(node, "leaderl.leader-code", c)
	}
	ref := mention(node, "leaderl.leader-code", c)
	if c.Value == 0 {
		return say(False, "nobody listens on leaderl's port on "+node, ref)
	}
	return say(TruthOf(c.Value == 200), fmt.Sprintf("/leader on %s answers %d", node, c.Value), ref)
}

// answering are those of the named nodes whose /leader says 200.
func answering(s *Snapshot, names []string) (yes []string) {
	for _, n := range names {
		if r := s.Reports[n]; r != nil && leaderAnswer(n, r).Truth == True {
			yes = append(yes, n)
		}
	}
	return yes
}

// electedIn finds the elected leader in one snapshot.
func (v *View) electedIn(s *Snapshot) Elected {
	names, read, ok := namedLeader(s)
	if !ok {
		return Elected{Answer: say(Unknown, "who leads is unknown: cluster-status could be read on no node with a healthy etcd")}
	}
	if len(names) == 0 {
		return Elected{Truth: False, Answer: say(False, "cluster-status on "+read.witness+" names no leader", read.ref)}
	}
	if len(names) > 1 { // a dead leader's row lives on for a while: the one that answers counts
		names = answering(s, names)
	}
	if len(names) != 1 {
		return Elected{Answer: say(Unknown, fmt.Sprintf("cluster-status on %s names several leaders, and not exactly one of them answers /leader with 200", read.witness), read.ref)}
	}
	name := names[0]
	r := s.Reports[name]
	if r == nil {
		r = &Report{Node: name}
	}
	works := anyOf("cluster-status names "+name+" as leader, but it neither answers /leader with 200 nor is its PostgreSQL out of recovery",
		leaderAnswer(name, r), outOfRecovery(name, r))
	e := Elected{Truth: works.Truth, Answer: works}
	e.Answer.Claims = append([]ClaimRef{read.ref}, works.Claims...)
	switch works.Truth {
	case True:
		e.Node = name
		e.Answer.Sentence = fmt.Sprintf("%s is the elected leader: cluster-status on %s names it, and %s", name, read.witness, works.Sentence)
	case Unknown:
		e.Answer.Sentence = fmt.Sprintf("cluster-status on %s names %s as leader, but %s", read.witness, name, works.Sentence)
	}
	return e
}

// Elected finds the elected leader: role leader in a cluster-status read on a
// node whose etcd is healthy, in two looks running, and that node answers
// /leader with 200 or its PostgreSQL is out of recovery. Without etcd quorum
// nobody is elected. etcd's raft leader is never asked: it has nothing to do
// with it.
func (v *View) Elected() Elected {
	if v == nil || v.Snapshot == nil {
		return Elected{Answer: say(Unknown, "who leads is unknown: nothing was looked at yet")}
	}
	if q := v.EtcdQuorum(); q.Truth == False {
		q.Sentence = "nobody is elected: " + q.Sentence
		return Elected{Truth: False, Answer: q}
	}
	now := v.electedIn(v.Snapshot)
	if now.Truth == Unknown {
		return now
	}
	if v.Previous == nil {
		now.Answer.Truth, now.Answer.Sentence = Unknown, now.Answer.Sentence+"; seen in one look only so far"
		return Elected{Answer: now.Answer}
	}
	was := v.electedIn(v.Previous)
	if was.Truth != now.Truth || was.Node != now.Node {
		now.Answer.Truth, now.Answer.Sentence = Unknown, now.Answer.Sentence+"; the look before said otherwise"
		return Elected{Answer: now.Answer}
	}
	return now
}

// GoodFollower answers whether the node is a copy that could take over: in
// recovery, fed by the elected leader and streaming in the leader's own eyes,
// without the sentinel unsynced, eligible, of the same system identifier.
func (v *View) GoodFollower(node string) Answer {
	e := v.Elected()
	if e.Truth != True {
		a := e.Answer
		a.Sentence = node + " has no leader to follow: " + a.Sentence
		return a
	}
	if e.Node == node {
		return say(False, node+" is the elected leader", e.Answer.Claims...)
	}
	return all(node+" is a good follower of "+e.Node,
		v.inRecovery(node), v.followsNode(node, e.Node), v.StreamsFrom(node, e.Node),
		v.without(node, "unsynced"), v.eligible(node), v.sameSystem(node, e.Node))
}

// inRecovery answers whether the node's PostgreSQL runs as a standby.
func (v *View) inRecovery(node string) Answer {
	c := v.report(node).PostgreSQL.InRecovery
	if !c.Known {
		if p := v.report(node).PostgreSQL.Postmaster; p.Known && p.Value == 0 {
			return say(False, "PostgreSQL is not running on "+node, mention(node, "postgresql.postmaster", p))
		}
		return unknownFor(node, "postgresql.in-recovery", c)
	}
	word := "out of"
	if c.Value {
		word = "in"
	}
	return say(TruthOf(c.Value), fmt.Sprintf("PostgreSQL on %s is %s recovery", node, word), mention(node, "postgresql.in-recovery", c))
}

// followsNode answers whether the node's upstream is the other node.
func (v *View) followsNode(node, leader string) Answer {
	c := v.report(node).PostgreSQL.Upstream
	if !c.Known {
		return unknownFor(node, "postgresql.upstream", c)
	}
	ref := mention(node, "postgresql.upstream", c)
	if v.goesBy(leader, c.Value) {
		return say(True, node+" follows "+leader, ref)
	}
	if up, ok := v.Snapshot.ByAddress(c.Value); ok {
		return say(False, fmt.Sprintf("%s follows %s, not %s", node, up.Name, leader), ref)
	}
	if c.Value == "" {
		return say(False, node+" follows nobody", ref)
	}
	if _, err := netip.ParseAddr(c.Value); err != nil { // a name that we do not know may be the leader's
		return say(Unknown, fmt.Sprintf("%s follows %s; whether that is %s is unknown", node, c.Value, leader), ref)
	}
	return say(False, fmt.Sprintf("%s follows %s, which is not %s", node, c.Value, leader), ref)
}

// goesBy answers whether a host in some configuration is the node: by its
// address or name in the cluster, or by what the node itself goes by.
func (v *View) goesBy(node, host string) bool {
	n, ok := v.snapshotNode(node)
	if !ok || host == "" {
		return false
	}
	h := v.report(node).Host
	short, _, _ := strings.Cut(host, ".")
	return SameAddress(host, n.Address) || host == n.Name || h.HostName.Known && (host == h.HostName.Value || short == h.HostName.Value) ||
		h.Addresses.Known && slices.ContainsFunc(h.Addresses.Value, func(a string) bool { return SameAddress(a, host) })
}

// StreamsFrom answers whether the node stands in leader's own
// pg_stat_replication with state streaming; a base backup shows "backup".
func (v *View) StreamsFrom(node, leader string) Answer {
	n, _ := v.snapshotNode(node)
	c := v.report(leader).PostgreSQL.Replicas
	if !c.Known {
		return unknownFor(leader, "postgresql.replicas", c)
	}
	ref := mention(leader, "postgresql.replicas", c)
	state := ""
	for _, r := range c.Value {
		if !SameAddress(r.Address, n.Address) {
			continue
		}
		if state = r.State; state == "streaming" {
			return say(True, node+" streams from "+leader, ref)
		}
	}
	if state != "" {
		return say(False, fmt.Sprintf("%s is connected to %s, but its state there is %s", node, leader, state), ref)
	}
	return say(False, node+" does not stream from "+leader, ref)
}

// sentinelAt answers whether one of leaderl's two marker files lies on the node.
func (v *View) sentinelAt(node, which string) Answer {
	c, name := v.report(node).Sentinels.NoStart, "no-start-pgsql"
	if which == "unsynced" {
		c, name = v.report(node).Sentinels.Unsynced, "unsynced"
	}
	if !c.Known {
		return unknownFor(node, "sentinel."+name, c)
	}
	ref := mention(node, "sentinel."+name, c)
	if c.Value {
		return say(True, fmt.Sprintf("the sentinel %s lies on %s", name, node), ref)
	}
	return say(False, fmt.Sprintf("no sentinel %s on %s", name, node), ref)
}

// without is sentinelAt turned round.
func (v *View) without(node, which string) Answer {
	a := v.sentinelAt(node, which)
	a.Truth = a.Truth.Not()
	return a
}

// eligible answers whether cluster-status calls the node eligible to lead.
func (v *View) eligible(node string) Answer {
	row, read, ok := v.row(node, true)
	if !ok || row.Eligible == Unknown {
		return say(Unknown, "whether "+node+" is eligible is unknown: cluster-status does not tell", read.ref)
	}
	if row.Eligible == True {
		return say(True, node+" is eligible", read.ref)
	}
	return say(False, node+" is not eligible", read.ref)
}

// sameSystem answers whether two copies come from one cluster.
func (v *View) sameSystem(a, b string) Answer {
	ca, cb := v.report(a).PostgreSQL.Control, v.report(b).PostgreSQL.Control
	if !ca.Known {
		return unknownFor(a, "postgresql.control", ca)
	}
	if !cb.Known {
		return unknownFor(b, "postgresql.control", cb)
	}
	refs := []ClaimRef{mention(a, "postgresql.control", ca), mention(b, "postgresql.control", cb)}
	if ca.Value.SystemID == cb.Value.SystemID {
		return say(True, fmt.Sprintf("%s and %s have the same system identifier", a, b), refs...)
	}
	return say(False, fmt.Sprintf("the system identifiers of %s and %s differ: not the same cluster", a, b), refs...)
}
