package model

import (
	"fmt"
	"time"
)

// Times and limits of leaderl as the product documents them.
const (
	leaderTTL       = 30 * time.Second
	healthInterval  = 5 * time.Second
	maxFailures     = 5
	postInterval    = 10 * time.Second
	maxBytesBehind  = 52428800
	promoteDeadline = 5 * time.Minute

	// Not documented, chosen here.
	thinkTime = 500 * time.Millisecond // between two thoughts
	initTime  = 3 * time.Second        // from start to the first decision
	standTime = 2 * time.Second        // a waiting node looks around before it stands
	syncDelay = 3 * time.Second        // before a deposed node begins to sync
)

// States of leaderl by the words that the product's commands show.
const (
	initializing = "initializing"
	waiting      = "waiting_for_leader"
	following    = "follower"
	promoting    = "promoting"
	leading      = "leader"
	deposed      = "deposed_leader"
)

// leaderl is the elector of one node. How it chooses is not published; what
// is invented here keeps to what the vendor says of causes and effects.
type leaderl struct {
	n         *node
	running   bool
	begun     time.Time
	state     string
	since     time.Time
	sawLeader bool  // a leader has been seen since the start
	followed  *node // the leader that the database was set to follow
	refreshed time.Time
	etcdSeen  time.Time
	nextThink time.Time
	nextCheck time.Time
	nextPost  time.Time
	failures  map[string]int
	eligible  bool
	failover  bool // enabled for this node
	job       *syncJob
	failedFor *node // the leader for whom a sync failed
	promoteBy time.Time
	hangs     bool // until its next start: it never gets beyond its first connection
	hanging   bool // the next start will
	idle      bool // until its next start: nobody begins a sync (its worker has died)
	trusting  bool // until its next start: it repoints the database without looking at the copy
	erlang    int  // number in the middle of the Erlang pids
}

// post is what a node last told the others through etcd.
type post struct {
	at        time.Time
	role      string
	pg, es    string
	following string
	eligible  bool
	partial   bool
	failover  bool
}

// log writes a line of leaderl's shape. The shape is real; all texts but
// those of the start are invented.
func (l *leaderl) log(level, where, format string, a ...any) {
	l.n.log("leaderl", "[%s] <0.%d.0> %s => %s", level, l.erlang, where, fmt.Sprintf(format, a...))
}

func (l *leaderl) started() {
	l.hangs, l.hanging = l.hanging, false
	l.idle, l.trusting = false, false
	l.running, l.begun, l.erlang = true, l.n.w.now, 715
	l.sawLeader, l.followed, l.failedFor = false, nil, nil
	l.failures, l.job = map[string]int{}, nil
	l.etcdSeen = l.n.w.now
	l.nextThink, l.nextPost = l.n.w.now.Add(initTime), time.Time{}
	l.nextCheck = l.n.w.now.Add(initTime + healthInterval)
	l.state, l.since = initializing, l.n.w.now
	l.log("I", "leader_elector:init", "leader_elector is starting in state: initializing")
	l.log("I", "status_updater:init", "status_updater started")
	l.erlang = 563
	l.log("I", "no_mod:no_fun", "Application leaderl started on node 'leaderl@127.0.0.1'")
	l.log("I", "no_mod:no_fun", "Application eper started on node 'leaderl@127.0.0.1'")
	l.log("I", "no_mod:no_fun", "Application recon started on node 'leaderl@127.0.0.1'")
	l.erlang = 730
	l.log("I", "key_watcher:handle_info", "Initial start of watcher on behalf of leader_block_state for \"cb/control/blocked_leaders\"")
	l.erlang = 729
	l.log("I", "leader_elector:do_connect", "Connecting as node %s (%s,%s)", l.n.name, l.n.address, l.n.guid)
}

func (l *leaderl) stopped() {
	if l.job != nil {
		l.job.cancel()
	}
	l.running, l.job = false, nil
}

// alive says whether leaderl works.
func (l *leaderl) alive() bool {
	s := l.n.service("leaderl")
	return l.running && s.up && !s.hung
}

// turn changes the state and tells everybody.
func (l *leaderl) turn(state, why string) {
	if l.state == state {
		return
	}
	l.log("I", "leader_elector:transition", "%s -> %s: %s", l.state, state, why) // invented
	l.state, l.since = state, l.n.w.now
	l.report()
}

// key is the holder of the leader key, as far as etcd can be asked.
func (l *leaderl) key() *node { return l.n.store().leader }

func (n *node) stepLeaderl() {
	l := n.leaderl
	if !n.booted() || !l.alive() || n.w.now.Before(l.nextThink) {
		return
	}
	l.nextThink = n.w.now.Add(thinkTime)
	if n.etcd.healthy() {
		l.etcdSeen = n.w.now
	}
	switch l.state {
	case initializing:
		if !l.hangs {
			l.initialize()
		}
	case waiting:
		l.wait()
	case following:
		l.follow()
	case promoting:
		l.takeOver()
	case leading:
		l.lead()
	case deposed:
		l.atone()
	}
	if !n.w.now.Before(l.nextCheck) {
		l.nextCheck = n.w.now.Add(healthInterval)
		l.check()
	}
	if !n.w.now.Before(l.nextPost) {
		l.report()
	}
}

// initialize decides what the node is after a start.
func (l *leaderl) initialize() {
	if !l.n.etcd.healthy() {
		return
	}
	switch leader := l.key(); {
	case leader == nil && l.n.pg.phase == pgPrimary && !l.n.files.Exists(noStartFile):
		l.take()
		l.turn(leading, "local postgresql is the primary and nobody leads")
	case leader == nil:
		l.holdDown()
		l.restState("no leader key")
	case leader == l.n && l.n.pg.phase == pgPrimary:
		l.refreshed = l.n.w.now
		l.turn(leading, "leader key is ours")
	case leader == l.n:
		l.n.store().leader = nil
	case leader.leaderl.state == leading:
		l.obey(leader)
	}
}

