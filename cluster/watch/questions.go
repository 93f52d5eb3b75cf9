package watch

import (
	"context"
	"errors"
	"slices"
	"sync"

	"chef-backend-cockpit/remote"
)

// Question is what a login on a node asks the operator: a passphrase, a second
// factor, a password. All texts are safe.
type Question struct {
	ID uint64
	remote.Question
	Waiting int // further questions behind this one
}

// Answerer is a Door that dials with the operator there, and takes the answers.
type Answerer interface {
	// Reconnect dials the nodes anew that have no link, because the operator is
	// there: what their logins ask becomes State.Question. It returns their names
	// and never blocks.
	Reconnect() []string
	// Answer answers a question, one text for each of its prompts; Decline says
	// no to it. One that is asked no longer is passed over.
	Answer(id uint64, answers []string)
	Decline(id uint64)
}

var _ Answerer = (*Watch)(nil)

// errDeclined is the operator's no.
var errDeclined = errors.New("not answered")

// questions stand in a queue; the first is shown.
type questions struct {
	mu    sync.Mutex
	last  uint64
	queue []*asked
}

type asked struct {
	Question
	reply chan []string // closed: declined
}

// Ask puts a question on the screen and waits for its answers, until ctx ends.
// It is a remote.Asker.
func (w *Watch) Ask(ctx context.Context, q remote.Question) ([]string, error) {
	a := w.questions.add(q)
	w.publish()
	defer w.publish()
	defer w.questions.take(a.ID)
	select {
	case answers, ok := <-a.reply:
		if !ok {
			return nil, errDeclined
		}
		return answers, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *questions) add(q remote.Question) *asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	a := &asked{Question: Question{ID: s.last, Question: q}, reply: make(chan []string, 1)}
	s.queue = append(s.queue, a)
	return a
}

// take removes a question; nil when it is not there any more.
func (s *questions) take(id uint64) *asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.queue, func(a *asked) bool { return a.ID == id })
	if i < 0 {
		return nil
	}
	a := s.queue[i]
	s.queue = slices.Delete(s.queue, i, i+1)
	return a
}

// first is the question to show; nil for none.
func (s *questions) first() *Question {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return nil
	}
	q := s.queue[0].Question
	q.Waiting = len(s.queue) - 1
	return &q
}

// Answer answers a question.
func (w *Watch) Answer(id uint64, answers []string) {
	if a := w.questions.take(id); a != nil {
		a.reply <- answers
	}
	w.publish()
}

// Decline says no to a question.
func (w *Watch) Decline(id uint64) {
	if a := w.questions.take(id); a != nil {
		close(a.reply)
	}
	w.publish()
}

// Reconnect dials the nodes without a link anew.
func (w *Watch) Reconnect() []string {
	var names []string
	for _, n := range w.o.Nodes {
		h, ok := w.o.Hosts[n.Name].(interface{ Retry() })
		if !ok || w.o.Hosts[n.Name].Link().Phase == remote.Live {
			continue
		}
		h.Retry()
		names = append(names, n.Name)
	}
	return names
}
