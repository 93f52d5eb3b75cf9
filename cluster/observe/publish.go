package observe

import (
	"errors"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// read turns an answer into a report; some tells whether the node said
// anything at all. What did not come is unknown with the reason.
func (o *Observer) read(h heard, began time.Time, link remote.Link) (r *cluster.Report, some bool) {
	l := look{frame: h.frame, node: o.Node.Name, at: began, ended: o.Clock.Now(), absentReason: whyAbsent(h)}
	for _, s := range h.frame.sections {
		some = some || s.ended
	}
	r = l.report(link)
	r.Reach = cluster.KnownAs(cluster.Reached, cluster.SourceReach, began)
	return r, some
}

// whyAbsent says why a section is not there, with the node's own words where
// they are all that came: a login that is no shell explains itself.
func whyAbsent(h heard) string {
	switch {
	case h.err == nil:
		return "the answer was cut off"
	case errors.Is(h.err, errEnded) && h.frame.sections == nil:
		return remark([]byte(h.err.Error()), "") + ": " + remark(h.raw, "it said nothing")
	}
	return remark([]byte(h.err.Error()), "no answer")
}

// publishLook publishes a fast look together with the newest slow one. A node
// that said nothing at all is not credited with its old slow answers either.
func (o *Observer) publishLook(h heard, began time.Time, link remote.Link) {
	r, some := o.read(h, began, link)
	o.mu.Lock()
	slowPart := o.slow
	o.mu.Unlock()
	if !some {
		slowPart = o.nothing(slow, began, r.Etcd.Health.Reason, link)
	} else if slowPart == nil {
		slowPart = o.nothing(slow, began, "not looked at yet", link)
		slowPart.Began = time.Time{} // who waits for a slow look goes on waiting
	}
	addSlow(r, slowPart)
	o.publish(r, slowPart, false)
}

// publishDown publishes that the node is not reached: how far we get, and
// everything else unknown. No old value stays.
func (o *Observer) publishDown(began time.Time, link remote.Link) {
	_, reason := reachOf(link, began)
	o.publish(o.unreached(began, link), o.nothing(slow, began, reason, link), true)
}

// unreached is the report of a node without a link.
func (o *Observer) unreached(began time.Time, link remote.Link) *cluster.Report {
	reach, reason := reachOf(link, began)
	r := o.nothing(fast, began, reason, link)
	r.Reach = reach
	addSlow(r, o.nothing(slow, began, reason, link))
	return r
}

// nothing is a look in which nothing was said.
func (o *Observer) nothing(kind string, began time.Time, reason string, link remote.Link) *cluster.Report {
	l := look{frame: frame{kind: kind}, node: o.Node.Name, at: began, ended: o.Clock.Now(), absentReason: reason}
	r := l.report(link)
	r.Reach = cluster.KnownAs(cluster.Reached, cluster.SourceReach, began)
	if link.Phase != remote.Live {
		r.Host.Privileged = cluster.UnknownAs[bool](reason, cluster.SourceReach, began)
	}
	if kind == slow {
		fillPeers(r, o.peers())
	}
	return r
}

func (o *Observer) publish(r, slowPart *cluster.Report, down bool) {
	o.mu.Lock()
	o.seq++
	r.Seq = o.seq
	o.newest, o.slowOf, o.down = r, slowPart.Began, down
	if down {
		o.lostSlow = o.lostSlow || o.slow != nil
		o.slow, o.downAt = nil, r.Began
	}
	again := o.lostSlow && !down
	o.lostSlow = o.lostSlow && down
	close(o.changed)
	o.changed = make(chan struct{})
	o.mu.Unlock()
	if again {
		poke(o.wakeSlow) // what was dropped is asked for as soon as it can be
	}
	if o.Publish != nil {
		o.Publish(r)
	}
}

// keepSlow keeps a slow look for the reports to come, unless the node was out
// of reach since it was begun.
func (o *Observer) keepSlow(r *cluster.Report) {
	o.mu.Lock()
	if !r.Began.Before(o.downAt) {
		o.slow = r
	} else {
		o.lostSlow = true
	}
	o.mu.Unlock()
	poke(o.wakeFast)
}

// addSlow puts the slow claims of s into r, with their own times.
func addSlow(r, s *cluster.Report) {
	r.Host.Addresses, r.Host.Disks, r.Host.Version = s.Host.Addresses, s.Host.Disks, s.Host.Version
	r.Host.MemoryKills, r.Host.Certificates, r.Settings = s.Host.MemoryKills, s.Host.Certificates, s.Settings
	r.Host.Files, r.Host.Room, r.Host.TreeBytes = s.Host.Files, s.Host.Room, s.Host.TreeBytes
	r.Etcd.Members, r.Etcd.Writable = s.Etcd.Members, s.Etcd.Writable
	r.Elasticsearch.Master, r.Elasticsearch.ReadOnly = s.Elasticsearch.Master, s.Elasticsearch.ReadOnly
	r.Ctl, r.Peers, r.Network = s.Ctl, s.Peers, s.Network
	p, q := &r.PostgreSQL, &s.PostgreSQL
	p.VersionNum, p.DataBytes, p.EndOfWAL = q.VersionNum, q.DataBytes, q.EndOfWAL
	p.Connections, p.Slots = q.Connections, q.Slots
	if !p.LastCommit.Known && q.LastCommit.Known {
		p.LastCommit = q.LastCommit
	}
	// The end of a stopped server's log is no end once the server runs, or may.
	if p.EndOfWAL.Known && cluster.Is(p.Postmaster, 0) != cluster.True {
		why := "PostgreSQL runs"
		if !p.Postmaster.Known {
			why = "whether PostgreSQL runs is unknown"
		}
		p.EndOfWAL = cluster.UnknownAs[cluster.LSN](why, cluster.SourcePostgreSQL, r.Began)
	}
}

// fillPeers makes the claim about every peer that was asked about and is not
// in the answer unknown.
func fillPeers(r *cluster.Report, peers []string) {
	reason := r.Host.Version.Reason
	if reason == "" {
		reason = "the node did not tell"
	}
	for _, p := range peers {
		if _, told := r.Peers[p]; !told {
			r.Peers[p] = cluster.UnknownAs[cluster.PeerSeen](reason, cluster.SourcePeer, r.Began)
		}
	}
}

// reachOf says how far we get from the state of the link. A link that is
// stale, or tried for the first time, says nothing yet.
func reachOf(link remote.Link, at time.Time) (c cluster.Claim[cluster.Reach], reason string) {
	known := func(r cluster.Reach) cluster.Claim[cluster.Reach] {
		return cluster.KnownAs(r, cluster.SourceReach, at)
	}
	reason = "not reached: " + string(link.Phase)
	var e *remote.Error
	if errors.As(link.Err, &e) {
		reason = "not reached: " + e.Text
	}
	c = cluster.UnknownAs[cluster.Reach](reason, cluster.SourceReach, at)
	if link.Phase == remote.Stale {
		c.Reason = "nothing heard for 3 s"
		return c, c.Reason
	}
	if e == nil {
		if link.Phase == remote.Lost {
			c = known(cluster.Unreachable)
		}
		return c, reason
	}
	if e.Jump != "" && e.Kind != remote.Unreachable {
		return c, reason // that a jump host does not let us through says nothing of the node
	}
	switch e.Kind {
	case remote.Unreachable:
		c = known(cluster.Unreachable)
	case remote.LoginFailed, remote.NoPrivilege, remote.NoShell, remote.Timeout, remote.Protocol:
		// An SSH server answers, and we do not get in: refused, not root, or
		// stuck between banner and shell.
		c = known(cluster.LoginFailed)
	case remote.HostKeyChanged:
		c = known(cluster.HostKeyChanged)
	case remote.HostKeyUnknown:
		c = known(cluster.HostKeyUnknown)
	}
	return c, reason // a connection that was cut says nothing: the next dial does
}
