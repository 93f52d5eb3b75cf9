package cluster

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The guards about the cluster as a whole: what must hold before anything is
// changed anywhere. Unreachable nodes make them unknown, which enables nothing.
func init() {
	register(
		Fact{Name: "cluster-of-three", Check: noArgs, Ask: askThree,
			Doc: "The cluster has three nodes, and etcd, where it tells its members, lists three, or fewer because a plan of ours took one out: the recovery guide knows no other (etcd members)."},
		Fact{Name: "version-supported", Check: noArgs, Ask: askVersion,
			Doc: "The node runs Chef Backend 2.1.0 or newer, for which the recovery guide is written, and no other node is known to run an older one (host.version)."},
		Fact{Name: "no-sync-anywhere", Check: noArgs, Ask: askNoSync,
			Doc: "No pg_basebackup, pg_rewind or pgsql-follow is alive on any node, and no chef-backend-ctl that changes something; a node that answers nobody is passed over (postgresql.sync-process, host.at-work, peers' ports)."},
		Fact{Name: "nobody-leads-or-promotes", Check: noArgs, Ask: askNobodyLeads,
			Doc: "No leader is elected, no node is called leader, promoting, deposing or demoting, and no /leader answers 200 (cluster-status, leaderl.leader-code)."},
		Fact{Name: "no-other-primary", Check: noArgs, Ask: askNoOtherPrimary,
			Doc: "PostgreSQL is out of recovery on no node but perhaps this one; a node that nobody can ask is unknown (postgresql.in-recovery, the peers' view of 5432)."},
		Fact{Name: "no-two-primaries-seen", Check: noArgs, Ask: askTwoSeen,
			Doc: "No two PostgreSQL are seen out of recovery: while two accept writes each copy is evidence, and nothing may be restarted or overwritten (postgresql.in-recovery)."},
		Fact{Name: "no-primary-anywhere", Check: noArgs, Ask: askNoPrimary,
			Doc: "PostgreSQL is out of recovery nowhere; a node that nobody can ask is unknown (postgresql.in-recovery, the peers' view of 5432)."},
		Fact{Name: "failover-allowed", Check: noArgs, Ask: askFailover,
			Doc: "Failover is enabled for the cluster and for the node (cluster-status)."},
		Fact{Name: "all-in-order", Check: noArgs, Ask: askInOrder,
			Doc: "Somebody is elected, and the node (without one: every node) runs its five services and leads or is a good follower."},
	)
}

// askTwoSeen stops everything once two primaries are seen. What cannot be asked
// is left to the guards that need it: a dead node must not keep a restart from
// being made on a living one.
func askTwoSeen(v *View, _ Binding) Answer {
	var seen []string
	var refs []ClaimRef
	for _, n := range v.nodes() {
		if a := v.OutOfRecovery(n.Name); a.Truth == True {
			seen = append(seen, n.Name)
			refs = append(refs, a.Claims...)
		}
	}
	if len(seen) > 1 {
		return say(False, "PostgreSQL accepts writes on "+strings.Join(seen, " and ")+": stop and call Support", refs...)
	}
	return say(True, "no two PostgreSQL are seen out of recovery", refs...)
}

func askThree(v *View, _ Binding) Answer {
	if n := len(v.nodes()); n != 3 {
		return say(False, fmt.Sprintf("the cluster has %d nodes; the recovery guide is written for three", n))
	}
	listed, known := v.listed()
	if !known || listed == 3 {
		return say(True, "the cluster has three nodes")
	}
	// A member that a plan of ours took out is on its way back in: what mends
	// that must not be barred by it.
	if plan := v.membersTaken(); plan != "" && listed < 3 {
		return say(True, fmt.Sprintf("etcd lists %d members since plan %s; the others are to be joined again", listed, plan))
	}
	return say(False, fmt.Sprintf("etcd lists %d members; the recovery guide is written for three", listed))
}

