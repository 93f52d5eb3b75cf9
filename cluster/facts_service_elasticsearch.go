package cluster

import (
	"fmt"
	"strings"
	"time"
)

// esSettles is how long after a start Elasticsearch may be yellow without
// meaning anything: it copies its shards.
const esSettles = 5 * time.Minute

func init() {
	register(
		Fact{"elasticsearch-red", "The Elasticsearch node that sees the most others calls the cluster red (health, asked locally).", aboutCluster((*View).elasticsearchRed), noArgs},
		Fact{"elasticsearch-thin", "The Elasticsearch node that sees the most others calls the cluster yellow, or sees fewer nodes than there are (health, asked locally).", aboutCluster((*View).elasticsearchThin), noArgs},
		Fact{"elasticsearch-node-missing", "A node cannot be reached, or Elasticsearch does not run or does not answer there (reach, runit, health).", aboutCluster((*View).elasticsearchMissing), noArgs},
		Fact{"elasticsearch-blocked", "An index of Elasticsearch is blocked for writing (its settings).", aboutCluster((*View).elasticsearchBlocked), noArgs},
		Fact{"elasticsearch-started-recently", "Elasticsearch on some node, or a host, started within the last 5 minutes (runit, uptime).", aboutCluster((*View).elasticsearchStarted), noArgs},
	)
}

// bestElasticsearch is the node whose Elasticsearch sees the most nodes: one
// that is cut off tells of its own side only.
func (v *View) bestElasticsearch() (node string, refs []ClaimRef, ok bool) {
	most := -1
	for _, n := range v.nodes() {
		e := v.report(n.Name).Elasticsearch
		refs = append(refs, mention(n.Name, "elasticsearch.status", e.Status))
		if e.Status.Known && e.Nodes.Value > most {
			node, most, ok = n.Name, e.Nodes.Value, true
		}
	}
	return node, refs, ok
}

func (v *View) elasticsearchRed() Answer {
	node, refs, ok := v.bestElasticsearch()
	if !ok {
		return say(Unknown, "no Elasticsearch tells how its cluster is", refs...)
	}
	status := v.report(node).Elasticsearch.Status.Value
	return say(TruthOf(status == "red"), fmt.Sprintf("Elasticsearch on %s calls its cluster %s", node, status), refs...)
}

func (v *View) elasticsearchThin() Answer {
	node, refs, ok := v.bestElasticsearch()
	if !ok {
		return say(Unknown, "no Elasticsearch tells how its cluster is", refs...)
	}
	e := v.report(node).Elasticsearch
	if e.Status.Value == "yellow" {
		return say(True, "Elasticsearch on "+node+" calls its cluster yellow: not every shard has its copy", refs...)
	}
	all := len(v.nodes())
	if !e.Nodes.Known {
		return unknownFor(node, "elasticsearch.nodes", e.Nodes)
	}
	return say(TruthOf(e.Nodes.Value < all), fmt.Sprintf("Elasticsearch on %s is %s and sees %d of %d nodes", node, e.Status.Value, e.Nodes.Value, all), refs...)
}

func (v *View) elasticsearchMissing() Answer {
	var as []Answer
	for _, n := range v.nodes() {
		away := v.Unreachable(n.Name)
		if r := v.report(n.Name).Reach; r.Known && r.Value != Reached {
			away.Truth = True
		}
		as = append(as, away)
		if away.Truth != True {
			as = append(as, v.serviceDown(n.Name, "elasticsearch"), v.elasticsearchSilent(n.Name))
		}
	}
	return anyOf("Elasticsearch answers on every node", as...)
}

func (v *View) elasticsearchBlocked() Answer {
	var as []Answer
	for _, n := range v.nodes() {
		c := v.report(n.Name).Elasticsearch.ReadOnly
		if _, ok := aged(v, n.Name, "elasticsearch.read-only", c); !ok {
			continue // one node that tells speaks for the cluster
		}
		as = append(as, say(TruthOf(len(c.Value) > 0), fmt.Sprintf("Elasticsearch blocks writing to %s, asked on %s", strings.Join(c.Value, ", "), n.Name), mention(n.Name, "elasticsearch.read-only", c)))
	}
	if len(as) == 0 {
		return say(Unknown, "no Elasticsearch tells whether an index is blocked")
	}
	return anyOf("no index of Elasticsearch is blocked for writing", as...)
}

func (v *View) elasticsearchStarted() Answer {
	var as []Answer
	for _, n := range v.nodes() {
		up := v.service(n.Name, "elasticsearch").InState
		name := "service.elasticsearch.in-state"
		if !up.Known {
			as = append(as, unknownFor(n.Name, name, up))
			continue
		}
		as = append(as, say(TruthOf(up.Value < esSettles), fmt.Sprintf("Elasticsearch on %s changed its state %s ago", n.Name, up.Value.Round(time.Second)), mention(n.Name, name, up)))
	}
	return anyOf("no Elasticsearch started within the last 5 minutes", as...)
}
