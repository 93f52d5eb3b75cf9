// Package scenario is the table of what can happen to a cluster and what the
// cockpit must make of it: fault, findings, procedure, healthy again. One
// table drives every bed: the simulation, and real hosts that satisfy Bed.
package scenario

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/cluster/watch"
	"chef-backend-cockpit/remote"
)

// Bed is a cluster that faults can be tried on.
type Bed interface {
	Nodes() []cluster.Node
	Hosts() map[string]remote.Host
	Clock() cluster.Clock
	// Strike makes the fault happen; Heal undoes what no procedure of the
	// cockpit can: a cut cable, a machine without power.
	Strike(fault string) error
	Heal(fault string) error
	// StepCommands are the commands of steps that reached a node, in order.
	StepCommands(node string) []string
}

// Scenario is one row of the table.
type Scenario struct {
	Name   string   // of the fault
	As     string   // of the row, where the fault has several; "" as the fault
	Expect []string // IDs of the findings that stand confirmed and unhidden in the end
	// May are IDs that can stand confirmed and unhidden on the way there or on
	// the way back.
	May    []string
	Within time.Duration // from the fault to exactly the expected findings, on the bed's clock
	Quiet  bool          // an ordinary day: nothing but May ever stands, for all of Within

	Fence    []string // nodes that the operator says are off, by name, after the fault
	Maintain []string // nodes that the operator marks as in planned work before the fault

	Heal      bool     // the bed mends the cause, no procedure does
	Guide     string   // a plan of plans that is begun first and done when all else is; "" for none
	Before    []Repair // carried out before Procedure, in order: a copy saved, a stale primary stopped
	Procedure string
	Node      string
	Service   string
	Typed     []string            // every text that the plan of Procedure asks for; nil: at most its one phrase
	Commands  map[string][]string // by node, in order; exactly these and no others; PLAN stands for the plan's id, LEADER for the address of whom the cluster elected
	Spared    []string            // the last of Commands, in order, whose work the cluster may do by itself first
	Healed    time.Duration       // from the mending to a healthy cluster
	Steady    time.Duration       // for how long it must then stay so; 0: steadyFor

	// HealOnLab says why the bed must mend the cause on the lab, where the
	// Procedure or time alone does on the simulation; "" where it need not.
	HealOnLab string
	// MayOnLab are further IDs that can stand on the lab, whose processes take
	// their time to stop and to start.
	MayOnLab []string
	// NotOnLab says why real parts cannot produce the fault; "" where they can.
	NotOnLab string
	// OnLab is how long an ordinary day lasts on the lab, where time cannot be
	// made to run faster; 0: as long as Within.
	OnLab time.Duration
}

// Row is the name of the row, which is its own.
func (s Scenario) Row() string { return cmp.Or(s.As, s.Name) }

// rightly answers whether just those commands reached a node. What is spared is
// spared from some point on.
func (s Scenario) rightly(got, want []string) bool {
	for n := 0; ; n++ {
		if slices.Equal(got, want) {
			return true
		}
		last := len(want) - 1
		if n == len(s.Spared) || last < 0 || want[last] != s.Spared[len(s.Spared)-1-n] {
			return false
		}
		want = want[:last]
	}
}

// Repair is a procedure that a standing finding must offer, ready.
type Repair struct {
	Procedure, Node, Service string
	Typed                    []string
}

// Result says how a run went.
type Result struct {
	Found  time.Duration // from the fault to the findings
	Mended time.Duration // from the findings to the end of the procedures
	Healed time.Duration // from the mending to healthy
}

// run is one scenario on one bed.
type run struct {
	s        Scenario
	bed      Bed
	w        *watch.Watch
	plans    []string        // ids of the plans carried out
	answered map[string]bool // what plans asked for, by plan, step and kind
	seen     []string        // what stood, as it changed: for the error
}

// clusterName is typed to arm the cockpit.
const clusterName = "bed"

