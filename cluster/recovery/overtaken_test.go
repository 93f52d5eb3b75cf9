package recovery

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// What the cluster does by itself between a step's turn and its command is not
// done again: be1, freed of its sentinel, is elected at any moment.
func TestStepIsOvertaken(t *testing.T) {
	all := []string{
		"be1: mv -n /var/opt/chef-backend/leaderl/data/no-start-pgsql " + aside,
		"be1: chef-backend-ctl restart postgresql",
		"be1: chef-backend-ctl promote be1",
	}
	for before, want := range map[int][]string{2: all[:1], 3: all[:2], 4: all} {
		w := newWorld(t)
		w.leaderless()
		x := w.executor()
		w.before = func() {
			if w.mu.Lock(); len(w.ran) == before-1 {
				be1 := w.nodes["be1"]
				be1.role, be1.recovery, be1.ready, be1.down["postgresql"] = "leader", false, 0, false
			}
			w.mu.Unlock()
		}
		w.confirmed(x, "promote-previous-leader", "be1", "")
		if p := w.done(x); p.Status != cluster.StatusDone || !slices.Equal(w.ran, want) {
			t.Errorf("elected before command %d: %s: %s; ran\n%s", before, p.Status, p.Sentence, strings.Join(w.ran, "\n"))
		}
	}
}

// Another that leads meanwhile is no reason to skip anything: it is refused.
func TestStepIsNotOvertakenByAnother(t *testing.T) {
	w := newWorld(t)
	w.leaderless()
	x := w.executor()
	w.before = func() {
		if w.mu.Lock(); len(w.ran) == 1 {
			w.nodes["be2"].role = "leader"
		}
		w.mu.Unlock()
		w.lookAll()
	}
	w.confirmed(x, "promote-previous-leader", "be1", "")
	if p := w.done(x); p.Status != cluster.StatusRefused || strings.Contains(strings.Join(w.ran, " "), "restart") {
		t.Errorf("%s: %s; ran %v", p.Status, p.Sentence, w.ran)
	}
}

// An answer that is long on its way tells what was so when it was asked for: a
// step that began meanwhile is not taken for one that never started.
func TestLateAnswerIsNoNever(t *testing.T) {
	w := newWorld(t)
	w.nodes["be2"].down["elasticsearch"] = true
	w.cut["restart elasticsearch"] = "before it starts"
	asked := 0
	w.answers = func(args []string) {
		if asked++; asked > 1 {
			return
		}
		<-w.clock.After(lateGo + time.Second)
		w.mu.Lock()
		defer w.mu.Unlock()
		exit, output := w.carryOut("be2", "chef-backend-ctl restart elasticsearch")
		w.folders[args[1]+"/"+args[2]] = &folder{output: output, exit: fmt.Sprint(exit), token: args[6]}
		w.ran = append(w.ran, "be2: chef-backend-ctl restart elasticsearch")
	}
	x := w.executor()
	w.confirmed(x, "restart-service", "be2", "elasticsearch")
	if p := w.done(x); p.Status != cluster.StatusDone || asked < 2 || len(w.ran) != 1 {
		t.Errorf("%s: %s; asked %d times, ran %q", p.Status, p.Sentence, asked, w.ran)
	}
}
