package main

import (
	"maps"
	"slices"
	"strings"

	"chef-backend-cockpit/remote"
)

// chosen is the cluster that is meant, with the nodes to dial first: that of
// --cluster; else the one that the only word names, or to which the hosts
// belong; else, without a word, the only one there is. ok is false when the
// configuration knows nothing of it: then the words are all there is.
func (e *env) chosen(c config, words []string) (name string, cl clusterConfig, ok bool, err error) {
	if e.cluster != "" {
		cl, ok = c.Clusters[e.cluster]
		if !ok {
			return "", cl, false, usage("no cluster %q in the configuration; it has%s", e.cluster, listed(c))
		}
		if len(words) > 0 {
			cl.Nodes = asNodes(words)
		}
		return e.cluster, cl, true, nil
	}
	owners := c.owners(words)
	switch {
	case len(owners) > 1:
		return "", cl, false, usage("%s is in the clusters %s of the configuration; choose with --cluster", strings.Join(words, " "), strings.Join(owners, ", "))
	case len(owners) == 1:
		return owners[0], c.Clusters[owners[0]], true, nil
	case len(words) == 0:
		return "", cl, false, nil
	}
	return "", named(words), false, nil
}

// owners are the clusters, in order, that the words can mean.
func (c config) owners(words []string) []string {
	names := slices.Sorted(maps.Keys(c.Clusters))
	if len(words) == 0 {
		if len(names) == 1 {
			return names
		}
		return nil
	}
	owners := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return !c.Clusters[name].has(w) })
	})
	if len(owners) == 0 && len(words) == 1 && slices.Contains(names, words[0]) {
		return words
	}
	return owners
}

// has answers whether a node of the cluster is called so; nothing is called "".
func (cl clusterConfig) has(word string) bool {
	return word != "" && slices.ContainsFunc(cl.Nodes, func(n nodeConfig) bool {
		return strings.EqualFold(word, n.Host) || strings.EqualFold(word, n.Name) || strings.EqualFold(word, n.Address)
	})
}

// asNodes are hosts that nothing else is known of.
func asNodes(hosts []string) []nodeConfig {
	var nodes []nodeConfig
	for _, h := range hosts {
		nodes = append(nodes, nodeConfig{Host: h})
	}
	return nodes
}

// named is a cluster of which only hosts are known. A user and a port that stand
// before and after every one hold for the nodes that are found, too. A word that is
// no host stays as it is: whoever dials it says why.
func named(words []string) clusterConfig {
	var c clusterConfig
	var hosts []string
	for i, word := range words {
		d, err := remote.ParseDestination(word)
		if i == 0 {
			c.User, c.Port = d.User, d.Port
		}
		if err != nil || c.User != d.User || c.Port != d.Port {
			return clusterConfig{Nodes: asNodes(words)}
		}
		hosts = append(hosts, d.Host)
	}
	c.Nodes = asNodes(hosts)
	return c
}

// listed names the configured clusters in order.
func listed(c config) string {
	if len(c.Clusters) == 0 {
		return " none"
	}
	return " " + strings.Join(slices.Sorted(maps.Keys(c.Clusters)), ", ")
}
