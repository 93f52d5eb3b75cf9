package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// confirmDialog is the last thing between a plan and the nodes. Target,
// evidence and plan are frozen when it opens. It hands over what was typed;
// whether that confirms the plan is decided where the plan was made.
type confirmDialog struct {
	box
	phrase
	plan    cluster.Plan
	left    []string // phrases still to be typed
	changed []string // what changed since it opened: it stays dead
}

func newConfirmDialog(m *model, p cluster.Plan) *confirmDialog {
	return &confirmDialog{plan: p, left: append([]string{}, p.Phrases...), phrase: newPhrase(m)}
}

// typed phrases are for T2 and T3; T1 takes one letter.
func (d *confirmDialog) byLetter() bool { return d.plan.Tier <= cluster.T1 }

func (d *confirmDialog) opened(m *model) tea.Cmd {
	d.kill()
	return d.rest(m, d, quietTime)
}

// quiet is told by the timer.
func (d *confirmDialog) quiet(m *model) tea.Cmd {
	if len(d.changed) > 0 {
		d.waiting = false
		return nil
	}
	return d.quieter(m, d)
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
		return d.rest(m, d, quietTime)
	}
	if d.byLetter() {
		return d.letterKey(m, k)
	}
	switch done, cmd := d.phraseKey(m, d, k, d.want()); done {
	case sayNo:
		if d.wrong != "" {
			m.witness(func(w watch.Witness) { w.WrongPhrase(d.plan, d.field.text()) })
		}
		return tea.Batch(cmd, d.no(m, d.wrong))
	case sayYes:
		return d.handOver(m, d.want())
	default:
		return cmd
	}
}

// letterKey is T1: y is yes, everything else is no.
func (d *confirmDialog) letterKey(m *model, k tea.KeyMsg) tea.Cmd {
	switch {
	case k.Paste || len(letters(k)) > 1:
		return d.refuse(m, d, "more than one letter at once: type y by hand")
	case k.Type == tea.KeyRunes && string(k.Runes) == d.want() && !k.Alt:
		return d.handOver(m, d.want())
	}
	if k.Type == tea.KeyRunes {
		m.deafen() // there may be more letters on their way
	}
	return d.no(m, "")
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
			return d.rest(m, d, quietTime)
		}
		m.pop()
	}
	v, planned := m.top().(*planView)
	if planned = planned && v.plan.ID == a.planID; planned {
		v.begins = false
	}
	if a.err != nil {
		m.deafen()
		const nothing = "nothing was done: "
		why := nothing + strings.TrimPrefix(a.err.Error(), nothing) // who refuses it may have said so
		if planned {
			v.word = why
		}
		m.say(why)
		return nil
	}
	if !planned {
		return nil
	}
	plan := v.plan
	m.closeAll()
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
		rows = append(rows, m.askPhrase("Press ", "y", "; any other key leaves everything as it is.", w)...)
	} else {
		rows = append(rows, d.override(m, w)...)
		say := " by hand, then Enter."
		if n := len(d.plan.Phrases); n > 1 {
			say = fmt.Sprintf(" by hand, then Enter (%d of %d).", n-len(d.left)+1, n)
		}
		no := "Esc, or Enter on anything else, is no."
		if whole := say + " " + no; width("Type   "+d.want()+whole) <= w {
			rows = append(rows, m.askPhrase("Type ", d.want(), whole, w)...)
		} else {
			rows = append(append(rows, m.askPhrase("Type ", d.want(), say, w)...), no)
		}
	}
	prompt := d.prompt(m, w)
	if d.byLetter() && d.live && !d.busy {
		prompt = textLine(w, m.st.strong, "live")
	}
	rows = append(rows, "", prompt)
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
