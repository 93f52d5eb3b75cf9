package scenario

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/simulation"
	"chef-backend-cockpit/remote"
)

// speed is how much faster than real time the table is tried. Waiting times
// stretch with it on a busy machine, which is why each row has slack.
const speed = 12

// simulated is the simulation as a bed, its hosts in process.
type simulated struct {
	*simulation.Cluster
	clock cluster.Clock
}

func (b simulated) Clock() cluster.Clock { return b.clock }

func (b simulated) Hosts() map[string]remote.Host {
	hosts := map[string]remote.Host{}
	for _, n := range b.Nodes() {
		hosts[n.Name] = b.Host(n.Name)
	}
	return hosts
}

func TestScenariosOnTheSimulation(t *testing.T) {
	defer goleak.VerifyNone(t)
	t.Run("table", func(t *testing.T) {
		for _, s := range Table {
			t.Run(s.Name, func(t *testing.T) {
				t.Parallel()
				clock := remote.NewScaled(speed)
				sim, err := simulation.Start(t.Context(), simulation.Options{Clock: clock, Seed: 1})
				if err != nil {
					t.Fatal(err)
				}
				defer sim.Close()
				ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
				defer cancel()
				r, err := Run(ctx, simulated{sim, clock}, s, t.TempDir())
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("found after %s, healthy %s after mending", r.Found.Round(time.Second), r.Healed.Round(time.Second))
			})
		}
	})
}
