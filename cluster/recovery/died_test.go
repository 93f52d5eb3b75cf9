package recovery

import (
	"encoding/json"
	"errors"
	"testing"

	"chef-backend-cockpit/cluster"
)

// crash is a cockpit that dies at a record: nothing is written any more.
type crash struct {
	w     *world
	at    int  // number of the record, from 0
	after bool // the record is on disk
	n     int
	dead  chan struct{}
}

func (c *crash) Record(kind string, data any) error {
	c.w.mu.Lock()
	n := c.n
	c.n++
	c.w.mu.Unlock()
	if n > c.at || n == c.at && !c.after {
		c.die(n == c.at)
		return errors.New("dead")
	}
	err := c.w.Record(kind, data)
	if n == c.at {
		c.die(true)
		return errors.New("dead")
	}
	return err
}

func (c *crash) die(first bool) {
	if first {
		close(c.dead)
	}
}

// left is what the journal of the invented world tells of its one plan.
func (w *world) left() (l Left, confirmed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l.Written, l.Output = map[string]int64{}, map[string][]string{}
	for n, data := range w.kept {
		raw, err := json.Marshal(data)
		if err != nil {
			w.t.Fatal(err)
		}
		switch d := data.(type) {
		case confirmation:
			l.Confirmed, l.At, confirmed = raw, d.At, true
		case piece:
			l.Written[d.Step] = max(l.Written[d.Step], d.Offset+d.Bytes)
			l.Output[d.Step] = append(l.Output[d.Step], d.Lines...)
		default:
			l.Records = append(l.Records, LeftRecord{Kind: w.records[n], At: w.clock.Now(), Data: raw})
		}
	}
	return l, confirmed
}

// ended answers whether the journal holds the plan's end.
func (w *world) ended() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, data := range w.kept {
		if n, ok := data.(planNote); ok && n.Ended != nil {
			return true
		}
	}
	return false
}

// another is a cockpit that starts on the world after the first one died.
func (w *world) another() *Executor { return w.executor() }

// resumed takes the plan up and waits until it holds or is over.
func (w *world) resumed(x *Executor) cluster.PlanState {
	w.t.Helper()
	l, _ := w.left()
	w.mu.Lock()
	w.states = nil
	w.mu.Unlock()
	ended, err := x.Resume(l)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.until("the plan holds or is over", func(p cluster.PlanState) bool {
		select {
		case <-ended:
			return true
		default:
			return p.Status == cluster.StatusAsked || !p.Ended.IsZero()
		}
	})
}

// goOn types whatever the plan asks for until it is over.
func (w *world) goOn(x *Executor, p cluster.PlanState) cluster.PlanState {
	w.t.Helper()
	for p.Ended.IsZero() {
		for _, st := range p.Steps {
			if st.Status == cluster.StatusAsked && st.Asks == cluster.AskPhrase {
				if _, err := x.Confirm(p.Plan.ID, st.AskedFor); err != nil {
					w.t.Fatal(err)
				}
			}
		}
		p = w.until("the plan holds or is over", func(p cluster.PlanState) bool {
			return p.Status == cluster.StatusAsked || !p.Ended.IsZero()
		})
	}
	return p
}

func (w *world) published() []cluster.PlanState {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.states
}

// truthful holds that what is shown of each step agrees with what reached the
// nodes: a step that ran is never shown as one to come, one that did not is
// never shown as done.
func truthful(t *testing.T, w *world, p cluster.PlanState) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, st := range p.Steps {
		if st.Step.Command == "" {
			continue
		}
		ran := 0
		for _, command := range w.ran {
			if command == st.Step.Node+": "+st.Step.Command {
				ran++
			}
		}
		if ran > 1 {
			t.Errorf("ran %d times: %s", ran, st.Step.Command)
		}
		switch st.Status {
		case cluster.StatusDone, cluster.StatusFailed:
			if ran == 0 {
				t.Errorf("%s is shown as %s and never ran", st.Step.ID, st.Status)
			}
		case cluster.StatusNext, cluster.StatusRefused, cluster.StatusSkipped, cluster.StatusAsked:
			if ran > 0 {
				t.Errorf("%s is shown as %s and ran", st.Step.ID, st.Status)
			}
		}
	}
}
