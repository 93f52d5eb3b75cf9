package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/cluster/watch"
	"chef-backend-cockpit/remote"
)

// forged would be a heading of the report if it stood at the begin of a line.
const forged = "`77\n## Forged 77\n"

// foreignJournal is an incident below dir as a foreign hand may write it.
func foreignJournal(t *testing.T, dir string) (id string) {
	t.Helper()
	j := journal.New(dir, remote.System{}, "foreign"+forged+strings.Join(hostile[:30], "")).Stamped("stamp" + forged + strings.Join(hostile[30:60], ""))
	if err := j.Open(); err != nil {
		t.Fatal(err)
	}
	for n, s := range append(slices.Clone(hostile), forged, forged+"`") {
		line := "journal" + string(rune('0'+n%10)) + s
		for kind, data := range map[string]any{
			journal.Note:   map[string]string{"text": line},
			journal.Intent: cluster.Intent{Plan: line, Step: line, Node: line, Command: line},
			journal.Output: map[string]any{"plan": line, "step": line, "node": line, "lines": []string{line}},
			journal.Finding: cluster.Finding{Failure: line, Title: line, Nodes: []string{line}, Priority: cluster.P1, Certainty: cluster.Certainty(line),
				Evidence: []cluster.Evidence{{Side: cluster.Side(line), Sentence: line}}},
			line: map[string]string{"text": line},
		} {
			if err := j.Record(kind, data); err != nil {
				t.Fatal(err)
			}
		}
	}
	id = j.ID()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return id
}

// What others may have put where incidents lie reaches the terminal, the report
// and the bundle with nothing in it that acts, and no line is of their making.
func TestForeignIncidentsAreShownHarmless(t *testing.T) {
	home(t, "")
	dir, err := journal.DefaultDir()
	if err != nil {
		t.Fatal(err)
	}
	id := foreignJournal(t, dir)
	folder := filepath.Join(dir, "19990101T000000Z\x1b[31;77m\n## Forged 77")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, journal.FileName), []byte("{\"\x1b[31m\":1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	code, name, errOut := call(t, "support-bundle")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	shown := map[string]string{"what the bundle lacks": errOut}
	packed := unpacked(t, strings.TrimSpace(name))
	for _, file := range []string{"report.md", "timeline.txt"} {
		shown[file] = packed["incidents/"+id+"/"+file]
	}
	for _, args := range [][]string{{"journal", "list"}, {"journal", "show", id}, {"journal", "report", id}} {
		_, out, errOut := call(t, args...)
		shown[strings.Join(args, " ")] = out
		shown[strings.Join(args, " ")+", its errors"] = errOut
	}
	for what, text := range shown {
		if err := harmless(text); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if strings.Contains("\n"+text, "\n## Forged") {
			t.Errorf("%s has a line of theirs", what)
		}
	}
	for _, what := range []string{"journal list", "journal report " + id, "timeline.txt"} {
		if !strings.Contains(shown[what], "Forged 77") {
			t.Errorf("%s: nothing of it is shown: %.300q", what, shown[what])
		}
	}
}

// readBack reads what the incident's journals hold, writes what a foreign hand
// may have put there beside, and plays it; it counts the bytes of the reports.
func (p *passing) readBack() (bytes int) {
	t := p.t
	foreign := journal.Path(filepath.Join(p.dir, "foreign"), foreignJournal(t, filepath.Join(p.dir, "foreign")))
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
