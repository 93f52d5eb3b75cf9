package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/remote"
)

// journalCommand lists incidents and shows one.
func journalCommand(e *env) *cobra.Command {
	c := &cobra.Command{Use: "journal", Short: "List past incidents, or show one", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return usage("say list or show ID; see %s --help", c.CommandPath())
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
	}, show)
	return c
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
	fmt.Fprintln(t, "ID\tCLUSTER\tOPENED\tLASTED\tRECORDS\tREMARK")
	for _, in := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%s\n", in.ID, in.Cluster, stamp(in.Opened),
			in.Last.Sub(in.Opened).Round(time.Second), in.Records, remark(in))
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
	dir, err := journal.DefaultDir()
	if err != nil {
		return err
	}
	all, err := journal.List(dir)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(all, func(in journal.Incident) bool { return in.ID == id }) {
		return usage("no incident %q; journal list names them", id)
	}
	path := journal.Path(dir, id)
	if !follow {
		if err := journal.Verify(path); err != nil {
			fmt.Fprintln(e.err, "chef-backend-cockpit: "+oneLine(err.Error()))
		}
		return journal.Read(path, e.printRecord)
	}
	err = journal.Follow(ctx, path, func(r journal.Record) error {
		if err := e.printRecord(r); err != nil {
			return err
		}
		if noteOf(r).Closed {
			return errOver
		}
		return nil
	})
	if errors.Is(err, context.Canceled) || errors.Is(err, errOver) {
		return nil
	}
	return err
}

// errOver ends following at the incident's last record.
var errOver = errors.New("the incident is over")

// noteData is what a note record can hold.
type noteData struct {
	Text     string
	Closed   bool
	Incident string // record 0
	Cluster  string
	Format   int
}

// noteOf reads a note; every other record is an empty one.
func noteOf(r journal.Record) (n noteData) {
	if r.Kind == journal.Note {
		_ = json.Unmarshal(r.Data, &n) // what is no note says nothing
	}
	return n
}

// printRecord writes one record as a line: when, what kind, what happened.
func (e *env) printRecord(r journal.Record) error {
	_, err := fmt.Fprintf(e.out, "%5d  %s  %-8s  %s\n", r.Seq, stamp(r.At), r.Kind, words(r))
	return err
}

// words says a record's data in a sentence; unknown shapes stay JSON. What
// comes from the file is made safe again: somebody may have written into it.
func words(r journal.Record) string {
	switch r.Kind {
	case journal.Finding:
		return findingWords(r.Data)
	case journal.Snapshot:
		var s cluster.Snapshot
		if json.Unmarshal(r.Data, &s) == nil {
			return snapshotWords(s)
		}
	case journal.Intent:
		var i cluster.Intent
		if json.Unmarshal(r.Data, &i) == nil {
			return safe(fmt.Sprintf("plan %s step %s on %s: %s", i.Plan, i.Step, i.Node, i.Command))
		}
	case journal.Outcome:
		var o cluster.Outcome
		if json.Unmarshal(r.Data, &o) == nil {
			return safe(fmt.Sprintf("plan %s step %s on %s: %s. %s", o.Plan, o.Step, o.Node, o.Status, o.Sentence))
		}
	case journal.Note:
		switch n := noteOf(r); {
		case n.Text != "":
			return safe(n.Text)
		case n.Incident != "":
			return safe(fmt.Sprintf("incident %s of %s opened, format %d", n.Incident, n.Cluster, n.Format))
		}
	case journal.Confirm:
		var p struct {
			Plan  cluster.Plan
			Typed []string
		}
		if json.Unmarshal(r.Data, &p) == nil && p.Plan.ID != "" {
			return safe(fmt.Sprintf("plan %s, %s: typed %q", p.Plan.ID, p.Plan.Title, p.Typed))
		}
	case journal.Output:
		var o struct {
			Node  string
			Lines []string
		}
		if json.Unmarshal(r.Data, &o) == nil && o.Node != "" {
			return safe(o.Node + ": " + strings.Join(o.Lines, " | "))
		}
	}
	const most = 300
	text := safe(string(r.Data))
	if len(text) > most {
		text = fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:most], ""), len(r.Data))
	}
	return text
}

// findingWords tells a finding that came or changed from one that went.
func findingWords(data json.RawMessage) string {
	var gone struct{ Gone string }
	if json.Unmarshal(data, &gone) == nil && gone.Gone != "" {
		return safe(gone.Gone + " has gone")
	}
	var f struct {
		cluster.Finding
		Priority string
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return safe(string(data))
	}
	text := fmt.Sprintf("%s %s, %s: %s", f.Priority, f.ID(), f.Certainty, f.Title)
	if f.Under != "" {
		text += " (folded under " + f.Under + ")"
	}
	return safe(text)
}

// snapshotWords says of each node what mattered most.
func snapshotWords(s cluster.Snapshot) string {
	var parts []string
	for _, n := range s.Nodes {
		r := s.Reports[n.Name]
		if r == nil {
			continue
		}
		part := n.Name + " " + string(r.Reach.Value)
		switch cluster.Is(r.PostgreSQL.InRecovery, true) {
		case cluster.True:
			part += ", standby"
		case cluster.False:
			part += ", primary"
		}
		parts = append(parts, part)
	}
	return safe(strings.Join(parts, "; "))
}

// safe makes a text fit for the terminal.
func safe(s string) string { return remote.Safe([]byte(s)) }
