//go:build linux

package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"chef-backend-cockpit/cluster/scenario"
	"chef-backend-cockpit/cluster/simulation"
	"chef-backend-cockpit/cmd/chef-backend-lab/lab"
)

// rowWithin bounds one row of the table, with its lab: what it may take by
// itself, and time to set up and to look.
func rowWithin(s scenario.Scenario) time.Duration { return s.Within + s.Healed + 8*time.Minute }

// TestScenariosOnTheLab tries the rows of the table on real hosts: the same
// rows that the simulation is tried on. Each row has a lab of its own, several
// of them side by side, the longest rows first.
func TestScenariosOnTheLab(t *testing.T) {
	t.Parallel()
	if inChild() {
		for _, s := range scenario.Table {
			t.Run(s.Row(), func(t *testing.T) { tryRow(t, s) })
		}
		return
	}
	refused := whyNot(t.Context())
	table := scenario.Core
	if os.Getenv(labEnv) == "all" {
		table = scenario.Table
	} else {
		t.Logf("%d rows of %d; all of them: make test-lab ALL=1", len(scenario.Core), len(scenario.Table))
	}
	var rows []scenario.Scenario
	for _, s := range table {
		switch {
		case !selected(t.Name(), s.Row()):
		case s.NotOnLab != "":
			t.Run(s.Row(), func(t *testing.T) { t.Skipf("%s is not for the lab: %s", s.Row(), s.NotOnLab) })
		case refused != "":
			t.Run(s.Row(), func(t *testing.T) { t.Skipf("%s needs a real lab: %s", t.Name(), refused) })
		case !lab.Knows(s.Name):
			t.Run(s.Row(), func(t *testing.T) {
				t.Error("the lab has no such fault; make one, or say in the table why real parts cannot produce it")
			})
		default:
			rows = append(rows, s)
		}
	}
	tryAll(t, rows)
}

// outcome is how a row went in its child.
type outcome struct {
	name, out string
	figures
	err error
}

// tryAll runs rows in children and reports each as it ends.
func tryAll(t *testing.T, rows []scenario.Scenario) {
	slices.SortStableFunc(rows, func(a, b scenario.Scenario) int { return cmp.Compare(lasts(b), lasts(a)) })
	began := time.Now()
	todo, ended := make(chan scenario.Scenario, len(rows)), make(chan outcome)
	for _, s := range rows {
		todo <- s
	}
	close(todo)
	for range cap(places) {
		go func() {
			for s := range todo {
				o := outcome{name: s.Row()}
				o.out, o.figures, o.err = runApart(t.Context(), t.Name()+"/"+s.Row(), t.TempDir())
				ended <- o
			}
		}()
	}
	var all []outcome
	for range rows {
		o := <-ended
		all = append(all, o)
		t.Run(o.name, func(t *testing.T) {
			t.Logf("after %s of the whole table:\n%s", time.Since(began).Round(time.Second), o.out)
			if o.err != nil {
				t.Error(o.err)
			}
		})
	}
	if len(all) > 0 {
		t.Logf("%d rows in %s, %d at a time\n%s", len(all), time.Since(began).Round(time.Second), cap(places), summary(all))
	}
}

// lasts guesses how long a row takes: all of its time where nothing happens,
// else a part of the times that it may take, and 20 s for each command.
func lasts(s scenario.Scenario) time.Duration {
	if s.Quiet {
		return quietOnLab(s)
	}
	d := (s.Within + s.Healed) / 5
	for _, commands := range s.Commands {
		d += time.Duration(len(commands)) * 20 * time.Second
	}
	return d
}

// steadyOnLab is for how long a mended lab must stay healthy: six looks, in
// time that cannot be made to run faster.
const steadyOnLab = 12 * time.Second

// quietOnLab is how long an ordinary day lasts on the lab.
func quietOnLab(s scenario.Scenario) time.Duration { return cmp.Or(s.OnLab, s.Within) }

// selected says whether -test.run asks for a row: the rows are begun before
// the testing package would pick them.
func selected(test, row string) bool {
	for pattern := range strings.SplitSeq(alternatives(flag.Lookup("test.run").Value.String()), "\n") {
		first, second, _ := strings.Cut(pattern, "/")
		is, err := regexp.MatchString(first, test)
		has, err2 := regexp.MatchString(second, row)
		if is && has && err == nil && err2 == nil {
			return true
		}
	}
	return false
}

// alternatives puts each alternative of a pattern on a line of its own; those
// in brackets belong to one.
func alternatives(pattern string) string {
	depth := 0
	return strings.Map(func(r rune) rune {
		switch r {
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		case '|':
			if depth == 0 {
				return '\n'
			}
		}
		return r
	}, pattern)
}

// tryRow is one row, in its child.
func tryRow(t *testing.T, s scenario.Scenario) {
	b := realLab(t)
	ctx, cancel := context.WithTimeout(t.Context(), rowWithin(s))
	defer cancel()
	f := figures{Up: b.Took()}
	for _, h := range b.Status(ctx) {
		f.Processes, f.Memory = f.Processes+h.Processes, f.Memory+h.Memory
	}
	s.Steady, s.May = steadyOnLab, append(slices.Clone(s.May), s.MayOnLab...)
	if s.HealOnLab != "" {
		s.Heal, s.Procedure, s.Commands = true, "", nil
		t.Logf("mended from outside: %s", s.HealOnLab)
	}
	if s.Quiet {
		s.Within = quietOnLab(s)
	}
	r, err := scenario.Run(ctx, b, s, simulation.InMemory(t))
	if err != nil {
		t.Error(err)
		t.Log(b.Tails())
		return
	}
	f.Found, f.Healed = r.Found, r.Healed
	f.report(t)
}

// summary are the figures of all rows, by the row's name.
func summary(all []outcome) string {
	slices.SortFunc(all, func(a, b outcome) int { return cmp.Compare(a.name, b.name) })
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "scenario\tthree healthy nodes\tmemory\tfault → finding\tmending → healthy\twhole row\t\t")
	for _, o := range all {
		result := "ok"
		if o.err != nil {
			result = "FAILED"
		}
		fmt.Fprintf(w, "%s\t%s\t%d MiB\t%s\t%s\t%s\t%s\t\n", o.name, seconds(o.Up), o.Memory>>20, seconds(o.Found), seconds(o.Healed), seconds(o.Wall), result)
	}
	w.Flush()
	return text.String()
}

func seconds(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
