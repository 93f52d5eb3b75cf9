package recovery

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
)

// Left is a plan that was confirmed and whose end nobody wrote, as the journal
// tells it: its cockpit was left or died.
type Left struct {
	Confirmed json.RawMessage // data of its confirmation
	At        time.Time       // when it was confirmed
	Records   []LeftRecord    // what was written of it since, in order
	// Written is how far the output of each step stands in the incident that is
	// gone on with, in bytes; by the name of the step's folder.
	Written map[string]int64
	// Output are the last lines that each step wrote, by the name of its folder:
	// facts ask about them.
	Output map[string][]string
	// Broken says why the journal cannot be relied on: the plan's steps are
	// looked up then, and nothing of it can go on.
	Broken string
}

// LeftRecord is a word, an intent, an outcome or a note of the plan.
type LeftRecord struct {
	Kind string
	At   time.Time
	Data json.RawMessage
}

// leftover is what a run has to know of the time before it.
type leftover struct {
	open    *openIntent // nil for none
	written map[string]int64
	broken  string
	going   bool // the operator let it go on
}

// openIntent is the newest act, where nobody wrote its outcome or it was
// unknown.
type openIntent struct {
	cluster.Intent
	i  int // of the step in the state
	at time.Time
}

// restored makes a run of a plan that was left, with all that is known of it.
func (x *Executor) restored(l Left) (*run, error) {
	var c confirmation
	if err := json.Unmarshal(l.Confirmed, &c); err != nil {
		return nil, fmt.Errorf("its confirmation cannot be read: %w", err)
	}
	if c.Plan.ID == "" || len(c.Plan.Steps) == 0 {
		return nil, errors.New("its confirmation holds no plan")
	}
	f := &frozen{plan: c.Plan, general: c.General, identity: c.Identity, typed: len(c.Plan.Phrases), predicted: c.Predicted}
	if f.identity == nil {
		f.identity = map[string]identity{}
	}
	r := newRun(x, f, overrides(c.Typed), l.At)
	r.state.Sentence = "taken up again: the cockpit was left while it was at work"
	r.left = &leftover{written: maps.Clone(l.Written), broken: cmp.Or(l.Broken, blotted(c.Plan))}
	for n, rec := range l.Records {
		if err := r.recall(rec); err != nil {
			return nil, fmt.Errorf("record %d of the plan: %w", n+1, err)
		}
	}
	for i := range r.state.Steps {
		st := &r.state.Steps[i]
		st.Output = slices.Clone(l.Output[cmp.Or(r.marked(st.Step.ID).folder, st.Step.ID)])
	}
	// A plan goes on only behind steps that are done or not due.
	last := 0
	for i, st := range r.state.Steps[:len(r.plan.Steps)] {
		if st.Status != cluster.StatusNext {
			last = i
		}
	}
	for i := range last {
		if st := &r.state.Steps[i]; st.Status == cluster.StatusNext {
			st.Status, st.Sentence = cluster.StatusDone, "passed; how is not written"
		}
	}
	return r, nil
}

// blotted says which command the journal holds without a secret that stood in
// it: what is read back is not what was confirmed. "" for none.
func blotted(p cluster.Plan) string {
	for _, s := range slices.Concat(p.Steps, p.Back) {
		if strings.Contains(s.Command, "***") {
			return "a secret was blotted out of the command of step " + s.ID
		}
	}
	return ""
}

