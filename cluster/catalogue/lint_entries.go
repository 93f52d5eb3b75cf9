package catalogue

import (
	"slices"
	"strings"
	"unicode/utf8"

	"chef-backend-cockpit/cluster"
)

// Placeholders that texts may hold. Values are worked out when a plan is made.
var (
	failureNames   = []string{"node", "address", "leader", "leader-address"}
	procedureNames = append([]string{"service", "plan"}, append(failureNames, ValueNames...)...)
)

// ValueNames are the further values that a plan works out for its texts and
// commands, beside node, address, service, leader, leader-address and plan.
var ValueNames = []string{"other", "other1", "other2", "other1-address", "other2-address", "data-size", "data-free", "member", "data-dir", "position", "role"}

// titleWidth is how many columns a title may take on the narrowest screen.
const titleWidth = 60

// ctlTexts is the service of signs in collected texts of chef-backend-ctl.
const ctlTexts = "ctl"

func (l *linter) sign(at place, e signEntry) cluster.Sign {
	l.need(at, "meaning", e.Meaning)
	l.need(at, "source", e.Source)
	for i, s := range e.Services {
		if !slices.Contains(cluster.Services, s) && s != ctlTexts {
			l.bad(at.item("services", i), "unknown service %q: one of %s, %s", s, strings.Join(cluster.Services, ", "), ctlTexts)
		}
	}
	if err := checkPattern(e.Pattern); err != nil {
		l.bad(at.key("pattern"), "%v", err)
	}
	return cluster.Sign{
		Name: e.Name, Services: e.Services, Pattern: e.Pattern,
		Meaning: strings.TrimSpace(e.Meaning), Source: strings.TrimSpace(e.Source), Local: at.file.site,
	}
}

func (l *linter) failure(at place, e failureEntry) cluster.Failure {
	text := func(key, value string) string {
		l.need(at, key, value)
		return l.text(at, key, value, failureNames)
	}
	l.oneOf(at, "scope", e.Scope, "node", "cluster")
	if utf8.RuneCountInString(e.Title) > titleWidth || strings.Contains(strings.TrimSpace(e.Title), "\n") {
		l.bad(at.key("title"), "the title must be one line of at most %d columns", titleWidth)
	}
	if len(e.Confirmed) == 0 {
		l.bad(at.key("confirmed"), "confirmed is missing: without a fact that confirms it a failure can only be suspected")
	}
	f := cluster.Failure{
		Name: e.Name, Scope: e.Scope, Section: text("section", e.Section), Title: text("title", e.Title),
		Cause: text("cause", e.Cause), Ignored: text("ignored", e.Ignored), Time: text("time", e.Time), First: text("first", e.First),
		Priority:  l.priority(at.key("priority"), e.Priority),
		Confirmed: l.questions(at, "confirmed", e.Confirmed), Suspected: l.questions(at, "suspected", e.Suspected),
		NotWhen: l.questions(at, "not-when", e.NotWhen), Shows: l.questions(at, "shows", e.Shows), Seen: e.Seen,
		SuspectedHold: l.duration(at.key("suspected-hold"), e.Suspect),
		Hold:          l.duration(at.key("hold"), e.Hold), Looks: e.Looks, Clear: e.Clear, Above: e.Above, Local: at.file.site,
	}
	if len(f.Confirmed) > 0 && !slices.ContainsFunc(f.Confirmed, func(q cluster.Question) bool { return !q.FromLogs() }) {
		l.bad(at.key("confirmed"), "a log can only raise a suspicion: add a fact that is looked at, or write this one under suspected")
	}
	for i, x := range e.Escalate {
		p := at.item("escalate", i)
		f.Escalate = append(f.Escalate, cluster.Escalation{When: l.question(p.key("when"), x.When), Priority: l.priority(p.key("priority"), x.Priority)})
	}
	for i, h := range e.Hides {
		l.oneOf(at.item("hides", i), "node", h.Node, "same", "any")
		f.Hides = append(f.Hides, cluster.Hide{Failure: h.Failure, Node: h.Node, Except: h.Except})
	}
	for _, o := range e.Offers {
		f.Offers = append(f.Offers, cluster.Offer{Procedure: o.Procedure, Service: o.Service, Note: strings.TrimSpace(o.Note), Upstream: o.Upstream})
	}
	for i, a := range e.Advice {
		place := at.item("advice", i)
		for _, p := range placeholders(a) {
			if !slices.Contains(failureNames, p) {
				l.bad(place, "unknown placeholder {%s}: known here are %s", p, braced(failureNames))
			}
		}
		f.Advice = append(f.Advice, strings.TrimSpace(a))
	}
	return f
}

