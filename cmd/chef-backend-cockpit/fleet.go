package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/cluster/observe"
	"chef-backend-cockpit/cluster/watch"
	"chef-backend-cockpit/remote"
)

// fleet is the nodes of one cluster with the hosts that reach them.
type fleet struct {
	cluster, stamp, colour string
	nodes                  []cluster.Node
	hosts                  map[string]remote.Host
	clock                  cluster.Clock
	passing                bool // gone with this process: what is said of its nodes is not kept
	closers                []func() error
	byHand                 func(cluster.PlanStep) error // does what a person is asked for; nil: a person does
	known                  bool                         // the configuration has this cluster
	found                  clusterConfig                // what the configuration would say of it
}

// nodeNames lists the nodes for a sentence.
func (f *fleet) nodeNames() string {
	var names []string
	for _, n := range f.nodes {
		names = append(names, n.Name)
	}
	return strings.Join(names, ", ")
}

// close ends all links.
func (f *fleet) close() error {
	var wait sync.WaitGroup
	errs := make([]error, len(f.closers))
	for i, c := range f.closers {
		wait.Add(1)
		go func() {
			defer remote.Guard()
			defer wait.Done()
			errs[i] = c()
		}()
	}
	wait.Wait()
	return errors.Join(errs...)
}

// watchOptions are what the subcommands differ in.
type watchOptions struct {
	readOnly, logs bool
	journal        string // folder of incidents; "" for none
	state          string // folder of what outlives the cockpit; "" for none
	catalogue      *catalogue.Catalogue
	amiss          string // what is wrong with the site's catalogue; "" for nothing
}

// watch prepares the circle over the fleet.
func (f *fleet) watch(o watchOptions) (*watch.Watch, error) {
	marks, positions := "", ""
	if o.state != "" && !f.passing {
		name := url.PathEscape(f.cluster) + ".json"
		marks, positions = filepath.Join(o.state, "marks", name), filepath.Join(o.state, "positions", name)
	}
	return watch.New(watch.Options{
		Cluster: f.cluster, Stamp: f.stamp, StampColor: f.colour, Nodes: f.nodes, Hosts: f.hosts,
		Clock: f.clock, Catalogue: o.catalogue, ReadOnly: o.readOnly, Logs: o.logs, JournalDir: o.journal,
		TakeUp: !f.passing, MarksFile: marks, PositionsFile: positions, Operator: operator(), Amiss: o.amiss, Simulate: simulate,
	})
}

// operator is who sits here: user@host.
func operator() string {
	who, where := "somebody", "somewhere"
	if u, err := user.Current(); err == nil {
		who = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		where = h
	}
	return who + "@" + where
}

// connect finds the nodes that the arguments or the configuration name, and
// the rest of the cluster from the first that answers.
func (e *env) connect(ctx context.Context, args []string) (*fleet, error) {
	c, err := e.loadConfig()
	if err != nil {
		return nil, err
	}
	return e.connectTo(ctx, c, args)
}

// connectTo is connect with a configuration that has been read.
func (e *env) connectTo(ctx context.Context, c config, args []string) (*fleet, error) {
	g, err := e.gathering(c, args)
	if err != nil {
		return nil, err
	}
	if err := g.gather(ctx); err != nil {
		g.drop()
		return nil, err
	}
	return g.fleet(), nil
}

// gathering is what the arguments or the configuration name. Nothing is dialled yet.
func (e *env) gathering(c config, args []string) (*gathering, error) {
	name, cl, known, err := e.chosen(c, args)
	if err != nil {
		return nil, err
	}
	if len(cl.Nodes) == 0 {
		return nil, usage("no host given and no cluster chosen; name one node of the cluster, or --cluster of the configuration (it has%s)", listed(c))
	}
	if err := firstOf(c.missing(name)); known && err != nil {
		return nil, err
	}
	o, err := e.remoteOptions()
	if err != nil {
		return nil, err
	}
	return &gathering{name: name, known: known, config: c, cl: cl, options: o}, nil
}

// adopt takes the name and stamp of a configured cluster that has one of the
// nodes: the hosts were only called otherwise.
func (f *fleet) adopt(c config) {
	for _, name := range slices.Sorted(maps.Keys(c.Clusters)) {
		cl := c.Clusters[name]
		if slices.ContainsFunc(f.nodes, func(n cluster.Node) bool { return cl.has(n.Address) }) {
			f.cluster, f.stamp, f.colour, f.known = name, cl.Stamp, cl.Colour, true
			return
		}
	}
}

// gathering finds a cluster's nodes from what the operator named.
type gathering struct {
	name    string // of the cluster; "" for none
	known   bool   // it is one of the configuration
	config  config
	cl      clusterConfig
	options remote.Options
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

// dial starts to connect to a host.
func (g *gathering) dial(given, address, name string, legacy bool) error {
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
	h, err := remote.NewSSH(t, g.options)
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
		f, err := observe.Discover(ctx, c.host)
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
