package watch

import (
	"cmp"
	"slices"
	"strings"

	"chef-backend-cockpit/cluster"
)

// Offers are the procedures offered for a finding, in the catalogue's order.
// Those of a folded finding wait for the one above it.
func (w *Watch) Offers(finding string) []Offered {
	s := w.State()
	var f *cluster.Finding
	titles := map[string]string{}
	for i := range s.Findings {
		titles[s.Findings[i].ID()] = s.Findings[i].Title
		if s.Findings[i].ID() == finding {
			f = &s.Findings[i]
		}
	}
	if f == nil {
		return nil
	}
	v := w.View()
	var out []Offered
	for _, o := range f.Offers {
		out = append(out, w.offersFor(v, *f, o, titles[f.Under])...)
	}
	return out
}

// Rivals are the other suspected findings that this one could be.
func (w *Watch) Rivals(finding string) []cluster.Rival {
	all := cluster.Rivals(w.State().Findings, w.o.Catalogue.Failures, w.View())
	return slices.DeleteFunc(all, func(r cluster.Rival) bool { return r.A != finding && r.B != finding })
}

// offersFor binds one offer to each node that it can mean.
func (w *Watch) offersFor(v *cluster.View, f cluster.Finding, o cluster.Offer, first string) []Offered {
	p, ok := w.procedure(o.Procedure)
	if !ok {
		return nil
	}
	nodes := f.Nodes
	if p.Target == "cluster" {
		nodes = []string{""}
	} else if f.Node == "" || len(nodes) == 0 || o.Upstream {
		nodes = names(v.Snapshot.Nodes)
	}
	if up := v.UpstreamOf(f.Node); o.Upstream && up != "" {
		nodes = []string{up}
	}
	var out []Offered
	for _, n := range nodes {
		off := w.offered(v, p, n, o.Service)
		if o.Note != "" {
			off.Note = o.Note
		}
		off.First = first
		off.Ready = off.Ready && first == ""
		out = append(out, off)
	}
	// What can be done stands before what cannot, each in the nodes' order.
	slices.SortStableFunc(out, func(a, b Offered) int { return cmp.Compare(rank(a), rank(b)) })
	return out
}

// OnlyUnarmed answers whether an offer waits for nothing but the armed mode: its
// plan can be read, and is confirmed once the cockpit is armed.
func (o Offered) OnlyUnarmed() bool {
	return !o.Ready && !o.NotBuilt && o.First == "" && len(o.WhyNot) == 1 && o.WhyNot[0].Answer.Sentence == NeedsArming
}

// rank orders a menu: ready, only to be armed, not now, not built.
func rank(o Offered) int {
	switch {
	case o.Ready:
		return 0
	case o.NotBuilt:
		return 3
	case o.OnlyUnarmed():
		return 1
	}
	return 2
}

// NodeOffers are all procedures that can be bound to a node, and those of the
// whole cluster.
func (w *Watch) NodeOffers(node string) []Offered {
	v := w.View()
	var out []Offered
	for _, p := range w.o.Catalogue.Procedures {
		switch p.Target {
		case "service":
			for _, s := range cluster.Services {
				out = append(out, w.offered(v, p, node, s))
			}
		case "node":
			out = append(out, w.offered(v, p, node, ""))
		case "cluster":
			out = append(out, w.offered(v, p, "", ""))
		}
	}
	// Nothing is wrong there for which one would be the right one: what can lose
	// least stands first.
	slices.SortStableFunc(out, func(a, b Offered) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Tier, b.Tier))
	})
	return out
}

// offered binds a procedure on trial and says why it cannot be done.
func (w *Watch) offered(v *cluster.View, p cluster.Procedure, node, service string) Offered {
	off := Offered{Procedure: p.Name, Title: p.Title, Node: node, Service: service, Tier: p.Tier, NotBuilt: !p.Built}
	if off.NotBuilt {
		off.Title = strings.ReplaceAll(off.Title, "{node}", node)
		return off
	}
	plan, err := w.executor.Bind(v, p.Name, node, service)
	if err != nil {
		off.WhyNot = []cluster.CheckedGuard{{Answer: cluster.Answer{Sentence: err.Error()}}}
		return off
	}
	off.Title, off.Tier, off.Ready = plan.Title, plan.Tier, true
	off.Note = copiesNote(plan)
	if busy := v.RepairAtWork(); busy != "" && len(plan.Phrases) > 0 {
		off.Ready = false
		off.WhyNot = []cluster.CheckedGuard{{Answer: cluster.Answer{Truth: cluster.False, Sentence: "first let " + busy + " end"}}}
		return off
	}
	if l := v.Lock(); l.Held == cluster.True && !l.Ours && len(plan.Phrases) > 0 {
		off.Ready = false
		off.WhyNot = append(off.WhyNot, cluster.CheckedGuard{Answer: cluster.Answer{Truth: cluster.False,
			Sentence: l.Holder.Who + " holds the operators' lock; K shows what is done"}})
	}
	for _, g := range plan.Guards {
		switch {
		case g.Answer.Truth == cluster.True:
		case g.Override != "":
			off.Price = append(off.Price, g)
		default:
			off.Ready = false
			off.WhyNot = append(off.WhyNot, g)
		}
	}
	// Last: to arm the cockpit is no use where something else stands against it.
	if off.Tier >= cluster.T3 && w.armedUntil().IsZero() {
		off.Ready = false
		off.WhyNot = append(off.WhyNot, cluster.CheckedGuard{Answer: cluster.Answer{Truth: cluster.False, Sentence: NeedsArming}})
	}
	return off
}

// copiesNote says in one line what choosing the plan's node would lose, so that
// nodes can be told apart before a plan is opened.
func copiesNote(p cluster.Plan) string {
	var lost []string
	for _, c := range p.Copies {
		if c.Contained != cluster.True {
			lost = append(lost, strings.TrimPrefix(c.Sentence, "choosing "+c.Chosen+" ")) // the offer names it
		}
	}
	switch {
	case len(p.Copies) == 0:
		return ""
	case len(lost) == 0:
		return "loses nothing of the other copies"
	}
	return strings.Join(lost, "; ")
}

// procedure finds a procedure of the catalogue.
func (w *Watch) procedure(name string) (cluster.Procedure, bool) {
	for _, p := range w.o.Catalogue.Procedures {
		if p.Name == name {
			return p, true
		}
	}
	return cluster.Procedure{}, false
}

// names lists the nodes' names in fixed order.
func names(nodes []cluster.Node) []string {
	out := make([]string, len(nodes))
	for i, n := range nodes {
		out[i] = n.Name
	}
	return out
}
