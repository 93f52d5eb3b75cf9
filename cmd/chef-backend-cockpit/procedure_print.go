package main

import (
	"fmt"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
)

// printProcedure writes the catalogue's entry with its placeholders.
func (e *env) printProcedure(p cluster.Procedure) {
	tier := p.Tier.String()
	if p.Local {
		tier += ", local"
	}
	fmt.Fprintf(e.out, "%s, %s\n%s\nGuide: %s\n", p.Name, tier, p.Summary, p.Section)
	for _, r := range p.Raise {
		fmt.Fprintln(e.out, catalogue.Raised(r))
	}
	if p.Phrase != "" {
		fmt.Fprintf(e.out, "Typed to confirm: %s\n", p.Phrase)
	}
	if !p.Built {
		fmt.Fprintln(e.out, "Not in this version.")
	}
	for _, g := range p.Guards {
		fmt.Fprintf(e.out, "guard   %s\n", guardText(g))
	}
	for _, s := range p.Steps {
		e.printStep(s)
	}
	if len(p.Back) > 0 {
		e.printBack(stepNumber(p.BackFrom))
		for _, s := range p.Back {
			e.printStep(s)
		}
	}
}

// printStep writes a step with its placeholders.
func (e *env) printStep(s cluster.Step) {
	const indent = "             "
	fmt.Fprintf(e.out, "%2s  %-8s %s\n", stepNumber(s.ID), s.On, or(s.Command, s.Say))
	e.printTerms(indent, stepTerms{s.ToDo, s.When, s.Phrase, s.EffectSay, s.Deadline, s.Joined, s.Destroys})
	for _, g := range s.Guards {
		fmt.Fprintf(e.out, indent+"guard %s\n", guardText(g))
	}
}

// stepNumber is a step's number in its ID: 1 of 1-aside.
func stepNumber(id string) string {
	number, _, _ := strings.Cut(id, "-")
	return number
}

// stepTerms are what a step has beside its command, bound or not.
type stepTerms struct {
	toDo      string
	when      *cluster.Question
	phrase    string
	effectSay string
	deadline  time.Duration
	joined    bool
	destroys  string
}

// printTerms writes them, a line each, in the words of the screen.
func (e *env) printTerms(indent string, s stepTerms) {
	line := func(format string, args ...any) { fmt.Fprintf(e.out, indent+format+"\n", args...) }
	if s.toDo != "" {
		line("by hand: %s", strings.ReplaceAll(strings.TrimSpace(s.toDo), "\n", "\n"+indent+"  "))
	}
	if s.when != nil {
		line("only while: %s", s.when)
	}
	if s.phrase != "" {
		line("asks before it begins for: %s", s.phrase)
	}
	switch {
	case s.effectSay != "":
		line("then: %s, within %s", s.effectSay, span(s.deadline))
	case s.deadline > 0:
		line("within %s", span(s.deadline))
	}
	if s.joined {
		line("at once after the step before: no stop between them")
	}
	if s.destroys != "" {
		line("destroys: %s", s.destroys)
	}
}

// printBack says when the steps that follow run by themselves.
func (e *env) printBack(from string) {
	fmt.Fprintf(e.out, "The way back, carried out if step %s or a later one does not end well:\n", from)
}

// guardText is a guard, with what may be typed instead.
func guardText(g cluster.Guard) string {
	if g.Override == "" {
		return g.Question.String()
	}
	return g.Question.String() + ", or type: " + g.Override
}

// span is a length of time without what is zero: 3m, 5m30s, 6h.
func span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// printPlan writes the bound plan: commands byte for byte, those of the
// way back too, and guards with answers.
func (e *env) printPlan(p cluster.Plan) {
	fmt.Fprintf(e.out, "%s   plan PLAN, %s\n%s\n\n", p.Title, p.Tier, p.Summary)
	for _, s := range p.Steps {
		e.printPlanStep(s)
	}
	if len(p.Back) > 0 {
		e.printBack(stepNumber(p.BackFrom))
		for _, s := range p.Back {
			e.printPlanStep(s)
		}
	}
	fmt.Fprintln(e.out)
	for _, g := range p.Guards {
		fmt.Fprintf(e.out, "guard  %-7s  %s\n", g.Answer.Truth, g.Answer.Sentence)
	}
	for _, c := range p.Copies {
		fmt.Fprintf(e.out, "copy   %s\n", c.Sentence)
	}
	for _, l := range [][2]string{{"Lost", p.Lost}, {"Kept", p.Kept}, {"Lasts", p.Lasts}, {"Back", p.WayBack}} {
		if l[1] != "" {
			fmt.Fprintf(e.out, "%-6s %s\n", l[0], l[1])
		}
	}
	if len(p.Phrases) > 0 {
		fmt.Fprintf(e.out, "Typed to confirm: %s\n", strings.Join(p.Phrases, ", then "))
	}
}

// printPlanStep writes one step of a plan.
func (e *env) printPlanStep(s cluster.PlanStep) {
	fmt.Fprintf(e.out, "%3s  %-6s %s\n", s.Number, s.Node, or(s.Command, s.Say))
	e.printTerms("            ", stepTerms{s.ToDo, s.When, s.Phrase, s.EffectSay, s.Deadline, s.Joined, s.Destroys})
}
