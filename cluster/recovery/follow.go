package recovery

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"time"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

const (
	attachEvery = 2 * time.Second
	// lateGo is how long after its look a step may still start although its
	// folder is not there yet: 10 s until the go, and what comparing takes.
	lateGo = 25 * time.Second
	// stillAfter is how long nothing may move before it is said.
	stillAfter = 10 * time.Minute
	// silentMax is how long a session may say nothing before it is given up and
	// the step looked up anew: the scripts say something every few seconds.
	silentMax = time.Minute
)

// follower follows one detached step until its end is known. Sessions come and
// go; the folder on the node is what counts.
type follower struct {
	r      *run
	i      int
	s      cluster.PlanStep // its ID is the folder's name
	id     string           // of the step
	boot   string           // boot id when the step began
	token  string           // of the intent: nobody else's folder is followed
	sent   time.Time
	asked  time.Time // when the newest looking up began: what it tells was so no sooner
	offset int64
	sum    hash.Hash
	tail   tail
	script *transcript
	copied *growth
	moved  time.Time // when the output last grew
	lost   bool      // the link is lost, and that was said
	// inTerminal: the command runs in a terminal, not detached.
	inTerminal bool
	again      bool // it was looked up anew: the first session is over
	resumed    bool // the cockpit was left meanwhile: only the operator ends the looking up
}

// follow follows the step that was just sent off.
func (r *run) follow(ctx context.Context, i int, s cluster.PlanStep, first *stepSession, boot string) (outcome, ending) {
	now := r.x.o.Clock.Now()
	folder := cmp.Or(r.marked(s.ID).folder, s.ID)
	f := &follower{r: r, i: i, s: s, id: s.ID, boot: boot, token: first.token, sent: now, moved: now, sum: sha256.New(), script: r.transcript(i, s, folder), copied: r.growth(s)}
	f.s.ID = folder
	release := context.AfterFunc(ctx, first.close)
	defer release()
	out, end, known := f.read(first.frames, first.close)
	first.close()
	if !known {
		out, end = f.lookUp(ctx)
	}
	return f.over(out), end
}

// over notes all that is known of a command that is followed no longer.
func (f *follower) over(out outcome) outcome {
	f.script.flush()
	out.last = f.tail.raw()
	if out.exitKnown && out.exit != 0 && f.r.x.o.Recognise != nil {
		out.meaning = f.r.x.o.Recognise(out.last)
	}
	f.r.mark(f.id, func(m *mark) { m.bytes, m.digest = f.offset, hex.EncodeToString(f.sum.Sum(nil)) })
	f.r.step(f.i, func(st *cluster.StepState) { st.Exit, st.ExitKnown = out.exit, out.exitKnown })
	return out
}

// lookUp looks the step up at its node until its end is known.
func (f *follower) lookUp(ctx context.Context) (outcome, ending) {
	for {
		if out, end, known := f.pause(ctx); known {
			return out, end
		}
		if out, end, known := f.attach(ctx); known {
			return out, end
		}
	}
}

// ended is the ending of a command that ran, whatever it came to: the effects decide.
var ended = ending{status: cluster.StatusDone}

// next is the session's next frame. A session that says nothing for long, on a
// node whose disk hangs say, is closed: the link alone would not end it.
func next(frames *frames, closing func()) (frame, error) {
	ctx, cancel := context.WithTimeout(context.Background(), silentMax)
	defer cancel()
	release := context.AfterFunc(ctx, closing)
	defer release()
	return frames.next()
}

// read reads frames until the end is known or the session is gone.
func (f *follower) read(frames *frames, closing func()) (out outcome, end ending, known bool) {
	for {
		fr, err := next(frames, closing)
		if err != nil {
			return outcome{}, ending{}, false
		}
		switch fr.kind {
		case "refused":
			return f.refused(fr)
		case "started":
			f.r.step(f.i, func(st *cluster.StepState) {
				st.PID = int(fr.number)
				if f.inTerminal {
					st.Sentence = fmt.Sprintf("still runs on %s, pid %d", f.s.Node, fr.number)
					return
				}
				st.Sentence = fmt.Sprintf("detached on %s, pid %d; goes on if this link breaks", f.s.Node, fr.number)
			})
		case "out":
			f.take(fr)
		case "alive":
			f.still()
			if fr.word != "yes" && f.beyond() {
				return outcome{sentence: "whether the process on " + f.s.Node + " still runs cannot be told"}, ended, true
			}
		case "exit":
			if !fr.known {
				return outcome{sentence: "the exit status on " + f.s.Node + " cannot be read"}, ended, true
			}
			return outcome{exit: int(fr.number), exitKnown: true}, ended, true
		case "gone":
			return outcome{sentence: "the process on " + f.s.Node + " is gone and left no exit status"}, ended, true
		case "rebooted":
			return outcome{sentence: f.s.Node + " started again while the step ran"}, ended, true
		case "absent":
			return f.absent()
		}
	}
}

// refused: the node itself held the act back, or the step was started before
// and has to be followed.
func (f *follower) refused(fr frame) (outcome, ending, bool) {
	switch {
	case fr.number == exitStarted:
		return outcome{}, ending{}, false
	case fr.number == exitForeign:
		// What lies there tells nothing of this step, nor do facts that hold.
		return outcome{}, ending{status: cluster.StatusUnknown, sentence: fmt.Sprintf("what came of it is unknown: on %s %s", f.s.Node, fr.text)}, true
	case f.r.snapshot().Steps[f.i].PID != 0 || f.offset > 0:
		return outcome{sentence: fr.text}, ended, true
	}
	out, end, known := f.never(fmt.Sprintf("%s refused: %s", f.s.Node, fr.text))
	end.answers = fr.number == exitAnswers
	return out, end, known
}

