package recovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// leap is a clock that moves only when somebody waits, and then at once.
type leap struct {
	mu  sync.Mutex
	now time.Time
}

func (c *leap) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *leap) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	ch := make(chan time.Time, 1)
	ch <- c.now
	return ch
}

// nodeState is an invented node.
type nodeState struct {
	role                        string
	down                        map[string]bool // services
	ready                       int             // pg_isready
	recovery, noStart, unsynced bool
	streams, unreachable        bool
	machine, boot               string
	timeline                    uint32
	end                         cluster.LSN
	frozen                      bool     // gives no new looks
	data                        int64    // bytes of its data directory; 0: those of a whole copy
	blind                       bool     // its copy cannot be read
	silent                      int      // looks at which its PostgreSQL does not answer in time, from the next one on
	etcdMute                    bool     // nobody tells how its etcd is
	rowName                     string   // in cluster-status; "" for its own
	addresses                   []string // its own; nil: they are not told
}

// world is three invented nodes behind the executor's options.
type world struct {
	t     *testing.T
	clock cluster.Clock

	mu        sync.Mutex
	nodes     map[string]*nodeState
	looks     map[string]*cluster.Report // newest report by node
	fetched   int                        // looks that were asked for
	ran       []string                   // "be3: command", in order
	folders   map[string]*folder
	exits     map[string]int    // by a part of the command: fails with this status, changes nothing
	cut       map[string]string // by a part of the command: how its session breaks
	records   []string          // kinds, in order
	kept      []any             // what was recorded, in order
	extra     []cluster.Procedure
	heard     *sync.Cond       // of mu: a state was published
	refuse    map[string]error // by kind: what the journal answers
	turns     int              // how often a node refuses since PostgreSQL answers by now
	before    func()           // called before the look of a step's session
	during    func()           // called while a command is at work
	reap      func()           // called between the end of a terminal's output and its exit status
	writing   func(any)        // called before something is recorded
	answers   func([]string)   // called before what was looked up is answered
	states    []cluster.PlanState
	readOnly  bool
	rehearses bool // its executor rehearses
	// slowHangs: looks come without what only the slow one tells; it stays as old
	// as it is.
	slowHangs  bool
	recognise  func([][]byte) string
	approval   string // a part of the command that does nothing without a terminal
	lock       invented
	holder     cluster.LockHolder // that the looks tell; zero for nobody
	working    string             // node on which a step of somebody runs
	noTerminal bool               // a terminal cannot be opened
	idle       int                // exit status of a terminal whose command never begins; 0: it begins
	foreign    bool               // a step's folder cannot be read when it is looked up
	acts       []act
	lasting    time.Duration   // how long each command is at work
	told       map[string]told // how each node was when it was last looked at
	life       int             // of which cockpit, where several follow one another
	seq        int             // of what is typed and what runs
}

// act is a command that ran, as its node knows of it.
type act struct {
	node, command, plan, folder string
	began, until                time.Time
	life, seq                   int
	told                        map[string]told
}

// told is how a node was when it was last looked at.
type told struct {
	at      time.Time
	state   nodeState
	streams map[string]bool // which nodes then streamed from somewhere
}

// folder is a step's folder on a node.
type folder struct {
	output string
	exit   string // "" while unknown
	ready  bool   // for a terminal, that has not begun
	token  string
	run    string // the command
	gone   bool   // the process is no more
	boot   string // of the node when it began
	until  time.Time
}

var order = []string{"be1", "be2", "be3"}

const start = cluster.LSN(0x16F3_2D0A1B28)

func newWorld(t *testing.T) *world {
	w := &world{
		t: t, clock: &leap{now: time.Date(2026, 11, 23, 2, 41, 5, 0, time.UTC)},
		nodes: map[string]*nodeState{}, looks: map[string]*cluster.Report{}, folders: map[string]*folder{},
		exits: map[string]int{}, cut: map[string]string{}, refuse: map[string]error{}, told: map[string]told{},
	}
	w.heard = sync.NewCond(&w.mu)
	for i, n := range order {
		w.nodes[n] = &nodeState{role: "follower", down: map[string]bool{}, recovery: true, streams: true,
			machine: fmt.Sprintf("machine-%d", i+1), boot: "boot-1", timeline: 88, end: start, addresses: []string{fmt.Sprintf("10.0.4.1%d", i+1), "192.168.7.1"}}
	}
	be1 := w.nodes["be1"]
	be1.role, be1.recovery, be1.streams = "leader", false, false
	return w
}

// leaderless makes nobody lead: all wait, be1 was deposed.
func (w *world) leaderless() {
	for _, n := range w.nodes {
		n.role, n.recovery, n.streams = "waiting_for_leader", true, false
	}
	be1 := w.nodes["be1"]
	be1.role, be1.noStart, be1.ready, be1.down["postgresql"] = "deposed_leader", true, 2, true
}

