package recovery

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"chef-backend-cockpit/cluster"
)

const (
	effectsEvery = time.Second
	slowEvery    = 5 // of so many looks for effects one has its slow part
	// patient is after how many looks they come more slowly: what takes hours is
	// not hurried by asking.
	patient    = 60
	patiently  = 5 * time.Second
	slowRarely = 12
	// effectsLeast is how long effects are awaited after a command that used
	// up its whole deadline.
	effectsLeast = 30 * time.Second
	// settles is how long after a command that ended badly a stop waits before
	// its effect is judged: cluster-status may be that old by itself.
	settles = cluster.StatusAge + effectsEvery
)

// awaitEffects waits until the facts hold that prove that the step worked. The
// exit status alone proves nothing: a service command's is a sum, and sv gives
// up after 7 s. The deadline counts from begun.
func (r *run) awaitEffects(ctx context.Context, i int, s cluster.PlanStep, out outcome, begun time.Time) ending {
	since := r.x.o.Clock.Now()
	until := begun.Add(s.Deadline)
	copied := r.growth(s)
	if soonest := since.Add(effectsLeast); until.Before(soonest) && s.Command != "" {
		until = soonest
	}
	r.change(func(p *cluster.PlanState) {
		p.Status, p.Steps[i].Status = cluster.StatusWaiting, cluster.StatusWaiting
	})
	for n := 0; ; n++ {
		r.x.fresh(ctx, r.x.o.Clock.Now(), n%slowEvery == 0 && n < patient || n%slowRarely == 0)
		missing, truth, own := r.missing(s, since)
		if missing == "" {
			return ending{status: cluster.StatusDone, sentence: joinText([]string{s.EffectSay, exitText(out)})}
		}
		now := r.x.o.Clock.Now()
		late, settled := now.After(until), now.Sub(since) >= settles
		switch {
		case ctx.Err() != nil:
			return ending{status: cluster.StatusUnknown, sentence: "left while the effect was awaited"}
		case own == cluster.False:
			return ending{status: cluster.StatusFailed, sentence: joinText([]string{missing, cmp.Or(out.meaning, r.lastLine(i))})}
		case out.exitKnown && late && truth == cluster.Unknown:
			return ending{status: cluster.StatusUnknown, sentence: joinText([]string{fmt.Sprintf("not seen within %s: %s", s.Deadline, missing), exitText(out)})}
		case out.exitKnown && late:
			return ending{status: cluster.StatusFailed, sentence: joinText([]string{fmt.Sprintf("not within %s: %s", s.Deadline, missing), exitText(out)})}
		case !out.exitKnown && (late || own == cluster.Unknown && n > slowEvery):
			return ending{status: cluster.StatusUnknown, sentence: fmt.Sprintf("%s; the outcome is unknown: %s", out.sentence, missing)}
		case r.stopping() && s.Command == "":
			return ending{status: cluster.StatusStopped, sentence: "stopped by the operator; " + missing}
		case r.stopping() && settled && (!out.exitKnown || out.exit != 0):
			return ending{status: unknownUnless(out), sentence: joinText([]string{"stopped by the operator", missing, exitText(out)})}
		}
		r.tell(i, missing, out, copied)
		pause := effectsEvery
		if n >= patient {
			pause = patiently
		}
		select {
		case <-ctx.Done():
		case <-r.x.o.Clock.After(pause):
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

// missing is the sentence of the first effect that is not seen yet on looks
// begun since the command ended, "" when all are, and its truth; own is what an
// effect about the step's own exit status says, True where there is none.
func (r *run) missing(s cluster.PlanStep, since time.Time) (sentence string, truth, own cluster.Truth) {
	v := r.x.current(r.view(), since)
	truth, own = cluster.True, cluster.True
	for _, q := range s.Effects {
		a := q.Ask(v, bound(&r.plan, s))
		if slices.Contains([]string{"step-exited-0", "step-ended"}, q.Fact) && a.Truth != cluster.True {
			return a.Sentence, a.Truth, a.Truth
		}
		if a.Truth != cluster.True && sentence == "" {
			sentence, truth = a.Sentence, a.Truth
		}
	}
	return sentence, truth, own
}

// tell publishes what is waited for, and how far a copy is, where it changed.
func (r *run) tell(i int, missing string, out outcome, copied *growth) {
	progress, still := copied.look(r.x.view(), r.x.o.Clock.Now())
	say := joinText([]string{"not yet: " + missing, exitText(out), still})
	if st := r.snapshot().Steps[i]; st.Sentence == say && (progress == "" || st.Progress == progress) {
		return
	}
	r.step(i, func(st *cluster.StepState) {
		st.Sentence = say
		if progress != "" {
			st.Progress = progress
		}
	})
}

// exitText says what is worth saying of an exit status.
func exitText(out outcome) string {
	switch {
	case !out.exitKnown:
		return joinText([]string{out.sentence, "exit status unknown"})
	case out.exit != 0:
		return joinText([]string{fmt.Sprintf("exit status %d", out.exit), out.meaning})
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
