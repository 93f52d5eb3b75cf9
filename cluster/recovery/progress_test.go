package recovery

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// What a failed command's output means is said with the step and with the plan.
func TestFailedCommandIsRecognised(t *testing.T) {
	w := newWorld(t)
	behind(w)
	w.exits["pgsql-follow"] = 1
	w.recognise = func(lines [][]byte) string {
		if len(lines) == 1 && bytes.Equal(lines[0], []byte("invented: it failed")) {
			return "wal-segment-removed: what may help: rebuild-follower"
		}
		return ""
	}
	x := w.executor()
	w.confirmed(x, "rebuild-follower", "be3", "")
	p := w.done(x)
	at := slices.IndexFunc(p.Steps, func(st cluster.StepState) bool { return strings.Contains(st.Step.Command, "pgsql-follow") })
	if p.Status != cluster.StatusFailed || !strings.Contains(p.Sentence, "what may help: rebuild-follower") || !strings.Contains(p.Steps[at].Sentence, "exit status 1; wal-segment-removed") {
		t.Errorf("%s: %s; step: %s", p.Status, p.Sentence, p.Steps[at].Sentence)
	}
}

// A copy that is pulled is followed by the size of the data directory, where
// the command says nothing; when nothing grows that is said, and nothing more.
func TestCopyIsFollowedByItsSize(t *testing.T) {
	w := newWorld(t)
	be3 := w.nodes["be3"]
	r := newRun(w.executor(), &frozen{plan: cluster.Plan{Node: "be3", Steps: []cluster.PlanStep{
		{ID: "3-pull", Node: "be3", Command: "chef-backend-ctl pgsql-follow x", Deadline: time.Hour}}}}, nil, w.clock.Now())
	s := r.plan.Steps[0]
	f := &follower{r: r, s: s, sent: w.clock.Now(), moved: w.clock.Now(), copied: r.growth(s)}
	look := func(after time.Duration, bytes int64) cluster.StepState {
		w.clock.After(after)
		w.mu.Lock()
		be3.data = bytes
		w.lookAll()
		w.mu.Unlock()
		f.still()
		return r.snapshot().Steps[0]
	}
	if st := look(time.Second, 1e9); st.Progress != cluster.Amount(1e9)+" of "+cluster.Amount(58e9)+", 1 %" || st.Sentence != "" {
		t.Errorf("%q, %q", st.Progress, st.Sentence)
	}
	if st := look(11*time.Minute, 29e9); !strings.HasSuffix(st.Progress, ", 50 %") || st.Sentence != "no output for 11m0s, but the data directory grows" {
		t.Errorf("%q, %q", st.Progress, st.Sentence)
	}
	if st := look(10*time.Minute, 29e9); !strings.Contains(st.Sentence, "the data directory of be3 is still for 10m0s") || !strings.Contains(st.Sentence, "nothing is ended") {
		t.Errorf("%q", st.Sentence)
	}
	f.tail.write([]byte("pg_basebackup: 22437412/63963136 kB (35%)"))
	f.moved = w.clock.Now()
	if st := look(time.Second, 30e9); !strings.HasSuffix(st.Progress, ", 50 %") {
		t.Errorf("the command's own progress was overwritten: %q", st.Progress)
	}
	if st := look(time.Hour, 31e9); !strings.Contains(st.Sentence, "but the data directory grows") {
		t.Errorf("%q", st.Sentence)
	}
}

// The sync behind a join is awaited with its progress.
func TestAwaitedSyncShowsItsProgress(t *testing.T) {
	w := newWorld(t)
	be3 := w.nodes["be3"]
	be3.streams, be3.data = false, 29e9
	w.extra = []cluster.Procedure{{Name: "sync", Title: "Watch", Target: "node", Tier: cluster.T0, Built: true,
		Steps: []cluster.Step{{ID: "1-watch", Say: "watch", Effects: []cluster.Question{{Fact: "good-follower"}}, Deadline: 20 * time.Minute}}}}
	x := w.executor()
	w.confirmed(x, "sync", "be3", "")
	p := w.done(x)
	if p.Status != cluster.StatusFailed || !strings.HasSuffix(p.Steps[0].Progress, ", 50 %") {
		t.Errorf("%s: %s; %q", p.Status, p.Sentence, p.Steps[0].Progress)
	}
	if !slices.ContainsFunc(w.states, func(p cluster.PlanState) bool { return strings.Contains(p.Steps[0].Sentence, "is still for 10m0s") }) {
		t.Error("it was not said that nothing grows")
	}
}

// What a plan leaves behind that changes who belongs to the cluster.
func TestOpenEndsOfMembership(t *testing.T) {
	state := func(node, command string, status cluster.Status) cluster.StepState {
		return cluster.StepState{Step: cluster.PlanStep{Node: node, Command: command}, Status: status, ExitKnown: status != cluster.StatusUnknown}
	}
	removed := state("be1", "chef-backend-ctl remove-node be3 --yes", cluster.StatusDone)
	wiped := state("be3", "chef-backend-ctl cleanse --yes", cluster.StatusUnknown)
	p := cluster.PlanState{Steps: []cluster.StepState{removed, wiped}}
	if got := openEnds(p, false); len(got) != 2 || !strings.HasPrefix(got[0], "be3 is no member any more") || got[1] != "what lay on be3 may be wiped" {
		t.Error(got)
	}
	p.Steps = append(p.Steps, state("be3", "chef-backend-ctl join-cluster 10.0.4.11 --recovery --yes", cluster.StatusDone),
		state("be1", "chef-backend-ctl set-cluster-failover off", cluster.StatusDone))
	if got := openEnds(p, false); !slices.Equal(got, []string{"failover is off"}) {
		t.Error(got)
	}
}
