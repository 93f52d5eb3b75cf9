package plain

import (
	"fmt"
	"time"
)

// How long nothing may have come before a question is put, and before its
// answer can be one typed by a person who read it; and for how long a right
// answer must stay alone. All in real time.
const (
	quietTime  = 400 * time.Millisecond
	settleTime = 250 * time.Millisecond
)

// question waits for one line that is typed after it was put.
type question struct {
	put  string // the sentence that puts it
	want string // the only answer that is yes
	yes  func() // carried out once, after the right answer
	no   string // what did not happen, after any other
	// wrong is told of another text than want.
	wrong func(typed string)
	// spoilt are reasons for which it can no longer be answered; none: it can.
	spoilt func() []string

	phase phase
	at    time.Time // of the newest line, or of its being put
	warn  bool      // it was said that what came before does not count
}

// phase is how far a question is.
type phase int

const (
	waiting  phase = iota // until nothing has come for a while
	open                  // it was put
	settling              // the right answer came; it must stay alone
)

// ask begins with a question. What comes before it is put counts for nothing.
func (t *talk) ask(q question) {
	q.at = t.o.Human.Now()
	t.question = &q
	t.wake(quietTime)
}

// answer takes a line while a question stands.
func (t *talk) answer(l Line) {
	q := t.question
	switch since := l.At.Sub(q.at); {
	case q.phase == waiting:
		q.at = t.o.Human.Now()
		if !q.warn {
			t.say("Ignored, because it was typed before the question.")
		}
		q.warn = true
	case q.phase == settling, l.More:
		t.refuse(pasted)
	case l.Text != q.want:
		if q.wrong != nil && l.Text != "" {
			q.wrong(l.Text)
		}
		t.refuse(unlike(l.Text, q.want))
	case since < quietTime:
		t.refuse("that came too soon after the question to be an answer to it; ")
	default:
		q.phase, q.at = settling, t.o.Human.Now()
		t.wake(settleTime)
	}
}

// pasted is said where a right answer did not come alone.
const pasted = "more than one line came at once, as from a paste; "

// unlike says what was typed instead; nothing for an empty line.
func unlike(text, want string) string {
	if text == "" {
		return ""
	}
	return fmt.Sprintf("%q is not %q; ", text, want)
}

// questionDue goes on with the question, if one stands.
func (t *talk) questionDue() {
	q := t.question
	if q == nil {
		return
	}
	now := t.o.Human.Now()
	if q.phase == open {
		return
	}
	length := quietTime
	if q.phase == settling {
		length = settleTime
	}
	if rest := length - now.Sub(q.at); rest > 0 {
		t.wake(rest)
		return
	}
	if q.phase == settling {
		if t.ahead() {
			t.refuse(pasted)
			return
		}
		t.question = nil
		q.yes()
		if t.question == nil && t.handed == nil && !t.quit {
			t.say("Ready.")
		}
		return
	}
	t.flush()
	if t.ahead() {
		q.at = now
		t.wake(quietTime)
		return
	}
	t.say("%s", q.put)
	q.phase, q.at = open, t.o.Human.Now()
}

// flush throws away what stands in the terminal and was not read.
func (t *talk) flush() {
	if t.o.Flush != nil {
		t.o.Flush()
	}
}

// ahead answers whether lines, or the end of them, have come meanwhile. Those
// that were read are thrown away.
func (t *talk) ahead() (came bool) {
	for {
		select {
		case _, more := <-t.o.Lines:
			if came = true; !more {
				return came // the loop sees the end, too
			}
		default:
			return came || t.o.Ready != nil && t.o.Ready()
		}
	}
}

// refuse ends the question with no.
func (t *talk) refuse(why string) {
	no := t.question.no
	t.question = nil
	t.deafen()
	t.say("%s", capital(why+"no: "+no+"."))
	t.say("Ready.")
}

// spoil drops a question whose ground is gone.
func (t *talk) spoil() {
	q := t.question
	if q == nil || q.spoilt == nil {
		return
	}
	why := q.spoilt()
	if len(why) == 0 {
		return
	}
	t.question = nil
	t.deafen()
	t.say("The situation changed. The question no longer stands, and %s.", q.no)
	for _, w := range why {
		t.sub("%s", sentence(w))
	}
	t.say("Ready.")
}
