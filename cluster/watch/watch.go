// Package watch turns the circle: reports of the nodes become snapshots, views
// and findings; plans are bound, confirmed and carried out; the journal hears
// every transition. It is the one door for the screen and the one-shot
// commands, and the only package that knows its sisters.
package watch

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/cluster/failure"
	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/cluster/logs"
	"chef-backend-cockpit/cluster/observe"
	"chef-backend-cockpit/cluster/recovery"
	"chef-backend-cockpit/remote"
)

// Periods of the two looks on the injected clock (design of the probe: a fast
// look is cheap, a slow one starts the product's Ruby).
const (
	FastEvery = 2 * time.Second
	SlowEvery = 30 * time.Second
)

// Options say what to watch and with what.
type Options struct {
	Cluster    string // name on the screen
	Stamp      string // environment stamp; "" for none
	StampColor string
	Nodes      []cluster.Node // fixed order
	Hosts      map[string]remote.Host
	Clock      cluster.Clock
	Catalogue  *catalogue.Catalogue
	ReadOnly   bool
	Logs       bool   // follow the logs
	JournalDir string // where incidents are written; "" for none: acting is refused then
	TakeUp     bool   // plans of this cluster that a cockpit left without an end are taken up
	// AroundRecord stands around every record that a plan writes, which it has
	// to call; tests let a cockpit die there. nil: nothing does.
	AroundRecord  func(kind string, data any, record func() error) error
	PositionsFile string // where the positions in the logs are kept; "" for nowhere
	MarksFile     string // where marks of nodes are kept; "" for in memory alone
	Amiss         string // shown as a standing message: what was left out at the start; "" for nothing
	Operator      string // who sits here, for marks and the journal: user@host
	// Simulate makes a simulation in the state of a view, for a rehearsal; nil
	// where none can be had. See Simulated.
	Simulate func(ctx context.Context, v *cluster.View) (*Simulated, error)

	rehearsal *rehearsing // set for the watch over a simulation: nothing is written then
}

// Watch is one cockpit's circle. All methods are safe for concurrent use.
type Watch struct {
	o         Options
	observers map[string]*observe.Observer
	engine    *failure.Engine
	executor  *recovery.Executor
	logs      *logs.Logs // nil without logs
	diary     *diary
	marks     *marks
	neighbour neighbour
	questions questions

	mu       sync.Mutex
	reports  map[string]*cluster.Report
	pending  map[string]bool // nodes with a report since the last round
	seq      uint64
	stateSeq uint64
	last     *cluster.Snapshot // of the last round
	previous *cluster.Snapshot
	calm     calm
	past     past
	due      suspicion
	hurried  hurried
	findings []cluster.Finding
	ended    *LastFinding
	plans    []cluster.PlanState
	hour     hour
	left     []Notice    // of plans that could not be taken up
	rehearse *rehearsal  // the open one; nil for none
	gone     bool        // the cockpit is being left: none is opened any more
	read     atomic.Bool // what was left is known: something may be begun

	state    atomic.Pointer[State]
	reported chan struct{} // a report came in
	changed  chan struct{} // for the screen
	wait     sync.WaitGroup
	ending   sync.WaitGroup // what waits for the others
	cancel   context.CancelFunc
}

// New prepares a watch; nothing is asked before Start.
func New(o Options) (*Watch, error) {
	w := &Watch{
		o:         o,
		observers: map[string]*observe.Observer{},
		engine:    failure.NewEngine(o.Catalogue.Failures),
		reports:   map[string]*cluster.Report{},
		pending:   map[string]bool{},
		past:      newPast(),
		marks:     newMarks(o.MarksFile, o.Operator),
		reported:  make(chan struct{}, 1),
		changed:   make(chan struct{}, 1),
	}
	w.neighbour = neighbour{dir: o.JournalDir, cluster: o.Cluster, run: w.run, wake: w.publish}
	w.diary = newDiary(nil)
	if o.JournalDir != "" {
		w.diary = newDiary(journal.New(o.JournalDir, o.Clock, o.Cluster).Stamped(o.Stamp))
	}
	for _, n := range o.Nodes {
		w.observers[n.Name] = observe.New(observe.Options{
			Node: n, Peers: w.peersOf(n.Name), Strangers: w.strangersTo(n.Name), Host: o.Hosts[n.Name], Clock: o.Clock,
			FastEvery: FastEvery, SlowEvery: SlowEvery, Publish: w.take,
		})
	}
	if o.Logs {
		l, err := logs.New(logs.Options{
			Nodes: o.Nodes, Host: func(node string) remote.Host { return o.Hosts[node] }, Clock: o.Clock,
			Signs: o.Catalogue.Signs, Offset: w.clockOffset, RingBytes: 32 << 20, Changed: w.wake, Keep: o.PositionsFile,
		})
		if err != nil {
			return nil, fmt.Errorf("signs of the catalogue: %w", err)
		}
		w.logs = l
	}
	recognise, err := recogniser(o.Catalogue)
	if err != nil {
		return nil, fmt.Errorf("signs of the catalogue: %w", err)
	}
	w.executor = recovery.New(recovery.Options{
		Procedures: o.Catalogue.Procedures, Hosts: o.Hosts, Clock: o.Clock, Recorder: w.recorder(),
		View: w.View, Fresh: w.fresh, WithReport: withReport,
		Probe: observe.Probe(), ParseLook: observe.ParseLook,
		ReadOnly: o.ReadOnly, Cluster: o.Cluster, Publish: w.planChanged, NewID: newID,
		Operator: o.Operator, Recognise: recognise, Rehearses: o.rehearsal != nil,
	})
	w.read.Store(!w.resumes())
	w.publish()
	return w, nil
}

