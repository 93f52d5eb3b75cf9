package main

import (
	"path/filepath"
	"strings"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/cluster/watch"
	"chef-backend-cockpit/remote"
)

// readBack reads what the incident's journals hold, writes what a foreign hand
// may have put there beside, and plays it; it counts the bytes of the reports.
func (p *passing) readBack() (bytes int) {
	t := p.t
	j := journal.New(filepath.Join(p.dir, "foreign"), remote.System{}, "foreign")
	if err := j.Open(); err != nil {
		t.Fatal(err)
	}
	for n, s := range hostile {
		line := "journal" + string(rune('0'+n%10)) + s
		for kind, data := range map[string]any{
			journal.Note:    map[string]string{"text": line},
			journal.Output:  map[string]any{"plan": line, "step": line, "node": line, "lines": []string{line}},
			journal.Finding: map[string]any{"failure": line, "title": line, "nodes": []string{line}},
		} {
			if err := j.Record(kind, data); err != nil {
				t.Fatal(err)
			}
		}
	}
	foreign := journal.Path(filepath.Join(p.dir, "foreign"), j.ID())
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	paths := []string{foreign}
	all, err := journal.List(filepath.Join(p.dir, "incidents"))
	if err != nil || len(all) == 0 {
		t.Fatal(len(all), err)
	}
	for _, in := range all {
		paths = append(paths, in.Path)
	}
	for _, path := range paths {
		text, err := journal.Report(path)
		if err != nil {
			t.Error(err)
		}
		if bytes += len(text); harmless(text) != nil {
			t.Errorf("in the report of %s: %v", filepath.Base(path), harmless(text))
		}
		err = journal.Read(path, func(r journal.Record) error {
			if words := journal.Words(r); harmless(words) != nil {
				t.Errorf("in the list of records: %v", harmless(words))
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	p.plays(foreign)
	return bytes
}

// plays shows a journal in the same screen.
func (p *passing) plays(path string) {
	all, err := catalogue.Load(assets.Files, "catalogue")
	if err != nil {
		p.t.Fatal(err)
	}
	r, err := watch.OpenReplay(watch.ReplayOptions{Path: path, Catalogue: all, Clock: remote.System{}})
	if err != nil {
		p.t.Fatal(err)
	}
	p.raw.Reset()
	r.Start(p.t.Context())
	leave := p.show(r, r)
	p.until("the foreign journal", func(raw string) bool { return strings.Contains(raw, "journal") })
	for !r.State().Replay.Over() {
		r.Step()
	}
	p.until("its end", func(raw string) bool { return strings.Count(raw, "journal") > 2 })
	leave()
	if err := r.Close(); err != nil {
		p.t.Error(err)
	}
	if err := harmlessScreen(p.raw.String()); err != nil {
		p.t.Errorf("of a foreign journal to the terminal: %v", err)
	}
}
