package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/cluster/watch"
)

// bundleCommand packs what somebody else needs to understand an incident.
func bundleCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "support-bundle [HOST…]", Short: "Pack journal, report, status, configuration and the newest logs for support",
		Long: `Packs the newest incident's journal and report, status and diagnosis as of now,
the configuration, and the newest logs of every node (up to 20 MiB of each
service, over SSH, only reading) into one archive in the current folder.
Passwords, keys and tokens are blotted out; chef-backend-secrets.json is not read.

Without a host and without a configured cluster only what lies here is packed, and
also where no node can be reached: the exit code is 3 then. Where the hosts that
answer do not know their cluster, their logs are packed all the same: the exit code
is 1 then. lacks.txt says what is missing.`,
		RunE: func(c *cobra.Command, hosts []string) error { return e.supportBundle(c.Context(), hosts) },
	}
}

// bundle is what goes into the archive.
type bundle struct {
	cluster string
	at      time.Time
	files   []bundled // but for the logs, which are read one by one
	logs    []logFile
	lacks   []string // what could not be had, and why
	unseen  error    // why the cluster could not be looked at; nil: it could, or none is known
}

// bundled is a file of the archive.
type bundled struct {
	name string
	text []byte
}

func (b *bundle) put(name string, text []byte) { b.files = append(b.files, bundled{name, text}) }

// lack notes that something is missing; a bundle without it is better than none.
func (b *bundle) lack(what string, err error) {
	if err != nil {
		b.lacks = append(b.lacks, oneLine(what+": "+err.Error()))
	}
}

// lacksText is a line for everything that is missing.
func (b *bundle) lacksText() string {
	lines := b.lacks
	if b.unseen != nil {
		lines = append([]string{oneLine("nodes: " + b.unseen.Error())}, lines...)
	}
	return strings.Join(append(lines, ""), "\n")
}

// supportBundle gathers and writes.
func (e *env) supportBundle(ctx context.Context, hosts []string) error {
	b := &bundle{at: time.Now().UTC()}
	f, err := e.bundleFleet(ctx, hosts, b)
	if err != nil {
		return err
	}
	if f != nil {
		defer f.close()
		if b.unseen == nil {
			b.cluster = f.cluster
			b.lack("status and diagnosis", e.bundleLook(ctx, b, f))
		}
		for _, n := range f.nodes {
			files, err := listLogs(ctx, n.Name, f.hosts[n.Name])
			b.lack("logs of "+n.Name, err)
			b.logs = append(b.logs, files...)
		}
	}
	b.lack("journal", b.incidents())
	b.lack("configuration", e.bundleConfig(b))
	b.put("version.txt", []byte(versionText()+"\n"))
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := e.writeBundle(ctx, b, f); err != nil {
		return err
	}
	return b.verdict(f)
}

// verdict is why the cluster is not in the bundle. What it holds all the same is
// said, and only where no host was reached the code says so.
func (b *bundle) verdict(f *fleet) error {
	switch {
	case b.unseen == nil:
		return nil
	case f == nil:
		return &exitError{exitNothing, fmt.Errorf("the cluster could not be looked at: %w; no node could be reached, the bundle holds only what lies here", b.unseen)}
	case len(b.logs) == 0:
		return fmt.Errorf("the cluster could not be looked at: %w; the bundle holds only what lies here", b.unseen)
	}
	return fmt.Errorf("the cluster could not be looked at: %w; the bundle holds what lies here and logs of %s", b.unseen, strings.Join(b.logNodes(), ", "))
}

// logNodes are the nodes of which logs are taken.
func (b *bundle) logNodes() []string {
	var names []string
	for _, l := range b.logs {
		names = append(names, l.node)
	}
	return slices.Compact(names)
}

// bundleLook looks as status and diagnose do.
func (e *env) bundleLook(ctx context.Context, b *bundle, f *fleet) error {
	c, err := e.warnedCatalogue()
	if err != nil {
		return err
	}
	return e.lookAt(ctx, f, c, func(w *watch.Watch) error {
		for name, j := range map[string]any{"status.json": statusOf(w.State(), w.Offers), "diagnose.json": diagnosisOf(w)} {
			var out bytes.Buffer
			if err := printJSON(&out, j); err != nil {
				return err
			}
			b.put(name, journal.Redact(out.Bytes()))
		}
		return nil
	})
}

