package recovery

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// wanted is somebody who wants the terminal that a run offers.
type wanted struct {
	ctx   context.Context
	size  remote.Size
	reply chan taken // holds one
}

// taken is the terminal, or why there is none.
type taken struct {
	terminal remote.Terminal
	err      error
}

// Terminal takes the terminal that a step waits for: looks, guards and intent
// come first, as before every command, then the command runs in the foreground
// of the terminal. ctx bounds the wait for it. The caller reads until io.EOF
// and then closes it; to close it earlier hangs the command up. An error means
// that nothing ran.
func (x *Executor) Terminal(ctx context.Context, planID, stepID string, size remote.Size) (remote.Terminal, error) {
	if err := size.Check(); err != nil {
		return nil, err
	}
	r, err := x.atWork(planID)
	if err != nil {
		return nil, err
	}
	h, err := r.asked(cluster.AskTerminal, stepID)
	if err != nil {
		return nil, err
	}
	w := &wanted{ctx: ctx, size: size, reply: make(chan taken, 1)}
	select {
	case h.wants <- w:
	case <-h.over:
		return nil, errors.New("the plan has gone on meanwhile")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	// From here on the run answers: it hears of ctx, too.
	t := <-w.reply
	return t.terminal, t.err
}

// inTerminal offers a terminal until somebody takes it, and follows what runs
// in it to its end.
func (r *run) inTerminal(ctx context.Context, i int, s cluster.PlanStep, general []cluster.Guard, why string) (outcome, ending) {
	say := why + ": take the terminal to go on"
	for n := r.marked(s.ID).tries + 1; ; n++ {
		h := &hold{ask: cluster.AskTerminal, step: s.ID}
		r.enter(i, h, why, say)
		var w *wanted
		select {
		case <-ctx.Done():
		case <-r.stop:
		case w = <-h.wants:
		}
		r.leave(h)
		if w == nil {
			return outcome{}, ending{status: cluster.StatusStopped, sentence: "stopped by the operator before the terminal was taken" + notRun(s)}
		}
		folder := s.ID
		if n > 1 || r.marked(s.ID).folder != "" {
			folder = fmt.Sprintf("%s-terminal%d", s.ID, n)
		}
		out, end := r.handOver(ctx, i, s, general, w, folder)
		if !(end.again || end.unsure) || ctx.Err() != nil {
			return out, end
		}
		if r.marked(s.ID).intended {
			if err := r.recordOutcome(r.snapshot().Steps[i], end); err != nil {
				return out, end
			}
			r.mark(s.ID, func(m *mark) { m.intended, m.started = false, false })
		}
		say = end.sentence + "; take the terminal to try again"
	}
}

// handOver goes through the two phases of every command and gives the terminal
// to who wants it. Where the command surely did not begin, it can be asked for
// again.
func (r *run) handOver(ctx context.Context, i int, s cluster.PlanStep, general []cluster.Guard, w *wanted, folder string) (outcome, ending) {
	began := r.x.o.Clock.Now()
	r.step(i, func(st *cluster.StepState) {
		st.Sentence, st.Began = "looks before the terminal is opened", began
		st.PID, st.Exit, st.ExitKnown = 0, 0, false // of the try before
	})
	looking, cancel := context.WithCancel(ctx)
	release := context.AfterFunc(w.ctx, cancel)
	r.x.fresh(looking, began, true)
	release()
	cancel()
	way := manner{folder: folder, terminal: true, unheard: func() bool { return w.ctx.Err() != nil }}
	session, report, end := r.goAhead(ctx, i, s, general, began, way)
	if !end.well() {
		w.reply <- taken{err: errors.New(end.sentence)}
		return outcome{}, end
	}
	end = r.prepared(ctx, s, session)
	session.close()
	if !end.well() {
		r.mark(s.ID, func(m *mark) { m.started = false })
		w.reply <- taken{err: errors.New(end.sentence)}
		return outcome{}, end
	}
	opening, cancel := context.WithTimeout(w.ctx, networkWait)
	inner, err := remote.OpenTerminal(opening, r.x.o.Hosts[s.Node], remote.Script{
		Name: "cockpit-terminal", Text: assets.MustRead("scripts/step-terminal.sh"),
		Args: []string{r.x.o.Base, r.plan.ID, folder, session.token},
	}, w.size)
	cancel()
	f := &follower{r: r, i: i, s: s, id: s.ID, boot: report.Host.BootID.Value, token: session.token, sent: r.x.o.Clock.Now(), moved: r.x.o.Clock.Now(),
		sum: sha256.New(), script: r.transcript(i, s, folder), copied: r.growth(s), inTerminal: true}
	f.s.ID = folder
	if err != nil {
		w.reply <- taken{err: fmt.Errorf("%s, step %s: %w", s.Node, s.Number, err)}
		out, end := f.lookUp(ctx) // whether it began cannot be told from here
		end.again = end.status == cluster.StatusRefused
		return out, end
	}
	t := newHanded(inner)
	r.step(i, func(st *cluster.StepState) {
		st.Sentence = "runs in the terminal on " + s.Node + byText(r.x.o.Operator) + "; a lost link may end it"
	})
	r.mark(s.ID, func(m *mark) { m.by = r.x.o.Operator })
	w.reply <- taken{terminal: t}
	return r.attend(ctx, f, t)
}

// prepared hears whether the folder is ready for a terminal. Without that word
// none is opened, so nothing can run.
func (r *run) prepared(ctx context.Context, s cluster.PlanStep, session *stepSession) ending {
	release := context.AfterFunc(ctx, session.close)
	defer release()
	fr, err := next(session.frames, session.close)
	switch {
	case err == nil && fr.kind == "prepared":
		return ending{status: cluster.StatusDone}
	case err == nil && fr.kind == "refused":
		return ending{status: cluster.StatusRefused, sentence: fmt.Sprintf("%s refused: %s", s.Node, fr.text) + notRun(s), again: fr.number == exitAnswers}
	}
	return ending{status: cluster.StatusRefused, sentence: "the link to " + s.Node + " broke before the terminal was opened" + notRun(s), again: true}
}

// attend records what passes through the terminal until it ends, and then looks
// at the folder for the exit status: the link may have died with the terminal.
func (r *run) attend(ctx context.Context, f *follower, t *handed) (outcome, ending) {
	release := context.AfterFunc(ctx, func() {
		t.Close()
		t.inner.Close() // also where the output has ended and the script has not
	})
	t.pump(f.hear)
	f.script.flush()
	f.show()
	result, err := t.inner.Wait()
	release()
	t.inner.Close()
	f.sent = r.x.o.Clock.Now()
	if result.ExitKnown && result.Exit < hungUpExit {
		f.sent = f.sent.Add(-lateGo) // it has ended: what did not begin does not begin any more
	}
	out, end, known := f.attach(ctx)
	if !known {
		out, end = f.lookUp(ctx)
	}
	if !result.ExitKnown {
		out = out.hungUp()
	}
	if !out.exitKnown && end.well() {
		out.sentence = joinText([]string{out.sentence, lostText(err)})
	}
	// What surely did not begin, since it came too late say, is offered again.
	end.again = end.status == cluster.StatusRefused
	return f.over(out), end
}

// hungUpExit and more are the exit statuses of what a signal ended: what stood
// below it may outlive it by a moment, and begin yet.
const hungUpExit = 128

// hungUp is an outcome of a command whose terminal went: it may have ended badly
// for that.
func (o outcome) hungUp() outcome {
	if o.exitKnown && o.exit != 0 {
		o.exitKnown, o.sentence = false, fmt.Sprintf("the command ended with exit status %d when the terminal was gone", o.exit)
	}
	return o
}

func lostText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// showEvery is how often the plan's state shows what runs in a terminal.
const showEvery = time.Second

// hear takes output of the terminal.
func (f *follower) hear(b []byte) {
	f.offset += int64(len(b))
	f.sum.Write(b)
	f.tail.write(b)
	f.script.write(b, f.offset)
	if now := f.r.x.o.Clock.Now(); now.Sub(f.moved) >= showEvery || len(f.script.pending) > keptLine {
		f.moved = now
		f.script.wholeLines()
		f.show()
	}
}

// show publishes the terminal's last lines.
func (f *follower) show() {
	lines, progress := f.tail.lines(), f.tail.progress()
	f.r.step(f.i, func(st *cluster.StepState) {
		st.Output = lines
		if progress != "" {
			st.Progress = progress
		}
	})
}
