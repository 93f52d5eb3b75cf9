package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/drill"
	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/cluster/scenario"
	"chef-backend-cockpit/cluster/simulation"
	"chef-backend-cockpit/cluster/watch"
	"chef-backend-cockpit/remote"
	"chef-backend-cockpit/tui/plain"
)

// errDrillOver ends the screen when all is well again.
var errDrillOver = errors.New("the drill is over")

// A drill's fault strikes after some time of calm, and the drill is over when
// all has been well for steadyFor; both by the simulation's clock.
const (
	calmLeast = 8 * time.Second
	calmMost  = 40 * time.Second
	steadyFor = 10 * time.Second
)

// exercise is one drill: it lets the fault strike, and hears what the operator
// and the cluster do. It is safe for concurrent use.
type exercise struct {
	rows  []scenario.Scenario // of the fault, the fastest first
	calm  time.Duration
	clock cluster.Clock
	sim   *simulation.Cluster
	over  context.CancelCauseFunc

	wait sync.WaitGroup

	mu        sync.Mutex
	events    []drill.Event
	incidents []string
	title     string // of the fault's finding
	fastest   drill.Fastest
}

// chosen is the drill with that number.
func chosen(seed int64) *exercise {
	r := rand.New(rand.NewPCG(uint64(seed), 0))
	all := scenario.Exercises()
	return &exercise{rows: all[r.IntN(len(all))], calm: calmLeast + time.Duration(r.Int64N(int64(calmMost-calmLeast))),
		fastest: drill.Fastest{Why: "the drill was left before it was carried out"}}
}

// drill opens the cockpit on a failure that is not named, and tells of it at the
// end.
func (e *env) drill(ctx context.Context, o demoOptions) error {
	if o.seed == 0 {
		o.seed = 1 + rand.Int64N(9999)
	}
	x := chosen(o.seed)
	x.clock = remote.NewScaled(o.speed)
	sim, err := simulation.Start(ctx, simulation.Options{Clock: x.clock, Speed: o.speed, Seed: o.seed})
	if err != nil {
		return err
	}
	x.sim = sim
	f, err := simulated(sim, e.debug.logger())
	if err != nil {
		return err
	}
	f.clock, f.stamp = x.clock, journal.Simulation+", DRILL"
	if err := x.shown(ctx, func(ctx context.Context) error { return e.open(ctx, f, x) }, o); err != nil {
		return err
	}
	told, err := e.debriefing(x, o.seed)
	if err != nil {
		return err
	}
	return plain.Print(e.out, told.Paragraphs())
}

// tableWithin is how much longer than the operator the table may take, in real
// time: it does the same, and does not read.
const tableWithin = 10 * time.Second

// shown is the drill from the beginning to the end of the screen. Meanwhile the
// table does the same.
func (x *exercise) shown(ctx context.Context, open func(context.Context) error, o demoOptions) error {
	table, enough := context.WithCancel(ctx)
	defer enough()
	done := make(chan struct{})
	x.run(func() {
		defer close(done)
		x.carryOut(table, o)
	})
	seen, over := context.WithCancelCause(ctx)
	x.over = over
	err := open(seen)
	over(nil)
	if errors.Is(err, errDrillOver) {
		err = nil
		select {
		case <-done:
		case <-time.After(tableWithin):
		case <-ctx.Done():
		}
	}
	enough()
	x.wait.Wait()
	return err
}

// run starts a goroutine that the end of the drill waits for.
func (x *exercise) run(f func()) {
	x.wait.Go(func() {
		defer remote.Guard()
		f()
	})
}

// begin is called when the cockpit looks.
func (x *exercise) begin(ctx context.Context, w *watch.Watch) {
	x.run(func() {
		if err := x.lead(ctx, w); err != nil {
			x.over(err)
		}
	})
}

// lead lets the fault strike when all is seen to be well, and hears on until
// all is well again.
func (x *exercise) lead(ctx context.Context, w *watch.Watch) error {
	for !scenario.Healthy(w.State()) {
		if !x.pause(ctx, lookEvery) {
			return nil
		}
	}
	if !x.pause(ctx, x.calm) {
		return nil
	}
	if err := x.sim.Strike(x.rows[0].Name); err != nil {
		return err
	}
	x.note(drill.Event{Kind: drill.Struck})
	h := hearing{begun: map[string]bool{}}
	if r := w.State().Run; r != nil {
		h.begun[r.Plan.ID] = true // before
	}
	for x.pause(ctx, lookEvery) {
		if x.hear(&h, w.State()) {
			return errDrillOver
		}
	}
	return nil
}

