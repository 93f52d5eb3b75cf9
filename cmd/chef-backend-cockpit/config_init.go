package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// configCommand writes and checks the configuration.
func configCommand(e *env) *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "Write the configuration from a living cluster, or check it", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return usage("say %[1]s init HOST, or %[1]s check; see %[1]s --help", c.CommandPath())
		}}
	var o initOptions
	create := &cobra.Command{
		Use: "init HOST…", Short: "Write a commented configuration of the cluster that HOST belongs to", Args: cobra.MinimumNArgs(1),
		Long: `Asks HOST for the nodes of its cluster and writes a commented configuration to
~/.config/chef-backend-cockpit/config.yaml, or to the file of --config. A file
that is there is never overwritten: --add adds the cluster to it and leaves every
other line as it is. The cluster is called after --cluster; on a terminal what is
not given is asked.`,
		RunE: func(c *cobra.Command, hosts []string) error { return e.configInit(c.Context(), hosts, o) },
	}
	create.Flags().BoolVar(&o.add, "add", false, "add the cluster to a file that is there")
	create.Flags().StringVar(&o.stamp, "stamp", "", "`TEXT` shown on every screen, such as PROD")
	create.Flags().StringVar(&o.colour, "colour", "", "`COLOUR` of the stamp: "+strings.Join(colours, ", "))
	c.AddCommand(create, &cobra.Command{
		Use: "check", Short: "Read the configuration and list everything that is wrong in it", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return e.configCheck() },
	})
	return c
}

type initOptions struct {
	add           bool
	stamp, colour string
}

// configCheck lists every problem, files that are missing included.
func (e *env) configCheck() error {
	path, _ := e.configPath()
	text, err := os.ReadFile(path)
	if err != nil {
		return usage("configuration: %v; make one: config init HOST", err)
	}
	c, problems := readConfig(path, text)
	problems = append(problems, c.missing("")...)
	for name := range c.Clusters {
		problems = append(problems, c.missing(name)...)
	}
	r := yamlReader{problems: problems}
	for _, p := range r.sorted() {
		fmt.Fprintln(e.out, oneLine(p.Error()))
	}
	if len(problems) > 0 {
		return usage("%s: %d to mend", path, len(problems))
	}
	fmt.Fprintf(e.out, "%s: in order; clusters:%s\n", path, listed(c))
	return nil
}

// defaultCluster is the name of a cluster to which nobody gave one.
const defaultCluster = "chef-backend"

// configInit writes the cluster of the hosts into the configuration.
func (e *env) configInit(ctx context.Context, hosts []string, o initOptions) error {
	path, _ := e.configPath()
	if path == "" {
		return usage("there is no home folder; name a file with --config")
	}
	if err := o.check(); err != nil {
		return err
	}
	_, err := os.Lstat(path)
	exists := err == nil
	if exists && !o.add {
		return usage("%s is there and is not overwritten; add the cluster to it: config init --add %s, or write another: --config FILE", path, strings.Join(hosts, " "))
	}
	var c config
	if exists {
		if c, err = e.loadConfig(); err != nil {
			return err
		}
	}
	name := e.cluster
	if err := c.isFree(name); name != "" && err != nil {
		return err
	}
	e.cluster = ""
	f, err := e.connectTo(ctx, c, hosts)
	if err != nil {
		return err
	}
	defer f.close()
	if f.known {
		return usage("%s is in the configuration already, as cluster %s", strings.Join(hosts, " "), f.cluster)
	}
	if name == "" && !e.hasKeyboard() {
		name = defaultCluster
	}
	cl := f.found
	cl.Stamp, cl.Colour = o.stamp, o.colour
	if err := e.askName(ctx, c, &name, &cl, fmt.Sprintf("The cluster of %s. Its name [%s]: ", f.nodeNames(), defaultCluster), defaultCluster); err != nil {
		return err
	}
	return e.saveCluster(path, name, cl)
}

