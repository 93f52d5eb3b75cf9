package main

import (
	"context"
	"errors"
	"slices"

	"chef-backend-cockpit/remote"
)

// bundleFleet connects to the nodes; nil where none is known or answers: what
// lies here is worth packing all the same. Where the cluster cannot be looked at,
// it is the hosts that answer, and b.unseen says why. An error is one of usage.
func (e *env) bundleFleet(ctx context.Context, hosts []string, b *bundle) (*fleet, error) {
	c, err := e.loadConfig()
	if err != nil {
		return nil, err
	}
	name, _, known, err := e.chosen(c, hosts)
	if err != nil {
		return nil, err
	}
	if b.cluster = name; len(hosts) == 0 && !known {
		b.lacks = append(b.lacks, "nodes: no host given and no cluster configured")
		return nil, nil
	}
	g, err := e.gathering(ctx, c, hosts)
	if err != nil {
		return nil, err
	}
	err = g.gather(ctx)
	if err == nil {
		return g.fleet(), nil
	}
	if wrong, ok := errors.AsType[*exitError](err); ok {
		g.drop()
		return nil, wrong
	}
	b.unseen = err
	return b.answering(g), nil
}

// answering is the hosts that can be asked for their logs, though the cluster is
// not known; nil where there is none. Links to the others are given up.
func (b *bundle) answering(g *gathering) *fleet {
	live := slices.DeleteFunc(slices.Clone(g.found), func(c *candidate) bool { return c.host.Link().Phase != remote.Live })
	if len(live) == 0 {
		g.drop()
		return nil
	}
	for _, c := range g.found {
		if !slices.Contains(live, c) {
			b.lack("logs of "+c.name, c.err)
			c.host.Close()
		}
	}
	g.found = live
	return g.fleet()
}
