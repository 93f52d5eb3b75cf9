package recovery

import (
	"context"
	"time"

	"chef-backend-cockpit/cluster"
)

// until waits for a published state.
func (w *world) until(what string, ok func(cluster.PlanState) bool) cluster.PlanState {
	w.t.Helper()
	late := false
	timer := time.AfterFunc(10*time.Second, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		late = true
		w.heard.Broadcast()
	})
	defer timer.Stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		if n := len(w.states); n > 0 && ok(w.states[n-1]) {
			return w.states[n-1]
		}
		if late {
			w.t.Fatalf("it never came about that %s: %+v", what, w.states[max(0, len(w.states)-1):])
		}
		w.heard.Wait()
	}
}

// asked waits until a person is asked for something, and gives the step.
func (w *world) asked(ask cluster.Ask) cluster.StepState {
	w.t.Helper()
	var step cluster.StepState
	w.until("somebody is asked for a "+string(ask), func(p cluster.PlanState) bool {
		for _, st := range p.Steps {
			if st.Status == cluster.StatusAsked && st.Asks == ask && p.Status == cluster.StatusAsked {
				step = st
				return true
			}
		}
		return false
	})
	return step
}

// done waits until no plan is at work and gives the last state.
func (w *world) done(x *Executor) cluster.PlanState {
	w.t.Helper()
	x.mu.Lock()
	r := x.run
	x.mu.Unlock()
	if r != nil {
		select {
		case <-r.done:
		case <-time.After(10 * time.Second):
			w.t.Fatalf("the plan does not end: %+v", r.snapshot())
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.states) == 0 {
		w.t.Fatal("no plan began")
	}
	return w.states[len(w.states)-1]
}

// confirmed plans a procedure and types all its phrases.
func (w *world) confirmed(x *Executor, procedure, node, service string) cluster.Plan {
	w.t.Helper()
	plan, err := x.Plan(context.Background(), procedure, node, service)
	if err != nil {
		w.t.Fatal(err)
	}
	phrases := plan.Phrases
	if len(phrases) == 0 {
		phrases = []string{""}
	}
	for _, p := range phrases {
		if _, err := x.Confirm(plan.ID, p); err != nil {
			w.t.Fatal(err)
		}
	}
	return plan
}
