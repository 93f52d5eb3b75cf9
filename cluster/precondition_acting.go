package cluster

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

func checkVersion(x *Examination, n Examined) verdict {
	a := x.View.supported(n.Node.Name)
	if a.Truth == True {
		return inOrder(x.View.report(n.Node.Name).Host.Version.Value)
	}
	return asAnswered(a, "Upgrade Chef Backend to 2.1.0 or newer; until then only watch.")
}

// clusterPorts are those by which the nodes of a cluster need each other, with
// who listens there.
var clusterPorts = []struct {
	port    int
	service string
}{{2379, "etcd"}, {2380, "etcd"}, {5432, "postgresql"}, {7331, "leaderl"}, {9200, "elasticsearch"}, {9300, "elasticsearch"}}

func checkPorts(x *Examination, n Examined) verdict {
	var shut, refused, unsure []string
	var open int
	for _, peer := range x.View.others(n.Node.Name) {
		for _, p := range clusterPorts {
			how, _, known := x.View.peerPort(n.Node.Name, peer, p.port)
			switch {
			case !known:
				unsure = append(unsure, fmt.Sprintf("%d of %s", p.port, peer))
			case how == "open":
				open++
			case how == "refused":
				refused = append(refused, fmt.Sprintf("%d of %s (%s)", p.port, peer, p.service))
			default:
				shut = append(shut, fmt.Sprintf("%d of %s", p.port, peer))
			}
		}
	}
	var seen []string
	for _, s := range []struct {
		ports []string
		how   string
	}{{shut, "no answer from "}, {refused, "refused by "}, {unsure, "not known: "}} {
		if len(s.ports) > 0 {
			seen = append(seen, s.how+strings.Join(s.ports, ", "))
		}
	}
	said := strings.Join(seen, "; ")
	switch {
	case len(shut) > 0:
		return amiss(said, "Let this node through to these ports: firewall, network, or the other node is off.")
	case len(refused) > 0:
		return amiss(said, "Start the service that should listen there, or let the firewall pass this node.")
	case len(unsure) > 0:
		return untold(said, "Install bash or curl on this node, or try the ports from there by hand.")
	case open == 0:
		return untold("no other node is known", "Name all nodes.")
	}
	return inOrder(fmt.Sprintf("all %d ports of the other nodes answer", open))
}

// checkClock compares the nodes with each other, which is what the product
// needs, and then with this machine, whose clock only dates what is shown.
func checkClock(x *Examination, n Examined) verdict {
	h := x.View.report(n.Node.Name).Host
	a := x.View.clockDiffers(n.Node.Name)
	a.Truth = a.Truth.Not()
	if a.Truth != True {
		return asAnswered(a, "Let NTP set the clock of this node.")
	}
	off, how := h.ClockOffset.Value, "ahead of"
	if off < 0 {
		off, how = -off, "behind"
	}
	seen := fmt.Sprintf("agrees with the others; %s %s this machine", off.Round(100*time.Millisecond), how)
	if off <= clockDrift+h.ClockError.Value {
		return inOrder("agrees with the others and with this machine")
	}
	return advice(seen, "Let NTP set the clock of the machine that the cockpit runs on.")
}

func checkFileSystems(x *Examination, n Examined) verdict {
	full, ro := x.View.diskFull(n.Node.Name), x.View.readOnly(n.Node.Name)
	full.Truth, ro.Truth = full.Truth.Not(), ro.Truth.Not()
	switch {
	case ro.Truth == False:
		return asAnswered(ro, "See why in the kernel's log, repair it, and mount it writable.")
	case full.Truth == False:
		return asAnswered(full, "Make room there before anything else; never delete WAL by hand.")
	case full.Truth == Unknown:
		return asAnswered(full, "")
	case ro.Truth == Unknown:
		return asAnswered(ro, "")
	}
	low := x.View.diskLow(n.Node.Name)
	if low.Truth == True {
		return advice(low.Sentence, "Make room there soon.")
	}
	return inOrder("can be written, and have room")
}

// checkBaseBackup takes the largest copy of the cluster for the leader's: all
// hold one database, and who leads may change.
func checkBaseBackup(x *Examination, n Examined) verdict {
	var size int64
	for _, o := range x.Nodes {
		if c := x.View.report(o.Node.Name).PostgreSQL.DataBytes; c.Known {
			size = max(size, c.Value)
		}
	}
	if size == 0 {
		return untold("how large the database is no node tells", "See on a node: du -sh "+postgresFolder)
	}
	free, where, why := x.View.freeForData(n.Node.Name)
	if why.Sentence != "" {
		return asAnswered(why, "")
	}
	need := size + (512+250)<<20
	seen := fmt.Sprintf("needs %s, %s free on %s", Amount(need), Amount(free), where)
	if free < need {
		return amiss(seen, "Make room there: a new copy comes beside the old one.")
	}
	return inOrder(seen)
}

