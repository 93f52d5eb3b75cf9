package model

// link is one connection of the network, between two nodes or between a node
// and the operator (-1). The smaller index comes first.
type link struct{ a, b int }

const operator = -1

func between(a, b *node) link {
	l := link{index(a), index(b)}
	if l.a > l.b {
		l.a, l.b = l.b, l.a
	}
	return l
}

func index(n *node) int {
	if n == nil {
		return operator
	}
	return n.index
}

// Cut cuts the network between two nodes, or between a node and the operator,
// who is "". Packets vanish: nobody gets a refusal.
func (w *World) Cut(a, b string) { w.cuts[between(w.node(a), w.node(b))] = true }

// Join mends what Cut cut.
func (w *World) Join(a, b string) { delete(w.cuts, between(w.node(a), w.node(b))) }

// linked says whether packets go through. A node always reaches itself.
func (w *World) linked(a, b *node) bool {
	return a == b || !w.cuts[between(a, b)]
}

// talks says whether a node reaches another one that is up.
func (w *World) talks(a, b *node) bool {
	return a.booted() && b.booted() && w.linked(a, b)
}

// barrier is a packet filter: what from sends to a port of another node
// vanishes, and so does every answer.
type barrier struct{ from, to, port int }

// filter sets or lifts a packet filter between a node and another one's port.
func (w *World) filter(from, to *node, port int, on bool) {
	if b := (barrier{from.index, to.index, port}); on {
		w.barriers[b] = true
	} else {
		delete(w.barriers, b)
	}
}

// passes says whether a node's packets reach a port of another one that is up.
func (w *World) passes(a, b *node, port int) bool {
	return w.talks(a, b) && !w.barriers[barrier{a.index, b.index, port}]
}

// Ports of the documented services.
const (
	portSSH       = 22
	portEtcd      = 2379
	portEtcdPeer  = 2380
	portEpmd      = 4369
	portPostgres  = 5432
	portLeaderl   = 7331
	portElastic   = 9200
	portTransport = 9300
)

// listens says whether something accepts connections on a port.
func (n *node) listens(port int) bool {
	switch port {
	case portSSH:
		return true
	case portEtcd, portEtcdPeer:
		return n.service("etcd").listens()
	case portEpmd:
		return n.service("epmd").listens()
	case portPostgres:
		return n.service("postgresql").up
	case portLeaderl:
		return n.service("leaderl").listens()
	case portElastic, portTransport:
		return n.service("elasticsearch").listens()
	}
	return false
}

// strip takes down or mends every link between nodes that keep says.
func (w *World) setLinks(cut bool, which func(a, b *node) bool) {
	for i, a := range w.nodes {
		for _, b := range w.nodes[i+1:] {
			if !which(a, b) {
				continue
			}
			if cut {
				w.cuts[between(a, b)] = true
			} else {
				delete(w.cuts, between(a, b))
			}
		}
	}
}

// Mend mends the whole network: every link and every filtered port.
func (w *World) Mend() {
	clear(w.cuts)
	clear(w.barriers)
}
