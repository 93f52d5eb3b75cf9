package cluster

import (
	"fmt"
	"strings"
	"time"
)

func init() {
	register(
		Fact{"leader-moves-often", "At least three distinct elections of leaderl within 10 minutes, gaps ignored (history).", aboutCluster((*View).leaderMovesOften), noArgs},
		Fact{"our-plans-moved-it", "Without those that plans of ours brought about, fewer than three elections remain (history, plans of ours).", aboutCluster((*View).ourPlansMovedIt), noArgs},
		Fact{"failover-disabled", "Failover is disabled, for the cluster or for a node (cluster-status).", aboutCluster((*View).failoverDisabled), noArgs},
		Fact{"nobody-leads-with-quorum", "etcd has its majority, and nobody leads in any way that there is.", aboutCluster(func(v *View) Answer { return all("", v.EtcdQuorum(), v.nobodyLeads()) }), noArgs},
		Fact{"no-follower-eligible", "A leader is elected, and cluster-status calls every other node ineligible or blocked.", aboutCluster((*View).noFollowerEligible), noArgs},
		Fact{"leader-withholds", "The elected leader's PostgreSQL is out of recovery, and its /leader answered 503 in two looks.", aboutCluster((*View).leaderWithholds), noArgs},
		Fact{"followers-too-few", "Fewer good followers than required_active_followers asks for (the leader's configuration, good followers).", aboutCluster((*View).followersTooFew), noArgs},
		Fact{"leadership-state", "What each node is: state word, eligible, blocked, failover, sentinels (cluster-status, sentinel).", aboutCluster((*View).leadershipState), noArgs},
	)
}

// flapWindow and flapMoves say when leadership flaps.
const (
	flapWindow = 10 * time.Minute
	flapMoves  = 3
)

// moves are the elections of another node than the one before within the
// window. A time without a leader between two of the same node is no election:
// it may have been no more than a reading that failed.
func (v *View) moves() (out []Election) {
	last := ""
	for _, e := range v.Past.Elections {
		if last == "" {
			last = e.From
		}
		if e.To == "" || e.To == last {
			continue
		}
		if v.Now.Sub(e.At) <= flapWindow {
			out = append(out, Election{At: e.At, From: last, To: e.To})
		}
		last = e.To
	}
	return out
}

func (v *View) leaderMovesOften() Answer {
	moves := v.moves()
	if len(moves) < flapMoves {
		return say(False, fmt.Sprintf("the leader changed %d times within 10 minutes", len(moves)))
	}
	var names []string
	for _, m := range moves {
		names = append(names, m.At.UTC().Format("15:04:05Z")+" "+m.To)
	}
	return say(True, fmt.Sprintf("%d elections within 10 minutes: %s", len(moves), strings.Join(names, ", ")))
}

func (v *View) ourPlansMovedIt() Answer {
	left := 0
	moves := v.moves()
	for _, m := range moves {
		if !v.movedByUs(m) {
			left++
		}
	}
	ours := len(moves) - left
	return say(TruthOf(ours > 0 && left < flapMoves), fmt.Sprintf("plans of ours brought about %d of %d elections", ours, len(moves)))
}

// movedByUs answers whether a plan of ours that moves leadership, or that took
// the old leader out, was at work when the election came, or had just ended.
func (v *View) movedByUs(m Election) bool {
	for _, p := range v.Plans {
		if p.Plan.Tier == T0 || m.At.Before(p.Began) || !p.Running() && m.At.After(p.Ended.Add(failoverLimit)) {
			continue
		}
		if movesLeadership(p.Plan.Procedure) || tookOut(p, m.From, m.At) {
			return true
		}
	}
	return false
}

// movesLeadership answers whether a procedure's purpose is another leader.
func movesLeadership(procedure string) bool {
	return strings.HasPrefix(procedure, "promote-") || strings.HasPrefix(procedure, "orderly-failover") || procedure == "force-leader"
}

func (v *View) failoverDisabled() Answer {
	whole := v.failoverEnabled()
	whole.Truth = whole.Truth.Not()
	as := []Answer{whole}
	for _, n := range v.nodes() {
		row, read, ok := v.row(n.Name, true)
		switch {
		case !ok || row.Failover == Unknown:
			// A release that does not tell it of a node knows no such switch.
		case row.Failover == False:
			as = append(as, say(True, "failover is disabled for "+n.Name, read.ref))
		}
	}
	return anyOf("failover is enabled", as...)
}

func (v *View) noFollowerEligible() Answer {
	e := v.Elected()
	if e.Truth != True {
		return e.Answer
	}
	var as []Answer
	for _, n := range v.others(e.Node) {
		as = append(as, v.barred(n))
	}
	if len(as) == 0 {
		return say(Unknown, "no other node is known")
	}
	return all("", as...)
}

