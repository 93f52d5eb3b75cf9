package watch

import (
	"maps"
	"slices"
	"time"

	"chef-backend-cockpit/cluster"
)

// Bounds of the past: what rates, flapping and durations need.
const (
	electionsFor = 15 * time.Minute
	samplesKept  = 60
)

// past is the bounded history that facts may ask about.
type past struct {
	h       cluster.Past
	elected string // the newest elected leader; "" for nobody
	settled bool   // somebody or nobody was known before
	seen    map[string]uint64
}

// newPast is an empty past.
func newPast() past {
	return past{
		h:    cluster.Past{Samples: map[string][]cluster.Sample{}, LastSeen: map[string]cluster.LastSeen{}},
		seen: map[string]uint64{},
	}
}

// copy is a past that later rounds do not change.
func (p *past) copy() cluster.Past {
	h := p.h
	h.Elections = slices.Clone(h.Elections)
	h.Terms = slices.Clone(h.Terms)
	h.Samples = maps.Clone(h.Samples) // the slices in it are replaced, never written
	h.LastSeen = maps.Clone(h.LastSeen)
	return h
}

// learn adds what one round has shown.
func (p *past) learn(v *cluster.View) {
	if p.h.Since.IsZero() {
		p.h.Since = v.Now
	}
	p.learnElection(v)
	p.learnTerm(v)
	if v.Apart() {
		p.h.Apart = v.Now
	}
	leader := v.Elected()
	for _, n := range v.Snapshot.Nodes {
		r := v.Report(n.Name)
		if r == nil || r.Seq == p.seen[n.Name] {
			continue
		}
		p.seen[n.Name] = r.Seq
		s := sampleOf(v, r, leader)
		kept := p.h.Samples[n.Name]
		if len(kept) >= samplesKept {
			kept = kept[len(kept)-samplesKept+1:]
		}
		p.h.Samples[n.Name] = append(slices.Clone(kept), s)
		p.learnPosition(r, s)
	}
}

// learnElection notes that another node is elected, or nobody any more.
func (p *past) learnElection(v *cluster.View) {
	e := v.Elected()
	now := ""
	switch e.Truth {
	case cluster.Unknown:
		return
	case cluster.True:
		now = e.Node
	}
	if p.settled && now != p.elected {
		p.h.Elections = append(p.h.Elections, cluster.Election{At: v.Now, From: p.elected, To: now})
	}
	p.elected, p.settled = now, true
	for len(p.h.Elections) > 0 && v.Now.Sub(p.h.Elections[0].At) > electionsFor {
		p.h.Elections = p.h.Elections[1:]
	}
}

// learnTerm notes a raft term that was not seen before.
func (p *past) learnTerm(v *cluster.View) {
	var term uint64
	for _, r := range v.Snapshot.Reports {
		if r.Etcd.RaftTerm.Known {
			term = max(term, r.Etcd.RaftTerm.Value)
		}
	}
	if n := len(p.h.Terms); term > 0 && (n == 0 || term > p.h.Terms[n-1].Term) {
		p.h.Terms = append(p.h.Terms, cluster.TermSeen{At: v.Now, Term: term})
	}
	for len(p.h.Terms) > 1 && v.Now.Sub(p.h.Terms[0].At) > electionsFor {
		p.h.Terms = p.h.Terms[1:]
	}
}

// sampleOf keeps of a report what rates and durations are made of.
func sampleOf(v *cluster.View, r *cluster.Report, leader cluster.Elected) cluster.Sample {
	s := cluster.Sample{
		Began: r.Began, At: r.Ended, Reach: r.Reach.Value, PIDs: map[string]int{}, Failed: map[string]time.Time{},
		EtcdHealth: cluster.Is(r.Etcd.Health, true), InRecovery: cluster.Is(r.PostgreSQL.InRecovery, true),
		Postmaster: r.PostgreSQL.Postmaster.Value, LeaderCode: r.Leaderl.LeaderCode.Value,
		Ready: -1, BeganUptime: r.Host.Uptime.Value, DataBytes: r.PostgreSQL.DataBytes.Value,
	}
	for name, svc := range r.Services {
		if svc.PID.Known {
			s.PIDs[name] = svc.PID.Value
		}
		if at, ok := svc.FailedAt(); ok {
			s.Failed[name] = at
		}
	}
	if r.PostgreSQL.Ready.Known {
		s.Ready = r.PostgreSQL.Ready.Value
	}
	s.Recovering = r.PostgreSQL.Recovering.Value
	s.ESAnswers = cluster.Is(r.Elasticsearch.Answers, true)
	s.Position = position(r)
	// Positions of two branches cannot be subtracted. Who streams from the leader
	// is on its branch, though its control data tell the old timeline until the
	// next restartpoint.
	here := cluster.Binding{Node: r.Node}
	apart := cluster.Question{Fact: "diverged"}.Ask(v, here).Truth == cluster.True &&
		cluster.Question{Fact: "streams-from-leader"}.Ask(v, here).Truth != cluster.True
	if leader.Truth == cluster.True && !apart {
		if l := v.Report(leader.Node); l != nil && l.PostgreSQL.Current.Known && s.Position > 0 {
			s.LagBytes, s.LagKnown = max(0, int64(l.PostgreSQL.Current.Value)-int64(s.Position)), true
		}
	}
	return s
}

// position is how far a node's copy is, by what it answers itself; 0 unknown.
func position(r *cluster.Report) cluster.LSN {
	p := r.PostgreSQL
	switch {
	case cluster.Is(p.InRecovery, false) == cluster.True && p.Current.Known:
		return p.Current.Value
	case cluster.Is(p.InRecovery, true) == cluster.True && p.Replay.Known:
		return max(p.Replay.Value, p.Receive.Value)
	case p.EndOfWAL.Known:
		return p.EndOfWAL.Value
	}
	return 0
}

// learnPosition keeps the newest position ever seen of a node.
func (p *past) learnPosition(r *cluster.Report, s cluster.Sample) {
	if s.Position == 0 {
		return
	}
	p.h.LastSeen[r.Node] = cluster.LastSeen{
		At: r.Ended, Position: s.Position,
		Timeline: r.Timeline(), Leader: s.InRecovery == cluster.False,
	}
}
