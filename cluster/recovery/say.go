package recovery

import (
	"fmt"
	"slices"
	"strings"

	"chef-backend-cockpit/cluster"
)

// say writes what the confirmation shows: where, what is lost, what is kept.
// What the catalogue says in general is followed by what is true of these nodes.
func (b *binder) say(plan *cluster.Plan) {
	plan.Where = b.where()
	lost, kept := []string{b.text(b.p.Lost)}, []string{b.text(b.p.Kept)}
	if b.asks(plan, "no-wal-of-its-own") && b.values["leader"] != "" {
		lost = append(lost, b.v.Contained(b.node, b.values["leader"]).Sentence)
		kept = append(kept, b.seconds()...)
	}
	if b.p.Tier == cluster.T3 && b.node != "" {
		plan.Copies = b.v.CompareCopies(b.node) // shown below what is lost
	}
	plan.Lost, plan.Kept = joinText(lost), joinText(kept)
	if r := b.v.Report(b.values["leader"]); r != nil && b.asks(plan, "room-for-a-copy") && r.PostgreSQL.DataBytes.Known {
		plan.Lasts = joinText([]string{plan.Lasts, b.values["leader"] + " holds " + cluster.Amount(r.PostgreSQL.DataBytes.Value)})
	}
}

// asks answers whether a guard of the plan asks a fact.
func (b *binder) asks(plan *cluster.Plan, fact string) bool {
	return slices.ContainsFunc(plan.Guards, func(g cluster.CheckedGuard) bool { return g.Fact == fact })
}

// where names the target: node, address, place, and why its role is believed.
func (b *binder) where() string {
	if b.node == "" {
		return "the whole cluster"
	}
	n, _ := b.v.Snapshot.Node(b.node)
	place := slices.IndexFunc(b.v.Snapshot.Nodes, func(n cluster.Node) bool { return n.Name == b.node }) + 1
	parts := []string{n.Name, n.Address, fmt.Sprintf("position %d", place)}
	s := strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), ", ")
	_, role := b.v.RoleOf(b.node)
	return joinText([]string{s, role.Sentence, b.v.OutOfRecovery(b.node).Sentence, unnamed(b.v.Report(b.node))})
}

// unnamed says so where a node cannot be told from another by a machine id.
func unnamed(r *cluster.Report) string {
	if r == nil || r.Host.MachineID.Known && r.Host.MachineID.Value != "" {
		return ""
	}
	return "it has no machine id"
}

// seconds are sentences about the copies that stand besides leader and node.
func (b *binder) seconds() []string {
	var out []string
	for _, n := range b.v.Snapshot.Nodes {
		if n.Name == b.node || n.Name == b.values["leader"] {
			continue
		}
		out = append(out, b.v.GoodFollower(n.Name).Sentence)
	}
	return out
}

func joinText(parts []string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "; ")
}

// freeText is the free space of the disk that holds the database.
func freeText(r *cluster.Report) string {
	if !r.Host.Disks.Known {
		return ""
	}
	best := cluster.Disk{}
	for _, d := range r.Host.Disks.Value {
		if strings.HasPrefix("/var/opt/chef-backend/", strings.TrimRight(d.Path, "/")+"/") && len(d.Path) > len(best.Path) {
			best = d
		}
	}
	if best.Path == "" {
		return ""
	}
	return cluster.Amount(best.Free)
}
