package recovery

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"chef-backend-cockpit/cluster"
)

// rehearsedOn carries a plan out on another invented world and gives back what
// that foretells; broken changes that world before.
func rehearsedOn(t *testing.T, plan cluster.Plan, broken func(*world)) *cluster.Prediction {
	t.Helper()
	w := newWorld(t)
	behind(w)
	w.rehearses = true
	if broken != nil {
		broken(w)
	}
	x := w.executor()
	if err := x.Take(context.Background(), plan); err != nil {
		t.Fatal(err)
	}
	for _, p := range plan.Phrases {
		if _, err := x.Confirm(plan.ID, p); err != nil {
			t.Fatal(err)
		}
	}
	p := w.done(x)
	if p.Prediction == nil || p.Prediction.Status != p.Status {
		t.Fatalf("%s: %s, foretold %+v", p.Status, p.Sentence, p.Prediction)
	}
	return p.Prediction
}

// notes counts the notes that were kept and hold a text.
func (w *world) notes(text string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, k := range w.kept {
		if note, ok := k.(planNote); ok && strings.Contains(note.Text, text) {
			n++
		}
	}
	return n
}

// rehearsedRebuild is a rebuild of a follower that was planned and rehearsed.
func rehearsedRebuild(t *testing.T) (*world, *Executor, cluster.Plan) {
	w := newWorld(t)
	behind(w)
	x := w.executor()
	plan, err := x.Plan(context.Background(), "rebuild-follower", "be3", "")
	if err != nil {
		t.Fatal(err)
	}
	x.Foreseen(rehearsedOn(t, plan, nil))
	return w, x, plan
}

// The real run against its rehearsal: it goes on by itself while facts agree,
// or are only unknown, and holds before the next step where one is known to be
// otherwise.
func TestRunIsComparedWithItsRehearsal(t *testing.T) {
	const deviates = `step 1 did not come to what was rehearsed: be2 service etcd: rehearsed "up", is "down"; be2 etcd member: rehearsed "healthy", is "not healthy"`
	etcdDown := func(w *world) { w.nodes["be2"].down["etcd"] = true }
	cases := []struct {
		name     string
		rehearse func(*world) // what the rehearsal's world has
		change   func(*world) // what changes while the first step runs
		asks     string       // part of what is asked; "" for nothing
		typed    string       // "stop" stops it
		status   cluster.Status
		sentence string
		ran      int
	}{
		{"it agrees", nil, nil, "", "", cluster.StatusDone, "as it was rehearsed", 4},
		{"something is unknown", nil, func(w *world) { w.nodes["be2"].etcdMute = true }, "", "", cluster.StatusDone, "as it was rehearsed", 4},
		{"it deviates and goes on", nil, etcdDown, deviates, "go on be3", cluster.StatusDone, "", 4},
		{"it deviates and a wrong word comes", nil, etcdDown, deviates, "be3", cluster.StatusStopped, "rehearsed \"up\", is \"down\"", 1},
		{"it deviates and is stopped", nil, etcdDown, deviates, "stop", cluster.StatusStopped, "rehearsed \"up\", is \"down\"", 1},
		{"it goes where the rehearsal failed", func(w *world) { w.exits["pgsql-follow"] = 3 }, nil, "the rehearsal stopped at this step: ", "go on be3", cluster.StatusDone, "", 4},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			behind(w)
			x := w.executor()
			plan, err := x.Plan(context.Background(), "rebuild-follower", "be3", "")
			if err != nil {
				t.Fatal(err)
			}
			x.Foreseen(rehearsedOn(t, plan, c.rehearse))
			w.during = func() {
				if c.change != nil {
					c.change(w)
				}
			}
			if _, err := x.Confirm(plan.ID, "be3"); err != nil {
				t.Fatal(err)
			}
			if c.asks != "" {
				st := w.asked(cluster.AskPhrase)
				before := len(w.ran)
				if !strings.Contains(st.Sentence, c.asks) || st.AskedFor != "go on be3" || st.Step.Number == "1" {
					t.Errorf("asked for %q before step %s: %s", st.AskedFor, st.Step.Number, st.Sentence)
				}
				if w.notes(c.asks) != 1 || slices.Contains(w.ran[before:], st.Step.Command) {
					t.Errorf("not noted before it held, or it went on: %v", w.ran)
				}
				if c.typed == "stop" {
					x.Stop()
				} else if _, err := x.Confirm(plan.ID, c.typed); (err == nil) != (c.typed == st.AskedFor) {
					t.Error(err)
				}
			}
			p := w.done(x)
			if p.Status != c.status || !strings.Contains(p.Sentence, c.sentence) || len(w.ran) != c.ran {
				t.Errorf("%s: %s; ran %v", p.Status, p.Sentence, w.ran)
			}
			if c.name == "something is unknown" && !strings.Contains(p.Steps[0].Compared, "; unknown now: be2 etcd member") {
				t.Errorf("what is unknown is not told: %q", p.Steps[0].Compared)
			}
		})
	}
}

