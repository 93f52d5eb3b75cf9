package recovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// both is an invented procedure that reaches a further node: it restarts
// Elasticsearch on its node, and twice on the second of the others.
func both(newMachine bool) cluster.Procedure {
	runs := []cluster.Question{{Fact: "service-runs", Args: []string{"elasticsearch"}}}
	restart := func(id, on string) cluster.Step {
		return cluster.Step{ID: id, Say: "restart", On: on, Command: "chef-backend-ctl restart elasticsearch", Effects: runs, Deadline: time.Minute}
	}
	further := restart("2-further", "other2")
	further.Phrase, further.NewMachine = "{other2}", newMachine
	return cluster.Procedure{Name: "both", Title: "Restart both", Target: "node", Tier: cluster.T2, Phrase: "{node}", Built: true,
		Guards: []cluster.Guard{{Question: cluster.Question{Fact: "cluster-of-three"}}},
		Steps:  []cluster.Step{restart("1-own", "node"), further, restart("3-again", "other2")}}
}

// byHandOnly asks a person to bring Elasticsearch back on the first of the others.
func byHandOnly(effect string) cluster.Procedure {
	step := cluster.Step{ID: "1-cable", Kind: cluster.StepManual, Say: "mend the cable", ToDo: "go to {other1-address}", On: "other1", Deadline: time.Minute}
	if effect != "" {
		step.Effects = []cluster.Question{{Fact: "service-runs", Args: []string{effect}}}
	}
	return cluster.Procedure{Name: "by-hand", Title: "Mend a cable", Target: "node", Tier: cluster.T0, Built: true, Steps: []cluster.Step{step}}
}

// Before a further node is reached its name is typed, with who it is shown.
// Nothing of the step runs before, and only the machine that was confirmed is
// acted on.
func TestFurtherNodeIsMetFirst(t *testing.T) {
	own := "be2: chef-backend-ctl restart elasticsearch"
	further := "be3: chef-backend-ctl restart elasticsearch"
	cases := []struct {
		name       string
		newMachine bool
		atPlan     func(be3 *nodeState)
		before     func(be3 *nodeState) // before it is shown
		shown      string
		after      func(be3 *nodeState) // after the phrase, before the step's look
		typed      string
		status     cluster.Status
		sentence   string
		ran        []string
	}{
		{"the same machine", false, nil, nil, "be3 is the machine of the plan: host name be3, machine id machine-3", nil, "be3", cluster.StatusDone, "", []string{own, further, further}},
		{"a wrong word", false, nil, nil, "", nil, "be2", cluster.StatusStopped, `what was typed is not "be3"; step 2 did not run`, []string{own}},
		{"unseen when planned", false, func(n *nodeState) { n.unreachable = true }, func(n *nodeState) { n.unreachable = false }, "be3 was not seen when the plan was made; it is host name be3", nil, "be3", cluster.StatusDone, "", []string{own, further, further}},
		{"another machine", false, nil, func(n *nodeState) { n.machine = "machine-9" }, "", nil, "", cluster.StatusRefused, "its machine id was machine-3 and is machine-9", []string{own}},
		{"another machine, as the step says", true, nil, func(n *nodeState) { n.machine = "machine-9" }, "another machine than when the plan was made; it is host name be3, machine id machine-9", nil, "be3", cluster.StatusDone, "", []string{own, further, further}},
		{"started again", false, nil, func(n *nodeState) { n.boot = "boot-2" }, "started again since the plan was made", nil, "be3", cluster.StatusDone, "", []string{own, further, further}},
		{"another one after the phrase", true, nil, nil, "the machine of the plan", func(n *nodeState) { n.machine = "machine-9" }, "be3", cluster.StatusRefused, "its machine id was machine-3 and is machine-9", []string{own}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.extra = []cluster.Procedure{both(c.newMachine)}
			be3 := w.nodes["be3"]
			change := func(f func(*nodeState)) {
				if f != nil {
					w.mu.Lock()
					defer w.mu.Unlock()
					f(be3)
				}
			}
			change(c.atPlan)
			x := w.executor()
			w.during = func() {
				change(c.before)
				c.before = nil
			}
			plan := w.confirmed(x, "both", "be2", "")
			if c.typed != "" {
				if st := w.asked(cluster.AskPhrase); !strings.Contains(st.Sentence, c.shown) || st.AskedFor != "be3" || len(w.ran) != 1 {
					t.Errorf("asked for %q: %s; ran %v", st.AskedFor, st.Sentence, w.ran)
				}
				w.mu.Lock()
				w.before = func() { change(c.after) }
				w.mu.Unlock()
				if _, err := x.Confirm(plan.ID, c.typed); (err == nil) != (c.typed == "be3") {
					t.Error(err)
				}
			}
			p := w.done(x)
			if p.Status != c.status || !strings.Contains(p.Sentence, c.sentence) || !slices.Equal(w.ran, c.ran) {
				t.Errorf("%s: %s; ran %v", p.Status, p.Sentence, w.ran)
			}
		})
	}
}

