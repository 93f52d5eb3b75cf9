package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/observe"
	"chef-backend-cockpit/remote"
)

// gathering finds a cluster's nodes from what the operator named.
type gathering struct {
	name    string // of the cluster; "" for none
	known   bool   // it is one of the configuration
	config  config
	cl      clusterConfig
	options remote.Options
	self    *selfNode // this machine; nil where it is no node
	warn    func(string)
	newSSH  func(remote.Target, remote.Options) (remote.Host, error)
	found   []*candidate
}

// candidate is a host that was named or discovered.
type candidate struct {
	given   string // as it was named
	dialled string // the host in it, without user and port
	address string // the cluster's address, once known
	name    string
	host    remote.Host
	own     []string // addresses that it told; nil for none
	err     error    // of the first connection
}

// gather dials what was named, asks the first living one for the others, and
// checks that all belong together.
func (g *gathering) gather(ctx context.Context) error {
	defer g.letGo()
	for _, n := range g.cl.Nodes {
		if err := g.dial(n.Host, n.Address, n.Name, n.Legacy); err != nil {
			return err
		}
	}
	if err := g.distinct(); err != nil {
		return err
	}
	g.reach(ctx)
	return g.complete(ctx)
}

// fleet is what was found, whether it answers or not.
func (g *gathering) fleet() *fleet {
	f := &fleet{cluster: g.name, known: g.known, stamp: g.cl.Stamp, colour: g.cl.Colour, hosts: map[string]remote.Host{}, clock: remote.System{}, found: g.cl}
	f.found.Nodes = nil
	for _, c := range g.found {
		n := nodeConfig{Host: c.given}
		if c.address != "" {
			n.Name, n.Address = c.name, c.address
		}
		f.found.Nodes = append(f.found.Nodes, n)
		f.nodes = append(f.nodes, cluster.Node{Name: c.name, Address: c.address, Dial: c.given})
		f.hosts[c.name] = c.host
		f.closers = append(f.closers, c.host.Close)
	}
	if f.cluster == "" {
		f.cluster = f.nodes[0].Name
	}
	if !f.known {
		f.adopt(g.config)
	}
	return f
}

// dial starts to connect to a host; to this machine without SSH. name is "" where
// only the host is known.
func (g *gathering) dial(given, address, name string, legacy bool) error {
	d, err := remote.ParseDestination(given)
	if err != nil {
		return usage("%q cannot be dialled: %v; name it as [user@]host[:port]", given, err)
	}
	name = or(name, d.Place())
	if g.here(given, d.Host, address) {
		n := g.self.node()
		g.found = append(g.found, &candidate{given: given, dialled: d.Host, address: or(n.Address, address), name: or(n.Name, name), host: g.self.host})
		return nil
	}
	t := remote.Target{Name: name, Address: d.Host, User: or(d.User, g.cl.User), Port: g.cl.Port, Identity: g.cl.Identity, KnownHosts: g.cl.KnownHosts, Jump: g.cl.Jump, Legacy: legacy || g.cl.Legacy}
	if d.Port != 0 {
		t.Port = d.Port
	}
	h, err := g.newSSH(t, g.options)
	if err != nil {
		return err
	}
	g.found = append(g.found, &candidate{given: given, dialled: d.Host, address: address, name: name, host: h})
	return nil
}

// reach waits for the first link of every host that has not answered yet.
// A silent one takes as long as a dial does; one whose login asks something,
// as long as the operator takes.
func (g *gathering) reach(ctx context.Context) {
	var wait sync.WaitGroup
	for _, c := range g.found {
		if c.host.Link().Phase == remote.Live {
			continue
		}
		wait.Add(1)
		go func() {
			defer remote.Guard()
			defer wait.Done()
			c.err = remote.ConnectFirst(ctx, c.host)
		}()
	}
	wait.Wait()
}

// drop closes everything after a failure.
func (g *gathering) drop() {
	for _, c := range g.found {
		c.host.Close()
	}
}

