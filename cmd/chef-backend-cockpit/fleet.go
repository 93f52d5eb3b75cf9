package main

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
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
	g, err := e.gathering(ctx, c, args)
	if err != nil {
		return nil, err
	}
	if err := g.gather(ctx); err != nil {
		g.drop()
		return nil, nothingSeen(err)
	}
	return g.fleet(), nil
}

// gathering is what the arguments or the configuration name. Nothing is dialled yet.
func (e *env) gathering(ctx context.Context, c config, args []string) (*gathering, error) {
	name, cl, known, err := e.chosen(c, args)
	if err != nil {
		return nil, err
	}
	self := e.self(ctx)
	if self != nil && len(cl.Nodes) == 0 {
		name, cl, known = self.chosen(c)
	}
	if len(cl.Nodes) == 0 {
		return nil, usage("no host given and no cluster chosen; name one node of the cluster, or a cluster of the configuration with --cluster (it has%s); config init HOST writes one", listed(c))
	}
	if err := firstOf(c.missing(name)); known && err != nil {
		return nil, err
	}
	return &gathering{name: name, known: known, config: c, cl: cl, options: e.remoteOptions(), self: self, warn: e.warnings.say, newSSH: e.newSSH}, nil
}

// adopt takes the name and stamp of the configured cluster whose nodes these are:
// the hosts were only called otherwise. One address of several in common is no
// proof, sites repeat them; and where two clusters could be meant none is.
func (f *fleet) adopt(c config) {
	fits := slices.DeleteFunc(slices.Sorted(maps.Keys(c.Clusters)), func(name string) bool { return !c.Clusters[name].is(f.nodes) })
	if len(fits) == 1 {
		cl := c.Clusters[fits[0]]
		f.cluster, f.stamp, f.colour, f.known = fits[0], cl.Stamp, cl.Colour, true
	}
}

// is answers whether nodes are the cluster's, by their addresses: all of them, or
// as many as the configuration names.
func (cl clusterConfig) is(nodes []cluster.Node) bool {
	known, its := 0, 0
	for _, n := range nodes {
		if n.Address == "" {
			continue // it does not answer
		}
		known++
		if cl.has(n.Address) {
			its++
		}
	}
	return its > 0 && its >= min(known, len(cl.Nodes))
}