// absent: no folder, so nothing was started. The first session may still be
// about to start it for a while, and an answer may be long on its way.
func (f *follower) absent() (outcome, ending, bool) {
	if f.asked.Sub(f.sent) < lateGo {
		return outcome{}, ending{}, false
	}
	return f.never("the step never started on " + f.s.Node)
}

func (f *follower) never(why string) (outcome, ending, bool) {
	f.r.mark(f.id, func(m *mark) { m.started = m.again > 0 }) // chosen again: it ran before
	return outcome{}, ending{status: cluster.StatusRefused, sentence: why + notRun(f.s)}, true
}

// pause waits before the step is looked up again. While the link is lost it
// ends with an unknown outcome when the operator stops or the deadline passes.
func (f *follower) pause(ctx context.Context) (outcome, ending, bool) {
	if !f.lost {
		f.lost = true
		say := fmt.Sprintf("the link to %s broke; the step goes on there and is looked up", f.s.Node)
		if f.inTerminal {
			say = fmt.Sprintf("the terminal on %s is gone; what came of the command is looked up", f.s.Node)
		}
		f.r.step(f.i, func(st *cluster.StepState) { st.Sentence = say })
	}
	clock := f.r.x.o.Clock
	select {
	case <-ctx.Done():
		return outcome{}, ending{status: cluster.StatusUnknown, sentence: "left while the step was at work"}, true
	case <-f.r.stop:
		if f.r.stopping() && clock.Now().Sub(f.sent) >= lateGo {
			return outcome{sentence: "stopped while the link to " + f.s.Node + " was lost"}, ended, true
		}
	default:
	}
	if !f.resumed && clock.Now().Sub(f.sent) > max(f.s.Deadline, lateGo) {
		return outcome{sentence: f.s.Node + " could not be reached again within " + f.s.Deadline.String()}, ended, true
	}
	select {
	case <-ctx.Done():
	case <-clock.After(attachEvery):
	}
	return outcome{}, ending{}, false
}

// attach looks the step's folder up over a new session.
func (f *follower) attach(ctx context.Context) (outcome, ending, bool) {
	host, nonce := f.r.x.o.Hosts[f.s.Node], secret()
	opening, cancel := context.WithTimeout(ctx, networkWait)
	defer cancel()
	f.asked = f.r.x.o.Clock.Now()
	session, err := host.Start(opening, remote.Script{
		Name: "cockpit-step",
		Text: assets.MustRead("scripts/step-follow.sh") + assets.MustRead("scripts/step-attach.sh"),
		Args: []string{f.r.x.o.Base, f.r.plan.ID, f.s.ID, nonce, fmt.Sprint(f.offset), f.boot, f.token},
	})
	if err != nil {
		return outcome{}, ending{}, false
	}
	defer session.Close()
	release := context.AfterFunc(ctx, func() { session.Close() })
	defer release()
	f.lost, f.again = false, true
	return f.read(newFrames(session.Stdout(), nonce), func() { session.Close() })
}

// take takes a piece of the command's output.
func (f *follower) take(fr frame) {
	data := fr.data
	if skip := f.offset - fr.number; skip > 0 {
		data = data[min(skip, int64(len(data))):]
	}
	if len(data) == 0 {
		return
	}
	f.offset = max(f.offset, fr.number+int64(len(fr.data)))
	f.moved = f.r.x.o.Clock.Now()
	f.sum.Write(data)
	f.tail.write(data)
	lines, progress := f.tail.lines(), f.tail.progress()
	f.r.step(f.i, func(st *cluster.StepState) {
		st.Output = lines
		if progress != "" {
			st.Progress = progress
		}
	})
	f.script.write(data, fr.number+int64(len(fr.data)))
	f.script.wholeLines()
}

// beyond answers whether the step is past its deadline and has said nothing
// for long.
func (f *follower) beyond() bool {
	now := f.r.x.o.Clock.Now()
	return now.Sub(f.sent) > f.s.Deadline && now.Sub(f.moved) >= stillAfter
}

// still says when nothing moved for long, neither output nor copy, or the step
// takes longer than it should. Nothing is ended for it.
func (f *follower) still() {
	now := f.r.x.o.Clock.Now()
	progress, say := f.copied.look(f.r.x.view(), now)
	switch quiet := now.Sub(f.moved); {
	case quiet < stillAfter:
		say = ""
	case f.copied.moved.After(f.moved) && say == "":
		say = fmt.Sprintf("no output for %s, but the data directory grows", quiet.Truncate(time.Minute))
	case say == "":
		say = fmt.Sprintf("no output for %s; nothing is ended for it", quiet.Truncate(time.Minute))
	default:
		say = fmt.Sprintf("no output for %s; %s", quiet.Truncate(time.Minute), say)
	}
	if took := now.Sub(f.sent); say == "" && f.s.Deadline > 0 && took > f.s.Deadline {
		say = fmt.Sprintf("at work for more than %s; nothing is ended for it", f.s.Deadline)
	}
	if f.tail.progress() != "" {
		progress = "" // the command's own is better
	}
	st := f.r.snapshot().Steps[f.i]
	if (say == "" || st.Sentence == say) && (progress == "" || st.Progress == progress) {
		return
	}
	f.r.step(f.i, func(st *cluster.StepState) {
		if say != "" {
			st.Sentence = say
		}
		if progress != "" {
			st.Progress = progress
		}
	})
}
