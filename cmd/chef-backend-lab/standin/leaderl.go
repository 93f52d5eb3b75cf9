//go:build linux

package standin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// Times of leaderl. The documented ones are in tunables.
const (
	thinkTime       = 500 * time.Millisecond // between two thoughts
	lookTime        = 5 * time.Second        // between two looks at a quiet database: status_internal_update_interval_seconds
	idleTime        = time.Second            // between two looks at one that nobody leads
	postTime        = 10 * time.Second       // status_post_update_interval_seconds
	promoteDeadline = 5 * time.Minute
	syncDelay       = 3 * time.Second // before a deposed node begins to sync
)

// leaderl is the stand-in for the product's elector on one host. One
// goroutine runs it; the HTTP answer and a running sync are beside it.
type leaderl struct {
	*host
	state     string
	since     time.Time
	sawLeader bool   // a leader has been seen since the start
	followed  string // GUID of the leader that the database was set to follow
	failedFor string // GUID of the leader for whom a sync failed

	seen      *clusterState // newest state of the cluster; nil: no quorum now
	last      *clusterState // newest that was ever read
	etcdSeen  time.Time
	pg        pgFacts
	looked    time.Time
	refreshed time.Time // the own leader key
	nextCheck time.Time
	nextPost  time.Time
	promoteBy time.Time
	failures  map[string]int
	asked     *request // the request that this promotion carries out
	job       *syncJob
	stuck     bool         // a fault of the lab: this start gets no further
	serve     atomic.Bool  // what /leader answers
	word      atomic.Value // the state, for /state
	erlang    int
}

// runLeaderl is `standin leaderl`.
func runLeaderl(ctx context.Context, h *host) error {
	l := &leaderl{host: h, failures: map[string]int{}, last: parseState(etcdNode{})}
	if err := os.MkdirAll(leaderlData, 0o755); err != nil {
		return err
	}
	if err := l.begin(ctx); err != nil {
		return err
	}
	l.greet()
	l.stuck = os.Remove(stickFile) == nil
	if exists(memberFile) && !exists(wordFile) {
		// After a boot PostgreSQL must not run before somebody knows who leads.
		sv(ctx, "down", "postgresql")
	}
	now := time.Now()
	l.state, l.since, l.etcdSeen = initializing, now, now
	l.nextCheck = now.Add(l.tune.healthInterval)
	for {
		if err := pause(ctx, thinkTime); err != nil {
			l.endJob()
			return nil
		}
		l.think(ctx)
	}
}

// greet prints the lines of a start. They are real; see the samples of
// chef-server issue 1473.
func (l *leaderl) greet() {
	l.say(715, "I", "leader_elector:init", "leader_elector is starting in state: initializing")
	l.say(716, "I", "status_updater:init", "status_updater started")
	for _, app := range []string{"leaderl", "eper", "recon"} {
		l.say(563, "I", "no_mod:no_fun", "Application %s started on node 'leaderl@127.0.0.1'", app)
	}
	l.say(730, "I", "key_watcher:handle_info", "Initial start of watcher on behalf of leader_block_state for %q", keyBlocked)
	l.say(729, "I", "leader_elector:do_connect", "Connecting as node %s (%s,%s)", l.Name, l.Address, l.GUID)
	l.erlang = 729
}

// say prints a line of leaderl's shape; svlogd stamps it. All texts but those
// of the start are invented.
func (l *leaderl) say(process int, level, where, format string, a ...any) {
	fmt.Printf("[%s] <0.%d.0> %s => %s\n", level, process, where, fmt.Sprintf(format, a...))
}

func (l *leaderl) log(level, where, format string, a ...any) {
	l.say(l.erlang, level, where, format, a...)
}

// failed logs an error of a step; the next thought tries again.
func (l *leaderl) failed(where string, err error) {
	if err != nil {
		l.log("E", where, "%v", err)
	}
}

// turn changes the state and tells everybody at once.
func (l *leaderl) turn(state, why string) {
	if l.state == state {
		return
	}
	l.log("I", "leader_elector:transition", "%s -> %s: %s", l.state, state, why)
	l.state, l.since = state, time.Now()
	l.nextPost, l.looked = time.Time{}, time.Time{}
	if state == leading || state == following {
		// Whoever started PostgreSQL: that it runs is right now, and the next
		// start of leaderl must not take it for one that nobody allowed.
		l.failed("leader_elector:transition", errors.Join(touch(memberFile), allow()))
	}
}

// think is one turn: look, act by the state, check, report.
func (l *leaderl) think(ctx context.Context) {
	now := time.Now()
	seen, err := l.store.read(ctx)
	l.seen = nil
	if err == nil {
		l.seen, l.last, l.etcdSeen = seen, seen, now
		if _, known := seen.Nodes[l.GUID]; !known {
			l.failed("status_updater:register", l.store.register(ctx, l.peer))
		}
	}
	copying := l.job != nil && !l.job.copied // the data directory is in other hands
	switch {
	case copying:
		l.pg = pgFacts{}
	case now.Sub(l.looked) >= l.patience():
		l.look(ctx)
	}
	l.sentinels()
	switch l.state {
	case initializing:
		l.initialize(ctx)
	case waiting:
		l.wait(ctx)
	case following:
		l.follow(ctx)
	case promoting:
		l.takeOver(ctx)
	case leading:
		l.lead(ctx)
	case deposed:
		l.atone(ctx)
	}
	l.word.Store(l.state)
	l.serve.Store(l.state == leading && l.pg.phase == pgPrimary && l.pg.streaming() >= l.tune.required)
	if !time.Now().Before(l.nextCheck) {
		l.check(ctx)
	}
	if !time.Now().Before(l.nextPost) {
		l.report(ctx)
	}
}

// patience is the time between two looks at the database: none where the next
// step hangs on it, and less where something may come.
func (l *leaderl) patience() time.Duration {
	switch l.state {
	case following, leading:
		if l.pg.phase == pgStandby || l.pg.phase == pgPrimary {
			return lookTime
		}
		return idleTime
	case waiting, deposed:
		if l.job == nil {
			return idleTime
		}
	}
	return 0
}

// look asks the database, and tells everybody at once what is new.
func (l *leaderl) look(ctx context.Context) {
	before := l.pg
	l.pg, l.looked = l.db.look(ctx), time.Now()
	if l.pg.phase != before.phase || l.pg.upstream != before.upstream || l.pg.streaming() != before.streaming() {
		l.nextPost = time.Time{}
	}
}

// self is what the election asks about this node.
func (l *leaderl) self() self {
	return self{
		guid: l.GUID, state: l.state, since: time.Since(l.since), sawLeader: l.sawLeader, copy: l.pg.copy,
		barred: exists(noStartFile) || exists(unsyncedFile), eligible: l.eligible(),
	}
}

func (l *leaderl) eligible() bool {
	me := self{guid: l.GUID, state: l.state, copy: l.pg.copy, barred: exists(noStartFile) || exists(unsyncedFile),
		turning: l.state == following && l.pg.phase != pgPrimary && l.failures["postgresql"] == 0}
	return fit(me, l.failures, l.tune, l.last)
}

// sentinels reads the sentinels back: an operator may have moved them.
func (l *leaderl) sentinels() {
	if l.job != nil {
		return
	}
	refused := exists(noStartFile)
	switch {
	case l.state == following && exists(unsyncedFile):
		l.turn(waiting, "unsynced is there")
	case l.state == deposed && !refused:
		l.sawLeader = false
		l.turn(waiting, "no-start-pgsql is gone")
	case l.state == waiting && refused:
		l.turn(deposed, "no-start-pgsql is there")
	}
}