// executor is one over the world, with the product's catalogue.
func (w *world) executor() *Executor {
	x := w.open()
	w.t.Cleanup(x.Close)
	return x
}

// open is executor without an end: it is the caller's to close.
func (w *world) open() *Executor {
	hosts := map[string]remote.Host{}
	for _, n := range order {
		hosts[n] = &fakeHost{w: w, node: n}
	}
	ids := 0
	x := New(Options{
		Procedures: append(catalogue(w.t), w.extra...), Operator: "ann@bastion", Cluster: "invented", Recognise: w.recognise, Hosts: hosts, Clock: w.clock, Recorder: w, View: w.view, Fresh: w.fresh,
		WithReport: withReport, Probe: "look() { :; }", ReadOnly: w.readOnly, Rehearses: w.rehearses,
		ParseLook: func(node string, _ []byte, began, _ time.Time, _ remote.Link) (*cluster.Report, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			r := w.report(node)
			r.Began = began
			if w.slowHangs {
				r.Ctl, r.Host.Disks, r.Peers = cluster.CtlClaims{}, cluster.Claim[[]cluster.Disk]{}, nil
				r.Host.Addresses = cluster.Claim[[]string]{}
			}
			return r, nil
		},
		Publish: func(p cluster.PlanState) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.states = append(w.states, p)
			w.heard.Broadcast()
		},
		NewID: func() string { ids++; return fmt.Sprintf("0000000%d", ids) },
	})
	x.lock = &w.lock
	x.armed.set(w.clock.Now().Add(10000 * time.Hour)) // for as long as the test, whose clock leaps
	return x
}

