package recovery

import (
	"context"
	"testing"

	"chef-backend-cockpit/cluster"
)

// Whoever left the question behind its first phrase is asked from the first one
// again; a word that is none of the two next drops the plan.
func TestPhrasesBeginAnew(t *testing.T) {
	w := newWorld(t)
	behind(w)
	w.nodes["be3"].end, w.nodes["be2"].streams = start+1<<20, false
	x := w.executor()
	for _, c := range []struct {
		typed []string
		left  int // behind the last text; -1: the plan is dropped
	}{
		{[]string{"discard be3", "last copy", "last copy"}, -1},
		{[]string{"discard be3", "be3"}, -1},
		{[]string{"discard be3", "last copy", "discard be3", "be3"}, -1},
		{[]string{"discard be3", "discard be3"}, 2},
		{[]string{"discard be3", "last copy", "discard be3", "last copy", "be3"}, 0},
	} {
		plan, err := x.Plan(context.Background(), "rebuild-follower", "be3", "")
		if err != nil {
			t.Fatal(err)
		}
		for i, text := range c.typed {
			left, err := x.Confirm(plan.ID, text)
			last := i == len(c.typed)-1
			if dropped := last && c.left < 0; (err != nil) != dropped || last && err == nil && len(left) != c.left {
				t.Errorf("%v, text %d: left %v, error %v", c.typed, i, left, err)
			}
		}
		if _, held := x.Held(plan.ID); held != (c.left > 0) {
			t.Errorf("%v: held %v", c.typed, held)
		}
	}
	if p := w.done(x); p.Status != cluster.StatusDone {
		t.Errorf("%s: %s", p.Status, p.Sentence)
	}
}
