package tui

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
)

// confirmDialog is the last thing between a plan and the nodes. Target,
// evidence and plan are frozen when it opens. It hands over what was typed;
// whether that confirms the plan is decided where the plan was made.
type confirmDialog struct {
	box
	arming
	plan    cluster.Plan
	left    []string // phrases still to be typed
	field   field
	letter  time.Time // of the last letter
	waiting bool      // a timer is under way
	busy    bool      // a phrase has been handed over
	word    string
	changed []string // what changed since it opened: it stays dead
}

func newConfirmDialog(m *model, p cluster.Plan) *confirmDialog {
	return &confirmDialog{plan: p, left: append([]string{}, p.Phrases...), arming: arming{human: m.human}, field: field{most: 60}}
}

// notLive is the word on an Enter that came too early; it goes when the dialog
// is live.
const notLive = "not live yet: wait for the word above"

// typed phrases are for T2 and T3; T1 takes one letter.
func (d *confirmDialog) byLetter() bool { return d.plan.Tier <= cluster.T1 }

func (d *confirmDialog) opened(m *model) tea.Cmd {
	d.kill()
	return d.rest(m, quietTime)
}

func (d *confirmDialog) rest(m *model, t time.Duration) tea.Cmd {
	if d.waiting {
		return nil
	}
	d.waiting = true
	return m.waitQuiet(d, t)
}

// quiet is told by the timer.
func (d *confirmDialog) quiet(m *model) tea.Cmd {
	d.waiting = false
	if d.live || d.busy || len(d.changed) > 0 {
		return nil
	}
	if again := d.due(); again > 0 {
		return d.rest(m, again)
	}
	if d.word == notLive {
		d.word = ""
	}
	return nil
}

// takeQuiet gives the timer's word to its dialog, if that still stands on top.
func (m *model) takeQuiet(q quietMsg) tea.Cmd {
	if d, ok := m.dialog(); ok && overlay(d) == q.of {
		m.dirty = true
		return d.quiet(m)
	}
	return nil
}

// refresh asks the plan's guards again. Any other answer makes the dialog
// dead for good.
func (d *confirmDialog) refresh(m *model) {
	if d.busy || len(d.changed) > 0 {
		return
	}
	if guards, changed := m.door.Recheck(d.plan.ID); changed {
		d.changed = difference(d.plan.Guards, guards)
		d.live = false
		d.field.set("")
	}
}

// key is never asked: a dialog takes its keys as they came.
func (d *confirmDialog) key(m *model, k tea.KeyMsg) tea.Cmd { return d.typed(m, k) }

// typed is a key as it came from the terminal.
func (d *confirmDialog) typed(m *model, k tea.KeyMsg) tea.Cmd {
	switch {
	case d.busy:
		return nil // handed over: the answer is on its way
	case k.Type == tea.KeyEsc || k.Type == tea.KeyCtrlC:
		return d.no(m, "")
	case k.Type == tea.KeyUp || k.Type == tea.KeyDown || k.Type == tea.KeyPgUp || k.Type == tea.KeyPgDown:
		d.scroll.key(m, k)
		d.touch()
		return nil
	case len(d.changed) > 0:
		return nil
	case !d.live:
		d.word = ""
		if !d.byLetter() && k.Type == tea.KeyEnter {
			d.word = notLive
		}
		d.touch()
		return d.rest(m, quietTime)
	}
	if d.byLetter() {
		return d.letterKey(m, k)
	}
	return d.phraseKey(m, k)
}

// letterKey is T1: y is yes, everything else is no.
func (d *confirmDialog) letterKey(m *model, k tea.KeyMsg) tea.Cmd {
	switch {
	case k.Paste || len(letters(k)) > 1:
		return d.refuse(m, "more than one letter at once: type y by hand")
	case k.Type == tea.KeyRunes && string(k.Runes) == d.want() && !k.Alt:
		return d.handOver(m, d.want())
	}
	if k.Type == tea.KeyRunes {
		m.deafen() // there may be more letters on their way
	}
	return d.no(m, "")
}

