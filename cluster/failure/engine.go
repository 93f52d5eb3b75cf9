// Package failure evaluates the failures of the catalogue over views into
// findings: it waits out hold times, counts agreeing looks, folds consequences
// under their cause and never lets an unknown confirm anything.
package failure

import (
	"slices"
	"strings"
	"sync"
	"time"

	"chef-backend-cockpit/cluster"
)

// How long and how often, where a row of the catalogue does not say otherwise.
const (
	signsFor     = 15 * time.Minute // a sign counts for this long after its last line
	doubtFor     = 15 * time.Minute // a finding that can no longer be looked at stays suspected for this long
	defaultLooks = 2                // agreeing looks until a finding appears; P1 needs one
	defaultClear = 3                // disagreeing looks until it goes
)

// Engine turns views into findings. It remembers since when what stands. Its
// methods are safe for concurrent use and do not block.
type Engine struct {
	mu       sync.Mutex
	failures []cluster.Failure
	states   map[string]*state // by finding ID
	acked    map[string]bool
	seq      uint64 // of the snapshot that was looked at last
	began    bool
	last     []cluster.Finding
}

// state is what the engine remembers of one failure bound to one node or to
// the cluster.
type state struct {
	facts       span      // since when the confirming facts hold
	askedSince  time.Time // a suspecting question holds without a break since
	sure        int       // looks in a row whose facts confirm it
	suspicious  int       // looks in a row that suspect it at least
	against     int       // looks in a row that do neither
	confirmedAt time.Time // when it was confirmed last
	since       time.Time // when what stands now began
	stands      bool
	certainty   cluster.Certainty
}

// NewEngine makes an engine for these failures, in this order of rank.
func NewEngine(fs []cluster.Failure) *Engine {
	return &Engine{failures: slices.Clone(fs), states: map[string]*state{}, acked: map[string]bool{}}
}

// Evaluate asks every failure about the view and returns what stands: unhidden
// findings by priority, then age, each followed by those that fold under it.
// A view of the same snapshot as the last one counts as no further look.
func (e *Engine) Evaluate(v *cluster.View) []cluster.Finding {
	e.mu.Lock()
	defer e.mu.Unlock()
	if v == nil || v.Snapshot == nil {
		return nil
	}
	look := !e.began || v.Snapshot.Seq == 0 || v.Snapshot.Seq != e.seq
	e.began, e.seq = true, v.Snapshot.Seq
	var standing []candidate
	for rank, f := range e.failures {
		for _, node := range bindings(f, v) {
			c := judge(f, node, v)
			c.rank = rank
			if e.step(&c, v.Now, look) {
				standing = append(standing, c)
			}
		}
	}
	standing = e.release(standing, v.Now)
	e.last = arrange(standing, v)
	e.forget()
	for i := range e.last {
		e.last[i].Acked = e.acked[e.last[i].ID()]
	}
	return slices.Clone(e.last)
}

// Acknowledge marks a finding as seen until it goes away.
func (e *Engine) Acknowledge(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if slices.ContainsFunc(e.last, func(f cluster.Finding) bool { return f.ID() == id }) {
		e.acked[id] = true
	}
}

// forget drops acknowledgements of findings that went away: should one come
// back it is new.
func (e *Engine) forget() {
	for id := range e.acked {
		if s := e.states[id]; s == nil || !s.stands {
			delete(e.acked, id)
		}
	}
}

// bindings are the nodes that a failure is asked about; "" for the cluster.
func bindings(f cluster.Failure, v *cluster.View) []string {
	if f.Scope == "cluster" {
		return []string{""}
	}
	var nodes []string
	for _, n := range v.Snapshot.Nodes {
		nodes = append(nodes, n.Name)
	}
	return nodes
}

