package scenario

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/cluster/simulation"
	"chef-backend-cockpit/cluster/watch"
	"chef-backend-cockpit/remote"
)

// calmSpeed leaves two clusters at once the time for their looks.
const calmSpeed = min(speed, 4)

// likeIt makes the simulation of a rehearsal, as the cockpit does.
func likeIt(_ context.Context, v *cluster.View) (*watch.Simulated, error) {
	clock := remote.NewScaled(calmSpeed)
	sim, err := simulation.Start(context.Background(), simulation.Options{Clock: clock, Seed: 2, Like: v})
	if err != nil {
		return nil, err
	}
	return &watch.Simulated{Nodes: sim.Nodes(), Hosts: sim.Hosts(), Clock: clock, Assumed: sim.Assumed(), ByHand: sim.ByHand, Close: sim.Close}, nil
}

// rehearsing is a cockpit over a bed in which a fault has struck.
type rehearsing struct {
	t *testing.T
	run
	sim     *simulation.Cluster
	journal string
}

func newRehearsing(t *testing.T, s Scenario) *rehearsing {
	t.Helper()
	clock := remote.NewScaled(calmSpeed)
	sim, err := simulation.Start(t.Context(), simulation.Options{Clock: clock, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	c, err := catalogue.Load(assets.Files, "catalogue")
	if err != nil {
		t.Fatal(err)
	}
	bed := sim
	r := &rehearsing{t: t, sim: sim, journal: simulation.InMemory(t)}
	w, err := watch.New(watch.Options{Cluster: clusterName, Nodes: bed.Nodes(), Hosts: bed.Hosts(), Clock: clock, Catalogue: c,
		JournalDir: r.journal, Simulate: likeIt, Logs: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	w.Start(t.Context())
	r.run = run{s: s, bed: bed, w: w, answered: map[string]bool{}}
	if _, err := r.until(t.Context(), healthyWithin, healthy, nil); err != nil {
		t.Fatal(err)
	}
	for _, n := range s.Maintain {
		if err := w.Maintain(n, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if s.Name != "healthy" {
		if err := bed.Strike(s.Name); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range s.Fence {
		if err := w.Fence(n, watch.FencePhrase(n)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.until(t.Context(), s.Within, r.found, nil); err != nil {
		t.Fatal(err)
	}
	return r
}

func row(t *testing.T, name string) Scenario {
	t.Helper()
	for _, s := range Table {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no row %s", name)
	return Scenario{}
}

// rehearsed carries a plan out on the simulation, to its end.
func (r *rehearsing) rehearsed(plan cluster.Plan) *cluster.PlanState {
	r.t.Helper()
	door, err := r.w.Rehearse(r.t.Context(), plan.ID)
	if err != nil {
		r.t.Fatal(err)
	}
	defer door.Close()
	late := time.After(3 * time.Minute)
	for {
		s := door.State()
		if s.Stamp != "REHEARSAL" || s.Mode != watch.Rehearsing || s.Rehearsal == nil {
			r.t.Fatalf("it is not marked as a rehearsal: %q %q", s.Stamp, s.Mode)
		}
		if s.Rehearsal.Over {
			if s.Rehearsal.Refused != "" {
				r.t.Fatalf("refused: %s", s.Rehearsal.Refused)
			}
			return s.Run
		}
		select {
		case <-door.Changed():
		case <-late:
			r.t.Fatalf("the rehearsal does not end: %s", steps(*s.Run))
		}
	}
}

func (r *rehearsing) plan() cluster.Plan {
	r.t.Helper()
	plan, err := r.w.Plan(r.t.Context(), r.s.Procedure, r.s.Node, r.s.Service)
	if err != nil {
		r.t.Fatal(err)
	}
	r.plans = append(r.plans, plan.ID)
	return plan
}

// noted counts the records of the incident that hold a text.
func (r *rehearsing) noted(text string) int {
	r.t.Helper()
	files, err := filepath.Glob(filepath.Join(r.journal, "*", "journal.jsonl"))
	if err != nil || len(files) != 1 {
		r.t.Fatalf("journals %v, %v", files, err)
	}
	whole, err := os.ReadFile(files[0])
	if err != nil {
		r.t.Fatal(err)
	}
	return strings.Count(string(whole), text)
}

// TestRehearsalForetellsTheRun rehearses a plan that destroys a copy: nothing
// of it reaches the cluster, and the real run brings about what was shown.
func TestRehearsalForetellsTheRun(t *testing.T) {
	needsTime(t)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	t.Run("rebuild-follower", func(t *testing.T) {
		r := newRehearsing(t, row(t, "follower-wal-gap"))
		plan := r.plan()
		run := r.rehearsed(plan)
		if run.Status != cluster.StatusDone || len(run.Prediction.Steps) != len(plan.Steps) {
			t.Fatalf("the rehearsal ended %s: %s%s", run.Status, run.Sentence, steps(*run))
		}
		for _, n := range r.bed.Nodes() {
			if got := r.bed.StepCommands(n.Name); len(got) > 0 {
				t.Fatalf("the rehearsal reached %s: %q", n.Name, got)
			}
		}
		if n := r.noted(`"kind":"intent"`); n > 0 {
			t.Fatalf("%d intents of a rehearsal were written", n)
		}
		if r.noted("rehearsed on a simulation") != 1 {
			t.Error("the rehearsal was not noted")
		}
		if err := r.confirm(plan); err != nil {
			t.Fatal(err)
		}
		if err := r.follow(t.Context(), plan.ID); err != nil {
			t.Fatal(err)
		}
		is := r.w.State().Run
		if !strings.Contains(is.Sentence, "as it was rehearsed") || strings.Contains(is.Sentence, "not as") {
			t.Errorf("the run ended: %s", is.Sentence)
		}
		for _, s := range is.Steps {
			if !strings.HasPrefix(s.Compared, "as rehearsed") {
				t.Errorf("step %s: %q", s.Step.Number, s.Compared)
			}
			t.Log(s.Step.Number, s.Compared)
		}
	})
}

// TestRehearsalHoldsTheRun strikes a fault in the midst of the real run that was
// not there in the rehearsal: the plan holds before its next step, says what
// differs, and only the typed words would let it go on.
func TestRehearsalHoldsTheRun(t *testing.T) {
	needsTime(t)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	t.Run("rebuild-follower", func(t *testing.T) {
		r := newRehearsing(t, row(t, "follower-wal-gap"))
		plan := r.plan()
		if run := r.rehearsed(plan); run.Status != cluster.StatusDone {
			t.Fatalf("the rehearsal ended %s: %s%s", run.Status, run.Sentence, steps(*run))
		}
		if err := r.confirm(plan); err != nil {
			t.Fatal(err)
		}
		atStep := func(i int, status cluster.Status) func(*watch.State) bool {
			return func(s *watch.State) bool {
				return s.Run != nil && (s.Run.Steps[i].Status == status || !s.Run.Ended.IsZero())
			}
		}
		if _, err := r.until(t.Context(), runWithin, atStep(2, cluster.StatusRunning), nil); err != nil {
			t.Fatal(err)
		}
		if err := r.bed.Strike("elasticsearch-down"); err != nil { // on the node that is being rebuilt
			t.Fatal(err)
		}
		if _, err := r.until(t.Context(), runWithin, atStep(3, cluster.StatusAsked), nil); err != nil {
			t.Fatal(err)
		}
		run := *r.w.State().Run
		at := run.Steps[3]
		if at.Asks != cluster.AskPhrase || at.AskedFor != "go on be3" || !strings.Contains(at.Sentence, `be3 service elasticsearch: rehearsed "up", is "does not stay up"`) {
			t.Fatalf("%s, asked for %q: %s%s", run.Status, at.AskedFor, at.Sentence, steps(run))
		}
		ran := len(r.bed.StepCommands("be3"))
		if _, err := r.w.Confirm(plan.ID, "yes"); err == nil {
			t.Error("another word let it go on")
		}
		if _, err := r.until(t.Context(), runWithin, func(s *watch.State) bool { return !s.Run.Ended.IsZero() }, nil); err != nil {
			t.Fatal(err)
		}
		if after := len(r.bed.StepCommands("be3")); r.w.State().Run.Status != cluster.StatusStopped || after != ran {
			t.Errorf("%s, %d commands more", r.w.State().Run.Status, after-ran)
		}
		if r.noted("did not come to what was rehearsed") == 0 {
			t.Error("the deviation is not in the journal")
		}
	})
}

// everyState is the variable that asks for a rehearsal in every row's state.
const everyState = "CHEF_BACKEND_REHEARSALS"

// notRehearsed are the rows whose state is refused, by a part of the reason.
var notRehearsed = map[string]string{
	"failover-under-way": "a failover is under way", "timeline-diverged-beyond": "what it will come to cannot be foretold", "syncing": "what it will come to cannot be foretold", "sync-stalled": "what it will come to cannot be foretold",
}

// TestRehearsalIsBroughtIntoEveryState strikes each fault of the table, brings
// a simulation into the state that the cockpit sees, and looks again: the same
// facts, and the same findings. What cannot be brought there is refused.
func TestRehearsalIsBroughtIntoEveryState(t *testing.T) {
	if os.Getenv(everyState) == "" {
		t.Skipf("takes many minutes: make test-rehearsals, or %s=1", everyState)
	}
	tried := map[string]bool{}
	for _, s := range Table {
		if s.Quiet || s.Name == "healthy" || tried[s.Name] {
			continue
		}
		tried[s.Name] = true
		t.Run(s.Name, func(t *testing.T) { // one after the other: each is two clusters
			s.Procedure, s.Node = "call-support", ""
			r := newRehearsing(t, s)
			plan := r.plan()
			door, err := r.w.Rehearse(t.Context(), plan.ID)
			if why, refused := notRehearsed[s.Name]; refused {
				if err == nil || !strings.Contains(err.Error(), why) {
					t.Errorf("not refused for %q: %v", why, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer door.Close()
			for _, a := range door.State().Rehearsal.Assumed {
				t.Log("assumed: ", a)
			}
			end := door.Clock().After(s.Within)
			for !r.found(door.State()) {
				select {
				case <-door.Changed():
				case <-end:
					t.Fatalf("found on the cluster %v; in the rehearsal %s", standing(r.w.State()), situation(door.State()))
				}
			}
		})
	}
}
