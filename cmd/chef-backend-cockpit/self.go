package main

import (
	"context"
	"errors"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/observe"
	"chef-backend-cockpit/remote"
)

// selfWithin is how long this machine may take to say which node it is.
const selfWithin = 15 * time.Second

// selfNode is the node that this machine is.
type selfNode struct {
	host  remote.Host
	found observe.Found
	err   error // why the cluster's nodes are not known here; nil: Self is one of them
}

// node is how the cluster calls this machine; empty where that is not known.
func (s *selfNode) node() cluster.Node {
	if s.err != nil {
		return cluster.Node{}
	}
	return s.found.Nodes[s.found.Self]
}

// thisMachine is the machine itself, where Chef Backend is installed; else nil.
func thisMachine() remote.Host {
	if _, err := os.Stat("/opt/chef-backend"); err != nil {
		return nil
	}
	return remote.NewLocal("this machine")
}

// self asks this machine whether it is a node: its own addresses are compared
// with those that the cluster lists; where no cluster answers, only with those
// that are named. nil where it is none, or cannot be worked on directly; then it
// is reached as any other host, and why is said.
func (e *env) self(ctx context.Context) *selfNode {
	if e.local == nil {
		return nil
	}
	host := e.local()
	if host == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, selfWithin)
	defer cancel()
	err := remote.ConnectFirst(ctx, host)
	s := &selfNode{host: host}
	if err == nil {
		s.found, err = observe.Discover(ctx, host)
	}
	switch {
	case err != nil && len(s.found.Addresses) > 0 && !errors.Is(err, observe.ErrNotInstalled):
		s.err = err
		return s
	case err != nil:
		e.warnings.say("this machine has Chef Backend, and is not worked on directly: " + oneLine(err.Error()))
	case s.found.Self < 0:
		e.warnings.say("this machine has Chef Backend, and none of its addresses is one of the cluster's: it is reached by SSH")
	case s.misnamed() != "":
		e.warnings.say("this machine has the address of " + s.node().Name + " and the name of " + s.misnamed() + ": it is reached by SSH")
	default:
		return s
	}
	host.Close()
	return nil
}

// misnamed is another node that has this machine's name; "" for none: then one
// of the two, name or address, is not to be trusted.
func (s *selfNode) misnamed() string {
	for i, n := range s.found.Nodes {
		if i != s.found.Self && n.Name != "" && firstLabel(n.Name) == firstLabel(s.found.HostName) && firstLabel(s.node().Name) != firstLabel(s.found.HostName) {
			return n.Name
		}
	}
	return ""
}

// firstLabel is a host name without its domain; an address stays whole.
func firstLabel(name string) string {
	if net.ParseIP(name) != nil {
		return name
	}
	first, _, _ := strings.Cut(strings.ToLower(name), ".")
	return first
}

// chosen is the configured cluster that this machine is a node of, else the
// machine alone: the others come from the cluster.
func (s *selfNode) chosen(c config) (name string, cl clusterConfig, known bool) {
	for _, name := range slices.Sorted(maps.Keys(c.Clusters)) {
		cl := c.Clusters[name]
		if cl.direct() && slices.ContainsFunc(cl.Nodes, func(n nodeConfig) bool { return s.is(n.Host, n.Address) }) {
			return name, cl, true
		}
	}
	n := s.node()
	return "", clusterConfig{Nodes: []nodeConfig{{Host: or(n.Address, s.found.HostName), Name: n.Name, Address: n.Address}}}, false
}

// is answers whether a host that is named, or a member with its address, is this
// machine: to dial an address of its own would lead here. A port may lead
// anywhere, so that is another way.
func (s *selfNode) is(given, address string) bool {
	d, err := remote.ParseDestination(given)
	if err != nil || d.Port != 0 {
		return false
	}
	own := func(word string) bool {
		return slices.ContainsFunc(s.found.Addresses, func(a string) bool { return cluster.SameAddress(a, word) })
	}
	if address != "" {
		return own(address)
	}
	return own(d.Host) || isLoopback(d.Host) || strings.EqualFold(d.Host, s.node().Name) || strings.EqualFold(d.Host, s.found.HostName)
}

// isLoopback answers whether a host is the machine on which it is dialled.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback() || strings.EqualFold(host, "localhost")
}

// here answers whether a host is this machine, and the way to it no other one. A
// port that holds for all nodes may be a tunnel's, too; one of the configuration
// is that of the nodes' own sshd, unless it is dialled at the loopback.
func (g *gathering) here(given, host, address string) bool {
	tunnel := g.cl.Port != 0 && g.cl.Port != 22 && (!g.known || isLoopback(host))
	return g.self != nil && !tunnel && g.cl.direct() && g.self.is(given, address) && !g.has(g.self.host)
}

// direct answers whether the nodes are dialled from here: what lies behind a
// jump may have this machine's address and be another one.
func (cl clusterConfig) direct() bool { return cl.Jump == "" || strings.EqualFold(cl.Jump, "none") }

// has answers whether a host is among the candidates.
func (g *gathering) has(h remote.Host) bool {
	return slices.ContainsFunc(g.found, func(c *candidate) bool { return c.host == h })
}

// letGo closes this machine's host where no node turned out to be it.
func (g *gathering) letGo() {
	if g.self != nil && !g.has(g.self.host) {
		g.self.host.Close()
	}
}

// discover asks a candidate for its cluster. One that was reached by SSH and
// turns out to be this very machine, by its address in the cluster and by its
// machine id, is worked on directly from then on.
func (g *gathering) discover(ctx context.Context, c *candidate) (observe.Found, error) {
	if g.self != nil && c.host == g.self.host {
		return g.self.found, g.self.err
	}
	f, err := observe.Discover(ctx, c.host)
	if err != nil || g.self == nil || g.self.err != nil || g.has(g.self.host) || f.Self < 0 || f.Nodes[f.Self] != g.self.node() {
		return f, err
	}
	if f.MachineID == "" || f.MachineID != g.self.found.MachineID {
		g.warn(c.given + " has this machine's address in the cluster and another machine id: it is reached by SSH")
		g.self.host.Close()
		g.self = nil
		return f, nil
	}
	c.host.Close()
	c.host = g.self.host
	return f, nil
}
