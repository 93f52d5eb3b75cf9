//go:build linux

package standin

import (
	"context"
	"time"
)

// take takes or keeps the leader key, and says whether it is ours now.
func (l *leaderl) take(ctx context.Context) bool {
	err := l.store.refresh(ctx, l.GUID, l.tune.ttl)
	if code := etcdCode(err); code == etcdKeyNotFound {
		err = l.store.acquire(ctx, l.GUID, l.tune.ttl)
	}
	if err != nil {
		l.log("W", "leader_elector:take", "leader key: %v", err)
		return false
	}
	l.refreshed, l.sawLeader = time.Now(), true
	return true
}

// stand takes the leader key and begins the promotion.
func (l *leaderl) stand(ctx context.Context) {
	if !l.take(ctx) {
		return
	}
	l.asked = l.seen.Request
	l.promoteBy = time.Now().Add(promoteDeadline)
	l.turn(promoting, "leader key acquired")
	l.report(ctx)
}

// takeOver is a promotion that goes on.
func (l *leaderl) takeOver(ctx context.Context) {
	if l.seen != nil {
		if l.seen.Leader != "" && l.seen.Leader != l.GUID {
			l.giveUp(ctx, "another node took the leader key")
			return
		}
		if time.Since(l.refreshed) >= l.tune.healthInterval && !l.take(ctx) {
			return
		}
	}
	switch {
	case l.pg.phase == pgPrimary:
		if l.seen == nil {
			return
		}
		if l.asked != nil {
			l.failed("leader_elector:take_over", l.store.drop(ctx, keyRequest, nil))
			l.asked = nil
		}
		l.failures = map[string]int{}
		l.turn(leading, "postgresql is out of recovery")
	case time.Now().After(l.promoteBy):
		l.giveUp(ctx, "postgresql did not leave recovery in time")
	case l.pg.phase == pgOff:
		// As a standby it reads all its WAL first, whatever it was before.
		l.failed("pg_manager:start", l.db.standby(l.db.upstream()))
		l.failed("pg_manager:start", l.db.start(ctx))
	case l.pg.phase == pgStandby:
		l.log("I", "pg_manager:promote", "promoting postgresql")
		l.failed("pg_manager:promote", l.db.promote(ctx))
	}
}

// giveUp ends a promotion that failed.
func (l *leaderl) giveUp(ctx context.Context, why string) {
	if l.pg.phase == pgPrimary {
		l.depose(ctx, why)
		return
	}
	l.failed("leader_elector:release", l.store.release(ctx, l.GUID))
	l.sawLeader = false
	l.turn(waiting, why)
}

// lead keeps the leader key, as long as the node may lead.
func (l *leaderl) lead(ctx context.Context) {
	c := l.seen
	switch {
	case c == nil:
		if time.Since(l.refreshed) >= l.tune.ttl {
			l.depose(ctx, "the leader key could not be refreshed")
		}
	case c.Request != nil && c.Request.Target != l.GUID && c.mayMove(l.GUID):
		l.depose(ctx, "asked to step down")
	case c.Leader != "" && c.Leader != l.GUID:
		l.depose(ctx, "another node holds the leader key")
	case c.Leader == "" && time.Since(l.refreshed) >= l.tune.ttl+l.tune.healthInterval:
		l.depose(ctx, "the leader key is lost")
	case c.Leader == "" || time.Since(l.refreshed) >= l.tune.healthInterval:
		l.take(ctx)
	}
}

// depose ends the node's leadership: PostgreSQL is stopped and must not start
// here before a sync or an operator says so.
func (l *leaderl) depose(ctx context.Context, why string) {
	l.serve.Store(false)
	l.log("W", "leader_elector:demote", "demoting this node: %s", why)
	l.failed("leader_elector:demote", touch(noStartFile))
	l.turn(deposed, why)
	l.report(ctx)
	l.holdDown(ctx)
}

// holdDown keeps the database down, and makes it a standby, so that it can
// never come up as a second primary by itself.
func (l *leaderl) holdDown(ctx context.Context) {
	l.failed("pg_manager:stop", l.db.stop(ctx))
	l.failed("pg_manager:stop", l.db.standby(""))
	l.looked = time.Time{}
}

// atone is what a deposed leader does: it gives the key back once PostgreSQL
// is down, and syncs from the next leader.
func (l *leaderl) atone(ctx context.Context) {
	if l.job != nil {
		l.stepSync(ctx)
		return
	}
	if l.pg.phase != pgOff {
		l.holdDown(ctx)
		return
	}
	if l.seen == nil {
		return
	}
	leader, ok := l.seen.leading()
	switch {
	case l.seen.Leader == l.GUID:
		l.failed("leader_elector:release", l.store.release(ctx, l.GUID))
		l.log("I", "leader_elector:release", "leader key released")
	case ok && leader.GUID != l.failedFor && time.Since(l.since) >= syncDelay:
		l.beginSync(ctx, leader)
	}
}
