package cluster

import (
	"fmt"
	"strings"
)

func init() {
	register(
		Fact{"our-plan-runs", "A plan of ours that changes something is at work on the node.", aboutNode((*View).ourPlanRuns), noArgs},
		Fact{"our-plan-runs-anywhere", "A plan of ours that changes something is at work on some node.", aboutCluster(func(v *View) Answer { return v.ourPlanRuns("") }), noArgs},
		Fact{"our-plan-left-open", "A plan of ours ended and left something open on the node.", aboutNode((*View).ourPlanLeftOpen), noArgs},
		Fact{"margin-spent", "Somebody leads, and not one further node can be lost (margin; a node in maintenance counts as lost).", aboutCluster((*View).marginSpent), noArgs},
	)
}

// RepairAtWork is the title of a plan of ours that is at work and changes
// something; "" for none. Watching alone holds nothing up.
func (v *View) RepairAtWork() string {
	for _, p := range v.Plans {
		if p.Running() && p.Plan.Tier > T0 {
			return p.Plan.Title
		}
	}
	return ""
}

// ourPlanRuns answers whether a plan of ours has a step at work on the node, or
// anywhere where no node is named.
func (v *View) ourPlanRuns(node string) Answer {
	where := "on " + node
	if node == "" {
		where = "anywhere"
	}
	for _, p := range v.Plans {
		if !p.Running() || p.Plan.Tier == T0 {
			continue // watching alone explains nothing
		}
		if node == "" || planTouches(p, node) {
			return say(True, fmt.Sprintf("our plan %s (%s) is at work %s", p.Plan.Title, p.Plan.ID, where))
		}
	}
	return say(False, "no plan of ours is at work "+where)
}

// planTouches answers whether a plan acts on the node: a node whose facts it
// only reads is not excused.
func planTouches(p PlanState, node string) bool {
	if p.Plan.Node == node {
		return true
	}
	for _, s := range p.Plan.Steps {
		if s.Node == node && s.Command != "" {
			return true
		}
	}
	return false
}

func (v *View) ourPlanLeftOpen(node string) Answer {
	for i := len(v.Plans) - 1; i >= 0; i-- {
		p := v.Plans[i]
		if planTouches(p, node) && !p.Running() {
			if len(p.OpenEnds) == 0 {
				break // a later plan that ended well has closed the matter
			}
			return say(True, fmt.Sprintf("our plan %s (%s) ended and left open: %s", p.Plan.Title, p.Plan.ID, strings.Join(p.OpenEnds, "; ")))
		}
	}
	return say(False, "no plan of ours left anything open on "+node)
}

// marginSpent reads the margin both ways, so that what cannot be seen neither
// raises nor hides the alarm.
func (v *View) marginSpent() Answer {
	e := v.Elected()
	if e.Truth != True {
		return e.Answer
	}
	least, most := v.margins()
	s := fmt.Sprintf("%d of %d vote, %d good copies", least.Votes, least.Listed, least.Copies)
	switch {
	case most <= 0:
		return say(True, s+": not one further node can be lost", e.Answer.Claims...)
	case least.CanLose > 0:
		return say(False, fmt.Sprintf("%s: can lose %d", s, least.CanLose), e.Answer.Claims...)
	}
	return say(Unknown, s+"; whether a further node can be lost is unknown", e.Answer.Claims...)
}
