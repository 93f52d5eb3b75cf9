package watch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
)

// askedEvery is how often a rehearsal looks whether its plan asks for a person,
// by the simulation's clock.
const askedEvery = 500 * time.Millisecond

// carryOut types and does what a plan asks of a person, until it is over.
func (r *rehearsal) carryOut() {
	if err := r.confirm(); err != nil {
		r.refused(err)
		return
	}
	answered := map[string]bool{}
	for {
		run := r.w.State().Run
		if run != nil && run.Plan.ID == r.plan.ID {
			if !run.Ended.IsZero() {
				r.over(run.Prediction)
				return
			}
			r.answer(*run, answered)
		}
		select {
		case <-r.ctx.Done():
			return
		case <-r.sim.Clock.After(askedEvery):
		}
	}
}

// confirm hands over the phrases, which stand for nothing here.
func (r *rehearsal) confirm() error {
	if err := r.arm(); err != nil {
		return err
	}
	left := r.plan.Phrases
	if len(left) == 0 {
		left = []string{""}
	}
	for len(left) > 0 {
		var err error
		if left, err = r.w.Confirm(r.plan.ID, left[0]); err != nil {
			return err
		}
	}
	return nil
}

func (r *rehearsal) arm() error {
	if r.plan.Tier < cluster.T3 {
		return nil
	}
	return r.w.Arm(r.w.o.Cluster)
}

// answer does what the plan waits for, once. What cannot be done stops it, and
// so does a terminal that came to nothing and is offered once more.
func (r *rehearsal) answer(p cluster.PlanState, answered map[string]bool) {
	for _, s := range p.Steps {
		key := s.Step.ID + " " + string(s.Asks)
		again := answered[key]
		if s.Asks == cluster.AskTerminal {
			key += " " + s.Sentence
		}
		if s.Status != cluster.StatusAsked || answered[key] {
			continue
		}
		answered[key], answered[s.Step.ID+" "+string(s.Asks)] = true, true
		err := errors.New(s.Sentence)
		if !again {
			err = r.answerStep(p, s)
		}
		if err != nil && r.ctx.Err() == nil {
			r.tell(func(is *RehearsalAt) { is.Refused = fmt.Sprintf("step %s: %v", s.Step.Number, err) })
			r.w.Stop()
		}
	}
}

func (r *rehearsal) answerStep(p cluster.PlanState, s cluster.StepState) error {
	switch s.Asks {
	case cluster.AskPhrase:
		if err := r.arm(); err != nil {
			return err
		}
		_, err := r.w.Confirm(p.Plan.ID, s.AskedFor)
		return err
	case cluster.AskTick:
		if len(s.Step.Effects) > 0 { // else the tick is all: something is agreed to
			if err := r.sim.ByHand(s.Step); err != nil {
				return err
			}
		}
		return r.w.Tick(p.Plan.ID, s.Step.ID)
	case cluster.AskTerminal:
		return r.terminal(p.Plan.ID, s.Step.ID)
	}
	return nil
}

// wanted is what a command on a terminal wants typed.
var wanted = regexp.MustCompile(`Type '(\w+)'`)

// terminal answers a command that wants to be told to go on.
func (r *rehearsal) terminal(plan, step string) error {
	t, err := r.w.Terminal(r.ctx, plan, step, Size{Columns: 80, Rows: 24})
	if err != nil {
		return err
	}
	defer t.Close() //nolint:errcheck // how the command ended its folder tells
	var seen bytes.Buffer
	buf := make([]byte, 4096)
	for {
		n, err := t.Read(buf)
		seen.Write(buf[:n])
		if m := wanted.FindSubmatch(seen.Bytes()); m != nil {
			seen.Reset()
			if _, err := t.Write(append(m[1], '\r')); err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// tell changes what is shown of the rehearsal.
func (r *rehearsal) tell(edit func(*RehearsalAt)) {
	r.about.mu.Lock()
	edit(&r.about.is)
	r.about.mu.Unlock()
	r.w.publish()
}

// refused is a plan that did not begin.
func (r *rehearsal) refused(err error) {
	r.tell(func(is *RehearsalAt) { is.Refused = err.Error() })
	r.over(&cluster.Prediction{Plan: r.plan.ID, Snapshot: r.plan.Snapshot, Status: cluster.StatusRefused, Sentence: err.Error()})
}

// over keeps what was seen with the plan, and notes the rehearsal where an
// incident is open.
func (r *rehearsal) over(p *cluster.Prediction) {
	if p != nil {
		kept := *p
		kept.At, kept.Assumed = r.real.o.Clock.Now(), r.sim.Assumed
		r.real.executor.Foreseen(&kept)
		r.real.diary.remark(fmt.Sprintf("rehearsed on a simulation, nothing was done: plan %s, %s: %s, %s",
			r.plan.ID, strings.TrimSpace(r.plan.Procedure+" "+r.plan.Node), kept.Status, kept.Sentence))
	}
	r.tell(func(is *RehearsalAt) { is.Over = true })
}
