package watch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// Simulated is a simulation in the state of a view. The hosts are its own: no
// way leads from them to a node of the cluster.
type Simulated struct {
	Nodes   []cluster.Node
	Hosts   map[string]remote.Host
	Clock   cluster.Clock
	Assumed []string // what the view did not tell, in sentences
	// ByHand does what a step asks of a person.
	ByHand func(cluster.PlanStep) error
	Close  func() error
}

// Rehearsal is a door to a plan that is carried out on a simulation by itself.
// What is typed for a real plan nobody types here, and nothing else can be
// carried out. Stop stops it before its next step.
type Rehearsal interface {
	Door
	// Clock is the simulation's, which is faster than the real one.
	Clock() cluster.Clock
	// Close leaves the rehearsal. What it showed is kept with the plan where it
	// had ended.
	Close() error
}

// RehearsalAt says what a rehearsal is about.
type RehearsalAt struct {
	Plan    string   // id of the plan
	Assumed []string // what the snapshot did not tell and was assumed
	Over    bool     // it has ended; Run tells how
	// Refused says why no step was begun; "" where one was.
	Refused string
}

// Limits of a rehearsal.
const (
	// likeWithin is how long the simulation may take, by its own clock, to be
	// seen as the cluster was; unlikeAfter, how long what is known there may be
	// otherwise. A busy machine needs a while for its looks.
	likeWithin  = 5 * time.Minute
	unlikeAfter = 90 * time.Second
	// rehearsalLooks bounds the looks at the cluster that it begins with, on
	// the real clock.
	rehearsalLooks = 12 * time.Second
)

var errRehearsal = errors.New("this is a rehearsal: it shows one plan, and nothing else can be carried out in it")

// rehearsing is what the watch over a simulation knows of being one.
type rehearsing struct {
	mu sync.Mutex
	is RehearsalAt
}

// at is what is shown; nil for a watch over a real cluster.
func (r *rehearsing) at() *RehearsalAt {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	is := r.is
	return &is
}

// nothing is the recorder of a rehearsal: no intent of it is ever written.
type nothing struct{}

func (nothing) Record(string, any) error { return nil }

// rehearsal is one plan on a simulation.
type rehearsal struct {
	shut
	*playing
	real   *Watch
	sim    *Simulated
	plan   cluster.Plan
	about  *rehearsing
	ctx    context.Context // until it is left
	cancel context.CancelFunc
	wait   sync.WaitGroup
	once   sync.Once
	err    error
}

// playing is the part of the simulation's door that is open.
type playing struct{ w *Watch }

func (p *playing) State() *State            { return p.w.State() }
func (p *playing) Changed() <-chan struct{} { return p.w.Changed() }
func (p *playing) Logs(q LogQuery, end uint64, n int) (LogPage, error) {
	return p.w.Logs(q, end, n)
}
func (p *playing) FindLog(q LogQuery, from uint64, dir int) (uint64, bool) {
	return p.w.FindLog(q, from, dir)
}
func (p *playing) Streams() []cluster.StreamState            { return p.w.Streams() }
func (p *playing) Describe(f string) (cluster.Failure, bool) { return p.w.Describe(f) }
func (p *playing) Rivals(finding string) []cluster.Rival     { return p.w.Rivals(finding) }
func (p *playing) SignMeaning(s string) (cluster.Sign, bool) { return p.w.SignMeaning(s) }
func (p *playing) Offers(string) []Offered                   { return nil }
func (p *playing) NodeOffers(string) []Offered               { return nil }
func (p *playing) Summary() string                           { return "REHEARSAL on a simulation\n" + p.w.Summary() }

// Stop asks the rehearsal to stop before the plan's next step.
func (r *rehearsal) Stop() { r.w.Stop() }

// Clock is the simulation's.
func (r *rehearsal) Clock() cluster.Clock { return r.sim.Clock }

// Close ends the rehearsal and the simulation, and waits for both.
func (r *rehearsal) Close() error {
	r.once.Do(func() {
		r.cancel()
		r.err = r.w.Close()
		r.wait.Wait()
		var all []error
		for _, h := range r.sim.Hosts {
			all = append(all, h.Close())
		}
		r.err = errors.Join(r.err, errors.Join(all...), r.sim.Close())
	})
	return r.err
}

// Rehearse carries a plan out on a simulation in the state of the newest looks.
func (w *Watch) Rehearse(ctx context.Context, planID string) (Rehearsal, error) {
	if w.o.Simulate == nil {
		return nil, errors.New("there is no simulation to rehearse on")
	}
	plan, ok := w.executor.Held(planID)
	if !ok {
		return nil, errors.New("this plan is no longer held: make it again")
	}
	looking, cancel := context.WithTimeout(ctx, rehearsalLooks)
	_ = w.LookAll(looking) // what could not be seen is assumed, and said
	cancel()
	v := w.View()
	sim, err := w.o.Simulate(ctx, v)
	if err != nil {
		return nil, fmt.Errorf("this state cannot be rehearsed: %w", err)
	}
	r, err := w.rehearsalOf(plan, v, sim)
	if err != nil {
		return nil, errors.Join(err, sim.Close())
	}
	if err := r.becomeLike(ctx, v); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	if err := r.w.executor.Take(ctx, plan); err != nil {
		return nil, errors.Join(fmt.Errorf("this plan cannot be rehearsed: %w", err), r.Close())
	}
	old, left := w.openRehearsal(r)
	if old != nil {
		old.Close() //nolint:errcheck // nobody looks at it any more
	}
	if left {
		return nil, errors.Join(errLeft, r.Close())
	}
	r.wait.Go(func() {
		defer remote.Guard()
		r.carryOut()
	})
	return r, nil
}