// barred answers whether cluster-status calls a node ineligible or blocked.
func (v *View) barred(node string) Answer {
	row, read, ok := v.row(node, true)
	if !ok {
		return say(Unknown, "whether "+node+" is eligible is unknown: cluster-status does not tell", read.ref)
	}
	blocked := say(row.Blocked, node+" is blocked from leading", read.ref)
	if row.Blocked != True {
		blocked.Sentence = node + " is not known to be blocked from leading"
	}
	able := v.eligible(node)
	able.Truth = able.Truth.Not()
	return anyOf(node+" is eligible and not blocked", able, blocked)
}

func (v *View) leaderWithholds() Answer {
	e := v.Elected()
	if e.Truth != True {
		return e.Answer
	}
	c := v.report(e.Node).Leaderl.LeaderCode
	if !c.Known {
		return unknownFor(e.Node, "leaderl.leader-code", c)
	}
	ref := mention(e.Node, "leaderl.leader-code", c)
	said := fmt.Sprintf("/leader on the elected leader %s answers %d", e.Node, c.Value)
	if c.Value == 0 {
		said = "nobody listens on leaderl's port on the elected leader " + e.Node
	}
	held := say(False, said, ref)
	if c.Value == 503 {
		held = say(Unknown, said+", in one look so far", ref)
		if looks, ok := v.lastLooks(e.Node, 2); ok {
			held = say(TruthOf(looks[0].LeaderCode == 503 && looks[1].LeaderCode == 503), said+", in two looks", ref)
		}
	}
	return all("", v.OutOfRecovery(e.Node), held)
}

// required is leaderl.required_active_followers, as the elected leader's
// configuration tells it, else that of any node.
func (v *View) required() (n int, ref ClaimRef, known bool) {
	names := []string{}
	if e := v.Elected(); e.Truth == True {
		names = append(names, e.Node)
	}
	for _, node := range v.nodes() {
		names = append(names, node.Name)
	}
	for _, name := range names {
		if c := v.report(name).Settings.RequiredFollowers; c.Known {
			return c.Value, mention(name, "setting.required-active-followers", c), true
		}
	}
	return 0, ClaimRef{Name: "setting.required-active-followers", Source: SourceHost}, false
}

func (v *View) followersTooFew() Answer {
	e := v.Elected()
	if e.Truth != True {
		return e.Answer
	}
	need, ref, known := v.required()
	if !known {
		return say(Unknown, "how many followers the leader requires is unknown: no node tells its configuration", ref)
	}
	good, unsure := 0, 0
	refs := []ClaimRef{ref}
	for _, n := range v.others(e.Node) {
		a := v.GoodFollower(n)
		refs = append(refs, a.Claims...)
		switch a.Truth {
		case True:
			good++
		case Unknown:
			unsure++
		}
	}
	s := fmt.Sprintf("%d good followers stand, and required_active_followers asks for %d", good, need)
	switch {
	case good >= need:
		return say(False, s, refs...)
	case good+unsure < need:
		return say(True, s, refs...)
	}
	return say(Unknown, fmt.Sprintf("%s; of %d it cannot be told", s, unsure), refs...)
}

// leadershipState is for the screen: who could lead, in each node's own words.
func (v *View) leadershipState() Answer {
	var parts []string
	var refs []ClaimRef
	whole := True
	for _, n := range v.nodes() {
		role, a := v.RoleOf(n.Name)
		words := []string{role}
		if a.Truth != True {
			whole, words = Unknown, []string{"state unknown"}
		}
		row, _, _ := v.row(n.Name, false)
		for _, w := range []struct {
			truth   Truth
			yes, no string
		}{{row.Eligible, "eligible", "not eligible"}, {row.Blocked, "blocked", ""}, {row.Failover, "", "failover disabled"},
			{v.sentinelAt(n.Name, "no-start-pgsql").Truth, "no-start-pgsql lies there", ""}, {v.sentinelAt(n.Name, "unsynced").Truth, "unsynced lies there", ""}} {
			word := map[Truth]string{True: w.yes, False: w.no}[w.truth]
			if word != "" {
				words = append(words, word)
			}
		}
		if v.sentinelAt(n.Name, "no-start-pgsql").Truth == Unknown {
			words = append(words, "sentinels unknown")
		}
		refs = append(refs, a.Claims...)
		parts = append(parts, n.Name+" "+strings.Join(words, ", "))
	}
	return say(whole, strings.Join(parts, "; "), refs...)
}
