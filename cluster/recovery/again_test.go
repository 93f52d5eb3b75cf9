package recovery

import (
	"context"
	"slices"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// A node too busy to answer a look in time is looked at again before a plan asks
// for an override on its account, a few times.
func TestPlanLooksAgainAtABusyNode(t *testing.T) {
	for silent, want := range map[int][]string{0: {"be3"}, 2: {"be3"}, 3: {"last copy", "be3"}} {
		w := newWorld(t)
		behind(w)
		x := w.executor()
		w.nodes["be2"].silent = silent
		plan, err := x.Plan(context.Background(), "rebuild-follower", "be3", "")
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(plan.Phrases, want) {
			t.Errorf("%d looks without an answer: it asks for %q, want %q", silent, plan.Phrases, want)
		}
	}
}

// What is unknown for another reason is so at once: a plan waits for no copy
// that nobody made.
func TestPlanLooksOnceAtNodesThatAnswer(t *testing.T) {
	w := newWorld(t)
	behind(w)
	x := w.executor()
	w.nodes["be2"].etcdMute = true
	before := w.fetched
	if _, err := x.Plan(context.Background(), "rebuild-follower", "be3", ""); err != nil {
		t.Fatal(err)
	}
	if looks := w.fetched - before; looks != len(order) {
		t.Errorf("%d looks at %d nodes", looks, len(order))
	}
}

// A step whose guards are unknown on its own look is tried again a few times,
// and writes no intent before they are known; one that is known not to hold
// refuses at once.
func TestStepLooksAgainWhileAGuardIsUnknown(t *testing.T) {
	for _, tt := range []struct {
		silent, sessions int
		wrong            bool
		want             cluster.Status
	}{
		{silent: 2, sessions: 3, want: cluster.StatusDone},
		{silent: 100, sessions: triesToKnow, want: cluster.StatusRefused},
		{silent: 100, sessions: 1, wrong: true, want: cluster.StatusRefused},
	} {
		w := newWorld(t)
		behind(w)
		x := w.executor()
		plan, err := x.Plan(context.Background(), "rebuild-follower", "be3", "")
		if err != nil {
			t.Fatal(err)
		}
		sessions := 0
		w.before = func() { // before each look of a step's session
			w.mu.Lock()
			defer w.mu.Unlock()
			if len(w.ran) > 0 {
				return
			}
			sessions++
			if tt.wrong {
				w.nodes["be2"].recovery = false
				w.lookAll()
			}
			w.nodes["be3"].silent = min(1, max(0, tt.silent-sessions+1))
		}
		if _, err := x.Confirm(plan.ID, "be3"); err != nil {
			t.Fatal(err)
		}
		p := w.done(x)
		if p.Status != tt.want || sessions != tt.sessions {
			t.Errorf("%d looks without an answer: %s after %d sessions, want %s after %d: %s", tt.silent, p.Status, sessions, tt.want, tt.sessions, p.Sentence)
		}
		if intent := slices.Contains(w.records, "intent"); intent != (tt.want == cluster.StatusDone) {
			t.Errorf("%d looks without an answer: an intent was written: %t", tt.silent, intent)
		}
	}
}

// A terminal that is offered again after a restart has a folder of its own: tries
// that were refused before their intent are in the names, not in the journal.
func TestTerminalFoldersAreNotUsedTwice(t *testing.T) {
	for folder, want := range map[string]int{"6-join": 0, "6-join-terminal1": 1, "6-join-terminal3": 3} {
		plan := cluster.Plan{ID: "7f3a0001", Steps: []cluster.PlanStep{{ID: "6-join", Node: "be3", Command: "x"}}}
		r := &run{plan: plan, state: cluster.PlanState{Plan: plan, Steps: []cluster.StepState{{Step: plan.Steps[0]}}}, marks: map[string]*mark{}, left: &leftover{}}
		if err := r.recallIntent(cluster.Intent{Plan: plan.ID, Step: folder, Node: "be3", Terminal: true}, time.Time{}); err != nil {
			t.Fatal(err)
		}
		if got := r.marked("6-join").tries; got != want {
			t.Errorf("after %s: %d tries, want %d", folder, got, want)
		}
	}
}
