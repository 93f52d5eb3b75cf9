package journal

import (
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// The report tells what was found, what ran with which outcome, and what is
// still open; nothing that came from a node can act in it.
func TestReport(t *testing.T) {
	dir := t.TempDir()
	c := clock()
	j := New(dir, c, "prod").Stamped("PROD")
	record := func(kind string, data any) {
		t.Helper()
		if err := j.Record(kind, data); err != nil {
			t.Fatal(err)
		}
	}
	record(Finding, cluster.Finding{Failure: "follower-wal-gap", Node: "be3", Nodes: []string{"be3"}, Priority: cluster.P2, Certainty: cluster.Confirmed,
		Title: "WAL gone, be3 cannot catch up", Evidence: []cluster.Evidence{{Side: cluster.SideFor, Answer: cluster.True, Sentence: "a | b \x1b[2J <script> `rm`"}}})
	record(Confirm, map[string]any{"plan": cluster.Plan{ID: "deadbeef", Title: "Rebuild be3", Tier: cluster.T2}, "typed": []string{"be3"}, "by": "ann@bastion"})
	record(Intent, cluster.Intent{Plan: "deadbeef", Step: "1-stop", Node: "be3", Command: "chef-backend-ctl stop leaderl"})
	record(Output, map[string]any{"plan": "deadbeef", "step": "1-stop", "node": "be3", "lines": []string{"ok: down: leaderl\x1b]0;x\x07"}})
	record(Outcome, cluster.Outcome{Plan: "deadbeef", Step: "1-stop", Node: "be3", Status: cluster.StatusDone, ExitKnown: true, Sentence: "leaderl is down"})
	record(Confirm, map[string]any{"plan": "deadbeef", "step": "2-tick", "ticked": true, "by": "ann@bastion"})
	record(Intent, cluster.Intent{Plan: "deadbeef", Step: "3-basebackup", Node: "be3", Command: "chef-backend-ctl pgsql-follow"})
	record(Finding, map[string]any{"gone": "follower-wal-gap@be3", "at": time.Unix(1, 0)})
	record(Finding, cluster.Finding{Failure: "no-leader", Priority: cluster.P1, Certainty: cluster.Confirmed, Title: "nobody leads"})
	record(Confirm, map[string]any{"plan": cluster.Plan{ID: "0000beef", Title: "Stop be2"}, "typed": []string{"stop be2"}})
	c.now = c.now.Add(24 * time.Hour)
	record(Note, map[string]any{"text": "plan 0000beef done: all steps are done", "ended": PlanEnd{Plan: "0000beef", Status: cluster.StatusDone, OpenEnds: []string{"everything is stopped on be2"}}})
	id := j.ID()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := Report(Path(dir, id))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# Incident " + strings.ReplaceAll(id, "_", `\_`) + " of prod, PROD", "not closed", "P2 follower-wal-gap@be3, confirmed",
		`confirmed by ann@bastion, typed \["be3"]`, "    chef-backend-ctl stop leaderl", "done after", "exit status 0. leaderl is down",
		"step 2-tick ticked by ann@bastion", "follower-wal-gap@be3 has gone", "No outcome is written", "- `chef-backend-ctl pgsql-follow` on be3: outcome unknown",
		`a \| b`, "&lt;script>",
		"- plan deadbeef Rebuild be3: its end is not written", "- plan 0000beef Stop be2 left behind: everything is stopped on be2",
		"- P1 no-leader: nobody leads", "| 2026-11-24 02:41:05 | plan 0000beef done",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	for _, c := range text {
		if c < ' ' && c != '\n' || c == 0x7f {
			t.Errorf("the control character %q is in the report", c)
		}
	}
	if _, open, _ := strings.Cut(text, "## Still open"); strings.Contains(open, "wal-gap") {
		t.Errorf("what has gone is not open:\n%s", open)
	}
	if strings.Contains(text, "could not be read") || strings.Contains(text, "not as it was written") {
		t.Error(text)
	}
}