// Start begins to look. It returns at once; Close ends everything.
func (w *Watch) Start(ctx context.Context) {
	ctx, w.cancel = context.WithCancel(ctx)
	w.run(func() { w.circle(ctx) })
	if w.resumes() {
		w.run(func() { w.takeUp(ctx) })
	}
	for _, o := range w.observers {
		w.run(func() { o.Run(ctx) })
	}
	if w.logs != nil {
		w.run(func() { w.logs.Run(ctx) })
	}
}

// run starts a goroutine that Close waits for.
func (w *Watch) run(f func()) {
	w.wait.Add(1)
	go func() {
		defer remote.Guard()
		defer w.wait.Done()
		f()
	}()
}

// deadNodes is how long what was asked of nodes may take to end before the
// incident is closed all the same, on the real clock.
const deadNodes = 400 * time.Millisecond

// Close ends looking and following and closes the incident; a detached step
// goes on at its node. What does not end at once, on a node that is dead, does
// not keep the incident from being closed. The hosts belong to the caller.
func (w *Watch) Close() error {
	if w.cancel != nil {
		w.cancel()
	}
	w.diary.hurry()
	w.endRehearsal()
	ended, all := context.WithCancel(context.Background())
	w.ending.Go(func() {
		defer remote.Guard()
		defer all()
		w.executor.Close()
		w.wait.Wait()
	})
	short, cancel := context.WithTimeout(ended, deadNodes)
	defer cancel()
	<-short.Done()
	err := w.diary.close("the cockpit was left")
	w.ending.Wait()
	return err
}

// peersOf lists the other nodes, with the addresses that are known by now.
func (w *Watch) peersOf(name string) func() []cluster.Node {
	return func() []cluster.Node {
		var peers []cluster.Node
		for _, n := range w.o.Nodes {
			if n.Name != name {
				peers = append(peers, n)
			}
		}
		return peers
	}
}

// strangersTo are the peers of a node that cannot be looked at from here.
func (w *Watch) strangersTo(name string) func() []cluster.Node {
	peers := w.peersOf(name)
	return func() []cluster.Node {
		w.mu.Lock()
		defer w.mu.Unlock()
		return slices.DeleteFunc(peers(), func(n cluster.Node) bool {
			return !isStranger(w.reports[n.Name])
		})
	}
}

// clockOffset is the newest known offset of a node's clock; 0 while unknown.
func (w *Watch) clockOffset(node string) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r := w.reports[node]; r != nil && r.Host.ClockOffset.Known {
		return r.Host.ClockOffset.Value
	}
	return 0
}

// take accepts a report of an observer; an older one never replaces a newer.
func (w *Watch) take(r *cluster.Report) {
	w.mu.Lock()
	old := w.reports[r.Node]
	fresh := old == nil || r.Seq > old.Seq
	if fresh {
		w.reports[r.Node] = r
		w.pending[r.Node] = true
	}
	w.mu.Unlock()
	if fresh && isStranger(r) && !isStranger(old) {
		w.askOthers(r.Node)
	}
	signal(w.reported)
}

// isStranger answers whether a node is known to be out of our own reach.
func isStranger(r *cluster.Report) bool {
	return r != nil && r.Reach.Known && r.Reach.Value != cluster.Reached
}

// askOthers asks the other nodes at once what they hear of one that has just
// gone out of reach.
func (w *Watch) askOthers(node string) {
	for name, o := range w.observers {
		if name != node {
			o.SlowNow()
		}
	}
}

// wake tells the screen that there is something new.
func (w *Watch) wake() { signal(w.changed) }

// signal leaves one token; a second one is not needed.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// newID makes a plan's id: 8 hex digits.
func newID() string {
	var b [4]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}
