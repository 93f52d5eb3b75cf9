package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/cluster/recovery"
	"chef-backend-cockpit/remote"
)

// errReading: what was left may still be at work on a node.
var errReading = errors.New("nothing was done: the journals are still being read for plans that were left; try again in a moment")

// takeUp reads the journals for plans of this cluster that were confirmed and
// did not end, and takes them up one after another: what was at work is looked
// up, and then the operator is asked. It returns when the last one has ended.
func (w *Watch) takeUp(ctx context.Context) {
	left, read := w.unfinished(ctx)
	if !read {
		return
	}
	w.tellUnread(left.troubles)
	for i, p := range left.plans {
		if i > 0 { // the one before may have taken hours
			w.read.Store(false) // nothing new comes between the two
			if !w.idle(ctx) {
				return
			}
			now, read := w.unfinishedNow(ctx, p.Plan)
			if !read {
				return
			}
			if now == nil {
				continue // another cockpit ended it meanwhile
			}
			p = *now
		}
		ended, err := w.resume(p)
		if err != nil {
			w.notice(fmt.Sprintf("plan %s of incident %s is not taken up: %v", p.Plan, p.Incident, err))
			continue
		}
		w.read.Store(true) // while it is at work no other can begin
		select {
		case <-ended:
		case <-ctx.Done():
		}
	}
	w.read.Store(true)
}

// idle waits until no plan is at work that was confirmed while the one before
// ended; false: the cockpit was left meanwhile.
func (w *Watch) idle(ctx context.Context) bool {
	for w.executor.Busy() {
		select {
		case <-ctx.Done():
			return false
		case <-w.o.Clock.After(2 * time.Second):
		}
	}
	return ctx.Err() == nil
}

// leftPlans is what the journals tell of plans that were left.
type leftPlans struct {
	plans    []journal.Unfinished
	troubles []string // journals that cannot be read
}

// unfinished reads the journals; false: the cockpit was left meanwhile, which
// waits for no disk.
func (w *Watch) unfinished(ctx context.Context) (left leftPlans, read bool) {
	found := make(chan leftPlans, 1)
	go func() {
		defer remote.Guard()
		plans, troubles, err := journal.FindUnfinished(w.o.JournalDir, w.o.Cluster)
		if err != nil {
			troubles = append(troubles, err.Error())
		}
		found <- leftPlans{plans, troubles}
	}()
	select {
	case left = <-found:
		return left, true
	case <-ctx.Done():
		return leftPlans{}, false
	}
}

// tellUnread adds standing messages of journals that cannot be read.
func (w *Watch) tellUnread(troubles []string) {
	for _, t := range troubles {
		w.notice("a journal cannot be read for plans that were left: " + t)
	}
}

// unfinishedNow is a plan that was left, as the journals tell it by now; nil
// where it ended meanwhile. The incident that this cockpit writes is in use by
// nobody else, but its last line may be on its way to the disk while it is read.
func (w *Watch) unfinishedNow(ctx context.Context, plan string) (p *journal.Unfinished, read bool) {
	var troubles []string
	for range 3 {
		left, read := w.unfinished(ctx)
		if !read {
			return nil, false
		}
		p, troubles = nil, left.troubles
		if i := slices.IndexFunc(left.plans, func(p journal.Unfinished) bool { return p.Plan == plan }); i >= 0 {
			p = &left.plans[i]
			p.InUse = p.InUse && p.Incident != w.Kept()
		}
		if p != nil && p.Broken == "" || p == nil && len(troubles) == 0 {
			return p, true
		}
	}
	w.tellUnread(troubles)
	return p, true
}

// resume goes on with one plan, in the incident that holds it where that can be
// gone on with.
func (w *Watch) resume(p journal.Unfinished) (ended <-chan struct{}, err error) {
	switch {
	case p.InUse:
		return nil, errors.New("another cockpit is at work on it")
	case w.o.ReadOnly:
		return nil, errors.New("the cockpit is read-only")
	}
	l := recovery.Left{Confirmed: p.Confirmed.Data, At: p.Confirmed.At, Broken: p.Broken, Output: p.Output}
	for _, r := range p.Records {
		l.Records = append(l.Records, recovery.LeftRecord{Kind: r.Kind, At: r.At, Data: r.Data})
	}
	if w.diary.goOn(p.Incident) {
		l.Written = p.Written
	} else if err := w.diary.Record(journal.Note, goingOn{Text: fmt.Sprintf("plan %s goes on here; it began in incident %s", p.Plan, p.Incident), GoesOn: p.Plan}); err != nil {
		return nil, err
	}
	return w.executor.Resume(l)
}

// goingOn is the note of a plan that goes on in another incident.
type goingOn struct {
	Text   string `json:"text"`
	GoesOn string `json:"goesOn"`
}

// notice adds a standing message.
func (w *Watch) notice(text string) {
	w.mu.Lock()
	if n := (Notice{Text: text}); !slices.Contains(w.left, n) {
		w.left = append(slices.Clone(w.left), n)
	}
	w.mu.Unlock()
	w.publish()
}

// resumes answers whether plans that were left are taken up here.
func (w *Watch) resumes() bool { return w.o.TakeUp && w.o.JournalDir != "" }

// recorder is the diary, with what stands around it.
func (w *Watch) recorder() recovery.Recorder {
	if w.o.rehearsal != nil {
		return nothing{}
	}
	if w.o.AroundRecord == nil {
		return w.diary
	}
	return around{w.diary, w.o.AroundRecord}
}

// around is a recorder with something around it.
type around struct {
	inner recovery.Recorder
	call  func(kind string, data any, record func() error) error
}

func (a around) Record(kind string, data any) error {
	return a.call(kind, data, func() error { return a.inner.Record(kind, data) })
}
