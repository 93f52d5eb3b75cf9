package recovery

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"chef-backend-cockpit/cluster"
)

// placeholderID stands for a plan's id in a dry run.
const placeholderID = "PLAN"

// Bind binds a procedure to a node as the view shows it, without asking any
// node: the dry run, the menu, what is missing. Such a plan cannot be confirmed.
func (x *Executor) Bind(v *cluster.View, procedure, node, service string) (cluster.Plan, error) {
	p, err := x.procedure(procedure)
	if err != nil {
		return cluster.Plan{}, err
	}
	plan, _, err := bind(v, p, node, service, placeholderID)
	return plan, err
}

// bind fills a procedure's braces, asks its guards and settles tier and
// phrases. general are the guards that hold before every step.
func bind(v *cluster.View, p cluster.Procedure, node, service, id string) (plan cluster.Plan, general []cluster.Guard, err error) {
	if err := fits(v, p, node, service); err != nil {
		return plan, nil, err
	}
	b := &binder{v: v, p: p, node: node, service: service, values: values(v, node, service, id)}
	plan = cluster.Plan{
		ID: id, Procedure: p.Name, Section: p.Section, Node: node, Service: service,
		Title: b.text(p.Title), Summary: b.text(p.Summary), Values: b.values,
		BackFrom: p.BackFrom, Made: v.Now, Snapshot: v.Snapshot.Seq,
		Lasts: b.text(p.Lasts), WayBack: b.text(p.WayBack),
	}
	if err := b.steps(&plan); err != nil {
		return cluster.Plan{}, nil, err
	}
	general = b.guards(p.Guards)
	plan.Guards = b.checked(&plan, general)
	if err := b.grade(&plan); err != nil {
		return cluster.Plan{}, nil, err
	}
	for _, g := range b.harmless(&plan) {
		general = append(general, g.Guard)
		plan.Guards = append(plan.Guards, g)
	}
	b.say(&plan)
	return plan, general, nil
}

// fits checks that the procedure is given what it is about.
func fits(v *cluster.View, p cluster.Procedure, node, service string) error {
	if v == nil || v.Snapshot == nil {
		return fmt.Errorf("%s: no node has been looked at yet", p.Name)
	}
	_, there := v.Snapshot.Node(node)
	switch {
	case node == "" && p.Target != "cluster":
		return fmt.Errorf("%s is about one node: name it", p.Name)
	case node != "" && !there:
		return fmt.Errorf("%s: the cluster has no node %q", p.Name, node)
	case p.Target == "service" && !slices.Contains(cluster.Services, service):
		return fmt.Errorf("%s is about one service: name one of %s", p.Name, strings.Join(cluster.Services, ", "))
	}
	return nil
}

// binder is one binding at work.
type binder struct {
	v             *cluster.View
	p             cluster.Procedure
	node, service string
	values        map[string]string
}

var brace = regexp.MustCompile(`\{[a-z][a-z0-9-]*\}`)

// fill replaces the braces of a text whose value is known.
func fill(s string, values map[string]string) string {
	return brace.ReplaceAllStringFunc(s, func(b string) string {
		if value, ok := values[b[1:len(b)-1]]; ok {
			return value
		}
		return b
	})
}

// inWords stand in texts, never in commands, for values that are not known.
var inWords = map[string]string{"leader": "the leader", "leader-address": "the leader's address", "data-size": "of unknown size"}

func (b *binder) text(s string) string { return fill(fill(s, b.values), inWords) }

// plain is what a value inside a command may hold: nothing that a shell reads.
var plain = regexp.MustCompile(`^[A-Za-z0-9._:-]+$`)

// command fills a command's braces, with harmless values only: names and
// addresses come from nodes, and a shell is going to read them.
func (b *binder) command(s string) (string, error) {
	for _, m := range brace.FindAllString(s, -1) {
		name := m[1 : len(m)-1]
		if value, ok := b.values[name]; ok && (!plain.MatchString(value) || value[0] == '-') {
			return "", fmt.Errorf("%s: %s is %q, which no command may hold", b.p.Name, name, value)
		}
	}
	return fill(s, b.values), nil
}

// steps binds the steps and the steps back.
func (b *binder) steps(plan *cluster.Plan) error {
	var err error
	if plan.Steps, err = b.bound(b.p.Steps); err != nil {
		return err
	}
	plan.Back, err = b.bound(b.p.Back)
	return err
}

