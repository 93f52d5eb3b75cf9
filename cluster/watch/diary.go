package watch

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/journal"
)

// healthyFor is how long all must be well before an incident is closed.
const healthyFor = 10 * time.Minute

// diary keeps the journal: it opens an incident at the first P1 or P2 finding
// or the first intent, writes what changes, and closes it after ten healthy
// minutes. It has a lock of its own, since a disk may be slow; what the screen
// asks for never waits for it.
type diary struct {
	mu      sync.Mutex
	journal *journal.Journal // nil: there is none, nothing may be carried out
	open    bool
	calm    time.Time         // since when nothing grave stands; zero while it does
	gists   map[string]gistOf // by node, as last written
	stands  map[string]string // findings by ID, as last written
	status  atomic.Pointer[diaryStatus]
}

// diaryStatus is what the screen shows of the journal.
type diaryStatus struct {
	incident string // id of the open incident; "" for none
	trouble  string // why it cannot be written; "" while it can
}

// newDiary is a diary over a journal, or over none.
func newDiary(j *journal.Journal) *diary {
	d := &diary{journal: j}
	d.status.Store(&diaryStatus{})
	return d
}

// Record writes one record, opening an incident where there is none. The
// record is on disk when it returns; an error refuses the act behind it.
func (d *diary) Record(kind string, data any) error {
	if d.journal == nil {
		return errors.New("there is no journal, and nothing may be carried out without one")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.begin()
	if err == nil {
		err = d.journal.Record(kind, data)
	}
	return d.heard(err)
}

// heard remembers whether the journal can be written.
func (d *diary) heard(err error) error {
	s := &diaryStatus{}
	if d.open {
		s.incident = d.journal.ID()
	}
	if err != nil {
		s.trouble = err.Error()
		err = fmt.Errorf("journal: %w", err)
	}
	d.status.Store(s)
	return err
}

// begin opens an incident unless one is open.
func (d *diary) begin() error {
	if d.open {
		return nil
	}
	if err := d.journal.Open(); err != nil {
		return err
	}
	d.open, d.calm = true, time.Time{}
	d.gists, d.stands = map[string]gistOf{}, map[string]string{}
	return nil
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
		_ = d.heard(d.journal.Record("note", note{Text: text})) // heard keeps the error for the screen
	}
}

// end writes the last word and closes the incident.
func (d *diary) end(why string) error {
	if !d.open {
		return nil
	}
	err := errors.Join(d.journal.Record("note", note{why, true}), d.journal.Close())
	d.open = false
	return d.heard(err)
}

// close ends the incident when the cockpit is left.
func (d *diary) close(why string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.end(why)
}

// round writes what a round has changed. A journal that cannot be written
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
	if !grave && !d.open {
		return
	}
	err := d.begin()
	if err == nil {
		err = d.changes(v, findings)
	}
	d.heard(err)
	d.calmed(v.Now, grave || working)
}

// changes writes a snapshot where its gist changed, and the findings that
// came, changed or went.
func (d *diary) changes(v *cluster.View, findings []cluster.Finding) error {
	var errs []error
	changed := false
	for name, r := range v.Snapshot.Reports {
		if g := gist(r); d.gists[name] != g {
			d.gists[name], changed = g, true
		}
	}
	if changed {
		errs = append(errs, d.journal.Record("snapshot", v.Snapshot))
	}
	now := map[string]bool{}
	for _, f := range findings {
		now[f.ID()] = true
		if is := fmt.Sprint(f.Certainty, f.Priority, f.Under); d.stands[f.ID()] != is {
			d.stands[f.ID()] = is
			errs = append(errs, d.journal.Record("finding", f))
		}
	}
	for id := range d.stands {
		if !now[id] {
			delete(d.stands, id)
			errs = append(errs, d.journal.Record("finding", gone{id, v.Now}))
		}
	}
	return errors.Join(errs...)
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
		_ = d.end("healthy for 10 minutes") // heard keeps the error for the screen
	}
}

// notices are the standing messages about the journal.
func (d *diary) notices(readOnly bool) []Notice {
	switch trouble := d.status.Load().trouble; {
	case trouble != "":
		return []Notice{{Grave: true, Text: "journal cannot be written, acting is refused: " + trouble}}
	case d.journal == nil && !readOnly:
		return []Notice{{Text: "no journal folder, acting is refused"}}
	}
	return nil
}
