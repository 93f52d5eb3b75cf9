package cluster

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

func init() {
	register(
		Fact{"elected", "Some node is the elected leader (cluster-status, /leader, PostgreSQL; in two looks).", aboutCluster(func(v *View) Answer { return v.Elected().Answer }), noArgs},
		Fact{"is-elected", "The node is the elected leader (cluster-status, /leader, PostgreSQL; in two looks).", aboutNode((*View).isElected), noArgs},
		Fact{"another-elected", "Another node than this one is the elected leader.", aboutNode((*View).anotherElected), noArgs},
		Fact{"leads", "The node leads or was the last one to lead: by election, by its row in cluster-status, or by the last change seen.", aboutNode((*View).leads), noArgs},
		Fact{"role", "leaderl's state word for the node is one of those named (cluster-status).", askRole, roleArgs},
		Fact{"nobody-leads", "No node is leader, none is promoting within the time of a failover, no reachable PostgreSQL is out of recovery, no /leader answers 200.", aboutCluster((*View).nobodyLeads), noArgs},
		Fact{"status-names-no-leader", "`chef-backend-ctl status` on some node counts no leader, and no later cluster-status names one.", aboutCluster((*View).statusNamesNoLeader), noArgs},
		Fact{"failover-enabled", "Failover is enabled for the cluster (cluster-status).", aboutCluster((*View).failoverEnabled), noArgs},
		Fact{"no-start-anywhere", "The sentinel no-start-pgsql lies on at least one reachable node.", aboutCluster((*View).noStartAnywhere), noArgs},
		Fact{"deposed", "The sentinel no-start-pgsql lies on the node, or cluster-status calls it deposed_leader.", aboutNode((*View).deposed), noArgs},
		Fact{"leader-changed-recently", "The elected leader changed within the last 10 minutes (history).", aboutCluster((*View).leaderChangedRecently), noArgs},
		Fact{"out-of-recovery", "The node's PostgreSQL runs as a primary (pg_is_in_recovery).", aboutNode((*View).OutOfRecovery), noArgs},
	)
}

func (v *View) isElected(node string) Answer {
	e := v.Elected()
	switch {
	case e.Truth == Unknown:
		return e.Answer
	case e.Truth == True && e.Node == node:
		return e.Answer
	}
	return say(False, node+" is not the elected leader: "+e.Answer.Sentence, e.Answer.Claims...)
}

func (v *View) anotherElected(node string) Answer {
	e := v.Elected()
	if e.Truth == True && e.Node == node {
		return say(False, e.Answer.Sentence, e.Answer.Claims...)
	}
	return e.Answer
}

// leads is wider than elected: a leader whose PostgreSQL has just died is the
// leader's node still, and its services matter most.
func (v *View) leads(node string) Answer {
	e := v.Elected()
	if e.Truth == True {
		return v.isElected(node)
	}
	names, read, ok := namedLeader(v.newest())
	if ok && len(names) > 0 {
		named := slices.Contains(names, node)
		return say(TruthOf(named), fmt.Sprintf("cluster-status on %s names %s as leader", read.witness, strings.Join(names, " and ")), read.ref)
	}
	if v.Previous != nil { // the row has only just gone
		if was, read, ok := namedLeader(v.Previous); ok && len(was) > 0 {
			return say(TruthOf(slices.Contains(was, node)), fmt.Sprintf("cluster-status on %s named %s as leader just now", read.witness, strings.Join(was, " and ")), read.ref)
		}
	}
	if last, ok := v.lastElection(); ok && last.To == "" {
		return say(TruthOf(last.From == node), "the last leader was "+last.From)
	}
	return e.Answer
}

// newest is the newest snapshot; nil at the very start.
func (v *View) newest() *Snapshot {
	if v == nil {
		return nil
	}
	return v.Snapshot
}

// lastElection is the last change of the elected leader within the history.
func (v *View) lastElection() (Election, bool) {
	if v == nil || len(v.Past.Elections) == 0 {
		return Election{}, false
	}
	return v.Past.Elections[len(v.Past.Elections)-1], true
}

func roleArgs(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("takes at least one state word of leaderl")
	}
	return nil
}

func askRole(v *View, b Binding) Answer {
	if b.Node == "" {
		return say(Unknown, "no node was named")
	}
	role, a := v.RoleOf(b.Node)
	if a.Truth == True {
		a.Truth = TruthOf(slices.Contains(b.Args, role))
	}
	return a
}

