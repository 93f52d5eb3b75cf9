package cluster

import (
	"fmt"
	"strings"
	"time"
)

// etcdHeartbeat is etcd.heartbeat_interval of the product (vendor documentation).
const etcdHeartbeat = 500 * time.Millisecond

// termsWindow is within how long the raft term may not rise by two.
const termsWindow = 10 * time.Minute

func init() {
	register(
		Fact{"etcd-slow", "etcd's raft term rose by two or more within 10 minutes with every etcd process standing and no partition, or its raft leader needs longer for a peer than the heartbeat interval (etcd, runit, peers' ports, history).", aboutCluster((*View).etcdSlow), noArgs},
		Fact{"etcd-removed", "etcd on the node runs or is wanted up, and healthy members do not list the node (etcd members, runit).", aboutNode((*View).etcdRemoved), noArgs},
		Fact{"etcd-other-cluster", "etcd on the node has another cluster id than the leader's node, or than most nodes (X-Etcd-Cluster-Id).", aboutNode((*View).etcdOtherCluster), noArgs},
		Fact{"etcd-data-locked", "etcd's own user may not write into its data directory (asked of the kernel as that user).", aboutNode((*View).etcdDataLocked), noArgs},
	)
}

func (v *View) etcdSlow() Answer {
	return anyOf("etcd keeps up", v.etcdPeersSlow(), v.etcdTermsRise())
}

// etcdPeersSlow reads the latencies that the raft leader tells.
func (v *View) etcdPeersSlow() Answer {
	var as []Answer
	for _, n := range v.nodes() {
		r := v.report(n.Name)
		c := r.Etcd.PeerLatency
		if !c.Known {
			continue
		}
		beat, what := etcdHeartbeat, "the product's heartbeat interval"
		if h := r.Settings.Heartbeat; h.Known && h.Value > 0 {
			beat, what = h.Value, "the configured heartbeat interval"
		}
		as = append(as, say(TruthOf(c.Value > beat), fmt.Sprintf("etcd on %s, the raft leader, needs %s for a peer; %s is %s", n.Name, c.Value.Round(time.Millisecond), what, beat), mention(n.Name, "etcd.peer-latency", c)))
	}
	if len(as) == 0 {
		return say(Unknown, "no raft leader tells how long its peers take")
	}
	return anyOf("the raft leader's peers answer within the heartbeat interval", as...)
}

// etcdTermsRise counts elections of etcd. Each ends a term; a restart and a
// partition make terms rise too, and are excluded.
func (v *View) etcdTermsRise() Answer {
	if v == nil || len(v.Past.Terms) == 0 {
		return say(Unknown, "no raft term has been seen yet")
	}
	terms := v.Past.Terms
	first := 0
	for first < len(terms)-1 && v.Now.Sub(terms[first+1].At) > termsWindow {
		first++
	}
	last := terms[len(terms)-1]
	rose := last.Term - terms[first].Term
	if rose < 2 || first == len(terms)-1 {
		return say(False, fmt.Sprintf("the raft term rose by %d within 10 minutes", rose))
	}
	if at := v.Past.Apart; !at.IsZero() && v.Now.Sub(at) < termsWindow {
		return say(False, fmt.Sprintf("the raft term rose by %d, but the nodes could not all see each other at %s", rose, at.UTC().Format("15:04:05Z")))
	}
	as := []Answer{say(True, fmt.Sprintf("the raft term rose by %d to %d within 10 minutes", rose, last.Term))}
	since := v.Now.Sub(terms[first+1].At)
	for _, n := range v.nodes() {
		as = append(as, v.stoodFor(n.Name, "etcd", since))
	}
	return all(as[0].Sentence+", with every etcd process standing and no partition", as...)
}

// Apart answers whether some node cannot be reached, or one node's way to
// another's etcd is silent: for etcd's elections that is a partition.
func (v *View) Apart() bool {
	for _, n := range v.nodes() {
		r := v.report(n.Name)
		if r.Reach.Known && r.Reach.Value == Unreachable {
			return true
		}
		for _, p := range r.Peers {
			if p.Known && p.Value.Ports[2380] == "timeout" {
				return true
			}
		}
	}
	return false
}

