package watch

import (
	"context"
	"errors"
	"testing"

	"chef-backend-cockpit/remote"
)

// A question of a login stands in the state until it is answered, declined or
// asked no longer; those behind it wait for their turn.
func TestQuestionsOfLogins(t *testing.T) {
	w := marked(t, "")
	stands := func(host string) *Question { // waits for the question to be shown
		t.Helper()
		for q := w.State().Question; ; q = w.State().Question {
			if host == "" && q == nil || q != nil && q.Host == host {
				return q
			}
			select {
			case <-w.Changed():
			case <-t.Context().Done():
				t.Fatalf("the question of %q is not shown", host)
			}
		}
	}
	type reply struct {
		answers []string
		err     error
	}
	replies := map[string]chan reply{}
	ask := func(ctx context.Context, host string) {
		c := make(chan reply, 1)
		replies[host] = c
		go func() {
			answers, err := w.Ask(ctx, remote.Question{Host: host, From: "the server asks", Prompts: []remote.Prompt{{Text: "Code: "}}})
			c <- reply{answers, err}
		}()
	}
	gone, hangsUp := context.WithCancel(t.Context())
	ask(t.Context(), "be1")
	first := stands("be1")
	ask(gone, "be2")
	for stands("be1").Waiting != 1 {
	}
	w.Answer(first.ID, []string{"123456"})
	if r := <-replies["be1"]; r.err != nil || len(r.answers) != 1 || r.answers[0] != "123456" {
		t.Errorf("%+v", r)
	}
	stands("be2")
	hangsUp()
	if r := <-replies["be2"]; !errors.Is(r.err, context.Canceled) {
		t.Errorf("%+v", r)
	}
	stands("")
	ask(t.Context(), "be3")
	q := stands("be3")
	w.Answer(first.ID, []string{"late"}) // of a question that is gone
	w.Decline(q.ID)
	if r := <-replies["be3"]; r.err == nil {
		t.Errorf("%+v", r)
	}
}

// retried counts how often it was told to dial.
type retried struct {
	silent
	phase remote.Phase
	times *int
}

func (r retried) Link() remote.Link { return remote.Link{Phase: r.phase} }
func (r retried) Retry()            { *r.times++ }

func TestReconnectDialsWhatHasNoLink(t *testing.T) {
	w := marked(t, "")
	n := 0
	w.o.Hosts["be1"] = retried{phase: remote.Live, times: &n}
	w.o.Hosts["be2"] = retried{phase: remote.Refused, times: &n}
	if names := w.Reconnect(); n != 1 || len(names) != 1 || names[0] != "be2" {
		t.Errorf("%d, %q", n, names)
	}
}