// A phrase that comes before the node told who it is changes nothing, and one
// that cannot be written either; the plan can be stopped all the while.
func TestHeldPlanWaits(t *testing.T) {
	w := newWorld(t)
	w.extra = []cluster.Procedure{both(true)}
	w.nodes["be3"].unreachable = true
	x := w.executor()
	plan := w.confirmed(x, "both", "be2", "")
	w.until("be3 is waited for", func(p cluster.PlanState) bool {
		return strings.Contains(p.Sentence, "waits for be3: be3 does not tell who it is")
	})
	if _, err := x.Confirm(plan.ID, "be3"); err == nil {
		t.Error("a phrase was taken that nobody asked for")
	}
	unreachable := func(is bool) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.nodes["be3"].unreachable = is
	}
	unreachable(false)
	w.until("be3 is met", func(p cluster.PlanState) bool {
		return p.Status == cluster.StatusAsked && strings.Contains(p.Sentence, "it is host name be3")
	})
	unreachable(true)
	w.until("be3 is gone again", func(p cluster.PlanState) bool { return strings.Contains(p.Sentence, "be3 does not tell who it is") })
	if _, err := x.Confirm(plan.ID, "be3"); err == nil || !strings.Contains(err.Error(), "does not tell who it is") {
		t.Error(err)
	}
	unreachable(false)
	w.mu.Lock()
	w.refuse["confirm"] = errors.New("disk full")
	w.mu.Unlock()
	w.until("be3 is seen", func(p cluster.PlanState) bool { return strings.Contains(p.Sentence, "it is host name be3") })
	if _, err := x.Confirm(plan.ID, "be3"); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Error(err)
	}
	if err := x.Tick(plan.ID, "2-further"); err == nil {
		t.Error("a phrase was ticked")
	}
	x.Stop()
	if p := w.done(x); p.Status != cluster.StatusStopped || len(w.ran) != 1 {
		t.Errorf("%s: %s; ran %v", p.Status, p.Sentence, w.ran)
	}
	if _, err := x.Confirm(plan.ID, "be3"); err == nil {
		t.Error("a plan that has ended was confirmed")
	}
}

// Where the step that asks is skipped, a later one does not reach the node unasked.
func TestSkippedPhraseCoversNothing(t *testing.T) {
	w := newWorld(t)
	p := both(false)
	p.Steps[1].When = &cluster.Question{Fact: "unsynced"}
	w.extra = []cluster.Procedure{p}
	x := w.executor()
	w.confirmed(x, "both", "be2", "")
	if p := w.done(x); p.Status != cluster.StatusRefused || !strings.Contains(p.Sentence, "nobody typed for be3") || len(w.ran) != 1 {
		t.Errorf("%s: %s; ran %v", p.Status, p.Sentence, w.ran)
	}
}

