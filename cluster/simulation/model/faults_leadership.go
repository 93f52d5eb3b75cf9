package model

import "time"

// leadershipStories are about who leads.
var leadershipStories = []story{
	{"no-leader", "All nodes wait for a leader and nobody leads", noLeader},
	{"deposed-leader-blocked", "Nobody leads; the deposed leader holds the furthest copy", deposedLeaderBlocked},
	{"deposed-leader-stuck", "Another node leads, and the deposed leader never syncs", deposedLeaderStuck},
	{"failover-under-way", "A failover that takes its time", slowFailover},
	{"two-primaries", "The old leader goes on writing while another one leads", twoPrimaries},
	{"old-leader-unseen", "Another node leads, and the old leader cannot be seen", oldLeaderUnseen},
	{"follows-wrong-node", "A follower follows another follower", followsWrongNode},
	{"leadership-flapping", "The leader changes again and again", leadershipFlapping},
	{"leader-withheld", "The leader hides from its clients: too few followers stream", leaderWithheld},
	{"failover-disabled", "Failover is switched off for the cluster", failoverDisabled},
	{"failover-disabled-node", "Failover is switched off for a follower", failoverDisabledNode},
	{"no-eligible-follower", "No follower may become leader", noEligibleFollower},
	{"redundancy-lost", "Everything runs, and nothing more may be lost", redundancyLost},
	{"cluster-down", "All services of all nodes are stopped", clusterDown},
}

// noLeader restarts leaderl on all nodes at once and stops the leader's
// PostgreSQL with it, as in chef-server's issues 1405 and 1473.
func noLeader(w *World) func() {
	for _, n := range w.nodes {
		if n == w.leading() || !n.pg.promoteAt.IsZero() {
			n.service("postgresql").stop()
		}
	}
	for _, n := range w.nodes {
		n.service("leaderl").term()
		n.service("leaderl").start()
	}
	w.store.leader = nil
	return nil
}

// deposedLeaderBlocked: the followers have fallen behind a little when the
// leader's PostgreSQL dies; leaderl deposes the node while the others' leaderl
// is being restarted. So the furthest copy stands behind a sentinel.
func deposedLeaderBlocked(w *World) func() {
	leader, followers := w.leading(), w.followers()
	for _, n := range followers {
		n.pg.throttle = 64
	}
	w.load = 1 << 20
	w.in(3*time.Second, func() {
		leader.service("postgresql").kill()
		leader.leaderl.depose("postgresql failed its health checks")
		for _, n := range followers {
			n.service("leaderl").term()
			n.service("leaderl").start()
		}
	})
	w.in(4*time.Second, func() {
		w.load = quietLoad
		for _, n := range followers {
			n.pg.throttle = 0
		}
	})
	return nil
}

// twoPrimaries: leaderl dies on the leader, whose PostgreSQL goes on writing.
// When the leader key has expired the others promote one of themselves.
func twoPrimaries(w *World) func() { return leaderlDown(w.leading()) }

// deposedLeaderStuck: leaderl deposes the leader, another node takes over, and
// the deposed one never begins its sync. A restart of its leaderl mends it.
func deposedLeaderStuck(w *World) func() {
	n := w.leading()
	n.service("postgresql").kill()
	n.leaderl.depose("postgresql failed its health checks")
	n.leaderl.idle = true
	n.leaderl.log("E", "pg_manager:terminate", "sync worker ended: noproc") // invented
	return nil
}

// oldLeaderUnseen cuts the leader off from everybody.
func oldLeaderUnseen(w *World) func() {
	n := w.leading()
	of := func(a, b *node) bool { return a == n || b == n }
	w.Cut("", n.name)
	w.setLinks(true, of)
	return func() {
		w.Join("", n.name)
		w.setLinks(false, of)
	}
}

// followsWrongNode: somebody has set a follower's database to follow another
// follower, which passes on what it gets. leaderl does not look at that.
func followsWrongNode(w *World) func() {
	n := w.lastFollower()
	n.pg.setStandby(true, w.followers()[0].address)
	n.pg.paused = true // until the restart has read recovery.conf
	n.service("postgresql").term()
	return nil
}

// leadershipFlapping: something asks the leader to step down every minute or
// so, as a script of the site might.
func leadershipFlapping(w *World) func() {
	over := false
	var next func()
	next = func() {
		if over {
			return
		}
		w.store.promote = &promotion{since: w.now}
		w.in(75*time.Second, next)
	}
	next()
	return func() { over = true }
}

// require sets required_active_followers on all nodes.
func (w *World) require(followers int) {
	w.required = followers
	for _, n := range w.nodes {
		n.writeConfig()
	}
}

// leaderWithheld: the leader wants a follower that streams before it shows
// itself to clients, and a packet filter keeps both away from its database.
func leaderWithheld(w *World) func() {
	leader, followers := w.leading(), w.followers()
	w.require(1)
	set := func(on bool) {
		for _, n := range followers {
			w.filter(n, leader, portPostgres, on)
		}
	}
	set(true)
	return func() {
		set(false)
		w.require(requiredFollowers)
	}
}

func failoverDisabled(w *World) func() {
	s := w.store
	s.failover = false
	return func() { s.failover = true }
}

func failoverDisabledNode(w *World) func() {
	l := w.lastFollower().leaderl
	l.failover = false
	return func() { l.failover = true }
}

// noEligibleFollower blocks both followers by the key that leaderl keeps for
// it (cb/control/blocked_leaders).
func noEligibleFollower(w *World) func() {
	s, followers := w.store, w.followers()
	for _, n := range followers {
		s.blocked[n] = true
	}
	return func() {
		for _, n := range followers {
			delete(s.blocked, n)
		}
	}
}

// redundancyLost asks for as many streaming followers as there are: without
// any one of them the leader would hide from its clients.
func redundancyLost(w *World) func() {
	w.require(len(w.followers()))
	return func() { w.require(requiredFollowers) }
}

// clusterDown stops every service, as `chef-backend-ctl stop` on all nodes.
func clusterDown(w *World) func() {
	for _, name := range serviceNames {
		for _, n := range w.nodes {
			n.service(name).stop()
		}
	}
	return nil
}
