package watch

import (
	"context"
	"errors"
	"slices"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/logs"
)

var (
	_ Door       = (*Watch)(nil)
	_ BackReader = (*Watch)(nil)
	_ RateTeller = (*Watch)(nil)
)

// State is the newest state; never nil.
func (w *Watch) State() *State { return w.state.Load() }

// Changed carries a token when there is something new to show.
func (w *Watch) Changed() <-chan struct{} { return w.changed }

// Logs returns matching lines that end at end.
func (w *Watch) Logs(q LogQuery, end uint64, n int) (LogPage, error) {
	if w.logs == nil {
		return LogPage{}, nil
	}
	p, err := w.logs.Page(logs.Query(q), end, n)
	return LogPage(p), err
}

// ReadBack reads older lines from the nodes.
func (w *Watch) ReadBack(ctx context.Context, q LogQuery, from uint64, n int) (LogsBack, error) {
	if w.logs == nil {
		return LogsBack{Beginning: true}, nil
	}
	b, err := w.logs.ReadBack(ctx, logs.Query(q), from, n)
	return LogsBack(b), err
}

// ErrorRates counts the errors of every service.
func (w *Watch) ErrorRates(nodes []string, minutes int) []cluster.ErrorRate {
	if w.logs == nil {
		return nil
	}
	return w.logs.ErrorRates(nodes, minutes)
}

// FindLog is the next matching line after or before from.
func (w *Watch) FindLog(q LogQuery, from uint64, dir int) (uint64, bool) {
	if w.logs == nil {
		return 0, false
	}
	return w.logs.Find(logs.Query(q), from, dir)
}

// Streams is the state of every followed log.
func (w *Watch) Streams() []cluster.StreamState {
	if w.logs == nil {
		return nil
	}
	return w.logs.Streams()
}

// Describe is the catalogue entry of a failure.
func (w *Watch) Describe(failure string) (cluster.Failure, bool) {
	for _, f := range w.o.Catalogue.Failures {
		if f.Name == failure {
			return f, true
		}
	}
	return cluster.Failure{}, false
}

// SignMeaning is the catalogue entry of a sign.
func (w *Watch) SignMeaning(sign string) (cluster.Sign, bool) {
	for _, s := range w.o.Catalogue.Signs {
		if s.Name == sign {
			return s, true
		}
	}
	return cluster.Sign{}, false
}

// LooksWithin bounds the looks that a plan begins with and those before a
// terminal is handed over: the slow look at a node where the product's Ruby
// hangs takes half a minute, and one may be under way.
const LooksWithin = 75 * time.Second

// Plan binds a procedure after fresh looks at all nodes. Without a journal only
// what runs no command can be had.
func (w *Watch) Plan(ctx context.Context, procedure, node, service string) (cluster.Plan, error) {
	p, ok := w.procedure(procedure)
	acts := slices.ContainsFunc(slices.Concat(p.Steps, p.Back), func(s cluster.Step) bool { return s.Command != "" })
	if ok && acts && w.diary.journal == nil {
		return cluster.Plan{}, errors.New("there is no journal, so nothing may be carried out; give the cockpit a state folder it can write")
	}
	return w.executor.Plan(ctx, procedure, node, service)
}

// Bind binds a procedure to what was last seen: the dry run. It asks no node.
func (w *Watch) Bind(procedure, node, service string) (cluster.Plan, error) {
	return w.executor.Bind(w.View(), procedure, node, service)
}

// Recheck asks a plan's guards again.
func (w *Watch) Recheck(planID string) ([]cluster.CheckedGuard, bool) {
	return w.executor.Recheck(planID)
}

// Confirm hands one typed text to the executor.
func (w *Watch) Confirm(planID, text string) ([]string, error) {
	if !w.read.Load() && !w.executor.AtWork(planID) {
		return nil, errReading
	}
	return w.executor.Confirm(planID, text)
}

// Tick says that a manual step is done.
func (w *Watch) Tick(planID, stepID string) error { return w.executor.Tick(planID, stepID) }

// Terminal takes the terminal that a step waits for.
func (w *Watch) Terminal(ctx context.Context, planID, stepID string, size Size) (Terminal, error) {
	return w.executor.Terminal(ctx, planID, stepID, size)
}

// Stop asks the running plan to stop before its next step.
func (w *Watch) Stop() { w.executor.Stop() }

// Acknowledge marks a finding as seen until it goes away: one that comes back
// is new again. The engine remembers; here the mark is only shown at once.
func (w *Watch) Acknowledge(finding string) {
	w.engine.Acknowledge(finding)
	w.mu.Lock()
	w.findings = slices.Clone(w.findings) // states already published stay as they are
	for i := range w.findings {
		w.findings[i].Acked = w.findings[i].Acked || w.findings[i].ID() == finding
	}
	w.mu.Unlock()
	w.publish()
}

// LookNow asks every observer for a slow look.
func (w *Watch) LookNow() {
	for _, o := range w.observers {
		o.SlowNow()
	}
}

// LookAll waits for a fast and a slow look at every node, begun now; a node
// that cannot be reached has a report that says so. It waits until ctx is done
// at the longest. It is how the one-shot commands look.
func (w *Watch) LookAll(ctx context.Context) error {
	now := w.o.Clock.Now()
	errs := make(chan error, len(w.observers))
	for name := range w.observers {
		w.run(func() {
			_, err := w.fresh(ctx, name, now, true)
			errs <- err
		})
	}
	var all []error
	for range w.observers {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

// fresh waits for a report begun after t and takes it in at once.
func (w *Watch) fresh(ctx context.Context, node string, t time.Time, slow bool) (*cluster.Report, error) {
	r, err := w.observers[node].After(ctx, t, slow)
	if err == nil {
		w.take(r)
	}
	return r, err
}

// withReport is the view in which r stands in the place of its node's report.
func withReport(v *cluster.View, r *cluster.Report) *cluster.View {
	s := *v.Snapshot
	s.Reports = make(map[string]*cluster.Report, len(v.Snapshot.Reports)+1)
	for name, old := range v.Snapshot.Reports {
		s.Reports[name] = old
	}
	s.Reports[r.Node] = r
	c := *v
	c.Snapshot = &s
	return &c
}

// keptPlans is how many plans of ours are remembered.
const keptPlans = 32

// planChanged keeps the newest state of a plan and shows it at once. The one
// that changed last stands last: a guide may wait while its part is at work.
func (w *Watch) planChanged(p cluster.PlanState) {
	w.mu.Lock()
	kept := make([]cluster.PlanState, 0, len(w.plans)+1)
	for _, old := range w.plans {
		if old.Plan.ID != p.Plan.ID {
			kept = append(kept, old)
		}
	}
	kept = append(kept, p)
	w.plans = kept[max(0, len(kept)-keptPlans):]
	w.mu.Unlock()
	w.publish()
}

// newestPlan is the plan at work, or the last one; nil for none. While a guide
// waits for a person, the part of it that acts is what is at work; behind that
// part it is the guide again.
func newestPlan(plans []cluster.PlanState) *cluster.PlanState {
	var newest *cluster.PlanState
	worth := func(p *cluster.PlanState) int {
		switch {
		case p.Running() && p.Plan.Acts():
			return 2
		case p.Running():
			return 1
		}
		return 0
	}
	for i := range plans {
		if newest == nil || worth(&plans[i]) >= worth(newest) {
			newest = &plans[i]
		}
	}
	if newest == nil {
		return nil
	}
	p := *newest
	return &p
}
