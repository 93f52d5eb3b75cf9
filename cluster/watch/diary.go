package watch

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/journal"
)

// healthyFor is how long all must be well before an incident is closed.
const healthyFor = 10 * time.Minute

// diary keeps the journal: it opens an incident at the first P1 or P2 finding
// or the first intent, writes what changes, and closes it after ten healthy
// minutes. A disk may be slow, hang or go away: what a round has to say goes
// through the queue in diary_queue.go and is never waited for.
type diary struct {
	journal keeper // nil: there is none, nothing may be carried out

	mu     sync.Mutex // held for memory work only
	open   bool
	calm   time.Time         // since when nothing grave stands; zero while it does
	gists  map[string]gistOf // by node, as last queued
	stands map[string]string // findings by ID, as last queued; "" where it has to be said again
	missed bool              // something queued could not be written
	queue  queue
	status diaryStatus
	kept   string // id of the incident that was written last; "" for none

	left    bool          // closed for good: what comes late has no place any more
	leaving chan struct{} // closed when the cockpit is left: nobody waits for long
	once    sync.Once
}

// keeper is a journal as far as the diary writes it. Each call may take as long
// as the disk does.
type keeper interface {
	Record(kind string, data any) error
	// Reopen goes on with an incident that was not closed.
	Reopen(id string) error
	Close() error
	ID() string
}

// diaryStatus is what the screen shows of the journal.
type diaryStatus struct {
	incident string // id of the open incident; "" for none
	trouble  string // why it cannot be written; "" while it can
}

// newDiary is a diary over a journal, or over none.
func newDiary(k keeper) *diary {
	return &diary{journal: k, leaving: make(chan struct{})}
}

// Record writes one record after all that was queued before, opening an
// incident where there is none. An intent, a confirmation or an outcome is on
// disk when it returns; an error refuses the act behind it.
func (d *diary) Record(kind string, data any) error {
	if d.journal == nil {
		return errors.New("there is no journal, and nothing may be carried out without one")
	}
	if err := d.now(kind, data); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// goOn goes on with the incident of an earlier cockpit; false where it cannot,
// because it was closed, is damaged, or another one is open by now.
func (d *diary) goOn(incident string) bool {
	err := d.now(reopening, incident)
	return err == nil && d.incident() == incident
}

// begin opens an incident unless one is open: the first record does it on disk.
// Callers hold the lock.
func (d *diary) begin() {
	if d.open {
		return
	}
	d.open, d.calm, d.missed = true, time.Time{}, false
	d.gists, d.stands = map[string]gistOf{}, map[string]string{}
}

// note is the data of a note record.
type note struct {
	Text   string `json:"text"`
	Closed bool   `json:"closed,omitempty"` // the incident's last record
}

// remark notes what the operator said in an incident that is open.
func (d *diary) remark(text string) {
	if d.journal == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open {
		d.later(journal.Note, note{Text: text})
	}
}

// close ends the incident when the cockpit is left. It waits for what is
// queued while patience lasts, and not for a disk that hangs.
func (d *diary) close(why string) error {
	if d.journal == nil {
		return nil
	}
	d.hurry()
	d.mu.Lock()
	busy := d.open || d.queue.writing
	d.left = true
	d.mu.Unlock()
	if !busy {
		return nil
	}
	if err := d.now(closing, note{why, true}); err != nil {
		return fmt.Errorf("the incident could not be closed: %w", err)
	}
	return nil
}

// hurry lets nobody wait for long any more.
func (d *diary) hurry() { d.once.Do(func() { close(d.leaving) }) }

// round queues what a round has changed. A journal that cannot be written
// never stops the watching: the screen says so, and acting is refused.
func (d *diary) round(v *cluster.View, findings []cluster.Finding, working bool) {
	if d.journal == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	grave := false
	for _, f := range findings {
		grave = grave || f.Priority <= cluster.P2 && f.Under == ""
	}
	if !grave && !d.open || d.left {
		return
	}
	d.begin()
	if d.missed {
		d.again()
	}
	d.changes(v, findings)
	d.tellDropped()
	d.calmed(v.Now, grave || working)
}

// again has all that stands said once more: what was queued may never have
// been written, or may stand in an incident that another one continues.
func (d *diary) again() {
	d.missed, d.gists = false, map[string]gistOf{}
	for id := range d.stands {
		d.stands[id] = ""
	}
}

// changes queues a snapshot where its gist changed, and the findings that came,
// changed or went. What finds no room is found changed by the next round.
func (d *diary) changes(v *cluster.View, findings []cluster.Finding) {
	next := map[string]gistOf{}
	changed := false
	for name, r := range v.Snapshot.Reports {
		next[name] = gist(r)
		changed = changed || d.gists[name] != next[name]
	}
	if changed && d.later(journal.Snapshot, v.Snapshot) {
		d.gists = next
	}
	now := map[string]bool{}
	for _, f := range findings {
		now[f.ID()] = true
		if is := fmt.Sprint(f.Certainty, f.Priority, f.Under); d.stands[f.ID()] != is && d.later(journal.Finding, f) {
			d.stands[f.ID()] = is
		}
	}
	for id := range d.stands {
		if !now[id] && d.later(journal.Finding, gone{id, v.Now}) {
			delete(d.stands, id)
		}
	}
}

// gone is the record of a finding that went away.
type gone struct {
	Gone string    `json:"gone"`
	At   time.Time `json:"at"`
}

// calmed closes the incident after the healthy time.
func (d *diary) calmed(now time.Time, busy bool) {
	switch {
	case !d.open:
	case busy:
		d.calm = time.Time{}
	case d.calm.IsZero():
		d.calm = now
	case now.Sub(d.calm) >= healthyFor:
		if d.later(closing, note{"healthy for 10 minutes", true}) {
			d.open = false
		}
	}
}

// incident names the open incident; "" for none.
func (d *diary) incident() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.status.incident
}

// Kept is the id of the incident that this cockpit wrote last, open or not; ""
// for none.
func (w *Watch) Kept() string {
	w.diary.mu.Lock()
	defer w.diary.mu.Unlock()
	return w.diary.kept
}

// notices are the standing messages about the journal.
func (d *diary) notices(readOnly bool) []Notice {
	d.mu.Lock()
	trouble, dropped := d.status.trouble, d.queue.dropped
	d.mu.Unlock()
	switch {
	case trouble != "":
		text := "journal cannot be written, acting is refused: " + trouble
		if dropped > 0 {
			text += fmt.Sprintf("; %d records did not find room meanwhile", dropped)
		}
		return []Notice{{Grave: true, Text: text}}
	case dropped > 0:
		return []Notice{{Text: fmt.Sprintf("the journal does not keep up: %d records did not find room", dropped)}}
	case d.journal == nil && !readOnly:
		return []Notice{{Text: "no journal folder, acting is refused"}}
	}
	return nil
}
