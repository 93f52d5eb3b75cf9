package main

import (
	"context"

	"github.com/spf13/cobra"

	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/remote"
	"chef-backend-cockpit/tui"
)

// watchCommand is the cockpit under its own name; it is also what runs
// without a subcommand.
func watchCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "watch [HOST…]", Short: "Open the cockpit (the same as without a subcommand)",
		RunE: func(c *cobra.Command, hosts []string) error { return e.watch(c.Context(), hosts) },
	}
}

// watch opens the cockpit on real hosts.
func (e *env) watch(ctx context.Context, hosts []string) error {
	if err := e.needTerminal(); err != nil {
		return err
	}
	f, err := e.connect(ctx, hosts)
	if err != nil {
		return err
	}
	return e.open(ctx, f)
}

// open shows the fleet until the operator leaves.
func (e *env) open(ctx context.Context, f *fleet) error {
	defer f.close()
	dir, err := journal.DefaultDir()
	if err != nil {
		return err
	}
	w, err := f.watch(watchOptions{readOnly: e.readOnly, logs: true, journal: dir})
	if err != nil {
		return err
	}
	w.Start(ctx)
	err = tui.Run(ctx, tui.Options{Door: w, Clock: f.clock, Human: remote.System{}, In: e.in, Out: e.out})
	if closed := w.Close(); err == nil {
		err = closed
	}
	return err
}
