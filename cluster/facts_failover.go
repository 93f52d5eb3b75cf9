package cluster

import (
	"fmt"
	"strings"
	"time"
)

// A failover is expected to end in time: health checks, then the leader key's
// time to live, then the promotion. Once it is over the row no-leader speaks.
const (
	lossLimit     = HealthChecks + LeaderTTL
	failoverLimit = HealthChecks + LeaderTTL + PromotionLimit
)

func init() {
	register(
		Fact{"failover-under-way", "The leader was lost or is deposing, or another node is promoting, and the time for it is not over (cluster-status, etcd, PostgreSQL, history).", aboutCluster((*View).FailoverUnderWay), noArgs},
		Fact{"two-primaries", "One PostgreSQL was out of recovery before and after another one was, same postmasters, same system identifier (history of looks).", aboutCluster((*View).twoPrimaries), noArgs},
		Fact{"two-leader-answers", "/leader answered 200 on two nodes in two looks running.", aboutCluster((*View).twoLeaderAnswers), noArgs},
	)
}

// FailoverUnderWay answers whether leadership is on its way from one node to
// another by itself, with its time not yet over. Without etcd quorum, or with
// failover disabled and nobody promoting, there is no such way.
func (v *View) FailoverUnderWay() Answer {
	if q := v.EtcdQuorum(); q.Truth != True {
		return q
	}
	if p, ok := v.ourLeadershipPlan(); ok {
		return say(True, "our plan "+p+" is moving the leadership")
	}
	read, ok := newestRows(v.newest(), true)
	if !ok {
		return say(Unknown, "whether a failover is under way is unknown: cluster-status could be read on no node with a healthy etcd")
	}
	leader, moving := v.leadershipWords(read)
	if moving != "" {
		return v.withinTime(moving, failoverLimit, read.ref)
	}
	if f := v.failoverEnabled(); f.Truth == False {
		return f
	}
	if leader == "" {
		return v.withinTime("cluster-status on "+read.witness+" names no leader", lossLimit, read.ref)
	}
	return v.leaderLost(leader, read)
}

// leadershipWords reads the roles: who leads, and what is moving if anything is.
func (v *View) leadershipWords(read ctlRead) (leader, moving string) {
	for _, row := range read.rows {
		name := rowNode(v.Snapshot, row)
		switch {
		case row.Role == "leader":
			leader = name
		case row.Role == "promoting", row.Role == "deposing", row.Role == "demoting":
			moving = fmt.Sprintf("cluster-status on %s calls %s %s", read.witness, name, row.Role)
		}
	}
	return leader, moving
}

// withinTime answers true while the leader was lost less than limit ago. A
// loss that nobody saw happen has no known end: the answer is then no, so that
// a cluster found without a leader is called that.
func (v *View) withinTime(what string, limit time.Duration, ref ClaimRef) Answer {
	last, ok := v.lastElection()
	if !ok || last.To != "" {
		if limit == failoverLimit { // a promotion is seen as it happens
			if seen := v.Now.Sub(v.Past.Since); !v.Past.Since.IsZero() && seen > limit {
				return say(False, fmt.Sprintf("%s, and that for longer than the %s that a failover takes", what, limit), ref)
			}
			return say(True, what, ref)
		}
		return say(False, what+", and no leader was seen to go", ref)
	}
	age := v.Now.Sub(last.At)
	if age > limit {
		return say(False, fmt.Sprintf("%s, and the time for a failover is over: %s went %s ago", what, last.From, age.Round(time.Second)), ref)
	}
	return say(True, fmt.Sprintf("%s; %s went %s ago, it should end by %s", what, last.From, age.Round(time.Second), clockTime(last.At.Add(limit))), ref)
}

// leaderLost answers whether the node that cluster-status still names is lost:
// its key lives on for up to its TTL.
func (v *View) leaderLost(leader string, read ctlRead) Answer {
	gone := v.Gone(leader)
	if gone.Truth == True {
		since, known := v.silentSince(leader)
		if known && v.Now.Sub(since) > lossLimit {
			return say(False, gone.Sentence+", for longer than a failover takes to begin", gone.Claims...)
		}
		end := ""
		if known {
			end = "; another should be promoting by " + clockTime(since.Add(lossLimit))
		}
		return say(True, gone.Sentence+"; cluster-status still names it as leader until its key expires"+end, append(gone.Claims, read.ref)...)
	}
	if gone.Truth == Unknown {
		return say(Unknown, leader+" cannot be reached from here, and whether its peers see it is unknown", read.ref)
	}
	for _, service := range []string{"postgresql", "elasticsearch"} {
		since, down := v.silentService(leader, service)
		if age := v.Now.Sub(since); down && age >= StandsFor && age <= lossLimit {
			return say(True, fmt.Sprintf("%s on the leader %s does not answer since %s; leaderl gives it up after %s of checks, and another should be promoting by %s",
				service, leader, age.Round(time.Second), HealthChecks, clockTime(since.Add(lossLimit))), read.ref)
		}
	}
	return say(False, leader+" leads according to cluster-status on "+read.witness, read.ref)
}

