package catalogue

import (
	"slices"
	"strings"

	"chef-backend-cockpit/cluster"
)

// What is built in and runs a command of chef-backend-ctl has reasons for its
// tier and its guards. They go with the command: a site that calls it is raised
// where what is built in would be, and asks what everything built in asks that
// runs it.

// inherited are the rules and guards that go with one command of chef-backend-ctl.
type inherited struct {
	raise  []cluster.TierRule
	guards []cluster.Guard
}

// inherit lets a site's procedure have what its commands bring with them.
func (l *linter) inherit(c *Catalogue, p *cluster.Procedure) {
	var raise []cluster.TierRule
	for _, steps := range [][]cluster.Step{p.Steps, p.Back} {
		for i := range steps {
			for _, sub := range subcommands(steps[i].Command) {
				in := fromBuiltIn(c, sub)
				steps[i].Guards = joinGuards(steps[i].Guards, in.guards)
				raise = append(raise, in.raise...)
			}
		}
	}
	p.Raise = append(raise, p.Raise...) // the first that is true wins
}

// fromBuiltIn collects the guards that every built-in step asks that runs a
// command of chef-backend-ctl, and the rules of all that raise them.
func fromBuiltIn(c *Catalogue, sub string) (in inherited) {
	found := false
	for _, p := range c.Procedures {
		if p.Local {
			continue
		}
		before, runs := slices.Clone(p.Guards), false
		for _, s := range p.Steps {
			guards := append(slices.Clone(before), s.Guards...)
			switch {
			case s.Command == "" && s.Kind != cluster.StepManual:
				before = guards // looked at before anything runs
			case slices.Contains(subcommands(s.Command), sub):
				in.guards, found, runs = common(in.guards, guards, found), true, true
			}
		}
		if runs {
			in.raise = append(in.raise, p.Raise...)
		}
	}
	return in
}

// common are the guards that stand in both lists, without those about steps of
// the procedure itself; the first list counts only where it is one.
func common(a, b []cluster.Guard, listed bool) (out []cluster.Guard) {
	for _, g := range b {
		same := func(o cluster.Guard) bool { return o.Question.String() == g.Question.String() }
		if strings.HasPrefix(g.Fact, "step-") || slices.ContainsFunc(out, same) || listed && !slices.ContainsFunc(a, same) {
			continue
		}
		out = append(out, g)
	}
	return out
}

// joinGuards adds guards to those of a step. Where both ask the same, what is
// built in says by which words it may be overridden.
func joinGuards(own, more []cluster.Guard) []cluster.Guard {
	out := slices.DeleteFunc(slices.Clone(own), func(o cluster.Guard) bool {
		return slices.ContainsFunc(more, func(g cluster.Guard) bool { return g.Question.String() == o.Question.String() })
	})
	return append(out, more...)
}

// commandWords are all words of a command that may be run: what is quoted or
// piped can run as well.
func commandWords(command string) []string {
	return strings.FieldsFunc(command, func(r rune) bool { return strings.ContainsRune(" \t\n;|&()<>\"'`$={}", r) })
}

// subcommands are the commands of chef-backend-ctl in a command line.
func subcommands(command string) (out []string) {
	words := commandWords(command)
	for i, w := range words {
		if w[strings.LastIndexByte(w, '/')+1:] == "chef-backend-ctl" && i+1 < len(words) {
			out = append(out, words[i+1])
		}
	}
	return out
}
