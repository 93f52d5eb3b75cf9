package model

import "time"

// fault lets something go wrong and returns how its surroundings heal; nil if
// there is nothing to heal from outside.
type fault func(w *World) (heal func())

// faults are all faults by name. Where nothing else is said they strike the
// last follower.
var faults = map[string]fault{
	"healthy":                func(*World) func() { return nil },
	"failover":               leaderDatabaseLost,
	"failover-under-way":     slowFailover,
	"planned-restart":        plannedRestart,
	"node-down":              nodeDown,
	"operator-cut-off":       operatorCutOff,
	"partition-partial":      partitionPartial,
	"partition-quorum-kept":  partitionQuorumKept,
	"partition-quorum-lost":  partitionQuorumLost,
	"quorum-lost-one-seen":   quorumLost,
	"no-leader":              noLeader,
	"deposed-leader-blocked": deposedLeaderBlocked,
	"two-primaries":          twoPrimaries,
	"postgresql-down":        postgresqlDown,
	"etcd-down":              etcdDown,
	"leaderl-down":           func(w *World) func() { return leaderlDown(w.lastFollower()) },
	"leaderl-down-leader":    func(w *World) func() { return leaderlDown(w.leading()) },
	"elasticsearch-down":     elasticsearchDown,
	"partially-synced":       partiallySynced,
	"follower-wal-gap":       followerWALGap,
	"follower-lagging":       followerLagging,
}

// leading is the elected leader, or else the node that was it last.
func (w *World) leading() *node {
	for _, n := range w.nodes {
		if n.leaderl.state == leading && n.pg.phase == pgPrimary {
			return n
		}
	}
	if w.store.leader != nil {
		return w.store.leader
	}
	return w.nodes[0]
}

// followers are the others, in fixed order.
func (w *World) followers() []*node {
	var all []*node
	for _, n := range w.nodes {
		if n != w.leading() {
			all = append(all, n)
		}
	}
	return all
}

func (w *World) lastFollower() *node {
	all := w.followers()
	return all[len(all)-1]
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

func nodeDown(w *World) func() {
	n := w.lastFollower()
	n.powerOff()
	return n.powerOn
}

func operatorCutOff(w *World) func() {
	n := w.lastFollower()
	w.Cut("", n.name)
	return func() { w.Join("", n.name) }
}

// partitionPartial leaves a node one peer, which is the raft leader: else
// etcd 2.3, which does not ask before it votes, would elect and elect again.
func partitionPartial(w *World) func() {
	n := w.lastFollower()
	var peer *node
	for _, o := range w.nodes {
		if o != n && (peer == nil || o.etcd.state != stateLeader) {
			peer = o
		}
	}
	w.Cut("", n.name)
	w.Cut(n.name, peer.name)
	return func() {
		w.Join("", n.name)
		w.Join(n.name, peer.name)
	}
}

func partitionQuorumKept(w *World) func() {
	n := w.lastFollower()
	of := func(a, b *node) bool { return a == n || b == n }
	w.setLinks(true, of)
	return func() { w.setLinks(false, of) }
}

func partitionQuorumLost(w *World) func() {
	all := func(*node, *node) bool { return true }
	w.setLinks(true, all)
	return func() { w.setLinks(false, all) }
}

// quorumLost leaves one follower.
func quorumLost(w *World) func() {
	survivor := w.lastFollower()
	for _, n := range w.nodes {
		if n != survivor {
			n.powerOff()
		}
	}
	return func() {
		for _, n := range w.nodes {
			n.powerOn()
		}
	}
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

func leaderlDown(n *node) func() {
	n.breakService("leaderl", &breakage{lives: 900 * time.Millisecond, stuck: true, lines: []string{
		"{error_logger,{erlang},\"Protocol: ~tp: the name leaderl@127.0.0.1 seems to be in use by another Erlang node\",[\"inet_tcp\"]}",
		"Kernel pid terminated (application_controller) ({application_start_failure,kernel,{{shutdown,{failed_to_start_child,net_sup,{shutdown,{failed_to_start_child,net_kernel,{'EXIT',nodistribution}}}}},{k",
	}})
	return nil
}

// breakService kills a service and lets every start fail.
func (n *node) breakService(name string, b *breakage) {
	s := n.service(name)
	s.kill()
	s.fault = b
}

func postgresqlDown(w *World) func() {
	w.lastFollower().breakService("postgresql", &breakage{lives: 300 * time.Millisecond, stuck: true, lines: []string{
		"FATAL:  lock file \"postmaster.pid\" already exists",
		"HINT:  Is another postmaster (PID 11290) running in data directory \"" + dataDir + "\"?",
	}})
	return nil
}

func etcdDown(w *World) func() {
	n := w.lastFollower()
	n.breakService("etcd", &breakage{lives: 400 * time.Millisecond, stuck: true, lines: []string{
		"{clock} I | etcdmain: etcd Version: 2.3.8",
		"{clock} C | etcdmain: listen tcp " + n.address + ":2380: bind: address already in use",
	}})
	return nil
}

func elasticsearchDown(w *World) func() {
	w.lastFollower().breakService("elasticsearch", &breakage{lives: 4 * time.Second, stuck: true, lines: []string{
		"Exception in thread \"main\" java.lang.IllegalStateException: failed to obtain node locks, tried [[/var/opt/chef-backend/elasticsearch/data]] with lock id [0]; maybe these locations are not writable or multiple nodes were started without increasing [node.max_local_storage_nodes] (was [1])?",
	}})
	return nil
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
