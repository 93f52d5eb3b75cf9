package recovery

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"chef-backend-cockpit/cluster"
)

// Whenever the cockpit dies, the next one finds each step as it is, waits for
// the operator, and brings the plan to the same end; nothing runs twice.
func TestPlanIsTakenUpAgain(t *testing.T) {
	cases := []struct {
		procedure, node, service string
		set                      func(*world)
	}{
		{"rebuild-follower", "be3", "", behind},
		{"resync-follower", "be3", "", func(w *world) { behind(w); w.nodes["be3"].unsynced = true }},
		{"restart-service", "be2", "elasticsearch", func(w *world) { w.nodes["be2"].down["elasticsearch"] = true }},
		{"promote-node", "be2", "", func(w *world) { w.leaderless(); w.nodes["be1"].noStart = false }},
		{"promote-previous-leader", "be1", "", func(w *world) { w.leaderless() }},
	}
	deaths := 0
	for _, c := range cases {
		t.Run(c.procedure, func(t *testing.T) {
			for at, over := 0, false; !over; at++ {
				for _, after := range []bool{false, true} {
					if over = !dies(t, c.procedure, c.node, c.service, c.set, at, after); over {
						break
					}
					deaths++
				}
			}
		})
	}
	t.Logf("%d deaths", deaths)
}

// dies lets a cockpit die at a record and another one take over; false: the
// plan was over before.
func dies(t *testing.T, procedure, node, service string, set func(*world), at int, after bool) bool {
	t.Helper()
	w := newWorld(t)
	set(w)
	first := w.executor()
	c := &crash{w: w, at: at, after: after, dead: make(chan struct{})}
	first.o.Recorder = c
	plan, err := first.Plan(context.Background(), procedure, node, service)
	if err != nil {
		t.Fatal(err)
	}
	for _, phrase := range plan.Phrases {
		first.Confirm(plan.ID, phrase) //nolint:errcheck // the cockpit may have died at it
	}
	first.mu.Lock()
	r := first.run
	first.mu.Unlock()
	if r != nil {
		select {
		case <-c.dead:
			first.cancel()
		case <-r.done:
		}
	}
	first.Close()
	select {
	case <-c.dead:
	default:
		return false
	}
	name := fmt.Sprintf("record %d, on disk %v", at, after)
	if _, confirmed := w.left(); !confirmed {
		if len(w.ran) > 0 {
			t.Errorf("%s: ran %v without a confirmation", name, w.ran)
		}
		return true
	}
	if w.ended() {
		return true
	}
	x := w.another()
	defer x.Close()
	p := w.resumed(x)
	truthful(t, w, p)
	ran := len(w.ran)
	if p.Ended.IsZero() && p.Plan.ID != plan.ID {
		t.Errorf("%s: it is plan %s", name, p.Plan.ID)
	}
	p = w.goOn(x, p)
	truthful(t, w, p)
	if p.Status != cluster.StatusDone {
		t.Errorf("%s: %s: %s; %d commands had run, now %q", name, p.Status, p.Sentence, ran, w.ran)
		for _, st := range p.Steps {
			t.Logf("  %s %s: %s", st.Step.ID, st.Status, st.Sentence)
		}
	}
	open := map[string]int{}
	for _, data := range w.kept {
		switch d := data.(type) {
		case cluster.Intent:
			open[d.Step]++
		case cluster.Outcome:
			delete(open, d.Step)
		}
	}
	if len(open) > 0 {
		t.Errorf("%s: intents without an outcome: %v", name, open)
	}
	return true
}

// leftAt is a world whose cockpit died with the intent of a step on disk, when
// its command had reached the node.
func leftAt(t *testing.T, part string) *world {
	t.Helper()
	w := newWorld(t)
	behind(w)
	first := w.executor()
	during := make(chan struct{})
	w.during = func() {
		w.mu.Lock()
		hit := strings.Contains(w.ran[len(w.ran)-1], part)
		w.mu.Unlock()
		if hit {
			close(during)
			<-first.ctx.Done()
		}
	}
	w.confirmed(first, "rebuild-follower", "be3", "")
	<-during
	first.Close()
	w.during = nil
	return w
}