// Run carries out one row and compares. journal is a folder for the incident.
func Run(ctx context.Context, bed Bed, s Scenario, journal string) (Result, error) {
	c, err := catalogue.Load(assets.Files, "catalogue")
	if err != nil {
		return Result{}, err
	}
	w, err := watch.New(watch.Options{
		Cluster: clusterName, Nodes: bed.Nodes(), Hosts: bed.Hosts(), Clock: bed.Clock(), Catalogue: c, Logs: true, JournalDir: journal,
	})
	if err != nil {
		return Result{}, err
	}
	w.Start(ctx)
	defer w.Close()
	r := &run{s: s, bed: bed, w: w, answered: map[string]bool{}}
	res, err := r.all(ctx)
	if err != nil {
		err = fmt.Errorf("%s: %w\nstood, in order:\n  %s", s.Row(), err, strings.Join(r.seen, "\n  "))
	}
	return res, err
}

// healthyWithin is how long a bed may take to be seen healthy at the start.
const healthyWithin = 90 * time.Second

// steadyFor is how long it must then stay healthy, by itself or for as long as
// the row says.
const steadyFor = 20 * time.Second

// all is fault, findings, procedure, healthy.
func (r *run) all(ctx context.Context) (Result, error) {
	var res Result
	if _, err := r.until(ctx, healthyWithin, healthy, nil); err != nil {
		return res, fmt.Errorf("not healthy before the fault: %w", err)
	}
	for _, n := range r.s.Maintain {
		if err := r.w.Maintain(n, time.Hour); err != nil {
			return res, err
		}
	}
	if err := r.bed.Strike(r.s.Name); err != nil {
		return res, err
	}
	for _, n := range r.s.Fence {
		if err := r.w.Fence(n, watch.FencePhrase(n)); err != nil {
			return res, err
		}
	}
	if r.s.Quiet {
		return res, r.day(ctx)
	}
	var err error
	if res.Found, err = r.until(ctx, r.s.Within, r.found, r.allowed()); err != nil {
		return res, fmt.Errorf("findings: %w", err)
	}
	began := r.bed.Clock().Now()
	if err := r.mend(ctx); err != nil {
		return res, err
	}
	res.Mended = r.bed.Clock().Now().Sub(began)
	if r.s.Healed == 0 {
		return res, r.commands()
	}
	if res.Healed, err = r.until(ctx, r.s.Healed, healthy, r.allowed()); err != nil {
		return res, fmt.Errorf("not healthy afterwards: %w", err)
	}
	if err := r.staysHealthy(ctx, cmp.Or(r.s.Steady, steadyFor), r.allowed()); err != nil {
		return res, fmt.Errorf("does not stay healthy: %w", err)
	}
	return res, r.commands()
}

// day is an ordinary day, at whose end all is well and no work is planned.
func (r *run) day(ctx context.Context) error {
	if len(r.s.Maintain) == 0 {
		return r.staysHealthy(ctx, r.s.Within, r.s.May)
	}
	if err := r.stays(ctx, r.s.Within, r.s.May); err != nil {
		return err
	}
	for _, n := range r.s.Maintain {
		if err := r.w.Maintain(n, 0); err != nil {
			return err
		}
	}
	_, err := r.until(ctx, healthyWithin, healthy, r.s.May)
	return err
}

// stands answers whether a finding is confirmed and unhidden. What dropped to a
// note because its node is in maintenance is none.
func stands(s *watch.State, f cluster.Finding) bool {
	noted := f.Priority == cluster.P3 && s.View.MaintenanceNote(f.Node) != ""
	return f.Certainty == cluster.Confirmed && f.Under == "" && !noted
}

// standing lists the findings that are confirmed and unhidden.
func standing(s *watch.State) []string {
	ids := []string{}
	for _, f := range s.Findings {
		if stands(s, f) {
			ids = append(ids, f.ID())
		}
	}
	slices.Sort(ids)
	return ids
}

