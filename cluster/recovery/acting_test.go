package recovery

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// A stop asked for while the sentinel is moved aside leads back: the way back
// itself is not stopped by it.
func TestStopStillGoesBack(t *testing.T) {
	w := newWorld(t)
	w.leaderless()
	x := w.executor()
	w.during = x.Stop
	w.confirmed(x, "promote-previous-leader", "be1", "")
	p := w.done(x)
	want := []string{
		"be1: mv -n /var/opt/chef-backend/leaderl/data/no-start-pgsql " + aside,
		"be1: chef-backend-ctl stop postgresql",
		"be1: mv -n " + aside + "no-start-pgsql /var/opt/chef-backend/leaderl/data/",
	}
	if !slices.Equal(w.ran, want) || p.Status != cluster.StatusStopped || !strings.Contains(p.Sentence, "the way back is done") {
		t.Errorf("%s: %s; ran\n%s", p.Status, p.Sentence, strings.Join(w.ran, "\n"))
	}
}

// The stop that led back does not end the wait for a lock that is lost meanwhile:
// half of the way back would leave a deposed leader free to start.
func TestStopGoesBackThoughTheLockIsLost(t *testing.T) {
	w := newWorld(t)
	w.leaderless()
	x := w.executor()
	w.during = func() {
		w.during = nil
		x.Stop()
		w.lock.mu.Lock()
		defer w.lock.mu.Unlock()
		for range 20 {
			w.lock.lost = append(w.lock.lost, notHeld{says: "it is held on 1 of 3 nodes"})
		}
	}
	w.confirmed(x, "promote-previous-leader", "be1", "")
	p := w.done(x)
	if p.Status != cluster.StatusStopped || !strings.Contains(p.Sentence, "the way back is done") || !w.nodes["be1"].noStart || p.Stopping {
		t.Errorf("%s: %s, stopping %v; ran\n%s", p.Status, p.Sentence, p.Stopping, strings.Join(w.ran, "\n"))
	}
}

// What only the slow look tells and the step's own looks did not, is unknown,
// whatever an older slow look said.
func TestOldSlowClaimsDoNotCount(t *testing.T) {
	w := newWorld(t)
	behind(w)
	x := w.executor()
	plan, err := x.Plan(context.Background(), "rebuild-follower", "be3", "")
	if err != nil {
		t.Fatal(err)
	}
	w.slowHangs = true
	w.clock.After(5 * time.Second)
	if _, err := x.Confirm(plan.ID, "be3"); err != nil {
		t.Fatal(err)
	}
	if p := w.done(x); p.Status != cluster.StatusRefused || len(w.ran) > 0 {
		t.Errorf("%s: %s; ran %v", p.Status, p.Sentence, w.ran)
	}
}

// While a base backup is only about to begin, a copy that cannot be read is
// unknown, not given up.
func TestUnreadableCopyIsNotGivenUp(t *testing.T) {
	w := newWorld(t)
	behind(w)
	x := w.executor()
	w.before = func() { w.nodes["be3"].blind = w.nodes["be3"].down["leaderl"] }
	w.confirmed(x, "rebuild-follower", "be3", "")
	p := w.done(x)
	if p.Status != cluster.StatusRefused || strings.Contains(strings.Join(w.ran, " "), "basebackup") {
		t.Errorf("%s: %s; ran %v", p.Status, p.Sentence, w.ran)
	}
}

// A plan confirmed as harmless does not run once it is not.
func TestTierIsJudgedAgain(t *testing.T) {
	w := newWorld(t)
	w.nodes["be2"].down["elasticsearch"] = true
	x := w.executor()
	plan, err := x.Plan(context.Background(), "restart-service", "be2", "elasticsearch")
	if err != nil || plan.Tier != cluster.T1 {
		t.Fatal(plan.Tier, err)
	}
	w.before = func() { w.nodes["be3"].streams, w.nodes["be3"].down["etcd"] = false, true; w.lookAll() }
	if _, err := x.Confirm(plan.ID, "y"); err != nil {
		t.Fatal(err)
	}
	if p := w.done(x); p.Status != cluster.StatusRefused || len(w.ran) > 0 {
		t.Errorf("%s: %s; ran %v", p.Status, p.Sentence, w.ran)
	}
}

