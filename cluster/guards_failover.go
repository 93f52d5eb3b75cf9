package cluster

import (
	"fmt"
	"strings"
)

// The guards and effects of switching failover and of handing leadership over.
func init() {
	register(
		Fact{Name: "leader-is-elected-here", Check: noArgs, Ask: askLeaderSettled,
			Doc: "A leader is elected, its PostgreSQL is out of recovery, and no other one is (elected leader, postgresql.in-recovery)."},
		Fact{Name: "failover-allowed-everywhere", Check: noArgs, Ask: askFailoverCluster,
			Doc: "Failover is enabled for the cluster, and for every follower that could take over (cluster-status)."},
		Fact{Name: "followers-close", Check: noArgs, Ask: askFollowersClose,
			Doc: "Every follower streams from the leader and was at most 1 MiB behind in the last three looks (history of positions)."},
		Fact{Name: "can-lose-one", Check: noArgs, Ask: askCanLoseOne,
			Doc: "The cluster can lose one more node (margin)."},
		Fact{Name: "leadership-moved", Check: noArgs, Ask: askMoved,
			Doc: "A node is elected, and not the one that led when the plan was made."},
		Fact{Name: "former-leader-compared", Check: noArgs, Ask: askFormerCompared,
			Doc: "What the leader of the plan held beyond the point where the new one took over is known; the sentence says how much (both copies, by their histories)."},
		Fact{Name: "never-armed", Check: noArgs, Ask: askNeverArmed,
			Doc: "Never holds: the cockpit shows the procedure and does not carry it out."},
		Fact{Name: "promote-failed", Check: noArgs, Ask: askPromoteFailed,
			Doc: "A promotion by a plan of ours failed, and nobody was elected since (plans of ours, elected leader)."},
		Fact{Name: "room-for-logs", Check: noArgs, Ask: askRoomForLogs,
			Doc: "At least 2 GB are free where the node's logs lie, for an archive of them (host.disks)."},
	)
}

func askLeaderSettled(v *View, _ Binding) Answer {
	e := v.Elected()
	lead := e.Answer
	lead.Truth = e.Truth
	if e.Truth != True {
		return lead
	}
	as := []Answer{lead, v.OutOfRecovery(e.Node)}
	for _, n := range v.others(e.Node) {
		as = append(as, v.noPrimary(n))
	}
	return all(e.Node+" leads, and no other PostgreSQL accepts writes", as...)
}

func askFailoverCluster(v *View, _ Binding) Answer {
	cluster := v.failoverEnabled()
	as := []Answer{cluster}
	e := v.Elected()
	for _, n := range v.nodes() {
		if n.Name != e.Node {
			as = append(as, v.unblocked(n.Name))
		}
	}
	return all("failover is enabled for the cluster and for every follower", as...)
}

// closeBehind is how far a follower may be behind when leadership is handed over.
const closeBehind = 1 << 20

func askFollowersClose(v *View, _ Binding) Answer {
	e := v.Elected()
	if e.Truth != True {
		return e.Answer
	}
	var as []Answer
	for _, n := range v.others(e.Node) {
		as = append(as, v.closeBehind(n, e.Node))
	}
	if len(as) == 0 {
		return say(Unknown, "no follower is known")
	}
	return all(strings.Join(v.others(e.Node), " and ")+" were at most 1 MiB behind in three looks", as...)
}

func (v *View) closeBehind(node, leader string) Answer {
	streams := v.StreamsFrom(node, leader)
	if streams.Truth != True {
		return streams
	}
	looks, ok := v.lastLooks(node, 3)
	if !ok {
		return say(Unknown, "how far "+node+" is behind is unknown: fewer than three looks so far")
	}
	for _, s := range looks {
		switch {
		case !s.LagKnown:
			return say(Unknown, "how far "+node+" is behind is unknown", streams.Claims...)
		case s.LagBytes > closeBehind:
			return say(False, fmt.Sprintf("%s was %s behind within the last three looks", node, Amount(s.LagBytes)), streams.Claims...)
		}
	}
	return say(True, node+" was at most 1 MiB behind in three looks", streams.Claims...)
}

func askCanLoseOne(v *View, _ Binding) Answer {
	m := v.Margin()
	if m.CanLose < 1 {
		return say(False, "the cluster can lose no further node")
	}
	return say(True, fmt.Sprintf("the cluster can lose %d more", m.CanLose))
}

func askMoved(v *View, b Binding) Answer {
	e := v.Elected()
	lead := e.Answer
	lead.Truth = e.Truth
	was := ""
	if b.Plan != nil {
		was = b.Plan.Values["leader"]
	}
	if e.Truth == True && (was == "" || e.Node == was) {
		return say(False, e.Node+" leads still", lead.Claims...)
	}
	return lead
}

// askFormerCompared compares what the former leader holds with the history of
// the new one: what lies beyond the switch was never handed over.
func askFormerCompared(v *View, b Binding) Answer {
	e := v.Elected()
	if e.Truth != True {
		return e.Answer
	}
	was := ""
	if b.Plan != nil {
		was = b.Plan.Values["leader"]
	}
	if was == "" || was == e.Node {
		return say(Unknown, "who led before is not known")
	}
	c, refs := v.compare(e.Node, was)
	if !c.Known {
		return say(Unknown, "what was lost is not known yet: "+c.Sentence, refs...)
	}
	if c.Lost == 0 {
		return say(True, fmt.Sprintf("nothing was lost: %s holds all that %s wrote", e.Node, was), refs...)
	}
	return say(True, fmt.Sprintf("%s of WAL on %s were never handed over: %s", Amount(c.Lost), was, c.Sentence), refs...)
}

func askNeverArmed(_ *View, b Binding) Answer {
	return say(False, "shown, never armed: only Support says when, and a person types it in a terminal on "+b.Node)
}

func askPromoteFailed(v *View, _ Binding) Answer {
	if e := v.Elected(); e.Truth == True {
		return say(False, e.Node+" leads: nobody has to be forced", e.Answer.Claims...)
	}
	for i := len(v.Plans) - 1; i >= 0; i-- {
		for _, s := range v.Plans[i].Steps {
			if strings.Contains(s.Step.Command, "chef-backend-ctl promote ") && (s.Status == StatusFailed || s.Status == StatusUnknown) {
				return say(True, fmt.Sprintf("plan %s did not get %s promoted", v.Plans[i].Plan.ID, v.Plans[i].Plan.Node))
			}
		}
	}
	return say(False, "no promotion was tried and failed: promote-node comes first")
}

func askRoomForLogs(v *View, b Binding) Answer {
	c, room := v.report(b.Node).Host.Disks, v.report(b.Node).Host.Room
	switch {
	case !recent(v, c):
		return unknownFor(b.Node, "host.disks", c)
	case !recent(v, room):
		return unknownFor(b.Node, "host.room", room)
	}
	ref, top := mention(b.Node, "host.disks", c), mention(b.Node, "host.room", room)
	for _, d := range c.Value {
		if strings.HasPrefix("/var/log/chef-backend/", strings.TrimRight(d.Path, "/")+"/") {
			s := fmt.Sprintf("%s has %s free on %s and %s on /, an archive of the logs may take 2 GB", b.Node, Amount(d.Free), d.Path, Amount(room.Value.Top))
			return say(TruthOf(min(d.Free, room.Value.Top) >= saveMargin && !d.ReadOnly), s, ref, top)
		}
	}
	return say(Unknown, "no disk of "+b.Node+" is known to hold its logs", ref)
}
