package tui

import (
	"fmt"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// phrase is a text that has to be typed by hand, letter by letter, in a dialog:
// dead until the keyboard was quiet, no paste, no Enter in a hurry.
type phrase struct {
	arming
	field   field
	letter  time.Time // of the last letter
	waiting bool      // a timer is under way
	busy    bool      // it has been handed over
	word    string
	wrong   string // what was typed in its place, when Enter came
}

func newPhrase(m *model) phrase {
	return phrase{arming: arming{human: m.human}, field: field{most: 60}}
}

// notLive is the word on an Enter that came too early; it goes when the dialog
// is live.
const notLive = "not live yet: wait for the word above"

// rest wakes the dialog after a time.
func (p *phrase) rest(m *model, of overlay, t time.Duration) tea.Cmd {
	if p.waiting {
		return nil
	}
	p.waiting = true
	return m.waitQuiet(of, t)
}

// quieter is told by the timer; it makes the dialog live, or waits on.
func (p *phrase) quieter(m *model, of overlay) tea.Cmd {
	p.waiting = false
	if p.live || p.busy {
		return nil
	}
	if again := p.due(); again > 0 {
		return p.rest(m, of, again)
	}
	if p.word == notLive {
		p.word = ""
	}
	return nil
}

// verdict is what a key meant for the phrase.
type verdict int

const (
	sayNothing verdict = iota
	sayNo
	sayYes
)

// phraseKey is a key in a live dialog: every letter is text, and only the whole
// phrase with an unhurried Enter is yes.
func (p *phrase) phraseKey(m *model, of overlay, k tea.KeyMsg, want string) (verdict, tea.Cmd) {
	p.word = ""
	if k.Type == tea.KeyEnter {
		return p.enter(m, want), nil
	}
	typed := letters(k)
	switch {
	case k.Paste:
		return sayNothing, p.refuse(m, of, "a paste does not count: type it by hand")
	case len(typed) > 1 && len(typed) >= len([]rune(want)):
		return sayNothing, p.refuse(m, of, "all of it came at once, as from a paste: type it by hand")
	}
	if p.field.key(k) {
		p.letter = p.human.Now()
	}
	p.touch()
	return sayNothing, nil
}

// refuse empties the field and makes the dialog dead for a while.
func (p *phrase) refuse(m *model, of overlay, word string) tea.Cmd {
	p.field.set("")
	p.word = word
	p.kill()
	return p.rest(m, of, quietTime)
}

// enter compares what was typed with the phrase.
func (p *phrase) enter(m *model, want string) verdict {
	text := p.field.text()
	switch {
	case text != want && text == "":
		p.wrong = ""
		return sayNo
	case text != want:
		m.deafen()
		p.wrong = fmt.Sprintf("%q is not %q; ", text, want)
		return sayNo
	case p.human.Now().Sub(p.letter) < enterTime:
		p.word = "wait a moment (¼ s) after the last letter, then Enter"
		return sayNothing
	}
	return sayYes
}

// askPhrase is the question with the phrase; a phrase that leaves no room for the
// words behind it has a row of its own.
func (m *model) askPhrase(before, phrase, after string, w int) []string {
	l := newLine(w).put(m.st.plain, before).put(m.st.strong, " "+phrase+" ")
	if width(before)+width(phrase)+2+width(after) <= w {
		return []string{l.put(m.st.plain, after).String()}
	}
	return append([]string{l.String()}, wrap(strings.TrimSpace(after), w)...)
}

// prompt is the field. Its place is empty while the dialog is dead.
func (p *phrase) prompt(m *model, w int) string {
	l := newLine(w)
	switch {
	case p.busy:
		return l.put(m.st.strong, "handed over, waiting for the answer").String()
	case !p.live:
		return l.put(m.st.dim, "dead").String()
	}
	return l.put(m.st.strong, "> "+p.field.text()).put(m.st.chosen, " ").String()
}