// lookEvery is how often the state is read, by the simulation's clock.
const lookEvery = 250 * time.Millisecond

// pause answers whether the time has passed before the end.
func (x *exercise) pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-x.clock.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// hearing is what was heard of the states.
type hearing struct {
	stood map[string]bool
	begun map[string]bool // plans that were at work: a guide is so again behind its part
	well  time.Time       // since when all is well; zero: it is not
}

// hear takes one state, and answers whether the drill is over.
func (x *exercise) hear(h *hearing, s *watch.State) bool {
	x.remember(s)
	stands := map[string]bool{}
	for _, f := range s.Findings {
		stands[f.ID()] = true
		if !h.stood[f.ID()] {
			x.note(drill.Event{Kind: drill.Appeared, Finding: f.ID()})
		}
	}
	h.stood = stands
	if r := s.Run; r != nil && !h.begun[r.Plan.ID] {
		h.begun[r.Plan.ID] = true
		x.note(drill.Event{Kind: drill.Confirmed, Target: drill.TargetOf(r.Plan), Tier: r.Plan.Tier})
	}
	busy := s.Run != nil && s.Run.Running()
	if busy || !scenario.Healthy(s) || !x.appeared() {
		h.well = time.Time{}
		return false
	}
	now := x.clock.Now()
	if h.well.IsZero() {
		h.well = now
	}
	if now.Sub(h.well) < steadyFor {
		return false
	}
	x.add(drill.Event{At: h.well, Kind: drill.Healthy})
	return true
}

// remember keeps what the debriefing needs of a state.
func (x *exercise) remember(s *watch.State) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if s.Incident != "" && !slices.Contains(x.incidents, s.Incident) {
		x.incidents = append(x.incidents, s.Incident)
	}
	for _, f := range s.Findings {
		if f.ID() == told(x.rows[0]) {
			x.title = f.Title
		}
	}
}

// appeared answers whether a finding of the fault came.
func (x *exercise) appeared() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.ContainsFunc(x.events, func(e drill.Event) bool {
		return e.Kind == drill.Appeared && slices.Contains(x.rows[0].Expect, e.Finding)
	})
}

// note adds an event that happens now.
func (x *exercise) note(e drill.Event) {
	e.At = x.clock.Now()
	x.add(e)
}

func (x *exercise) add(e drill.Event) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.events = append(x.events, e)
}

// Looked, Opened and WrongPhrase make it the witness of the screen.
func (x *exercise) Looked(finding string) { x.note(drill.Event{Kind: drill.Looked, Finding: finding}) }

// Opened hears of a plan.
func (x *exercise) Opened(p cluster.Plan) {
	x.note(drill.Event{Kind: drill.Opened, Target: drill.TargetOf(p), Tier: p.Tier})
}

// WrongPhrase hears of a text that was no phrase.
func (x *exercise) WrongPhrase(p cluster.Plan, typed string) {
	x.note(drill.Event{Kind: drill.Mistyped, Target: drill.TargetOf(p), Tier: p.Tier, Typed: typed})
}

// carryOut lets the scenario table mend the same fault on a second simulation
// meanwhile, which is the fastest right path.
func (x *exercise) carryOut(ctx context.Context, o demoOptions) {
	f, err := x.byTable(ctx, o)
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case err == nil:
		x.fastest = f
	case ctx.Err() == nil:
		x.fastest.Why, _, _ = strings.Cut(err.Error(), "\n")
	}
	x.fastest.Path = x.path()
}

func (x *exercise) byTable(ctx context.Context, o demoOptions) (drill.Fastest, error) {
	dir, err := os.MkdirTemp("", "chef-backend-cockpit-drill-")
	if err != nil {
		return drill.Fastest{}, err
	}
	defer os.RemoveAll(dir) // a folder of the system's temporary ones
	clock := remote.NewScaled(o.speed)
	sim, err := simulation.Start(ctx, simulation.Options{Clock: clock, Speed: o.speed, Seed: o.seed})
	if err != nil {
		return drill.Fastest{}, err
	}
	defer sim.Close()
	row := x.rows[0]
	row.Steady = time.Nanosecond // whether it stays well is the table's own test
	r, err := scenario.Run(ctx, sim, row, dir)
	if err != nil {
		return drill.Fastest{}, err
	}
	f := drill.Fastest{Known: true, Found: r.Found, Healthy: r.Found + r.Mended + r.Healed}
	for _, n := range sim.Nodes() {
		f.Commands += len(sim.StepCommands(n.Name))
	}
	return f, nil
}
