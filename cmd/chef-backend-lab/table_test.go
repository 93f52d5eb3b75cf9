//go:build linux

package main

import (
	"context"
	"testing"
	"time"

	"chef-backend-cockpit/cluster/scenario"
)

// TestScenariosOnTheLab tries the rows of the table on real hosts: the same
// rows that the simulation is tried on. Each row has a lab of its own.
func TestScenariosOnTheLab(t *testing.T) {
	for _, s := range scenario.Table {
		t.Run(s.Name, func(t *testing.T) {
			b := realLab(t)
			ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
			defer cancel()
			r, err := scenario.Run(ctx, b, s, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("found after %s, healthy %s after mending", r.Found.Round(time.Second), r.Healed.Round(time.Second))
		})
	}
}
