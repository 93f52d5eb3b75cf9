package tui

import (
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"chef-backend-cockpit/cluster/watch"
)

// answerDoor is a door that dials anew and takes answers.
type answerDoor struct {
	*fakeDoor
	dialled  int
	answers  []string
	declined bool
}

func (d *answerDoor) Reconnect() []string {
	d.dialled++
	return []string{"be3"}
}
func (d *answerDoor) Answer(_ uint64, answers []string) { d.answers = answers }
func (d *answerDoor) Decline(uint64)                    { d.declined = true }

// asking is a stage on which a login may ask.
func asking(t *testing.T) (*stage, *answerDoor) {
	t.Helper()
	d := &answerDoor{fakeDoor: healthy()}
	d.state.Links["be3"] = watch.Link{Phase: "refused", Waits: true, Reason: "be3: login as ops waits for you"}
	s := newStage(d.fakeDoor, 100, 30)
	s.m.door = d
	return s, d
}

// ask lets a question stand, or none.
func (s *stage) ask(d *answerDoor, q *watch.Question) {
	next := *d.state
	next.Seq++
	next.Question = q
	d.state = &next
	s.send(contentNow{})
}

func secondFactor(id uint64) *watch.Question {
	q := &watch.Question{ID: id}
	q.Host, q.From, q.Text = "be3", "the server ops@be3 asks", []string{"Second factor"}
	q.Prompts = append(q.Prompts, struct {
		Text   string
		Secret bool
	}{"Code: ", false}, struct {
		Text   string
		Secret bool
	}{"PIN: ", true})
	return q
}

func TestALoginIsAnsweredInTheScreen(t *testing.T) {
	s, d := asking(t)
	if got := ansi.Strip(s.screen()); !strings.Contains(got, "be3 waits for you (R)") {
		t.Errorf("it is not said that be3 waits:\n%s", got)
	}
	s.keys("R")
	if d.dialled != 1 {
		t.Errorf("dialled %d times", d.dialled)
	}
	s.ask(d, secondFactor(1))
	s.live()
	for _, word := range []string{"Login on be3", "The server ops@be3 asks.", "| Second factor", "Code:"} {
		if got := ansi.Strip(s.screen()); !strings.Contains(got, word) {
			t.Errorf("the question does not show %q:\n%s", word, got)
		}
	}
	s.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("123456"), Paste: true})
	s.send(tea.KeyMsg{Type: tea.KeyEnter})
	for _, r := range "77" {
		s.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}})
	}
	if got := ansi.Strip(s.screen()); !strings.Contains(got, "PIN: **") || strings.Contains(got, "PIN: 77") {
		t.Errorf("the secret is shown:\n%s", got)
	}
	s.send(tea.KeyMsg{Type: tea.KeyEnter})
	s.settle()
	if strings.Join(d.answers, "|") != "123456|77" || s.m.top() != nil {
		t.Errorf("answered %q", d.answers)
	}
}

func TestAQuestionIsDeclinedOrGoesAway(t *testing.T) {
	s, d := asking(t)
	s.ask(d, secondFactor(1))
	s.live()
	s.send(tea.KeyMsg{Type: tea.KeyEsc})
	s.settle()
	if !d.declined || s.m.top() != nil {
		t.Error("Esc does not decline")
	}
	s.ask(d, nil)
	s.ask(d, secondFactor(2))
	s.ask(d, secondFactor(3))
	if q, ok := s.m.top().(*questionDialog); !ok || q.q.ID != 3 || len(s.m.overlays) != 1 {
		t.Errorf("the next question does not stand: %+v", s.m.top())
	}
	s.ask(d, nil)
	if s.m.top() != nil {
		t.Error("a question that is asked no longer stays")
	}
}

// Keys that were typed ahead answer nothing.
func TestAQuestionIsDeadUntilTheKeyboardIsQuiet(t *testing.T) {
	s, d := asking(t)
	s.m.push(&questionDialog{arming: arming{human: s.m.human}, q: *secondFactor(1)})
	s.m.top().(*questionDialog).kill()
	s.m.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("q")})
	s.m.Update(tea.KeyMsg{Type: tea.KeyEnter})
	if q := s.m.top().(*questionDialog); q.field.text() != "" || len(q.answers) != 0 || d.answers != nil {
		t.Errorf("%q and %q were taken", q.field.text(), q.answers)
	}
}

func TestLegacySSHIsShown(t *testing.T) {
	d := healthy()
	d.state.Links["be2"] = watch.Link{Phase: "live", Legacy: "ssh-rsa"}
	s := newStage(d, 160, 50)
	if got := ansi.Strip(s.screen()); !strings.Contains(got, "legacy SSH: be2") {
		t.Errorf("not shown:\n%s", got)
	}
	s.keys("2", "w")
	if got := ansi.Strip(s.screen()); !strings.Contains(got, "ssh-rsa") {
		t.Errorf("not shown among the claims:\n%s", got)
	}
}
