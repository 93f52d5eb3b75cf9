package watch

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/journal"
)

// replayed is what a journal's records up to one of them add up to. What it hands
// out is never changed afterwards.
type replayed struct {
	at       time.Time // of the last record
	snapshot *cluster.Snapshot
	previous *cluster.Snapshot
	calm     calm
	past     past
	findings []cluster.Finding // in the order of their records
	ended    *LastFinding
	plans    []cluster.PlanState
	remark   string // the newest note
}

// newReplayed is one of no records.
func newReplayed() replayed { return replayed{past: newPast()} }

// clone is one that goes on by itself.
func (f *replayed) clone() replayed {
	c := *f
	c.past.h, c.past.seen = f.past.copy(), maps.Clone(f.past.seen)
	return c
}

// take adds one record. One of an unknown kind or shape adds nothing.
func (f *replayed) take(r journal.Record) {
	f.at = r.At
	data, err := journal.Decode(r)
	if err != nil {
		return
	}
	switch d := data.(type) {
	case *cluster.Snapshot:
		f.look(d)
	case *journal.FindingData:
		f.finding(d, r.At)
	case *journal.ConfirmData:
		f.confirm(d, r.At)
	case *cluster.Intent:
		f.step(d.Plan, d.Step, d.Node, func(p *cluster.PlanState, i int) { begun(p, i, d, r.At) })
	case *journal.OutputData:
		f.step(d.Plan, d.Step, d.Node, func(p *cluster.PlanState, i int) {
			p.Steps[i].Output = tail(slices.Concat(p.Steps[i].Output, d.Lines))
		})
	case *cluster.Outcome:
		f.outcome(d, r.At)
	case *journal.NoteData:
		f.note(d, r.At)
	}
}

// look takes a snapshot in, as a round did.
func (f *replayed) look(s *cluster.Snapshot) {
	maps.DeleteFunc(s.Reports, func(_ string, r *cluster.Report) bool { return r == nil })
	f.previous, f.snapshot = f.snapshot, s
	v := f.view()
	f.past.learn(v)
	f.calm.learn(v, f.findings)
}

// view is what facts were asked about then. Between two snapshots nothing
// changed that a look tells, so it is always as old as its snapshot.
func (f *replayed) view() *cluster.View {
	s := f.snapshot
	if s == nil {
		s = &cluster.Snapshot{At: f.at, Reports: map[string]*cluster.Report{}}
	}
	return &cluster.View{Now: s.At, Snapshot: s, Previous: f.previous, Past: f.past.copy(), Plans: f.plans}
}

// finding takes one that came, changed or went.
func (f *replayed) finding(d *journal.FindingData, at time.Time) {
	id := cmp.Or(d.Gone, d.ID())
	i := slices.IndexFunc(f.findings, func(o cluster.Finding) bool { return o.ID() == id })
	f.findings = slices.Clone(f.findings)
	switch {
	case d.Gone == "" && i < 0:
		f.findings = append(f.findings, d.Finding)
	case d.Gone == "":
		f.findings[i] = d.Finding
	case i >= 0:
		f.ended = &LastFinding{ID: id, Ended: at, For: at.Sub(f.findings[i].Since)}
		f.findings = slices.Delete(f.findings, i, i+1)
	}
}

// confirm takes a plan that begins, or a word in the middle of one. A plan whose
// confirmation comes once more begins anew: its records follow once more, too.
func (f *replayed) confirm(d *journal.ConfirmData, at time.Time) {
	if d.Plan.ID == "" {
		f.edit(d.Word.Plan, func(p *cluster.PlanState) { p.Sentence = "went on at step " + d.Word.Step })
		return
	}
	p := cluster.PlanState{Plan: d.Plan, Status: cluster.StatusRunning, Sentence: "confirmed" + byWord(d.By), Began: at}
	for _, s := range d.Plan.Steps {
		p.Steps = append(p.Steps, cluster.StepState{Step: s, Status: cluster.StatusNext})
	}
	others := slices.DeleteFunc(slices.Clone(f.plans), func(o cluster.PlanState) bool { return o.Plan.ID == p.Plan.ID })
	f.plans = append(others, p)
}

// edit changes a plan, which from then on is the newest one.
func (f *replayed) edit(id string, change func(*cluster.PlanState)) {
	i := slices.IndexFunc(f.plans, func(p cluster.PlanState) bool { return p.Plan.ID == id })
	if i < 0 {
		return
	}
	p := f.plans[i]
	p.Steps = slices.Clone(p.Steps)
	change(&p)
	f.plans = append(slices.Delete(slices.Clone(f.plans), i, i+1), p)
}

