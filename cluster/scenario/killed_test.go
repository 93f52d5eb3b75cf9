package scenario

import (
	"slices"
	"testing"

	"chef-backend-cockpit/cluster"
)

// A cockpit that is killed while its step is at work leaves the step running;
// the next one follows it, waits for the operator, and ends the plan.
func TestKilledWhileAStepIsAtWork(t *testing.T) {
	t.Parallel()
	row := slices.IndexFunc(crashRows(), func(s Scenario) bool { return s.Procedure == "rebuild-follower" })
	c := newCrashed(t, row)
	for _, c.only = range []string{"before 3-basebackup intent", "during 3-basebackup"} {
		if p := c.cockpit(0, false); p != nil {
			t.Fatalf("the plan ended %s before anybody died%s", p.Status, steps(*p))
		}
		c.done = append(c.done, "after confirm") // which it was
	}
	if p := c.cockpit(0, true); p.Status != cluster.StatusDone {
		t.Fatalf("%s: %s%s", p.Status, p.Sentence, steps(*p))
	}
	c.result()
	x := newMatrix()
	for _, m := range c.moments {
		x.tryGuards(t, m)
	}
	t.Logf("%s; of all procedures: make test-safety", x)
}