// restState is the state of a node that has nobody to follow.
func (l *leaderl) restState(why string) {
	if l.n.files.Exists(noStartFile) {
		l.turn(deposed, why)
		return
	}
	l.turn(waiting, why)
}

// holdDown keeps the database down while nobody knows who leads. It is made
// a standby, so that it can never come up as a second primary by itself.
func (l *leaderl) holdDown() {
	l.n.service("postgresql").stop()
	l.n.pg.setStandby(true, "")
}

// obey makes the node follow a leader, as its copy allows.
func (l *leaderl) obey(leader *node) {
	g := l.n.pg
	l.sawLeader = true
	_, follows := g.copy.follows(&leader.pg.copy)
	switch {
	case l.n.files.Exists(unsyncedFile):
		l.turn(waiting, "partially synced: this node needs a sync by hand")
	case g.phase == pgPrimary:
		l.depose("another node leads: " + leader.name)
	case l.n.files.Exists(noStartFile):
		l.turn(deposed, "another node leads: "+leader.name)
	case g.phase == pgStandby && g.upstream == leader.address && follows:
		g.paused = false
		l.followed = leader
		l.turn(following, "following "+leader.address)
	case follows || l.trusting:
		l.repoint(leader)
	default:
		l.turn(waiting, "the local copy does not fit the history of "+leader.name)
		l.beginSync(leader)
	}
}

// repoint sets the database to follow a leader; it needs a restart for that.
func (l *leaderl) repoint(leader *node) {
	g, s := l.n.pg, l.n.service("postgresql")
	g.setStandby(true, leader.address)
	g.paused = s.up // until the restart has read recovery.conf
	l.followed = leader
	if s.up {
		s.term()
	}
	s.start()
	l.log("I", "pg_manager:follow", "following new leader %s", leader.address) // invented
	l.turn(following, "following "+leader.address)
}

// wait looks for a leader, or stands for election.
func (l *leaderl) wait() {
	if !l.n.etcd.healthy() {
		return
	}
	if l.job != nil {
		l.stepSync()
		return
	}
	leader := l.key()
	if leader != nil && leader != l.n {
		if !l.n.files.Exists(unsyncedFile) && leader != l.failedFor && leader.leaderl.state == leading {
			l.obey(leader)
		}
		return
	}
	if l.mayStand() {
		l.take()
		l.promoteBy = l.n.w.now.Add(promoteDeadline)
		l.turn(promoting, "leader key acquired")
	}
}

// follow watches the leader key.
func (l *leaderl) follow() {
	if !l.n.etcd.healthy() {
		if l.n.w.now.Sub(l.etcdSeen) >= leaderTTL {
			l.turn(waiting, "no answer from etcd")
		}
		return
	}
	leader := l.key()
	switch {
	case leader == nil:
		l.n.pg.paused = true
		l.turn(waiting, "the leader key is gone")
	case leader != l.followed && leader != l.n && leader.leaderl.state == leading:
		l.obey(leader)
	}
}

// lead keeps the leader key.
func (l *leaderl) lead() {
	w := l.n.w
	if p := l.n.store().promote; p != nil && p.target != l.n && l.n.etcd.healthy() && w.failoverOn(l.n) {
		l.depose("asked to step down")
		return
	}
	if !l.n.etcd.healthy() {
		if w.now.Sub(l.refreshed) >= leaderTTL {
			l.depose("the leader key could not be refreshed")
		}
		return
	}
	switch {
	case l.key() == nil && w.now.Sub(l.refreshed) < leaderTTL+healthInterval:
		l.take()
	case l.key() != l.n:
		l.depose("another node holds the leader key")
	case w.now.Sub(l.refreshed) >= healthInterval:
		l.take()
	}
}

func (l *leaderl) take() {
	w := l.n.w
	s := l.n.store()
	s.leader, s.last, s.expires = l.n, l.n, w.now.Add(leaderTTL)
	l.refreshed, l.sawLeader = w.now, true
}

// depose ends the node's leadership: PostgreSQL is stopped and must not start
// here before a sync or an operator says so.
func (l *leaderl) depose(why string) {
	n := l.n
	n.write(noStartFile, "")
	n.service("postgresql").stop()
	n.pg.setStandby(true, "")
	l.log("W", "leader_elector:demote", "demoting this node: %s", why) // invented
	l.turn(deposed, why)
}

// atone is what a deposed leader does: it gives the key back once PostgreSQL
// is down, and syncs from the next leader.
func (l *leaderl) atone() {
	w := l.n.w
	if !l.n.etcd.healthy() {
		return
	}
	if l.job != nil {
		l.stepSync()
		return
	}
	leader := l.key()
	switch {
	case leader == l.n && l.n.pg.phase == pgOff:
		l.n.store().leader = nil
		l.log("I", "leader_elector:release", "leader key released") // invented
	case leader != nil && leader != l.n && leader != l.failedFor && leader.leaderl.state == leading && !l.idle && w.now.Sub(l.since) >= syncDelay:
		l.beginSync(leader)
	}
}

// stepSentinels reads the sentinels back: an operator may have moved them.
func (n *node) stepSentinels() {
	l := n.leaderl
	if !n.booted() || !l.alive() || l.job != nil {
		return
	}
	refused := n.files.Exists(noStartFile)
	switch {
	case l.state == deposed && !refused:
		l.sawLeader = false
		l.turn(waiting, "no-start-pgsql is gone")
	case l.state == waiting && refused:
		l.turn(deposed, "no-start-pgsql is there")
	}
}
