package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// Completion offers what the configuration names. It is silent about a
// configuration that cannot be read: the command itself says what is wrong.

// noFiles says that no file name is meant.
const noFiles = cobra.ShellCompDirectiveNoFileComp

// completions gives the whole command tree its completions.
func completions(e *env, root *cobra.Command) {
	// An error can only mean that there is no such flag, or two functions for it.
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	must(root.RegisterFlagCompletionFunc("cluster", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return e.clusterNames(), noFiles
	}))
	root.ValidArgsFunction = func(_ *cobra.Command, hosts []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(hosts) == 0 && e.cluster == "" {
			return append(e.clusterNames(), e.hostNames(hosts)...), noFiles
		}
		return e.hostNames(hosts), noFiles
	}
	for _, c := range root.Commands() {
		switch c.Name() {
		case "watch", "status", "diagnose", "doctor", "support-bundle":
			c.ValidArgsFunction = root.ValidArgsFunction
		case "procedure":
			show, _, err := c.Find([]string{"show"})
			must(err)
			show.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
				if len(args) == 0 {
					return procedureNames(), noFiles
				}
				return e.hostNames(args[1:]), noFiles
			}
		case "config":
			create, _, err := c.Find([]string{"init"})
			must(err)
			must(create.RegisterFlagCompletionFunc("colour", cobra.FixedCompletions(colours, noFiles)))
			create.ValidArgsFunction = cobra.NoFileCompletions
		}
	}
}

// clusterNames are the clusters of the configuration, each with its stamp.
func (e *env) clusterNames() []string {
	c, err := e.loadConfig()
	if err != nil {
		return nil
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(c.Clusters)) {
		names = append(names, described(name, c.Clusters[name].Stamp))
	}
	return names
}

// hostNames are the nodes of the configuration, each with its cluster: those of
// the chosen cluster, or of the one to which the hosts before belong.
func (e *env) hostNames(before []string) []string {
	c, err := e.loadConfig()
	if err != nil {
		return nil
	}
	clusters := slices.Sorted(maps.Keys(c.Clusters))
	if e.cluster != "" {
		clusters = []string{e.cluster}
	} else if len(before) > 0 {
		clusters = c.owners(before)
	}
	var names []string
	for _, cluster := range clusters {
		for _, n := range c.Clusters[cluster].Nodes {
			if !slices.Contains(before, n.Host) {
				names = append(names, described(n.Host, strings.TrimSpace(n.Name+" of "+cluster)))
			}
		}
	}
	return names
}

// procedureNames are the built-in procedures.
func procedureNames() []string {
	c, err := builtIn()
	if err != nil {
		return nil
	}
	var names []string
	for _, p := range c.Procedures {
		names = append(names, described(p.Name, firstSentence(p.Summary)))
	}
	return names
}

// described is a completion with what stands beside it.
func described(word, says string) string {
	if says == "" {
		return word
	}
	return word + "\t" + says
}