// nobodyLeads looks for a leader in every way there is. A node that cannot be
// reached is named and does not decide; a reachable one that cannot answer does.
func (v *View) nobodyLeads() Answer {
	read, ok := newestRows(v.newest(), true)
	if !ok {
		return say(Unknown, "whether anybody leads is unknown: cluster-status could be read on no node with a healthy etcd")
	}
	for _, row := range read.rows {
		if v.rowLeads(row) {
			return say(False, fmt.Sprintf("cluster-status on %s calls %s %s", read.witness, row.Name, row.Role), read.ref)
		}
	}
	var as []Answer
	var unseen []string
	for _, n := range v.nodes() {
		r := v.report(n.Name)
		if r.Reach.Known && r.Reach.Value != Reached {
			unseen = append(unseen, n.Name)
			continue
		}
		for _, a := range []Answer{v.OutOfRecovery(n.Name), v.saysItLeads(n.Name)} {
			a.Truth = a.Truth.Not()
			as = append(as, a)
		}
	}
	s := "nobody leads: cluster-status names no leader, no PostgreSQL is out of recovery, no /leader answers 200"
	if len(unseen) > 0 {
		s += "; unknown of " + strings.Join(unseen, " and ")
	}
	a := all(s, as...)
	a.Claims = append([]ClaimRef{read.ref}, a.Claims...)
	return a
}

// saysItLeads is /leader, where a leaderl that does not run says no.
func (v *View) saysItLeads(node string) Answer {
	a := leaderAnswer(node, v.report(node))
	if a.Truth == Unknown {
		if s := v.service(node, "leaderl").State; Is(s, "down") == True {
			return say(False, "leaderl does not run on "+node, mention(node, "service.leaderl.state", s))
		}
	}
	return a
}

func (v *View) statusNamesNoLeader() Answer {
	var refs []ClaimRef
	for _, n := range v.nodes() {
		c := v.report(n.Name).Ctl.Status
		if !c.Known {
			continue
		}
		ref := mention(n.Name, "ctl.status", c)
		refs = append(refs, ref)
		for _, row := range c.Value {
			none := row.Service == "leaderl" && strings.Contains(row.Distributed, "leader: 0;") ||
				row.Service == "postgresql" && strings.Contains(row.Distributed, "could not reach pgsql leader")
			if none && !v.namedSince(c.At) {
				return say(True, fmt.Sprintf("status on %s says %q", n.Name, row.Distributed), ref)
			}
		}
	}
	if len(refs) == 0 {
		return say(Unknown, "`chef-backend-ctl status` could be read nowhere")
	}
	return say(False, "`chef-backend-ctl status` counts a leader", refs...)
}

// namedSince answers whether a cluster-status read at that time or later names
// a leader, or one to be: what was read before it is past.
func (v *View) namedSince(at time.Time) bool {
	read, ok := newestRows(v.newest(), true)
	return ok && !read.ref.At.Before(at) && slices.ContainsFunc(read.rows, v.rowLeads)
}

// rowLeads answers whether cluster-status calls a node leader, or one to be. A
// promotion that hangs beyond the time of a failover makes no leader.
func (v *View) rowLeads(row CtlNode) bool {
	return row.Role == "leader" || row.Role == "promoting" && v.FailoverUnderWay().Truth != False
}

func (v *View) failoverEnabled() Answer {
	for _, n := range v.nodes() {
		r := v.report(n.Name)
		if Is(r.Etcd.Health, true) != True || !r.Ctl.Failover.Known {
			continue
		}
		ref := mention(n.Name, "ctl.failover", r.Ctl.Failover)
		if r.Ctl.Failover.Value {
			return say(True, "failover is enabled for the cluster", ref)
		}
		return say(False, "failover is disabled for the cluster: nobody will be promoted by itself", ref)
	}
	return say(Unknown, "whether failover is enabled is unknown: no healthy node tells")
}

func (v *View) noStartAnywhere() Answer {
	var as []Answer
	for _, n := range v.nodes() {
		as = append(as, v.sentinelAt(n.Name, "no-start-pgsql"))
	}
	if len(as) == 0 {
		return say(Unknown, "no node is known")
	}
	return anyOf("no sentinel no-start-pgsql on any node", as...)
}

func (v *View) deposed(node string) Answer {
	role, a := v.RoleOf(node)
	if a.Truth == True {
		a.Truth = TruthOf(role == "deposed_leader")
	}
	return anyOf(node+" is no deposed leader", v.sentinelAt(node, "no-start-pgsql"), a)
}

// settlesIn is for how long after a change of leader the nodes may still be
// finding their places: deposed_leader is normal for up to 10 minutes.
const settlesIn = 10 * time.Minute

func (v *View) leaderChangedRecently() Answer {
	last, ok := v.lastElection()
	if !ok || v.Now.Sub(last.At) > settlesIn {
		return say(False, "the leader did not change within the last 10 minutes")
	}
	to := last.To
	if to == "" {
		to = "nobody"
	}
	from := last.From
	if from == "" {
		from = "nobody"
	}
	return say(True, fmt.Sprintf("the leader changed from %s to %s at %s", from, to, last.At.UTC().Format("15:04:05Z")))
}
