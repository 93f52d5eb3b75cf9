package cluster_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// stage is a hand-made cluster of three nodes, be1 leading, on which tests
// change claims and let looks go by. All its values are invented.
type stage struct {
	now     time.Time
	seq     uint64
	reports map[string]*cluster.Report // what the next look will say
	slowOld bool                       // slow claims are not read again
	every   time.Duration              // between two looks; 2 s unless longer
	view    *cluster.View
	elected string
}

const (
	addressBe1 = "10.0.4.11"
	addressBe2 = "10.0.4.12"
	addressBe3 = "10.0.4.13"
)

var stageNodes = []cluster.Node{{Name: "be1", Address: addressBe1}, {Name: "be2", Address: addressBe2}, {Name: "be3", Address: addressBe3}}

const stageEnd cluster.LSN = 0x16F3_2D0A1B28

// newStage is a healthy cluster that was looked at for a minute.
func newStage() *stage {
	s := &stage{now: time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC), reports: map[string]*cluster.Report{}}
	s.view = &cluster.View{Past: cluster.Past{Samples: map[string][]cluster.Sample{}, LastSeen: map[string]cluster.LastSeen{}}, Maintenance: map[string]time.Time{}}
	for _, n := range stageNodes {
		s.reports[n.Name] = s.healthy(n)
	}
	s.looks(30)
	return s
}

// known makes a claim of now.
func known[T any](v T) cluster.Claim[T] { return cluster.Claim[T]{Value: v, Known: true} }

func (s *stage) healthy(n cluster.Node) *cluster.Report {
	leads := n.Name == "be1"
	r := &cluster.Report{Node: n.Name, Reach: known(cluster.Reached), Services: map[string]cluster.ServiceClaims{}, Peers: map[string]cluster.Claim[cluster.PeerSeen]{}}
	r.Host.Uptime = known(100 * time.Hour)
	for i, name := range cluster.Services {
		r.Services[name] = service("run", 1000+i, time.Hour)
	}
	r.Etcd = cluster.EtcdClaims{Health: known(true), MemberName: known(n.Name), RaftLeader: known("be3"),
		Members: known([]cluster.EtcdMember{{Name: "be1"}, {Name: "be2"}, {Name: "be3"}})}
	r.Elasticsearch.Answers, r.Elasticsearch.Status = known(true), known("green")
	r.Sentinels = cluster.SentinelClaims{NoStart: known(false), Unsynced: known(false)}
	r.Ctl.Failover = known(true)
	r.Ctl.Rows = known(slices.Clone(stageRows()))
	p := &r.PostgreSQL
	p.Ready, p.InRecovery, p.Postmaster, p.SyncProc = known(0), known(!leads), known(2000), known("")
	p.Control = known(cluster.ControlData{SystemID: "1", Timeline: 88})
	p.Histories = known([]cluster.History{{Timeline: 88, Switches: []cluster.Switch{{Parent: 87, At: 0x16F3_20000000}}}})
	p.Segments = known(cluster.Segments{Oldest: "00000058000016F300000010", Newest: "00000058000016F30000002D", Count: 32})
	r.Leaderl.LeaderCode, r.Settings.RequiredFollowers = known(503), known(0)
	if leads {
		r.Leaderl.LeaderCode = known(200)
		p.Current = known(stageEnd)
		p.Replicas = known([]cluster.Replica{{Address: addressBe2, State: "streaming", Sent: stageEnd, Replay: stageEnd}, {Address: addressBe3, State: "streaming", Sent: stageEnd, Replay: stageEnd}})
	} else {
		p.Receive, p.Replay, p.Upstream, p.Replicas = known(stageEnd), known(stageEnd), known(addressBe1), known([]cluster.Replica(nil))
	}
	for _, o := range stageNodes {
		if o.Name != n.Name {
			r.Peers[o.Address] = peer("open")
		}
	}
	return r
}

func stageRows() []cluster.CtlNode {
	row := func(name, ip, role string) cluster.CtlNode {
		return cluster.CtlNode{Name: name, IP: ip, Role: role, PartiallySynced: cluster.False, Eligible: cluster.True, Blocked: cluster.False, Failover: cluster.True}
	}
	return []cluster.CtlNode{row("be1", addressBe1, "leader"), row("be2", addressBe2, "follower"), row("be3", addressBe3, "follower")}
}

func service(state string, pid int, since time.Duration) cluster.ServiceClaims {
	return cluster.ServiceClaims{State: known(state), PID: known(pid), InState: known(since), WantUp: known(true)}
}

// peer is a view of a peer in which every port fares alike.
func peer(how string) cluster.Claim[cluster.PeerSeen] {
	seen := cluster.PeerSeen{Ports: map[int]string{}}
	for _, port := range cluster.PeerPorts {
		seen.Ports[port] = how
	}
	return known(seen)
}

// at is the report of a node that the next look will give.
func (s *stage) at(node string) *cluster.Report { return s.reports[node] }

// role changes a node's row in every node's cluster-status.
func (s *stage) role(node, role string) {
	for _, r := range s.reports {
		rows := slices.Clone(r.Ctl.Rows.Value)
		for i := range rows {
			if rows[i].Name == node {
				rows[i].Role = role
			}
		}
		r.Ctl.Rows.Value = rows
	}
}

// row changes a node's row in every node's cluster-status.
func (s *stage) row(node string, change func(*cluster.CtlNode)) {
	for _, r := range s.reports {
		rows := slices.Clone(r.Ctl.Rows.Value)
		for i := range rows {
			if rows[i].Name == node {
				change(&rows[i])
			}
		}
		r.Ctl.Rows.Value = rows
	}
}

