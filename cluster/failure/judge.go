package failure

import (
	"slices"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
)

// candidate is one failure asked about one node, or about the cluster, in one view.
type candidate struct {
	failure   cluster.Failure
	node      string // "" for the cluster
	rank      int    // place in the catalogue
	facts     cluster.Truth
	excluded  cluster.Truth
	truth     cluster.Truth // facts, and not excluded
	asked     bool          // a suspecting question is true
	signed    bool          // a recent sign suspects it and no look refutes it
	mending   bool          // a plan of ours is at work on it
	priority  cluster.Priority
	evidence  []cluster.Evidence
	since     time.Time
	certainty cluster.Certainty
}

// id is the ID of the finding that the candidate may become.
func (c *candidate) id() string {
	return cluster.Finding{Failure: c.failure.Name, Node: c.node}.ID()
}

// looks is how many agreeing looks it needs to appear.
func (c *candidate) looks() int {
	switch {
	case c.failure.Looks > 0:
		return c.failure.Looks
	case c.priority == cluster.P1:
		return 1
	}
	return defaultLooks
}

// clear is how many disagreeing looks it needs to go.
func (c *candidate) clear() int {
	if c.failure.Clear > 0 {
		return c.failure.Clear
	}
	return defaultClear
}

// underRepair asks whether a plan of ours is at work on a node.
var underRepair = cluster.Question{Fact: "our-plan-runs"}

// mending answers whether a plan of ours is at work on the node; for a failure
// of the cluster, whether one is that the failure itself offers.
func mending(f cluster.Failure, node string, v *cluster.View) bool {
	if node != "" {
		return underRepair.Ask(v, cluster.Binding{Node: node}).Truth == cluster.True
	}
	return slices.ContainsFunc(v.Plans, func(p cluster.PlanState) bool {
		return p.Running() && p.Plan.Tier > cluster.T0 &&
			slices.ContainsFunc(f.Offers, func(o cluster.Offer) bool { return o.Procedure == p.Plan.Procedure })
	})
}

// judge asks all questions of one failure. The facts that confirm and those
// that exclude are kept apart: a hold time runs over the former alone.
func judge(f cluster.Failure, node string, v *cluster.View) candidate {
	c := candidate{failure: f, node: node, facts: cluster.True, priority: f.Priority}
	b := cluster.Binding{Node: node}
	c.mending = mending(f, node, v)
	if len(f.Confirmed) == 0 {
		c.facts = cluster.Unknown
	}
	for _, q := range f.Confirmed {
		a := q.Ask(v, b)
		c.facts = cluster.And(c.facts, a.Truth)
		c.evidence = append(c.evidence, factEvidence(q, a, node, forOrAgainst(a.Truth)))
	}
	for _, q := range f.Suspected {
		if a := q.Ask(v, b); a.Truth == cluster.True {
			c.asked = true
			c.evidence = append(c.evidence, factEvidence(q, a, node, cluster.SideFor))
		}
	}
	c.excluded = cluster.False
	for _, q := range f.NotWhen {
		a := q.Ask(v, b)
		c.excluded = cluster.Or(c.excluded, a.Truth)
		c.evidence = append(c.evidence, factEvidence(q, a, node, cluster.SideAgainst))
	}
	for _, q := range f.Shows {
		a := q.Ask(v, b)
		c.evidence = append(c.evidence, factEvidence(q, a, node, forOrAgainst(a.Truth)))
	}
	c.truth = cluster.And(c.facts, c.excluded.Not())
	// What a direct look denies no log line can raise: the looks are newer.
	c.signed = c.addSigns(v) && c.facts != cluster.False
	for _, x := range f.Escalate {
		if x.When.Ask(v, b).Truth == cluster.True {
			c.priority = x.Priority
			break
		}
	}
	return c
}

// forOrAgainst says which way a confirming fact points: what is unknown is
// still listed for, as the thing to find out.
func forOrAgainst(t cluster.Truth) cluster.Side {
	if t == cluster.False {
		return cluster.SideAgainst
	}
	return cluster.SideFor
}

// factEvidence makes evidence of a question's answer. Its time is that of the
// oldest claim behind it, its node the one whose claims they are.
func factEvidence(q cluster.Question, a cluster.Answer, node string, side cluster.Side) cluster.Evidence {
	e := cluster.Evidence{Kind: "fact", Name: q.String(), Side: side, Answer: a.Truth, Sentence: a.Sentence, Node: seenOn(a.Claims, node)}
	for _, r := range a.Claims {
		if e.Source == "" {
			e.Source = r.Source
		}
		if !r.At.IsZero() && (e.At.IsZero() || r.At.Before(e.At)) {
			e.At = r.At
		}
	}
	return e
}

// seenOn is where claims were made: one node, or two; "" for more of them, and
// the node that is asked about where there are none.
func seenOn(claims []cluster.ClaimRef, asked string) string {
	var nodes []string
	for _, c := range claims {
		if c.Node != "" && !slices.Contains(nodes, c.Node) {
			nodes = append(nodes, c.Node)
		}
	}
	switch len(nodes) {
	case 0:
		return asked
	case 1, 2:
		return strings.Join(nodes, ", ")
	}
	return ""
}

// addSigns lists the recent signs of the failure and answers whether there are any.
func (c *candidate) addSigns(v *cluster.View) bool {
	found := false
	for _, s := range v.Signs {
		if !slices.Contains(c.failure.Seen, s.Sign) || c.node != "" && v.AboutNode(s.Node, s.Example) != c.node {
			continue
		}
		if v.Now.Sub(s.Last) > signsFor {
			continue
		}
		found = true
		c.evidence = append(c.evidence, cluster.Evidence{
			Kind: "sign", Name: s.Sign, Side: cluster.SideFor, Answer: cluster.True, Node: s.Node, At: s.Last,
			Sentence: saidBy(s),
		})
	}
	return found
}

// finding makes the finding of a candidate that stands.
func (c *candidate) finding(v *cluster.View) cluster.Finding {
	f := cluster.Finding{
		Failure: c.failure.Name, Node: c.node, Certainty: c.certainty, Priority: c.priority,
		Title: fill(c.failure.Title, c.node, v), Since: c.since,
		Evidence: c.evidence, Offers: slices.Clone(c.failure.Offers),
	}
	if c.node == "" {
		return f
	}
	f.Nodes = []string{c.node}
	// Planned work is known to the operator: its rows drop to a note. What puts
	// data at risk never does.
	if note := v.MaintenanceNote(c.node); note != "" && f.Priority > cluster.P1 {
		f.Priority = cluster.P3
		f.Title += " (" + note + ")"
	}
	return f
}