// membersTaken is the plan of ours that left fewer than three members; "" for none.
func (v *View) membersTaken() string {
	for i := len(v.Plans) - 1; i >= 0; i-- {
		for _, s := range v.Plans[i].Steps {
			took := strings.Contains(s.Step.Command, " remove-node ") || strings.Contains(s.Step.Command, "--quorum-loss-recovery")
			if took && !s.Began.IsZero() && s.Status != StatusRefused && s.Status != StatusSkipped && s.Status != StatusNext {
				return v.Plans[i].Plan.ID
			}
		}
	}
	return ""
}

func askVersion(v *View, b Binding) Answer {
	for _, n := range v.others(b.Node) {
		if a := v.supported(n); a.Truth == False {
			return a
		}
	}
	return v.supported(b.Node)
}

// supported answers whether the node's version is one that the guide is for.
func (v *View) supported(node string) Answer {
	c := v.report(node).Host.Version
	if !c.Known {
		return unknownFor(node, "host.version", c)
	}
	ref := mention(node, "host.version", c)
	newer, err := atLeast(c.Value, 2, 1)
	if err != nil {
		return say(Unknown, fmt.Sprintf("%s names no version of Chef Backend: %q", node, c.Value), ref)
	}
	if !newer {
		return say(False, fmt.Sprintf("%s runs Chef Backend %s, older than 2.1.0: the recovery guide does not hold for it", node, c.Value), ref)
	}
	return say(True, fmt.Sprintf("%s runs Chef Backend %s", node, c.Value), ref)
}

// atLeast compares the first two numbers of a version.
func atLeast(version string, major, minor int) (bool, error) {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return false, fmt.Errorf("no version: %q", version)
	}
	a, err := strconv.Atoi(parts[0])
	if err != nil {
		return false, err
	}
	b, err := strconv.Atoi(parts[1])
	if err != nil {
		return false, err
	}
	return a > major || a == major && b >= minor, nil
}

func askNoSync(v *View, _ Binding) Answer {
	var as []Answer
	for _, n := range v.nodes() {
		// A node that is off, by the operator's word or because nobody gets an
		// answer from it, has nothing at work that could meet what is done here.
		if v.Gone(n.Name).Truth == True || v.fenced(n.Name).Truth == True && v.Unreachable(n.Name).Truth == True {
			continue
		}
		a := v.SyncProcess(n.Name)
		a.Truth = a.Truth.Not()
		as = append(as, a)
		if w := v.report(n.Name).Host.AtWork; w.Known && w.Value != "" {
			as = append(as, say(False, fmt.Sprintf("chef-backend-ctl %s is at work on %s", w.Value, n.Name), mention(n.Name, "host.at-work", w)))
		}
	}
	return all("no sync, restart or join on any node", as...)
}

// leading are leaderl's words for a node that leads, or is about to, or has not
// yet given it up.
var leading = []string{"leader", "promoting", "deposing", "demoting"}

func askNobodyLeads(v *View, _ Binding) Answer {
	e := v.Elected()
	lead := e.Answer
	lead.Truth = e.Truth.Not()
	as := []Answer{lead}
	for _, n := range v.nodes() {
		role, a := v.RoleOf(n.Name)
		if a.Truth == True {
			a.Truth = TruthOf(!slices.Contains(leading, role))
		}
		as = append(as, a)
		if l := leaderAnswer(n.Name, v.report(n.Name)); l.Truth == True {
			as = append(as, say(False, l.Sentence, l.Claims...))
		}
	}
	return all("nobody leads and nobody is promoting", as...)
}

func askNoPrimary(v *View, _ Binding) Answer {
	var as []Answer
	for _, n := range v.nodes() {
		as = append(as, v.noPrimary(n.Name))
	}
	return all("no PostgreSQL is out of recovery", as...)
}

func askNoOtherPrimary(v *View, b Binding) Answer {
	var as []Answer
	for _, n := range v.others(b.Node) {
		as = append(as, v.noPrimary(n))
	}
	return all("no other PostgreSQL is out of recovery", as...)
}

