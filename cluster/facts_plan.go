package cluster

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

func init() {
	register(
		Fact{"our-plan-runs", "A plan of ours that may stop something runs about the node, or has a step at work on it.", aboutNode((*View).ourPlanRuns), noArgs},
		Fact{"our-plan-runs-anywhere", "A plan of ours that may stop something is at work on some node.", aboutCluster(func(v *View) Answer { return v.ourPlanRuns("") }), noArgs},
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

// ourPlanRuns answers whether a plan of ours explains what is amiss on the
// node, or anywhere where no node is named.
func (v *View) ourPlanRuns(node string) Answer {
	where := "on " + node
	if node == "" {
		where = "anywhere"
	}
	for _, p := range v.Plans {
		if !p.Running() || p.Plan.Tier == T0 || stopsNothing(p.Plan) {
			continue // watching and saving alone explain nothing
		}
		if node == "" || excuses(p, node) {
			return say(True, fmt.Sprintf("our plan %s (%s) is at work %s", p.Plan.Title, p.Plan.ID, where))
		}
	}
	return say(False, "no plan of ours is at work "+where)
}

// excuses answers whether a plan that runs explains what is amiss on a node.
// Its own node it may have stopped and means to bring back, as long as a step
// about that node is left; another node only while a step is at work there:
// what dies before or after that is news.
func excuses(p PlanState, node string) bool {
	left, own := false, false
	for _, s := range p.Steps {
		if atWork(s) && (s.Step.Node == node || s.Step.About == node) && planTouches(p, node) {
			return true
		}
		if s.Status != StatusDone && s.Status != StatusSkipped {
			left = true
			own = own || s.Step.About == "" || s.Step.About == p.Plan.Node
		}
	}
	return p.Plan.Node == node && (own || !left)
}

// atWork answers whether a step acts now: one that waits for a person, or whose
// command waits for what it needs, does not.
func atWork(s StepState) bool {
	begun := s.Step.Command == "" || s.PID != 0 || s.ExitKnown
	return s.Status == StatusRunning || s.Status == StatusWaiting && begun
}

// planTouches answers whether a plan acts on the node: a node whose facts it
// only reads is not excused, nor is one of which it only keeps a copy.
func planTouches(p PlanState, node string) bool {
	return p.Plan.Node == node || slices.ContainsFunc(p.Plan.Steps, func(s PlanStep) bool { return s.Node == node && disturbs(s) })
}

// stopsNothing answers whether all that a plan runs only saves or collects.
func stopsNothing(p Plan) bool {
	return p.Acts() && !slices.ContainsFunc(p.Steps, disturbs) && !slices.ContainsFunc(p.Back, disturbs)
}

// filing are the words that steps begin with which make folders, move, copy or
// pack files. Any other command, a site's own above all, may stop something.
var filing = []string{"mkdir", "mv", "cp", "umask", "for"}

// disturbs answers whether a step may stop something of the product: what
// makes folders, packs files, asks or collects does not.
func disturbs(s PlanStep) bool {
	if _, verb, found := strings.Cut(s.Command, "chef-backend-ctl "); found {
		return verb != "gather-logs" && verb != "cluster-status"
	}
	first, _, _ := strings.Cut(s.Command, " ")
	return first != "" && !slices.Contains(filing, first)
}

// tookOut answers whether a plan took the node out at the time: its own node,
// or one on which a step that may stop something ran then or had just ended.
func tookOut(p PlanState, node string, at time.Time) bool {
	if stopsNothing(p.Plan) {
		return false
	}
	return p.Plan.Node == node || slices.ContainsFunc(p.Steps, func(s StepState) bool {
		return s.Step.Node == node && disturbs(s.Step) && !s.Began.IsZero() && !at.Before(s.Began) &&
			(s.Ended.IsZero() || !at.After(s.Ended.Add(failoverLimit)))
	})
}

// leftOpen is the newest plan of ours that ended and left something open on the
// node, procedures that are passed over excepted, and what it left; none for
// nothing.
func (v *View) leftOpen(node string, passOver ...string) (PlanState, []string) {
	for i := len(v.Plans) - 1; i >= 0; i-- {
		p := v.Plans[i]
		if p.Running() || slices.Contains(passOver, p.Plan.Procedure) {
			continue
		}
		if open := v.openOn(p, node); len(open) > 0 {
			return p, open
		}
		// A later plan that ended well has closed the matter; one that only
		// saved or collected has not, nor one about a single service.
		if len(p.OpenEnds) == 0 && planTouches(p, node) && !stopsNothing(p.Plan) && p.Plan.Service == "" {
			break
		}
	}
	return PlanState{}, nil
}

// openOn are the open ends of a plan that are about a node: those that name it,
// and on the plan's own node those that name none.
func (v *View) openOn(p PlanState, node string) (open []string) {
	for _, end := range p.OpenEnds {
		words := strings.FieldsFunc(end, func(r rune) bool { return strings.ContainsRune(` ":;,`, r) })
		named := slices.ContainsFunc(v.nodes(), func(n Node) bool { return slices.Contains(words, n.Name) })
		if slices.Contains(words, node) || !named && p.Plan.Node == node {
			open = append(open, end)
		}
	}
	return open
}

func (v *View) ourPlanLeftOpen(node string) Answer {
	p, open := v.leftOpen(node)
	if len(open) == 0 {
		return say(False, "no plan of ours left anything open on "+node)
	}
	return say(True, fmt.Sprintf("our plan %s (%s) ended and left open: %s", p.Plan.Title, p.Plan.ID, strings.Join(open, "; ")))
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
