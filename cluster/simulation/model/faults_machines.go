package model

import "time"

// machineStories are about the machines and about how they are set up.
var machineStories = []story{
	{"disk-full", "The disk of a follower is full", func(w *World) func() { return diskLeaves(w.lastFollower(), 0) }},
	{"disk-full-leader", "The disk of the leader is full", func(w *World) func() { return diskLeaves(w.leading(), 0) }},
	{"disk-low", "The disk of a follower is filling up", func(w *World) func() { return diskLeaves(w.lastFollower(), 6<<30) }},
	{"filesystem-read-only", "The disk of a follower can only be read", filesystemReadOnly},
	{"out-of-memory-kill", "The kernel of a follower kills a process for want of memory", outOfMemoryKill},
	{"clock-skew", "The clock of a follower is wrong", clockSkew},
	{"connections-exhausted", "All connections of a follower's PostgreSQL are taken", func(w *World) func() { return connectionsTaken(w.lastFollower(), maxConnections) }},
	{"connections-exhausted-leader", "All connections that clients may have of the leader's PostgreSQL are taken", func(w *World) func() { return connectionsTaken(w.leading(), maxConnections-reservedConnections) }},
	{"slot-holds-wal", "A forgotten replication slot makes the leader keep its WAL", slotHoldsWAL},
	{"etcd-member-removed", "A node that was removed from the cluster boots again", etcdMemberRemoved},
	{"etcd-cluster-id-mismatch", "A follower's etcd belongs to another cluster", etcdClusterIDMismatch},
	{"etcd-cannot-write", "etcd on a follower may not write into its folder", etcdCannotWrite},
	{"elasticsearch-read-only", "The search index is blocked for writing", elasticsearchReadOnly},
	{"certificate-expiring", "A certificate of a follower ends within two months", certificateExpiring},
	{"version-mismatch", "A follower runs another release than the others", versionMismatch},
	{"wrong-version", "All nodes run a release that is too old", wrongVersion},
	{"not-three-nodes", "A fourth node was registered and never started", notThreeNodes},
}

// diskLeaves fills a node's disk until so many bytes are free.
func diskLeaves(n *node, free int64) func() {
	n.data.leave(free)
	return func() { n.data.ballast = 0 }
}

// filesystemReadOnly is what ext4 does after an error (errors=remount-ro).
func filesystemReadOnly(w *World) func() {
	n := w.lastFollower()
	n.kmsg("blk_update_request: I/O error, dev vdb, sector 41951288")
	n.kmsg("EXT4-fs error (device vdb1): ext4_journal_check_start:56: Detected aborted journal")
	n.kmsg("EXT4-fs (vdb1): Remounting filesystem read-only")
	n.data.readOnly = true
	return func() { n.data.readOnly = false }
}

// outOfMemoryKill ends Elasticsearch, the largest process; runit starts it
// again.
func outOfMemoryKill(w *World) func() {
	n := w.lastFollower()
	s := n.service("elasticsearch")
	n.kmsg("postgres invoked oom-killer: gfp_mask=0x201da, order=0, oom_score_adj=0")
	n.kmsg("Out of memory: Kill process %d (java) score 512 or sacrifice child", s.pid)
	n.kmsg("Killed process %d (java) total-vm:5839284kB, anon-rss:2871204kB, file-rss:0kB, shmem-rss:0kB", s.pid)
	n.oomKills++
	s.kill()
	return nil
}

func clockSkew(w *World) func() {
	n := w.lastFollower()
	right := n.offset
	n.offset += 12400 * time.Millisecond
	return func() { n.offset = right }
}

// connectionsTaken lets clients take connections and go on asking for more.
// leaderl and the replication hold theirs.
func connectionsTaken(n *node, taken int) func() {
	g, w := n.pg, n.w
	g.clients = taken
	refusal := reservedRefusal
	if taken >= maxConnections {
		refusal = clientRefusal
	}
	var again func()
	again = func() {
		if g.clients == 0 {
			return
		}
		if g.accepts() {
			g.log("%s", refusal)
		}
		w.in(1700*time.Millisecond, again)
	}
	again()
	return func() { g.clients = usualClients }
}

