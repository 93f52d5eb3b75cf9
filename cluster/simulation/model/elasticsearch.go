package model

import (
	"fmt"
	"strings"
	"time"
)

// elastic is the Elasticsearch 5.6 process of one node. A master needs the
// majority of the cluster's nodes (discovery.zen.minimum_master_nodes).
type elastic struct {
	n      *node
	seen   string // the cluster as last logged
	master *node
	alone  time.Time // of the last complaint about a missing master
}

func (e *elastic) log(level, logger, format string, a ...any) {
	e.n.log("elasticsearch", "[%s][%-5s][%-25s] [%s] %s", e.n.stamp().Format("2006-01-02T15:04:05.000"), level, logger, e.n.guid[:7], fmt.Sprintf(format, a...))
}

func (e *elastic) started() {
	e.n.w.index.reassigned(e.n)
	e.seen, e.master = "", nil
	e.log("INFO", "o.e.n.Node", "initializing ...")
}

func (e *elastic) stopped() { e.master = nil }

// serving says whether it answers.
func (e *elastic) serving() bool { return e.n.booted() && e.n.service("elasticsearch").serving() }

// peers are the nodes of its cluster, itself included, in fixed order.
func (e *elastic) peers() []*node {
	var all []*node
	for _, o := range e.n.w.nodes {
		if o.es.serving() && (o == e.n || e.n.w.passes(e.n, o, portTransport)) {
			all = append(all, o)
		}
	}
	return all
}

// least is minimum_master_nodes. Since release 1.4.6 remove-node adapts it.
func (e *elastic) least() int { return len(e.n.store().nodes)/2 + 1 }

// stepElastic keeps the masters: a master stays while it sees enough nodes; else
// the highest of those who see two takes over.
func (w *World) stepElastic() {
	for _, n := range w.nodes {
		e := n.es
		if !e.serving() {
			e.master = nil
			continue
		}
		peers := e.peers()
		if least := e.least(); len(peers) < least {
			e.master = nil
		} else if e.master == nil || !contains(peers, e.master) || !e.master.es.serving() || len(e.master.es.peers()) < least {
			e.master = commonMaster(peers)
		}
		e.tell(peers)
	}
}

// commonMaster is whom the peers already follow, else the last of them.
func commonMaster(peers []*node) *node {
	for _, p := range peers {
		if m := p.es.master; m != nil && contains(peers, m) && m.es.serving() && m.es.master == m {
			return m
		}
	}
	return peers[len(peers)-1]
}

func contains(all []*node, n *node) bool {
	for _, o := range all {
		if o == n {
			return true
		}
	}
	return false
}

// tell logs changes of the cluster as the node sees it. Elasticsearch logs
// only improvements of its health, so yellow and red stay unsaid.
func (e *elastic) tell(peers []*node) {
	var names []string
	for _, p := range peers {
		names = append(names, "{"+p.guid[:7]+"}")
	}
	view := strings.Join(names, ",")
	if e.master == nil && e.n.w.now.Sub(e.alone) >= 30*time.Second && e.n.w.now.Sub(e.n.service("elasticsearch").since) > warmUp["elasticsearch"] {
		e.alone = e.n.w.now
		e.log("WARN", "o.e.d.z.ZenDiscovery", "not enough master nodes discovered during pinging (found [[Candidate{node={%s}, clusterStateVersion=-1}]], but needed [%d]), pinging again", e.n.guid[:7], e.least())
	}
	if view == e.seen {
		return
	}
	old := strings.Count(e.seen, "{")
	first := e.seen == ""
	e.seen = view
	switch {
	case first:
		e.log("INFO", "o.e.n.Node", "started")
	case len(peers) < old:
		e.log("INFO", "o.e.c.s.ClusterService", "removed {{a node}}, reason: zen-disco-node-failed, cluster is now %s", view)
	default:
		e.log("INFO", "o.e.c.s.ClusterService", "added {{a node}}, cluster is now %s", view)
		if e.n == e.master && len(peers) == 3 {
			e.log("INFO", "o.e.c.r.a.AllocationService", "Cluster health status changed from [YELLOW] to [GREEN] (reason: [shards started [[chef][0]] ...]).")
		}
	}
}

// color is the health of the cluster as this node sees it.
func (e *elastic) color() string {
	switch {
	case e.master == nil:
		return "red"
	case e.n.w.index.primaryLost:
		return "red"
	case len(e.peers()) < 3 || e.n.w.index.replicaLost:
		return "yellow"
	}
	return "green"
}

// get answers HTTP on port 9200.
func (e *elastic) get(path string) answer {
	peers := len(e.peers())
	switch {
	case strings.HasPrefix(path, "/_cluster/health"):
		active, missing, color := 10, 0, e.color()
		if color != "green" {
			active, missing = 7, 3
		}
		if color == "red" {
			active, missing = 0, 10
		}
		a := json("200 OK", fmt.Sprintf(`{"cluster_name":"ChefBackend-422d20f3","status":"%s","timed_out":false,"number_of_nodes":%d,"number_of_data_nodes":%d,"active_primary_shards":%d,"active_shards":%d,"relocating_shards":0,"initializing_shards":0,"unassigned_shards":%d,"delayed_unassigned_shards":0,"number_of_pending_tasks":0,"number_of_in_flight_fetch":0,"task_max_waiting_in_queue_millis":0,"active_shards_percent_as_number":%.1f}`,
			color, peers, peers, min(5, active), active, missing, float64(active)*10))
		if color == "red" && !strings.Contains(path, "local=true") {
			// Without local=true the call waits for a master.
			a.takes = 30 * time.Second
		}
		return a
	case strings.HasPrefix(path, "/_all/_settings"):
		return json("200 OK", e.n.w.index.settings())
	case strings.HasPrefix(path, "/_cat/master"):
		a := answer{status: "200 OK", header: []string{"content-type: text/plain; charset=UTF-8"}, body: "- -\n"}
		if e.master != nil {
			a.body = e.master.address + " " + e.master.address + "\n"
		}
		return a
	case path == "/":
		return json("200 OK", `{"name":"`+e.n.guid[:7]+`","cluster_name":"ChefBackend-422d20f3","version":{"number":"5.6.16"},"tagline":"You Know, for Search"}`)
	}
	return json("404 Not Found", `{"error":"no handler found for uri"}`)
}
