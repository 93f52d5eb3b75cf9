package model

import (
	"fmt"
	"time"

	"chef-backend-cockpit/cluster"
)

// machine brings a node's power, clock, disk and release into the state seen.
func (b *bringing) machine(n *node) {
	r := b.report(n)
	if r == nil {
		b.unseen(n)
		return
	}
	h := r.Host
	if h.Uptime.Known {
		n.bootedAt = b.w.now.Add(-h.Uptime.Value)
		n.bootDone = n.bootedAt
	}
	if h.ClockOffset.Known {
		n.offset = h.ClockOffset.Value
	}
	if h.Version.Known && h.Version.Value != n.version {
		n.install(h.Version.Value)
	}
	if h.MemoryKills.Known && h.MemoryKills.Value.Count > 0 {
		n.oomKills = h.MemoryKills.Value.Count
		n.kmsg("Killed process %s total-vm:0kB, anon-rss:0kB, file-rss:0kB, shmem-rss:0kB", h.MemoryKills.Value.Victim)
	}
	if h.Certificates.Known && len(h.Certificates.Value) > 0 {
		ends := h.Certificates.Value[0].Ends
		for _, c := range h.Certificates.Value {
			if c.Ends.Before(ends) {
				ends = c.Ends
			}
		}
		n.certify(ends.Add(-3650*24*time.Hour), ends)
	}
	for _, s := range []struct {
		seen cluster.Claim[bool]
		file string
	}{{r.Sentinels.NoStart, noStartFile}, {r.Sentinels.Unsynced, unsyncedFile}} {
		switch {
		case cluster.Is(s.seen, true) == cluster.True:
			n.write(s.file, "")
		case !s.seen.Known:
			b.assume("whether %s lies on %s is not known; here it does not", s.file, n.name)
		}
	}
}

// unseen is a node that cannot be asked.
func (b *bringing) unseen(n *node) {
	r := b.v.Report(n.name)
	switch {
	case cluster.Is(r.Reach, cluster.LoginFailed) == cluster.True:
		n.locked = true
	case cluster.Is(r.Reach, cluster.HostKeyChanged) == cluster.True, cluster.Is(r.Reach, cluster.HostKeyUnknown) == cluster.True:
		n.rekeyed = true
	case b.seenByPeers(n):
		b.w.Cut("", n.name)
	default:
		b.assume("nobody sees %s: here it is without power; whether it still writes is not known", n.name)
		n.powerOff()
		return
	}
	b.assume("%s cannot be asked: here its services run, as far as its peers do not say otherwise", n.name)
}

// seenByPeers answers whether any peer gets an answer from a node.
func (b *bringing) seenByPeers(n *node) bool {
	for _, o := range b.w.nodes {
		if o != n && b.v.SeenByPeer(n.name, o.name).Truth == cluster.True {
			return true
		}
	}
	return false
}

// disk makes the data's file system as large and as full as it was seen.
func (b *bringing) disk(n *node) {
	var seen []cluster.Disk
	if r := b.report(n); r != nil {
		seen = r.Host.Disks.Value
	}
	for _, d := range seen {
		if d.Path != varDir && d.Path != dataMount || d.Total <= 0 {
			continue
		}
		n.data.readOnly = d.Mounts && d.ReadOnly
		n.data.size = d.Total
		n.data.leave(d.Free)
		if got := n.data.free(); got < d.Free {
			n.data.size += d.Free - got // the rest of what is there takes less room than here
		}
		return
	}
	n.data.size = b.w.database + diskSize - databaseBytes
	b.assume("how much room %s has is not known; here it has %d GB", n.name, n.data.free()>>30)
}

// size makes the database as large as the largest that was seen.
func (b *bringing) size() {
	seen := int64(0)
	for _, n := range b.w.nodes {
		r := b.report(n)
		if r == nil || !r.PostgreSQL.DataBytes.Known {
			continue
		}
		wal := int64(r.PostgreSQL.Segments.Value.Count) * segmentSize
		seen = max(seen, r.PostgreSQL.DataBytes.Value-wal)
	}
	if seen <= 1<<20 {
		b.assume("how large the database is is not known; here it has %d GB", b.w.database>>30)
		return
	}
	b.w.database = seen
}

// services brings a node's services up, down, or into what keeps them from it.
func (b *bringing) services(n *node) {
	r := b.report(n)
	if r == nil {
		if n.powered {
			b.peersSay(n)
		}
		return
	}
	silent := 0
	for _, s := range n.services {
		c, ok := r.Services[s.name]
		switch {
		case !ok || !c.State.Known:
			b.assume("whether %s runs on %s is not known; here it does", s.name, n.name)
		case c.State.Value == "fail":
			silent++
		case c.State.Value == "run":
			s.since = b.w.now.Add(-c.InState.Value)
			b.fails(s, b.restarts(n, s))
			s.hung = s.fault == nil && c.InState.Value > 2*warmUp[s.name]+5*time.Second && b.mute(r, s.name)
		default:
			s.lie(b.w.now.Add(-c.InState.Value))
			s.want = cluster.Is(c.WantUp, true) == cluster.True
			b.fails(s, s.want)
		}
	}
	if n.adrift = silent > 0; n.adrift {
		b.assume("runit's supervisors are gone on %s; here all services that answer run on", n.name)
	}
	if cluster.Is(r.Etcd.Writable, false) == cluster.True {
		n.etcdLocked = true
	}
}