func (b *binder) bound(steps []cluster.Step) ([]cluster.PlanStep, error) {
	var out []cluster.PlanStep
	for _, s := range steps {
		when := s.When
		if when != nil && when.Fact == "service-is" {
			// Which service it is does not change: settled here, not when it runs.
			if when.Ask(b.v, cluster.Binding{Node: b.node, Service: b.service}).Truth != cluster.True {
				continue
			}
			when = nil
		}
		command, err := b.command(s.Command)
		if err != nil {
			return nil, err
		}
		phrase := fill(s.Phrase, b.values)
		if brace.MatchString(phrase) {
			return nil, fmt.Errorf("%s: step %s is confirmed by a phrase, and %q is none", b.p.Name, s.ID, phrase)
		}
		number, _, _ := strings.Cut(s.ID, "-")
		node, about := b.on(s)
		out = append(out, cluster.PlanStep{
			ID: s.ID, Kind: s.Kind, ToDo: b.text(s.ToDo), Phrase: phrase, Say: b.text(s.Say), Number: number,
			Node: node, About: about, Command: command,
			Guards: b.guards(s.Guards), When: when, Effects: b.questions(s.Effects),
			EffectSay: b.text(s.EffectSay), Deadline: s.Deadline, Repeatable: s.Repeatable,
			Destroys: b.text(s.Destroys), Joined: s.Joined, NewMachine: s.NewMachine,
		})
	}
	return out, nil
}

// on is the node that a step is carried out on, "" for a computed one; about is
// the node that its questions are about where that is not the plan's own: a
// further node, and each step's where the plan is about the whole cluster.
func (b *binder) on(s cluster.Step) (on, about string) {
	node := b.node
	if s.On != "" && s.On != "node" {
		node = b.values[s.On]
	}
	if b.node == "" || s.On == "other1" || s.On == "other2" {
		about = node
	}
	if s.Command == "" && (s.Kind != cluster.StepManual || s.On == "") {
		return "", about
	}
	return node, about
}

func (b *binder) questions(qs []cluster.Question) []cluster.Question {
	var out []cluster.Question
	for _, q := range qs {
		out = append(out, question(q, b.values))
	}
	return out
}

// question fills the braces of a question's arguments.
func question(q cluster.Question, values map[string]string) cluster.Question {
	var args []string
	for _, a := range q.Args {
		args = append(args, fill(a, values))
	}
	q.Args = args
	return q
}

// guards binds guards; one with {other} becomes one for each other node.
func (b *binder) guards(gs []cluster.Guard) []cluster.Guard {
	var out []cluster.Guard
	for _, g := range gs {
		if !slices.Contains(g.Args, "{other}") {
			out = append(out, cluster.Guard{Question: question(g.Question, b.values), Override: b.text(g.Override)})
			continue
		}
		for _, n := range b.v.Snapshot.Nodes {
			if n.Name == b.node {
				continue
			}
			other := map[string]string{"other": n.Name, "node": n.Name}
			out = append(out, cluster.Guard{Question: question(g.Question, other), Override: fill(g.Override, other)})
		}
	}
	return out
}

// grade settles tier and phrases. What a higher tier makes graver is not to be
// repeated either, and a phrase that says nothing confirms nothing.
func (b *binder) grade(plan *cluster.Plan) error {
	plan.Tier, plan.Phrases = b.tier(plan)
	if plan.Tier > b.p.Tier {
		for i := range plan.Steps {
			plan.Steps[i].Repeatable = false
		}
	}
	for _, phrase := range plan.Phrases {
		if phrase == "" || brace.MatchString(phrase) {
			return fmt.Errorf("%s: %s is confirmed by a phrase, and %q is none", b.p.Name, plan.Tier, phrase)
		}
	}
	return nil
}

// harmless are the guards that keep a plan at its tier: what would have raised
// it, had it been so when the plan was made, must not have come true since.
func (b *binder) harmless(plan *cluster.Plan) []cluster.CheckedGuard {
	var out []cluster.Guard
	for _, r := range b.p.Raise {
		if r.Tier > plan.Tier {
			q := question(r.When, b.values)
			q.Not = !q.Not
			out = append(out, cluster.Guard{Question: q})
		}
	}
	return ask(b.v, binding(plan), out)
}

// tier raises the tier where a rule is true or unknown, and lists what has to
// be typed: an override for each guard that does not hold, then the phrase.
func (b *binder) tier(plan *cluster.Plan) (cluster.Tier, []string) {
	tier, phrase := b.p.Tier, b.text(b.p.Phrase)
	for _, r := range b.p.Raise {
		if r.When.Ask(b.v, binding(plan)).Truth == cluster.False {
			continue
		}
		if r.Tier > tier {
			tier = r.Tier
			if r.Phrase != "" {
				phrase = b.text(r.Phrase)
			}
		}
		break
	}
	var phrases []string
	for _, g := range plan.Guards {
		if g.Answer.Truth != cluster.True && g.Override != "" && !slices.Contains(phrases, g.Override) {
			phrases = append(phrases, g.Override)
		}
	}
	switch tier {
	case cluster.T0:
	case cluster.T1:
		phrases = append(phrases, "y")
	default:
		phrases = append(phrases, phrase)
	}
	return tier, phrases
}
