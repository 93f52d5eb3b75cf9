package catalogue

import (
	"slices"
	"strings"

	"chef-backend-cockpit/cluster"
)

// A site adds to the catalogue and takes nothing away: its entries have names
// of their own, hide nothing that is built in, and its procedures are at least
// as hard to confirm, and at least as guarded, as what is built in.

// siteGuards hold before every step of a site's procedure, whatever it says.
var siteGuards = []string{"cluster-of-three", "version-supported", "no-two-primaries-seen", "no-sync-anywhere"}

// leastTiers are the lowest tiers of what a command of chef-backend-ctl may be
// called in, by what it can destroy (vendor documentation, chef-backend-ctl).
// One that is not listed counts as T3.
var leastTiers = map[string]cluster.Tier{
	"status": cluster.T0, "cluster-status": cluster.T0, "service-list": cluster.T0, "help": cluster.T0,
	"gather-logs": cluster.T1, "restart": cluster.T1, "start": cluster.T1, "hup": cluster.T1,
	"stop": cluster.T2, "term": cluster.T2, "kill": cluster.T2, "reconfigure": cluster.T2, "backup": cluster.T2,
	"pgsql-follow": cluster.T2,
}

// looking are programs that only look when nothing is redirected.
var looking = []string{"cat", "df", "du", "head", "ls", "ps", "ss", "stat", "tail", "uptime", "free"}

// destroying are programs that can take away what no copy brings back.
var destroying = []string{"rm", "dd", "mkfs", "shred", "truncate", "wipefs", "dropdb", "pg_resetwal", "pg_resetxlog", "etcdctl"}

// ownFolder is where the cockpit keeps its own state on a node.
const ownFolder = "/var/opt/chef-backend-cockpit"

// site checks what was added by the site against what is built in.
func (l *linter) site(c *Catalogue) {
	for i := range c.Failures {
		if f := &c.Failures[i]; f.Local {
			l.siteFailure(c, f)
			f.Title += " (local)"
		}
	}
	for i := range c.Procedures {
		if p := &c.Procedures[i]; p.Local {
			l.siteProcedure(c, p)
			p.Title += " (local)"
		}
	}
}

func (l *linter) siteFailure(c *Catalogue, f *cluster.Failure) {
	at := l.where["failure "+f.Name]
	if f.Above {
		l.bad(at.key("above"), "a failure of the site cannot stand above those that are built in: remove above")
	}
	for i, h := range f.Hides {
		for _, o := range c.Failures {
			if !o.Local && h.Matches(o.Name) && !slices.Contains(h.Except, o.Name) {
				l.bad(at.item("hides", i), "a failure of the site cannot hide %s, which is built in: name failures of the site only", o.Name)
				break
			}
		}
	}
}

func (l *linter) siteProcedure(c *Catalogue, p *cluster.Procedure) {
	at := l.where["procedure "+p.Name]
	l.siteSteps(c, at, "steps", p.Tier, p.Steps)
	l.siteSteps(c, at, "back", p.Tier, p.Back)
	if p.Tier >= cluster.T2 && p.Target != "cluster" && !strings.Contains(p.Phrase, "{node}") {
		l.bad(at.key("phrase"), "the phrase has to name what it is about: put {node} into it")
	}
	if !acts(p) {
		return
	}
	for _, name := range siteGuards {
		g := cluster.Guard{Question: l.question(at, name)}
		if !slices.ContainsFunc(p.Guards, func(o cluster.Guard) bool { return o.Question.String() == name && o.Override == "" }) {
			p.Guards = append(p.Guards, g)
		}
	}
	l.inherit(c, p)
}

// acts answers whether a procedure runs any command.
func acts(p *cluster.Procedure) bool {
	return slices.ContainsFunc(slices.Concat(p.Steps, p.Back), func(s cluster.Step) bool { return s.Command != "" })
}

func (l *linter) siteSteps(c *Catalogue, at place, key string, tier cluster.Tier, steps []cluster.Step) {
	for i, s := range steps {
		p := at.item(key, i).key("command")
		if strings.Contains(s.Command, ownFolder) {
			l.bad(p, "%s belongs to the cockpit: use another folder", ownFolder)
		}
		if least := leastTier(s.Command); s.Command != "" && tier < least {
			l.bad(p, "this command is %s at least, the procedure is %s: raise its tier", least, tier)
		}
		if s.On != "" && s.On != "node" && tier < cluster.T3 && slices.ContainsFunc(subcommands(s.Command), func(sub string) bool { return len(fromBuiltIn(c, sub).raise) > 0 }) {
			l.bad(p, "on %q this command may hit the leader, and is T3 there: raise the tier of the procedure, or run it on node", s.On)
		}
	}
}

// leastTier is the lowest tier in which a command may run. Every word counts:
// what is quoted or piped can run as well.
func leastTier(command string) cluster.Tier {
	words := commandWords(command)
	least := cluster.T2 // of what is not known to be harmless
	if len(words) > 0 && slices.Contains(looking, words[0]) && !strings.ContainsAny(command, ";|&<>`$()\n") {
		least = cluster.T0
	}
	ctl := false
	for i, w := range words {
		base := w[strings.LastIndexByte(w, '/')+1:]
		switch {
		case base == "chef-backend-ctl":
			sub := cluster.T3
			if i+1 < len(words) {
				if t, known := leastTiers[words[i+1]]; known {
					sub = t
				}
			}
			if !ctl && i == 0 && !strings.ContainsAny(command, ";|&<>`$()\n") {
				least = cluster.T0 // nothing but this command runs
			}
			ctl, least = true, max(least, sub)
		case slices.Contains(destroying, base):
			least = cluster.T3
		}
	}
	return least
}