// What comes to differ while the words are being typed nobody has read: they let
// pass what was told before, and the plan holds once more.
func TestOnlyWhatWasReadIsLetPass(t *testing.T) {
	const later = "be1 service elasticsearch"
	w, x, plan := rehearsedRebuild(t)
	w.during = func() { w.nodes["be2"].down["etcd"] = true }
	if _, err := x.Confirm(plan.ID, "be3"); err != nil {
		t.Fatal(err)
	}
	read := w.asked(cluster.AskPhrase)
	comes := sync.OnceFunc(func() {
		w.mu.Lock()
		w.nodes["be1"].down["elasticsearch"] = true
		w.lookAll()
		w.mu.Unlock()
		w.until("it is told, too", func(p cluster.PlanState) bool { return strings.Contains(p.Sentence, later) })
	})
	w.writing = func(data any) {
		if _, typed := data.(typing); typed {
			comes()
		}
	}
	if _, err := x.Confirm(plan.ID, read.AskedFor); err != nil {
		t.Fatal(err)
	}
	again := w.until("it holds for that alone", func(p cluster.PlanState) bool {
		return p.Status == cluster.StatusAsked && strings.Contains(p.Sentence, later) && !strings.Contains(p.Sentence, "be2 etcd member")
	})
	if len(w.ran) != 1 || w.notes(later) != 1 {
		t.Errorf("%s; ran %v, noted %d times", again.Sentence, w.ran, w.notes(later))
	}
	if _, err := x.Confirm(plan.ID, read.AskedFor); err != nil {
		t.Fatal(err)
	}
	if p := w.done(x); p.Status != cluster.StatusDone {
		t.Errorf("%s: %s", p.Status, p.Sentence)
	}
}

// Of many deviations four are named at a time, and the words let pass only those.
func TestManyDeviationsAreReadInTurn(t *testing.T) {
	w, x, plan := rehearsedRebuild(t)
	w.during = func() {
		for _, service := range []string{"etcd", "elasticsearch", "leaderl", "epmd"} {
			w.nodes["be2"].down[service] = true
		}
		w.nodes["be1"].down["elasticsearch"], w.nodes["be1"].down["epmd"] = true, true
	}
	if _, err := x.Confirm(plan.ID, "be3"); err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for {
		read := w.asked(cluster.AskPhrase)
		if told[read.Sentence] {
			t.Fatalf("asked twice: %s", read.Sentence)
		}
		told[read.Sentence] = true
		if n := strings.Count(read.Sentence, "; ") - strings.Count(read.Sentence, "; and "); n > deviationsSaid {
			t.Errorf("%d are told at once: %s", n, read.Sentence)
		}
		if _, err := x.Confirm(plan.ID, read.AskedFor); err != nil {
			t.Fatal(err)
		}
		over := false
		w.until("it asks for the others, or goes on", func(p cluster.PlanState) bool {
			over = len(w.ran) > 1 || !p.Ended.IsZero()
			s := p.Asked()
			return over || s != nil && !told[s.Sentence]
		})
		if over {
			break
		}
	}
	if len(told) < 2 {
		t.Errorf("all were let pass at once: %v", told)
	}
	w.done(x)
}

// A hold that cannot be written is no hold: the plan ends there.
func TestDeviationThatCannotBeNoted(t *testing.T) {
	w, x, plan := rehearsedRebuild(t)
	w.during = func() {
		w.nodes["be2"].down["etcd"] = true
		w.refuse["note"] = errors.New("invented: no space left")
	}
	if _, err := x.Confirm(plan.ID, "be3"); err != nil {
		t.Fatal(err)
	}
	if p := w.done(x); p.Status != cluster.StatusFailed || !strings.Contains(p.Sentence, "the journal can no longer be written") || len(w.ran) != 1 {
		t.Errorf("%s: %s; ran %v", p.Status, p.Sentence, w.ran)
	}
}

// What was foretold outlives the cockpit with the plan's confirmation.
func TestPredictionIsTakenUpAgain(t *testing.T) {
	w := newWorld(t)
	behind(w)
	x := w.executor()
	plan, err := x.Plan(context.Background(), "rebuild-follower", "be3", "")
	if err != nil {
		t.Fatal(err)
	}
	foretold := rehearsedOn(t, plan, nil)
	x.Foreseen(foretold)
	w.during = func() { w.nodes["be2"].down["etcd"] = true }
	if _, err := x.Confirm(plan.ID, "be3"); err != nil {
		t.Fatal(err)
	}
	w.asked(cluster.AskPhrase)
	x.Close()
	again := w.another()
	p := w.resumed(again)
	if p.Prediction == nil || len(p.Prediction.Steps) != len(foretold.Steps) {
		t.Fatalf("the prediction is gone: %+v", p.Prediction)
	}
	if _, err := again.Confirm(plan.ID, "be3"); err != nil { // the plan's own phrase, as for every plan that was left
		t.Fatal(err)
	}
	st := w.until("it holds again", func(p cluster.PlanState) bool {
		return p.Status == cluster.StatusAsked && strings.Contains(p.Sentence, "did not come to what was rehearsed")
	})
	if again.Stop(); len(w.ran) != 1 {
		t.Errorf("%s; ran %v", st.Sentence, w.ran)
	}
	w.done(again)
}

// Only a rehearsal takes a plan of another cockpit, and only the same one.
func TestTakenPlanIsTheSame(t *testing.T) {
	w := newWorld(t)
	behind(w)
	x := w.executor()
	plan, err := x.Plan(context.Background(), "rebuild-follower", "be3", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Take(context.Background(), plan); err == nil {
		t.Error("an executor of real hosts took a plan that was not made there")
	}
	other := newWorld(t)
	behind(other)
	other.rehearses = true
	plan.Steps = slices.Clone(plan.Steps)
	plan.Steps[2].Command = "reboot"
	if err := other.executor().Take(context.Background(), plan); err == nil || !strings.Contains(err.Error(), `not "reboot"`) {
		t.Errorf("another command was taken: %v", err)
	}
}
