package model

import (
	"fmt"
	"io/fs"
	"math/rand"
	"time"
)

// What the cluster is like at the beginning: positions and timeline as in the
// vendor's example of a follower that lost its WAL.
const (
	firstTimeline = 88
	firstPosition = uint64(0x16F3)<<32 | 0x2D0A1B28
	firstTerm     = 412
	firstIndex    = 1843211
)

// found makes the healthy cluster.
func (w *World) found() {
	ids := rand.New(rand.NewSource(w.o.Seed ^ 0x6368))
	w.system = 6400000000000000000 + uint64(ids.Int63n(90000000000000000))
	w.load, w.taken, w.database = quietLoad, firstTimeline, databaseBytes
	for i, name := range w.o.Names {
		w.nodes = append(w.nodes, w.foundNode(i, name, ids))
	}
	history := foundHistory()
	for _, n := range w.nodes {
		n.foundCopy(history)
	}
	w.foundEtcd(ids)
	w.store.leader, w.store.last, w.store.expires = w.nodes[0], w.nodes[0], w.now.Add(leaderTTL-5*time.Second)
	for _, n := range w.nodes {
		n.foundRoles(w.nodes[0])
		n.foundFiles()
		n.equip()
	}
	now := w.now
	w.now = now.Add(-time.Hour) // what is logged of it stands before the backlog
	w.stepElastic()
	w.now = now
	for _, n := range w.nodes {
		n.leaderl.report()
		n.pg.showFiles()
	}
	w.backlog()
}

func (w *World) foundNode(i int, name string, ids *rand.Rand) *node {
	n := &node{w: w, index: i, name: name, address: w.o.Addresses[i], powered: true, boots: 1, guests: map[int]string{}}
	n.rnd = rand.New(rand.NewSource(w.o.Seed + int64(i) + 1))
	n.pids = rand.New(rand.NewSource(w.o.Seed - int64(i) - 1))
	n.guid, n.machine, n.bootID = hexString(ids, 16), hexString(ids, 16), uuid(ids)
	n.files = w.o.Files(name)
	n.bootedAt = w.now.Add(-time.Duration(19-4*i)*24*time.Hour - time.Duration(ids.Intn(80000))*time.Second)
	n.bootDone = n.bootedAt
	n.offset = time.Duration(ids.Intn(9)-4) * 9 * time.Millisecond
	n.lastPID = 6500 + ids.Intn(400)
	n.data = newDisk(n)
	for _, name := range serviceNames {
		since := n.bootedAt.Add(time.Duration(3+len(n.services)) * time.Second).Truncate(time.Second)
		s := &service{n: n, name: name, up: true, want: true, since: since, logSince: since.Add(-6 * time.Second)}
		s.logPID, s.pid = n.nextPID(), n.nextPID()
		n.services = append(n.services, s)
	}
	n.etcd = &member{n: n, id: hexString(ids, 8), named: true, running: true, begun: n.bootedAt}
	n.leaderl = &leaderl{n: n, running: true, begun: n.bootedAt, erlang: 729, sawLeader: true, eligible: true, failover: true, failures: map[string]int{}}
	n.pg = &postgres{n: n}
	n.es = &elastic{n: n}
	n.habits = newHabits(n)
	return n
}

// foundHistory is the past of a cluster that has seen 87 promotions.
func foundHistory() []fork {
	var all []fork
	for parent := uint32(1); parent < firstTimeline; parent++ {
		at := uint64(parent)*0x4150<<24 | uint64(parent*7919%65536)<<8 | 0x98
		all = append(all, fork{parent, at})
	}
	return all
}

func (n *node) foundCopy(history []fork) {
	w := n.w
	end := firstPosition
	n.pg.copy = walCopy{
		system: w.system, tli: firstTimeline, history: history, end: end, replay: end,
		oldest: segment(end) - keepSegments - 3, redo: end - 0x41288, checkpoint: end - 0x40a18, prior: end - 0x9a1f0,
		cpTLI: firstTimeline, cpTime: n.clock().Add(-2 * time.Minute), changed: n.clock().Add(-2 * time.Minute), lastCommit: n.clock(), whole: true,
	}
	n.pg.checkpointAt = w.now.Add(time.Duration(40+70*n.index) * time.Second)
}

