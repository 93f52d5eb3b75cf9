// Package drill scores an exercise: a failure strikes a simulated cluster
// unannounced, and what the operator does about it is timed and compared with
// what the scenario table names. Everything here is a value made from others;
// nothing waits, looks or writes.
package drill

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
)

// Target is a procedure bound to whom it is carried out on.
type Target struct{ Procedure, Node, Service string }

// String is the target as one says it: "restart-service be3 etcd".
func (t Target) String() string {
	return strings.Join(strings.Fields(t.Procedure+" "+t.Node+" "+t.Service), " ")
}

// TargetOf is what a plan is about.
func TargetOf(p cluster.Plan) Target { return Target{p.Procedure, p.Node, p.Service} }

// Task is what the table says of a failure.
type Task struct {
	Fault  string
	Expect []string // IDs of the findings that tell it
	Right  []Target // every plan that mends it or is a part of that
}

// right answers whether the table names a plan.
func (t Task) right(p Target) bool { return slices.Contains(t.Right, p) }

// Kind is what happened.
type Kind int

// Kinds of events.
const (
	Struck    Kind = iota // the fault struck
	Appeared              // a finding came
	Looked                // the evidence of a finding, or a menu, was opened
	Opened                // a plan was made and shown
	Mistyped              // another text than the phrase was typed
	Confirmed             // a plan began to be carried out
	Healthy               // all was well again, and stayed so
)

// Event is something that happened in the exercise.
type Event struct {
	At      time.Time // by the cluster's clock
	Kind    Kind
	Finding string // ID, for Appeared and Looked; "" for a node's menu
	Target  Target // for Opened, Mistyped and Confirmed
	Tier    cluster.Tier
	Typed   string // for Mistyped; safe
}

// Moment is how long after the fault something happened, if it did.
type Moment struct {
	After time.Duration
	Known bool
}

// Turn is a wrong turn.
type Turn struct {
	After time.Duration
	Says  string
}

// Score is how an exercise went.
type Score struct {
	Struck   bool   // the fault struck before the exercise was left
	Appeared Moment // a finding of the failure came
	Looked   Moment // the operator opened its evidence or a menu
	Decided  Moment // the operator opened a right plan
	Begun    Moment // a right plan began
	Healthy  Moment // all was well again
	Wrong    []Turn // in order
}

// Of scores the events of one exercise, in the order in which they happened.
// What was before the fault counts for nothing. A plan that only reads is never
// a wrong turn, and one that is opened again counts once.
func Of(t Task, events []Event) Score {
	var s Score
	at := slices.IndexFunc(events, func(e Event) bool { return e.Kind == Struck })
	if at < 0 {
		return s
	}
	s.Struck = true
	began := events[at].At
	opened := map[Target]bool{}
	for _, e := range events[at+1:] {
		after := e.At.Sub(began)
		switch e.Kind {
		case Appeared:
			if slices.Contains(t.Expect, e.Finding) {
				s.Appeared.first(after)
			}
		case Looked:
			expected := slices.Contains(t.Expect, e.Finding)
			if expected { // who opens it sees it, whoever heard of it first
				s.Appeared.first(after)
			}
			if s.Appeared.Known && (expected || e.Finding == "") {
				s.Looked.first(after)
			}
		case Healthy:
			if s.Appeared.Known {
				s.Healthy.first(after)
			}
		default:
			s.plan(t, e, after, opened)
		}
	}
	return s
}

// plan takes what was done with a plan.
func (s *Score) plan(t Task, e Event, after time.Duration, opened map[Target]bool) {
	right := t.right(e.Target)
	wrong := func(format string, args ...any) {
		s.Wrong = append(s.Wrong, Turn{after, fmt.Sprintf(format, args...)})
	}
	switch {
	case e.Kind == Mistyped:
		wrong("typed %q to confirm %s", e.Typed, e.Target)
	case e.Kind == Opened && right:
		s.Decided.first(after)
	case e.Kind == Confirmed && right:
		s.Decided.first(after)
		s.Begun.first(after)
	case e.Tier == cluster.T0:
	case e.Kind == Confirmed && e.Tier >= cluster.T3:
		wrong("carried out %s, %s, without need: it changes leadership or takes a safety away", e.Target, e.Tier)
	case e.Kind == Confirmed:
		wrong("carried out %s, which does not mend this", e.Target)
	case e.Kind == Opened && !opened[e.Target]:
		opened[e.Target] = true
		wrong("opened the plan %s, which does not mend this", e.Target)
	}
}

// first notes a moment, if none was noted before.
func (m *Moment) first(after time.Duration) {
	if !m.Known {
		*m = Moment{after, true}
	}
}
