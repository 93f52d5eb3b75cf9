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
	given   string
	address string // the cluster's address, once known
	name    string
	host    remote.Host
	err     error // of the first connection
}

// gather dials what was named, asks the first living one for the others, and
// checks that all belong together.
func (g *gathering) gather(ctx context.Context) error {
	defer g.letGo()
	for _, n := range g.cl.Nodes {
		if err := g.dial(n.Host, n.Address, or(n.Name, n.Host), n.Legacy); err != nil {
			return err
		}
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

// dial starts to connect to a host; to this machine without SSH.
func (g *gathering) dial(given, address, name string, legacy bool) error {
	if g.self != nil && g.cl.direct() && g.self.is(given, address) && !g.has(g.self.host) {
		n := g.self.node()
		g.found = append(g.found, &candidate{given: given, address: or(n.Address, address), name: or(n.Name, name), host: g.self.host})
		return nil
	}
	t := remote.Target{Name: name, Address: given, User: g.cl.User, Port: g.cl.Port, Identity: g.cl.Identity, KnownHosts: g.cl.KnownHosts, Jump: g.cl.Jump, Legacy: legacy || g.cl.Legacy}
	if user, host, ok := strings.Cut(given, "@"); ok {
		t.User, t.Address, t.Name = user, host, host
	}
	if host, port, err := net.SplitHostPort(t.Address); err == nil {
		if _, err := fmt.Sscanf(port, "%d", &t.Port); err != nil || t.Port < 1 || t.Port > 65535 {
			return usage("%s: %q is no port; use HOST or HOST:22", given, port)
		}
		t.Address = host
	}
	h, err := g.newSSH(t, g.options)
	if err != nil {
		return err
	}
	g.found = append(g.found, &candidate{given: given, address: address, name: t.Name, host: h})
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
	for _, m := range g.missing(members) {
		if err := g.dial(m.Address, m.Address, m.Name, false); err != nil {
			return err
		}
	}
	g.reach(ctx)
	return nil
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
	var left []cluster.Node
	for _, m := range members {
		if !g.claim(m, func(c *candidate) bool { return c.address == m.Address || c.given == m.Address || c.given == m.Name }) {
			left = append(left, m)
		}
	}
	left = slices.DeleteFunc(left, func(m cluster.Node) bool {
		return g.claim(m, func(c *candidate) bool { return c.address == "" && isHost(c.given, m) })
	})
	silent := slices.DeleteFunc(slices.Clone(g.found), func(c *candidate) bool { return c.address != "" })
	if len(left) == 1 && len(silent) == 1 {
		silent[0].address, silent[0].name = left[0].Address, left[0].Name
		return nil
	}
	return left[:max(0, len(left)-len(silent))]
}

// claim names the first host that is a member.
func (g *gathering) claim(m cluster.Node, is func(*candidate) bool) bool {
	for _, c := range g.found {
		if is(c) {
			c.address, c.name = m.Address, m.Name
			return true
		}
	}
	return false
}

// isHost answers whether a host that was named and does not answer is the member.
func isHost(given string, m cluster.Node) bool {
	if first, _, _ := strings.Cut(given, "."); first == m.Name || strings.HasPrefix(m.Name, first+".") {
		return true
	}
	addresses, err := net.LookupHost(given)
	return err == nil && slices.Contains(addresses, m.Address)
}
