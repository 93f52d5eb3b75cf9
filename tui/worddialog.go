package tui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// wordDialog takes the operator's word, typed by hand, for what is no plan to
// confirm: a node that is off, a further node that a plan has reached, something
// that was done outside.
type wordDialog struct {
	box
	phrase
	title   string
	says    []says
	want    string
	nothing string // what did not happen, after no
	hand    func(text string) error
	said    string // when it was taken
	// goes is what follows on the word in the place of hand, once the dialog is
	// closed; nil: hand.
	goes func(m *model) tea.Cmd
	plan cluster.Plan // that asks; the zero one for none
	// still answers whether what is asked is asked as it was; nil: always.
	still func(m *model) bool
}

// says is a text with a word before it.
type says struct{ label, text string }

// wordMsg is the answer to what was typed.
type wordMsg struct {
	of  overlay
	err error
}

func (d *wordDialog) opened(m *model) tea.Cmd {
	d.kill()
	return d.rest(m, d, quietTime)
}

func (d *wordDialog) quiet(m *model) tea.Cmd { return d.quieter(m, d) }

// key is never asked: a dialog takes its keys as they came.
func (d *wordDialog) key(m *model, k tea.KeyMsg) tea.Cmd { return d.typed(m, k) }

func (d *wordDialog) typed(m *model, k tea.KeyMsg) tea.Cmd {
	switch {
	case d.busy && (k.Type == tea.KeyEsc || k.Type == tea.KeyCtrlC):
		m.pop()
		m.say("handed over; the answer is on its way")
		return nil
	case d.busy:
		return nil // handed over: the answer is on its way
	case k.Type == tea.KeyEsc || k.Type == tea.KeyCtrlC:
		return d.no(m, "")
	case k.Type == tea.KeyUp || k.Type == tea.KeyDown || k.Type == tea.KeyPgUp || k.Type == tea.KeyPgDown:
		d.scroll.key(m, k)
		d.touch()
		return nil
	case !d.live:
		if d.word = ""; k.Type == tea.KeyEnter {
			d.word = notLive
		}
		d.touch()
		return d.rest(m, d, quietTime)
	}
	switch done, cmd := d.phraseKey(m, d, k, d.want); done {
	case sayNo:
		if d.wrong != "" && d.plan.ID != "" {
			m.witness(func(w watch.Witness) { w.WrongPhrase(d.plan, d.field.text()) })
		}
		return tea.Batch(cmd, d.no(m, d.wrong))
	case sayYes:
		if d.goes != nil {
			m.pop()
			m.deafen()
			return d.goes(m)
		}
		d.busy, d.word = true, ""
		return m.command(func() tea.Msg { return wordMsg{d, d.hand(d.want)} })
	default:
		return cmd
	}
}

// refresh closes a dialog whose question is no longer the one that was read.
func (d *wordDialog) refresh(m *model) {
	if d.still == nil || d.busy || d.still(m) || m.top() != overlay(d) {
		return
	}
	m.pop()
	m.deafen()
	m.say("what the plan waits for has changed: read it, and answer anew")
}

func (d *wordDialog) no(m *model, why string) tea.Cmd {
	m.pop()
	m.say(why + "no: " + d.nothing)
	return nil
}

// takeWord takes the answer.
func (m *model) takeWord(a wordMsg) {
	m.dirty = true
	d, ok := a.of.(*wordDialog)
	if !ok {
		return
	}
	if m.top() == overlay(d) {
		m.pop()
	}
	if a.err != nil {
		m.deafen()
		m.say(a.err.Error())
		return
	}
	m.say(d.said)
	m.takeState()
}

func (d *wordDialog) head(*model) (string, string) {
	switch {
	case d.busy:
		return d.title, "handed over"
	case !d.live:
		return d.title, "dead until the keyboard is quiet"
	}
	return d.title, "live: type it"
}

func (d *wordDialog) body(m *model, w int) ([]string, int) {
	var rows []string
	for _, s := range d.says {
		rows = append(rows, m.labelled(s.label, s.text, w)...)
	}
	return rows, -1
}

func (d *wordDialog) foot(m *model, w int) []string {
	rows := m.askPhrase("Type ", d.want, " by hand, then Enter. Esc, or Enter on anything else, is no.", w)
	rows = append(rows, "", d.prompt(m, w))
	for _, s := range wrap(d.word, w) {
		rows = append(rows, m.st.amber.on(s))
	}
	return rows
}

func (d *wordDialog) bindings(*model) []key.Binding {
	return []key.Binding{bind("Enter", "on the phrase: yes"), bind("Esc", "no"), bind("up/down", "read")}
}
