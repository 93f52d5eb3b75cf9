package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// planWithin and runWithin bound the procedure, on the bed's clock for the run.
const (
	planWithin = 30 * time.Second
	runWithin  = 10 * time.Minute
)

// mend lets the bed undo the fault, and carries out the procedures through the
// cockpit's own executor as the operator would: plan, phrases, wait.
func (r *run) mend(ctx context.Context) error {
	if r.s.Heal {
		if err := r.bed.Heal(r.s.Name); err != nil {
			return err
		}
	}
	guide, err := r.guide(ctx)
	if err != nil {
		return err
	}
	repairs := r.s.Path()
	if guide != "" {
		repairs = repairs[1:]
	}
	for _, p := range repairs {
		if err := r.repair(ctx, p); err != nil {
			return fmt.Errorf("%s %s %s: %w", p.Procedure, p.Node, p.Service, err)
		}
	}
	if guide != "" {
		return r.follow(ctx, guide)
	}
	return nil
}

// guide begins the plan that waits for the others, and answers its id.
func (r *run) guide(ctx context.Context) (id string, err error) {
	if r.s.Guide == "" {
		return "", nil
	}
	plan, err := r.plan(ctx, Repair{Procedure: r.s.Guide})
	if err != nil {
		return "", fmt.Errorf("%s: %w", r.s.Guide, err)
	}
	return plan.ID, r.confirm(plan)
}

// asksAgain is how often an operator asks for a plan that came to nothing
// before anything ran: a look that is not answered in time leaves a guard
// unknown.
const asksAgain = 3

// repair carries out one procedure.
func (r *run) repair(ctx context.Context, p Repair) error {
	before := r.ran()
	for n := 1; ; n++ {
		err := r.once(ctx, p)
		var unsure *unsureError
		if n == asksAgain || !errors.As(err, &unsure) || r.ran() != before {
			return err
		}
		r.seen = append(r.seen, "asked for again: "+unsure.why)
	}
}

// unsureError is a plan that may look otherwise when it is asked for again: it
// was refused, when it was confirmed or later, or would have a text typed for
// what is only unknown.
type unsureError struct{ why, rest string }

func (e *unsureError) Error() string { return e.why + e.rest }

// ran counts the commands of steps that reached a node.
func (r *run) ran() (n int) {
	for _, node := range r.bed.Nodes() {
		n += len(r.bed.StepCommands(node.Name))
	}
	return n
}

// once plans, confirms and follows a procedure to its end.
func (r *run) once(ctx context.Context, p Repair) error {
	// Where nothing stands it comes from the node's own menu, and so do the parts of a guide.
	if len(r.s.Expect) > 0 && r.s.Guide == "" {
		if err := r.offered(ctx, p); err != nil {
			return err
		}
	}
	plan, err := r.plan(ctx, p)
	if err != nil {
		return err
	}
	if want := p.Typed; want == nil && len(plan.Phrases) > 1 || want != nil && !slices.Equal(plan.Phrases, want) {
		return r.otherPhrases(plan, want)
	}
	if err := r.confirm(plan); err != nil {
		return err
	}
	return r.follow(ctx, plan.ID)
}

// otherPhrases is the error of a plan that asks for other texts than it should,
// with the guards that want them and what decides whether a copy may be replaced.
func (r *run) otherPhrases(plan cluster.Plan, want []string) error {
	why := fmt.Sprintf("the plan asks for %q, not for %q", plan.Phrases, want)
	var rest strings.Builder
	wrong := false
	for _, g := range plan.Guards {
		if g.Override != "" && g.Answer.Truth != cluster.True {
			fmt.Fprintf(&rest, "\n  %s %s: %s", g.Question, g.Answer.Truth, g.Answer.Sentence)
			wrong = wrong || g.Answer.Truth == cluster.False && !slices.Contains(want, g.Override)
		}
	}
	for _, fact := range []string{"no-wal-of-its-own", "copy-was-saved", "copy-told"} {
		q := cluster.Question{Fact: fact}
		a := q.Ask(r.w.State().View, cluster.Binding{Node: plan.Node})
		fmt.Fprintf(&rest, "\n  now %s %s: %s", fact, a.Truth, a.Sentence)
	}
	if wrong {
		return errors.New(why + rest.String())
	}
	return &unsureError{why, rest.String()}
}

// plan asks for a plan.
func (r *run) plan(ctx context.Context, p Repair) (cluster.Plan, error) {
	planning, cancel := context.WithTimeout(ctx, planWithin)
	defer cancel()
	plan, err := r.w.Plan(planning, p.Procedure, p.Node, p.Service)
	if err != nil {
		return plan, fmt.Errorf("plan: %w", err)
	}
	r.plans = append(r.plans, plan.ID)
	return plan, nil
}

// offeredWithin is how long an offer may wait for looks to catch up with the
// end of the procedure before it.
const offeredWithin = time.Minute

// offered waits until a standing finding offers the procedure, ready.
func (r *run) offered(ctx context.Context, p Repair) error {
	end := r.bed.Clock().After(offeredWithin)
	for {
		why := r.whyNotOffered(p)
		if why == "" {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end:
			return fmt.Errorf("not offered, ready, by %v: %s", standing(r.w.State()), why)
		case <-r.w.Changed():
			r.note(r.w.State())
		}
	}
}