// phraseKey is T2 and T3: every letter is text, and only the whole phrase with
// an unhurried Enter is yes.
func (d *confirmDialog) phraseKey(m *model, k tea.KeyMsg) tea.Cmd {
	d.word = ""
	if k.Type == tea.KeyEnter {
		return d.enter(m)
	}
	typed := letters(k)
	switch {
	case k.Paste:
		return d.refuse(m, "a paste does not count: type it by hand")
	case len(typed) > 1 && len(typed) >= len([]rune(d.want())):
		return d.refuse(m, "all of it came at once, as from a paste: type it by hand")
	}
	if d.field.key(k) {
		d.letter = d.human.Now()
	}
	d.touch()
	return nil
}

// refuse empties the field and makes the dialog dead for a while.
func (d *confirmDialog) refuse(m *model, word string) tea.Cmd {
	d.field.set("")
	d.word = word
	d.kill()
	return d.rest(m, quietTime)
}

// enter hands the phrase over, if it is the phrase.
func (d *confirmDialog) enter(m *model) tea.Cmd {
	text := d.field.text()
	switch {
	case text != d.want() && text == "":
		return d.no(m, "")
	case text != d.want():
		m.deafen()
		return d.no(m, fmt.Sprintf("%q is not %q; ", text, d.want()))
	case d.human.Now().Sub(d.letter) < enterTime:
		d.word = "wait a moment (¼ s) after the last letter, then Enter"
		return nil
	}
	return d.handOver(m, text)
}

// no closes the dialog and says that nothing was done.
func (d *confirmDialog) no(m *model, why string) tea.Cmd {
	m.pop()
	m.say(why + "no: nothing was done on " + d.plan.Node)
	return nil
}

// want is the phrase to be typed now.
func (d *confirmDialog) want() string {
	if len(d.left) == 0 {
		return "y"
	}
	return d.left[0]
}

func (d *confirmDialog) handOver(m *model, text string) tea.Cmd {
	d.busy, d.word = true, ""
	return m.confirmText(d.plan.ID, text)
}

// confirmText hands a typed text to the door.
func (m *model) confirmText(planID, text string) tea.Cmd {
	return m.command(func() tea.Msg {
		left, err := m.door.Confirm(planID, text)
		return confirmedMsg{planID, text, left, err}
	})
}

// takeConfirmed takes the door's answer: the next phrase, the running plan, or
// a refusal.
func (m *model) takeConfirmed(a confirmedMsg) tea.Cmd {
	m.dirty = true
	d, ok := m.top().(*confirmDialog)
	if ok && d.plan.ID == a.planID {
		d.busy = false
		if a.err == nil && len(a.left) > 0 {
			d.left, d.word = a.left, ""
			d.field.set("")
			d.kill()
			return d.rest(m, quietTime)
		}
		m.pop()
	}
	v, planned := m.top().(*planView)
	if a.err != nil {
		m.deafen()
		if planned {
			v.word = "nothing was done: " + a.err.Error()
		}
		m.say("nothing was done: " + a.err.Error())
		return nil
	}
	if !planned {
		return nil
	}
	plan := v.plan
	for len(m.overlays) > 0 {
		m.pop()
	}
	m.takeState()
	return m.push(newRunView(plan))
}

func (d *confirmDialog) bindings(*model) []key.Binding {
	switch {
	case len(d.changed) > 0:
		return []key.Binding{bind("Esc", "back to the plan")}
	case d.byLetter():
		return []key.Binding{bind("y", "yes"), bind("Esc", "no, as everything else")}
	}
	return []key.Binding{bind("Enter", "on the phrase: yes"), bind("Esc", "no"), bind("up/down", "read")}
}

func (d *confirmDialog) head(*model) (string, string) {
	title := d.plan.Title
	switch {
	case len(d.changed) > 0:
		return title, "dead: the situation changed"
	case d.busy:
		return title, "handed over"
	case !d.live:
		return title, "dead until the keyboard is quiet"
	case d.byLetter():
		return title, "live"
	}
	return title, "live: type to confirm"
}

