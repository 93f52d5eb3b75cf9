package tui

import (
	"slices"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// notes is a witness that writes down what it is told.
type notes []string

func (n *notes) Looked(finding string) { *n = append(*n, "looked at "+finding) }

func (n *notes) Opened(p cluster.Plan) { *n = append(*n, "opened "+p.Procedure) }

func (n *notes) WrongPhrase(p cluster.Plan, typed string) {
	*n = append(*n, p.Procedure+" not by "+typed)
}

// A witness hears of what the operator opened and mistyped, and of nothing else.
func TestWitnessIsTold(t *testing.T) {
	var told notes
	d := walGap()
	d.plan.Tier, d.plan.Phrases = cluster.T2, []string{"be3"}
	s := newStageWith(d, 100, 30, Options{Witness: &told}).keys("?", "esc", "w", "esc", "n", "esc", "r", "enter")
	s.raw("c").live().typed("be2").pause(time.Second).keys("enter")
	s.pause(time.Second).raw("c").live().keys("enter") // no word is no wrong one
	s.pause(time.Second).raw("c").live().typed("be3").pause(time.Second).keys("enter")
	id, plan := d.state.Findings[0].ID(), d.plan.Procedure
	want := []string{"looked at " + id, "looked at ", "looked at " + id, "opened " + plan, plan + " not by be2"}
	if !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	if len(d.confirmed) != 1 {
		t.Errorf("confirmed %q", d.confirmed)
	}
}
