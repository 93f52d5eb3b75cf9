package cluster

import (
	"sort"
	"strings"
)

// Leadership asks each layer whom it takes for the leader, in the order
// leaderl, PostgreSQL, cluster-status. etcd's raft leader is not among them:
// it has nothing to do with who serves. In leaderl and in PostgreSQL a node speaks
// only for itself: that they name nobody is known once every node has answered.
// One node's cluster-status speaks for all.
func (v *View) Leadership() []LayerLeader {
	return []LayerLeader{
		v.layer("leaderl", false, func(r *Report) (Truth, []string) {
			return Is(r.Leaderl.LeaderCode, 200), nil
		}),
		v.layer("postgresql", false, func(r *Report) (Truth, []string) {
			return v.OutOfRecovery(r.Node).Truth, nil // a stopped one claims nothing
		}),
		v.layer("cluster-status", true, func(r *Report) (Truth, []string) {
			if !r.Ctl.Rows.Known {
				return Unknown, nil
			}
			return False, v.leadersByCtl(r)
		}),
	}
}

// layer collects one layer's leaders; a node claims itself (True) or names
// others. Where one speaks for all, one answer makes the layer known.
func (v *View) layer(name string, forAll bool, ask func(*Report) (Truth, []string)) LayerLeader {
	l := LayerLeader{Layer: name}
	if v.Snapshot == nil {
		return l
	}
	named, silent, spoke := map[string]bool{}, 0, false
	for _, n := range v.Snapshot.Nodes {
		self, others := Unknown, []string(nil)
		if r := v.Report(n.Name); r != nil {
			self, others = ask(r)
		}
		if self == Unknown {
			silent++
			continue
		}
		spoke = true
		if self == True {
			named[n.Name] = true
		}
		for _, o := range others {
			named[o] = true
		}
	}
	l.Known = spoke && (forAll || silent == 0 || len(named) > 0)
	for _, n := range v.Snapshot.Nodes {
		if named[n.Name] {
			l.Nodes = append(l.Nodes, n.Name)
			delete(named, n.Name)
		}
	}
	var foreign []string
	for o := range named {
		foreign = append(foreign, o)
	}
	sort.Strings(foreign)
	l.Nodes = append(l.Nodes, foreign...)
	return l
}

// leadersByCtl names the nodes that one node's cluster-status calls leader.
func (v *View) leadersByCtl(r *Report) []string {
	var leaders []string
	for _, row := range r.Ctl.Rows.Value {
		if row.Role != "leader" {
			continue
		}
		name := row.Name
		if n, ok := v.Snapshot.ByAddress(row.IP); ok {
			name = n.Name
		}
		leaders = append(leaders, name)
	}
	return leaders
}

// contradictions says in sentences where layers cannot all be right.
func (v *View) contradictions() []string {
	var out []string
	layers := v.Leadership()
	for _, l := range layers {
		if len(l.Nodes) > 1 {
			out = append(out, layerSays[l.Layer]+" "+strings.Join(l.Nodes, " and ")+" at once")
		}
	}
	for i, a := range layers {
		for _, b := range layers[i+1:] {
			if a.Known && b.Known && len(a.Nodes) == 1 && len(b.Nodes) == 1 && a.Nodes[0] != b.Nodes[0] {
				out = append(out, layerSays[a.Layer]+" "+a.Nodes[0]+", "+layerSays[b.Layer]+" "+b.Nodes[0])
			}
		}
	}
	return append(out, v.raftContradictions()...)
}

// layerSays begins the sentence about a layer's leader.
var layerSays = map[string]string{
	"leaderl":        "leaderl answers as leader on",
	"postgresql":     "PostgreSQL is out of recovery on",
	"cluster-status": "cluster-status names",
}

// raftContradictions compares whom healthy etcd members take for raft leader.
func (v *View) raftContradictions() []string {
	said := map[string][]string{}
	for _, n := range v.Snapshot.Nodes {
		r := v.Report(n.Name)
		if r == nil || Is(r.Etcd.Health, true) != True || !r.Etcd.RaftLeader.Known || r.Etcd.RaftLeader.Value == "" {
			continue
		}
		said[r.Etcd.RaftLeader.Value] = append(said[r.Etcd.RaftLeader.Value], n.Name)
	}
	if len(said) < 2 {
		return nil
	}
	var parts []string
	for _, who := range said {
		parts = append(parts, strings.Join(who, " and "))
	}
	sort.Strings(parts)
	return []string{"etcd members disagree on the raft leader: " + strings.Join(parts, " against ")}
}
