package cluster

import (
	"fmt"
	"strings"
)

// The guards and effects of resync-follower and rebuild-follower: what must
// hold before a node's copy of the database is replaced.
func init() {
	register(
		Fact{Name: "another-node-leads", Check: noArgs, Ask: askAnotherLeads,
			Doc: "A leader is elected, it is not this node, and it is the one that the plan names."},
		Fact{Name: "copy-takes-no-writes", Check: noArgs, Ask: func(v *View, b Binding) Answer { return v.noPrimary(b.Node) },
			Doc: "PostgreSQL on the node is in recovery or down (postgresql.in-recovery, postgresql.postmaster)."},
		Fact{Name: "leader-answers-from-here", Check: noArgs, Ask: askLeaderAnswers,
			Doc: "The node reaches the leader's PostgreSQL, which is out of recovery (peer view of 5432, postgresql.in-recovery)."},
		Fact{Name: "copy-of-this-cluster", Check: noArgs, Ask: askSameSystem,
			Doc: "The node's copy has the leader's system identifier, or there is none (postgresql.control)."},
		Fact{Name: "no-wal-of-its-own", Check: noArgs, Ask: askNoOwnWAL,
			Doc: "The node's copy is contained in the leader's, or its files were saved: replacing it loses nothing (both copies, by their histories)."},
		Fact{Name: "second-copy-elsewhere", Check: noArgs, Ask: askSecondCopy,
			Doc: "Besides the leader and this node a good follower stands."},
		Fact{Name: "enough-followers-without-it", Check: noArgs, Ask: askEnoughFollowers,
			Doc: "Without this node there are still as many good followers as required_active_followers asks for (the leader's configuration, good followers)."},
		Fact{Name: "room-for-a-copy", Check: noArgs, Ask: askRoom,
			Doc: "The node has free disk for the leader's data, 512 MB of WAL and leaderl's 250 MB, without counting on the old copy (host.disks, postgresql.data-bytes)."},
		Fact{Name: "start-listed", Check: noArgs, Ask: askStartListed,
			Doc: "What starting everything on the node would start is known: runit tells the state of all five services, and the sentence lists those that are down (service)."},
		Fact{Name: "service-kept-down", Ask: askServiceDown, Check: serviceArg,
			Doc: "runit says that the service named is down on the node and keeps it so (service)."},
		Fact{Name: "standby-of-the-leader", Check: noArgs, Ask: askStreams,
			Doc: "The node is in recovery and streams in the leader's own eyes (pg_stat_replication there)."},
	)
}

// planLeader is whom the plan was made for; without a plan, who leads now.
func (v *View) planLeader(b Binding) string {
	if b.Plan != nil && b.Plan.Values["leader"] != "" {
		return b.Plan.Values["leader"]
	}
	return v.Elected().Node
}

func askAnotherLeads(v *View, b Binding) Answer {
	e := v.Elected()
	a := e.Answer
	a.Truth = e.Truth
	switch planned := v.planLeader(b); {
	case e.Truth != True:
		return a
	case e.Node == b.Node:
		return say(False, b.Node+" is the elected leader", a.Claims...)
	case planned != e.Node:
		return say(False, fmt.Sprintf("%s leads now; the plan was made for %s", e.Node, planned), a.Claims...)
	}
	return a
}

func askLeaderAnswers(v *View, b Binding) Answer {
	leader := v.planLeader(b)
	if leader == "" {
		return say(Unknown, "nobody is known to lead")
	}
	c, ports := v.peerPorts(b.Node, leader)
	reach := say(Unknown, fmt.Sprintf("whether %s reaches PostgreSQL on %s is unknown: %s", b.Node, leader, c.Reason), mention(b.Node, "peer", c))
	if c.Known {
		how := ports["5432"]
		reach.Truth, reach.Sentence = TruthOf(how == "open"), fmt.Sprintf("%s reaches PostgreSQL on %s", b.Node, leader)
		if how != "open" {
			reach.Sentence = fmt.Sprintf("%s does not reach PostgreSQL on %s: %s", b.Node, leader, how)
		}
	}
	return all(fmt.Sprintf("%s answers %s and is out of recovery", leader, b.Node), v.OutOfRecovery(leader), reach)
}

func askSameSystem(v *View, b Binding) Answer {
	if a, empty := v.nothingThere(b); empty {
		return a
	}
	return v.sameSystem(b.Node, v.planLeader(b))
}

func askNoOwnWAL(v *View, b Binding) Answer {
	if a, empty := v.nothingThere(b); empty {
		return a
	}
	leader := v.planLeader(b)
	if leader == "" {
		return say(Unknown, "nobody is known to lead")
	}
	return v.containedOrSaved(b.Node, leader)
}

// nothingThere answers whether the node has no copy at all: its data directory
// is empty, or a base backup of ours gave the old copy up and did not finish.
// One that has not ended, or was refused, gave nothing up, nor did one that left
// the control file where it was: a copy that cannot be read is none that is gone.
func (v *View) nothingThere(b Binding) (Answer, bool) {
	p := v.report(b.Node).PostgreSQL
	if p.Control.Known {
		return Answer{}, false
	}
	if p.DataBytes.Known && p.DataBytes.Value == 0 {
		return say(True, "there is no copy on "+b.Node, mention(b.Node, "postgresql.data-bytes", p.DataBytes)), true
	}
	if !controlGone(p.Control.Reason) {
		return Answer{}, false
	}
	for i := len(v.Plans) - 1; i >= 0; i-- {
		if s, ok := v.Plans[i].step("3-basebackup"); ok && v.Plans[i].Plan.Node == b.Node {
			switch s.Status {
			case StatusDone:
				return Answer{}, false
			case StatusFailed, StatusUnknown:
			default:
				continue
			}
			return say(True, fmt.Sprintf("plan %s gave up the old copy on %s and did not finish the new one", v.Plans[i].Plan.ID, b.Node)), true
		}
	}
	return Answer{}, false
}