// complete asks every living host for its cluster and adds the nodes that
// nobody named.
func (g *gathering) complete(ctx context.Context) error {
	var members []cluster.Node
	var errs []error
	for _, c := range g.found {
		if c.err != nil {
			errs = append(errs, c.err)
			continue
		}
		f, err := g.discover(ctx, c)
		c.own = f.Addresses
		if err != nil {
			if len(g.found) < 3 || errors.Is(err, observe.ErrNotInstalled) {
				return err
			}
			continue // all nodes were named; this one only cannot tell
		}
		if f.Self >= 0 {
			c.address, c.name = f.Nodes[f.Self].Address, f.Nodes[f.Self].Name
		}
		if !overlap(members, f.Nodes) {
			return usage("%s belongs to another cluster than %s; name hosts of one cluster", c.given, g.found[0].given)
		}
		if len(f.Nodes) > len(members) {
			members = f.Nodes
		}
	}
	if len(errs) == len(g.found) {
		return errors.Join(errs...)
	}
	left := g.missing(members)
	if err := g.distinct(); err != nil {
		return err
	}
	g.doubt()
	for _, m := range left {
		if err := g.dial(m.Address, m.Address, m.Name, false); err != nil {
			return err
		}
	}
	g.reach(ctx)
	return nil
}

// distinct refuses a node that was named twice: it would count as two.
func (g *gathering) distinct() error {
	for i, a := range g.found {
		for _, b := range g.found[:i] {
			switch {
			case cluster.SameAddress(a.address, b.address):
				return usage("%s and %s are the same node, with the cluster address %s; name each node once", b.given, a.given, a.address)
			case a.name == b.name:
				return usage("%s and %s are the same node, %s; name each node once", b.given, a.given, a.name)
			}
		}
	}
	return nil
}

// doubt says which hosts that answer have not the address of the node that they
// were taken for. Whatever acts on one refuses it.
func (g *gathering) doubt() {
	for _, c := range g.found {
		if !cluster.Elsewhere(c.address, c.own) {
			continue
		}
		g.warn(fmt.Sprintf("%s is taken for %s and has not its address %s (it has %s): it may be another machine; nothing is done there",
			c.given, c.name, c.address, strings.Join(c.own, ", ")))
	}
}

// overlap answers whether two lists of members can be of one cluster.
func overlap(a, b []cluster.Node) bool {
	if len(a) == 0 || len(b) == 0 {
		return true
	}
	for _, n := range a {
		for _, m := range b {
			if n.Address == m.Address {
				return true
			}
		}
	}
	return false
}

// missing pairs the cluster's members with what was named and returns those
// that nobody named. A named host that did not answer may be any member, so
// it is recognised by its name, else by its addresses in the name service;
// never are more hosts dialled than the cluster has members.
func (g *gathering) missing(members []cluster.Node) []cluster.Node {
	var silent []*candidate
	for _, c := range g.found {
		if m, ok := c.among(members); ok {
			c.address, c.name = m.Address, m.Name
		}
		if c.address == "" {
			silent = append(silent, c)
		}
	}
	left := slices.DeleteFunc(slices.Clone(members), func(m cluster.Node) bool {
		return slices.ContainsFunc(g.found, func(c *candidate) bool { return c.address == m.Address })
	})
	if len(left) == 1 && len(silent) == 1 {
		silent[0].address, silent[0].name = left[0].Address, left[0].Name
		return nil
	}
	return left[:max(0, len(left)-len(silent))]
}

// among finds the member that a host is, by the surest sign first: the address
// that it told, the word that was dialled, the host's name without a domain, its
// addresses in the name service.
func (c *candidate) among(members []cluster.Node) (cluster.Node, bool) {
	find := func(is func(cluster.Node) bool) int { return slices.IndexFunc(members, is) }
	i := find(func(m cluster.Node) bool { return cluster.SameAddress(c.address, m.Address) })
	if i < 0 {
		i = find(func(m cluster.Node) bool { return cluster.SameAddress(c.dialled, m.Address) || c.dialled == m.Name })
	}
	if i < 0 && c.address == "" {
		alike := func(m cluster.Node) bool { return firstLabel(c.dialled) == firstLabel(m.Name) }
		if i = find(alike); i >= 0 && slices.ContainsFunc(members[i+1:], alike) {
			i = -1 // it may be any of them
		}
	}
	if i < 0 && c.address == "" && len(members) > 0 {
		if addresses, err := net.LookupHost(c.dialled); err == nil {
			i = find(func(m cluster.Node) bool { return slices.Contains(addresses, m.Address) })
		}
	}
	if i < 0 {
		return cluster.Node{}, false
	}
	return members[i], true
}