// noPrimary answers whether a node surely accepts no writes. Of a node that
// cannot be reached a peer whose connection to 5432 is refused since can tell,
// or the operator who fenced it; one that answers and does not tell leaves it
// open, whatever was typed of it before. One that is starting accepts none yet,
// and will in a moment unless it has somebody to follow.
func (v *View) noPrimary(node string) Answer {
	p := v.report(node).PostgreSQL
	if !p.InRecovery.Known && Is(p.Ready, 1) == True && (!p.Upstream.Known || p.Upstream.Value == "") {
		return say(Unknown, "PostgreSQL on "+node+" is starting, and whether it will accept writes is unknown",
			mention(node, "postgresql.ready", p.Ready), mention(node, "postgresql.upstream", p.Upstream))
	}
	a := v.OutOfRecovery(node)
	a.Truth = a.Truth.Not()
	if a.Truth != Unknown {
		return a
	}
	if v.Unreachable(node).Truth == True {
		switch f := v.fenced(node); {
		case f.Truth == True:
			return f
		case v.FenceStands(node):
			return say(Unknown, f.Sentence, f.Claims...)
		}
		since, silent := v.silentSince(node)
		for _, peer := range v.others(node) {
			c, n := v.peerPorts(peer, node)
			if c.Known && n["5432"] == "refused" && silent && !c.At.Before(since) {
				return say(True, fmt.Sprintf("%s is refused on 5432 of %s: no PostgreSQL there", peer, node), mention(peer, "peer", c))
			}
		}
	}
	a.Sentence = "whether PostgreSQL on " + node + " accepts writes is unknown: " + a.Sentence
	return a
}

// peerPorts is what peer saw of node's ports, if it looked not long ago.
func (v *View) peerPorts(peer, node string) (Claim[PeerSeen], map[string]string) {
	n, _ := v.snapshotNode(node)
	c := v.report(peer).Peers[n.Address]
	if c.Known && !v.Now.IsZero() && v.Now.Sub(c.At) > peerLookMax {
		c.Known, c.Reason = false, peer+" looked more than "+peerLookMax.String()+" ago"
	}
	ports := map[string]string{}
	for port, how := range c.Value.Ports {
		ports[strconv.Itoa(port)] = how
	}
	return c, ports
}

func askFailover(v *View, b Binding) Answer {
	cluster := say(v.failoverOn(), "failover is enabled for the cluster")
	switch cluster.Truth {
	case False:
		cluster.Sentence = "failover is disabled for the cluster"
	case Unknown:
		cluster.Sentence = "whether failover is enabled is unknown: cluster-status does not tell"
	}
	row, read, ok := v.row(b.Node, true)
	own := say(row.Failover, "failover is enabled for "+b.Node, read.ref)
	switch {
	case !ok || row.Failover == Unknown:
		own = say(Unknown, "whether failover is enabled for "+b.Node+" is unknown: cluster-status does not tell", read.ref)
	case row.Failover == False:
		own.Sentence = "failover is disabled for " + b.Node
	}
	return all("failover is enabled for the cluster and for "+b.Node, cluster, own)
}

func askInOrder(v *View, b Binding) Answer {
	e := v.Elected()
	lead := e.Answer
	lead.Truth = e.Truth
	as := []Answer{lead}
	for _, n := range v.nodes() {
		if b.Node != "" && n.Name != b.Node {
			continue
		}
		for _, s := range Services {
			as = append(as, v.ServiceRuns(n.Name, s))
		}
		if e.Node != n.Name {
			as = append(as, v.GoodFollower(n.Name))
		}
	}
	who := b.Node + " is"
	if b.Node == "" {
		who = "all nodes are"
	}
	return all(who+" in order, and "+e.Node+" leads", as...)
}

// recent answers whether a slow claim is young enough to tell of now.
func recent[T any](v *View, c Claim[T]) bool {
	return c.Known && (v.Now.IsZero() || v.Now.Sub(c.At) <= 2*time.Minute)
}
