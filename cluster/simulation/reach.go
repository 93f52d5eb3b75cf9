package simulation

import (
	"net"
	"strconv"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/simulation/model"
	"chef-backend-cockpit/remote"
)

// Nodes are the nodes in their fixed order. Dial leads to the SSH server on
// this machine; Address is the cluster's own and is never dialled.
func (c *Cluster) Nodes() []cluster.Node {
	var all []cluster.Node
	for _, n := range c.nodes {
		all = append(all, cluster.Node{Name: n.name, Address: n.address, Dial: n.server.address()})
	}
	return all
}

// Target is how a node is reached over SSH: as root, with the key that the
// simulation made. An unknown node gives a Target that nothing answers.
func (c *Cluster) Target(name string) remote.Target {
	t := remote.Target{Name: name, User: "root", Identity: []string{c.keys.identity}, KnownHosts: []string{c.keys.knownHosts}, Jump: "none"}
	if n := c.node(name); n != nil {
		host, port, _ := net.SplitHostPort(n.server.address())
		t.Address = host
		t.Port, _ = strconv.Atoi(port)
	}
	return t
}

// RemoteOptions leave the user's own keys, agent and configuration alone.
func (c *Cluster) RemoteOptions() remote.Options {
	return remote.Options{Timings: remote.DefaultTimings(), Config: []string{}}
}

// StepCommands are the texts of the detached commands that a node was given,
// exactly and in order.
func (c *Cluster) StepCommands(name string) []string {
	n := c.node(name)
	if n == nil {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.steps...)
}

// CtlCalls are the changing calls of chef-backend-ctl on a node, in order,
// with the environment that matters in front.
func (c *Cluster) CtlCalls(name string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.world.CtlCalls(name)
}

// CutOff cuts the operator's way to every node, silently as a dead network
// does, or gives it back. The nodes themselves see each other.
func (c *Cluster) CutOff(on bool) {
	_ = c.hand(func(w *model.World) error { // it cannot fail
		for _, n := range c.Nodes() {
			if on {
				w.Cut("", n.Name)
			} else {
				w.Join("", n.Name)
			}
		}
		return nil
	})
}
