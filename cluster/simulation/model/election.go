package model

import "time"

// promotion is a request by an operator to change the leader. A nil target
// only asks the leader to step down. force overrides switches and eligibility,
// not the sentinels.
type promotion struct {
	target *node
	since  time.Time
	force  bool
}

// failoverOn says whether the leader may move away from or to a node.
func (w *World) failoverOn(n *node) bool {
	s := n.store()
	return s.failover && n.leaderl.failover && !s.blocked[n]
}

// mayStand says whether a waiting node may take the leader key. A node that
// has seen no leader since it started does not know whether its copy is good
// and waits for a word: so three nodes that were all restarted elect nobody
// (chef-server issue 1473).
func (l *leaderl) mayStand() bool {
	w := l.n.w
	if l.key() != nil || l.sentinels() {
		return false
	}
	if p := l.n.store().promote; p != nil && p.target != nil {
		return p.target == l.n && l.n.pg.copy.whole && (p.force || w.failoverOn(l.n))
	}
	if !w.failoverOn(l.n) || !l.sawLeader && !l.ledLast() || !l.eligible || w.now.Sub(l.since) < standTime {
		return false
	}
	for _, o := range l.n.store().registered() {
		if o != l.n && o.leaderl.standsToo() && better(o, l.n) {
			return false
		}
	}
	return true
}

func (l *leaderl) sentinels() bool {
	return l.n.files.Exists(noStartFile) || l.n.files.Exists(unsyncedFile)
}

// standsToo says whether another node is or will be a candidate.
func (l *leaderl) standsToo() bool {
	return l.n.booted() && l.alive() && l.n.etcd.healthy() && l.sawLeader && l.eligible &&
		(l.state == waiting || l.state == following) && !l.sentinels() && l.n.w.failoverOn(l.n)
}

// better says whether a holds more than b; of equals the first node wins.
func better(a, b *node) bool {
	if a.pg.copy.tli != b.pg.copy.tli {
		return a.pg.copy.tli > b.pg.copy.tli
	}
	if a.pg.copy.end != b.pg.copy.end {
		return a.pg.copy.end > b.pg.copy.end
	}
	return a.index < b.index
}

// takeOver is a promotion that goes on.
func (l *leaderl) takeOver() {
	w, g := l.n.w, l.n.pg
	if l.n.etcd.healthy() {
		if l.key() != nil && l.key() != l.n {
			l.giveUp("another node took the leader key")
			return
		}
		l.take()
	}
	switch {
	case g.phase == pgPrimary:
		l.n.store().promote = nil
		w.slowness = 0
		l.turn(leading, "postgresql is out of recovery")
	case w.now.After(l.promoteBy):
		l.giveUp("postgresql did not leave recovery in time")
	case g.phase == pgOff && !l.n.service("postgresql").want:
		if !g.standby {
			g.setStandby(true, "")
		}
		l.n.service("postgresql").start()
	case g.phase == pgStandby && w.now.Sub(l.since) >= w.slowness:
		if g.promoteAt.IsZero() {
			l.log("I", "pg_manager:promote", "promoting postgresql") // invented
		}
		g.promote()
	}
}

// giveUp ends a promotion that failed.
func (l *leaderl) giveUp(why string) {
	if l.n.pg.phase == pgPrimary {
		l.depose(why)
		return
	}
	if l.key() == l.n {
		l.n.store().leader = nil
	}
	l.sawLeader = false
	l.turn(waiting, why)
}

// check is one health check. Five failures in a row cost a leader its place
// and a follower its eligibility.
func (l *leaderl) check() {
	n := l.n
	l.count("postgresql", n.pg.accepts())
	l.count("elasticsearch", n.es.serving())
	l.count("etcd", n.etcd.healthy())
	l.eligible = l.fit()
	if l.state != leading || !n.w.failoverOn(n) {
		return
	}
	for _, name := range []string{"postgresql", "elasticsearch"} {
		if l.failures[name] >= maxFailures {
			l.depose(name + " failed its health checks")
			return
		}
	}
}

func (l *leaderl) count(service string, well bool) {
	if well {
		l.failures[service] = 0
		return
	}
	l.failures[service]++
	if n := l.failures[service]; n == 1 || n <= maxFailures && l.state == leading {
		// Invented: no real line of a failed check is known.
		l.log("W", "health_check:check", "%s failed its health check (%d of %d)", service, l.failures[service], maxFailures)
	}
}

// fit says whether the node could lead.
func (l *leaderl) fit() bool {
	for _, f := range l.failures {
		if f >= maxFailures && l.state != waiting {
			return false
		}
	}
	if l.sentinels() || !l.n.pg.copy.whole {
		return false
	}
	if leader := l.key(); leader != nil && leader != l.n && l.n.etcd.healthy() {
		return int64(leader.pg.copy.end)-int64(l.n.pg.copy.end) <= maxBytesBehind
	}
	return true
}

// report posts the node's status to etcd.
func (l *leaderl) report() {
	w, g := l.n.w, l.n.pg
	l.nextPost = w.now.Add(postInterval)
	l.eligible = l.fit()
	if !l.n.etcd.healthy() {
		return
	}
	p := post{at: w.now, role: l.state, pg: "offline", es: "offline", eligible: l.eligible, failover: l.failover}
	p.partial = l.n.files.Exists(unsyncedFile)
	switch g.phase {
	case pgPrimary:
		p.pg = "leader"
	case pgStandby, pgStarting:
		p.pg = "follower"
	}
	if g.standby && g.upstream != "" && g.phase != pgOff {
		p.following = g.upstream
	}
	if l.n.es.serving() {
		p.es = "not_master"
		if l.n.es.master == l.n {
			p.es = "master"
		}
	}
	l.n.store().posts[l.n] = p
}

// requiredFollowers is required_active_followers at the product's default. A
// leader with fewer good followers keeps its address from the frontends.
const requiredFollowers = 0

// get answers GET /leader on port 7331.
func (l *leaderl) get(path string) answer {
	if path != "/leader" {
		return json("404 Not Found", `{"error":"not_found"}`)
	}
	good := 0
	for _, s := range l.n.pg.senders() {
		if s.state == "streaming" {
			good++
		}
	}
	if l.state == leading && l.n.pg.phase == pgPrimary && good >= l.n.w.required {
		return json("200 OK", `{"leader":true}`) // the body is invented
	}
	return json("503 Service Unavailable", `{"leader":false}`)
}