// What became of a step that was at work is said as it is, or as unknown, and a
// folder that is not this step's is never read.
func TestWhatBecameOfAStep(t *testing.T) {
	cases := []struct {
		name, part string
		set        func(w *world, f *folder)
		step       int
		status     cluster.Status
		says       string
		over       bool // the plan has ended; else it holds
	}{
		{"finished", "pgsql-follow", func(*world, *folder) {}, 2, cluster.StatusDone, "", false},
		{"failed", "pgsql-follow", func(w *world, f *folder) { f.exit = "1" }, 2, cluster.StatusFailed, "exit", true},
		{"never started", "pgsql-follow", func(w *world, f *folder) { w.folders, w.ran = map[string]*folder{}, w.ran[:2] }, 2, cluster.StatusAsked, "never started", false},
		{"gone without a word", "pgsql-follow", func(w *world, f *folder) { f.exit, f.gone = "", true }, 2, cluster.StatusUnknown, "left no exit status", true},
		{"rebooted meanwhile", "pgsql-follow", func(w *world, f *folder) { f.exit = ""; w.nodes["be3"].boot = "boot-2" }, 2, cluster.StatusUnknown, "started again while the step ran", true},
		{"another token", "pgsql-follow", func(w *world, f *folder) { f.token = "foreign" }, 2, cluster.StatusUnknown, "made by somebody else", true},
		{"another format", "pgsql-follow", func(w *world, f *folder) { w.foreign = true }, 2, cluster.StatusUnknown, "format 2", true},
		{"repeatable and unknown", "stop leaderl", func(w *world, f *folder) {
			f.exit, f.gone = "", true
			w.nodes["be3"].down["leaderl"] = false
		}, 0, cluster.StatusAsked, "done again without harm", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := leftAt(t, c.part)
			for key, f := range w.folders {
				if strings.Contains(w.ran[len(w.ran)-1], c.part) && strings.HasSuffix(key, lastFolder(w)) {
					c.set(w, f)
				}
			}
			x := w.another()
			p := w.resumed(x)
			st := p.Steps[c.step]
			if st.Status != c.status || !strings.Contains(st.Sentence, c.says) || p.Ended.IsZero() == c.over {
				t.Errorf("%s: %s; the plan %s: %s", st.Status, st.Sentence, p.Status, p.Sentence)
			}
			ran := len(w.ran)
			x.Stop()
			if p = w.done(x); p.Ended.IsZero() || len(w.ran) != ran {
				t.Errorf("stopped: %s; ran %v", p.Sentence, w.ran[ran:])
			}
			if !w.ended() || len(p.OpenEnds) == 0 {
				t.Errorf("its end is not written, or without open ends: %v", p.OpenEnds)
			}
		})
	}
}

// lastFolder is the folder that the newest intent names.
func lastFolder(w *world) string {
	for i := len(w.kept) - 1; i >= 0; i-- {
		if in, ok := w.kept[i].(cluster.Intent); ok {
			return "/" + in.Step
		}
	}
	return ""
}

// A step that may be repeated runs again only by the operator's word, in a
// folder of its own.
func TestUnknownStepIsChosenAgain(t *testing.T) {
	w := leftAt(t, "stop leaderl")
	for _, f := range w.folders {
		f.exit, f.gone = "", true
	}
	w.nodes["be3"].down["leaderl"] = false
	x := w.another()
	p := w.goOn(x, w.resumed(x))
	if p.Status != cluster.StatusDone || strings.Count(strings.Join(w.ran, "\n"), "stop leaderl") != 2 {
		t.Errorf("%s: %s; ran %q", p.Status, p.Sentence, w.ran)
	}
}

// A plan whose journal was changed is looked up, and does not go on.
func TestBrokenJournalDoesNotGoOn(t *testing.T) {
	w := leftAt(t, "pgsql-follow")
	l, _ := w.left()
	l.Broken = "invented: record 7 was changed"
	x := w.another()
	if _, err := x.Resume(l); err != nil {
		t.Fatal(err)
	}
	p := w.done(x)
	if p.Status != cluster.StatusStopped || p.Steps[2].Status != cluster.StatusDone || !strings.Contains(p.Sentence, "record 7 was changed") || len(w.ran) != 3 {
		t.Errorf("%s: %s; ran %v", p.Status, p.Sentence, w.ran)
	}
}

