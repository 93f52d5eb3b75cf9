package model

import "time"

// ordinaryStories are what happens on an ordinary day: the cluster, or whoever
// works on it, ends them.
var ordinaryStories = []story{
	{"healthy", "A healthy cluster: nothing happens", func(*World) func() { return nil }},
	{"failover", "The leader's PostgreSQL dies and a follower takes over", leaderDatabaseLost},
	{"planned-restart", "The services of a follower are restarted one by one", plannedRestart},
	{"first-sync", "A follower takes its first copy of the data", firstSync},
	{"rolling-upgrade", "The nodes get a new release one after the other", rollingUpgrade},
	{"maintenance", "A follower is stopped, rebooted and comes back", maintenance},
	{"bad-link", "Your own network stalls now and then", badLink},
}

// leaderDatabaseLost: the leader's PostgreSQL dies and its data cannot be
// started again; a base backup replaces it.
func leaderDatabaseLost(w *World) func() {
	n := w.leading()
	n.pg.ruined = []string{
		"LOG:  invalid primary checkpoint record",
		"LOG:  invalid secondary checkpoint record",
		"PANIC:  could not locate a valid checkpoint record",
		"LOG:  startup process (PID 11327) was terminated by signal 6: Aborted",
		"LOG:  aborting startup due to startup process failure",
	}
	n.service("postgresql").kill()
	return nil
}

// slowFailover is an ordinary failover whose promotion takes long.
func slowFailover(w *World) func() {
	w.slowness = 90 * time.Second
	return leaderDatabaseLost(w)
}

// plannedRestart restarts the services of a follower one after the other.
func plannedRestart(w *World) func() {
	n := w.lastFollower()
	for i, s := range n.services {
		w.in(time.Duration(i)*3*time.Second, func() {
			s.term()
			s.start()
		})
	}
	return nil
}

// firstSync is a follower that has joined and holds no data yet.
func firstSync(w *World) func() {
	n := w.lastFollower()
	n.pg.ruined = []string{"FATAL:  could not open file \"" + dataDir + "/global/pg_control\": No such file or directory"}
	n.pg.drag = 3
	n.leaderl.turn(waiting, "no copy of the data yet")
	n.leaderl.beginSync(w.leading())
	return func() { n.pg.drag = 0 }
}

// maintenance is an orderly reboot of a follower.
func maintenance(w *World) func() {
	n := w.lastFollower()
	for _, s := range n.services {
		s.stop()
	}
	w.in(8*time.Second, n.powerOff)
	w.in(30*time.Second, n.powerOn)
	return nil
}

// Times of an upgrade of one node: how long its services are down, and how
// long whoever does it looks on before the next one.
const (
	upgradeTime = 20 * time.Second
	upgradeRest = 60 * time.Second
)

// rollingUpgrade follows the vendor's description of a minor upgrade: failover
// off, the followers one at a time, failover on, the leader with a failover.
func rollingUpgrade(w *World) func() {
	const release = "3.0.0"
	leader, at := w.leading(), time.Duration(0)
	w.store.failover = false
	for _, n := range w.followers() {
		w.in(at, func() { n.upgrade(release) })
		at += upgradeTime + upgradeRest
	}
	w.in(at, func() {
		w.store.failover = true
		w.store.promote = &promotion{since: w.now}
	})
	w.in(at+upgradeRest, func() { leader.upgrade(release) })
	return nil
}

// upgrade stops the services, installs a release and starts them again.
func (n *node) upgrade(release string) {
	for _, s := range n.services {
		s.stop()
	}
	n.w.in(upgradeTime/2, func() { n.install(release) })
	n.w.in(upgradeTime, func() {
		for _, s := range n.services {
			s.start()
		}
	})
}

// badLink stalls the operator's way to the nodes: mostly to one and for less
// than a link needs to count as lost, now and then to all for a little longer.
func badLink(w *World) func() {
	const every = 11 * time.Second
	over, turn := false, 0
	stall := func(n *node, d time.Duration) {
		w.Cut("", n.name)
		w.in(d, func() { w.Join("", n.name) })
	}
	var next func()
	next = func() {
		if over {
			return
		}
		turn++
		if turn%5 == 0 {
			for _, n := range w.nodes {
				stall(n, 6500*time.Millisecond)
			}
		} else {
			stall(w.nodes[turn%len(w.nodes)], time.Duration(1+turn%4)*time.Second)
		}
		w.in(every, next)
	}
	next()
	return func() { over = true }
}
