package model

import "time"

// syncDeadline is how long a database may take to stream after a sync.
const syncDeadline = 60 * time.Second

// syncJob is a sync that leaderl runs itself, as a child process.
type syncJob struct {
	n      *node
	leader *node
	backup *backup
	pid    int
	begun  time.Time
	copied time.Time
	first  bool
}

// beginSync starts a sync of the local copy from a leader.
func (l *leaderl) beginSync(leader *node) {
	n := l.n
	n.write(unsyncedFile, "")
	n.service("postgresql").stop()
	l.job = &syncJob{n: n, leader: leader, pid: n.nextPID(), begun: n.w.now, first: true}
	l.log("I", "pg_manager:sync", "syncing from %s", leader.address) // invented
	l.report()
}

// cancel ends a sync with its parent.
func (j *syncJob) cancel() { j.n.pg.backup = nil }

// stepSync moves the sync on: base backup where the copy does not fit, then
// follow, then the sentinels go.
func (l *leaderl) stepSync() {
	j, n, g := l.job, l.n, l.n.pg
	if l.key() != j.leader {
		l.endSync("the leader changed")
		return
	}
	if g.phase != pgOff && j.copied.IsZero() {
		return
	}
	switch {
	case j.first:
		j.first = false
		if _, ok := g.copy.follows(&j.leader.pg.copy); ok && g.copy.whole && len(g.ruined) == 0 && segment(g.copy.end) >= j.leader.pg.copy.oldest {
			j.launch()
			return
		}
		j.backup = g.beginBackup(j.leader, func(line string) { l.log("I", "pg_manager:sync", "%s", line) })
	case j.copied.IsZero() && j.backup.failed != "":
		l.endSync(j.backup.failed)
	case j.copied.IsZero() && j.backup.done:
		j.launch()
	case j.copied.IsZero():
	case g.recv != nil && g.recv.caught:
		n.remove(unsyncedFile)
		l.job, l.failedFor, l.followed = nil, nil, j.leader
		l.turn(following, "synced from "+j.leader.address)
	case n.w.now.Sub(j.copied) >= syncDeadline:
		l.endSync("postgresql does not stream")
	}
}

// launch starts the synced database. The safety against a second primary has
// done its work: the copy now follows.
func (j *syncJob) launch() {
	j.copied = j.n.w.now
	j.n.remove(noStartFile)
	j.n.pg.paused = false
	j.n.pg.setStandby(true, j.leader.address)
	j.n.service("postgresql").start()
}

// endSync leaves the unsynced sentinel: the sync has failed.
func (l *leaderl) endSync(why string) {
	l.job.cancel()
	l.failedFor, l.job = l.job.leader, nil
	l.log("E", "pg_manager:sync", "sync failed: %s", why) // invented
	l.n.service("postgresql").stop()
	l.restState("sync failed")
}