// rehearsalOf is a watch over the simulation that remembers what this one does.
func (w *Watch) rehearsalOf(plan cluster.Plan, v *cluster.View, sim *Simulated) (*rehearsal, error) {
	about := &rehearsing{is: RehearsalAt{Plan: plan.ID, Assumed: sim.Assumed}}
	inner, err := New(Options{
		Cluster: cmp.Or(w.o.Cluster, "rehearsal"), Stamp: "REHEARSAL", StampColor: "magenta", Nodes: sim.Nodes, Hosts: sim.Hosts,
		Clock: sim.Clock, Catalogue: w.o.Catalogue, Logs: true, Operator: w.o.Operator, rehearsal: about,
	})
	if err != nil {
		return nil, err
	}
	inner.remember(v)
	ctx, cancel := context.WithCancel(context.Background())
	r := &rehearsal{shut: shut{errRehearsal}, playing: &playing{inner}, real: w, sim: sim, plan: plan, about: about, ctx: ctx, cancel: cancel}
	inner.Start(ctx)
	return r, nil
}

// remember takes over what facts ask of the past and of the operator: it is
// part of the state that is rehearsed.
func (w *Watch) remember(v *cluster.View) {
	w.mu.Lock()
	defer w.mu.Unlock()
	was := past{h: v.Past}
	w.past.h = was.copy() // the view is still read while this watch learns
	if w.past.h.Samples == nil {
		w.past.h.Samples = map[string][]cluster.Sample{}
	}
	if w.past.h.LastSeen == nil {
		w.past.h.LastSeen = map[string]cluster.LastSeen{}
	}
	for _, p := range v.Plans {
		if !p.Running() {
			w.plans = append(w.plans, p)
		}
	}
	w.marks.mu.Lock()
	defer w.marks.mu.Unlock()
	for n := range v.Fenced {
		w.marks.said.Fenced[n] = fencing{By: v.MarkedBy[n], At: v.Now, Back: v.Returned[n]}
	}
	for n, until := range v.Maintenance {
		w.marks.said.Maintenance[n] = maintenance{v.MarkedBy[n], until}
	}
}

// openRehearsal keeps the open rehearsal and gives back the one before; left:
// the cockpit is being left, and none is opened any more.
func (w *Watch) openRehearsal(r *rehearsal) (old *rehearsal, left bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gone {
		return nil, true
	}
	old, w.rehearse = w.rehearse, r
	return old, false
}

// endRehearsal closes what the screen did not close, for good.
func (w *Watch) endRehearsal() {
	w.mu.Lock()
	w.gone = true
	r := w.rehearse
	w.mu.Unlock()
	if r != nil {
		r.Close() //nolint:errcheck // nobody looks at it any more
	}
}

// becomeLike waits until the simulation is seen as the cluster was. Else it is
// refused: what is rehearsed on another state foretells nothing.
func (r *rehearsal) becomeLike(ctx context.Context, v *cluster.View) error {
	want := v.KeyFacts()
	began := r.sim.Clock.Now()
	open := map[string]string{} // by the fact's title: how it is not as it was
	for _, f := range want {
		if f.Value != "" {
			open[f.Title()] = "is " + f.Value
		}
	}
	for {
		differ, unknown := cluster.Compare(want, r.w.View().KeyFacts())
		not, other := map[string]string{}, false
		for _, d := range differ {
			other = other || open[d.Fact.Title()] != ""
			not[d.Fact.Title()] = "is " + d.Want + ", on the simulation " + d.Fact.Value
		}
		for _, f := range unknown {
			not[f.Title()] = "was known, and is not on the simulation: " + f.Why
		}
		for title := range open { // what was once as it was may move on, as it would there
			if open[title] = not[title]; open[title] == "" {
				delete(open, title)
			}
		}
		took := r.sim.Clock.Now().Sub(began)
		switch {
		case len(open) == 0:
			return nil
		case took > likeWithin, took > unlikeAfter && other:
			return fmt.Errorf("this state cannot be rehearsed: the simulation did not come to it: %s", unlike(open))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the simulation was not as the cluster in time: %w", ctx.Err())
		case <-r.sim.Clock.After(FastEvery):
			r.w.LookNow()
		}
	}
}

// unlike names what differs.
func unlike(open map[string]string) string {
	var said []string
	for _, title := range slices.Sorted(maps.Keys(open)) {
		said = append(said, title+" "+open[title])
	}
	if more := len(said) - 4; more > 0 {
		said = append(said[:4], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(said, "; ")
}