// blind makes a node unreachable from here: nothing is known of it.
func (s *stage) blind(node string, how cluster.Reach) {
	s.reports[node] = &cluster.Report{Node: node, Reach: known(how)}
}

// unseen lets a peer get no answer from a node.
func (s *stage) unseen(node, peerName string) {
	n := stageNodes[slices.IndexFunc(stageNodes, func(n cluster.Node) bool { return n.Name == node })]
	if r := s.reports[peerName]; r.Peers != nil {
		r.Peers = maps.Clone(r.Peers)
		r.Peers[n.Address] = peer("timeout")
	}
}

// powerOff takes a node away from everybody.
func (s *stage) powerOff(node string) {
	s.blind(node, cluster.Unreachable)
	for _, n := range stageNodes {
		s.unseen(node, n.Name)
	}
	lead := s.at("be1").PostgreSQL.Replicas.Value
	s.at("be1").PostgreSQL.Replicas.Value = slices.DeleteFunc(slices.Clone(lead), func(r cluster.Replica) bool { return s.addressOf(node) == r.Address })
}

func (s *stage) addressOf(node string) string {
	for _, n := range stageNodes {
		if n.Name == node {
			return n.Address
		}
	}
	return ""
}

// looks lets n rounds of fast looks go by, 2 s apart, and returns the last view.
func (s *stage) looks(n int) *cluster.View {
	for range n {
		s.look()
	}
	return s.view
}

func (s *stage) look() {
	s.now, s.seq = s.now.Add(max(s.every, 2*time.Second)), s.seq+1
	snap := &cluster.Snapshot{Seq: s.seq, At: s.now, Nodes: stageNodes, Reports: map[string]*cluster.Report{}}
	for name, r := range s.reports {
		c := *r
		c.Seq, c.Began, c.Ended = s.seq, s.now.Add(-time.Second), s.now
		if !s.slowOld {
			r.Ctl.Rows.At, c.Ctl.Rows.At = s.now, s.now
			r.Peers, c.Peers = maps.Clone(r.Peers), maps.Clone(r.Peers)
			for address, p := range r.Peers {
				p.At = s.now
				r.Peers[address], c.Peers[address] = p, p
			}
		}
		snap.Reports[name] = &c
	}
	v := *s.view
	v.Now, v.Previous, v.Snapshot = s.now, s.view.Snapshot, snap
	v.Past.Samples = maps.Clone(v.Past.Samples)
	for name, r := range snap.Reports {
		kept := v.Past.Samples[name]
		kept = append(slices.Clone(kept), stageSample(&v, r))
		v.Past.Samples[name] = kept[max(0, len(kept)-60):]
	}
	v.Past.LastSeen = maps.Clone(v.Past.LastSeen)
	for name, r := range snap.Reports {
		if sample := stageSample(&v, r); sample.Position > 0 {
			v.Past.LastSeen[name] = cluster.LastSeen{At: s.now, Position: sample.Position, Leader: sample.InRecovery == cluster.False}
		}
	}
	s.elect(&v)
	s.view = &v
}

// elect keeps the history of elections as the watch does.
func (s *stage) elect(v *cluster.View) {
	e := v.Elected()
	if e.Truth == cluster.Unknown {
		return
	}
	if e.Node != s.elected && s.seq > 2 { // the first one known is no change
		v.Past.Elections = append(slices.Clone(v.Past.Elections), cluster.Election{At: v.Now, From: s.elected, To: e.Node})
	}
	s.elected = e.Node
}

// stageSample is what a look leaves behind.
func stageSample(v *cluster.View, r *cluster.Report) cluster.Sample {
	out := cluster.Sample{Began: r.Began, At: r.Ended, Reach: r.Reach.Value, PIDs: map[string]int{}, Failed: map[string]time.Time{}, Ready: -1,
		EtcdHealth: cluster.Is(r.Etcd.Health, true), InRecovery: cluster.Is(r.PostgreSQL.InRecovery, true),
		Postmaster: r.PostgreSQL.Postmaster.Value, LeaderCode: r.Leaderl.LeaderCode.Value, ESAnswers: cluster.Is(r.Elasticsearch.Answers, true), DataBytes: r.PostgreSQL.DataBytes.Value}
	for name, c := range r.Services {
		if c.PID.Known {
			out.PIDs[name] = c.PID.Value
		}
		c.InState.At = r.Began
		if at, ok := c.FailedAt(); ok {
			out.Failed[name] = at
		}
	}
	out.Recovering = r.PostgreSQL.Recovering.Value
	if r.PostgreSQL.Ready.Known {
		out.Ready = r.PostgreSQL.Ready.Value
	}
	out.Position = max(r.PostgreSQL.Current.Value, r.PostgreSQL.Receive.Value, r.PostgreSQL.Replay.Value)
	if l := v.Snapshot.Reports["be1"]; l != nil && l.PostgreSQL.Current.Known && out.Position > 0 {
		out.LagBytes, out.LagKnown = int64(l.PostgreSQL.Current.Value)-int64(out.Position), true
	}
	return out
}

// ask asks a question as the catalogue writes it.
func ask(t *testing.T, v *cluster.View, question, node string) cluster.Answer {
	t.Helper()
	q, err := cluster.ParseQuestion(question)
	if err != nil {
		t.Fatal(err)
	}
	return q.Ask(v, cluster.Binding{Node: node})
}
