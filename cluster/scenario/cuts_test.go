package scenario

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/simulation"
	"chef-backend-cockpit/remote"
)

// cuttable is the simulation as a bed, over real SSH, whose links are found lost
// sooner than on a real network.
type cuttable struct {
	*simulation.Cluster
	clock cluster.Clock
	hosts map[string]remote.Host
}

func (b cuttable) Clock() cluster.Clock          { return b.clock }
func (b cuttable) Hosts() map[string]remote.Host { return b.hosts }

// A link that is cut in the midst of a step costs nothing of it.
func TestCutInEveryStep(t *testing.T) {
	clusters, cuts := 1, 2
	if asked() {
		clusters, cuts = 10, 5 // more on one link would come upon the eight dials of a minute
	}
	var recovered atomic.Int64
	t.Run("clusters", func(t *testing.T) {
		for n := range clusters {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				b := newCuttable(t, 1500*time.Millisecond)
				r, err := Cuts(t.Context(), b, simulation.InMemory(t), cuts)
				recovered.Add(int64(r))
				if err != nil {
					t.Fatal(err)
				}
			})
		}
	})
	t.Logf("%d of %d steps recovered with exit status and whole output", recovered.Load(), clusters*cuts)
	if recovered.Load() != int64(clusters*cuts) {
		t.Fail()
	}
}

// newCuttable has links that count as lost after a time, on the real clock.
func newCuttable(t *testing.T, lost time.Duration) cuttable {
	t.Helper()
	clock := remote.NewScaled(speed)
	sim, err := simulation.Start(t.Context(), simulation.Options{Clock: clock, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	o := sim.RemoteOptions()
	o.Timings.Keepalive, o.Timings.Stale, o.Timings.Lost = lost/5, lost*2/5, lost
	o.Timings.DialWindow = time.Second // many cuts in a minute
	b := cuttable{sim, clock, map[string]remote.Host{}}
	for _, node := range sim.Nodes() {
		h, err := remote.NewSSH(sim.Target(node.Name), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { h.Close() })
		b.hosts[node.Name] = h
	}
	return b
}