// A command that the journal holds without its secret is never sent.
func TestBlottedCommandDoesNotGoOn(t *testing.T) {
	w := leftAt(t, "pgsql-follow")
	l, _ := w.left()
	l.Confirmed = bytes.Replace(l.Confirmed, []byte(`"chef-backend-ctl start"`), []byte(`"TOKEN=*** chef-backend-ctl start"`), 1)
	x := w.another()
	if _, err := x.Resume(l); err != nil {
		t.Fatal(err)
	}
	p := w.done(x)
	if p.Status != cluster.StatusStopped || !strings.Contains(p.Sentence, "a secret was blotted out of the command of step 4-") || len(w.ran) != 3 {
		t.Errorf("%s: %s; ran %v", p.Status, p.Sentence, w.ran)
	}
}

// What a step has written is known to the facts of the steps behind it.
func TestOutputIsTakenUp(t *testing.T) {
	w := leftAt(t, "chef-backend-ctl start")
	p := w.resumed(w.another())
	if out := strings.Join(p.Steps[2].Output, "\n"); !strings.Contains(out, "base backup completed") {
		t.Errorf("the copy's output is %q", out)
	}
}

// A machine that was put in the node's place meanwhile is not gone on with.
func TestGoingOnNeedsTheSameMachine(t *testing.T) {
	w := leftAt(t, "pgsql-follow")
	w.nodes["be3"].machine = "another"
	x := w.another()
	w.resumed(x)
	if p := w.done(x); p.Status != cluster.StatusRefused || !strings.Contains(p.Sentence, "not the machine of the plan") || len(w.ran) != 3 {
		t.Errorf("%s: %s; ran %v", p.Status, p.Sentence, w.ran)
	}
}

// A wrong word lets nothing go on, and while the plan holds no other begins.
func TestHeldPlan(t *testing.T) {
	w := leftAt(t, "pgsql-follow")
	x := w.another()
	p := w.resumed(x)
	other, err := x.Plan(context.Background(), "restart-service", "be2", "elasticsearch")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Confirm(other.ID, "y"); err == nil {
		t.Error("a second plan began")
	}
	if _, err := x.Confirm(p.Plan.ID, "be2"); err == nil {
		t.Error("a wrong word was taken")
	}
	if p = w.done(x); p.Status != cluster.StatusStopped || len(w.ran) != 3 {
		t.Errorf("%s: %s; ran %v", p.Status, p.Sentence, w.ran)
	}
}

// goneAtStop is a plan that was left in its first step, whose process went without
// a word and without an effect; it asks whether to go on.
func goneAtStop(t *testing.T) (*world, *Executor, cluster.PlanState) {
	w := leftAt(t, "stop leaderl")
	for _, f := range w.folders {
		f.exit, f.gone = "", true
	}
	w.nodes["be3"].down["leaderl"] = false
	x := w.another()
	return w, x, w.resumed(x)
}

// A step that is chosen again and then refused is still one of which nobody
// knows what it came to.
func TestRepetitionIsRefused(t *testing.T) {
	w, x, p := goneAtStop(t)
	w.before = func() { w.mu.Lock(); w.nodes["be3"].machine = "another"; w.mu.Unlock() }
	p = w.goOn(x, p)
	if st := p.Steps[0]; st.Status != cluster.StatusUnknown || p.Status != cluster.StatusUnknown || len(w.ran) != 1 || len(p.OpenEnds) == 0 {
		t.Errorf("%s: %s, the plan %s: %s, %v; ran %v", st.Status, st.Sentence, p.Status, p.Sentence, p.OpenEnds, w.ran)
	}
	for _, data := range w.kept {
		if o, ok := data.(cluster.Outcome); ok && o.Status != cluster.StatusUnknown {
			t.Errorf("its outcome is written as %s: %s", o.Status, o.Sentence)
		}
	}
}

// A step that is chosen again on a node whose PostgreSQL answers only by now is
// tried once more, whatever is known of the try before; what that came to stays
// unknown in the journal until it is known.
func TestRepetitionIsTriedOnANodeThatAnswersByNow(t *testing.T) {
	w, x, p := goneAtStop(t)
	if p.Steps[0].PID == 0 {
		t.Fatal("the try before has no process: the case is not tried")
	}
	w.turns = 1
	p = w.goOn(x, p)
	if p.Status != cluster.StatusDone || strings.Count(strings.Join(w.ran, "\n"), "stop leaderl") != 2 {
		t.Errorf("the plan %s: %s; ran %v", p.Status, p.Sentence, w.ran)
	}
	for _, data := range w.kept {
		if o, ok := data.(cluster.Outcome); ok && o.Status == cluster.StatusRefused {
			t.Errorf("an outcome is written as %s: %s", o.Status, o.Sentence)
		}
	}
}
