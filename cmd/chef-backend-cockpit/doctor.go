package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/observe"
	"chef-backend-cockpit/remote"
)

// Exit codes of doctor beside exitNothing.
const (
	exitCannotAct   = 1 // something that acting needs is missing or unknown
	exitCannotWatch = 2 // something that watching needs is missing or unknown
)

// examineWithin bounds the looks of the doctor at all nodes.
const examineWithin = 2 * time.Minute

// doctorCommand answers whether the cockpit can watch and act from here.
func doctorCommand(e *env) *cobra.Command {
	asJSON := false
	c := &cobra.Command{
		Use: "doctor [HOST…]", Short: "Say what watching and acting need, here and on each node, and what is missing",
		Long: `Looks once at this machine and at each node, and prints every precondition of
watching and of acting: how it stands, what was seen, and what to do about it.
Nothing is changed on a node: what only a write could tell is said to be so.

Ends with 0 when all is in order, 1 when something that acting needs is missing
or unknown, 2 when that holds of watching on some node, 3 when nothing could be
looked at. Advice counts for nothing.`,
		RunE: func(c *cobra.Command, hosts []string) error { return e.doctor(c.Context(), hosts, asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// checkup is what the doctor found.
type checkup struct {
	cluster string
	at      time.Time
	nodes   []cluster.Node
	all     []cluster.Precondition
	reached bool // some node could be looked at
}

func (e *env) doctor(ctx context.Context, hosts []string, asJSON bool) error {
	conf, err := e.loadConfig()
	if err != nil {
		return err
	}
	g, err := e.gathering(ctx, conf, hosts)
	if err != nil {
		return err
	}
	defer g.drop()
	here := append(e.hereConfiguration(g), e.hereTerminal(), hereJournal())
	err = g.gather(ctx)
	if wrong, ok := errors.AsType[*exitError](err); ok {
		return wrong
	}
	if len(g.found) == 0 {
		return nothingSeen(err)
	}
	c, err := examine(ctx, g.fleet(), err)
	if err != nil {
		return err
	}
	c.all = append(here, c.all...)
	if asJSON {
		err = printJSON(e.out, c.json())
	} else {
		err = c.print(e.out)
	}
	if err != nil {
		return err
	}
	return c.verdict()
}

// examine looks at all nodes side by side, of which some may not answer.
// unknownRest is why the cluster's other nodes are not known, or nil.
func examine(ctx context.Context, f *fleet, unknownRest error) (*checkup, error) {
	within, cancel := context.WithTimeout(ctx, examineWithin)
	defer cancel()
	examined := make([]cluster.Examined, len(f.nodes))
	reports := make([]*cluster.Report, len(f.nodes))
	var all sync.WaitGroup
	for i, n := range f.nodes {
		all.Go(func() {
			defer remote.Guard()
			examined[i], reports[i] = observe.Examine(within, f.hosts[n.Name], n, f.nodes, f.clock)
		})
	}
	all.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	now := f.clock.Now()
	s := &cluster.Snapshot{At: now, Nodes: f.nodes, Reports: map[string]*cluster.Report{}}
	c := &checkup{cluster: f.cluster, at: now, nodes: f.nodes}
	for i, n := range f.nodes {
		s.Reports[n.Name] = reports[i]
		c.reached = c.reached || examined[i].Refusal.Kind == ""
	}
	c.all = cluster.Preconditions(&cluster.Examination{View: &cluster.View{Now: now, Snapshot: s}, Nodes: examined})
	if unknownRest != nil && c.reached && !errors.Is(unknownRest, observe.ErrNotInstalled) { // the product's own line says that
		c.all = append(c.all, cluster.Precondition{For: cluster.ToWatch, What: "other-nodes", Standing: cluster.Untold,
			Seen: oneLine(unknownRest.Error()), Remedy: "Name all nodes of the cluster."})
	}
	return c, nil
}

// verdict is the exit code as an error without text.
func (c *checkup) verdict() error {
	switch {
	case !c.reached:
		return &exitError{exitNothing, errors.New("no node could be looked at; see the reasons above")}
	case cluster.Possible(c.all, cluster.ToWatch) != cluster.True:
		return &exitError{code: exitCannotWatch}
	case cluster.Possible(c.all, cluster.ToAct) != cluster.True:
		return &exitError{code: exitCannotAct}
	}
	return nil
}
