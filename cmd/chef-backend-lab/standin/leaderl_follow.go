//go:build linux

package standin

import (
	"context"
	"net"
	"time"
)

// initialize decides what the node is after a start.
func (l *leaderl) initialize(ctx context.Context) {
	if l.stuck || l.seen == nil || l.pg.phase == pgStarting {
		return
	}
	leader, ok := l.seen.leading()
	switch {
	case l.seen.Leader == "" && l.pg.phase == pgPrimary && !exists(noStartFile):
		if l.take(ctx) {
			l.turn(leading, "local postgresql is the primary and nobody leads")
		}
	case l.seen.Leader == "":
		l.holdDown(ctx)
		l.rest("no leader key")
	case l.seen.Leader == l.GUID && l.pg.phase == pgPrimary:
		if l.take(ctx) {
			l.turn(leading, "leader key is ours")
		}
	case l.seen.Leader == l.GUID:
		l.failed("leader_elector:release", l.store.release(ctx, l.GUID))
	case ok && leadsNow(ctx, leader):
		l.obey(ctx, leader)
	}
}

// leadsNow asks a leader itself: the key and the status in etcd outlive it by
// up to 30 s, and after a start nobody is taken for a leader on their word
// alone.
func leadsNow(ctx context.Context, leader peer) bool {
	word, ok := getText(ctx, "http://"+net.JoinHostPort(leader.Address, "7331")+"/state")
	return ok && word == leading
}

// rest is the state of a node that has nobody to follow.
func (l *leaderl) rest(why string) {
	if exists(noStartFile) {
		l.turn(deposed, why)
		return
	}
	l.turn(waiting, why)
}

// obey makes the node follow a leader, as its copy allows.
func (l *leaderl) obey(ctx context.Context, leader peer) {
	l.sawLeader = true
	fits := l.pg.copy.fits(l.seen.Posts[leader.GUID].Copy)
	switch {
	case exists(unsyncedFile):
		l.turn(waiting, "partially synced: this node needs a sync by hand")
	case l.pg.phase == pgPrimary:
		l.depose(ctx, "another node leads: "+leader.Name)
	case exists(noStartFile):
		l.turn(deposed, "another node leads: "+leader.Name)
	case l.pg.phase == pgStandby && l.pg.upstream == leader.Address && fits:
		l.followed = leader.GUID
		l.turn(following, "following "+leader.Address)
	case l.pg.phase == pgStarting:
		// What it holds is told once it is up.
	case fits:
		l.log("I", "pg_manager:follow", "following new leader %s", leader.Address)
		l.failed("pg_manager:follow", l.db.follow(ctx, leader.Address))
		l.followed = leader.GUID
		l.turn(following, "following "+leader.Address)
	default:
		l.turn(waiting, "the local copy does not fit the history of "+leader.Name)
		l.beginSync(ctx, leader)
	}
}

// wait looks for a leader, or stands for election.
func (l *leaderl) wait(ctx context.Context) {
	if l.job != nil {
		l.stepSync(ctx)
		return
	}
	if l.seen == nil {
		return
	}
	leader, ok := l.seen.leading()
	switch {
	case ok && leader.GUID != l.GUID:
		if !exists(unsyncedFile) && leader.GUID != l.failedFor {
			l.obey(ctx, leader)
		}
	case mayStand(l.self(), l.seen):
		l.stand(ctx)
	}
}

// follow watches the leader key.
func (l *leaderl) follow(ctx context.Context) {
	if l.seen == nil {
		if time.Since(l.etcdSeen) >= l.tune.ttl {
			l.turn(waiting, "no answer from etcd")
		}
		return
	}
	leader, ok := l.seen.leading()
	switch {
	case l.seen.Leader == "":
		l.detach(ctx)
		l.turn(waiting, "the leader key is gone")
	case ok && leader.GUID != l.followed && leader.GUID != l.GUID:
		l.look(ctx)
		l.obey(ctx, leader)
	}
}

// detach takes the running database off its sender: whoever led may go on
// writing, and nothing of that may be followed before the next leader is known.
func (l *leaderl) detach(ctx context.Context) {
	if l.pg.phase != pgStandby {
		return
	}
	l.failed("pg_manager:detach", l.db.standby(""))
	l.failed("pg_manager:detach", l.db.reload(ctx))
	l.looked = time.Time{}
}
