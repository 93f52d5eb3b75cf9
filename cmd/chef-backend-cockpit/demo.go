package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/cluster/simulation"
	"chef-backend-cockpit/cluster/simulation/model"
	"chef-backend-cockpit/cluster/watch"
	"chef-backend-cockpit/remote"
)

// strikeAfter is how long a demo stays healthy, in the simulation's own time.
const strikeAfter = 12 * time.Second

// defaultScenario is what strikes when none is named.
const defaultScenario = "follower-wal-gap"

// demoOptions are the flags of demo.
type demoOptions struct {
	scenario    string
	list, drill bool
	speed       float64
	seed        int64
}

// demoCommand opens the cockpit on the simulated cluster.
func demoCommand(e *env) *cobra.Command {
	var o demoOptions
	c := &cobra.Command{
		Use: "demo", Short: "Open the cockpit on a simulated cluster; no set-up needed", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.list {
				return e.listScenarios()
			}
			if err := o.check(c.Flags().Changed("scenario"), c.Flags().Changed("seed")); err != nil {
				return err
			}
			if err := e.needWay(); err != nil {
				return err
			}
			if o.drill {
				return e.drill(c.Context(), o)
			}
			return e.demo(c.Context(), o)
		},
	}
	e.plainFlag(c)
	fl := c.Flags()
	fl.StringVar(&o.scenario, "scenario", defaultScenario, "`NAME` of what strikes after some seconds")
	fl.BoolVar(&o.list, "list", false, "list the scenarios")
	fl.Float64Var(&o.speed, "speed", 1, "how many times faster than real time; all clocks and the journal of the demo run so, too")
	fl.BoolVar(&o.drill, "drill", false, "an exercise: a failure strikes unseen, is timed, and is told of at the end")
	fl.Int64Var(&o.seed, "seed", 0, "the `NUMBER` of a drill, to have the same one again")
	return c
}

// check refuses what does not go together.
func (o demoOptions) check(named, seeded bool) error {
	switch {
	case !knownScenario(o.scenario):
		return usage("no scenario %q; demo --list names them", o.scenario)
	case !(o.speed >= 0.1 && o.speed <= 20):
		return usage("--speed %g: use a number from 0.1 to 20", o.speed)
	case o.drill && named:
		return usage("--drill chooses the scenario itself; leave --scenario away, or use --seed to have a drill again")
	case seeded && !o.drill:
		return usage("--seed is the number of a drill; use it with --drill")
	case o.seed < 0:
		return usage("--seed %d: use a number from 1 on", o.seed)
	}
	return nil
}

// demo opens the cockpit on one scenario.
func (e *env) demo(ctx context.Context, o demoOptions) error {
	clock := remote.NewScaled(o.speed)
	sim, err := simulation.Start(ctx, simulation.Options{
		Clock: clock, Speed: o.speed, Seed: 1, Scenario: o.scenario, StrikeAfter: strikeAfter,
	})
	if err != nil {
		return err
	}
	f, err := simulated(sim, e.debug.logger())
	if err != nil {
		return err
	}
	f.clock = clock
	return e.open(ctx, f, nil)
}

// simulated is the fleet of a simulated cluster, over real SSH on loopback; debug
// hears its dials, nil: nobody does.
func simulated(sim *simulation.Cluster, debug *slog.Logger) (*fleet, error) {
	f := &fleet{cluster: "chef-demo", stamp: journal.Simulation, passing: true, hosts: map[string]remote.Host{}, nodes: sim.Nodes(), byHand: sim.ByHand}
	o := sim.RemoteOptions()
	o.Debug = debug
	for _, n := range f.nodes {
		h, err := remote.NewSSH(sim.Target(n.Name), o)
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

// played is the door of a demo: what a person is asked to do outside the cockpit
// is done on the simulated machines once it is ticked. Its methods are as those
// of the door behind it; Tick does not wait for the machines.
type played struct {
	*watch.Watch
	byHand func(cluster.PlanStep) error
	amiss  func(error)
}

// Tick ticks, and lets the work be done that was said to be done.
func (p played) Tick(plan, step string) error {
	s, works := handwork(p.State().Run, plan, step)
	if err := p.Watch.Tick(plan, step); err != nil || !works {
		return err
	}
	go func() {
		defer remote.Guard()
		if err := p.byHand(s); err != nil {
			p.amiss(err)
		}
	}()
	return nil
}

// handwork is the step of a run that asks for work outside. One without effects
// asks for a word only.
func handwork(r *cluster.PlanState, plan, step string) (cluster.PlanStep, bool) {
	if r == nil || r.Plan.ID != plan {
		return cluster.PlanStep{}, false
	}
	for _, s := range r.Steps {
		if s.Step.ID == step {
			return s.Step, s.Step.Kind == cluster.StepManual && len(s.Step.Effects) > 0
		}
	}
	return cluster.PlanStep{}, false
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