// body says where, what is lost, what is kept, how long, and the way back.
func (d *confirmDialog) body(m *model, w int) ([]string, int) {
	p := d.plan
	rows := m.labelledIn(m.st.strong, "Where", p.Where, w)
	rows = append(rows, m.labelledIn(m.st.red, "Lost", p.Lost, w)...)
	for _, c := range p.Copies {
		rows = append(rows, m.labelled("", c.Sentence, w)...)
	}
	rows = append(rows, m.labelled("Kept", p.Kept, w)...)
	rows = append(rows, m.labelled("Lasts", p.Lasts, w)...)
	rows = append(rows, m.labelled("Back", p.WayBack, w)...)
	label := "Runs"
	for _, s := range p.Steps {
		if s.Command != "" {
			rows = append(rows, m.labelled(label, s.Node+": "+s.Command, w)...)
			label = ""
		}
	}
	return rows, -1
}

// foot is the question, the field and the word; it never scrolls away.
func (d *confirmDialog) foot(m *model, w int) []string {
	var rows []string
	if len(d.changed) > 0 {
		for _, s := range wrap("! The situation changed. Nothing runs from here; go back and make the plan again.", w) {
			rows = append(rows, m.st.red.on(s))
		}
		for _, c := range d.changed[:min(len(d.changed), 4)] {
			for _, s := range wrap(c, w-2) {
				rows = append(rows, m.st.red.on("  "+s))
			}
		}
		return rows[:min(len(rows), 8)]
	}
	if d.byLetter() {
		rows = append(rows, d.ask(m, "Press ", "y", "; any other key leaves everything as it is.", w)...)
	} else {
		rows = append(rows, d.override(m, w)...)
		say := " by hand, then Enter."
		if n := len(d.plan.Phrases); n > 1 {
			say = fmt.Sprintf(" by hand, then Enter (%d of %d).", n-len(d.left)+1, n)
		}
		no := "Esc, or Enter on anything else, is no."
		if whole := say + " " + no; width("Type   "+d.want()+whole) <= w {
			rows = append(rows, d.ask(m, "Type ", d.want(), whole, w)...)
		} else {
			rows = append(append(rows, d.ask(m, "Type ", d.want(), say, w)...), no)
		}
	}
	rows = append(rows, "", d.prompt(m, w))
	for _, s := range wrap(d.word, w) {
		rows = append(rows, m.st.amber.on(s))
	}
	return rows
}

// override is what the phrase to be typed now puts aside.
func (d *confirmDialog) override(m *model, w int) []string {
	var rows []string
	for _, g := range d.plan.Guards {
		if g.Override != "" && g.Override == d.want() {
			for _, s := range wrap("! "+g.Answer.Sentence+". The phrase says that you go on all the same.", w) {
				rows = append(rows, m.st.red.on(s))
			}
		}
	}
	return rows
}

// ask is the question with the phrase; a phrase that leaves no room for the
// words behind it has a row of its own.
func (d *confirmDialog) ask(m *model, before, phrase, after string, w int) []string {
	l := newLine(w).put(m.st.plain, before).put(m.st.strong, " "+phrase+" ")
	if width(before)+width(phrase)+2+width(after) <= w {
		return []string{l.put(m.st.plain, after).String()}
	}
	return append([]string{l.String()}, wrap(strings.TrimSpace(after), w)...)
}

// prompt is the field. Its place is empty while the dialog is dead.
func (d *confirmDialog) prompt(m *model, w int) string {
	l := newLine(w)
	switch {
	case d.busy:
		return l.put(m.st.strong, "handed over, waiting for the answer").String()
	case !d.live:
		return l.put(m.st.dim, "dead").String()
	case d.byLetter():
		return l.put(m.st.strong, "live").String()
	}
	return l.put(m.st.strong, "> "+d.field.text()).put(m.st.chosen, " ").String()
}
