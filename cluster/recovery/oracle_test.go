package recovery

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
)

// ledger is what an operator knows: what was shown and what was typed, by plan.
// Nothing in it comes from the cockpit but the plans as they were shown.
type ledger struct {
	shown map[string]cluster.Plan
	typed map[string][]said // by plan
	armed []time.Time       // when the name of the cluster was typed
}

// said is one text that was typed.
type said struct {
	text      string
	life, seq int // of which cockpit, and when beside what ran
	at        time.Time
}

// violations are what of the invariants a log of commands breaks: what ran on
// the nodes, held against what was shown and typed.
func (l *ledger) violations(acts []act) (out []string) {
	seen := map[string]int{}
	for i, a := range acts {
		broken := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)+": "+a.String()) }
		plan, shown := l.shown[a.plan]
		if !shown {
			broken("without a plan that was shown")
			continue
		}
		step, again, named := stepNamedIn(plan, a)
		if !named {
			broken("not in the plan on this node")
			continue
		}
		if why := l.unconfirmed(plan, step, a); why != "" {
			broken("not confirmed, %s", why)
		}
		if seen[a.plan+"/"+a.folder]++; seen[a.plan+"/"+a.folder] > 1 {
			broken("ran again")
		}
		if again && !step.Repeatable {
			broken("chosen again, and is not to be repeated")
		}
		if replacesCopy(a.command) {
			others := slices.DeleteFunc(slices.Clone(order), func(n string) bool { return n == a.node || !a.good(n) })
			if len(others) == 0 || len(others) == 1 && !overridden(plan, "last copy") && !overridden(plan, "discard "+a.node) {
				broken("on the only good copy, beside %v", others)
			}
		}
		for _, before := range acts[:i] {
			if before.node != a.node && before.until.After(a.began) && (replacesCopy(a.command) || replacesCopy(before.command) || strings.Contains(a.command, " promote ")) {
				broken("while %s is at work", before)
			}
		}
	}
	return out
}

// overridden answers whether the plan asked for a phrase that gives a safety up;
// that it was typed is held beside.
func overridden(p cluster.Plan, phrase string) bool { return slices.Contains(p.Phrases, phrase) }

// stepNamedIn finds the step that ran among those that were shown: same folder,
// same node, same command to the letter; again: it was chosen once more.
func stepNamedIn(p cluster.Plan, a act) (step cluster.PlanStep, again, named bool) {
	for _, s := range slices.Concat(p.Steps, p.Back) {
		rest, ok := strings.CutPrefix(a.folder, s.ID)
		again = strings.HasPrefix(rest, "-again")
		if ok && (rest == "" || again || strings.HasPrefix(rest, "-terminal")) && s.Node == a.node && s.Command == a.command {
			return s, again, true
		}
	}
	return step, false, false
}

// unconfirmed says what was not typed for a step; "" for nothing. A cockpit that
// came after the one in which the plan was confirmed has to be told again.
func (l *ledger) unconfirmed(p cluster.Plan, s cluster.PlanStep, a act) string {
	var here, ever []string
	first := time.Time{}
	for _, w := range l.typed[p.ID] {
		if w.seq > a.seq {
			continue
		}
		if ever = append(ever, w.text); w.life == a.life {
			here = append(here, w.text)
		}
		if w.text == p.Phrases[len(p.Phrases)-1] {
			first = w.at
		}
	}
	for _, want := range p.Phrases {
		if !slices.Contains(here, want) {
			return fmt.Sprintf("%q was typed, and %q is missing", here, want)
		}
	}
	if s.Phrase != "" && !slices.Contains(ever, s.Phrase) {
		return fmt.Sprintf("%q was not typed for its node", s.Phrase)
	}
	if p.Tier == cluster.T3 && !slices.ContainsFunc(l.armed, func(at time.Time) bool { return !at.After(first) && first.Sub(at) < ArmedFor }) {
		return "the cockpit was not armed when it was typed"
	}
	return ""
}