// controlGone reads why the control data are unknown: the file is not there,
// which a base backup copies last.
func controlGone(reason string) bool {
	return strings.Contains(reason, "no data directory") ||
		strings.Contains(reason, "/global/pg_control") && strings.Contains(reason, "No such file or directory")
}

func askSecondCopy(v *View, b Binding) Answer {
	leader := v.planLeader(b)
	var as []Answer
	for _, n := range v.others(b.Node) {
		if n != leader {
			as = append(as, v.GoodFollower(n))
		}
	}
	a := anyOf("", as...)
	if a.Truth == False {
		a.Sentence = "no second good copy: " + a.Sentence
	}
	return a
}

func askEnoughFollowers(v *View, b Binding) Answer {
	here := v.GoodFollower(b.Node)
	if here.Truth == False {
		return say(True, b.Node+" is no good follower now: nothing is taken away", here.Claims...)
	}
	need, ref, known := v.required()
	if !known {
		return say(Unknown, "how many followers the leader requires is unknown: no node tells its configuration", ref)
	}
	good := 0
	for _, n := range v.others(b.Node) {
		if v.GoodFollower(n).Truth == True {
			good++
		}
	}
	return say(TruthOf(good >= need),
		fmt.Sprintf("%d good followers stand without %s; %d are required", good, b.Node, need), append(here.Claims, ref)...)
}

// postgresFolder is where the product keeps the copy (vendor documentation).
const postgresFolder = "/var/opt/chef-backend/postgresql"

func askRoom(v *View, b Binding) Answer {
	leader := v.planLeader(b)
	size := v.report(leader).PostgreSQL.DataBytes
	if !recent(v, size) {
		return unknownFor(leader, "postgresql.data-bytes", size)
	}
	free, where, why := v.freeForData(b.Node)
	if why.Sentence != "" {
		return why
	}
	refs := append([]ClaimRef{mention(leader, "postgresql.data-bytes", size)}, why.Claims...)
	need := size.Value + (512+250)<<20
	if free < need {
		return say(False, fmt.Sprintf("%s needs room for %s and has %s free on %s", b.Node, Amount(need), Amount(free), where), refs...)
	}
	return say(True, fmt.Sprintf("%s has room for %s: %s free on %s", b.Node, Amount(need), Amount(free), where), refs...)
}

// freeForData is the room where the database lies, or would lie on a node that
// was cleansed. why has a sentence where that is unknown, else the claim alone.
func (v *View) freeForData(node string) (free int64, where string, why Answer) {
	h := v.report(node).Host
	var best Disk
	if recent(v, h.Disks) {
		for _, d := range h.Disks.Value {
			if strings.HasPrefix(postgresFolder+"/", strings.TrimRight(d.Path, "/")+"/") && len(d.Path) > len(best.Path) {
				best = d
			}
		}
	}
	switch {
	case best.Path != "":
		return best.Free, best.Path, Answer{Claims: []ClaimRef{mention(node, "host.disks", h.Disks)}}
	case recent(v, h.Room) && h.Files.Known && !h.Files.Value.Data:
		return h.Room.Value.Data, "the disk where " + ProductData + " will lie", Answer{Claims: []ClaimRef{mention(node, "host.room", h.Room)}}
	case !recent(v, h.Disks):
		return 0, "", unknownFor(node, "host.disks", h.Disks)
	}
	return 0, "", say(Unknown, "no disk of "+node+" is known to hold "+postgresFolder, mention(node, "host.disks", h.Disks))
}

func askStartListed(v *View, b Binding) Answer {
	var down []string
	var refs []ClaimRef
	for _, name := range Services {
		a := v.serviceDown(b.Node, name)
		refs = append(refs, a.Claims...)
		switch a.Truth {
		case Unknown:
			return a
		case True:
			down = append(down, name)
		}
	}
	if len(down) == 0 {
		return say(True, "all services of "+b.Node+" run: nothing is to be started", refs...)
	}
	return say(True, "on "+b.Node+" this starts "+strings.Join(down, ", "), refs...)
}

func askServiceDown(v *View, b Binding) Answer {
	name := argument(b, 0)
	s := v.service(b.Node, name)
	if !s.State.Known {
		return unknownFor(b.Node, "service."+name+".state", s.State)
	}
	ref := mention(b.Node, "service."+name+".state", s.State)
	switch {
	case s.State.Value == "fail":
		return say(Unknown, fmt.Sprintf("runit's supervisor of %s on %s does not answer", name, b.Node), ref)
	case s.State.Value != "down":
		return say(False, fmt.Sprintf("%s is %s on %s", name, s.State.Value, b.Node), ref)
	case s.WantUp.Known && s.WantUp.Value:
		return say(False, fmt.Sprintf("%s is down on %s, but runit wants it up", name, b.Node), ref)
	}
	return say(True, fmt.Sprintf("%s is down on %s", name, b.Node), ref)
}

func askStreams(v *View, b Binding) Answer {
	leader := v.planLeader(b)
	if leader == "" {
		return say(Unknown, "nobody is known to lead")
	}
	return all(fmt.Sprintf("%s is in recovery and streams from %s", b.Node, leader), v.inRecovery(b.Node), v.StreamsFrom(b.Node, leader))
}