// A person's step is written before it is done, waits without end, and after
// the tick its effects decide.
func TestManualStep(t *testing.T) {
	cases := []struct {
		name, effect string
		mend, freeze bool
		status       cluster.Status
		sentence     string
	}{
		{"done", "elasticsearch", true, false, cluster.StatusDone, "ticked at"},
		{"ticked but not done", "elasticsearch", false, false, cluster.StatusFailed, "by ann@bastion; not within 1m0s: elasticsearch is down on be1"},
		{"ticked and not to be seen", "elasticsearch", true, true, cluster.StatusUnknown, "not seen within 1m0s"},
		{"nothing to see", "", false, false, cluster.StatusDone, "by ann@bastion"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.extra = []cluster.Procedure{byHandOnly(c.effect)}
			be1 := w.nodes["be1"]
			be1.down["elasticsearch"] = true
			x := w.executor()
			plan := w.confirmed(x, "by-hand", "be2", "")
			st := w.asked(cluster.AskTick)
			if st.Step.ToDo != "go to 10.0.4.11" || st.Step.Node != "be1" {
				t.Errorf("%+v", st.Step)
			}
			w.mu.Lock()
			if last := w.kept[len(w.kept)-1].(cluster.Intent); last.ToDo != "go to 10.0.4.11" || last.Command != "" {
				t.Errorf("before it is done the journal holds %+v", last)
			}
			be1.down["elasticsearch"], be1.frozen = !c.mend, c.freeze
			w.mu.Unlock()
			if err := x.Tick(plan.ID, "9-other"); err == nil {
				t.Error("a step was ticked that is not asked for")
			}
			if err := x.Tick(plan.ID, "1-cable"); err != nil {
				t.Fatal(err)
			}
			p := w.done(x)
			if p.Status != c.status || !strings.Contains(p.Steps[0].Sentence, c.sentence) {
				t.Errorf("%s: %s", p.Status, p.Steps[0].Sentence)
			}
			tick, ok := w.kept[len(w.kept)-3].(typing)
			out, ok2 := w.kept[len(w.kept)-2].(cluster.Outcome)
			if !ok || !ok2 || !tick.Ticked || tick.By != "ann@bastion" || out.By != "ann@bastion" || out.Status != c.status {
				t.Errorf("the journal holds %+v and %+v", tick, out)
			}
		})
	}
}

// While somebody is asked, a stop leaves the outcome open, and a cockpit that
// is left leaves the intent open in the journal.
func TestManualStepIsLeft(t *testing.T) {
	w := newWorld(t)
	w.extra = []cluster.Procedure{byHandOnly("")}
	x := w.executor()
	w.confirmed(x, "by-hand", "be2", "")
	w.asked(cluster.AskTick)
	x.Stop()
	if p := w.done(x); p.Status != cluster.StatusStopped || !strings.Contains(p.Sentence, "whether it was done is not known") {
		t.Errorf("%s: %s", p.Status, p.Sentence)
	}
	w.confirmed(x, "by-hand", "be2", "")
	w.until("it is asked again", func(p cluster.PlanState) bool { return p.Plan.ID == "00000002" && p.Status == cluster.StatusAsked })
	x.Close()
	if last := w.records[len(w.records)-1]; last != "intent" {
		t.Errorf("the journal ends with %s", last)
	}
}

// A guide waits while its parts are carried out as plans of their own.
func TestGuideWaitsForItsParts(t *testing.T) {
	w := newWorld(t)
	w.extra = []cluster.Procedure{byHandOnly("elasticsearch")}
	w.nodes["be1"].down["elasticsearch"] = true
	x := w.executor()
	guide := w.confirmed(x, "by-hand", "be2", "")
	w.asked(cluster.AskTick)
	part := w.confirmed(x, "restart-service", "be1", "elasticsearch")
	p := w.until("the part is done", func(p cluster.PlanState) bool { return p.Plan.ID == part.ID && !p.Ended.IsZero() })
	if p.Status != cluster.StatusDone {
		t.Fatal(p.Sentence)
	}
	if err := x.Tick(guide.ID, "1-cable"); err != nil {
		t.Fatal(err)
	}
	p = w.until("the guide ends", func(p cluster.PlanState) bool { return p.Plan.ID == guide.ID && !p.Ended.IsZero() })
	if p.Status != cluster.StatusDone {
		t.Error(p.Sentence)
	}
}

