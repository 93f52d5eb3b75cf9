package main

import (
	"context"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/simulation"
	"chef-backend-cockpit/cluster/watch"
	"chef-backend-cockpit/remote"
)

// rehearsalSpeed is how many times faster than real time a plan is rehearsed.
// More would leave the looks too little time on a small machine.
const rehearsalSpeed = 4

// simulate makes the simulation that a plan is rehearsed on. Its hosts are in
// this process: they have no network, so nothing that is rehearsed can reach a
// node of the cluster.
func simulate(_ context.Context, v *cluster.View) (*watch.Simulated, error) {
	clock := remote.NewScaled(rehearsalSpeed)
	// It lives until Close, however long the call that made it may be waited for.
	sim, err := simulation.Start(context.Background(), simulation.Options{Clock: clock, Seed: 1, Like: v})
	if err != nil {
		return nil, err
	}
	return &watch.Simulated{Nodes: sim.Nodes(), Hosts: sim.Hosts(), Clock: clock, Assumed: sim.Assumed(), ByHand: sim.ByHand, Close: sim.Close}, nil
}