// recall takes in one record.
func (r *run) recall(rec LeftRecord) error {
	switch rec.Kind {
	case "confirm":
		var t typing
		if err := json.Unmarshal(rec.Data, &t); err != nil {
			return err
		}
		if i, _ := r.stepOf(t.Step); i >= 0 && t.Identity != nil {
			node := r.state.Steps[i].Step.Node
			r.identity[node], r.met[node] = *t.Identity, true
		}
	case "intent":
		var in cluster.Intent
		if err := json.Unmarshal(rec.Data, &in); err != nil {
			return err
		}
		return r.recallIntent(in, rec.At)
	case "outcome":
		var o cluster.Outcome
		if err := json.Unmarshal(rec.Data, &o); err != nil {
			return err
		}
		return r.recallOutcome(o, rec.At)
	case "note":
		var n planNote
		if err := json.Unmarshal(rec.Data, &n); err != nil {
			return err
		}
		if n.Passed != nil {
			return r.recallOutcome(*n.Passed, rec.At)
		}
	}
	return nil
}

// stepOf finds the step of a folder in the state: one of the way back is put
// there when it is first spoken of. suffix is what the folder's name has more
// than the step's. The number is -1 for none.
func (r *run) stepOf(folder string) (i int, suffix string) {
	all := slices.Concat(r.plan.Steps, r.plan.Back)
	best := -1
	for n, s := range all {
		if s.InFolder(folder) && (best < 0 || len(s.ID) > len(all[best].ID)) {
			best, suffix = n, strings.TrimPrefix(folder, s.ID)
		}
	}
	for best >= len(r.state.Steps) {
		r.state.Steps = append(r.state.Steps, cluster.StepState{Step: all[len(r.state.Steps)], Status: cluster.StatusNext})
	}
	return best, suffix
}

func (r *run) recallIntent(in cluster.Intent, at time.Time) error {
	i, suffix := r.stepOf(in.Step)
	if i < 0 {
		return fmt.Errorf("an intent of step %s, which the plan does not have", in.Step)
	}
	st := &r.state.Steps[i]
	st.Status, st.Began, st.Ended, st.Guards = cluster.StatusRunning, at, time.Time{}, in.Guards
	r.mark(st.Step.ID, func(m *mark) {
		m.intended, m.started = true, in.ToDo == ""
		m.folder = in.Step
		switch {
		case strings.HasPrefix(suffix, "-terminal"):
			// A try that was refused before its intent has a number, too: the
			// folder of one that was not is there.
			m.tries++
			if n, err := strconv.Atoi(strings.TrimPrefix(suffix, "-terminal")); err == nil {
				m.tries = max(m.tries, n)
			}
		case strings.HasPrefix(suffix, "-again"):
			m.again++
		}
	})
	r.left.open = &openIntent{Intent: in, i: i, at: at}
	return nil
}

func (r *run) recallOutcome(o cluster.Outcome, at time.Time) error {
	i, _ := r.stepOf(o.Step)
	if i < 0 {
		return fmt.Errorf("an outcome of step %s, which the plan does not have", o.Step)
	}
	st := &r.state.Steps[i]
	st.Status, st.Sentence, st.Ended, st.Exit, st.ExitKnown = o.Status, o.Sentence, at, o.Exit, o.ExitKnown
	open := r.left.open
	again := o.Status == cluster.StatusUnknown && open != nil && open.i == i
	if open != nil && open.i == i && !again {
		r.left.open = nil // else it is looked up again: it may be seen by now
	}
	r.mark(st.Step.ID, func(m *mark) {
		m.intended = again
		m.started = m.started && o.Status != cluster.StatusRefused
		m.handed = m.handed || strings.HasPrefix(o.Sentence, wantsTerminal)
		m.by, m.bytes, m.digest = o.By, o.Bytes, o.Digest
	})
	if renames(st.Step.Command) && o.Status == cluster.StatusDone {
		r.identity[st.Step.Node] = r.identity[st.Step.Node].renamed()
	}
	return nil
}

// doubles answers whether two plans are the same one: what is taken up again
// must not be at work.
func (x *Executor) doubles(id string) bool {
	return slices.ContainsFunc([]*run{x.run, x.guide}, func(r *run) bool { return r != nil && r.plan.ID == id })
}

// renamed is an identity without what a command of the plan changes.
func (was identity) renamed() identity {
	was.GUID = ""
	return was
}
