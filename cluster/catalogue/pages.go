package catalogue

import (
	"fmt"
	"strings"

	"chef-backend-cockpit/cluster"
)

// FailurePage describes a failure in Markdown from its entry alone: what it
// means, what confirms it, what to do first. The texts keep {node} and the like.
func FailurePage(f cluster.Failure) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s, %s\n\n%s.\n\n", f.Name, f.Priority, strings.TrimSuffix(f.Title, "."))
	for _, row := range [][2]string{
		{"Cause", f.Cause}, {"Ignored", f.Ignored}, {"Time", f.Time}, {"Do first", f.First}, {"Guide", f.Section},
	} {
		if row[1] != "" {
			fmt.Fprintf(&b, "- %s: %s\n", row[0], row[1])
		}
	}
	for _, e := range f.Escalate {
		fmt.Fprintf(&b, "- %s where %s\n", e.Priority, asks(e.When))
	}
	questions(&b, "Confirmed when all are true", f.Confirmed)
	questions(&b, "Suspected when one is true", f.Suspected)
	questions(&b, "Not when one is true", f.NotWhen)
	if len(f.Seen) > 0 {
		fmt.Fprintf(&b, "\nLines of the logs that raise a suspicion: %s\n", codes(f.Seen))
	}
	if len(f.Offers) > 0 {
		b.WriteString("\nOffered:\n\n")
		for _, o := range f.Offers {
			fmt.Fprintf(&b, "- `%s`%s%s\n", o.Procedure, before(" ", o.Service), before(": ", o.Note))
		}
	}
	for _, a := range f.Advice {
		fmt.Fprintf(&b, "\n%s\n", a)
	}
	return b.String()
}

// SignsPage lists the lines of the logs that are recognised, with what each
// means, where the pattern comes from, and the pattern itself.
func SignsPage(all []cluster.Sign) string {
	var b strings.Builder
	b.WriteString("# Lines of the logs that are recognised\n\nA line raises a suspicion at most; only a look at the nodes confirms.\n")
	for _, s := range all {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n- Services: %s\n", s.Name, s.Meaning, or(strings.Join(s.Services, ", "), "every one"))
		if s.Source != "" {
			fmt.Fprintf(&b, "- Source: %s\n", s.Source)
		}
		fmt.Fprintf(&b, "\n        %s\n", s.Pattern)
	}
	return b.String()
}

// ProcedurePage describes a procedure in Markdown from its entry alone: tier,
// guards, every step with command and effect, and the way back.
func ProcedurePage(p cluster.Procedure) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s, %s\n\n%s. %s\n\n", p.Name, p.Tier, strings.TrimSuffix(p.Title, "."), p.Summary)
	confirm := map[cluster.Tier]string{cluster.T0: "nothing: it only reads", cluster.T1: "`y`"}[p.Tier]
	if p.Phrase != "" {
		confirm = "`" + p.Phrase + "`, typed by hand"
	}
	for _, row := range [][2]string{
		{"Confirmed by", confirm}, {"Lost", p.Lost}, {"Kept", p.Kept}, {"Lasts", p.Lasts}, {"Way back", p.WayBack}, {"Guide", p.Section},
	} {
		if row[1] != "" {
			fmt.Fprintf(&b, "- %s: %s\n", row[0], row[1])
		}
	}
	for _, r := range p.Raise {
		fmt.Fprintf(&b, "- %s%s\n", Raised(r), before(": ", factDoc(r.When)))
	}
	guards(&b, "Must hold before every step", p.Guards)
	steps(&b, "Steps", p.Steps)
	steps(&b, "Way back, carried out when a step does not end well", p.Back)
	meanings(&b, p)
	return b.String()
}

// Raised says when a procedure has a higher tier than its own, and what is typed
// then.
func Raised(r cluster.TierRule) string {
	where := "where `" + r.When.String() + "` holds or is not known"
	if holds := r.When; holds.Not {
		holds.Not = false
		where = "where `" + holds.String() + "` does not hold for certain"
	}
	return r.Tier.String() + ", confirmed by `" + r.Phrase + "`, " + where
}

// steps lists steps with what each runs and what proves it.
func steps(b *strings.Builder, head string, all []cluster.Step) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s\n", head)
	for i, s := range all {
		fmt.Fprintf(b, "\n%d. %s%s\n", i+1, or(s.Say, s.ID), before(", on ", s.On))
		switch {
		case s.Kind == cluster.StepManual:
			fmt.Fprintf(b, "\n    By hand: %s\n", strings.ReplaceAll(strings.TrimSpace(s.ToDo), "\n", "\n    "))
		case s.Command != "":
			fmt.Fprintf(b, "\n        %s\n", strings.ReplaceAll(strings.TrimSpace(s.Command), "\n", "\n        "))
		}
		if len(s.Guards) > 0 {
			fmt.Fprintf(b, "\n    Only if: %s\n", conditions(s.Guards))
		}
		if s.When != nil {
			fmt.Fprintf(b, "\n    Left out while this is false: %s\n", asks(*s.When))
		}
		if s.Phrase != "" {
			fmt.Fprintf(b, "\n    Asks before it begins for: `%s`, typed by hand\n", s.Phrase)
		}
		if s.Destroys != "" {
			fmt.Fprintf(b, "\n    Cannot be brought back: %s\n", s.Destroys)
		}
		if s.EffectSay != "" {
			fmt.Fprintf(b, "\n    Then: %s, within %s\n", s.EffectSay, s.Deadline)
		}
	}
}

// conditions are guards as the catalogue writes them, with what may be typed
// where one does not hold.
func conditions(all []cluster.Guard) string {
	words := make([]string, 0, len(all))
	for _, g := range all {
		w := "`" + g.String() + "`"
		if g.Override != "" {
			w += " (or `" + g.Override + "` is typed)"
		}
		words = append(words, w)
	}
	return strings.Join(words, ", ")
}

// meanings says of every guard of a step what it asks.
func meanings(b *strings.Builder, p cluster.Procedure) {
	told, said := map[string]bool{}, ""
	for _, s := range append(append([]cluster.Step{}, p.Steps...), p.Back...) {
		for _, g := range s.Guards {
			if f, ok := cluster.LookupFact(g.Fact); ok && !told[g.Fact] {
				told[g.Fact] = true
				said += fmt.Sprintf("- `%s`: %s\n", g.Fact, f.Doc)
			}
		}
	}
	if said != "" {
		fmt.Fprintf(b, "\n## What the conditions ask\n\n%s", said)
	}
}

// guards lists what must hold, with what may be typed where it does not.
func guards(b *strings.Builder, head string, all []cluster.Guard) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s:\n\n", head)
	for _, g := range all {
		fmt.Fprintf(b, "- %s%s\n", conditions([]cluster.Guard{g}), before(": ", factDoc(g.Question)))
	}
}

// questions lists facts with the sentence that documents each.
func questions(b *strings.Builder, head string, all []cluster.Question) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s:\n\n", head)
	for _, q := range all {
		fmt.Fprintf(b, "- %s\n", asks(q))
	}
}

// asks is a question as the catalogue writes it, with what its fact means.
func asks(q cluster.Question) string {
	return "`" + q.String() + "`" + before(": ", factDoc(q))
}

// factDoc is what the fact of a question means; "" where there is none of that name.
func factDoc(q cluster.Question) string {
	f, _ := cluster.LookupFact(q.Fact)
	return f.Doc
}

func before(mark, s string) string {
	if s == "" {
		return ""
	}
	return mark + s
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
