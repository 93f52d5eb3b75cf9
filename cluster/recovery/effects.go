package recovery

import (
	"context"
	"fmt"
	"slices"
	"time"

	"chef-backend-cockpit/cluster"
)

const (
	effectsEvery = time.Second
	slowEvery    = 5 // of so many looks for effects one has its slow part
	// effectsLeast is how long effects are awaited after a command that used
	// up its whole deadline.
	effectsLeast = 30 * time.Second
)

// awaitEffects waits until the facts hold that prove that the step worked. The
// exit status alone proves nothing: a service command's is a sum, and sv gives
// up after 7 s.
func (r *run) awaitEffects(ctx context.Context, i int, s cluster.PlanStep, out outcome) ending {
	until := r.snapshot().Steps[i].Began.Add(s.Deadline)
	if soonest := r.x.o.Clock.Now().Add(effectsLeast); until.Before(soonest) && s.Command != "" {
		until = soonest
	}
	r.change(func(p *cluster.PlanState) {
		p.Status, p.Steps[i].Status = cluster.StatusWaiting, cluster.StatusWaiting
	})
	for n := 0; ; n++ {
		r.x.fresh(ctx, r.x.o.Clock.Now(), n%slowEvery == 0)
		missing, own := r.missing(s)
		if missing == "" {
			return ending{cluster.StatusDone, joinText([]string{s.EffectSay, exitText(out)})}
		}
		late := r.x.o.Clock.Now().After(until)
		switch {
		case ctx.Err() != nil:
			return ending{cluster.StatusUnknown, "left while the effect was awaited"}
		case own == cluster.False:
			return ending{cluster.StatusFailed, joinText([]string{missing, r.lastLine(i)})}
		case out.exitKnown && late:
			return ending{cluster.StatusFailed, joinText([]string{fmt.Sprintf("not within %s: %s", s.Deadline, missing), exitText(out)})}
		case !out.exitKnown && (late || own == cluster.Unknown && n > slowEvery):
			return ending{cluster.StatusUnknown, fmt.Sprintf("%s; the outcome is unknown: %s", out.sentence, missing)}
		case r.stopping() && s.Command == "":
			return ending{cluster.StatusStopped, "stopped by the operator; " + missing}
		case r.stopping() && (!out.exitKnown || out.exit != 0):
			return ending{unknownUnless(out), joinText([]string{"stopped by the operator", missing, exitText(out)})}
		}
		r.tell(i, missing, out)
		select {
		case <-ctx.Done():
		case <-r.x.o.Clock.After(effectsEvery):
		}
	}
}

// unknownUnless: a command whose exit is known to be bad failed.
func unknownUnless(out outcome) cluster.Status {
	if out.exitKnown {
		return cluster.StatusFailed
	}
	return cluster.StatusUnknown
}

// missing is the sentence of the first effect that is not seen yet, "" when all
// are; own is what an effect about the step's own exit status says, True where
// there is none.
func (r *run) missing(s cluster.PlanStep) (sentence string, own cluster.Truth) {
	v := r.current(r.view())
	own = cluster.True
	for _, q := range s.Effects {
		a := q.Ask(v, binding(&r.plan))
		if slices.Contains([]string{"step-exited-0", "step-ended"}, q.Fact) && a.Truth != cluster.True {
			own = a.Truth
			return a.Sentence, own
		}
		if a.Truth != cluster.True && sentence == "" {
			sentence = a.Sentence
		}
	}
	return sentence, own
}

// tell publishes what is waited for, where it changed.
func (r *run) tell(i int, missing string, out outcome) {
	say := joinText([]string{"not yet: " + missing, exitText(out)})
	if r.snapshot().Steps[i].Sentence != say {
		r.step(i, func(st *cluster.StepState) { st.Sentence = say })
	}
}

// exitText says what is worth saying of an exit status.
func exitText(out outcome) string {
	switch {
	case !out.exitKnown:
		return joinText([]string{out.sentence, "exit status unknown"})
	case out.exit != 0:
		return fmt.Sprintf("exit status %d", out.exit)
	}
	return ""
}

// lastLine is the last line of a step's output.
func (r *run) lastLine(i int) string {
	lines := r.snapshot().Steps[i].Output
	if len(lines) == 0 {
		return ""
	}
	return "its last words: " + lines[len(lines)-1]
}
