package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/cluster/failure"
	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/cluster/watch"
)

// Exit codes of status and diagnose.
const (
	exitAdvice = 1 // a P2 or P3 is the highest unhidden finding
	exitGrave  = 2 // a P1, suspected ones included
)

// Bounds of one look from the command line.
const (
	lookWithin   = 20 * time.Second // a fast and a slow look at every node
	settleWithin = 15 * time.Second // until findings with two agreeing looks stand
)

// statusCommand looks once and prints what every layer claims.
func statusCommand(e *env) *cobra.Command {
	asJSON := false
	c := &cobra.Command{
		Use: "status [HOST…]", Short: "Look once and print what each layer claims",
		RunE: func(c *cobra.Command, hosts []string) error {
			return e.look(c.Context(), hosts, func(w *watch.Watch) error {
				s := w.State()
				if asJSON {
					return printJSON(e.out, statusOf(s, w.Offers))
				}
				return e.printStatus(s)
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// diagnoseCommand looks once and prints findings and signs with evidence; with
// --logs it reads collected logs instead.
func diagnoseCommand(e *env) *cobra.Command {
	asJSON, logs := false, ""
	c := &cobra.Command{
		Use: "diagnose [HOST… | --logs DIR_OR_TAR]", Short: "Look once and name the failures, with evidence",
		RunE: func(c *cobra.Command, hosts []string) error {
			if c.Flags().Changed("logs") {
				if len(hosts) > 0 {
					return usage("--logs reads collected logs and asks no host; leave away %s", hosts[0])
				}
				return e.diagnoseLogs(c.Context(), logs, asJSON)
			}
			return e.look(c.Context(), hosts, func(w *watch.Watch) error {
				if asJSON {
					return printJSON(e.out, diagnosisOf(w))
				}
				return e.printDiagnosis(w)
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().StringVar(&logs, "logs", "", "read collected logs in `DIR_OR_TAR` without a cluster: DIR/NODE/var/log/chef-backend/…, or gather-logs tarballs")
	return c
}

// look connects, looks until the findings have settled, prints, and turns the
// gravest unhidden finding into the exit code.
func (e *env) look(ctx context.Context, hosts []string, print func(*watch.Watch) error) error {
	f, err := e.connect(ctx, hosts)
	if err != nil {
		return err
	}
	defer f.close()
	c, err := e.warnedCatalogue()
	if err != nil {
		return err
	}
	return e.lookAt(ctx, f, c, func(w *watch.Watch) error {
		if err := print(w); err != nil {
			return err
		}
		return verdict(w.State())
	})
}

// lookAt looks at a fleet until the findings have settled.
func (e *env) lookAt(ctx context.Context, f *fleet, c *catalogue.Catalogue, then func(*watch.Watch) error) error {
	state := ""
	if dir, err := journal.DefaultDir(); err == nil { // without a home there are no marks either
		state = filepath.Dir(dir)
	}
	w, err := f.watch(watchOptions{catalogue: c, readOnly: true, logs: true, state: state})
	if err != nil {
		return err
	}
	w.Start(ctx)
	defer w.Close()
	within, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	if err := w.LookAll(within); err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	settle(ctx, w, f.clock)
	return then(w)
}

// settleRounds are how many rounds a finding can need: two looks until who
// leads is known, two more that agree. They keep their natural pace, since what
// must be seen three times in a row must not be asked three times at once.
const settleRounds = 4

// settle waits for those rounds; findings with longer hold times show as
// suspected.
func settle(ctx context.Context, w *watch.Watch, clock cluster.Clock) {
	end := clock.After(settleWithin)
	last := w.State().View.Snapshot.Seq + settleRounds
	for w.State().View.Snapshot.Seq < last {
		select {
		case <-ctx.Done():
			return
		case <-end:
			return
		case <-w.Changed():
		}
	}
}

// verdict is the exit code of the contract as an error without text.
func verdict(s *watch.State) error {
	reached := false
	for _, r := range s.View.Snapshot.Reports {
		reached = reached || cluster.Is(r.Reach, cluster.Reached) == cluster.True
	}
	if !reached {
		return &exitError{exitNothing, errors.New("no node could be looked at; see the reasons above")}
	}
	return gravest(s.Findings)
}

// gravest turns the gravest unhidden finding into the exit code.
func gravest(findings []cluster.Finding) error {
	worst := cluster.Priority(0)
	for _, f := range findings {
		if f.Under == "" && (worst == 0 || f.Priority < worst) {
			worst = f.Priority
		}
	}
	switch worst {
	case 0:
		return nil
	case cluster.P1:
		return &exitError{code: exitGrave}
	}
	return &exitError{code: exitAdvice}
}

// statusOf is the state in the shape of the contract.
func statusOf(s *watch.State, offers func(string) []watch.Offered) statusJSON {
	j := statusJSON{Cluster: s.Cluster, At: stamp(s.At), Leadership: map[string][]string{}, Nodes: []nodeJSON{}, Findings: findingsJSON(s.Findings, offers)}
	for _, n := range s.View.Snapshot.Nodes {
		j.Nodes = append(j.Nodes, nodeJSON{Name: n.Name, Address: n.Address, Claims: claimsJSON(s.View.Report(n.Name), s.At)})
	}
	for _, l := range s.Leadership {
		if l.Known {
			j.Leadership[l.Layer] = orEmpty(l.Nodes)
		} else {
			j.Leadership[l.Layer] = nil
		}
	}
	j.Margin = marginJSON{s.Margin.Votes, s.Margin.Copies, s.Margin.CanLose}
	return j
}

// diagnosisOf is the diagnosis in the shape of the contract.
func diagnosisOf(w *watch.Watch) diagnoseJSON {
	s := w.State()
	j := diagnoseJSON{Findings: findingsJSON(s.Findings, w.Offers), Signs: signsJSON(s.View.Signs)}
	for _, st := range w.Streams() {
		j.Lines += st.Lines
		j.Bytes += st.Bytes
	}
	return j
}

// printStatus writes the board as text.
func (e *env) printStatus(s *watch.State) error {
	fmt.Fprintf(e.out, "%s  %s  %s\n\n", s.Cluster, stamp(s.At), s.MarginWords())
	t := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "NODE\tADDRESS\tREACH")
	for _, c := range s.Board.Columns {
		fmt.Fprint(t, "\t", c)
	}
	fmt.Fprintln(t)
	for _, row := range s.Board.Rows {
		n, _ := s.View.Snapshot.Node(row.Node)
		fmt.Fprintf(t, "%s\t%s\t%s", row.Node, or(n.Address, "?"), reachOf(s.View.Report(row.Node)))
		for _, c := range row.Cells {
			fmt.Fprint(t, "\t", c.Text)
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, n := range s.View.Snapshot.Nodes {
		if why := s.Links[n.Name].Reason; why != "" {
			fmt.Fprintf(e.out, "\n%s", why)
		}
	}
	for _, c := range s.Board.Contradictions {
		fmt.Fprintf(e.out, "\ncontradiction: %s", c)
	}
	fmt.Fprintln(e.out)
	e.printFindings(s.Findings)
	return nil
}

// reachOf is how far we get to a node.
func reachOf(r *cluster.Report) string {
	if r == nil || !r.Reach.Known {
		return "?"
	}
	return string(r.Reach.Value)
}

// printFindings writes a line for each finding that is not folded.
func (e *env) printFindings(findings []cluster.Finding) {
	if len(findings) == 0 {
		fmt.Fprintln(e.out, "no findings")
	}
	for _, f := range findings {
		indent := ""
		if f.Under != "" {
			indent = "   + "
		}
		fmt.Fprintf(e.out, "%s%s %s  %s, %s\n", indent, f.Priority, f.ID(), f.Title, f.Certainty)
	}
}

// printDiagnosis writes findings with their evidence, and the signs.
func (e *env) printDiagnosis(w *watch.Watch) error {
	s := w.State()
	e.printFindings(s.Findings)
	for _, f := range s.Findings {
		if f.Under != "" {
			continue
		}
		fmt.Fprintf(e.out, "\n%s\n", f.ID())
		if d, ok := w.Describe(f.Failure); ok {
			e.printCause(d)
		}
		for _, ev := range f.Evidence {
			fmt.Fprintf(e.out, "  %-7s  %-7s  %s\n", ev.Side, ev.Answer, ev.Sentence)
		}
		for _, o := range w.Offers(f.ID()) {
			fmt.Fprintf(e.out, "  offered  %s\n", offerWords(o))
		}
	}
	e.printSigns(s.View.Signs)
	return nil
}

// printCause writes what the catalogue says of a failure.
func (e *env) printCause(d cluster.Failure) {
	fmt.Fprintf(e.out, "  %s\n  Guide: %s. Ignored: %s\n  Time: %s First: %s\n", d.Cause, d.Section, d.Ignored, d.Time, d.First)
}

// printSigns writes how often each sign was seen, and when.
func (e *env) printSigns(signs []cluster.SignSeen) {
	for _, g := range signs {
		when := "without a time"
		if !g.First.IsZero() {
			when = stamp(g.First)
		}
		if g.Last.After(g.First) {
			when += " to " + stamp(g.Last)
		}
		fmt.Fprintf(e.out, "\nsign %s on %s/%s, %s, %s\n  %s\n", g.Sign, g.Node, g.Service, failure.Times(g.Count), when, g.Example)
	}
}

// offerWords says what is offered, or what stands against it.
func offerWords(o watch.Offered) string {
	text := o.Procedure
	for _, word := range []string{o.Node, o.Service} {
		if word != "" {
			text += " " + word
		}
	}
	switch {
	case o.Ready:
		return text + ": ready"
	case o.NotBuilt:
		return text + ": not in this version"
	case o.First != "":
		return text + ": first " + o.First
	case len(o.WhyNot) > 0:
		return text + ": not now, " + o.WhyNot[0].Answer.Sentence
	}
	return text
}

// or is the first text that is not empty.
func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
