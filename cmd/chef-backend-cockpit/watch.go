package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/cluster/watch"
	"chef-backend-cockpit/remote"
	"chef-backend-cockpit/tui"
)

// watchCommand is the cockpit under its own name; it is also what runs
// without a subcommand.
func watchCommand(e *env) *cobra.Command {
	c := &cobra.Command{
		Use: "watch [HOST…]", Short: "Open the cockpit (the same as without a subcommand)",
		RunE: func(c *cobra.Command, hosts []string) error { return e.watch(c.Context(), hosts) },
	}
	e.plainFlag(c)
	return c
}

// watch opens the cockpit on real hosts.
func (e *env) watch(ctx context.Context, hosts []string) error {
	if err := e.needWay(); err != nil {
		return err
	}
	f, err := e.connect(ctx, hosts)
	if err != nil {
		return err
	}
	if err := e.open(ctx, f, nil); err != nil {
		return err
	}
	return e.offer(ctx, f)
}

// open shows the fleet until the operator leaves; x is the exercise that it is
// for, nil for none.
func (e *env) open(ctx context.Context, f *fleet, x *exercise) error {
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
	s := screen{door: w, clock: f.clock, start: w.Start, close: w.Close, ask: w.Ask, manual: manual(c)}
	if f.byHand != nil {
		s.door = played{w, f.byHand, func(err error) { e.warnings.say(err.Error()) }}
	}
	if x != nil {
		s.witness = x
		s.start = func(ctx context.Context) { w.Start(ctx); x.begin(ctx, w) }
	}
	err = e.show(ctx, s)
	if in := w.Kept(); in != "" && err == nil {
		fmt.Fprintf(e.err, "kept as incident %[1]s; its report:\nchef-backend-cockpit journal report %[1]s\n", in)
	}
	return err
}

// screen is what is shown: a living cluster or a replay.
type screen struct {
	door  watch.Door
	clock cluster.Clock
	start func(context.Context)
	close func() error
	ask   remote.Asker // puts questions on the screen; nil where no login is made

	manual []tui.Page

	witness watch.Witness // nil for none
}

// closeWithin is how long the screen's door may take to close. Dead nodes take
// a fraction of it; a slow disk is given the time to take the journal's last
// record. The terminal is given back before.
const closeWithin = 6 * time.Second

// show opens the screen until the operator leaves, a signal comes, the terminal
// is gone, or a goroutine of the program panics. The terminal is as before when
// it returns.
func (e *env) show(ctx context.Context, s screen) error {
	conf, err := e.loadConfig()
	if err != nil {
		return err
	}
	theme := e.theme(conf.Theme)
	ctx, fault := context.WithCancelCause(ctx)
	defer fault(nil)
	remote.OnFault(func(f *remote.Fault) {
		fault(f)
		e.ending.soon(exitInternal, func() {
			fmt.Fprintln(e.err, "chef-backend-cockpit: "+oneLine(faulty(f, errors.New("it did not end in time"), "").Error()))
		})
	})
	if e.plain {
		err = e.talk(ctx, fault, s)
	} else {
		err = e.draw(ctx, s, theme)
	}
	incident := s.door.State().Incident
	closed := within(closeWithin, s.close)
	return left(ctx, err, closed, incident)
}

// draw shows the screen.
func (e *env) draw(ctx context.Context, s screen, theme string) error {
	out, _ := e.out.(*os.File)
	e.ending.owns(e.in, out)
	defer e.ending.owns(nil, nil)
	defer e.asking.through(s.ask)()
	s.start(ctx)
	defer e.warnings.hold()()
	return tui.Run(ctx, tui.Options{SaveDir: ".", Manual: s.manual,
		Flush: func() { _ = flushInput(int(e.in.Fd())) }, // what is left over goes to the host
		Ready: func() bool { return inputReady(int(e.in.Fd())) },
		Door:  s.door, Clock: s.clock, Human: remote.System{}, In: e.in, Out: e.out,
		Witness: s.witness, Theme: theme, Title: titles(os.Getenv("TERM")),
	})
}

// within closes something that may hang.
func within(d time.Duration, do func() error) error {
	done := make(chan error, 1)
	go func() {
		defer remote.Guard()
		done <- do()
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(d):
		return errors.New("not everything could be ended in time; what was running on a node goes on there")
	}
}
