package recovery

import (
	"cmp"

	"chef-backend-cockpit/cluster"
)

// checked asks the general guards and those of the steps up to the first one
// that acts: what must hold for the plan to begin. A step that is not due now
// asks nothing.
func (b *binder) checked(plan *cluster.Plan, general []cluster.Guard) []cluster.CheckedGuard {
	var out []cluster.CheckedGuard
	for _, s := range plan.Steps {
		if s.When != nil && s.When.Ask(b.v, bound(plan, s)).Truth == cluster.False {
			continue
		}
		out = append(out, askAll(b.v, plan, s, general)...)
		if s.Command != "" || s.Kind == cluster.StepManual {
			break
		}
	}
	if len(out) == 0 {
		out = ask(b.v, binding(plan), general)
	}
	return distinct(out)
}

// distinct keeps the first of guards that ask the same of the same node.
func distinct(gs []cluster.CheckedGuard) []cluster.CheckedGuard {
	seen := map[string]bool{}
	var out []cluster.CheckedGuard
	for _, g := range gs {
		if key := g.Node + " " + g.String(); !seen[key] {
			seen[key] = true
			out = append(out, g)
		}
	}
	return out
}

// askAll asks before a step: the guards that hold before every step, and its own.
func askAll(v *cluster.View, plan *cluster.Plan, s cluster.PlanStep, general []cluster.Guard) []cluster.CheckedGuard {
	every := binding(plan)
	if every.Node == "" {
		every.Node = cmp.Or(s.Node, s.About) // what holds of every node holds of the one whose turn it is
	}
	return distinct(append(ask(v, every, general), ask(v, bound(plan, s), s.Guards)...))
}

// ask asks guards on a view.
func ask(v *cluster.View, about cluster.Binding, gs []cluster.Guard) []cluster.CheckedGuard {
	out := make([]cluster.CheckedGuard, 0, len(gs))
	for _, g := range gs {
		out = append(out, cluster.CheckedGuard{Guard: g, Node: about.Node, Answer: g.Ask(v, about)})
	}
	return out
}

// binding is about the plan's own node.
func binding(plan *cluster.Plan) cluster.Binding {
	return cluster.Binding{Node: plan.Node, Service: plan.Service, Plan: plan}
}

// bound is about the node that a step's questions are about.
func bound(plan *cluster.Plan, s cluster.PlanStep) cluster.Binding {
	about := binding(plan)
	if s.About != "" {
		about.Node = s.About
	}
	return about
}
