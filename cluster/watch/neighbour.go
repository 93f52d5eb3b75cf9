package watch

import (
	"context"
	"slices"
	"sync"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/remote"
)

// neighbour shows what another cockpit on this machine does, live from its
// journal. One elsewhere is seen by its steps on the nodes alone.
type neighbour struct {
	dir, cluster string // of the incidents; "" for none
	run          func(func())
	wake         func()

	mu     sync.Mutex
	of     string // id of the plan that is followed or was looked for
	cancel context.CancelFunc
	state  *cluster.PlanState // of that plan; replaced, never changed
}

// plan is the newest state of the other's plan; nil where none is followed.
func (n *neighbour) plan() *cluster.PlanState {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state
}

// look begins to follow the plan for which somebody else holds the lock, and
// ends it when that is over.
func (n *neighbour) look(ctx context.Context, l cluster.Lock) {
	plan := l.Holder.Plan
	if l.Held != cluster.True || l.Ours || n.dir == "" {
		plan = ""
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if plan == n.of {
		return
	}
	if n.cancel != nil {
		n.cancel()
	}
	n.of, n.cancel, n.state = plan, nil, nil
	if plan == "" {
		return
	}
	ctx, n.cancel = context.WithCancel(ctx)
	n.run(func() { n.follow(ctx, plan) })
}

// follow finds the plan's journal and follows it. That it is not there, or can
// no longer be read, only means that less is shown.
func (n *neighbour) follow(ctx context.Context, plan string) {
	plans, _, err := journal.FindUnfinished(n.dir, n.cluster)
	if err != nil {
		return
	}
	for _, p := range plans {
		if p.Plan != plan {
			continue
		}
		state := &cluster.PlanState{}
		_ = journal.Follow(ctx, journal.Path(n.dir, p.Incident), func(r journal.Record) error {
			if told := tell(state, plan, r); told != nil {
				n.mu.Lock()
				if n.of == plan {
					n.state = told
				}
				n.mu.Unlock()
				state = told
				n.wake()
			}
			return nil
		})
	}
}

// linesShown is how many of a step's last lines are kept.
const linesShown = 50

// tell is the state of a plan after one more record; nil where it says nothing
// of it. A journal is a file that others write: what is shown of it is made
// safe anew.
func tell(old *cluster.PlanState, plan string, r journal.Record) *cluster.PlanState {
	data, err := journal.Decode(r)
	if err != nil {
		return nil
	}
	s := *old
	s.Steps = slices.Clone(old.Steps)
	switch d := data.(type) {
	case *journal.ConfirmData:
		if d.Plan.ID != plan {
			return nil
		}
		s = cluster.PlanState{Plan: d.Plan, Status: cluster.StatusRunning, Began: r.At, Sentence: "confirmed by " + d.By}
		for _, st := range d.Plan.Steps {
			s.Steps = append(s.Steps, cluster.StepState{Step: st, Status: cluster.StatusNext})
		}
	case *cluster.Intent:
		st := stepNamed(&s, d.Plan == plan, d.Step)
		if st == nil {
			return nil
		}
		st.Status, st.Began = cluster.StatusRunning, r.At
		s.Sentence = st.Step.Say
	case *journal.OutputData:
		st := stepNamed(&s, d.Plan == plan, d.Step)
		if st == nil {
			return nil
		}
		lines := slices.Clone(st.Output)
		for _, l := range d.Lines {
			lines = append(lines, remote.Safe([]byte(l)))
		}
		st.Output = lines[max(0, len(lines)-linesShown):]
	case *cluster.Outcome:
		st := stepNamed(&s, d.Plan == plan, d.Step)
		if st == nil {
			return nil
		}
		st.Status, st.Ended, st.Exit, st.ExitKnown = d.Status, r.At, d.Exit, d.ExitKnown
		st.Sentence = remote.Safe([]byte(d.Sentence))
	case *journal.NoteData:
		if d.Ended == nil || d.Ended.Plan != plan {
			return nil
		}
		s.Status, s.Ended, s.Sentence = d.Ended.Status, r.At, remote.Safe([]byte(d.Ended.Sentence))
	default:
		return nil
	}
	return &s
}

// stepNamed is a step by the name of its folder; one of the way back is added
// when it begins.
func stepNamed(s *cluster.PlanState, ours bool, id string) *cluster.StepState {
	if !ours || s.Plan.ID == "" {
		return nil
	}
	for i := range s.Steps {
		if s.Steps[i].Step.ID == id {
			return &s.Steps[i]
		}
	}
	for _, st := range s.Plan.Back {
		if st.ID == id {
			s.Steps = append(s.Steps, cluster.StepState{Step: st})
			return &s.Steps[len(s.Steps)-1]
		}
	}
	return nil
}