// etcdRemoved believes healthy members alone: a removed one lists itself for ever.
func (v *View) etcdRemoved(node string) Answer {
	n, _ := v.snapshotNode(node)
	own := v.report(node).Etcd.MemberName
	var witnesses []string
	var refs []ClaimRef
	for _, peer := range v.others(node) {
		c := v.report(peer).Etcd.Members
		if v.etcdHealth(peer).Truth != True {
			continue
		}
		if _, ok := aged(v, peer, "etcd.members", c); !ok || len(c.Value) == 0 {
			continue
		}
		refs = append(refs, mention(peer, "etcd.members", c))
		for _, m := range c.Value {
			if own.Known && m.Name == own.Value || SameAddress(hostOf(m.PeerURL), n.Address) {
				return say(False, "etcd on "+peer+" lists "+node+" as a member", refs...)
			}
			if n.Address == "" || hostOf(m.PeerURL) == "" {
				return say(Unknown, "whether "+node+" is an etcd member is unknown: no address to compare", refs...)
			}
		}
		witnesses = append(witnesses, peer)
	}
	if len(witnesses) == 0 {
		return say(Unknown, "no healthy etcd tells whether "+node+" is a member", refs...)
	}
	absent := say(True, fmt.Sprintf("etcd on %s does not list %s as a member", strings.Join(witnesses, " and "), node), refs...)
	down := v.serviceDown(node, "etcd")
	down.Truth = down.Truth.Not()
	return all("", absent, anyOf("etcd on "+node+" is stopped, as a removed node's should be", down, v.serviceWantedUp(node, "etcd")))
}

// hostOf is the host in http://10.0.4.11:2380.
func hostOf(url string) string {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		rest = url
	}
	rest, _, _ = strings.Cut(rest, "/")
	if i := strings.LastIndex(rest, ":"); i >= 0 {
		rest = rest[:i]
	}
	return strings.Trim(rest, "[]")
}

func (v *View) etcdOtherCluster(node string) Answer {
	own := v.report(node).Etcd.ClusterID
	if !own.Known {
		return unknownFor(node, "etcd.cluster-id", own)
	}
	refs := []ClaimRef{mention(node, "etcd.cluster-id", own)}
	held := map[string]int{own.Value: 1}
	for _, n := range v.others(node) {
		if c := v.report(n).Etcd.ClusterID; c.Known {
			held[c.Value]++
			refs = append(refs, mention(n, "etcd.cluster-id", c))
		}
	}
	if len(refs) == 1 {
		return say(Unknown, "no other node tells its etcd cluster id", refs...)
	}
	if len(held) == 1 {
		return say(False, "etcd on "+node+" has the cluster id of the others", refs...)
	}
	if e := v.Elected(); e.Truth == True {
		if c := v.report(e.Node).Etcd.ClusterID; c.Known {
			return say(TruthOf(c.Value != own.Value), fmt.Sprintf("etcd on %s has cluster id %s; on the leader %s it is %s", node, own.Value, e.Node, c.Value), refs...)
		}
	}
	for id, count := range held {
		if count >= 2 {
			return say(TruthOf(id != own.Value), fmt.Sprintf("etcd on %s has cluster id %s; most nodes have %s", node, own.Value, id), refs...)
		}
	}
	return say(Unknown, "the nodes tell different etcd cluster ids, and none is that of most", refs...)
}

func (v *View) etcdDataLocked(node string) Answer {
	c := v.report(node).Etcd.Writable
	if a, ok := aged(v, node, "etcd.data-writable", c); !ok {
		return a
	}
	s := "etcd's user may write into its data directory on " + node
	if !c.Value {
		s = "etcd's user may not write into its data directory on " + node
	}
	return say(TruthOf(!c.Value), s, mention(node, "etcd.data-writable", c))
}
