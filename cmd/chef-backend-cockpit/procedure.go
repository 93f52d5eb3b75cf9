package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/cluster/watch"
)

// procedureCommand lists and shows the procedures.
func procedureCommand(e *env) *cobra.Command {
	c := &cobra.Command{Use: "procedure", Short: "List the procedures, or show one", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return usage("say %[1]s list or %[1]s show NAME; see %[1]s --help", c.CommandPath())
		}}
	var node, service string
	show := &cobra.Command{
		Use: "show NAME [--node N] [HOST…]", Short: "Show a procedure; bound to a node: the dry run", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return e.showProcedure(c.Context(), args[0], node, service, args[1:])
		},
	}
	show.Flags().StringVar(&node, "node", "", "bind it to node `N` of the cluster")
	show.Flags().StringVar(&service, "service", "", "bind restart-service to a `SERVICE`")
	c.AddCommand(&cobra.Command{
		Use: "list", Short: "List the procedures", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return e.listProcedures() },
	}, show)
	return c
}

// listProcedures prints a line for each procedure of the catalogue.
func (e *env) listProcedures() error {
	c, err := e.warnedCatalogue()
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	for _, p := range c.Procedures {
		text := firstSentence(p.Summary)
		if !p.Built {
			text = "Not in this version. " + text
		}
		if p.Local {
			text += " (local)"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", p.Name, p.Tier, text)
	}
	return t.Flush()
}

// firstSentence keeps a list readable.
func firstSentence(s string) string {
	if i := strings.Index(s, ". "); i > 0 {
		return s[:i+1]
	}
	return s
}

// showProcedure prints a procedure as the catalogue has it, or bound to a node.
func (e *env) showProcedure(ctx context.Context, name, node, service string, hosts []string) error {
	c, err := e.warnedCatalogue()
	if err != nil {
		return err
	}
	for _, p := range c.Procedures {
		if p.Name != name {
			continue
		}
		if node == "" && len(hosts) == 0 {
			e.printProcedure(p)
			return nil
		}
		return e.dryRun(ctx, c, p, node, service, hosts)
	}
	return usage("no procedure %q; procedure list names them", name)
}

// dryRun looks, binds the procedure and prints exactly what would run.
func (e *env) dryRun(ctx context.Context, c *catalogue.Catalogue, p cluster.Procedure, node, service string, hosts []string) error {
	if !p.Built {
		return fmt.Errorf("%s is not in this version", p.Name)
	}
	f, err := e.connect(ctx, hosts)
	if err != nil {
		return err
	}
	defer f.close()
	w, err := f.watch(watchOptions{catalogue: c, readOnly: true})
	if err != nil {
		return err
	}
	w.Start(ctx)
	defer w.Close()
	within, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	if err := w.LookAll(within); err != nil {
		return err
	}
	settle(ctx, w, f.clock)
	plan, err := bind(w, p, node, service)
	if err != nil {
		return err
	}
	e.printPlan(plan)
	return nil
}

// bind binds a procedure, with a clear word where a node or service is missing.
func bind(w *watch.Watch, p cluster.Procedure, node, service string) (cluster.Plan, error) {
	s := w.State().View.Snapshot
	if _, ok := s.Node(node); !ok && p.Target != "cluster" {
		var names []string
		for _, n := range s.Nodes {
			names = append(names, n.Name)
		}
		return cluster.Plan{}, usage("--node %q is no node of the cluster; it has %s", node, strings.Join(names, ", "))
	}
	if p.Target == "service" && service == "" {
		return cluster.Plan{}, usage("%s needs --service, one of %s", p.Name, strings.Join(cluster.Services, ", "))
	}
	return w.Bind(p.Name, node, service)
}
