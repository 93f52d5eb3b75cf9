package tui

import (
	"slices"
	"strings"

	"chef-backend-cockpit/cluster"
)

// leaderSegment is the leader as each layer claims it. etcd's raft leader is
// not asked: it has nothing to do with who leads the cluster.
func (m *model) leaderSegment() segment {
	layers, unknown := m.leaderLayers()
	if m.settling() && (len(layers) == 0 || len(layers[0].Nodes) == 0) {
		return segment{p: m.st.dim, says: []string{"leader: " + lookingText}, rank: 3}
	}
	if len(layers) == 0 {
		return segment{p: m.st.amber, says: []string{"? leader unknown, no layer tells who", "? leader unknown"}, rank: 3}
	}
	same := true
	for _, l := range layers[1:] {
		same = same && strings.Join(l.Nodes, "+") == strings.Join(layers[0].Nodes, "+")
	}
	first := layers[0].Nodes
	switch {
	case !same || len(first) > 1:
		return m.disagree(layers, unknown)
	case len(first) == 0:
		return m.nobody(layers, unknown)
	case unknown == 0:
		return segment{p: m.st.leader, says: []string{"leader " + first[0] + ", " + agreeText(0), "leader " + first[0]}, rank: 7}
	}
	p, who, rank := m.st.leader, "leader "+first[0], 7
	if !speaksForItself(layers) { // the node itself could not be asked
		p, who, rank = m.st.amber, "? "+who, 3
	}
	return segment{p: p, says: []string{who + " by " + layerNames(layers) + ", " + agreeText(unknown), who + ", " + agreeText(unknown), who}, rank: rank}
}

// nobody says that no layer names a leader. That is certain only where
// PostgreSQL accepts writes on no node; else one may lead out of our reach.
func (m *model) nobody(layers []cluster.LayerLeader, unknown int) segment {
	if slices.ContainsFunc(layers, func(l cluster.LayerLeader) bool { return l.Layer == string(cluster.SourcePostgreSQL) }) {
		says := []string{"! nobody leads, " + agreeText(unknown), "! nobody leads"}
		if m.armed() { // then the name of the cluster has to have room
			says = append(says, "! no leader")
		}
		return segment{p: m.st.red, says: says, rank: 3}
	}
	says := []string{"? leader unknown: nobody by " + layerNames(layers) + ", " + agreeText(unknown), "? leader unknown"}
	if m.armed() {
		says = append(says, "? leader")
	}
	return segment{p: m.st.amber, says: says, rank: 3}
}

// speaksForItself answers whether one of the layers is one in which each node
// speaks for itself.
func speaksForItself(layers []cluster.LayerLeader) bool {
	return slices.ContainsFunc(layers, func(l cluster.LayerLeader) bool {
		return l.Layer == string(cluster.SourceLeaderl) || l.Layer == string(cluster.SourcePostgreSQL)
	})
}

func layerNames(layers []cluster.LayerLeader) string {
	var names []string
	for _, l := range layers {
		names = append(names, l.Layer)
	}
	return strings.Join(names, " and ")
}

func agreeText(unknown int) string {
	if unknown == 0 {
		return "all layers agree"
	}
	return plural(unknown, "layer", "layers") + " unknown"
}

// leaderLayers are the layers that say who leads, or that nobody does, and how
// many do not tell.
func (m *model) leaderLayers() (known []cluster.LayerLeader, unknown int) {
	for _, l := range m.state.Leadership {
		switch {
		case l.Layer == string(cluster.SourceEtcd):
		case l.Known:
			known = append(known, l)
		default:
			unknown++
		}
	}
	return known, unknown
}

// disagree names each layer's leader.
func (m *model) disagree(layers []cluster.LayerLeader, unknown int) segment {
	var parts []string
	seen := map[string]bool{}
	var names []string
	for _, l := range layers {
		who := "nobody"
		if len(l.Nodes) > 0 {
			who = strings.Join(l.Nodes, "+")
		}
		parts = append(parts, l.Layer+" "+who)
		for _, n := range append([]string{}, l.Nodes...) {
			if !seen[n] {
				seen[n] = true
				names = append(names, n)
			}
		}
	}
	if unknown > 0 {
		parts = append(parts, agreeText(unknown))
	}
	return segment{p: m.st.red, rank: 2, says: []string{"! leader: " + strings.Join(parts, ", "),
		"! leader: " + strings.Join(names, " or ") + ", layers disagree", "! leader: " + strings.Join(names, " or "), "! leader " + strings.Join(names, "?") + "?"}}
}
