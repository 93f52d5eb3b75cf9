package watch

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/cluster/simulation"
	"chef-backend-cockpit/remote"
)

// standing is what the screen lists, in its order.
func standing(s *State) string {
	var all []string
	for _, f := range s.Findings {
		all = append(all, f.ID()+" "+string(f.Certainty)+" under "+f.Under)
	}
	return strings.Join(all, ", ")
}

// lived runs a simulated incident until it is mended, and returns what was
// listed while its incident was open, with the journal that was written.
func lived(t *testing.T, c *catalogue.Catalogue) (listed []string, path string) {
	t.Helper()
	clock := remote.NewScaled(6)
	sim, err := simulation.Start(t.Context(), simulation.Options{Clock: clock, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	dir := simulation.InMemory(t)
	w, err := New(Options{Cluster: "invented", Nodes: sim.Nodes(), Hosts: sim.Hosts(), Clock: clock, Catalogue: c, JournalDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	w.Start(t.Context())
	defer w.Close()
	steps := []struct {
		do   func(string) error
		what string
		then func(*State) bool
	}{
		{func(string) error { return nil }, "", func(s *State) bool { return s.Healthy != nil }},
		{sim.Strike, "leaderl-down", func(s *State) bool { return strings.Contains(standing(s), "leaderl-down@be3 confirmed") }},
		{sim.Strike, "node-down", func(s *State) bool { return strings.Contains(standing(s), "node-down@be3 confirmed") }},
		{sim.Heal, "node-down", func(s *State) bool { return !strings.Contains(standing(s), "node-down") }},
	}
	for _, step := range steps {
		if err := step.do(step.what); err != nil {
			t.Fatal(err)
		}
		end := clock.After(10 * time.Minute)
		for s := w.State(); !step.then(s); s = w.State() {
			select {
			case <-w.Changed():
			case <-end:
				t.Fatalf("%s: never came about: %s", step.what, standing(w.State()))
			}
			s = w.State()
			if is := standing(s); s.Incident != "" && (len(listed) == 0 || listed[len(listed)-1] != is) {
				listed = append(listed, is)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	all, err := journal.List(dir)
	if err != nil || len(all) != 1 {
		t.Fatalf("incidents: %+v, %v", all, err)
	}
	return listed, all[0].Path
}

func TestReplayShowsTheFindingsAsTheyWere(t *testing.T) {
	c, err := catalogue.Load(assets.Files, "catalogue")
	if err != nil {
		t.Fatal(err)
	}
	listed, path := lived(t, c)
	r, err := OpenReplay(ReplayOptions{Path: path, Catalogue: c, Clock: remote.System{}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for r.Pause(); r.Jump(-1); {
	}
	t.Run("same order", func(t *testing.T) {
		seen := 0
		for !r.State().Replay.Over() {
			if seen < len(listed) && standing(r.State()) == listed[seen] {
				seen++
				continue
			}
			r.Step()
		}
		if standing(r.State()) == listed[min(seen, len(listed)-1)] {
			seen++
		}
		if seen < len(listed) {
			t.Errorf("listed then: %q\nnot seen in the replay from %d on; it ends with %q", listed, seen, standing(r.State()))
		}
		t.Logf("%d lists of findings, %d records", len(listed), r.State().Replay.Records)
	})
	t.Run("back and forth", func(t *testing.T) {
		var there []string
		for r.Jump(-1) {
			there = append(there, standing(r.State()))
		}
		slices.Reverse(there)
		for _, want := range there[1:] {
			if r.Jump(1); standing(r.State()) != want {
				t.Fatalf("forth %q, back it was %q", standing(r.State()), want)
			}
		}
		if len(there) < 4 {
			t.Errorf("only %d findings and steps: %q", len(there), there)
		}
	})
	t.Run("nothing acts", func(t *testing.T) {
		_, planErr := r.Plan(t.Context(), "restart-service", "be3", "leaderl")
		_, confirmErr := r.Confirm("7f3a0001", "y")
		if !errors.Is(planErr, errReplay) || !errors.Is(confirmErr, errReplay) || r.State().Mode != ReadOnly || r.State().Stamp != "REPLAY" {
			t.Errorf("plan: %v, confirm: %v, %s %s", planErr, confirmErr, r.State().Mode, r.State().Stamp)
		}
	})
	t.Run("altered", func(t *testing.T) { altered(t, c, path) })
}

// altered plays journals that are not as they were written.
func altered(t *testing.T, c *catalogue.Catalogue, path string) {
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, made := range map[string]struct {
		text []byte
		says string
		err  string
	}{
		"torn":    {whole[:len(whole)-20], "have no end", ""},
		"changed": {bytes.Replace(whole, []byte("leaderl-down"), []byte("leaderl-\\u001b["), 1), "was changed", ""},
		"cut":     {bytes.Replace(whole, []byte("\n{"), []byte("\n{{"), 3), "can be read", ""},
		"format":  {bytes.Replace(whole, []byte(`"format":1`), []byte(`"format":2`), 1), "", "format 2"},
		"empty":   {nil, "", "no record"},
	} {
		file := t.TempDir() + "/journal.jsonl"
		if err := os.WriteFile(file, made.text, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := OpenReplay(ReplayOptions{Path: file, Catalogue: c, Clock: remote.System{}})
		if made.err != "" {
			if err == nil || !strings.Contains(err.Error(), made.err) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		n := r.State().Notices
		if len(n) == 0 || !n[0].Grave || !strings.Contains(n[0].Text, made.says) {
			t.Errorf("%s: notices %+v", name, n)
		}
		for !r.State().Replay.Over() {
			r.Step()
			if strings.ContainsRune(r.Summary(), '\x1b') {
				t.Fatalf("%s: a control byte of the file: %q", name, r.Summary())
			}
		}
		r.Close()
	}
}

// A plan is shown as the journal tells it: what ran, what came of it, the end.
func TestReplayRebuildsAPlan(t *testing.T) {
	dir := t.TempDir()
	j := journal.New(dir, still{t0}, "invented")
	plan := cluster.Plan{ID: "7f3a0001", Title: "Rebuild be3", Node: "be3", Steps: []cluster.PlanStep{
		{ID: "0-look", Node: "be3"}, {ID: "1-stop", Node: "be3", Command: "chef-backend-ctl stop leaderl"}, {ID: "2-follow", Node: "be3"}}}
	for _, err := range []error{
		j.Record(journal.Confirm, confirmed{plan, []string{"be3"}, "ann@bastion"}),
		j.Record(journal.Intent, cluster.Intent{Plan: plan.ID, Step: "1-stop", Node: "be3"}),
		j.Record(journal.Output, journal.OutputData{Plan: plan.ID, Step: "1-stop", Node: "be3", Lines: []string{"ok: down: leaderl"}}),
		j.Record(journal.Outcome, cluster.Outcome{Plan: plan.ID, Step: "1-stop", Node: "be3", Status: cluster.StatusFailed, Sentence: "exit status 1"}),
		j.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	all, _ := journal.List(dir)
	r, err := OpenReplay(ReplayOptions{Path: all[0].Path, Catalogue: &catalogue.Catalogue{}, Clock: remote.System{}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var was []string
	for !r.State().Replay.Over() {
		r.Step()
		run := r.State().Run
		was = append(was, string(run.Status)+":"+string(run.Steps[0].Status)+","+string(run.Steps[1].Status))
	}
	if want := []string{"running:next,next", "running:done,running", "running:done,running", "failed:done,failed"}; !slices.Equal(was, want) {
		t.Errorf("the plan was %q, want %q", was, want)
	}
	p, err := r.Logs(LogQuery{Nodes: []string{"be3"}, Text: "leaderl"}, 0, 5)
	if err != nil || len(p.Lines) != 1 || p.Lines[0].Text != "ok: down: leaderl" || p.Held != 5 {
		t.Errorf("lines: %+v, %v", p, err)
	}
}