// incidents adds the newest incident of the cluster, and those that it
// continues, each with its report and its timeline.
func (b *bundle) incidents() error {
	dir, err := journal.DefaultDir()
	if err != nil {
		return err
	}
	all, err := journal.List(dir)
	if err != nil {
		return err
	}
	// Nobody wants support for a simulation that was not named.
	wanted := func(in journal.Incident) bool {
		if b.cluster == "" {
			return !in.Simulated()
		}
		return in.Cluster == b.cluster
	}
	next := ""
	for _, in := range all { // newest first
		if next == "" && wanted(in) || next != "" && in.ID == next {
			if b.cluster == "" {
				b.cluster = in.Cluster
			}
			if next, err = b.incident(in); err != nil {
				return err
			}
			if next == "" {
				return nil
			}
		}
	}
	if next != "" {
		return fmt.Errorf("incident %s, which the newest one continues, is not there any more", next)
	}
	return errors.New("there is no incident of this cluster")
}

// incident adds one; before is the incident that it continues.
func (b *bundle) incident(in journal.Incident) (before string, err error) {
	text, err := os.ReadFile(in.Path)
	if err != nil {
		return "", err
	}
	folder := "incidents/" + plainName.ReplaceAllString(in.ID, "-") + "/"
	b.put(folder+journal.FileName, text[:bytes.LastIndexByte(text, '\n')+1]) // what is being written has no end yet
	report, err := journal.Report(in.Path)
	if err != nil {
		return "", err
	}
	b.put(folder+"report.md", []byte(report))
	var lines bytes.Buffer
	err = journal.Read(in.Path, func(r journal.Record) error {
		fmt.Fprintf(&lines, "%5d  %s  %-8s  %s\n", r.Seq, stamp(r.At), r.Kind, journal.Words(r))
		if data, err := journal.Decode(r); err == nil && r.Seq == 0 {
			if n, ok := data.(*journal.NoteData); ok {
				before = n.Continues
			}
		}
		return nil
	})
	b.put(folder+"timeline.txt", lines.Bytes())
	return before, err
}

// bundleConfig adds the configuration as it is, without secrets that somebody
// may have written into a comment.
func (e *env) bundleConfig(b *bundle) error {
	name := or(e.configFile, filepath.Join(configDir(), "config.yaml"))
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && e.configFile == "" {
		return nil // there need not be one
	}
	if err != nil {
		return err
	}
	b.put("config.yaml", new(journal.Blotter).Text(text))
	return nil
}

// plainName is what a cluster's name becomes in a file's name.
var plainName = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// nameMax bounds what the archive's name takes of the cluster's, which may be a
// journal's word: names of files are bounded.
const nameMax = 64

// writeBundle writes the archive into the current folder and prints its name.
func (e *env) writeBundle(ctx context.Context, b *bundle, f *fleet) error {
	need := int64(0)
	for _, x := range b.files {
		need += int64(len(x.text))
	}
	total := int64(0)
	for _, l := range b.logs {
		total += l.take
	}
	if err := room(".", need+total); err != nil {
		return err
	}
	of := plainName.ReplaceAllString(b.cluster, "-")
	of = strings.Trim(of[:min(len(of), nameMax)], "-.")
	name := "chef-backend-cockpit-support-" + or(of, "cluster") + "-" + b.at.Format("20060102T150405Z")
	out, err := newBundleFile(".", name, b.at)
	if err != nil {
		return err
	}
	defer out.drop()
	slices.SortFunc(b.files, func(x, y bundled) int { return strings.Compare(x.name, y.name) })
	for _, x := range b.files {
		if err := out.add(x.name, x.text); err != nil {
			return err
		}
	}
	if err := e.addLogs(ctx, out, b, f, total); err != nil {
		return err
	}
	if text := b.lacksText(); text != "" {
		if err := out.add("lacks.txt", []byte(text)); err != nil {
			return err
		}
	}
	if err := out.finish(ctx); err != nil {
		return err
	}
	for _, l := range b.lacks {
		e.warnings.say("the bundle lacks " + l)
	}
	_, err = fmt.Fprintln(e.out, path.Base(out.path))
	return err
}

// addLogs reads the logs one by one, so that one of them is held at a time.
func (e *env) addLogs(ctx context.Context, out *bundleFile, b *bundle, f *fleet, total int64) error {
	p := newProgress(e.err)
	defer p.end()
	done := int64(0)
	for _, l := range b.logs {
		p.show(done, total)
		text, err := readLog(ctx, f.hosts[l.node], l)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		done += l.take
		if err != nil {
			b.lack(l.node+" "+l.path, err)
			continue
		}
		if l.take < l.size {
			b.lacks = append(b.lacks, fmt.Sprintf("%s %s: only the last %d of %d bytes are taken", l.node, l.path, l.take, l.size))
		}
		if err := out.add("nodes/"+plainName.ReplaceAllString(l.node, "-")+l.path, new(journal.Blotter).Text(text)); err != nil {
			return err
		}
	}
	return nil
}
