package scenario

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/cluster/recovery"
)

// matrix is what was tried of facts that change between plan and act.
type matrix struct {
	mu         sync.Mutex
	moments    map[string]bool // procedure and step
	guards     map[string]bool // procedure, step and guard: whether anything moved it
	facts      map[string]bool // the same by the guard's fact alone
	identities int
	refused    int // sessions in which something had changed
}

func newMatrix() *matrix {
	return &matrix{moments: map[string]bool{}, guards: map[string]bool{}, facts: map[string]bool{}}
}

// keep notes what is known before an intent, or when a plan was confirmed.
func (c *cockpit) keep(kind string, data any) error {
	switch d := data.(type) {
	case cluster.Intent:
		if d.Command == "" || d.Terminal {
			return nil
		}
		plans, _, err := journal.FindUnfinished(c.spec.Journal, clusterName)
		if err != nil {
			return err
		}
		for _, p := range plans {
			if p.Plan != d.Plan {
				continue
			}
			m := &moment{View: c.r.w.View(), Step: d.Step, Node: d.Node, Guards: d.Guards}
			m.Left = recovery.Left{Confirmed: p.Confirmed.Data, At: p.Confirmed.At, Output: p.Output}
			for _, r := range p.Records {
				m.Left.Records = append(m.Left.Records, recovery.LeftRecord{Kind: r.Kind, At: r.At, Data: r.Data})
			}
			c.say(event{What: "moment", Moment: m})
		}
	default:
		raw, err := json.Marshal(data)
		if err != nil || kind != "confirm" || c.seen == nil {
			return err
		}
		m := &moment{View: c.seen, Left: recovery.Left{Confirmed: raw, At: c.seen.Now}}
		if err := json.Unmarshal(raw, &struct{ Plan *cluster.Plan }{&m.Plan}); err == nil && m.Plan.ID != "" {
			m.Guards = m.Plan.Guards
			c.say(event{What: "moment", Moment: m})
		}
		c.seen = nil
	}
	return nil
}

// tryGuards holds a step at a kept moment against every single change of what
// was known: whatever lets a guard of it not hold is refused, says so, and
// nothing runs. Unchanged, the step acts.
func (x *matrix) tryGuards(t *testing.T, m moment) {
	var c struct{ Plan cluster.Plan }
	if err := json.Unmarshal(m.Left.Confirmed, &c); err != nil {
		t.Fatal(err)
	}
	m.Plan = c.Plan
	name := fmt.Sprintf("%s %s", m.Plan.Procedure, cmp.Or(m.Step, "confirmed"))
	x.mu.Lock()
	tried := x.moments[name]
	x.moments[name] = true
	x.mu.Unlock()
	if tried {
		return
	}
	steady := steadied(m.View)
	p := newPaper(m, steady, change{})
	if end, acted, err := p.goOn(m.Left); err != nil || !acted {
		t.Errorf("%s: nothing changed, and the step does not act: %v %s%s", name, err, end.Sentence, steps(end))
		return
	}
	m.Node = "" // a person acts: who the node is is not asked
	if len(p.ran) > 0 {
		m.Node, _, _ = strings.Cut(p.ran[0], " ")
	}
	refused := 0
	moved := x.moves(m, steady)
	for _, key := range slices.Sorted(maps.Keys(moved)) {
		mv := moved[key]
		left := m.Left
		if mv.c.left != nil {
			mv.c.left(&left)
		}
		p := newPaper(m, steady, mv.c)
		end, acted, err := p.goOn(left)
		switch {
		case err != nil:
			t.Errorf("%s: %s %s: %v", name, mv.c.where, mv.c.to, err)
		case acted || len(p.ran) > 0 || slices.Contains(p.records, "intent"):
			t.Errorf("%s: %s became %s, so that not %q, and it acted", name, mv.c.where, mv.c.to, mv.guard)
		case awaits(end), p.tells(end):
			refused++ // held before the step, and what for is said
		case end.Status != cluster.StatusRefused && end.Status != cluster.StatusUnknown && !strings.Contains(end.Sentence, "the way back stopped"):
			t.Errorf("%s: %s became %s: the plan is %s: %s", name, mv.c.where, mv.c.to, end.Status, end.Sentence)
		case !slices.ContainsFunc(mv.says, func(why string) bool { return strings.Contains(end.Sentence, why) }):
			t.Errorf("%s: %s became %s: said %q, not one of %q", name, mv.c.where, mv.c.to, end.Sentence, mv.says)
		default:
			refused++
		}
	}
	x.covered(t, name, m, moved)
	x.mu.Lock()
	x.refused += refused
	x.mu.Unlock()
	for _, back := range m.wayBack() {
		x.tryGuards(t, back)
	}
}

// awaits answers whether a plan waits, and says so: for the effects of a step
// without a command, or for a node that does not tell who it is.
func awaits(p cluster.PlanState) bool {
	return slices.ContainsFunc(p.Steps, func(s cluster.StepState) bool {
		return s.Status == cluster.StatusWaiting && (strings.HasPrefix(s.Sentence, "not yet: ") || strings.HasPrefix(s.Sentence, "waits for "))
	})
}

// move is a change that lets a guard, or who the node is, be no longer what the
// plan was made for.
type move struct {
	c     change
	guard string
	says  []string // one of these stands in the refusal
}

