package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/remote"
)

// journalCommand lists incidents and shows one.
func journalCommand(e *env) *cobra.Command {
	c := &cobra.Command{Use: "journal", Short: "List past incidents, show or report one", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return usage("say %[1]s list, which has the IDs, %[1]s show ID or %[1]s report ID; see %[1]s --help", c.CommandPath())
		}}
	follow := false
	show := &cobra.Command{
		Use: "show ID [--follow]", Short: "Show an incident; with --follow, as another cockpit writes it", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return e.showIncident(c.Context(), args[0], follow) },
	}
	show.Flags().BoolVar(&follow, "follow", false, "go on with what is still being written, until interrupted")
	c.AddCommand(&cobra.Command{
		Use: "list", Short: "List the incidents, newest first", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return e.listIncidents() },
	}, show, &cobra.Command{
		Use: "report ID", Short: "Write an incident's report as Markdown", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return e.reportIncident(args[0]) },
	})
	return c
}

// reportIncident prints the report of an incident.
func (e *env) reportIncident(id string) error {
	path, err := incident(id)
	if err != nil {
		return err
	}
	text, err := journal.Report(path)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(e.out, text)
	return err
}

// incident is where the journal of an incident lies that is there.
func incident(id string) (path string, err error) {
	dir, err := journal.DefaultDir()
	if err != nil {
		return "", err
	}
	all, err := journal.List(dir)
	if err != nil {
		return "", err
	}
	if !slices.ContainsFunc(all, func(in journal.Incident) bool { return in.ID == id }) {
		return "", usage("no incident %q; journal list names them", id)
	}
	return journal.Path(dir, id), nil
}

// listIncidents prints a line for each incident.
func (e *env) listIncidents() error {
	dir, err := journal.DefaultDir()
	if err != nil {
		return err
	}
	all, err := journal.List(dir)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		fmt.Fprintln(e.out, "no incidents below "+dir)
		return nil
	}
	t := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tCLUSTER\tSTAMP\tOPENED\tLASTED\tRECORDS\tREMARK")
	for _, in := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", oneLine(in.ID), oneLine(in.Cluster), oneLine(in.Stamp), stamp(in.Opened),
			in.Last.Sub(in.Opened).Round(time.Second), in.Records, oneLine(remark(in)))
	}
	return t.Flush()
}

// remark says what is not in order with an incident.
func remark(in journal.Incident) string {
	var words []string
	for _, i := range in.OpenIntents {
		words = append(words, fmt.Sprintf("still running, or its cockpit is gone and the outcome unknown: %s on %s", i.Command, i.Node))
	}
	if in.Damage != "" {
		words = append(words, "damaged: "+in.Damage)
	}
	return strings.Join(words, "; ")
}

// showIncident prints an incident's records, and with follow those to come.
func (e *env) showIncident(ctx context.Context, id string, follow bool) error {
	path, err := incident(id)
	if err != nil {
		return err
	}
	if !follow {
		if err := journal.Verify(path); err != nil {
			fmt.Fprintln(e.err, "chef-backend-cockpit: "+oneLine(err.Error()))
		}
		return journal.Read(path, e.printRecord)
	}
	err = journal.Follow(ctx, remote.System{}, path, func(r journal.Record) error {
		if err := e.printRecord(r); err != nil {
			return err
		}
		if data, err := journal.Decode(r); err == nil {
			if n, ok := data.(*journal.NoteData); ok && n.Closed {
				return errOver
			}
		}
		return nil
	}, func(err error) { fmt.Fprintln(e.err, "chef-backend-cockpit: "+oneLine(err.Error())+"; trying again") })
	if errors.Is(err, context.Canceled) || errors.Is(err, errOver) {
		return nil
	}
	return err
}

// errOver ends following at the incident's last record.
var errOver = errors.New("the incident is over")

// printRecord writes one record as a line: when, what kind, what happened.
func (e *env) printRecord(r journal.Record) error {
	_, err := fmt.Fprintf(e.out, "%5d  %s  %-8s  %s\n", r.Seq, stamp(r.At), r.Kind, journal.Words(r))
	return err
}
