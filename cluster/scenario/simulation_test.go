package scenario

import (
	"context"
	"flag"
	"os"
	"runtime/debug"
	"testing"
	"time"

	"go.uber.org/goleak"

	"chef-backend-cockpit/cluster/simulation"
	"chef-backend-cockpit/remote"
)

// wholeTable is the variable that asks for every row.
const wholeTable = "CHEF_BACKEND_SCENARIOS"

// TestMain tries nine rows at a time, whatever the number of cores: they wait
// far more than they work. Those of the kills take turns of their own.
func TestMain(m *testing.M) {
	if asked() {
		debug.SetGCPercent(400) // a sixth of the work was collecting garbage, and memory is plenty
	}
	if spec := os.Getenv(childEnv); spec != "" {
		os.Exit(child(spec))
	}
	flag.Parse()
	atOnce := "9"
	if asked() {
		atOnce = "64"
	}
	if err := flag.Set("test.parallel", atOnce); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func TestScenariosOnTheSimulation(t *testing.T) {
	defer goleak.VerifyNone(t)
	t.Run("table", func(t *testing.T) {
		rows := core
		if os.Getenv(wholeTable) != "" {
			rows = Table
		} else {
			t.Logf("%d rows of %d; all of them: make test-scenarios", len(core), len(Table))
		}
		t.Run("two-cockpits", twoCockpits)
		for _, s := range rows {
			t.Run(s.Row(), func(t *testing.T) {
				t.Parallel()
				clock := remote.NewScaled(speed)
				sim, err := simulation.Start(t.Context(), simulation.Options{Clock: clock, Seed: 1})
				if err != nil {
					t.Fatal(err)
				}
				defer sim.Close()
				ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
				defer cancel()
				r, err := Run(ctx, sim, s, simulation.InMemory(t))
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("found after %s, healthy %s after mending", r.Found.Round(time.Second), r.Healed.Round(time.Second))
			})
		}
	})
}
