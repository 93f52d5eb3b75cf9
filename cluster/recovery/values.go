package recovery

import (
	"fmt"
	"slices"

	"chef-backend-cockpit/cluster"
)

// values are what the braces of a procedure stand for. A value that is not
// known is absent; its braces then stay, and nothing with braces ever runs.
func values(v *cluster.View, node, service, id string) map[string]string {
	out := v.Positions()
	set := func(name, value string) {
		if value != "" {
			out[name] = value
		}
	}
	set("plan", id)
	set("node", node)
	set("service", service)
	if n, ok := v.Snapshot.Node(node); ok {
		set("address", n.Address)
		set("position", v.PositionOf(node))
	}
	if role, a := v.RoleOf(node); a.Truth == cluster.True {
		set("role", role)
	}
	if e := v.Elected(); e.Truth == cluster.True {
		set("leader", e.Node)
		n, _ := v.Snapshot.Node(e.Node)
		set("leader-address", n.Address)
	}
	set("member", member(v, node))
	for i, n := range others(v, node) {
		set(fmt.Sprintf("other%d", i+1), n.Name)
		set(fmt.Sprintf("other%d-address", i+1), n.Address)
	}
	set("data-dir", "/var/opt/chef-backend/postgresql")
	if r := v.Report(node); r != nil {
		if r.PostgreSQL.DataBytes.Known {
			set("data-size", cluster.Amount(r.PostgreSQL.DataBytes.Value))
		}
		set("data-free", freeText(r))
	}
	return out
}

// others are the nodes beside the plan's own in fixed order; for a plan about
// the whole cluster those beside the elected leader, none where nobody leads.
func others(v *cluster.View, node string) []cluster.Node {
	if e := v.Elected(); node == "" && e.Truth == cluster.True {
		node = e.Node
	}
	if node == "" {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(v.Snapshot.Nodes), func(n cluster.Node) bool { return n.Name == node })
}

// member is a node whose etcd is healthy: the plan's own if it can be.
func member(v *cluster.View, node string) string {
	names := []string{node}
	for _, n := range v.Snapshot.Nodes {
		names = append(names, n.Name)
	}
	for _, name := range names {
		if r := v.Report(name); r != nil && cluster.Is(r.Etcd.Health, true) == cluster.True {
			return name
		}
	}
	return node
}