func checkFileCopy(x *Examination, n Examined) verdict {
	a := askRoomForSaving(x.View, Binding{Node: n.Node.Name})
	if h := x.View.report(n.Node.Name).Host; a.Truth == True {
		return inOrder(fmt.Sprintf("takes %s, %s free at %s", Amount(h.TreeBytes.Value), Amount(h.Room.Value.Copies), CopiesFolder))
	}
	return asAnswered(a, "Mount a file system with room at "+CopiesFolder+", or take a snapshot of the machine instead.")
}

// leastRoom is what steps and their output take at most, in bytes.
const leastRoom = 64 << 20

// onlyWriting is said beside what the kernel answers without a write.
const onlyWriting = "a quota or a file that is locked shows only when written"

func checkOwnFolder(_ *Examination, n Examined) verdict {
	c := n.Means.Own
	if !c.Known {
		return untold(c.Reason, "Look again.")
	}
	o := c.Value
	switch {
	case o.NoFolder != "":
		return amiss(o.NoFolder+" is no folder", "Move it away; the cockpit keeps its steps there.")
	case o.ReadOnly:
		return amiss(o.Nearest+" lies on a file system that is mounted read-only", "Mount it writable.")
	case o.Refused != "":
		return amiss("root may not write to "+o.Refused, "Mend its rights, or mount its file system writable.")
	case o.Inodes == 0:
		return amiss("no further file can be made in "+o.Nearest, "Remove files on that file system.")
	case o.Free < leastRoom:
		return amiss(fmt.Sprintf("%s free at %s", Amount(o.Free), o.Nearest), "Make room there: steps keep their output in "+OwnBase+".")
	case o.Mode == "":
		return inOrder("not there yet, can be made in " + o.Nearest + "; " + onlyWriting)
	}
	return inOrder("can be written, as the kernel says; " + onlyWriting)
}

func checkLock(x *Examination, n Examined) verdict {
	l := x.View.report(n.Node.Name).Lock
	switch can := n.lockable(); {
	case can.standing != InOrder:
		return can
	case !l.Held.Known:
		return untold(l.Held.Reason, "Look again.")
	case l.Held.Value:
		return advice(l.Holder.Value.Who+" holds it now", "Wait until it is free, or take it over in the cockpit: K, then T.")
	}
	return inOrder("can be held here, and is free")
}

// lockable answers whether the operators' lock can be held on a node at all.
func (n Examined) lockable() verdict {
	tools, own := n.Means.Tools, n.Means.Own
	if !tools.Known {
		return untold(tools.Reason, "Look again.")
	}
	for _, t := range Tools {
		if t.Names[0] == "flock" || t.Names[0] == "timeout" {
			if why := t.lack(tools.Value); why != "" {
				return amiss(why, "Install "+t.From+" on the node.")
			}
		}
	}
	if v := checkOwnFolder(nil, n); v.standing != InOrder {
		return verdict{v.standing, "no place for it: " + v.seen, v.remedy}
	}
	if c := n.Means.LockList; own.Known && !c.Known {
		return untold(c.Reason, "Look again.")
	} else if !c.Value {
		return advice("/proc/locks cannot be read: who holds it will not show", "Mount /proc without hidden parts for root.")
	}
	return inOrder("")
}

// checkSSHD is about what sshd is configured to; the sessions that were opened
// say more, so that nothing depends on it.
func checkSSHD(_ *Examination, n Examined) verdict {
	c := n.Means.SSHD
	if !c.Known {
		return advice("sshd -T tells nothing: "+c.Reason, "Nothing: sessions were tried, and one new connection at a time is made.")
	}
	seen := fmt.Sprintf("MaxSessions %d, MaxStartups %s", c.Value.MaxSessions, c.Value.MaxStartups)
	start, err := strconv.Atoi(strings.SplitN(c.Value.MaxStartups, ":", 2)[0])
	switch {
	case c.Value.NoTerminal:
		return advice(seen+", PermitTTY no", "Set PermitTTY to yes: without it commands that want a terminal cannot be run from here.")
	case err == nil && start < 3:
		return advice(seen, "Set MaxStartups to 10:30:100: with few, a second cockpit or a scanner keeps this one out.")
	}
	return inOrder(seen)
}