// Guards and effects of a step on a further node are about that node, in fixed
// order, and each node has the plan's own folder for what is moved aside.
func TestPlanOverSeveralNodes(t *testing.T) {
	w := newWorld(t)
	moves := func(id, on string) cluster.Step {
		return cluster.Step{ID: id, Say: "move", On: on, Phrase: map[bool]string{true: "{" + on + "}"}[on != "node"],
			Command:  "mv -n /var/opt/chef-backend/leaderl/data/unsynced /var/opt/chef-backend-cockpit/aside/{plan}/",
			Guards:   []cluster.Guard{{Question: cluster.Question{Fact: "unsynced"}}},
			Effects:  []cluster.Question{{Fact: "unsynced", Not: true}},
			Deadline: time.Minute}
	}
	w.extra = []cluster.Procedure{{Name: "several", Title: "Move", Target: "node", Tier: cluster.T2, Phrase: "{node}", Built: true,
		Guards: []cluster.Guard{{Question: cluster.Question{Fact: "cluster-of-three"}}},
		Steps:  []cluster.Step{moves("1-own", "node"), moves("2-first", "other1"), moves("3-second", "other2")}}}
	for _, n := range w.nodes {
		n.unsynced = true
	}
	x := w.executor()
	plan := w.confirmed(x, "several", "be2", "")
	for i, n := range []string{"be1", "be3"} {
		st := w.until("it asks for "+n, func(p cluster.PlanState) bool {
			return p.Status == cluster.StatusAsked && p.Steps[i+1].Status == cluster.StatusAsked && strings.Contains(p.Sentence, "machine of the plan")
		})
		if st.Steps[i+1].AskedFor != n {
			t.Fatal(st.Steps[i+1].AskedFor)
		}
		if _, err := x.Confirm(plan.ID, n); err != nil {
			t.Fatal(err)
		}
	}
	p := w.done(x)
	var want []string
	for _, n := range []string{"be2", "be1", "be3"} {
		want = append(want, n+": mv -n /var/opt/chef-backend/leaderl/data/unsynced "+aside)
	}
	if p.Status != cluster.StatusDone || !slices.Equal(w.ran, want) {
		t.Errorf("%s: %s; ran\n%s", p.Status, p.Sentence, strings.Join(w.ran, "\n"))
	}
	for i, n := range []string{"be2", "be1", "be3"} {
		for _, g := range p.Steps[i].Guards {
			if g.Fact == "unsynced" && g.Node != n {
				t.Errorf("step %d asked %s of %s", i+1, g.Fact, g.Node)
			}
		}
	}
}

// In a plan about the whole cluster the guards of the procedure are asked of
// the node whose turn it is.
func TestClusterGuardsAreAskedPerNode(t *testing.T) {
	w := newWorld(t)
	p := cluster.Procedure{Name: "each", Title: "Each", Target: "cluster", Tier: cluster.T1, Built: true,
		Guards: []cluster.Guard{{Question: cluster.Question{Fact: "unsynced", Not: true}}},
		Steps: []cluster.Step{
			{ID: "1-first", On: "other1", Command: "chef-backend-ctl restart elasticsearch", Effects: []cluster.Question{{Fact: "service-runs", Args: []string{"elasticsearch"}}}, Deadline: time.Minute},
			{ID: "2-second", On: "other2", Command: "chef-backend-ctl restart elasticsearch", Effects: []cluster.Question{{Fact: "service-runs", Args: []string{"elasticsearch"}}}, Deadline: time.Minute},
		}}
	w.extra = []cluster.Procedure{p}
	x := w.executor()
	w.nodes["be3"].unsynced = true
	plan, err := x.Plan(context.Background(), "each", "", "")
	if err != nil || plan.Steps[0].Node != "be2" || plan.Steps[1].Node != "be3" {
		t.Fatalf("%v %+v", err, plan.Steps)
	}
	if _, err := x.Confirm(plan.ID, "y"); err != nil {
		t.Fatal(err)
	}
	got := w.done(x)
	if got.Status != cluster.StatusRefused || fmt.Sprint(w.ran) != "[be2: chef-backend-ctl restart elasticsearch]" {
		t.Errorf("%s: %s; ran %v", got.Status, got.Sentence, w.ran)
	}
}

// Once a question is answered nobody is shown it any more, whatever a look at
// the node that was under way would have said.
func TestAnsweredQuestionIsShownNoMore(t *testing.T) {
	w := newWorld(t)
	x := w.executor()
	step := cluster.PlanStep{ID: "1-x", Say: "the step"}
	f := &frozen{plan: cluster.Plan{ID: "00000009", Steps: []cluster.PlanStep{step}}}
	r := newRun(x, f, nil, w.clock.Now())
	h := &hold{ask: cluster.AskPhrase, step: "1-x", phrase: "be2"}
	r.enter(0, h, "be2", "asks")
	r.retell(h, "asks anew", nil)
	if st := w.asked(cluster.AskPhrase); st.Sentence != "asks anew" || st.AskedFor != "be2" {
		t.Errorf("asked: %+v", st)
	}
	if err := r.typedText("be2"); err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		if n > 0 {
			r.retell(h, "asks once more", nil)
			r.leave(h)
		}
		if p := w.published()[len(w.published())-1]; p.Status != cluster.StatusRunning || p.Steps[0].Asks != "" || p.Steps[0].Sentence == "asks once more" {
			t.Errorf("after the answer: %s: %s, step %+v", p.Status, p.Sentence, p.Steps[0])
		}
	}
}
