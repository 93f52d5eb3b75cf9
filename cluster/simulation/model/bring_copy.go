package model

import (
	"strconv"
	"time"

	"chef-backend-cockpit/cluster"
)

// copy brings a node's copy of the database into the state seen: where it ends,
// on which timeline, how it came there, and how far back its WAL reaches.
func (b *bringing) copy(n *node) {
	c := &n.pg.copy
	row := b.copyRow(n)
	if r := b.report(n); r != nil {
		b.control(c, r.PostgreSQL)
	}
	if row.Timeline > 0 {
		c.tli = row.Timeline
		c.cpTLI = row.Timeline
	}
	if len(row.History) > 0 {
		c.history = nil
		for _, s := range row.History {
			c.history = append(c.history, fork{s.Parent, uint64(s.At)})
		}
	}
	if !row.Commit.IsZero() {
		c.lastCommit = row.Commit
	}
	switch row.Known {
	case cluster.EndExact:
		c.end = uint64(row.End)
	case cluster.EndAtLeast, cluster.EndSeen:
		c.end = uint64(row.End)
		b.assume("where the copy of %s ends is not known to the byte; here at %s", n.name, row.End)
	default:
		b.assume("where the copy of %s ends is not known (%s); here at %s", n.name, row.Sentence, lsn(c.end))
	}
	b.w.taken = max(b.w.taken, c.tli)
	c.replay = c.end
	c.oldest = b.oldest(n, c)
	if c.redo > c.end || c.redo == 0 {
		c.redo, c.checkpoint, c.prior = c.end, c.end, c.end
	}
	n.pg.received = c.end
	n.pg.writeHistory()
}

// atOneTime moves the leader's copy on to where a follower was seen after it:
// looks are made one after the other, and the leader writes meanwhile.
func (b *bringing) atOneTime() {
	if b.leader == nil {
		return
	}
	lead := &b.leader.pg.copy
	for _, n := range b.w.nodes {
		c := &n.pg.copy
		holds := b.v.Contained(n.name, b.leader.name).Truth == cluster.True || b.v.StreamsFrom(n.name, b.leader.name).Truth == cluster.True
		if n != b.leader && c.tli == lead.tli && holds {
			lead.end = max(lead.end, c.end)
			lead.replay = lead.end
		}
	}
}

func (b *bringing) copyRow(n *node) cluster.CopyRow {
	for _, r := range b.v.CopyTable().Rows {
		if r.Node == n.name {
			return r
		}
	}
	return cluster.CopyRow{Known: cluster.EndUnknown}
}

// control is what the control file told.
func (b *bringing) control(c *walCopy, p cluster.PostgreSQLClaims) {
	if !p.Control.Known {
		return
	}
	d := p.Control.Value
	if id, err := strconv.ParseUint(d.SystemID, 10, 64); err == nil {
		c.system = id
	}
	if d.State != "" {
		c.state = d.State
	}
	c.redo, c.checkpoint, c.prior = uint64(d.Redo), uint64(d.Checkpoint), uint64(d.Redo)
	if d.Timeline > 0 {
		c.cpTLI = d.Timeline
	}
}

// oldest is the number of the oldest WAL file.
func (b *bringing) oldest(n *node, c *walCopy) uint64 {
	if r := b.report(n); r != nil && r.PostgreSQL.Segments.Known {
		if digits, ok := cluster.SegmentNumber(r.PostgreSQL.Segments.Value.Oldest); ok && len(digits) == 16 {
			high, err1 := strconv.ParseUint(digits[:8], 16, 64)
			low, err2 := strconv.ParseUint(digits[8:], 16, 64)
			if err1 == nil && err2 == nil {
				return high<<8 | low
			}
		}
	}
	return segment(c.end) - min(keepSegments, segment(c.end))
}

