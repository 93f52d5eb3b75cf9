//go:build linux

package standin

import (
	"context"
	"errors"
	"time"
)

// syncDeadline is how long a database may take to stream after a sync.
const syncDeadline = 60 * time.Second

// syncJob is a sync that leaderl runs itself.
type syncJob struct {
	leader   peer
	cancel   context.CancelFunc
	said     chan string
	done     chan error
	ended    bool // the base backup, well or not
	copied   bool // the copy is whole
	launched time.Time
	log      *logTail
}

// beginSync starts a sync of the local copy from a leader: the sentinel comes
// before any change of it, so that a sync that fails half-way is known by it.
//
// A leader that admits no replication from here leaves everything as it is:
// the copy may hold what no other has.
func (l *leaderl) beginSync(ctx context.Context, leader peer) {
	if err := l.db.admitted(ctx, leader.Address); err != nil {
		l.since = time.Now() // the next try is not at once
		l.failed("pg_manager:sync", err)
		return
	}
	if err := l.db.stop(ctx); err != nil {
		l.failed("pg_manager:sync", err)
		return
	}
	if err := touch(unsyncedFile); err != nil {
		l.failed("pg_manager:sync", err)
		return
	}
	l.log("I", "pg_manager:sync", "syncing from %s", leader.Address)
	l.pg = l.db.look(ctx)
	model := l.seen.Posts[leader.GUID].Copy
	jobCtx, cancel := context.WithCancel(ctx)
	l.job = &syncJob{leader: leader, cancel: cancel, said: make(chan string, 64), done: make(chan error, 1)}
	l.report(ctx)
	if l.pg.copy.fits(model) && !l.pg.copy.gap(model) {
		l.job.done <- nil
		return
	}
	go func(j *syncJob) {
		j.done <- l.db.baseBackup(jobCtx, leader.Address, func(line string) { j.said <- line })
	}(l.job)
}

// stepSync moves the sync on: the copy, then follow, then the sentinels go.
func (l *leaderl) stepSync(ctx context.Context) {
	j := l.job
	l.tell()
	if l.seen == nil {
		return
	}
	if l.seen.Leader != j.leader.GUID {
		l.syncFailed(ctx, errors.New("the leader changed"))
		return
	}
	if !j.copied {
		select {
		case err := <-j.done:
			j.ended = true
			l.tell()
			if err != nil {
				l.syncFailed(ctx, err)
				return
			}
			l.launch(ctx)
		default:
		}
		return
	}
	refused := j.log.refusal()
	switch {
	case l.pg.phase == pgStandby && l.pg.receiver == "streaming" && l.pg.level:
		l.failed("pg_manager:sync", remove(unsyncedFile))
		j.cancel()
		l.job, l.failedFor, l.followed, l.sawLeader = nil, "", j.leader.GUID, true
		l.turn(following, "synced from "+j.leader.Address)
	case refused != "":
		l.syncFailed(ctx, errors.New(refused))
	case time.Since(j.launched) >= syncDeadline:
		l.syncFailed(ctx, errors.New("postgresql does not stream"))
	}
}

// tell logs what pg_basebackup has said.
func (l *leaderl) tell() {
	for len(l.job.said) > 0 {
		l.log("I", "pg_manager:sync", "%s", <-l.job.said)
	}
}

// launch starts the synced database. The safety against a second primary has
// done its work: the copy now follows.
func (l *leaderl) launch(ctx context.Context) {
	j := l.job
	j.copied, j.launched, j.log = true, time.Now(), newLogTail()
	l.failed("pg_manager:sync", remove(noStartFile))
	l.failed("pg_manager:sync", l.db.follow(ctx, j.leader.Address))
}

// endJob ends a sync with its parent.
func (l *leaderl) endJob() {
	if l.job == nil {
		return
	}
	l.job.cancel()
	if !l.job.ended {
		<-waitFor(l.job)
	}
	l.job = nil
}

// waitFor drains what the base backup says until it has ended.
func waitFor(j *syncJob) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-j.said:
			case <-j.done:
				return
			}
		}
	}()
	return ended
}

// syncFailed leaves the unsynced sentinel.
func (l *leaderl) syncFailed(ctx context.Context, why error) {
	l.failedFor = l.job.leader.GUID
	l.endJob()
	l.log("E", "pg_manager:sync", "sync failed: %v", why)
	l.failed("pg_manager:sync", l.db.stop(ctx))
	l.rest("sync failed")
}
