package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/remote"
)

// Bounds of the way to the disk, on the real clock: a disk does not run faster
// with the simulation.
const (
	queueMost  = 128                    // records of rounds that wait: four minutes and more
	patience   = 5 * time.Second        // for a record that is waited for; then the disk counts as hanging
	lastMoment = 400 * time.Millisecond // the same when the cockpit is left, but for the last record
)

// reopening is the kind of entry that goes on with an incident of an earlier
// cockpit; its data is the incident's id.
const reopening = "reopen"

// closing is the kind of entry that ends an incident with a last note.
const closing = "close"

// errHangs is what a disk that does not answer is called.
var errHangs = errors.New("the disk of the journal does not answer")

// errLeft is what comes when the cockpit is being left.
var errLeft = errors.New("the cockpit is being left")

// queue is what waits to be written, in order. One goroutine writes, while
// there is something to write.
type queue struct {
	entries []*entry
	writing bool
	at      *entry // what is being written
	hangs   bool   // that takes longer than patience
	dropped uint64 // records of rounds that found no room and are not told yet
}

// entry is one record on its way.
type entry struct {
	kind  string
	data  any
	done  chan error // nil: nobody waits
	begun bool
	late  bool // nobody waits any more: the act behind it was refused
}

// later queues a record that nobody waits for, and answers whether there was
// room for it. Callers hold the lock.
func (d *diary) later(kind string, data any) bool {
	if len(d.queue.entries) >= queueMost {
		d.queue.dropped++
		return false
	}
	d.tellDropped()
	d.put(&entry{kind: kind, data: data})
	return true
}

// tellDropped has the journal say what it lacks, once there is room. Callers
// hold the lock.
func (d *diary) tellDropped() {
	if n := d.queue.dropped; n > 0 && len(d.queue.entries) < queueMost {
		d.queue.dropped = 0
		d.put(&entry{kind: journal.Note, data: note{Text: fmt.Sprintf("%d records did not find room, the disk was too slow; what stood is told by what follows", n)}})
	}
}

// put appends an entry and sees to it that somebody writes. Callers hold the lock.
func (d *diary) put(e *entry) {
	d.queue.entries = append(d.queue.entries, e)
	if !d.queue.writing {
		d.queue.writing = true
		go d.write()
	}
}

// now queues a record and waits until it is written, for as long as patience
// lasts. An intent or a confirmation that was not written in time is withdrawn.
func (d *diary) now(kind string, data any) error {
	acts := kind == journal.Intent || kind == journal.Confirm
	e := &entry{kind: kind, data: data, done: make(chan error, 1)}
	d.mu.Lock()
	switch {
	case d.left && kind != closing:
		d.mu.Unlock()
		return errLeft
	case acts && d.queue.hangs:
		d.mu.Unlock()
		return errHangs
	}
	d.begin()
	if kind == closing {
		d.open = false
	}
	d.put(e)
	d.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	leaving := d.leaving
	if kind == closing {
		leaving = nil // the last record is worth its time
	}
	select {
	case err := <-e.done:
		return err
	case <-ctx.Done():
	case <-leaving:
		short, cancel := context.WithTimeout(ctx, lastMoment)
		defer cancel()
		select {
		case err := <-e.done:
			return err
		case <-short.Done():
		}
	}
	return d.giveUp(e, acts)
}

// giveUp ends the waiting for an entry, unless it was written at this moment.
func (d *diary) giveUp(e *entry, acts bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case err := <-e.done:
		return err
	default:
	}
	if acts && !e.begun {
		d.queue.entries = slices.DeleteFunc(d.queue.entries, func(o *entry) bool { return o == e })
	}
	e.late = acts
	if d.queue.at != nil {
		d.queue.hangs, d.status.trouble = true, errHangs.Error()
	}
	return errHangs
}

// write writes what is queued, one entry after another, until nothing is left.
func (d *diary) write() {
	defer remote.Guard()
	for {
		d.mu.Lock()
		if len(d.queue.entries) == 0 {
			d.queue.writing = false
			d.mu.Unlock()
			return
		}
		e := d.queue.entries[0]
		d.queue.entries = slices.Delete(d.queue.entries, 0, 1)
		e.begun, d.queue.at = true, e
		d.mu.Unlock()
		d.settle(e, d.timed(e))
	}
}

// timed writes one entry, and notes meanwhile that the disk hangs.
func (d *diary) timed(e *entry) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.queue.at == e && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			d.queue.hangs, d.status.trouble = true, errHangs.Error()
		}
	})
	defer stop()
	return d.keep(e)
}

// keep writes one entry. What acts is tried once: its refusal is heard. All
// else is tried again at once, in the incident that continues a torn one.
func (d *diary) keep(e *entry) error {
	switch e.kind {
	case journal.Intent, journal.Confirm:
		return d.journal.Record(e.kind, e.data)
	case reopening:
		id, _ := e.data.(string)
		_ = d.journal.Reopen(id) // where it cannot be gone on with another one is opened: see goOn
		return nil
	case closing:
		if d.journal.ID() == "" {
			return d.trouble() // nothing is open: why, if there should be something
		}
		return errors.Join(d.journal.Record(journal.Note, e.data), d.journal.Close())
	}
	err := d.journal.Record(e.kind, e.data)
	if err != nil {
		err = d.journal.Record(e.kind, e.data)
	}
	return err
}

// trouble is why the journal cannot be written; nil while it can.
func (d *diary) trouble() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.status.trouble == "" {
		return nil
	}
	return errors.New(d.status.trouble)
}

// settle tells whoever waits, and notes how the journal is.
func (d *diary) settle(e *entry, err error) {
	id := d.journal.ID()
	d.mu.Lock()
	// In an incident that continues a torn one nothing stands yet.
	d.missed = d.missed || d.status.incident != "" && id != "" && id != d.status.incident
	d.queue.at, d.queue.hangs, d.status = nil, false, diaryStatus{incident: id}
	if id != "" {
		d.kept = id
	}
	if err != nil {
		d.status.trouble = err.Error()
		d.missed = true
		if g, ok := e.data.(gone); ok && d.stands != nil {
			d.stands[g.Gone] = "" // said again by the next round
		}
	}
	late := e.late
	if e.done != nil {
		e.done <- err
	}
	d.mu.Unlock()
	if late && err == nil {
		d.tooLate(e)
	}
}

// tooLate says of what came to disk after it had been refused that nothing came
// of it: an open intent would have it looked up for ever.
func (d *diary) tooLate(e *entry) {
	const why = "it came to disk too late and was refused: nothing ran"
	var kind string
	var data any
	switch i := e.data.(type) {
	case cluster.Intent:
		kind, data = journal.Outcome, cluster.Outcome{Plan: i.Plan, Step: i.Step, Node: i.Node, Status: cluster.StatusRefused, Sentence: why}
	case interface{ PlanID() string }:
		kind, data = journal.Note, journal.NoteData{Text: "the confirmation before this: " + why,
			Ended: &journal.PlanEnd{Plan: i.PlanID(), Status: cluster.StatusRefused, Sentence: why}}
	default:
		kind, data = journal.Note, note{Text: "the record before this: " + why}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queue.entries = slices.Insert(d.queue.entries, 0, &entry{kind: kind, data: data})
}