// healthy: nothing stands, a leader is elected, and every copy is good.
func healthy(s *watch.State) bool {
	return len(standing(s)) == 0 && s.Margin.Copies == len(s.View.Snapshot.Nodes) && s.Margin.CanLose >= 1 &&
		s.View.Elected().Truth == cluster.True
}

// found: exactly the expected findings stand.
func (r *run) found(s *watch.State) bool {
	want := slices.Sorted(slices.Values(r.s.Expect))
	return slices.Equal(standing(s), want)
}

// allowed are all IDs that may ever stand.
func (r *run) allowed() []string { return append(slices.Clone(r.s.Expect), r.s.May...) }

// until waits for a state, and fails at once when something stands that may not.
func (r *run) until(ctx context.Context, within time.Duration, ok func(*watch.State) bool, allowed []string) (time.Duration, error) {
	began := r.bed.Clock().Now()
	end := r.bed.Clock().After(within)
	for {
		s := r.w.State()
		r.note(s)
		if ok(s) {
			return s.At.Sub(began), nil
		}
		if err := r.onlyAllowed(s, allowed); err != nil {
			return 0, err
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-end:
			return 0, fmt.Errorf("not within %s; %s", within, situation(s))
		case <-r.w.Changed():
		}
	}
}

// healthyAgain is how long something may be unknown in the end.
const healthyAgain = 20 * time.Second

// staysHealthy fails when something stands that may not, and when not all is
// well in the end.
func (r *run) staysHealthy(ctx context.Context, d time.Duration, allowed []string) error {
	if err := r.stays(ctx, d, allowed); err != nil {
		return err
	}
	// A look that was not answered in time makes something unknown for a moment.
	_, err := r.until(ctx, healthyAgain, healthy, allowed)
	return err
}

// stays fails when something stands that may not.
func (r *run) stays(ctx context.Context, d time.Duration, allowed []string) error {
	end := r.bed.Clock().After(d)
	for {
		s := r.w.State()
		r.note(s)
		if err := r.onlyAllowed(s, allowed); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end:
			return nil
		case <-r.w.Changed():
		}
	}
}

// note keeps what stands whenever it changes.
func (r *run) note(s *watch.State) {
	line := strings.Join(standing(s), " ")
	if n := len(r.seen); n == 0 || !strings.HasSuffix(r.seen[n-1], "| "+line) {
		r.seen = append(r.seen, s.At.Format("15:04:05.0")+" | "+line)
	}
}

// onlyAllowed fails when a finding stands that may not; nil allows all.
func (r *run) onlyAllowed(s *watch.State, allowed []string) error {
	if allowed == nil {
		return nil
	}
	for _, f := range s.Findings {
		if !stands(s, f) || slices.Contains(allowed, f.ID()) {
			continue
		}
		var why []string
		for _, e := range f.Evidence {
			why = append(why, fmt.Sprintf("%s %s: %s", e.Side, e.Answer, e.Sentence))
		}
		return fmt.Errorf("wrong finding %s\n    %s", f.ID(), strings.Join(why, "\n    "))
	}
	return nil
}

// situation says in a few lines what the cockpit sees, for an error.
func situation(s *watch.State) string {
	var b strings.Builder
	fmt.Fprintf(&b, "stands %v, %s", standing(s), s.MarginWords())
	for _, f := range s.Findings {
		if f.Certainty == cluster.Suspected || f.Under != "" {
			fmt.Fprintf(&b, "\n    also %s %s under %q", f.Certainty, f.ID(), f.Under)
			for _, e := range f.Evidence {
				fmt.Fprintf(&b, "\n        %s %s: %s", e.Side, e.Answer, e.Sentence)
			}
		}
	}
	for _, row := range s.Board.Rows {
		fmt.Fprintf(&b, "\n    %s", row.Node)
		for _, c := range row.Cells {
			fmt.Fprintf(&b, " | %s", c.Text)
		}
	}
	return b.String()
}