func (l *linter) procedure(at place, e procedureEntry) cluster.Procedure {
	e.Built = e.Built || at.file.site
	text := func(key, value string) string { return l.text(at, key, value, procedureNames) }
	l.need(at, "section", e.Section)
	l.need(at, "title", e.Title)
	l.need(at, "summary", e.Summary)
	l.oneOf(at, "target", e.Target, "node", "service", "cluster")
	p := cluster.Procedure{
		Name: e.Name, Section: text("section", e.Section), Title: text("title", e.Title), Summary: text("summary", e.Summary),
		Target: e.Target, Tier: l.tier(at.key("tier"), e.Tier), Phrase: text("phrase", e.Phrase),
		Guards: l.guards(at, e.Guards), BackFrom: e.BackFrom,
		Lost: text("lost", e.Lost), Kept: text("kept", e.Kept), Lasts: text("lasts", e.Lasts), WayBack: text("way-back", e.WayBack),
		Built: e.Built, Local: at.file.site,
	}
	for i, r := range e.Raise {
		x := at.item("raise", i)
		p.Raise = append(p.Raise, cluster.TierRule{When: l.question(x.key("when"), r.When), Tier: l.tier(x.key("tier"), r.Tier), Phrase: l.text(x, "phrase", r.Phrase, procedureNames)})
	}
	if e.Built {
		l.confirmation(at, p)
	}
	p.Steps = l.steps(at, "steps", e.Steps, e)
	p.Back = l.steps(at, "back", e.Back, e)
	l.backFrom(at, p)
	return p
}

// confirmation checks that what is dangerous says so before it runs.
func (l *linter) confirmation(at place, p cluster.Procedure) {
	highest := p.Tier
	for _, r := range p.Raise {
		highest = max(highest, r.Tier)
		if r.Tier >= cluster.T2 && r.Phrase == "" && p.Phrase == "" {
			l.bad(at.key("raise"), "tier %s needs a phrase to type: add phrase", r.Tier)
		}
	}
	if p.Tier >= cluster.T2 && p.Phrase == "" {
		l.bad(at.key("phrase"), "phrase is missing: tier %s is confirmed by typing one", p.Tier)
	}
	if highest >= cluster.T2 {
		l.need(at, "lost", p.Lost)
		l.need(at, "lasts", p.Lasts)
		l.need(at, "way-back", p.WayBack)
	}
}

func (l *linter) guards(at place, list []guardEntry) []cluster.Guard {
	var out []cluster.Guard
	for i, g := range list {
		p := at.item("guards", i)
		if q, err := cluster.ParseQuestion(g.Fact); err == nil && q.FromLogs() {
			l.bad(p, "a log allows nothing: guard with a fact that is looked at")
		}
		out = append(out, cluster.Guard{Question: l.question(p, g.Fact), Override: l.text(at, "guards", g.Override, procedureNames)})
	}
	return out
}

func (l *linter) backFrom(at place, p cluster.Procedure) {
	if len(p.Back) == 0 && p.BackFrom == "" {
		return
	}
	for _, s := range p.Steps {
		if s.ID == p.BackFrom {
			return
		}
	}
	l.bad(at.key("back-from"), "back-from %q names no step of the procedure", p.BackFrom)
}

// references checks what can only be checked on the whole catalogue.
func (l *linter) references(c *Catalogue) {
	for _, f := range c.Failures {
		at := l.where["failure "+f.Name]
		for i, s := range f.Seen {
			if _, ok := l.where["sign "+s]; !ok {
				l.bad(at.item("seen", i), "unknown sign %q: define it under signs, or remove it", s)
			}
		}
		for i, h := range f.Hides {
			if !slices.ContainsFunc(c.Failures, func(o cluster.Failure) bool { return o.Name != f.Name && h.Matches(o.Name) }) {
				l.bad(at.item("hides", i), "hides %q, which matches no other failure", h.Failure)
			}
			for _, x := range h.Except {
				if _, known := l.where["failure "+x]; !known {
					l.bad(at.item("hides", i).key("except"), "excepts unknown failure %q: check the spelling, or remove it", x)
				}
			}
		}
		for i, o := range f.Offers {
			l.offer(at.item("offers", i), c, o)
		}
	}
}

func (l *linter) offer(at place, c *Catalogue, o cluster.Offer) {
	i := slices.IndexFunc(c.Procedures, func(p cluster.Procedure) bool { return p.Name == o.Procedure })
	switch {
	case i < 0:
		l.bad(at.key("procedure"), "offers unknown procedure %q: define it under procedures, with `built: false` if need be", o.Procedure)
	case c.Procedures[i].Target == "service" && !slices.Contains(cluster.Services, o.Service):
		l.bad(at.key("service"), "procedure %q needs a service: one of %s", o.Procedure, strings.Join(cluster.Services, ", "))
	case c.Procedures[i].Target != "service" && o.Service != "":
		l.bad(at.key("service"), "procedure %q takes no service: remove it", o.Procedure)
	case c.Procedures[i].Target == "cluster" && o.Upstream:
		l.bad(at.key("upstream"), "procedure %q is for the cluster, not for a node: remove it", o.Procedure)
	}
}