// slotHoldsWAL: somebody has made a replication slot for a copy that is gone,
// and clients write a lot.
func slotHoldsWAL(w *World) func() {
	g := w.leading().pg
	g.slots = append(g.slots, slot{name: "old_standby", start: g.copy.end})
	w.load = 64 << 20
	w.in(40*time.Second, func() {
		w.load = quietLoad
		if g.phase == pgPrimary {
			g.checkpointed(g.copy.end)
		}
	})
	return func() { g.slots = nil }
}

// etcdMemberRemoved: the node had no power when it was removed, and has now.
func etcdMemberRemoved(w *World) func() {
	n := w.lastFollower()
	n.powerOff()
	w.in(2*time.Second, func() {
		w.store.forget(n)
		n.etcd.ring.drop(n.etcd)
	})
	w.in(6*time.Second, n.powerOn)
	return n.powerOff
}

// etcdClusterIDMismatch: etcd's data comes from another cluster of the same
// nodes.
func etcdClusterIDMismatch(w *World) func() {
	m := w.lastFollower().etcd
	right := m.ring
	other := newRing(hexString(w.rnd, 8))
	other.list = right.list
	m.ring = other
	m.n.service("etcd").term()
	return func() {
		m.ring = right
		m.n.service("etcd").term()
	}
}

// etcdCannotWrite: somebody has made etcd's folder root's own. The line is
// that of a real Chef Backend.
func etcdCannotWrite(w *World) func() {
	n := w.lastFollower()
	n.etcdLocked = true
	s := n.service("etcd")
	s.kill()
	s.fault = &breakage{lives: 300 * time.Millisecond, lines: []string{
		"{clock} I | etcdmain: etcd Version: 2.3.8",
		"{clock} C | etcdmain: cannot access data directory: mkdir " + etcdData + ": permission denied",
	}}
	return func() { n.etcdLocked, s.fault = false, nil }
}

func elasticsearchReadOnly(w *World) func() {
	w.index.readOnly = true
	var again func()
	again = func() {
		if !w.index.readOnly {
			return
		}
		if n := w.leading(); n.es.serving() {
			n.es.log("DEBUG", "o.e.a.b.TransportShardBulkAction", "[chef][2] failed to execute bulk item (index): ClusterBlockException[blocked by: [FORBIDDEN/12/index read-only / allow delete (api)];]")
		}
		w.in(23*time.Second, again)
	}
	again()
	return func() { w.index.readOnly = false }
}

func certificateExpiring(w *World) func() {
	n := w.lastFollower()
	n.certify(w.now.Add(-3620*24*time.Hour), w.now.Add(30*24*time.Hour))
	return n.usualCertificate
}

func versionMismatch(w *World) func() {
	n := w.lastFollower()
	right := n.version
	n.install("2.2.0")
	return func() { n.install(right) }
}

func wrongVersion(w *World) func() {
	right := w.nodes[0].version
	for _, n := range w.nodes {
		n.install("2.0.30")
	}
	return func() {
		for _, n := range w.nodes {
			n.install(right)
		}
	}
}

// notThreeNodes: a join got as far as registering a new host, which then
// failed. It stays listed without a name until somebody removes it.
func notThreeNodes(w *World) func() {
	n := w.stranger("be4", "10.0.4.14")
	ring := w.leading().etcd.ring
	ring.add(n.etcd)
	ring.store.register(n)
	return func() {
		ring.store.forget(n)
		ring.drop(n.etcd)
	}
}

// stranger is a host that the world knows by its address alone.
func (w *World) stranger(name, address string) *node {
	n := &node{w: w, index: len(w.nodes), name: name, address: address, guid: hexString(w.rnd, 16)}
	n.leaderl = &leaderl{n: n, failures: map[string]int{}}
	n.pg, n.es, n.data = &postgres{n: n}, &elastic{n: n}, newDisk(n)
	n.etcd = &member{n: n, id: hexString(w.rnd, 8)}
	return n
}
