package main

import (
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"chef-backend-cockpit/cluster/simulation"
	"chef-backend-cockpit/cluster/simulation/model"
	"chef-backend-cockpit/remote"
)

// strikeAfter is how long a demo stays healthy, in the simulation's own time.
const strikeAfter = 12 * time.Second

// defaultScenario is what strikes when none is named.
const defaultScenario = "follower-wal-gap"

// demoCommand opens the cockpit on the simulated cluster.
func demoCommand(e *env) *cobra.Command {
	var scenario string
	var list bool
	var speed float64
	c := &cobra.Command{
		Use: "demo", Short: "Open the cockpit on a simulated cluster; no set-up needed", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if list {
				return e.listScenarios()
			}
			if !knownScenario(scenario) {
				return usage("no scenario %q; demo --list names them", scenario)
			}
			if !(speed >= 0.1 && speed <= 20) {
				return usage("--speed %g: use a number from 0.1 to 20", speed)
			}
			if err := e.needTerminal(); err != nil {
				return err
			}
			clock := remote.NewScaled(speed)
			sim, err := simulation.Start(c.Context(), simulation.Options{
				Clock: clock, Speed: speed, Seed: 1, Scenario: scenario, StrikeAfter: strikeAfter,
			})
			if err != nil {
				return err
			}
			f, err := simulated(sim)
			if err != nil {
				return err
			}
			f.clock = clock
			return e.open(c.Context(), f)
		},
	}
	fl := c.Flags()
	fl.StringVar(&scenario, "scenario", defaultScenario, "`NAME` of what strikes after some seconds")
	fl.BoolVar(&list, "list", false, "list the scenarios")
	fl.Float64Var(&speed, "speed", 1, "how many times faster than real time")
	return c
}

// simulated is the fleet of a simulated cluster, over real SSH on loopback.
func simulated(sim *simulation.Cluster) (*fleet, error) {
	f := &fleet{cluster: "chef-demo", stamp: "SIMULATION", passing: true, hosts: map[string]remote.Host{}, nodes: sim.Nodes()}
	for _, n := range f.nodes {
		h, err := remote.NewSSH(sim.Target(n.Name), sim.RemoteOptions())
		if err != nil {
			f.close()
			sim.Close()
			return nil, err
		}
		f.hosts[n.Name] = h
		f.closers = append(f.closers, h.Close)
	}
	f.closers = append(f.closers, sim.Close)
	return f, nil
}

// listScenarios prints a line for each scenario.
func (e *env) listScenarios() error {
	t := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	for _, s := range simulation.Scenarios() {
		fmt.Fprintf(t, "%s\t%s\n", s.Name, s.Title)
	}
	return t.Flush()
}

// knownScenario answers whether a scenario has that name.
func knownScenario(name string) bool {
	return slices.ContainsFunc(simulation.Scenarios(), func(s model.Scenario) bool { return s.Name == name })
}
