package recovery

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// Nothing of a plan begins without the lock, and it is given up at the end.
func TestPlanTakesTheLockFirst(t *testing.T) {
	w := newWorld(t)
	behind(w)
	x := w.executor()
	w.lock.taken = &lockTaken{"bob@laptop holds the lock on be1 since 02:41Z"}
	w.confirmed(x, "rebuild-follower", "be3", "")
	if p := w.done(x); p.Status != cluster.StatusRefused || !strings.Contains(p.Sentence, "bob@laptop holds the lock") || len(w.ran) > 0 {
		t.Errorf("%s: %s; ran %q", p.Status, p.Sentence, w.ran)
	}
	w.lock.taken = nil
	takes := w.lock.takes
	w.confirmed(x, "rebuild-follower", "be3", "")
	if p := w.done(x); p.Status != cluster.StatusDone || w.lock.takes != takes+1 {
		t.Errorf("%s: %s; taken %d times", p.Status, p.Sentence, w.lock.takes-takes)
	}
	if w.lock.drops != 2 {
		t.Errorf("given up %d times", w.lock.drops)
	}
	w.confirmed(x, "observe", "", "")
	if w.done(x); w.lock.takes != takes+1 {
		t.Error("a plan without commands took the lock")
	}
}

// A node that answers by now what it did not when it was looked at has refused
// before anything ran: it is looked at again, a few times.
func TestStepIsTriedOnANodeThatAnswersByNow(t *testing.T) {
	for refusals, want := range map[int]cluster.Status{2: cluster.StatusDone, 3: cluster.StatusRefused} {
		w := newWorld(t)
		behind(w)
		w.turns = refusals
		x := w.executor()
		w.confirmed(x, "rebuild-follower", "be3", "")
		p := w.done(x)
		if p.Status != want {
			t.Fatalf("%d refusals: %s: %s", refusals, p.Status, p.Sentence)
		}
		if ran := len(w.ran) > 0; ran != (want == cluster.StatusDone) {
			t.Errorf("%d refusals: ran %q", refusals, w.ran)
		}
		seen := map[string]bool{}
		for _, command := range w.ran {
			if seen[command] {
				t.Errorf("%d refusals: %q ran twice", refusals, command)
			}
			seen[command] = true
		}
	}
}

// A plan whose lock is lost holds before its next step, says so, and goes on
// when it is held again; in the last moment before an intent, too.
func TestPlanHoldsWithoutTheLock(t *testing.T) {
	w := newWorld(t)
	behind(w)
	lost := notHeld{says: "it is held on 1 of 3 nodes, not on be1 and be2"}
	w.lock.lost = []notHeld{lost, lost, lost, lost, {}, lost, lost, lost}
	x := w.executor()
	w.confirmed(x, "rebuild-follower", "be3", "")
	if p := w.done(x); p.Status != cluster.StatusDone {
		t.Fatalf("%s: %s", p.Status, p.Sentence)
	}
	held := 0
	for _, p := range w.states {
		for _, st := range p.Steps {
			if st.PID != 0 && st.Ended.IsZero() && (strings.HasPrefix(p.Sentence, "holds") || !st.ExitKnown && st.Status != cluster.StatusRunning) {
				t.Errorf("step %s is at work (%s), and it is said: %s", st.Step.Number, st.Status, p.Sentence)
			}
		}
		if p.Status == cluster.StatusWaiting && strings.HasPrefix(p.Sentence, "holds before step ") && strings.Contains(p.Sentence, lost.says) {
			held++
		}
	}
	if held < 2 {
		t.Errorf("it was said %d times that the plan holds", held)
	}
	seen := map[string]bool{}
	for _, command := range w.ran {
		if seen[command] {
			t.Errorf("twice: %s", command)
		}
		seen[command] = true
	}
}

// What another cockpit took over ends the plan before its next step.
func TestPlanEndsWhenTheLockIsTakenOver(t *testing.T) {
	w := newWorld(t)
	behind(w)
	x := w.executor()
	w.during = func() { // the first command
		w.lock.mu.Lock()
		defer w.lock.mu.Unlock()
		w.lock.taken = &lockTaken{"bob@laptop took the lock over"}
		for range 100 {
			w.lock.lost = append(w.lock.lost, notHeld{says: "bob@laptop took the operators' lock over"})
		}
	}
	w.confirmed(x, "rebuild-follower", "be3", "")
	p := w.done(x)
	if p.Status != cluster.StatusRefused || !strings.Contains(p.Sentence, "bob@laptop took the lock over") || len(w.ran) != 1 {
		t.Errorf("%s: %s; ran %q", p.Status, p.Sentence, w.ran)
	}
}