// whyNotOffered is "" when an unhidden finding offers the procedure, ready.
func (r *run) whyNotOffered(p Repair) string {
	said := []string{"no finding names it"}
	for _, id := range standing(r.w.State()) {
		for _, o := range r.w.Offers(id) {
			if o.Procedure != p.Procedure || o.Node != p.Node || o.Service != p.Service {
				continue
			}
			if o.Tier >= cluster.T3 {
				if o.Ready && r.w.State().Mode != watch.Armed {
					return "offered, ready, although the cockpit is not armed"
				}
				if err := r.armed(); err != nil {
					return err.Error()
				}
			}
			if o.Ready {
				return ""
			}
			for _, g := range o.WhyNot {
				said = append(said, g.Answer.Truth.String()+" "+g.Answer.Sentence)
			}
			said = append(said, "first: "+o.First)
		}
	}
	return strings.Join(said, "; ")
}

// armed arms the cockpit where it is not, as an operator does for T3.
func (r *run) armed() error {
	if r.w.State().Mode == watch.Armed {
		return nil
	}
	return r.w.Arm(clusterName)
}

// confirm types what the plan asks for.
func (r *run) confirm(plan cluster.Plan) error {
	if plan.Tier >= cluster.T3 {
		if err := r.armed(); err != nil {
			return err
		}
	}
	left := plan.Phrases
	if len(left) == 0 {
		left = []string{""}
	}
	for len(left) > 0 {
		var err error
		if left, err = r.w.Confirm(plan.ID, left[0]); err != nil {
			return &unsureError{"confirm: " + err.Error(), ""}
		}
	}
	return nil
}

// follow waits for the plan's end.
func (r *run) follow(ctx context.Context, id string) error {
	end := r.bed.Clock().After(runWithin)
	for {
		s := r.w.State()
		r.note(s)
		for _, p := range s.View.Plans {
			if p.Plan.ID != id || p.Running() {
				continue
			}
			if p.Status == cluster.StatusDone {
				return nil
			}
			if p.Status == cluster.StatusRefused {
				return &unsureError{p.Plan.Title + " was refused: " + p.Sentence, steps(p)}
			}
			return fmt.Errorf("%s ended %s: %s%s", p.Plan.Title, p.Status, p.Sentence, steps(p))
		}
		if s.Run != nil {
			if err := r.onlyAllowed(s, r.allowed()); err != nil {
				return err
			}
			if err := r.answer(*s.Run); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end:
			return fmt.Errorf("the procedure has not ended after %s%s", runWithin, steps(*s.Run))
		case <-r.w.Changed():
		}
	}
}

// byHand is a bed on which a person can do what a plan asks for outside.
type byHand interface {
	ByHand(step cluster.PlanStep) error
}

// answer does what a plan at work waits for, once: types the name of a further
// node, does by hand what is to be done outside and ticks it.
func (r *run) answer(p cluster.PlanState) error {
	for _, s := range p.Steps {
		key := p.Plan.ID + " " + s.Step.ID + " " + string(s.Asks)
		if s.Status != cluster.StatusAsked || r.answered[key] {
			continue
		}
		r.answered[key] = true
		switch s.Asks {
		case cluster.AskPhrase:
			if p.Plan.Tier >= cluster.T3 { // it may have taken long
				if err := r.armed(); err != nil {
					return err
				}
			}
			if _, err := r.w.Confirm(p.Plan.ID, s.AskedFor); err != nil {
				return fmt.Errorf("step %s: %w", s.Step.ID, err)
			}
		case cluster.AskTick:
			hands, ok := r.bed.(byHand)
			if acts := len(s.Step.Effects) > 0; acts && !ok {
				return fmt.Errorf("step %s: nobody can do by hand: %s", s.Step.ID, s.Step.ToDo)
			} else if acts { // else the tick is all: an agreement is accepted
				if err := hands.ByHand(s.Step); err != nil {
					return fmt.Errorf("step %s by hand: %w", s.Step.ID, err)
				}
			}
			if err := r.w.Tick(p.Plan.ID, s.Step.ID); err != nil {
				return fmt.Errorf("step %s: %w", s.Step.ID, err)
			}
		case cluster.AskTerminal:
			return fmt.Errorf("step %s waits for a terminal, which no row takes", s.Step.ID)
		}
	}
	return nil
}

// steps tells how far a plan got.
func steps(p cluster.PlanState) string {
	var b strings.Builder
	for _, s := range p.Steps {
		fmt.Fprintf(&b, "\n    %s %s %s: %s", s.Status, s.Step.Node, s.Step.Command, s.Sentence)
		for _, g := range s.Guards {
			if g.Answer.Truth != cluster.True {
				fmt.Fprintf(&b, "\n      guard %s %s", g.Answer.Truth, g.Answer.Sentence)
			}
		}
		if s.Status != cluster.StatusDone {
			fmt.Fprintf(&b, "\n      %s", strings.Join(s.Output, "\n      "))
		}
	}
	return b.String()
}

// commands compares what reached the nodes with the table, in order.
func (r *run) commands() error {
	for _, n := range r.bed.Nodes() {
		got, want := slices.Clone(r.bed.StepCommands(n.Name)), slices.Clone(r.s.Commands[n.Name])
		for i := range want {
			want[i] = strings.ReplaceAll(want[i], electedAddress, r.elected())
		}
		for i := range got {
			for _, id := range r.plans {
				got[i] = strings.ReplaceAll(got[i], id, "PLAN")
			}
		}
		if !r.s.rightly(got, want) {
			return fmt.Errorf("step commands on %s:\n  got  %q\n  want %q", n.Name, got, want)
		}
	}
	return nil
}

// elected is the address of the elected leader; "nobody" where none is known.
func (r *run) elected() string {
	v := r.w.State().View
	if e := v.Elected(); e.Truth == cluster.True {
		if n, ok := v.Snapshot.Node(e.Node); ok {
			return n.Address
		}
	}
	return "nobody"
}