// An effect that cannot be seen by its deadline is unknown, not failed.
func TestUnseenEffectIsUnknown(t *testing.T) {
	w := newWorld(t)
	w.nodes["be2"].down["elasticsearch"] = true
	x := w.executor()
	w.during = func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.nodes["be2"].frozen = true
	}
	w.confirmed(x, "restart-service", "be2", "elasticsearch")
	if p := w.done(x); p.Status != cluster.StatusUnknown {
		t.Errorf("%s: %s", p.Status, p.Sentence)
	}
}

// The command goes by the node's name in cluster-status: another name there
// would choose another node.
func TestPromoteComparesTheName(t *testing.T) {
	w := newWorld(t)
	w.leaderless()
	w.nodes["be1"].noStart = false
	w.nodes["be2"].rowName = "be1"
	x := w.executor()
	plan, err := x.Plan(context.Background(), "promote-node", "be2", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Confirm(plan.ID, "promote be2"); err == nil {
		w.done(x)
	}
	if len(w.ran) > 0 {
		t.Errorf("ran %v", w.ran)
	}
}

// The member on which promote runs must be healthy when it runs.
func TestPromoteNeedsAHealthyMember(t *testing.T) {
	w := newWorld(t)
	w.leaderless()
	w.nodes["be1"].noStart = false
	x := w.executor()
	w.before = func() { w.nodes["be2"].down["etcd"] = true }
	w.confirmed(x, "promote-node", "be2", "")
	if p := w.done(x); p.Status != cluster.StatusRefused || len(w.ran) > 0 {
		t.Errorf("%s: %s; ran %v", p.Status, p.Sentence, w.ran)
	}
}

// A folder that cannot be read says nothing about whether the step ran.
func TestUnreadableFolderIsUnknown(t *testing.T) {
	w := newWorld(t)
	behind(w)
	w.cut["stop leaderl"], w.foreign, w.exits["stop leaderl"] = "before it starts", true, 1
	x := w.executor()
	w.confirmed(x, "rebuild-follower", "be3", "")
	if p := w.done(x); p.Status != cluster.StatusUnknown {
		t.Errorf("%s: %s", p.Status, p.Sentence)
	}
}

// A node that cannot be told from itself after a restart is not acted on.
func TestBootIDMustBeKnown(t *testing.T) {
	w := newWorld(t)
	behind(w)
	w.nodes["be3"].boot = ""
	x := w.executor()
	w.confirmed(x, "rebuild-follower", "be3", "")
	if p := w.done(x); p.Status != cluster.StatusRefused || len(w.ran) > 0 {
		t.Errorf("%s: %s; ran %v", p.Status, p.Sentence, w.ran)
	}
}

// While a step is at work no second plan begins, and once the cockpit is left
// none does.
func TestOnePlanAtATime(t *testing.T) {
	w := newWorld(t)
	behind(w)
	w.nodes["be2"].down["elasticsearch"] = true
	x := w.executor()
	second, err := x.Plan(context.Background(), "restart-service", "be2", "elasticsearch")
	if err != nil {
		t.Fatal(err)
	}
	begun, goOn := make(chan struct{}), make(chan struct{})
	w.during = func() { begun <- struct{}{}; <-goOn }
	w.confirmed(x, "rebuild-follower", "be3", "")
	<-begun
	if _, err := x.Confirm(second.ID, second.Phrases[0]); err == nil || !strings.Contains(err.Error(), "one plan at a time") {
		t.Errorf("a second plan while one is at work: %v", err)
	}
	x.Stop()
	goOn <- struct{}{}
	w.done(x)
	x.Close()
	records := len(w.records)
	for _, text := range second.Phrases {
		if _, err := x.Confirm(second.ID, text); err == nil {
			t.Error("a plan began after the cockpit was left")
		}
	}
	if len(w.ran) != 1 || len(w.records) != records {
		t.Errorf("ran %v, records %v", w.ran, w.records)
	}
}
