package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/cluster/watch"
	"chef-backend-cockpit/remote"
)

// replayCommand plays a past incident in the screen.
func replayCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "replay FILE|ID", Short: "Play an incident's journal in the same screen; nothing can be carried out", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return e.replay(c.Context(), args[0]) },
	}
}

// replay opens the cockpit on a journal.
func (e *env) replay(ctx context.Context, name string) error {
	path, err := journalNamed(name)
	if err != nil {
		return err
	}
	if err := e.needTerminal("journal show ID or journal report ID"); err != nil {
		return err
	}
	c, err := e.warnedCatalogue()
	if err != nil {
		return err
	}
	r, err := watch.OpenReplay(watch.ReplayOptions{Path: path, Catalogue: c, Clock: remote.System{}})
	if err != nil {
		return err
	}
	return e.show(ctx, screen{door: r, clock: r, start: r.Start, close: r.Close, manual: manual(c)})
}

// journalNamed is where a journal lies that is named by its file, its folder,
// or the incident's ID.
func journalNamed(name string) (string, error) {
	if info, err := os.Stat(name); err == nil {
		if info.IsDir() {
			return filepath.Join(name, journal.FileName), nil
		}
		return name, nil
	}
	return incident(name)
}