// Whoever holds the lock is told from, before a plan begins.
func TestConfirmIsRefusedWhileSomebodyActs(t *testing.T) {
	w := newWorld(t)
	behind(w)
	x := w.executor()
	plan, err := x.Plan(context.Background(), "rebuild-follower", "be3", "")
	if err != nil {
		t.Fatal(err)
	}
	w.holder = cluster.LockHolder{Token: "other", Who: "bob@laptop", Since: w.clock.Now()}
	w.lookAll()
	if _, err := x.Confirm(plan.ID, "be3"); err == nil || !strings.Contains(err.Error(), "bob@laptop holds the operators' lock since 02:41Z") {
		t.Errorf("%v", err)
	}
	w.holder.Token = "lock1" // our own, as a look that is late tells it
	w.lookAll()
	if _, err := x.Confirm(plan.ID, "be3"); err != nil {
		t.Error(err)
	}
	w.done(x)
}

// T3 wants the cockpit armed: by the cluster's name alone, for ten minutes. A
// plan that runs goes on without; its next phrase does not.
func TestArming(t *testing.T) {
	w := newWorld(t)
	w.leaderless()
	x := w.executor()
	x.Disarm()
	plan, err := x.Plan(context.Background(), "promote-node", "be2", "")
	if err != nil || plan.Tier != cluster.T3 {
		t.Fatal(plan.Tier, err)
	}
	refused := func(when string) {
		t.Helper()
		if _, err := x.Confirm(plan.ID, plan.Phrases[0]); err == nil || !strings.Contains(err.Error(), NeedsArming) {
			t.Errorf("%s: %v", when, err)
		}
	}
	refused("not armed")
	for _, wrong := range []string{"", "Invented", "invented ", "be2"} {
		if err := x.Arm(wrong); err == nil || !x.ArmedUntil().IsZero() {
			t.Errorf("%q armed it: %v", wrong, err)
		}
	}
	if err := x.Arm("invented"); err != nil || x.ArmedUntil() != w.clock.Now().Add(ArmedFor) {
		t.Errorf("%v, until %v", err, x.ArmedUntil())
	}
	x.Disarm()
	refused("ended by hand")
	x.Arm("invented")
	w.clock.After(ArmedFor)
	refused("after ten minutes")
	if len(w.ran) > 0 {
		t.Errorf("ran %q", w.ran)
	}
	x.Arm("invented")
	w.lookAll()
	for _, phrase := range plan.Phrases {
		if _, err := x.Confirm(plan.ID, phrase); err != nil {
			t.Fatal(err)
		}
	}
	if p := w.done(x); p.Status != cluster.StatusDone {
		t.Errorf("%s: %s", p.Status, p.Sentence)
	}
	w.readOnly = true
	if err := w.executor().Arm("invented"); err == nil {
		t.Error("a read-only cockpit was armed")
	}
}

// A phrase in the middle of a T3 plan wants the cockpit armed; until then the
// plan goes on asking.
func TestPhraseInTheMiddleWantsArming(t *testing.T) {
	w := newWorld(t)
	x := w.executor()
	r := newRun(x, &frozen{plan: cluster.Plan{ID: "00000009", Tier: cluster.T3, Steps: []cluster.PlanStep{{ID: "1-x"}}}}, nil, w.clock.Now())
	h := &hold{ask: cluster.AskPhrase, step: "1-x", phrase: "be2"}
	r.enter(0, h, "be2", "asks")
	x.Disarm()
	if err := r.typedText("be2"); err == nil || !strings.Contains(err.Error(), NeedsArming) {
		t.Errorf("%v", err)
	}
	x.Arm("invented")
	if err := r.typedText("be2"); err != nil || !<-h.answer {
		t.Errorf("%v", err)
	}
}

// The wall counts where the running clock stood still: a laptop that slept.
func TestElapsedCountsSleep(t *testing.T) {
	now := time.Now()
	asleep := now.Add(time.Minute).Round(0)
	if got := elapsed(now, asleep); got != time.Minute {
		t.Error(got)
	}
}

// A take-over wants its phrase, a holder, and no step at work.
func TestTakeOverIsRefused(t *testing.T) {
	w := newWorld(t)
	x := w.executor()
	try := func(text, want string) {
		t.Helper()
		if err := x.TakeOver(context.Background(), text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	phrase := TakeOverPhrase("bob@laptop")
	try(phrase, "nothing to take over")
	w.holder = cluster.LockHolder{Token: "other", Who: "bob@laptop"}
	try("take over from bob", "what was typed is not")
	w.working = "be2"
	try(phrase, "step 1-copy of plan 7f3a0001 runs on be2")
	w.working = ""
	w.refuse["note"] = errors.New("disk full")
	try(phrase, "disk full")
	if w.lock.takes != 0 {
		t.Error("taken all the same")
	}
	delete(w.refuse, "note")
	if err := x.TakeOver(context.Background(), phrase); err != nil || w.lock.takes != 1 {
		t.Errorf("%v, taken %d times", err, w.lock.takes)
	}
	w.holder = cluster.LockHolder{Token: "lock1", Who: "ann@bastion"}
	try(TakeOverPhrase("ann@bastion"), "holds the operators' lock itself")
}
