package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

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
	c, amiss, err := e.catalogue()
	if err != nil {
		return err
	}
	w, err := f.watch(watchOptions{catalogue: c, amiss: amiss, readOnly: e.readOnly, logs: true, journal: dir, state: filepath.Dir(dir)})
	if err != nil {
		return err
	}
	w.Start(ctx)
	defer e.warnings.hold()()
	err = tui.Run(ctx, tui.Options{
		Door: w, Clock: f.clock, Human: remote.System{}, In: e.in, Out: e.out,
		NoColor: e.noColor || os.Getenv("NO_COLOR") != "",
	})
	if closed := w.Close(); err == nil {
		err = closed
	}
	return left(ctx, err, filepath.Dir(dir))
}

// left turns the way in which the screen ended into the program's own: a
// signal or a closed terminal is how an operator leaves, too; a fault of the
// program leaves its stack in a file.
func left(ctx context.Context, err error, dir string) error {
	if ctx.Err() != nil || errors.Is(err, tui.ErrGone) {
		return nil
	}
	p, ok := errors.AsType[*tui.PanicError](err)
	if !ok {
		return err
	}
	path := filepath.Join(dir, "fault-"+time.Now().UTC().Format("20060102T150405Z")+".txt")
	report := fmt.Sprintf("%v\n\n%s\n", p.Value, p.Stack)
	if os.MkdirAll(dir, 0o700) != nil || os.WriteFile(path, []byte(report), 0o600) != nil {
		path = "nowhere: the state folder cannot be written"
	}
	return &exitError{exitInternal, fmt.Errorf("%w; what was running on a node goes on there; details: %s", err, path)}
}