func (w *world) Record(kind string, data any) error {
	if w.writing != nil {
		w.writing(data)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.refuse[kind]; err != nil {
		return err
	}
	w.records = append(w.records, kind)
	w.kept = append(w.kept, data)
	return nil
}

func withReport(v *cluster.View, r *cluster.Report) *cluster.View {
	s := *v.Snapshot
	s.Reports = maps.Clone(s.Reports)
	s.Reports[r.Node] = r
	c := *v
	c.Snapshot = &s
	return &c
}

func (w *world) fresh(_ context.Context, node string, _ time.Time, _ bool) (*cluster.Report, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.nodes[node].frozen {
		return nil, errors.New("no look")
	}
	w.fetched++
	old := w.looks[node]
	w.looks[node] = w.report(node)
	if w.slowHangs && old != nil {
		w.looks[node].Ctl, w.looks[node].Host.Disks, w.looks[node].Peers = old.Ctl, old.Host.Disks, old.Peers
		w.looks[node].Host.Addresses = old.Host.Addresses
	}
	return w.looks[node], nil
}

// lookAll looks at every node anew.
func (w *world) lookAll() {
	for _, n := range order {
		w.looks[n] = w.report(n)
	}
}

func (w *world) view() *cluster.View {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := &cluster.Snapshot{Seq: 1, At: w.clock.Now(), Reports: map[string]*cluster.Report{}}
	for i, n := range order {
		s.Nodes = append(s.Nodes, cluster.Node{Name: n, Address: fmt.Sprintf("10.0.4.1%d", i+1)})
		if w.looks[n] == nil {
			w.looks[n] = w.report(n)
		}
		s.Reports[n] = w.looks[n]
	}
	return &cluster.View{Now: s.At, Snapshot: s, Previous: s}
}

// known is a claim of now.
func known[T any](w *world, v T, s cluster.Source) cluster.Claim[T] {
	return cluster.KnownAs(v, s, w.clock.Now())
}

// report is what a look at a node would say. Callers hold the lock.
func (w *world) report(node string) *cluster.Report {
	n, now := w.nodes[node], w.clock.Now()
	seen := told{at: now, state: *n, streams: map[string]bool{}}
	seen.state.down = maps.Clone(n.down)
	for name, other := range w.nodes {
		seen.streams[name] = other.streams && !other.unreachable
	}
	w.told[node] = seen
	r := &cluster.Report{Node: node, Began: now, Ended: now}
	if n.unreachable {
		r.Reach = known(w, cluster.Unreachable, cluster.SourceReach)
		return r
	}
	r.Reach = known(w, cluster.Reached, cluster.SourceReach)
	r.Host.HostName = known(w, node, cluster.SourceHost)
	r.Host.MachineID = known(w, n.machine, cluster.SourceHost)
	r.Host.BootID = known(w, n.boot, cluster.SourceHost)
	r.Host.Version = known(w, "2.3.16", cluster.SourceHost)
	r.Host.Addresses = cluster.UnknownAs[[]string]("invented: no answer", cluster.SourceHost, now)
	if n.addresses != nil {
		r.Host.Addresses = known(w, n.addresses, cluster.SourceHost)
	}
	r.Host.Disks = known(w, []cluster.Disk{{Path: "/var/opt", Total: 500 << 30, Free: 200 << 30}}, cluster.SourceHost)
	r.Services = map[string]cluster.ServiceClaims{}
	for _, s := range cluster.Services {
		state := "run"
		if n.down[s] {
			state = "down"
		}
		r.Services[s] = cluster.ServiceClaims{State: known(w, state, cluster.SourceRunit), PID: known(w, 4000, cluster.SourceRunit),
			InState: known(w, time.Hour, cluster.SourceRunit), WantUp: known(w, !n.down[s], cluster.SourceRunit)}
	}
	r.Etcd.Health = known(w, !n.down["etcd"], cluster.SourceEtcd)
	if n.etcdMute {
		r.Etcd.Health = cluster.UnknownAs[bool]("invented: no answer", cluster.SourceEtcd, now)
	}
	r.Elasticsearch.Answers = known(w, !n.down["elasticsearch"], cluster.SourceElasticsearch)
	r.Elasticsearch.Status = known(w, "green", cluster.SourceElasticsearch)
	r.Leaderl.LeaderCode = known(w, map[bool]int{true: 200, false: 503}[n.role == "leader"], cluster.SourceLeaderl)
	if n.down["leaderl"] {
		r.Leaderl.LeaderCode = known(w, 0, cluster.SourceLeaderl)
	}
	r.Lock.Held = known(w, w.holder.Who != "", cluster.SourceHost)
	r.Lock.Holder = known(w, w.holder, cluster.SourceHost)
	r.Lock.Step = known(w, cluster.StepSeen{Plan: "7f3a0001", Step: "1-copy", Running: cluster.TruthOf(w.working == node)}, cluster.SourceHost)
	r.Sentinels = cluster.SentinelClaims{NoStart: known(w, n.noStart, cluster.SourceSentinel), Unsynced: known(w, n.unsynced, cluster.SourceSentinel)}
	w.postgresql(n, &r.PostgreSQL)
	w.ctl(r)
	return r
}

func (w *world) postgresql(n *nodeState, p *cluster.PostgreSQLClaims) {
	const from = cluster.SourcePostgreSQL
	p.Ready = known(w, n.ready, from)
	p.SyncProc = known(w, "", from)
	p.Postmaster = known(w, map[bool]int{true: 0, false: 5000}[n.ready == 2], from)
	state := "in archive recovery"
	if n.ready == 2 {
		state = "shut down in recovery"
		p.EndOfWAL = known(w, n.end, from)
	} else {
		if n.silent > 0 {
			n.silent--
			p.InRecovery = cluster.UnknownAs[bool]("invented: no answer within 1.1 s", from, w.clock.Now())
		} else {
			p.InRecovery = known(w, n.recovery, from)
		}
		p.Receive, p.Replay = known(w, n.end, from), known(w, n.end, from)
		if !n.recovery {
			p.Current = known(w, n.end, from)
		}
	}
	p.Control = known(w, cluster.ControlData{SystemID: "6401", State: state, Timeline: n.timeline, Checkpoint: n.end - 4096}, from)
	if n.blind {
		p.Control = cluster.UnknownAs[cluster.ControlData]("invented: no answer", from, w.clock.Now())
	}
	newest := fmt.Sprintf("%08X%s", n.timeline, n.end.Segment())
	p.Segments = known(w, cluster.Segments{Oldest: newest, Newest: newest, Count: 1}, from)
	p.Histories = known(w, []cluster.History{{Timeline: n.timeline, Switches: []cluster.Switch{{Parent: n.timeline - 1, At: start - 1<<30}}}}, from)
	p.Upstream = known(w, "10.0.4.11", from)
	p.DataBytes = known(w, cmp.Or(n.data, 58_000_000_000), from)
	var replicas []cluster.Replica
	for i, name := range order {
		if w.nodes[name].streams && !w.nodes[name].unreachable {
			replicas = append(replicas, cluster.Replica{Address: fmt.Sprintf("10.0.4.1%d", i+1), State: "streaming"})
		}
	}
	p.Replicas = known(w, replicas, from)
}

// ctl fills cluster-status and what the node sees of its peers.
func (w *world) ctl(r *cluster.Report) {
	var rows []cluster.CtlNode
	r.Peers = map[string]cluster.Claim[cluster.PeerSeen]{}
	for i, name := range order {
		n, address := w.nodes[name], fmt.Sprintf("10.0.4.1%d", i+1)
		called := cmp.Or(n.rowName, name)
		rows = append(rows, cluster.CtlNode{Name: called, IP: address, Role: n.role, Eligible: cluster.TruthOf(!n.unsynced),
			Blocked: cluster.False, Failover: cluster.True})
		how := map[bool]string{true: "timeout", false: "open"}[n.unreachable]
		r.Peers[address] = known(w, cluster.PeerSeen{Ports: map[int]string{22: how, 2380: how, 5432: how, 7331: how}}, cluster.SourcePeer)
	}
	r.Ctl.Rows = known(w, rows, cluster.SourceCtl)
	r.Ctl.Failover = known(w, true, cluster.SourceCtl)
}
