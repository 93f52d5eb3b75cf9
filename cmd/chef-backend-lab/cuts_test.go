//go:build linux

package main

import (
	"context"
	"testing"
	"time"

	"chef-backend-cockpit/cluster/scenario"
	"chef-backend-cockpit/cluster/simulation"
)

// The operator's link to a real sshd is cut in the midst of steps: nothing of
// them is lost.
func TestCutInStepsOnTheLab(t *testing.T) {
	t.Parallel()
	if !apart(t) {
		return
	}
	const cuts = 5
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	recovered, err := scenario.Cuts(ctx, realLab(t), simulation.InMemory(t), cuts)
	t.Logf("%d of %d steps recovered with exit status and whole output", recovered, cuts)
	if err != nil {
		t.Fatal(err)
	}
}