// step changes a step of a plan. A record names it by its folder on the node;
// one of the steps back joins the list when it is first spoken of.
func (f *replayed) step(plan, folder, node string, change func(*cluster.PlanState, int)) {
	f.edit(plan, func(p *cluster.PlanState) {
		is := func(s cluster.PlanStep) bool {
			return s.Node == node && s.InFolder(folder)
		}
		i := slices.IndexFunc(p.Steps, func(s cluster.StepState) bool { return is(s.Step) })
		if b := slices.IndexFunc(p.Plan.Back, is); i < 0 && b >= 0 {
			i = len(p.Steps)
			p.Steps = append(p.Steps, cluster.StepState{Step: p.Plan.Back[b], Status: cluster.StatusNext})
		}
		if i >= 0 {
			change(p, i)
		}
	})
}

// begun is a step whose intent was written. What stood before it is over; that
// it only looked is why the journal has no word of it.
func begun(p *cluster.PlanState, i int, d *cluster.Intent, at time.Time) {
	for b := range p.Steps[:min(i, len(p.Plan.Steps))] {
		if p.Steps[b].Status == cluster.StatusNext {
			p.Steps[b].Status = cluster.StatusDone
		}
	}
	s := &p.Steps[i]
	s.Status, s.Began, s.Ended, s.Guards = cluster.StatusRunning, at, time.Time{}, d.Guards
	p.Status, p.Sentence, p.Ended = cluster.StatusRunning, s.Step.Say, time.Time{} // also of one that is taken up again
}

func byWord(who string) string {
	if who == "" {
		return ""
	}
	return " by " + who
}

// outcome is how a step ended.
func (f *replayed) outcome(d *cluster.Outcome, at time.Time) {
	f.step(d.Plan, d.Step, d.Node, func(p *cluster.PlanState, i int) {
		s := &p.Steps[i]
		s.Status, s.Sentence, s.Ended, s.Exit, s.ExitKnown = d.Status, d.Sentence, at, d.Exit, d.ExitKnown
		well := d.Status == cluster.StatusDone || d.Status == cluster.StatusSkipped
		if i == len(p.Plan.Steps)-1 || !well {
			p.Status, p.Sentence, p.Ended = d.Status, d.Sentence, at
		}
	})
}

// note is a remark, or what became of a step or of a whole plan.
func (f *replayed) note(d *journal.NoteData, at time.Time) {
	if d.Text != "" {
		f.remark = d.Text
	}
	if d.Passed != nil {
		f.outcome(d.Passed, at)
	}
	if e := d.Ended; e != nil {
		f.edit(e.Plan, func(p *cluster.PlanState) {
			p.Status, p.Sentence, p.Ended, p.OpenEnds = e.Status, e.Sentence, at, e.OpenEnds
		})
	}
}

// shown puts findings in the order of the living screen: by priority, what
// stands above others, age and rank, folded ones after the one that hides them.
func (f *replayed) shown(rows []cluster.Failure) []cluster.Finding {
	rank := map[string]int{}
	for i, r := range rows {
		rank[r.Name] = i
		if r.Above {
			rank[r.Name] -= len(rows)
		}
	}
	above := func(name string) int { return max(min(rank[name], 0), -1) }
	order := func(a, b cluster.Finding) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(above(a.Failure), above(b.Failure)),
			a.Since.Compare(b.Since), cmp.Compare(rank[a.Failure], rank[b.Failure]))
	}
	byID := map[string]cluster.Finding{}
	for _, x := range f.findings {
		byID[x.ID()] = x
	}
	top := func(x cluster.Finding) cluster.Finding {
		if t, ok := byID[x.Under]; ok {
			return t
		}
		return x
	}
	all := slices.Clone(f.findings)
	slices.SortStableFunc(all, func(a, b cluster.Finding) int {
		ta, tb := top(a), top(b)
		if ta.ID() != tb.ID() {
			return cmp.Or(order(ta, tb), strings.Compare(ta.ID(), tb.ID()))
		}
		if first := cmp.Compare(len(a.Under), len(b.Under)); min(len(a.Under), len(b.Under)) == 0 && first != 0 {
			return first
		}
		return order(a, b)
	})
	return all
}

// tail keeps as many lines of a step's output as the screen shows.
func tail(lines []string) []string {
	const most = 200
	return lines[max(0, len(lines)-most):]
}
