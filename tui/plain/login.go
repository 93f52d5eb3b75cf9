package plain

import (
	"strings"
	"time"

	"chef-backend-cockpit/cluster/watch"
)

// login is what a login asks, and what was answered so far.
type login struct {
	q       watch.Question
	put     time.Time // of the newest prompt, by the human clock
	answers []string
}

// dial dials every node without a link anew, with the operator there.
func (t *talk) dial([]string) {
	door, ok := t.door.(watch.Answerer)
	if !ok {
		t.say("Nothing is dialled here.")
		return
	}
	names := door.Reconnect()
	if len(names) == 0 {
		t.say("Every node has a link.")
		return
	}
	t.say("Dialling %s anew. What a login asks is asked here.", joined(names))
}

// hearLogin puts the question of a login that stands, and drops one that is
// asked no longer. While a plan's question stands it waits.
func (t *talk) hearLogin() {
	q := t.state.Question
	if t.login != nil && (q == nil || q.ID != t.login.q.ID) {
		t.loggedIn("No longer asked by " + t.login.q.Host + ": it waits no more, or has its answer. Type login to dial anew.")
	}
	if t.login != nil || t.question != nil || q == nil || q.ID <= t.answered {
		return
	}
	t.login = &login{q: *q}
	t.say("Login on %s. %s", q.Host, sentence(capital(q.From)))
	for _, text := range q.Text {
		t.sub("It says: %s", text)
	}
	if len(q.Prompts) > 0 {
		t.prompt()
		return
	}
	if door, ok := t.door.(watch.Answerer); ok { // there is only something to read
		door.Answer(q.ID, nil)
	}
	t.loggedIn(q.Host + " goes on with the login.")
}

// prompt asks for the next answer; a secret one is not echoed.
func (t *talk) prompt() {
	p := t.login.q.Prompts[len(t.login.answers)]
	t.flush() // a line that was begun for something else is no answer
	says := "What is typed is shown."
	if t.echo(!p.Secret); p.Secret {
		says = "What is typed is not shown, where the terminal allows that."
	}
	t.say("%s Type the answer, then Enter; an empty line is no. %s", strings.TrimSpace(p.Text), says)
	t.login.put = t.o.Human.Now()
}

// answerLogin takes one line as an answer. A line that was read before the
// prompt is none.
func (t *talk) answerLogin(l Line) {
	if l.At.Before(t.login.put) {
		t.say("Ignored, because it was typed before the question.")
		return
	}
	door, ok := t.door.(watch.Answerer)
	q := t.login.q
	switch {
	case !ok:
		t.loggedIn("Nothing can be answered here.")
	case l.Text == "":
		door.Decline(q.ID)
		t.loggedIn("Not answered: " + q.Host + " stays without a link. Type login to be asked again.")
	default:
		if t.login.answers = append(t.login.answers, l.Text); len(t.login.answers) < len(q.Prompts) {
			t.prompt()
			return
		}
		door.Answer(q.ID, t.login.answers)
		t.loggedIn("Answered. " + q.Host + " goes on with the login.")
	}
}

// loggedIn ends the asking; the question is not put again.
func (t *talk) loggedIn(says string) {
	t.answered, t.login = t.login.q.ID, nil
	t.flush() // a secret that is half typed must not become a command
	t.echo(true)
	t.deafen()
	t.say("%s", says)
	t.say("Ready.")
}

// echo lets the terminal show what is typed, or not.
func (t *talk) echo(on bool) {
	if t.o.Echo != nil {
		t.o.Echo(on)
	}
}