// step moves one failure's state on by one view and answers whether it stands.
// Looks are counted while the hold time runs, so that a finding is there with
// the first look after it.
func (e *Engine) step(c *candidate, now time.Time, look bool) bool {
	s := e.states[c.id()]
	if s == nil {
		s = &state{}
		e.states[c.id()] = s
	}
	s.facts = s.facts.next(c.facts, now, c.failure.Hold/unreadPart)
	s.askedSince = sinceWhen(s.askedSince, c.asked, now)
	heldFor := func(since time.Time, d time.Duration) bool { return !since.IsZero() && now.Sub(since) >= d }
	held := func(since time.Time) bool { return heldFor(since, c.failure.Hold) }
	early := c.failure.Hold
	if c.failure.SuspectedHold > 0 {
		early = c.failure.SuspectedHold
	}
	doubted := c.facts == cluster.True && c.truth == cluster.Unknown
	suspect := c.excluded != cluster.True && (c.signed || c.asked || doubted)
	if look {
		s.sure = count(s.sure, c.truth == cluster.True)
		s.suspicious = count(s.suspicious, suspect || c.truth == cluster.True)
		s.against = count(s.against, !suspect && c.truth != cluster.True)
	}
	// What was certain and only in doubt since need not wait out its hold again.
	again := s.stands && !s.confirmedAt.IsZero()
	confirmed := c.truth == cluster.True && (held(s.facts.since) || again) && (s.sure >= c.looks() || s.stands && s.certainty == cluster.Confirmed)
	// A line may be older than the cockpit, and its first look tells but half: a
	// line alone raises nothing before there is a second one.
	suspected := suspect && s.suspicious >= c.looks() &&
		(c.signed && s.suspicious >= defaultLooks || c.asked && heldFor(s.askedSince, early) || doubted && held(s.facts.since))
	switch {
	case confirmed:
		s.appear(cluster.Confirmed, s.facts.since)
		s.confirmedAt = now
	case s.stands:
		s.fade(c, suspected, now)
	case suspected:
		s.appear(cluster.Suspected, now)
	}
	c.since, c.certainty = s.since, s.certainty
	return s.stands
}

// count carries on a number of looks in a row.
func count(n int, agrees bool) int {
	if agrees {
		return n + 1
	}
	return 0
}

// sinceWhen carries on the time from which a condition holds.
func sinceWhen(since time.Time, holds bool, now time.Time) time.Time {
	switch {
	case !holds:
		return time.Time{}
	case since.IsZero():
		return now
	}
	return since
}

// appear lets a finding stand, or makes a suspicion certain.
func (s *state) appear(how cluster.Certainty, since time.Time) {
	if !s.stands {
		s.since = since
	}
	s.stands, s.certainty = true, how
}

// fade handles a look that does not confirm what stands. Facts that say no
// clear it after some looks; facts that cannot be read neither keep it certain
// nor clear it: what was certain stays as a suspicion, for a while. What our own
// plan is mending stays until the plan has ended: the facts of a node that is
// being rebuilt say nothing of whether it is well again.
func (s *state) fade(c *candidate, suspected bool, now time.Time) {
	if c.mending && s.certainty == cluster.Confirmed {
		return
	}
	unclear := c.truth == cluster.Unknown
	if suspected || unclear {
		s.certainty = cluster.Suspected
	}
	if suspected || unclear && !s.confirmedAt.IsZero() && now.Sub(s.confirmedAt) < doubtFor {
		return
	}
	if s.against >= c.clear() {
		*s = state{facts: s.facts, askedSince: s.askedSince, sure: s.sure, suspicious: s.suspicious}
	}
}

// fill puts names into a text's braces.
func fill(text, node string, v *cluster.View) string {
	if !strings.Contains(text, "{") {
		return text
	}
	address := func(name string) string {
		n, _ := v.Snapshot.Node(name)
		return n.Address
	}
	leader := v.Elected().Node
	if leader == "" {
		leader = "the leader"
	}
	if node == "" {
		node = "the cluster"
	}
	return strings.NewReplacer("{node}", node, "{address}", address(node),
		"{leader}", leader, "{leader-address}", address(leader)).Replace(text)
}