// identities are the claims that tell a node from another, and how it is said.
var identities = map[string]string{"host.key": "host key was", "host.name": "host name was", "host.machine-id": "machine id was", "host.boot-id": "boot id was"}

// moves finds one change for each guard, each claim that moves it, and each
// answer that it then gives.
func (x *matrix) moves(m moment, steady *cluster.View) map[string]move {
	out := map[string]move{}
	for _, c := range changes(steady, m.Plan.ID) {
		then := c.view(steady)
		if told, ok := identities[strings.TrimPrefix(c.where, m.Node+" ")]; ok && m.Node != "" {
			out["identity "+c.where+map[bool]string{true: " unknown"}[c.to == "unknown"]] = move{c, told, []string{told}}
			continue
		}
		var says, keys []string
		switch {
		case c.where == m.Node || strings.HasPrefix(c.where, "nobody but "):
			says = append(says, "is not the machine of the plan")
		case c.where == "the cluster":
			says = append(says, "the operators' lock: it is not held on ")
		}
		if m.Step == "" {
			says = append(says, "whether this step is due is unknown")
		}
		for _, g := range m.Guards {
			if g.Override != "" && slices.Contains(m.Plan.Phrases, g.Override) {
				continue
			}
			a := g.Ask(then, cluster.Binding{Node: g.Node, Service: m.Plan.Service, Plan: &m.Plan})
			if a.Truth == cluster.True {
				continue
			}
			says = append(says, a.Sentence)
			keys = append(keys, fmt.Sprintf("%s %s: %s %s", g.Node, g.Question, c.where, a.Truth))
		}
		for _, key := range keys {
			if _, there := out[key]; !there && !passes(m, steady, then) {
				out[key] = move{c, key, says}
			}
		}
	}
	return out
}

// passes answers whether a step is not due any more after a change: its guards
// are not asked then.
func passes(m moment, steady, then *cluster.View) bool {
	return slices.ContainsFunc(slices.Concat(m.Plan.Steps, m.Plan.Back), func(s cluster.PlanStep) bool {
		about := cluster.Binding{Node: cmp.Or(s.About, m.Plan.Node), Service: m.Plan.Service, Plan: &m.Plan}
		return s.When != nil && (m.Step == "" || s.ID == m.Step) && s.When.Ask(steady, about).Truth == cluster.True && s.When.Ask(then, about).Truth == cluster.False
	})
}

// covered notes which guards were moved by something, and holds that each part
// of who the node is was changed.
func (x *matrix) covered(t *testing.T, name string, m moment, moved map[string]move) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, g := range m.Guards {
		if g.Override != "" && slices.Contains(m.Plan.Phrases, g.Override) {
			continue // it does not hold even now: that was typed
		}
		about := fmt.Sprintf("%s %s: ", g.Node, g.Question)
		hit := slices.ContainsFunc(slices.Collect(maps.Keys(moved)), func(k string) bool { return strings.HasPrefix(k, about) })
		x.guards[name+" "+about] = hit
		x.facts[g.Fact] = x.facts[g.Fact] || hit
	}
	for claim := range identities {
		if m.Node == "" {
			break
		}
		if _, ok := moved["identity "+m.Node+" "+claim]; !ok {
			t.Errorf("%s: %s of %s was not changed", name, claim, m.Node)
		}
		x.identities++
	}
}

// complete holds that every step that acts, of every procedure, was tried.
func (x *matrix) complete(t *testing.T) {
	all, err := catalogue.Load(assets.Files, "catalogue")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all.Procedures {
		for _, s := range slices.Concat(p.Steps, p.Back) {
			if p.Built && s.Command != "" && s.Kind != cluster.StepTerminal && !x.moments[p.Name+" "+s.ID] {
				x.elsewhere(t, p, s)
			}
		}
	}
	for fact, moved := range x.facts {
		if f, _ := cluster.LookupFact(fact); !moved && !strings.HasPrefix(f.Doc, "Holds always") {
			t.Errorf("nothing that changes between plan and act moves the fact %s, in no step that asks for it: teach variants_test.go how", fact)
		}
	}
	t.Log(x)
}

// elsewhere holds of a step that no row comes to, which is for rare cases, that
// each of its guards was tried before other steps.
func (x *matrix) elsewhere(t *testing.T, p cluster.Procedure, s cluster.Step) {
	for _, g := range slices.Concat(p.Guards, s.Guards) {
		if f, _ := cluster.LookupFact(g.Fact); !x.facts[g.Fact] && !strings.HasPrefix(f.Doc, "Holds always") {
			t.Errorf("no row comes to step %s of %s, and its guard %s is tried nowhere else", s.ID, p.Name, g.Question)
		}
	}
	t.Logf("no row comes to step %s of %s: its guards were tried before other steps", s.ID, p.Name)
}

// String counts it.
func (x *matrix) String() string {
	var still []string
	for guard, moved := range x.guards {
		if !moved {
			still = append(still, guard)
		}
	}
	slices.Sort(still)
	return fmt.Sprintf("%d steps and confirmations, %d guards, %d parts of who a node is: %d changes between plan and act, all refused; guards that no single change moves there: %q",
		len(x.moments), len(x.guards), x.identities, x.refused, still)
}
