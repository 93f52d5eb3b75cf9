package catalogue

import (
	"slices"
	"strings"

	"chef-backend-cockpit/cluster"
)

// further are the words for a node that cannot be the plan's own.
var further = []string{"other1", "other2"}

// steps reads the steps of a procedure, or its steps back.
func (l *linter) steps(at place, key string, list []stepEntry, e procedureEntry) []cluster.Step {
	var out []cluster.Step
	seen, asked := map[string]bool{}, map[string]bool{}
	for i, s := range list {
		p := at.item(key, i)
		if s.ID == "" || seen[s.ID] {
			l.bad(p.key("id"), "step id %q: give every step of a procedure its own", s.ID)
		}
		seen[s.ID] = true
		step := l.step(p, s)
		l.kind(p, step, e)
		asked[step.On] = asked[step.On] || step.Phrase != ""
		if step.Command != "" && slices.Contains(further, step.On) && grave(e) && !asked[step.On] && key != "back" {
			l.bad(p.key("phrase"), "phrase is missing: from T2 on a plan that reaches a further node waits until somebody types for it, as \"{%s}\"", step.On)
			asked[step.On] = true
		}
		l.held(p, step, key == "back")
		out = append(out, step)
	}
	if key == "steps" {
		l.typedInTime(at, out, e)
	}
	return out
}

// typedInTime checks that words which may be typed instead of a guard can be:
// they are asked for before a plan begins, with the guards up to its first act.
func (l *linter) typedInTime(at place, steps []cluster.Step, e procedureEntry) {
	asked, begun := map[string]bool{}, false
	for _, g := range e.Guards {
		asked[g.Override+" "+g.Fact] = true
	}
	for i, s := range steps {
		for j, g := range s.Guards {
			key := g.Override + " " + g.Question.String()
			if begun && g.Override != "" && !asked[key] {
				l.bad(at.item("steps", i).item("guards", j), "%q could never be typed: it is asked for before the plan begins; name this guard before the first step that acts as well, or remove the override", g.Override)
			}
			asked[key] = true
		}
		begun = begun || s.Command != "" || s.Kind == cluster.StepManual
	}
}

// step turns an entry into a value.
func (l *linter) step(at place, s stepEntry) cluster.Step {
	text := func(key, value string) string { return l.text(at, key, value, procedureNames) }
	l.need(at, "say", s.Say)
	step := cluster.Step{
		ID: s.ID, Kind: cluster.StepKind(s.Kind), ToDo: text("to-do", s.ToDo), Phrase: text("phrase", s.Phrase), Say: text("say", s.Say), On: s.On,
		Command: text("command", s.Command), Guards: l.guards(at, s.Guards), Effects: l.questions(at, "effects", s.Effects), EffectSay: text("effect-say", s.EffectSay),
		Deadline: l.duration(at.key("deadline"), s.Deadline), Repeatable: s.Repeatable, Destroys: text("destroys", s.Destroys), Joined: s.Joined, NewMachine: s.NewMachine,
	}
	if s.When != "" {
		q := l.question(at.key("when"), s.When)
		step.When = &q
	}
	return step
}

// kind checks what a step of its kind needs.
func (l *linter) kind(at place, s cluster.Step, e procedureEntry) {
	if s.Kind != cluster.StepCommand {
		l.oneOf(at, "kind", string(s.Kind), string(cluster.StepManual), string(cluster.StepTerminal))
	}
	if s.Kind != cluster.StepManual && s.ToDo != "" {
		l.bad(at.key("to-do"), "to-do is for a person: add `kind: manual`, or remove it")
	}
	switch {
	case s.Kind == cluster.StepManual:
		l.manual(at, s)
	case s.Kind == cluster.StepTerminal && s.Command == "":
		l.bad(at.key("command"), "a terminal step needs a command: it is what runs in the terminal")
	case s.Command != "":
		l.command(at, s, e)
	}
}

// manual checks a step that a person carries out: what to do, and until when
// what came of it is looked for.
func (l *linter) manual(at place, s cluster.Step) {
	l.need(at, "to-do", s.ToDo)
	if s.Command != "" {
		l.bad(at.key("command"), "a manual step runs no command: a person does it")
	}
	if s.On != "" {
		l.oneOf(at, "on", s.On, append([]string{"node", "leader", "member"}, further...)...)
	}
	if s.Deadline <= 0 {
		l.bad(at.key("deadline"), "a manual step needs a deadline, as 10m: until then its effects are looked for once it is ticked")
	}
}

// command checks a step that acts. It needs a guard (its own or the
// procedure's), an effect or, failing that, the words that say what is shown,
// and a deadline.
func (l *linter) command(at place, s cluster.Step, e procedureEntry) {
	l.oneOf(at, "on", s.On, append([]string{"node", "leader", "member"}, further...)...)
	if len(s.Guards)+len(e.Guards) == 0 {
		l.bad(at.key("guards"), "a step that acts needs a guard: name a fact that must hold just before it")
	}
	if len(s.Effects) == 0 && s.EffectSay == "" {
		l.bad(at.key("effects"), "a step that acts needs an effect: name a fact that proves that it worked")
	}
	if s.Deadline <= 0 {
		l.bad(at.key("deadline"), "a step that acts needs a deadline, as 60s")
	}
	if strings.Contains(s.Command, "\n") {
		l.bad(at.key("command"), "a command is one line: what is shown is what runs")
	}
	if e.Tier == "T0" {
		l.bad(at.key("command"), "a procedure of tier T0 runs no command: raise its tier")
	}
}

// held checks that nothing waits for a person where waiting would leave things
// half way.
func (l *linter) held(at place, s cluster.Step, back bool) {
	holds := s.Phrase != "" || s.Kind != cluster.StepCommand
	switch {
	case holds && s.Joined:
		l.bad(at.key("joined"), "a joined step follows at once: it takes no phrase and no person")
	case holds && back:
		l.bad(at.key("id"), "the way back waits for nobody: no phrase and no kind there")
	}
	if s.NewMachine && (s.Phrase == "" || s.On == "") {
		l.bad(at.key("new-machine"), "new-machine needs `on` and a phrase: who the machine is now is shown and confirmed with it")
	}
}

// grave answers whether a procedure may be of tier T2 or above.
func grave(e procedureEntry) bool {
	high := func(tier string) bool { return tier == "T2" || tier == "T3" }
	return high(e.Tier) || slices.ContainsFunc(e.Raise, func(r raiseEntry) bool { return high(r.Tier) })
}