// lie puts a service down without the sounds of a stop.
func (s *service) lie(since time.Time) {
	s.vanish()
	s.since, s.tryAt = since, s.n.w.now
	switch s.name {
	case "etcd":
		s.n.etcd.stopped()
	case "leaderl":
		s.n.leaderl.stopped()
	case "postgresql":
		s.n.pg.gone()
	case "elasticsearch":
		s.n.es.stopped()
	}
}

// restarts answers whether a service was seen to start again and again.
func (b *bringing) restarts(n *node, s *service) bool {
	f, ok := cluster.LookupFact("service-restarts")
	return ok && f.Ask(b.v, cluster.Binding{Node: n.name, Args: []string{s.name}}).Truth == cluster.True
}

// fails lets every start of a service fail, as it was seen to.
func (b *bringing) fails(s *service, does bool) {
	if !does {
		return
	}
	s.fault = &breakage{lives: 900 * time.Millisecond, stuck: true, lines: b.said(s)}
	if s.up {
		s.doomed = s.fault
	}
	b.assume("why %s does not stay up on %s is not known; here something is in its way that a restart by chef-backend-ctl removes", s.name, s.n.name)
}

// said is what a service that does not stay up logs at its end: what was
// recognised in its log last.
func (b *bringing) said(s *service) []string {
	var lines []string
	for _, g := range b.v.Signs {
		if g.Node == s.n.name && g.Service == s.name && b.v.Now.Sub(g.Last) < time.Minute && g.Example != "" {
			lines = append(lines, g.Example)
		}
	}
	if len(lines) == 0 {
		lines = []string{"simulated: the start fails, as it does on the cluster; why is not known"}
	}
	return lines
}

// mute answers whether a service that runs gave no answer on its port.
func (b *bringing) mute(r *cluster.Report, service string) bool {
	switch service {
	case "etcd":
		return cluster.Is(r.Etcd.Answers, false) == cluster.True
	case "leaderl":
		return cluster.Is(r.Leaderl.Answers, false) == cluster.True
	case "postgresql":
		return cluster.Is(r.PostgreSQL.Ready, 2) == cluster.True && r.PostgreSQL.Postmaster.Value > 0
	case "elasticsearch":
		return cluster.Is(r.Elasticsearch.Answers, false) == cluster.True
	}
	return false
}

// peersSay takes down what peers are refused by, on a node that cannot be asked.
func (b *bringing) peersSay(n *node) {
	for service, port := range map[string]int{"leaderl": portLeaderl, "etcd": portEtcdPeer, "postgresql": portPostgres} {
		for _, o := range b.w.nodes {
			r := b.report(o)
			if o == n || r == nil {
				continue
			}
			if c := r.Peers[n.address]; c.Known && c.Value.Ports[port] == Refused {
				s := n.service(service)
				if s.up {
					s.lie(b.w.now.Add(-time.Minute))
					s.want = false
				}
			}
		}
	}
}

// network cuts what was seen not to reach one another, and filters ports.
func (b *bringing) network() {
	for _, from := range b.w.nodes {
		r := b.report(from)
		if r == nil {
			continue
		}
		for _, to := range b.w.nodes {
			c := r.Peers[to.address]
			switch {
			case to == from || !to.powered:
			case !c.Known:
				b.assume("whether %s reaches %s is not known; here it does", from.name, to.name)
			default:
				b.ports(from, to, c.Value)
			}
		}
	}
}

func (b *bringing) ports(from, to *node, seen cluster.PeerSeen) {
	silent := 0
	for _, port := range cluster.PeerPorts {
		if seen.Ports[port] == Timeout {
			silent++
		}
	}
	if silent == len(cluster.PeerPorts) {
		b.w.Cut(from.name, to.name)
		return
	}
	for _, port := range cluster.PeerPorts {
		if seen.Ports[port] == Timeout {
			b.w.filter(from, to, port, true)
		}
	}
}

// search brings the one index of Elasticsearch into its state.
func (b *bringing) search() {
	up := 0
	color := ""
	for _, n := range b.w.nodes {
		r := b.report(n)
		if r == nil {
			continue
		}
		if cluster.Is(r.Elasticsearch.Answers, true) == cluster.True {
			up++
		}
		if r.Elasticsearch.Status.Known && cluster.Is(r.Elasticsearch.Nodes, len(b.w.nodes)) == cluster.True { // else nodes are missing, not copies
			color = r.Elasticsearch.Status.Value
		}
		if r.Elasticsearch.ReadOnly.Known && len(r.Elasticsearch.ReadOnly.Value) > 0 {
			b.w.index.readOnly = true
		}
	}
	if up == len(b.w.nodes) && (color == "red" || color == "yellow") {
		on := b.w.nodes[len(b.w.nodes)-1]
		b.w.index.primaryLost, b.w.index.replicaLost, b.w.index.on = color == "red", color == "yellow", on
		b.assume("the search index is %s; which node's copy of it fails is not known, here that of %s", color, on.name)
	}
	b.w.stepElastic()
}

// title is a node with its address, for a sentence.
func (n *node) title() string { return fmt.Sprintf("%s (%s)", n.name, n.address) }
