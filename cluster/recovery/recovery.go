// Package recovery binds procedures to nodes as plans, takes their
// confirmation, and carries them out. Every command that changes a node passes
// through one function here, run.act: with a confirmed plan, with guards that
// hold on a look of the same session, and with the intent on disk before it.
package recovery

import (
	"context"
	"fmt"
	"sync"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// Recorder is the journal as far as acting needs it.
type Recorder interface {
	// Record writes one record and returns when it is on disk; an error
	// refuses the act behind it.
	Record(kind string, data any) error
}

// Options are what an executor works with. All functions must be safe for
// concurrent use and not call back into the executor.
type Options struct {
	Procedures []cluster.Procedure
	Hosts      map[string]remote.Host // by node name
	Clock      cluster.Clock
	Recorder   Recorder
	// View is the newest view.
	View func() *cluster.View
	// Fresh waits for a report of the node whose fast part (and slow part)
	// was begun after a time, and for View to hold it.
	Fresh func(ctx context.Context, node string, after time.Time, slow bool) (*cluster.Report, error)
	// WithReport is a view in which r stands in the place of its node's report.
	WithReport func(v *cluster.View, r *cluster.Report) *cluster.View
	// Probe is the text that defines the shell function look.
	Probe string
	// ParseLook reads what look printed; noise may stand before it.
	ParseLook func(node string, raw []byte, began, ended time.Time, link remote.Link) (*cluster.Report, error)
	ReadOnly  bool
	// Cluster is the cluster's name, typed to arm.
	Cluster string
	// Publish hears every change of the plan at work, in order.
	Publish func(cluster.PlanState)
	// NewID makes a plan's id: 8 hex digits.
	NewID func() string
	// Operator is who sits here, for the journal: user@host.
	Operator string
	// Recognise says what the last raw lines of a failed command mean and what
	// is offered for it; "" where nothing is known. nil recognises nothing.
	Recognise func(lines [][]byte) string
	// Rehearses: the hosts are those of a simulation, and what each step brings
	// about is told as a prediction. Nothing is compared then.
	Rehearses bool
	// Base is the cockpit's folder on the nodes; "" for the stock one.
	Base string
}

// stockBase lies outside what cleanse deletes. The catalogue's commands name
// it too, for what is moved aside.
const stockBase = "/var/opt/chef-backend-cockpit"

// Limits of what is held and waited for. Waiting for the network is on the
// real clock, all else on the injected one.
const (
	heldPlans   = 16               // frozen plans at a time
	heldFor     = 15 * time.Minute // how long one may be confirmed
	lookMax     = 10 * time.Second // age of a look that guards may be judged on
	networkWait = 15 * time.Second // for fast looks and for a session to open
	slowWait    = time.Minute      // for slow looks: they start the product's Ruby, 20 s and more where it hangs, and one may be under way
)

// Executor makes plans and carries out one at a time. All methods are safe for
// concurrent use; only Plan blocks.
type Executor struct {
	o      Options
	ctx    context.Context
	cancel context.CancelFunc
	wait   sync.WaitGroup

	lock  locker
	armed armed

	// mu is never held while a view is asked for: the watch locks what makes one.
	mu     sync.Mutex
	frozen map[string]*frozen
	order  []string // ids of frozen, oldest first
	run    *run     // the plan at work; nil for none
	guide  *run     // a plan without commands that waits for a person meanwhile
	// beginning is the plan whose confirmation is being written; "" for none.
	beginning string
	stopFirst bool // it is to stop before its first step
}

// New makes an executor; it starts nothing.
func New(o Options) *Executor {
	if o.Base == "" {
		o.Base = stockBase
	}
	x := &Executor{o: o, frozen: map[string]*frozen{}}
	x.ctx, x.cancel = context.WithCancel(context.Background())
	x.lock = newLock(x)
	return x
}

// Close stops following and waits until nothing of the executor runs here. A
// detached step goes on at its node; its intent stays open in the journal.
func (x *Executor) Close() {
	x.mu.Lock() // a confirmation under way is counted in x.wait by then, or begins none
	x.cancel()
	x.mu.Unlock()
	x.wait.Wait()
}

// Stop asks the plan at work to stop before its next step. What a step has
// begun goes on. With none at work it stops a guide that waits. It never waits
// for the journal.
func (x *Executor) Stop() {
	x.mu.Lock()
	if x.beginning != "" {
		x.stopFirst = true
		x.mu.Unlock()
		return
	}
	r := x.run
	if r == nil {
		r = x.guide
	}
	x.mu.Unlock()
	if r != nil {
		r.askStop()
	}
}

// atWork finds the run of a plan.
func (x *Executor) atWork(planID string) (*run, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, r := range []*run{x.run, x.guide} {
		if r != nil && r.plan.ID == planID && r.snapshot().Ended.IsZero() {
			return r, nil
		}
	}
	return nil, fmt.Errorf("plan %s is not at work", planID)
}

// procedure finds a catalogue entry.
func (x *Executor) procedure(name string) (cluster.Procedure, error) {
	for _, p := range x.o.Procedures {
		if p.Name != name {
			continue
		}
		if !p.Built {
			return p, fmt.Errorf("procedure %s is not in this version", name)
		}
		return p, nil
	}
	return cluster.Procedure{}, fmt.Errorf("unknown procedure %q: `procedure list` names them", name)
}

// fresh waits until every node has been looked at after a time; that one is out
// of reach is known at once. A node that gives no look in time keeps its old
// report; current is what keeps that from being judged on.
func (x *Executor) fresh(ctx context.Context, after time.Time, slow bool) {
	within := networkWait
	if slow {
		within = slowWait
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var wait sync.WaitGroup
	for node := range x.o.Hosts {
		wait.Add(1)
		go func() {
			defer remote.Guard()
			defer wait.Done()
			x.o.Fresh(ctx, node, after, slow) //nolint:errcheck // a missing look shows by the report's age
		}()
	}
	wait.Wait()
}