// clockTime is how a sentence tells a time of day.
func clockTime(at time.Time) string { return at.UTC().Format("15:04:05Z") }

// silentService is since when, without a break up to now, a service of a
// reachable node has not served.
func (v *View) silentService(node, service string) (since time.Time, down bool) {
	ss := v.samples(node)
	for i := len(ss) - 1; i >= 0; i-- {
		silent := ss[i].Ready > 0
		if service == "elasticsearch" {
			silent = ss[i].ESAnswers == False
		}
		if !silent || ss[i].Reach != Reached {
			break
		}
		since, down = ss[i].At, true
	}
	return since, down
}

// ourLeadershipPlan is a running plan of ours that moves the leadership: one
// that waits for a person or for the lock moves nothing meanwhile, and a step
// that takes longer than a failover no longer explains that nobody leads.
func (v *View) ourLeadershipPlan() (string, bool) {
	for _, p := range v.Plans {
		if !strings.HasPrefix(p.Plan.Procedure, "promote-") && !strings.HasPrefix(p.Plan.Procedure, "orderly-failover") {
			continue
		}
		if since, moves := p.movesSince(); moves && v.Now.Sub(since) <= failoverLimit {
			return p.Plan.Title, true
		}
	}
	return "", false
}

// movesSince is when the newest step of a running plan began; moves is false
// while the plan waits for a person, or for what its command needs.
func (p PlanState) movesSince() (since time.Time, moves bool) {
	if !p.Running() || p.Asked() != nil || p.Status == StatusAsked {
		return since, false
	}
	since = p.Began
	for _, s := range p.Steps {
		if s.Began.After(since) {
			since = s.Began
		}
		if s.Status == StatusWaiting && s.Step.Command != "" && s.PID == 0 && !s.ExitKnown {
			return since, false // its command has not begun
		}
	}
	return since, true
}

// twoPrimaries looks for A out of recovery, then B, then A again, with the
// same postmasters throughout: looks at two nodes never are of one instant, and
// an orderly change of leader would look like two of them.
func (v *View) twoPrimaries() Answer {
	unsure := ""
	ns := v.nodes()
	for i := range ns {
		for j := range ns {
			if i == j {
				continue
			}
			a := v.sandwiched(ns[i].Name, ns[j].Name)
			if a.Truth == True {
				return a
			}
			if a.Truth == Unknown && unsure == "" {
				unsure = a.Sentence
			}
		}
	}
	if unsure != "" {
		return say(Unknown, unsure)
	}
	return say(False, "no two PostgreSQL are out of recovery at one time")
}

// sandwiched answers whether b was a primary between two looks in which a was.
func (v *View) sandwiched(a, b string) Answer {
	na, nb := v.OutOfRecovery(a), v.OutOfRecovery(b)
	if t := And(na.Truth, nb.Truth); t != True {
		if t == Unknown && na.Truth == Unknown {
			return na
		}
		return say(t, nb.Sentence, nb.Claims...)
	}
	as, bs := v.primaryRun(a), v.primaryRun(b)
	if len(as) < 2 || len(bs) == 0 {
		return say(Unknown, fmt.Sprintf("%s and %s both were out of recovery, but not yet in looks around each other", a, b), append(na.Claims, nb.Claims...)...)
	}
	first, last := as[0].At, as[len(as)-1].At
	for _, s := range bs {
		if !s.At.After(first) || !s.At.Before(last) {
			continue
		}
		same := v.sameSystem(a, b)
		if same.Truth != True {
			return same
		}
		return say(True, fmt.Sprintf("%s and %s are both out of recovery: %s before and after %s, with the same postmasters", a, b, a, b),
			append(append(na.Claims, nb.Claims...), same.Claims...)...)
	}
	return say(Unknown, fmt.Sprintf("%s and %s both were out of recovery, but not yet in looks around each other", a, b), append(na.Claims, nb.Claims...)...)
}

// primaryRun are the newest looks, without a break, in which the node was a
// primary under one postmaster.
func (v *View) primaryRun(node string) []Sample {
	ss := v.samples(node)
	i := len(ss)
	for i > 0 && ss[i-1].InRecovery == False && ss[i-1].Postmaster != 0 && ss[i-1].Postmaster == ss[len(ss)-1].Postmaster {
		i--
	}
	return ss[i:]
}

func (v *View) twoLeaderAnswers() Answer {
	var yes []string
	var refs []ClaimRef
	unsure := ""
	for _, n := range v.nodes() {
		a := leaderAnswer(n.Name, v.report(n.Name))
		refs = append(refs, a.Claims...)
		switch looks, ok := v.lastLooks(n.Name, 2); {
		case a.Truth == Unknown:
			unsure = a.Sentence
		case a.Truth == True && !ok:
			unsure = a.Sentence + ", in one look so far"
		case a.Truth == True && looks[0].LeaderCode == 200:
			yes = append(yes, n.Name)
		}
	}
	switch {
	case len(yes) > 1:
		return say(True, "/leader answers 200 on "+strings.Join(yes, " and ")+", in two looks", refs...)
	case unsure != "":
		return say(Unknown, unsure, refs...)
	}
	return say(False, "/leader answers 200 on at most one node", refs...)
}
