package journal

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// begun is what a cockpit writes of a plan until it is killed: step 1 ended,
// step 2 is at work and has written 7 bytes.
func begun(t *testing.T, j *Journal, id string) {
	t.Helper()
	for _, err := range []error{
		j.Record(Confirm, map[string]any{"plan": cluster.Plan{ID: id}, "typed": []string{"be3"}}),
		j.Record(Intent, cluster.Intent{Plan: id, Step: "1-stop", Node: "be3", Token: "t1"}),
		j.Record(Outcome, cluster.Outcome{Plan: id, Step: "1-stop", Node: "be3", Status: cluster.StatusDone}),
		j.Record(Snapshot, cluster.Snapshot{Seq: 7}),
		j.Record(Note, NoteData{Text: "not due", Passed: &cluster.Outcome{Plan: id, Step: "2-wait", Status: cluster.StatusSkipped}}),
		j.Record(Intent, cluster.Intent{Plan: id, Step: "3-copy", Node: "be3", Token: "t2"}),
		j.Record(Output, map[string]any{"plan": id, "step": "3-copy", "offset": 3, "bytes": 4, "lines": []string{"abc"}}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// dropped is what a killed process leaves: its claim on the file is gone.
func dropped(j *Journal) string {
	j.file.Close()
	return j.id
}

func kinds(rs []Record) string {
	var out []string
	for _, r := range rs {
		out = append(out, r.Kind)
	}
	return strings.Join(out, " ")
}

// A plan without an end is found with all that was written of it, over the
// incidents that hold it, until its end is written; nothing of another cluster.
func TestUnfinishedPlansAreFound(t *testing.T) {
	dir, c := t.TempDir(), clock()
	other := New(dir, c, "another")
	begun(t, other, "0000000f")
	dropped(other)
	j := New(dir, c, "invented")
	begun(t, j, "00000001")
	find := func() []Unfinished {
		t.Helper()
		plans, troubles, err := FindUnfinished(dir, "invented")
		if err != nil || len(troubles) > 0 {
			t.Fatal(err, troubles)
		}
		return plans
	}
	if p := find(); len(p) != 1 || !p[0].InUse || p[0].Incident != j.ID() {
		t.Fatalf("while its cockpit writes: %+v", p)
	}
	old := dropped(j)
	p := find()
	if len(p) != 1 || p[0].InUse || p[0].Broken != "" || p[0].Plan != "00000001" || kinds(p[0].Records) != "intent outcome note intent" ||
		p[0].Written["3-copy"] != 7 || !slices.Equal(p[0].Output["3-copy"], []string{"abc"}) || p[0].Incident != old {
		t.Fatalf("after its cockpit died: %+v", p)
	}
	// It goes on in another incident, of the same second.
	c.now = c.now.Add(time.Millisecond)
	j = New(dir, c, "invented")
	for _, err := range []error{
		j.Record(Note, NoteData{Text: "goes on", GoesOn: "00000001"}),
		j.Record(Outcome, cluster.Outcome{Plan: "00000001", Step: "3-copy", Node: "be3"}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	newer := j.ID()
	if p := find(); len(p) != 1 || kinds(p[0].Records) != "intent outcome note intent note outcome" || p[0].Incident != newer || len(p[0].Written) > 0 {
		t.Fatalf("after it went on elsewhere: %+v", p)
	}
	if err := j.Record(Note, NoteData{Text: "ended", Ended: &PlanEnd{Plan: "00000001", Status: cluster.StatusDone}}); err != nil {
		t.Fatal(err)
	}
	if p := find(); len(p) != 0 {
		t.Errorf("after its end: %+v", p)
	}
}

// An outcome closes its intent wherever it stands.
func TestOutcomeInALaterIncident(t *testing.T) {
	dir, c := t.TempDir(), clock()
	j := New(dir, c, "invented")
	begun(t, j, "00000001")
	old := dropped(j)
	open := func() []string {
		all, err := List(dir)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, in := range all {
			if len(in.OpenIntents) > 0 {
				ids = append(ids, in.ID)
			}
		}
		return ids
	}
	if got := open(); !slices.Equal(got, []string{old}) {
		t.Fatalf("open intents in %v, not in %s", got, old)
	}
	c.now = c.now.Add(keepFor)
	later := New(dir, c, "invented")
	if err := later.Record(Outcome, cluster.Outcome{Plan: "00000001", Step: "3-copy"}); err != nil {
		t.Fatal(err)
	}
	if got := open(); len(got) > 0 {
		t.Errorf("open intents in %v", got)
	}
	keeps := func(what string, want ...string) {
		t.Helper()
		if err := prune(dir, c.now, "", 1); err != nil {
			t.Fatal(err)
		}
		var ids []string
		all, err := List(dir)
		for _, in := range slices.Backward(all) {
			ids = append(ids, in.ID)
		}
		if err != nil || !slices.Equal(ids, want) {
			t.Fatalf("%s: left are %v, not %v; %v", what, ids, want, err)
		}
	}
	keeps("its plan has not ended", old, later.ID())
	if err := later.Record(Note, NoteData{Text: "ended", Ended: &PlanEnd{Plan: "00000001", Status: cluster.StatusDone}}); err != nil {
		t.Fatal(err)
	}
	c.now = c.now.Add(time.Minute)
	next := New(dir, c, "invented")
	if err := next.Reopen(old); err != nil {
		t.Fatal(err)
	}
	ended := dropped(later)
	keeps("a cockpit has it open, and the other tells how its plan ended", old, ended)
	dropped(next)
	keeps("nothing is open any more")
}

// An incident that nobody closed is gone on with, its chain unbroken; one that
// was closed, changed, torn, or that another cockpit writes is not.
func TestReopen(t *testing.T) {
	dir := t.TempDir()
	j := New(dir, clock(), "invented")
	begun(t, j, "00000001")
	id := j.ID()
	next := New(dir, clock(), "invented")
	if err := next.Reopen(id); err == nil || !strings.Contains(err.Error(), ErrInUse.Error()) {
		t.Fatalf("while its cockpit writes: %v", err)
	}
	dropped(j)
	if err := next.Reopen(id); err != nil {
		t.Fatal(err)
	}
	if err := next.Record(Outcome, cluster.Outcome{Plan: "00000001", Step: "3-copy"}); err != nil {
		t.Fatal(err)
	}
	if err := Verify(Path(dir, id)); err != nil || next.ID() != id {
		t.Errorf("%s: %v", next.ID(), err)
	}
	dropped(next)
	whole, err := os.ReadFile(Path(dir, id))
	if err != nil {
		t.Fatal(err)
	}
	closing := New(dir, clock(), "invented")
	if err := closing.Reopen(id); err != nil {
		t.Fatal(err)
	}
	if err := closing.Record(Note, NoteData{Text: "left", Closed: true}); err != nil {
		t.Fatal(err)
	}
	dropped(closing)
	closed, err := os.ReadFile(Path(dir, id))
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string][]byte{
		"closed":  closed,
		"torn":    whole[:len(whole)-5],
		"changed": bytes.Replace(whole, []byte("1-stop"), []byte("1-spot"), 1),
	} {
		if err := os.WriteFile(Path(dir, id), text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := New(dir, clock(), "invented").Reopen(id); err == nil {
			t.Errorf("a journal that was %s is gone on with", what)
		}
		if now, _ := os.ReadFile(Path(dir, id)); !bytes.Equal(now, text) {
			t.Errorf("a journal that was %s was written", what)
		}
	}
}
