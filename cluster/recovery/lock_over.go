package recovery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// lockIdle is how long a lock that was taken over is kept without a plan.
const lockIdle = 5 * time.Minute

// TakeOverPhrase is what has to be typed to take the lock from its holder.
func TakeOverPhrase(who string) string { return "take over from " + who }

// heldBy says who holds the lock, and what can be done about it.
func heldBy(l cluster.Lock) string {
	return fmt.Sprintf("%s holds the operators' lock since %s on %s; K shows what is done, and takes it over",
		l.Holder.Who, l.Holder.Since.UTC().Format("15:04Z"), strings.Join(l.On, " and "))
}

// TakeOver takes the operators' lock from whoever holds it. text is
// TakeOverPhrase, typed. It looks at all nodes first; while a step runs on one
// of them it is refused. What was taken is kept until the next plan is over,
// or for 5 minutes without one. An error means that nothing is held here; the
// other may have lost it on some nodes by then.
func (x *Executor) TakeOver(ctx context.Context, text string) error {
	if x.o.ReadOnly {
		return errors.New("the cockpit is read-only: it never takes the lock")
	}
	x.fresh(ctx, x.o.Clock.Now(), false)
	v := x.view()
	l := v.Lock()
	switch {
	case l.Held != cluster.True:
		return errors.New("nobody is known to hold the operators' lock: there is nothing to take over")
	case l.Ours:
		return errors.New("this cockpit holds the operators' lock itself")
	case text != TakeOverPhrase(l.Holder.Who):
		return fmt.Errorf("what was typed is not %q: nothing was done", TakeOverPhrase(l.Holder.Who))
	}
	for _, n := range v.Snapshot.Nodes {
		if r := v.Report(n.Name); r != nil && r.Lock.Step.Value.Running == cluster.True {
			st := r.Lock.Step.Value
			return fmt.Errorf("nothing was taken over: step %s of plan %s runs on %s: %s", st.Step, st.Plan, n.Name, st.Command)
		}
	}
	note := map[string]string{"text": fmt.Sprintf("takes the operators' lock over from %s%s", l.Holder.Who, byText(x.o.Operator))}
	if err := x.o.Recorder.Record("note", note); err != nil {
		return fmt.Errorf("nothing was taken over: the journal cannot be written: %w", err)
	}
	if err := x.enter(); err != nil {
		return err
	}
	defer x.wait.Done()
	if err := x.lock.take(ctx, "-", l.Holder.Token, false); err != nil {
		return fmt.Errorf("the lock was not taken over: %w", err)
	}
	x.wait.Go(x.keepIdle)
	return nil
}

// enter counts somebody in whom Close waits for.
func (x *Executor) enter() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.ctx.Err() != nil {
		return errors.New("the cockpit is being left")
	}
	x.wait.Add(1)
	return nil
}

// keepIdle gives a lock that was taken over up again when no plan uses it.
func (x *Executor) keepIdle() {
	defer remote.Guard()
	select {
	case <-x.ctx.Done():
	case <-x.o.Clock.After(lockIdle):
	}
	x.mu.Lock()
	busy := x.busy() != ""
	x.mu.Unlock()
	if !busy || x.ctx.Err() != nil {
		x.lock.release()
	}
}
