package recovery

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/remote"
)

// What a step on this machine writes, in bursts and torn lines, reaches whoever
// reads the journal along while the step runs: whole, in order, nothing twice.
// A second one leaves in the midst; nothing of either is left (TestMain looks).
func TestLocalStepIsReadAlong(t *testing.T) {
	s := newScripted(t, shells()[0])
	dir := t.TempDir()
	j := journal.New(dir, remote.System{}, "invented")
	if err := j.Open(); err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	read, left := readAlong(journal.Path(dir, j.ID()), 1<<30), readAlong(journal.Path(dir, j.ID()), 40)

	step := cluster.PlanStep{ID: "3-basebackup", Node: "be3", Command: "seq 1 9000; printf torn; sleep 0.1; printf ' line\\r\\n'; i=0; while [ $i -lt 300 ]; do echo $i some words of progress; i=$((i + 1)); done; printf 'no end'"}
	l := s.step(step.ID, "", step.Command)
	r := &run{x: New(Options{Recorder: j, Clock: remote.System{}}), plan: cluster.Plan{ID: "7f3a0001"}}
	script, offset := r.transcript(0, step, step.ID), int64(0)
	l.say("go token1 false false recovery lock1")
	for {
		f, err := l.next()
		if err != nil {
			t.Fatal(err)
		}
		if f.kind == "exit" {
			break
		}
		offset += int64(len(f.data))
		script.write(f.data, offset)
		script.wholeLines()
	}
	script.flush()
	if err := j.Record("note", map[string]string{"text": lastOfAll}); err != nil {
		t.Fatal(err)
	}

	raw, err := os.ReadFile(filepath.Join(s.base, "steps", "7f3a0001", step.ID, "output"))
	if err != nil {
		t.Fatal(err)
	}
	want := remote.SafeLines(raw)
	if got := <-read; got.err != nil || !slices.Equal(got.lines, want) {
		t.Errorf("%d lines of %d, %v", len(got.lines), len(want), got.err)
	} else {
		t.Logf("%d lines of a local step read along, none lost", len(got.lines))
	}
	if got := <-left; got.err != nil || len(got.lines) == 0 || !slices.Equal(got.lines, want[:min(len(got.lines), len(want))]) {
		t.Errorf("who left in the midst saw other lines: %v", got.err)
	}
}

// lastOfAll ends what is read along.
const lastOfAll = "that was all"

// followed is what somebody saw who read along.
type followed struct {
	lines []string
	err   error
}

// readAlong follows a journal until the last record, or for some records.
func readAlong(path string, records int) <-chan followed {
	out, enough := make(chan followed, 1), errors.New("enough")
	go func() {
		var f followed
		f.err = journal.Follow(context.Background(), remote.System{}, path, func(r journal.Record) error {
			if records--; records < 0 || strings.Contains(string(r.Data), lastOfAll) {
				return enough
			}
			var p piece
			if r.Kind != "output" {
				return nil
			}
			if err := json.Unmarshal(r.Data, &p); err != nil {
				return err
			}
			f.lines = append(f.lines, p.Lines...)
			return nil
		}, nil)
		if errors.Is(f.err, enough) {
			f.err = nil
		}
		out <- f
	}()
	return out
}