func (w *World) foundEtcd(ids *rand.Rand) {
	lead := w.nodes[min(1, len(w.nodes)-1)].etcd
	first := newRing(fmt.Sprintf("%x", w.system^0x5ad3c1f29b7e4408))
	w.rings, w.store, w.none = []*ring{first}, &first.store, newRing("")
	w.store.index = firstIndex
	for _, n := range w.nodes {
		first.add(n.etcd)
		w.store.register(n)
	}
	for _, m := range w.members() {
		m.list = first.list
		m.state, m.claim, m.lead, m.term, m.index = stateFollower, stateFollower, lead, firstTerm, firstIndex
		m.leadTime, m.heard, m.majority = w.now.Add(-6*24*time.Hour), w.now, w.now
		m.newPatience()
		m.active = map[*member]bool{}
		for _, o := range w.members() {
			if o != m {
				m.active[o] = true
			}
		}
	}
	lead.state, lead.claim = stateLeader, stateLeader
	lead.sent = 90000 + ids.Intn(9000)
}

func (n *node) foundRoles(leader *node) {
	l, g, w := n.leaderl, n.pg, n.w
	l.since = n.service("leaderl").since.Add(20 * time.Second)
	l.etcdSeen, l.refreshed = w.now, w.store.expires.Add(-leaderTTL)
	l.nextThink = w.now.Add(time.Duration(n.index+1) * Step)
	l.nextCheck = w.now.Add(time.Duration(n.index+1) * time.Second)
	g.since = n.service("postgresql").since
	if n == leader {
		l.state, g.phase, g.copy.state = leading, pgPrimary, "in production"
		return
	}
	l.state, l.followed = following, leader
	g.phase, g.copy.state = pgStandby, "in archive recovery"
	g.standby, g.upstream = true, leader.address
	g.recv = &receiver{from: leader, pid: n.nextPID(), caught: true}
	g.retryAt, g.received = w.now.Add(retryTime), g.copy.end
}

// foundFiles writes what lies on a node's disk.
func (n *node) foundFiles() {
	n.write("/etc/machine-id", n.machine+"\n")
	n.private(configFile, n.configText())
	n.private(secretsFile, n.w.secrets())
	n.write(licenseFile, "")
	for _, s := range n.services {
		n.mkdir(serviceDir + "/" + s.name)
	}
	for _, dir := range []string{leaderlData, varDir + "/etcd/data", varDir + "/elasticsearch/data", "/tmp", "/root", walDir} {
		n.mkdir(dir)
	}
	n.pg.writeData()
	n.write(pidFile, fmt.Sprintf("%d\n%s\n", n.service("postgresql").pid, dataDir))
	if n.pg.standby {
		n.pg.setStandby(true, n.pg.upstream)
	}
}

// configText is chef-backend.rb as join-cluster writes it.
func (n *node) configText() string { return fmt.Sprintf("publish_address '%s'\n", n.address) }

// secrets is chef-backend-secrets.json, the same on all nodes. Its keys are
// invented.
func (w *World) secrets() string {
	r := rand.New(rand.NewSource(int64(w.system)))
	return fmt.Sprintf("{\"postgresql\":{\"db_superuser_password\":\"%s\",\"replication_password\":\"%s\"},\"etcd\":{\"initial_cluster_token\":\"%s\"}}\n", hexString(r, 24), hexString(r, 24), hexString(r, 16))
}

// private writes a file that only root may read.
func (n *node) private(path, text string) {
	n.write(path, text)
	if f, ok := n.files.(interface {
		Chmod(path string, mode fs.FileMode) error
	}); ok {
		n.note(f.Chmod(path, 0o600))
	}
}

// The file system's errors cannot be answered at the place where they occur:
// time only moves on. The first one is kept for Err.

func (n *node) write(path, text string) { n.note(n.files.Write(path, []byte(text))) }
func (n *node) remove(path string)      { n.note(n.files.Remove(path)) }
func (n *node) removeAll(path string)   { n.note(n.files.RemoveAll(path)) }
func (n *node) mkdir(path string)       { n.note(n.files.Mkdir(path)) }

func (n *node) note(err error) {
	if err != nil && n.w.err == nil {
		n.w.err = fmt.Errorf("%s: simulated file system: %w", n.name, err)
	}
}

// Err is the first error that a node's file system gave, or nil.
func (w *World) Err() error { return w.err }
