package cluster

import (
	"fmt"
	"sort"
	"strings"
)

// Binding says about whom a fact is asked.
type Binding struct {
	Node    string   // "" where the question is about the cluster
	Service string   // for restart-service
	Plan    *Plan    // set while a plan is made or carried out
	Args    []string // of the question itself
}

// Answer is a fact's answer with the sentence that says it of real nodes and
// the claims behind it.
type Answer struct {
	Truth    Truth
	Sentence string // "be3 is not streaming from be1"; names the missing claim when unknown
	Claims   []ClaimRef
}

// Fact is a named, documented, three-valued question about a view.
type Fact struct {
	Name string
	Doc  string // one sentence: what it asks, and from which claims
	Ask  func(v *View, b Binding) Answer
	// Check refuses wrong arguments when the catalogue is loaded; nil accepts any.
	Check func(args []string) error
}

// facts holds the register; it is filled by init functions of this package
// only and never changed later.
var facts = map[string]Fact{}

// register adds a fact; two of one name are a programming error.
func register(fs ...Fact) {
	for _, f := range fs {
		if _, twice := facts[f.Name]; twice || f.Doc == "" || f.Ask == nil {
			panic("cluster: fact " + f.Name + " is registered twice or incomplete")
		}
		facts[f.Name] = f
	}
}

// LookupFact finds a fact by the name that the catalogue uses.
func LookupFact(name string) (Fact, bool) {
	f, ok := facts[name]
	return f, ok
}

// Facts lists all facts by name.
func Facts() []Fact {
	all := make([]Fact, 0, len(facts))
	for _, f := range facts {
		all = append(all, f)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

// Question is a fact asked in the catalogue: "service-runs leaderl",
// "not sync-process-anywhere".
type Question struct {
	Not  bool
	Fact string
	Args []string
}

// ParseQuestion reads a question and checks that its fact exists.
func ParseQuestion(s string) (Question, error) {
	words := strings.Fields(s)
	q := Question{}
	if len(words) > 0 && words[0] == "not" {
		q.Not, words = true, words[1:]
	}
	if len(words) == 0 {
		return q, fmt.Errorf("no fact named in %q", s)
	}
	q.Fact, q.Args = words[0], words[1:]
	f, ok := LookupFact(q.Fact)
	if !ok {
		return q, fmt.Errorf("unknown fact %q", q.Fact)
	}
	if f.Check != nil {
		if err := f.Check(q.Args); err != nil {
			return q, fmt.Errorf("fact %q: %w", q.Fact, err)
		}
	}
	return q, nil
}

// FromLogs answers whether the question asks log lines alone: whoever can write
// to a log could answer it.
func (q Question) FromLogs() bool {
	if q.Fact == "at" && len(q.Args) > 1 {
		return q.Args[1] == logFact
	}
	return q.Fact == logFact
}

// logFact is the one fact that asks log lines.
const logFact = "leaderl-log-crashes"

// String writes the question as the catalogue does.
func (q Question) String() string {
	s := strings.Join(append([]string{q.Fact}, q.Args...), " ")
	if q.Not {
		return "not " + s
	}
	return s
}

// Ask asks the question. The truth of the returned answer is the question's
// (negated where it says "not"); the sentence stays the fact's own.
func (q Question) Ask(v *View, b Binding) Answer {
	f, ok := LookupFact(q.Fact)
	if !ok {
		return Answer{Sentence: "unknown fact " + q.Fact}
	}
	b.Args = q.Args
	a := f.Ask(v, b)
	if q.Not {
		a.Truth = a.Truth.Not()
	}
	return a
}
