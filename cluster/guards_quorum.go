package cluster

import (
	"fmt"
	"strings"
	"time"
)

// The guards of quorum-loss-recovery, which makes a new cluster of one node.
func init() {
	register(
		Fact{Name: "etcd-lost-for-10s", Check: noArgs, Ask: aboutNode((*View).etcdLost),
			Doc: "The node's etcd has not been healthy for 10 s and in two looks (etcd.health, history of looks)."},
		Fact{Name: "sees-no-peer", Check: noArgs, Ask: aboutNode((*View).seesNoPeer),
			Doc: "From the node no port of any other node answers: 22, 2380, 5432, 7331 (the node's view of its peers)."},
		Fact{Name: "no-other-leads", Check: noArgs, Ask: aboutNode((*View).noOtherLeads),
			Doc: "Nothing that can be seen says that another node leads or is promoting; of a node that nobody can ask it says nothing (cluster-status, leaderl.leader-code, postgresql.in-recovery)."},
		Fact{Name: "copy-readable", Check: noArgs, Ask: aboutNode((*View).copyReadable),
			Doc: "System identifier, timeline and end of WAL of the node's copy can be read (postgresql.control, end of WAL)."},
		Fact{Name: "lost-copies-told", Check: noArgs, Ask: askLostTold,
			Doc: "Holds always: says the newest position ever seen of every node that cannot be asked, and how old that is (history)."},
	)
}

// quorumHold is for how long /health has to be false: one false is no fact.
const quorumHold = 10 * time.Second

func (v *View) etcdLost(node string) Answer {
	c := v.report(node).Etcd.Health
	if !c.Known {
		return unknownFor(node, "etcd.health", c)
	}
	ref := mention(node, "etcd.health", c)
	if c.Value {
		return say(False, "etcd on "+node+" is healthy: the cluster has its quorum", ref)
	}
	since := v.notHealthySince(node)
	if since.IsZero() || v.Now.Sub(since) < quorumHold {
		return say(False, fmt.Sprintf("etcd on %s is not healthy, but not yet for %s", node, quorumHold), ref)
	}
	return say(True, fmt.Sprintf("etcd on %s is not healthy since %s", node, since.UTC().Format(time.TimeOnly)), ref)
}

// notHealthySince is the first look that heard false from the node's etcd since
// it last said true. Without a quorum some answers are late, which makes those
// looks unknown and breaks nothing off.
func (v *View) notHealthySince(node string) (since time.Time) {
	ss := v.samples(node)
	for i := len(ss) - 1; i >= 0 && ss[i].EtcdHealth != True; i-- {
		if ss[i].EtcdHealth == False {
			since = ss[i].At
		}
	}
	return since
}

func (v *View) seesNoPeer(node string) Answer {
	var as []Answer
	for _, peer := range v.others(node) {
		a := v.SeenByPeer(peer, node)
		a.Truth = a.Truth.Not()
		as = append(as, a)
	}
	if len(as) == 0 {
		return say(Unknown, "no other node is known")
	}
	return all("no port of "+strings.Join(v.others(node), " or ")+" answers "+node, as...)
}

// noOtherLeads is about what is seen alone: without a quorum nobody tells who
// leads, and what answers nobody is left to the guards that ask for it.
func (v *View) noOtherLeads(node string) Answer {
	read, _ := newestRows(v.newest(), true)
	for _, row := range read.rows {
		if (row.Role == "leader" || row.Role == "promoting") && rowNode(v.Snapshot, row) != node {
			return say(False, fmt.Sprintf("cluster-status on %s calls %s %s", read.witness, row.Name, row.Role), read.ref)
		}
	}
	for _, n := range v.others(node) {
		for _, a := range []Answer{leaderAnswer(n, v.report(n)), v.OutOfRecovery(n)} {
			if a.Truth == True {
				return say(False, a.Sentence, a.Claims...)
			}
		}
	}
	return say(True, "no other node is seen to lead")
}

func (v *View) copyReadable(node string) Answer {
	c := v.copyOn(node)
	switch {
	case c.why != "":
		return say(Unknown, c.why, c.refs...)
	case !c.exact:
		return say(Unknown, "where the WAL of "+node+" ends is not known exactly", c.refs...)
	case c.system == "":
		return say(Unknown, "the system identifier of "+node+" is unknown", c.refs...)
	}
	return say(True, fmt.Sprintf("the copy on %s is of system %s and ends at %s on timeline %d", node, c.system, c.low, c.timeline), c.refs...)
}

func askLostTold(v *View, b Binding) Answer {
	var told []string
	for _, n := range v.others(b.Node) {
		last, ok := v.Past.LastSeen[n]
		switch {
		case v.Unreachable(n).Truth != True:
		case !ok || last.Position == 0:
			told = append(told, "no position of "+n+" was ever seen from here")
		default:
			led := "followed"
			if last.Leader {
				led = "led"
			}
			told = append(told, fmt.Sprintf("%s %s, and was last seen at %s on timeline %d %s ago",
				n, led, last.Position, last.Timeline, v.Now.Sub(last.At).Round(time.Second)))
		}
	}
	if len(told) == 0 {
		return say(True, "every other node can be asked")
	}
	return say(True, strings.Join(told, "; ")+"; what was written later is lost, at least")
}