// database brings the postmaster into the phase seen, and whom it follows.
func (b *bringing) database(n *node) {
	g, s, r := n.pg, n.service("postgresql"), b.report(n)
	g.recv, g.received, g.refusal = nil, 0, ""
	switch {
	case r == nil:
		b.unseenDatabase(n)
		return
	case r.PostgreSQL.Upstream.Known:
		g.setStandby(!b.primary(n, r), r.PostgreSQL.Upstream.Value)
	default:
		g.setStandby(!b.primary(n, r), "")
		b.assume("whom the database of %s follows is not known; here nobody", n.name)
	}
	switch {
	case !s.up:
		g.phase = pgOff
		n.remove(pidFile)
	case s.doomed != nil:
		g.phase = pgRefused
	case cluster.Is(r.PostgreSQL.Ready, 1) == cluster.True:
		g.enter(pgStarting)
		g.redoTime = 10 * time.Minute
		b.assume("when PostgreSQL on %s will have recovered is not known; here in 10 min", n.name)
	case b.primary(n, r):
		g.phase = pgPrimary
	default:
		g.phase = pgStandby
	}
	g.since = s.since
	if c := r.PostgreSQL.Connections; c.Known {
		g.clients = max(0, c.Value.Used-1)
	}
	if cluster.Is(r.PostgreSQL.TurnedAway, true) == cluster.True {
		g.clients = maxConnections
	}
	if r.PostgreSQL.Slots.Known {
		for _, x := range r.PostgreSQL.Slots.Value {
			g.slots = append(g.slots, slot{x.Name, x.Active, uint64(x.Restart)})
		}
	}
}

// primary answers whether a database is out of recovery, or was when it stopped.
func (b *bringing) primary(n *node, r *cluster.Report) bool {
	p := r.PostgreSQL
	if p.InRecovery.Known {
		return !p.InRecovery.Value
	}
	return n == b.leader && (!p.Upstream.Known || p.Upstream.Value == "")
}

// unseenDatabase is that of a node that cannot be asked.
func (b *bringing) unseenDatabase(n *node) {
	g := n.pg
	switch {
	case n == b.leader:
		g.phase = pgPrimary
	case !n.powered || !n.service("postgresql").up:
		g.phase = pgOff
	case b.leader != nil:
		g.phase = pgStandby
		g.setStandby(true, b.leader.address)
	default:
		g.phase = pgStandby
		g.setStandby(true, "")
	}
}

// streaming begins what streams, after the rows of whoever sends.
func (b *bringing) streaming(n *node) {
	g, r := n.pg, b.report(n)
	g.retryAt = b.w.now.Add(300 * time.Millisecond)
	if g.phase != pgStandby {
		return
	}
	up := b.w.byAddress(g.upstream)
	if up == nil {
		g.paused = g.upstream == ""
		return
	}
	from := b.report(up)
	streams := r == nil
	if from != nil && from.PostgreSQL.Replicas.Known {
		streams = false
		for _, row := range from.PostgreSQL.Replicas.Value {
			streams = streams || cluster.SameAddress(row.Address, n.address) && (row.State == "streaming" || row.State == "catchup")
		}
	}
	if !streams || !up.pg.accepts() {
		g.paused = n.leaderl.state == waiting
		return
	}
	g.received = g.copy.end
	g.retryAt = b.w.now.Add(retryTime)
	behind := int64(up.pg.copy.end) - int64(g.copy.end)
	g.recv = &receiver{from: up, pid: n.nextPID(), caught: true}
	if behind > maxBytesBehind {
		g.throttle = quietLoad * 2 / 3
		b.assume("%s is %d MB behind and streams; here it does not make up for that", n.name, behind>>20)
	}
}

// load is how much the leader was seen to write.
func (b *bringing) load() {
	if b.leader == nil {
		return
	}
	all := b.v.Past.Samples[b.leader.name]
	for i := len(all) - 1; i > 0; i-- {
		first, last := all[max(0, i-15)], all[i]
		took := last.At.Sub(first.At).Seconds()
		if first.InRecovery == cluster.False && last.InRecovery == cluster.False && took > 5 && last.Position >= first.Position && first.Position > 0 {
			b.w.load = max(float64(last.Position-first.Position)/took, 64)
			return
		}
	}
}