// check refuses flags that the file could not hold.
func (o initOptions) check() error {
	if err := checkStamp(o.stamp); err != nil {
		return usage("--stamp: %v", err)
	}
	if o.colour == "" {
		return nil
	}
	if err := checkColour(o.colour); err != nil {
		return usage("--colour: %v", err)
	}
	return nil
}

// isFree refuses a name that no cluster can have, or that one has.
func (c config) isFree(name string) error {
	if err := checkClusterName(name); err != nil {
		return usage("%v", err)
	}
	if _, there := c.Clusters[name]; there {
		return usage("there is a cluster %s already; choose another name", name)
	}
	return nil
}

// saveCluster writes a new configuration, or adds to the one that is there.
func (e *env) saveCluster(path, name string, cl clusterConfig) error {
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		fresh := []byte(newConfig(name, cl))
		if _, err := parseConfig(path, fresh); err != nil {
			return &exitError{exitInternal, fmt.Errorf("not written: %w", err)}
		}
		if err := writeNew(path, fresh); err != nil {
			return usage("the configuration was not written: %v", err)
		}
	case err != nil:
		return usage("configuration: %v", err)
	default:
		more, err := withCluster(path, text, name, cl)
		if errors.Is(err, errByHand) {
			return usage("%s: %v; put this below clusters: there yourself:\n%s", path, err, clusterText(name, cl, "  "))
		}
		if err != nil {
			return err
		}
		if err := writeOver(path, text, more); err != nil {
			return usage("the configuration was not changed: %v", err)
		}
	}
	fmt.Fprintf(e.out, "%s: cluster %s is in it now. Open it with: chef-backend-cockpit --cluster %s\n", path, name, name)
	return nil
}

// offer asks, after the screen has been given back, whether a cluster that the
// configuration does not know shall be kept there. Enter alone is no; nothing is
// written without a name.
func (e *env) offer(ctx context.Context, f *fleet) error {
	path, _ := e.configPath()
	if f.known || path == "" || !e.hasKeyboard() || e.plain { // lines still hold the input
		return nil
	}
	c, err := e.loadConfig()
	if err != nil {
		return err
	}
	name, cl := "", f.found
	question := fmt.Sprintf("The cluster of %s is not in the configuration. A name to keep it under (Enter: do not): ", f.nodeNames())
	if err := e.askName(ctx, c, &name, &cl, question, ""); err != nil || name == "" {
		return err
	}
	return e.saveCluster(path, name, cl)
}

// askName asks for the name of a cluster and for its stamp, where they are not
// given yet; an empty name stays or becomes otherwise.
func (e *env) askName(ctx context.Context, c config, name *string, cl *clusterConfig, question, otherwise string) error {
	if !e.hasKeyboard() {
		return c.isFree(*name)
	}
	var err error
	if *name == "" {
		if *name, err = e.askUntil(ctx, question, c.isFree); err != nil {
			return err
		}
		if *name == "" {
			*name = otherwise
		}
		if *name == "" {
			return nil
		}
	}
	if err := c.isFree(*name); err != nil {
		return err
	}
	if cl.Stamp == "" {
		if cl.Stamp, err = e.askUntil(ctx, "A stamp for every screen, such as PROD or TEST (Enter: none): ", checkStamp); err != nil {
			return err
		}
	}
	if cl.Stamp != "" && cl.Colour == "" {
		cl.Colour, err = e.askUntil(ctx, "Its colour, one of "+strings.Join(colours, ", ")+" (Enter: none): ", checkColour)
	}
	return err
}

// askUntil asks until the answer is in order; "" is always.
func (e *env) askUntil(ctx context.Context, question string, check func(string) error) (string, error) {
	for {
		answer, err := e.askWithin(ctx, question)
		if err != nil || answer == "" {
			return "", err
		}
		if err = check(answer); err == nil {
			return answer, nil
		}
		fmt.Fprintln(e.err, oneLine(err.Error()))
	}
}

// hasKeyboard answers whether a person can be asked.
func (e *env) hasKeyboard() bool { return term.IsTerminal(int(e.in.Fd())) }
