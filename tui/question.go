package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster/watch"
)

// questionDialog takes what a login asks: a passphrase, a second factor, a
// password. It comes only after the operator has let the nodes be dialled anew.
// Like every dialog it is dead until the keyboard was quiet; unlike the others
// it takes a paste, because codes and passwords come from elsewhere.
type questionDialog struct {
	box
	arming
	q       watch.Question
	field   field
	answers []string
	waiting bool // a timer is under way
}

// reconnect dials every node without a link anew.
func (m *model) reconnect() tea.Cmd {
	door, ok := m.door.(watch.Answerer)
	if !ok {
		m.say("nothing is dialled here")
		return nil
	}
	return m.command(func() tea.Msg {
		names := door.Reconnect()
		if len(names) == 0 {
			return saidMsg{"every node has a link"}
		}
		return saidMsg{"dialling " + strings.Join(names, ", ") + " anew; what a login asks is asked here"}
	})
}

// showQuestion opens the question that stands, and closes one that is asked no
// longer. While another dialog has the keys it waits.
func (m *model) showQuestion() tea.Cmd {
	if m.outer != nil || m.player != nil || m.state == nil {
		return nil
	}
	for i, o := range m.overlays {
		d, ok := o.(*questionDialog)
		switch q := m.state.Question; {
		case !ok:
		case q != nil && q.ID == d.q.ID:
			return nil
		case i == len(m.overlays)-1:
			m.pop()
			m.deafen()
			m.say("no longer asked by " + d.q.Host + ": it waits no more, or has its answer; R dials anew")
		}
	}
	if _, busy := m.dialog(); busy || m.state.Question == nil || m.state.Question.ID <= m.answered {
		return nil
	}
	return m.push(&questionDialog{arming: arming{human: m.human}, q: *m.state.Question})
}

func (d *questionDialog) opened(m *model) tea.Cmd {
	d.kill()
	return d.rest(m)
}

func (d *questionDialog) rest(m *model) tea.Cmd {
	if d.waiting {
		return nil
	}
	d.waiting = true
	return m.waitQuiet(d, quietTime)
}

func (d *questionDialog) quiet(m *model) tea.Cmd {
	d.waiting = false
	if !d.live && d.due() > 0 {
		return d.rest(m)
	}
	return nil
}

// key is never asked: a dialog takes its keys as they came.
func (d *questionDialog) key(m *model, k tea.KeyMsg) tea.Cmd { return d.typed(m, k) }

func (d *questionDialog) typed(m *model, k tea.KeyMsg) tea.Cmd {
	switch {
	case k.Type == tea.KeyEsc || k.Type == tea.KeyCtrlC:
		return d.decline(m)
	case k.Type == tea.KeyUp || k.Type == tea.KeyDown || k.Type == tea.KeyPgUp || k.Type == tea.KeyPgDown:
		d.scroll.key(m, k)
	case !d.live:
		d.touch()
		return d.rest(m)
	case k.Type == tea.KeyEnter:
		return d.enter(m)
	default:
		d.field.key(k)
	}
	return nil
}

// enter takes one answer; with the last one the question is answered.
func (d *questionDialog) enter(m *model) tea.Cmd {
	d.answers = append(d.answers, d.field.text())
	d.field.set("")
	if len(d.answers) < len(d.q.Prompts) {
		return nil
	}
	m.pop()
	m.deafen()
	m.say("answered; " + d.q.Host + " goes on with the login")
	return m.answer(d.q.ID, func(door watch.Answerer) { door.Answer(d.q.ID, d.answers) })
}

func (d *questionDialog) decline(m *model) tea.Cmd {
	m.pop()
	m.deafen()
	m.say("not answered: " + d.q.Host + " stays without a link; R asks again")
	return m.answer(d.q.ID, func(door watch.Answerer) { door.Decline(d.q.ID) })
}

// answer hands an answer over. A question is not shown again while it is on its
// way.
func (m *model) answer(id uint64, with func(watch.Answerer)) tea.Cmd {
	m.answered = id
	door, ok := m.door.(watch.Answerer)
	if !ok {
		return nil
	}
	return m.command(func() tea.Msg { with(door); return contentNow{} })
}

func (d *questionDialog) head(*model) (string, string) {
	right := ""
	if d.q.Waiting > 0 {
		right = plural(d.q.Waiting, "more question", "more questions") + " behind it"
	}
	if !d.live {
		right = "dead until the keyboard is quiet"
	}
	return "Login on " + d.q.Host, right
}

func (d *questionDialog) body(m *model, w int) ([]string, int) {
	rows := wrap(strings.ToUpper(d.q.From[:1])+d.q.From[1:]+".", w)
	if len(d.q.Text) > 0 {
		rows = append(rows, "")
	}
	for _, text := range d.q.Text {
		for _, row := range wrap(text, w-2) {
			rows = append(rows, m.st.dim.on("| ")+row)
		}
	}
	return rows, -1
}

// foot shows the prompts up to the one at the cursor.
func (d *questionDialog) foot(m *model, w int) []string {
	var rows []string
	for i, p := range d.q.Prompts {
		l := newLine(w)
		switch {
		case i < len(d.answers):
			l.put(m.st.dim, fmt.Sprintf("%s answered", strings.TrimSpace(p.Text)))
		case i > len(d.answers):
			l.put(m.st.dim, strings.TrimSpace(p.Text))
		default:
			text := d.field.text()
			if p.Secret {
				text = strings.Repeat("*", len([]rune(text)))
			}
			prompt, _ := clip(strings.TrimSpace(p.Text)+" ", max(w-20, 20))
			for width(prompt)+width(text)+1 > w && text != "" {
				text = string([]rune(text)[1:])
			}
			l.put(m.st.strong, prompt).put(m.st.plain, text).put(m.st.chosen, " ")
		}
		rows = append(rows, l.String())
	}
	return rows
}

func (d *questionDialog) bindings(*model) []key.Binding {
	return []key.Binding{bind("Enter", "answer"), bind("Esc", "do not answer")}
}
