// Package plain is the cockpit without a screen, for terminals that can move no
// cursor and for readers that read aloud: lines in, lines out. It says the
// situation once and then what changes. Plans, confirmations and the door to
// the cluster are the screen's own; what it writes is printable text and line
// ends, nothing else.
//
// There is one loop that hears the operator and the cluster in turn. It waits
// only where a plan is made or rehearsed, the lock taken over or a terminal
// opened, and says so before.
package plain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// Options are what the line mode needs.
type Options struct {
	Door  watch.Door
	Clock cluster.Clock // the cluster's: times and ages
	Human cluster.Clock // real time: how quiet the keyboard is
	// Lines are what the operator types; closed when nobody can type any more,
	// which ends Run.
	Lines <-chan Line
	// Flush throws away what was typed and not read yet, as far as that can be
	// done; nil where it cannot. Ready answers whether input stands ready that
	// was not read; nil where nobody can tell.
	Flush func()
	Ready func() bool
	// Echo lets the terminal show what is typed, or not; nil where nothing is
	// shown anyway.
	Echo func(on bool)
	Out  io.Writer
	// Witness, if set, is told what the operator does.
	Witness watch.Witness
}

// Line is one line as it was typed.
type Line struct {
	Text string    // without its end
	At   time.Time // when it was read, by the human clock
	More bool      // more stood ready behind it: it was pasted, or typed ahead
}

// ErrGone ends Run when nothing can be written any more.
var ErrGone = errors.New("the output is gone")

// firstWithin is how long the first picture is waited for, in real time.
const firstWithin = 12 * time.Second

// talk is one conversation.
type talk struct {
	o     Options
	ctx   context.Context
	door  watch.Door
	voice *voice

	state   *watch.State
	began   time.Time // by the human clock
	begun   bool      // the situation was said once
	heard   map[string]string
	numbers map[string]int // of findings, by ID: they keep them
	ids     []string       // of findings, by number - 1
	stood   map[string]string

	question  *question
	handed    *handed    // a node's terminal; nil for none
	rehearsal *rehearsal // nil for none
	rehearses bool       // what is said is of a rehearsal
	login     *login     // what a login asks; nil for nothing
	answered  uint64     // number of the newest question of a login that was answered
	deaf      time.Time  // what comes before is left over from something refused
	timer     <-chan time.Time
	offers    []watch.Offered // of the newest menu
	plan      *cluster.Plan   // that can be confirmed: the newest that was asked for; nil for none
	again     *wanted         // what plan again makes; nil for nothing
	run       runHeard
	runs      map[string]runHeard // of the plans before it
	logs      logPlace
	signs     signEar
	quit      bool
}

// Run talks until the operator leaves, the input ends or ctx is done. It
// blocks. The error is nil when the operator left or the input ended, ctx's
// cause when ctx ended it, or ErrGone.
func Run(ctx context.Context, o Options) error {
	if o.Door == nil || o.Clock == nil || o.Human == nil || o.Lines == nil || o.Out == nil {
		return errors.New("the line mode needs a door, two clocks, an input and an output")
	}
	t := newTalk(ctx, o)
	defer t.echo(true)
	defer t.leaveTerminal()
	defer t.leaveRehearsal()
	t.hello()
	for !t.quit {
		if t.voice.err != nil {
			return fmt.Errorf("%w: %w", ErrGone, t.voice.err)
		}
		lines := o.Lines
		if !t.begun {
			lines = nil // what was typed ahead waits for the first picture
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-t.door.Changed():
			t.hear()
		case <-t.timer:
			t.timer = nil
			t.due()
		case said, more := <-t.terminalLines():
			t.terminalSaid(said, more)
		case <-t.rehearsalChanged():
			t.hearRehearsal()
		case line, more := <-lines:
			if !more {
				t.inputEnded()
				return nil
			}
			t.line(line)
		}
	}
	return nil
}

func newTalk(ctx context.Context, o Options) *talk {
	return &talk{o: o, ctx: ctx, door: o.Door, voice: &voice{w: o.Out}, began: o.Human.Now(),
		heard: map[string]string{}, numbers: map[string]int{}, stood: map[string]string{}}
}

// hello says what this is.
func (t *talk) hello() {
	s := t.door.State()
	t.say("Chef Backend cockpit, line mode. Cluster %s%s.", orUnknown(s.Cluster), stampWords(s.Stamp))
	t.say("Looking at all nodes for the first time.")
	t.wake(firstWithin)
	t.hear()
}

func stampWords(stamp string) string {
	if stamp == "" {
		return ""
	}
	return ", stamped " + stamp
}

// wake asks for due to be called after d, in real time, and no sooner.
func (t *talk) wake(d time.Duration) { t.timer = t.o.Human.After(max(d, time.Millisecond)) }

// due is called by the timer.
func (t *talk) due() {
	if !t.begun {
		t.hear()
		if !t.begun {
			t.wake(firstWithin - t.o.Human.Now().Sub(t.began))
		}
		return
	}
	t.questionDue()
}

// line takes one line that was typed.
func (t *talk) line(l Line) {
	switch {
	case t.question != nil:
		t.answer(l)
		return
	case t.login != nil:
		t.answerLogin(l)
		return
	case t.handed != nil:
		t.typeThere(l)
		return
	case l.At.Before(t.deaf):
		t.deafen()
		t.say("Ignored, because it came with what was refused.")
		return
	}
	words := strings.Fields(clean(l.Text))
	if len(words) == 0 {
		return
	}
	t.command(words)
	if t.question == nil && t.login == nil && t.handed == nil && !t.quit {
		t.say("Ready.")
	}
}

// deafen lets lines fall into nothing until the keyboard was quiet: what was
// still under way when something was refused must not act as a command.
func (t *talk) deafen() { t.deaf = t.o.Human.Now().Add(quietTime) }

// inputEnded says that nobody can type any more.
func (t *talk) inputEnded() {
	if t.question != nil {
		t.refuse("the input ended; ")
	}
	if r := t.acting(); r != nil {
		t.say("The input ended. %s", goesOnText(*r))
		return
	}
	t.say("The input ended, and so does the cockpit.")
}

func (t *talk) say(format string, args ...any) { t.voice.say(format, args...) }
func (t *talk) sub(format string, args ...any) { t.voice.sub(format, args...) }
func (t *talk) labelled(label, text string)    { t.voice.labelled(label, text) }
func (t *talk) witness(f func(watch.Witness))  { witness(t.o.Witness, f) }
func witness(w watch.Witness, f func(w watch.Witness)) {
	if w != nil {
		f(w)
	}
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}
