package plain

import (
	"context"
	"strconv"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// tiers in words.
var tiers = map[cluster.Tier]string{
	cluster.T0: "T0, reads only",
	cluster.T1: "T1, harmless to data",
	cluster.T2: "T2, touches one node's data or service",
	cluster.T3: "T3, changes who leads or belongs, or takes a safety away",
}

func offerName(procedure, node, service string) string {
	return strings.Join(strings.Fields(procedure+" "+node+" "+service), " ")
}

// node answers whether a word is a node's name.
func (t *talk) node(word string) bool {
	for _, n := range nodesOf(t.state) {
		if n.Name == word {
			return true
		}
	}
	return false
}

func (t *talk) nodeNames() string {
	var names []string
	for _, n := range nodesOf(t.state) {
		names = append(names, n.Name)
	}
	return joined(names)
}

// menu lists what is offered for a finding or on a node.
func (t *talk) menu(words []string) {
	if len(words) > 0 && t.node(words[0]) {
		t.witness(func(w watch.Witness) { w.Looked("") })
		t.offers = t.door.NodeOffers(words[0])
		t.say("Everything that can be had of the cluster and on %s.", words[0])
	} else {
		f, ok := t.meant(words)
		if !ok {
			t.say("For a node type menu and its name: %s.", t.nodeNames())
			return
		}
		t.witness(func(w watch.Witness) { w.Looked(f.ID()) })
		t.offers = t.door.Offers(f.ID())
		t.say("For finding %d, %s:", t.number(f.ID()), nameOf(f))
	}
	if len(t.offers) == 0 {
		t.say("Nothing is offered here.")
		return
	}
	for i, o := range t.offers {
		t.offer(i+1, o)
	}
	t.say("Type plan and a number to read the plan. Nothing runs before it is confirmed.")
}

func (t *talk) offer(n int, o watch.Offered) {
	title := strings.NewReplacer("{node}", o.Node, "{service}", o.Service).Replace(o.Title)
	how := "ready"
	switch {
	case o.OnlyUnarmed():
		how = "to be confirmed once armed"
	case !o.Ready:
		how = "not now"
	}
	t.say("%d: %s, %s, %s. %s", n, offerName(o.Procedure, o.Node, o.Service), o.Tier, how, sentence(title))
	if o.Note != "" {
		t.sub("%s", sentence(capital(o.Note)))
	}
	if !o.Ready {
		t.sub("%s", sentence(t.whyNot(o)))
	}
}

// whyNot is what keeps an offer from being had.
func (t *talk) whyNot(o watch.Offered) string {
	switch {
	case o.NotBuilt:
		return "It is not in this version"
	case o.First != "":
		return "Deal first with: " + o.First
	}
	var all []string
	for _, g := range o.WhyNot {
		all = append(all, t.guardWords(g))
	}
	if len(all) == 0 {
		return "Its conditions are not met"
	}
	return strings.Join(all, "; ")
}

// guardWords say a guard's answer first, then what was seen, and how long ago
// where that is not now.
func (t *talk) guardWords(g cluster.CheckedGuard) string {
	says := strings.TrimSuffix(or(g.Answer.Sentence, g.Question.String()), ".")
	word := map[cluster.Truth]string{cluster.True: "Holds", cluster.False: "Does not hold", cluster.Unknown: "Unknown"}[g.Answer.Truth]
	if g.Answer.Truth != cluster.True && g.Override != "" {
		says += "; or type: " + g.Override
	}
	oldest := ""
	var most time.Duration
	for _, c := range g.Answer.Claims {
		if age, aged := watch.Aged(t.o.Clock.Now(), c.At, c.Source); aged && age > most {
			most, oldest = age, seenWords(age)
		}
	}
	return word + ": " + says + oldest
}

func seenWords(age time.Duration) string { return ", seen " + spanText(age) + " ago" }

// wanted is what a plan was last asked for, for plan again.
type wanted struct{ procedure, node, service string }

// makePlan binds a procedure and says the plan. Once another one is asked for,
// the plan before can no longer be confirmed, whatever comes of it.
func (t *talk) makePlan(words []string) {
	if len(words) > 0 {
		t.plan = nil
	}
	procedure, node, service, ok := t.planned(words)
	if !ok {
		return
	}
	t.again = &wanted{procedure, node, service}
	t.say("Looking at all nodes afresh for the plan; at most %d seconds.", int(watch.LooksWithin.Seconds()))
	ctx, cancel := context.WithTimeout(t.ctx, watch.LooksWithin)
	defer cancel()
	p, err := t.door.Plan(ctx, procedure, node, service)
	if err != nil {
		t.say("There is no plan: %s", sentence(err.Error()))
		return
	}
	t.plan = &p
	t.witness(func(w watch.Witness) { w.Opened(p) })
	t.sayPlan(p)
}

// planned is what the words ask for: a number of the menu, "again", or a
// procedure with node and service.
func (t *talk) planned(words []string) (procedure, node, service string, ok bool) {
	if len(words) == 0 {
		if t.plan == nil {
			t.say("Say which: plan and a number of the menu, or plan PROCEDURE NODE SERVICE.")
			return "", "", "", false
		}
		t.sayPlan(*t.plan)
		return "", "", "", false
	}
	if words[0] == "again" {
		if t.again == nil {
			t.say("There is no plan to make again. Type menu, then plan and a number.")
			return "", "", "", false
		}
		return t.again.procedure, t.again.node, t.again.service, true
	}
	n, err := strconv.Atoi(words[0])
	if err != nil {
		words = append(words, "", "")
		return words[0], words[1], words[2], true
	}
	if n < 1 || n > len(t.offers) {
		t.say("The newest menu has no number %d. Type menu first.", n)
		return "", "", "", false
	}
	o := t.offers[n-1]
	switch {
	case !o.Ready && !o.OnlyUnarmed():
		t.again = &wanted{o.Procedure, o.Node, o.Service}
		t.say("%s is not to be had now. %s", offerName(o.Procedure, o.Node, o.Service), sentence(t.whyNot(o)))
		return "", "", "", false
	case o.Procedure == "call-support":
		t.summary()
		return "", "", "", false
	}
	return o.Procedure, o.Node, o.Service, true
}
