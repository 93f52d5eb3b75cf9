package model

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
)

// bringing is a fresh world on its way into the state of a view.
type bringing struct {
	w       *World
	v       *cluster.View
	assumed []string
	leader  *node // who holds the leader key; nil for nobody
}

// Bring brings a world that was just made into the state that a view tells of a
// cluster of the same nodes. What the view does not tell is assumed, and said
// in sentences. A state that cannot be represented is refused with the reason,
// and the world is of no use then.
func (w *World) Bring(v *cluster.View) (assumed []string, err error) {
	b := &bringing{w: w, v: v}
	if err := b.refuse(); err != nil {
		return nil, err
	}
	for _, n := range w.nodes {
		b.machine(n)
		b.services(n)
	}
	b.network()
	b.members()
	b.raft()
	b.size()
	for _, n := range w.nodes {
		b.copy(n)
		b.disk(n)
	}
	b.key()
	b.atOneTime()
	for _, n := range w.nodes {
		b.database(n)
	}
	for _, n := range w.nodes {
		b.role(n)
		b.switches(n)
		b.streaming(n)
	}
	b.search()
	b.load()
	b.posts()
	b.alwaysAssumed()
	for _, n := range w.nodes {
		n.pg.showFiles()
	}
	return b.assumed, w.err
}

// assume says what the view did not tell.
func (b *bringing) assume(format string, a ...any) {
	b.assumed = append(b.assumed, fmt.Sprintf(format, a...))
}

// report is what was seen of a node, nil where it cannot be asked.
func (b *bringing) report(n *node) *cluster.Report {
	r := b.v.Report(n.name)
	if r == nil || cluster.Is(r.Reach, cluster.Reached) != cluster.True {
		return nil
	}
	return r
}

// refuse says why the state cannot be represented.
func (b *bringing) refuse() error {
	if b.v == nil || b.v.Snapshot == nil {
		return errors.New("no node has been looked at yet")
	}
	if nodes := b.v.Snapshot.Nodes; len(nodes) != len(b.w.nodes) {
		return fmt.Errorf("the simulation knows clusters of %d nodes, and this one has %d", len(b.w.nodes), len(nodes))
	}
	if a := b.v.FailoverUnderWay(); a.Truth == cluster.True {
		return fmt.Errorf("a failover is under way (%s): what it will come to cannot be foretold", a.Sentence)
	}
	for _, n := range b.w.nodes {
		if why := b.refuseNode(n); why != "" {
			return errors.New(why)
		}
	}
	return nil
}

func (b *bringing) refuseNode(n *node) string {
	if n.address == "" {
		return "the cluster's address of " + n.name + " is not known"
	}
	if b.v.Report(n.name) == nil {
		return n.name + " was not looked at yet"
	}
	r := b.report(n)
	if r == nil {
		return ""
	}
	role, _ := b.v.RoleOf(n.name)
	switch {
	case cluster.Is(r.Host.Installed, false) == cluster.True:
		return "Chef Backend is not installed on " + n.name
	case r.Host.AtWork.Known && r.Host.AtWork.Value != "":
		return fmt.Sprintf("chef-backend-ctl %s runs on %s: what it will come to cannot be foretold", r.Host.AtWork.Value, n.name)
	case r.Lock.Step.Known && r.Lock.Step.Value.Running == cluster.True:
		return "a step of plan " + r.Lock.Step.Value.Plan + " runs on " + n.name
	case r.PostgreSQL.SyncProc.Known && r.PostgreSQL.SyncProc.Value != "":
		return fmt.Sprintf("%s runs on %s: what it will come to cannot be foretold", r.PostgreSQL.SyncProc.Value, n.name)
	case role == promoting:
		return n.name + " is being promoted: what it will come to cannot be foretold"
	}
	return ""
}

// alwaysAssumed is where the simulation is not the cluster, whatever is seen.
func (b *bringing) alwaysAssumed() {
	b.assume("a whole copy of a database takes about half a minute here, whatever its size")
	b.assume("what stands in no look stands here as in a stock install: certificates, other files, clients")
	for _, n := range b.w.nodes {
		r := b.report(n)
		if r == nil {
			continue
		}
		b.stock(n, r)
	}
}

// stock names settings that are others than those of the simulation.
func (b *bringing) stock(n *node, r *cluster.Report) {
	var differ []string
	set := func(name string, known, same bool, text string) {
		if known && !same {
			differ = append(differ, name+" "+text)
		}
	}
	s := r.Settings
	set("leader_ttl", s.LeaderTTL.Known, s.LeaderTTL.Value == leaderTTL, s.LeaderTTL.Value.String())
	set("max_bytes_behind_leader", s.MaxBehind.Known, s.MaxBehind.Value == maxBytesBehind, fmt.Sprint(s.MaxBehind.Value))
	set("wal_keep_segments", s.KeptSegments.Known, s.KeptSegments.Value == keepSegments, fmt.Sprint(s.KeptSegments.Value))
	set("heartbeat_interval", s.Heartbeat.Known, s.Heartbeat.Value == 500*time.Millisecond, s.Heartbeat.Value.String())
	if len(differ) > 0 {
		b.assume("%s has %s; the simulation has the stock value", n.name, strings.Join(differ, ", "))
	}
}
