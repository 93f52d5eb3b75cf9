package recovery

import (
	"context"
	"strings"
	"testing"

	"chef-backend-cockpit/cluster"
)

// slowDisk does something while a confirmation is being written.
type slowDisk struct {
	Recorder
	meanwhile func()
}

func (d slowDisk) Record(kind string, data any) error {
	if kind == "confirm" {
		d.meanwhile()
	}
	return d.Recorder.Record(kind, data)
}

// A disk that takes its time holds nobody up: to stop counts at once, another
// plan is refused with a word, and the first step never begins.
func TestStopDoesNotWaitForTheJournal(t *testing.T) {
	w := newWorld(t)
	behind(w)
	x := w.executor()
	other, err := x.Plan(context.Background(), "rebuild-follower", "be3", "")
	if err != nil {
		t.Fatal(err)
	}
	x.o.Recorder = slowDisk{x.o.Recorder, func() {
		if !x.mu.TryLock() {
			t.Fatal("the confirmation is written under the executor's lock")
		}
		x.mu.Unlock()
		x.Stop()
		if _, err := x.Confirm(other.ID, other.Phrases[0]); err == nil || !strings.Contains(err.Error(), "one plan at a time") {
			t.Errorf("a second plan meanwhile: %v", err)
		}
	}}
	w.confirmed(x, "rebuild-follower", "be3", "")
	if p := w.done(x); p.Status != cluster.StatusStopped || len(w.ran) > 0 {
		t.Errorf("%s: %s; ran %q", p.Status, p.Sentence, w.ran)
	}
}
