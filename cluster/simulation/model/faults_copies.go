package model

import "time"

// copyStories are about copies of the data.
var copyStories = []story{
	{"follower-wal-gap", "A follower needs WAL that the leader no longer has", followerWALGap},
	{"wal-gap-near", "A follower does not stream and will soon need WAL that is gone", walGapNear},
	{"partially-synced", "A sync failed and left a follower partially synced", partiallySynced},
	{"syncing", "A follower takes a new copy of the data", syncing},
	{"sync-stalled", "A follower's new copy of the data does not grow any more", syncStalled},
	{"follower-lagging", "A follower streams but falls behind", followerLagging},
	{"timeline-diverged", "A follower has written on a timeline of its own", timelineDiverged},
	{"timeline-diverged-beyond", "A follower holds more than the new leader had when it took over", timelineDivergedBeyond},
	{"system-identifier-differs", "A follower's copy comes from another cluster", systemIdentifierDiffers},
}

// partiallySynced is what a sync leaves that failed before the database was
// told whom to follow.
func partiallySynced(w *World) func() {
	n, leader := w.lastFollower(), w.leading()
	l := n.leaderl
	if l.state != following {
		return nil
	}
	l.log("W", "pg_manager:sync", "replication from %s was interrupted; syncing", leader.address) // invented
	n.write(unsyncedFile, "")
	n.pg.recv = nil
	n.pg.setStandby(true, "")
	l.failedFor = leader
	l.log("E", "pg_manager:sync", "sync failed: timeout") // invented
	l.turn(waiting, "sync failed")
	return nil
}

// followerWALGap: the follower's PostgreSQL is down while the leader writes
// more than it keeps, and comes back too late.
func followerWALGap(w *World) func() {
	n, leader := w.lastFollower(), w.leading()
	s := n.service("postgresql")
	s.stop()
	w.in(1500*time.Millisecond, func() { w.load = 44 * segmentSize / 2 })
	w.in(3500*time.Millisecond, func() {
		w.load = quietLoad
		if leader.pg.phase == pgPrimary {
			leader.pg.checkpointed(leader.pg.copy.end)
		}
		s.start()
	})
	return nil
}

// followerLagging: a slow line to one follower. After a burst the leader
// writes as ever, and the follower never makes up for it.
func followerLagging(w *World) func() {
	n := w.lastFollower()
	n.pg.throttle = quietLoad * 2 / 3
	w.load = 8 << 20
	w.in(15*time.Second, func() { w.load = quietLoad })
	return func() { n.pg.throttle, w.load = 0, quietLoad }
}

// walGapNear: a packet filter keeps a follower from the leader's database
// while clients write so much that the kept WAL lasts for a quarter of an hour.
func walGapNear(w *World) func() {
	n, leader := w.lastFollower(), w.leading()
	w.filter(n, leader, portPostgres, true)
	w.load = 640 << 10
	return func() {
		w.filter(n, leader, portPostgres, false)
		w.load = quietLoad
	}
}

// lostData are the words of a database whose copy must be replaced.
var lostData = []string{
	"LOG:  invalid primary checkpoint record",
	"LOG:  invalid secondary checkpoint record",
	"PANIC:  could not locate a valid checkpoint record",
}

// syncing: a follower's copy is spoilt, and leaderl replaces it. A database of
// this size takes minutes here.
func syncing(w *World) func() {
	n := w.lastFollower()
	n.pg.ruined, n.pg.drag = lostData, 8
	n.service("postgresql").kill()
	n.leaderl.turn(waiting, "the local copy cannot be started")
	n.leaderl.beginSync(w.leading())
	return func() { n.pg.drag = 0 }
}

// syncStalled: after a while nothing comes any more, and nobody ends it.
func syncStalled(w *World) func() {
	heal := syncing(w)
	g := w.lastFollower().pg
	w.in(30*time.Second, func() { g.drag = -1 })
	return heal
}

// timelineDiverged: somebody has promoted a follower by hand, let it write,
// and made it a follower again. Its timeline is none of the leader's.
func timelineDiverged(w *World) func() {
	g := w.lastFollower().pg
	g.recv = nil
	w.taken++
	g.copy.branch(w.taken)
	g.writeHistory()
	g.advance(3 << 20)
	g.copy.replay = g.copy.end
	g.checkpointed(g.copy.end)
	g.log("LOG:  received promote request")
	g.log("LOG:  selected new timeline ID: %d", g.copy.tli)
	g.n.service("postgresql").term()
	return nil
}

// timelineDivergedBeyond: one follower is behind when the leader's database
// dies, and it is the one that is promoted. The other one holds more of the
// old timeline than the new leader ever had, and its leaderl repoints it all
// the same.
func timelineDivergedBeyond(w *World) func() {
	leader, next, n := w.leading(), w.followers()[0], w.lastFollower()
	next.pg.throttle = 64
	n.leaderl.trusting = true
	w.load = 1 << 20
	w.in(3*time.Second, func() {
		leader.service("postgresql").kill()
		leader.leaderl.depose("postgresql failed its health checks")
		w.store.promote = &promotion{target: next, since: w.now}
	})
	w.in(4*time.Second, func() { w.load, next.pg.throttle = quietLoad, 0 })
	return nil
}

// systemIdentifierDiffers: a copy of another cluster was put in place.
func systemIdentifierDiffers(w *World) func() {
	g := w.lastFollower().pg
	g.copy.system += 1 << 40
	g.recv = nil
	g.n.service("postgresql").term()
	return nil
}
