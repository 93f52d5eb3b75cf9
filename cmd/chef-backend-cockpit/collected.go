package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/cluster/failure"
	"chef-backend-cockpit/cluster/logs"
)

// diagnoseLogs reads collected logs and prints the signs in them and what they
// suggest: suspected, since no node was asked.
func (e *env) diagnoseLogs(ctx context.Context, path string, asJSON bool) error {
	c, err := e.warnedCatalogue()
	if err != nil {
		return err
	}
	m, err := logs.NewMatcher(c.Signs)
	if err != nil {
		return &exitError{exitInternal, err}
	}
	p := newProgress(e.err)
	collected, err := logs.ReadCollected(ctx, path, m, p.show)
	p.end()
	if errors.Is(err, fs.ErrNotExist) {
		return usage("there is no %s; name a folder with collected logs, or a gather-logs tarball", path)
	}
	if err != nil {
		return nothingSeen(err)
	}
	for _, s := range collected.Skipped {
		e.warnings.say("left out: " + s)
	}
	findings := failure.FromSigns(c.Failures, collected.Signs)
	if asJSON {
		err = printJSON(e.out, diagnoseJSON{
			Findings: findingsJSON(findings, nil), Signs: signsJSON(collected.Signs),
			Lines: collected.Lines, Bytes: collected.Bytes,
		})
	} else {
		err = e.printCollected(c, collected, findings)
	}
	if err != nil {
		return err
	}
	return gravest(findings)
}

// printCollected writes the text form.
func (e *env) printCollected(c *catalogue.Catalogue, found logs.Collected, findings []cluster.Finding) error {
	fmt.Fprintf(e.out, "%d lines, %s, in %s of %s\n\n", found.Lines, cluster.Amount(int64(found.Bytes)), files(found.Files), strings.Join(found.Nodes, ", "))
	e.printFindings(findings)
	for _, f := range findings {
		fmt.Fprintf(e.out, "\n%s\n", f.ID())
		for _, d := range c.Failures {
			if d.Name == f.Failure {
				e.printCause(d)
			}
		}
		for _, ev := range f.Evidence {
			fmt.Fprintf(e.out, "  %-7s  %s\n", ev.Side, ev.Sentence)
		}
	}
	e.printSigns(found.Signs)
	_, err := fmt.Fprintln(e.out, "\nLogs only suspect: status and diagnose without --logs ask the nodes themselves.")
	return err
}

// files is a number of files in words.
func files(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}

// progress shows on a terminal, four times a second, how far reading got.
type progress struct {
	out   io.Writer // nil: no terminal
	began time.Time
	last  time.Time
}

// progressEvery is how often the line is written anew.
const progressEvery = 250 * time.Millisecond

func newProgress(out io.Writer) *progress {
	p := &progress{began: time.Now()}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.out = out
	}
	return p
}

func (p *progress) show(done, total int64) {
	now := time.Now()
	if p.out == nil || total == 0 || now.Sub(p.last) < progressEvery {
		return
	}
	p.last = now
	rate := int64(float64(done) / max(now.Sub(p.began).Seconds(), 0.001))
	fmt.Fprintf(p.out, "\r\x1b[Kreading %s of %s, %d %%, %s a second", cluster.Amount(done), cluster.Amount(total), done*100/total, cluster.Amount(rate))
}

// end wipes the line.
func (p *progress) end() {
	if p.out != nil && !p.last.IsZero() {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
