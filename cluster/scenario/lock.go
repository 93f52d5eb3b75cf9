package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/cluster/watch"
)

// LockResult is what two cockpits on one bed came to.
type LockResult struct {
	Seen  time.Duration // from the first one's confirmation until the second saw the holder
	Freed time.Duration // from the first one's going away, while its step ran, until the second saw the lock free of it
}

// lockWithin bounds every wait of TwoCockpits, on the bed's clock.
const lockWithin = 8 * time.Minute

// TwoCockpits tries the operators' lock on a healthy bed: while one cockpit
// copies a node's files aside, another sees who holds the lock and can begin nothing;
// once it is over the other acts; and when the one that acts goes away the lock
// is free. journal is a folder for the incidents. What it leaves are copies.
func TwoCockpits(ctx context.Context, bed Bed, journal string) (LockResult, error) {
	var res LockResult
	one, err := newCockpit(ctx, bed, journal, "one@bed")
	if err != nil {
		return res, err
	}
	two, err := newCockpit(ctx, bed, journal, "two@bed")
	if err != nil {
		return res, errors.Join(err, one.w.Close())
	}
	defer two.w.Close()
	err = one.tryBoth(ctx, two, &res)
	began := bed.Clock().Now()
	err = errors.Join(err, one.w.Close())
	if err != nil {
		return res, err
	}
	err = two.until(ctx, "the lock of who has gone is free", func(s *watch.State) bool {
		return s.Lock.Held == cluster.False || s.Lock.Ours
	})
	res.Freed = bed.Clock().Now().Sub(began)
	return res, err
}

// lockPlan is what the cockpits carry out: harmless on a healthy cluster.
var lockPlan = Repair{Procedure: "backup-nodes", Node: "be3"}

// tryBoth lets one act while two looks on, then two, then one again.
func (one *lockCockpit) tryBoth(ctx context.Context, two *lockCockpit, res *LockResult) error {
	for _, c := range []*lockCockpit{one, two} {
		if err := c.until(ctx, "the bed is healthy", healthy); err != nil {
			return err
		}
	}
	late, err := two.plan(ctx)
	if err != nil {
		return err
	}
	if err := one.begin(ctx); err != nil {
		return err
	}
	began := one.bed.Clock().Now()
	err = two.until(ctx, "the holder is seen", func(s *watch.State) bool {
		return s.Lock.Held == cluster.True && !s.Lock.Ours && s.Lock.Holder.Who == "one@bed"
	})
	if err != nil {
		return err
	}
	res.Seen = one.bed.Clock().Now().Sub(began)
	if err := two.confirm(late); err == nil || !strings.Contains(err.Error(), "one@bed") {
		return fmt.Errorf("a second plan was not refused for the lock: %v", err)
	}
	if err := one.over(ctx); err != nil {
		return err
	}
	if err := two.until(ctx, "the lock is free", func(s *watch.State) bool { return s.Lock.Held == cluster.False }); err != nil {
		return err
	}
	if err := two.act(ctx); err != nil {
		return err
	}
	if err := one.begin(ctx); err != nil {
		return err
	}
	return one.until(ctx, "its step runs", func(s *watch.State) bool {
		return s.Run != nil && slices.ContainsFunc(s.Run.Steps, func(st cluster.StepState) bool { return st.PID != 0 })
	})
}

// lockCockpit is one of the two.
type lockCockpit struct {
	bed Bed
	w   *watch.Watch
	id  string // of the newest plan
}

func newCockpit(ctx context.Context, bed Bed, journal, who string) (*lockCockpit, error) {
	c, err := catalogue.Load(assets.Files, "catalogue")
	if err != nil {
		return nil, err
	}
	w, err := watch.New(watch.Options{Cluster: clusterName, Nodes: bed.Nodes(), Hosts: bed.Hosts(), Clock: bed.Clock(),
		Catalogue: c, JournalDir: journal, Operator: who})
	if err != nil {
		return nil, err
	}
	w.Start(ctx)
	return &lockCockpit{bed: bed, w: w}, nil
}

// until waits for a state.
func (c *lockCockpit) until(ctx context.Context, what string, ok func(*watch.State) bool) error {
	late := c.bed.Clock().After(lockWithin)
	for {
		s := c.w.State()
		if ok(s) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, ctx.Err())
		case <-late:
			return fmt.Errorf("it did not come about within %s that %s; the lock: %+v", lockWithin, what, s.Lock)
		case <-c.w.Changed():
		}
	}
}

// plan makes the plan as soon as its guards hold.
func (c *lockCockpit) plan(ctx context.Context) (cluster.Plan, error) {
	late := c.bed.Clock().After(lockWithin)
	for {
		planning, cancel := context.WithTimeout(ctx, planWithin)
		p, err := c.w.Plan(planning, lockPlan.Procedure, lockPlan.Node, lockPlan.Service)
		cancel()
		missing := ""
		for _, g := range p.Guards {
			if g.Answer.Truth != cluster.True && g.Override == "" {
				missing = g.Answer.Sentence
			}
		}
		if err == nil && missing == "" {
			return p, nil
		}
		select {
		case <-late:
			return p, errors.Join(fmt.Errorf("no plan within %s: %s", lockWithin, missing), err)
		case <-ctx.Done():
			return p, ctx.Err()
		case <-c.w.Changed():
		}
	}
}

// begin makes the plan and confirms it.
func (c *lockCockpit) begin(ctx context.Context) error {
	p, err := c.plan(ctx)
	if err != nil {
		return err
	}
	c.id = p.ID
	return c.confirm(p)
}

// confirm types all that the plan asks for.
func (c *lockCockpit) confirm(p cluster.Plan) (err error) {
	for left := p.Phrases; len(left) > 0; {
		if left, err = c.w.Confirm(p.ID, left[0]); err != nil {
			return err
		}
	}
	return nil
}

// over waits for the plan's end, whatever it is.
func (c *lockCockpit) over(ctx context.Context) error {
	return c.until(ctx, "the plan ends", func(s *watch.State) bool {
		return s.Run != nil && s.Run.Plan.ID == c.id && !s.Run.Ended.IsZero()
	})
}

// act carries the plan out to a good end. A machine that is busy may have a
// look come too late, which refuses a step: then it is tried again.
func (c *lockCockpit) act(ctx context.Context) error {
	for n := 1; ; n++ {
		if err := c.begin(ctx); err != nil {
			return err
		}
		if err := c.over(ctx); err != nil {
			return err
		}
		run := c.w.State().Run
		switch {
		case run.Status == cluster.StatusDone:
			return nil
		case run.Status != cluster.StatusRefused || n == 3:
			return fmt.Errorf("%s ended %s: %s%s", run.Plan.Title, run.Status, run.Sentence, steps(*run))
		}
	}
}
