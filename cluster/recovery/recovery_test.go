package recovery

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

const aside = "/var/opt/chef-backend-cockpit/aside/00000001/"

func behind(w *world) {
	n := w.nodes["be3"]
	n.streams, n.end, n.role = false, start-20<<20, "waiting_for_leader"
}

// The commands of each procedure, byte for byte and in order, as the recovery
// guide has them.
func TestCommandsOfEachProcedure(t *testing.T) {
	cases := []struct {
		procedure, node, service string
		set                      func(*world)
		phrases                  string
		want                     []string
	}{
		{"rebuild-follower", "be3", "", behind, "be3", []string{
			"be3: chef-backend-ctl stop leaderl",
			"be3: chef-backend-ctl cluster-status",
			"be3: PSQL_INTERNAL_OK=true chef-backend-ctl pgsql-follow --force-basebackup --verbose 10.0.4.11",
			"be3: chef-backend-ctl start",
		}},
		{"rebuild-follower", "be3", "", func(w *world) { behind(w); w.nodes["be3"].unsynced = true }, "be3", []string{
			"be3: chef-backend-ctl stop leaderl",
			"be3: chef-backend-ctl cluster-status",
			"be3: PSQL_INTERNAL_OK=true chef-backend-ctl pgsql-follow --force-basebackup --verbose 10.0.4.11",
			"be3: mv -n /var/opt/chef-backend/leaderl/data/unsynced " + aside,
			"be3: chef-backend-ctl start",
		}},
		{"rebuild-follower", "be3", "", func(w *world) { behind(w); w.nodes["be3"].end = start + 1<<20; w.nodes["be2"].streams = false },
			"discard be3|last copy|be3", []string{
				"be3: chef-backend-ctl stop leaderl",
				"be3: chef-backend-ctl cluster-status",
				"be3: PSQL_INTERNAL_OK=true chef-backend-ctl pgsql-follow --force-basebackup --verbose 10.0.4.11",
				"be3: chef-backend-ctl start",
			}},
		{"resync-follower", "be3", "", func(w *world) { behind(w); w.nodes["be3"].unsynced = true }, "be3", []string{
			"be3: chef-backend-ctl stop leaderl",
			"be3: PSQL_INTERNAL_OK=true chef-backend-ctl pgsql-follow 10.0.4.11 --verbose",
			"be3: mv -n /var/opt/chef-backend/leaderl/data/unsynced " + aside,
			"be3: chef-backend-ctl start leaderl",
		}},
		{"restart-service", "be2", "elasticsearch", func(w *world) { w.nodes["be2"].down["elasticsearch"] = true }, "y",
			[]string{"be2: chef-backend-ctl restart elasticsearch"}},
		{"restart-service", "be1", "leaderl", func(w *world) { w.nodes["be1"].down["leaderl"] = true }, "restart be1",
			[]string{"be1: chef-backend-ctl restart leaderl"}},
		{"promote-node", "be2", "", func(w *world) { w.leaderless(); w.nodes["be1"].noStart = false }, "promote be2",
			[]string{"be2: chef-backend-ctl promote be2"}},
		// What a node that is seen holds beyond the chosen one is saved, never given up.
		{"promote-node", "be2", "", func(w *world) { w.leaderless(); w.nodes["be1"].noStart = false; w.nodes["be3"].end += 1 << 20 }, "snapshot be3|promote be2",
			[]string{"be2: chef-backend-ctl promote be2"}},
		// One that cannot be read keeps nobody from leading once that is typed.
		{"promote-node", "be2", "", func(w *world) { w.leaderless(); w.nodes["be1"].noStart = false; w.nodes["be3"].blind = true }, "snapshot be3|promote be2",
			[]string{"be2: chef-backend-ctl promote be2"}},
		{"promote-previous-leader", "be1", "", func(w *world) { w.leaderless() }, "snapshot be1|promote be1", []string{
			"be1: mv -n /var/opt/chef-backend/leaderl/data/no-start-pgsql " + aside,
			"be1: chef-backend-ctl restart postgresql",
			"be1: chef-backend-ctl promote be1",
		}},
		{"observe", "", "", func(*world) {}, "", nil},
	}
	for _, c := range cases {
		t.Run(c.procedure+" "+c.service, func(t *testing.T) {
			w := newWorld(t)
			c.set(w)
			x := w.executor()
			plan := w.confirmed(x, c.procedure, c.node, c.service)
			if got := strings.Join(plan.Phrases, "|"); got != c.phrases {
				t.Errorf("phrases %q, want %q", got, c.phrases)
			}
			p := w.done(x)
			if p.Status != cluster.StatusDone || len(p.OpenEnds) > 0 {
				t.Errorf("%s: %s %v", p.Status, p.Sentence, p.OpenEnds)
			}
			if !slices.Equal(w.ran, c.want) {
				t.Errorf("ran:\n%s\nwant:\n%s", strings.Join(w.ran, "\n"), strings.Join(c.want, "\n"))
			}
			for i, k := range w.records {
				if k == "outcome" && !slices.Contains(w.records[:i], "intent") || k == "intent" && w.records[0] != "confirm" {
					t.Errorf("journal out of order: %v", w.records)
				}
			}
		})
	}
}

// What changes between plan and act is refused, with what changed, and nothing
// runs; the next plan may begin.
func TestRefusedBeforeAnythingRan(t *testing.T) {
	cases := map[string]struct {
		set  func(*world) // after the plan was made, before it is confirmed
		live func(*world) // just before the look of the step's own session
		want string
	}{
		"leader moved": {live: func(w *world) {
			w.nodes["be2"].role, w.nodes["be2"].recovery = "leader", false
			w.nodes["be1"].role, w.nodes["be1"].recovery = "follower", true
			w.lookAll()
		}, want: "be2 leads now; the plan was made for be1"},
		"guard false":     {live: func(w *world) { w.nodes["be3"].recovery = false }, want: "PostgreSQL accepts writes on be1 and be3"},
		"other node gone": {set: func(w *world) { w.nodes["be2"].frozen = true; w.clock.After(11 * time.Second) }, want: "no look at be2 since"},
		"machine changed": {live: func(w *world) { w.nodes["be3"].machine = "another" }, want: "machine id was machine-3 and is another"},
		"rebooted":        {live: func(w *world) { w.nodes["be3"].boot = "boot-2" }, want: "boot id was boot-1 and is boot-2"},
		"look too old":    {live: func(w *world) { w.clock.After(11 * time.Second) }, want: "old"},
		"intent not written": {set: func(w *world) { w.refuse["intent"] = errors.New("no space left") },
			want: "the intent could not be written: no space left"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			behind(w)
			x := w.executor()
			plan, err := x.Plan(context.Background(), "rebuild-follower", "be3", "")
			if err != nil {
				t.Fatal(err)
			}
			if c.set != nil {
				c.set(w)
			}
			w.before = func() {
				if c.live != nil {
					c.live(w)
				}
			}
			if _, err := x.Confirm(plan.ID, "be3"); err != nil {
				t.Fatal(err)
			}
			p := w.done(x)
			if p.Status != cluster.StatusRefused || len(w.ran) > 0 {
				t.Fatalf("%s: %s; ran %v", p.Status, p.Sentence, w.ran)
			}
			if !strings.Contains(p.Sentence, c.want) {
				t.Errorf("said %q, want %q", p.Sentence, c.want)
			}
			if slices.Contains(w.records, "intent") {
				t.Error("an intent was written for what never ran")
			}
		})
	}
}

func TestConfirmRefuses(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	behind(w)
	x := w.executor()
	for _, wrong := range []string{"", "BE3", "be3 ", "y", "be2"} {
		plan, _ := x.Plan(ctx, "rebuild-follower", "be3", "")
		if _, err := x.Confirm(plan.ID, wrong); err == nil {
			t.Errorf("%q was taken for be3", wrong)
		}
		if _, err := x.Confirm(plan.ID, "be3"); err == nil {
			t.Errorf("a plan lives on after %q was typed", wrong)
		}
	}
	old, _ := x.Plan(ctx, "rebuild-follower", "be3", "")
	w.clock.After(heldFor + time.Second)
	if _, err := x.Confirm(old.ID, "be3"); err == nil || !strings.Contains(err.Error(), "older than") {
		t.Errorf("an old plan: %v", err)
	}
	w.refuse["confirm"] = errors.New("read-only file system")
	plan, _ := x.Plan(ctx, "rebuild-follower", "be3", "")
	if _, err := x.Confirm(plan.ID, "be3"); err == nil || !strings.Contains(err.Error(), "read-only file system") {
		t.Errorf("without a journal: %v", err)
	}
	delete(w.refuse, "confirm")
	plan, _ = x.Plan(ctx, "rebuild-follower", "be3", "")
	w.nodes["be3"].recovery = false
	x.fresh(ctx, w.clock.Now(), true)
	if guards, changed := x.Recheck(plan.ID); !changed || len(guards) == 0 {
		t.Error("the changed guard does not show")
	}
	if _, err := x.Confirm(plan.ID, "be3"); err == nil {
		t.Error("a plan whose guard no longer holds began")
	}
	dry, err := x.Bind(w.view(), "rebuild-follower", "be3", "")
	if _, confirmErr := x.Confirm(dry.ID, "be3"); err != nil || confirmErr == nil {
		t.Errorf("a dry run can be confirmed: %v", err)
	}
	ro := newWorld(t)
	ro.readOnly = true
	behind(ro)
	y := ro.executor()
	plan, _ = y.Plan(ctx, "rebuild-follower", "be3", "")
	if _, err := y.Confirm(plan.ID, "be3"); err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("read-only: %v", err)
	}
	if len(w.ran)+len(ro.ran) > 0 {
		t.Errorf("ran: %v %v", w.ran, ro.ran)
	}
}

func TestWayBack(t *testing.T) {
	w := newWorld(t)
	w.leaderless()
	w.exits[" promote "] = 1
	x := w.executor()
	w.confirmed(x, "promote-previous-leader", "be1", "")
	p := w.done(x)
	want := []string{
		"be1: mv -n /var/opt/chef-backend/leaderl/data/no-start-pgsql " + aside,
		"be1: chef-backend-ctl restart postgresql",
		"be1: chef-backend-ctl promote be1",
		"be1: chef-backend-ctl stop postgresql",
		"be1: mv -n " + aside + "no-start-pgsql /var/opt/chef-backend/leaderl/data/",
	}
	if !slices.Equal(w.ran, want) || p.Status != cluster.StatusFailed || !w.nodes["be1"].noStart {
		t.Errorf("%s: %s; ran\n%s", p.Status, p.Sentence, strings.Join(w.ran, "\n"))
	}
	if got := strings.Join(p.OpenEnds, "; "); got != "postgresql is stopped on be1" {
		t.Errorf("open ends: %s", got)
	}
	// Refused before anything moved: there is nothing to go back from.
	w = newWorld(t)
	w.leaderless()
	x = w.executor()
	w.before = func() {
		w.nodes["be2"].role = "leader"
		w.nodes["be2"].recovery = false
		w.looks["be2"] = w.report("be2")
	}
	w.confirmed(x, "promote-previous-leader", "be1", "")
	if p := w.done(x); p.Status != cluster.StatusRefused || len(w.ran) > 0 {
		t.Errorf("%s: %s; ran %v", p.Status, p.Sentence, w.ran)
	}
}

func TestBrokenSessions(t *testing.T) {
	cases := map[string]struct {
		how    string
		status cluster.Status
		ran    int // commands that reached the node
		said   string
	}{
		"recovered":          {"after it started", cluster.StatusDone, 4, "all steps are done"},
		"never started":      {"before it starts", cluster.StatusRefused, 2, "never started on be3"},
		"gone without trace": {"for ever", cluster.StatusUnknown, 3, "left no exit status"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			behind(w)
			w.cut["pgsql-follow"] = c.how
			x := w.executor()
			w.confirmed(x, "rebuild-follower", "be3", "")
			p := w.done(x)
			if p.Status != c.status || len(w.ran) != c.ran || !strings.Contains(p.Sentence, c.said) {
				t.Errorf("%s: %s; ran %v", p.Status, p.Sentence, w.ran)
			}
			if n := strings.Count(strings.Join(w.ran, "\n"), "pgsql-follow"); n > 1 {
				t.Errorf("the copy was replaced %d times", n)
			}
			if c.status == cluster.StatusDone {
				if got := p.Steps[2].Output; len(got) != 2 || p.Steps[2].Progress != "23 GB of 65 GB, 35 %" {
					t.Errorf("output %q, progress %q", got, p.Steps[2].Progress)
				}
			} else if !slices.Contains(p.OpenEnds, "leaderl is stopped on be3") {
				t.Errorf("open ends: %v", p.OpenEnds)
			}
		})
	}
}

func TestFailedStepStopsThePlan(t *testing.T) {
	w := newWorld(t)
	behind(w)
	w.exits["pgsql-follow"] = 1
	x := w.executor()
	w.confirmed(x, "rebuild-follower", "be3", "")
	p := w.done(x)
	if p.Status != cluster.StatusFailed || len(w.ran) != 3 || !strings.Contains(p.Sentence, "invented: it failed") {
		t.Errorf("%s: %s; ran %v", p.Status, p.Sentence, w.ran)
	}
	// A service command's exit status is a sum: the state decides.
	w = newWorld(t)
	w.nodes["be2"].down["elasticsearch"] = true
	w.exits["restart"] = 1
	w.before = func() { w.nodes["be2"].down["elasticsearch"] = false }
	x = w.executor()
	plan, _ := x.Plan(context.Background(), "restart-service", "be2", "elasticsearch")
	w.before = nil
	if _, err := x.Confirm(plan.ID, "y"); err != nil {
		t.Fatal(err)
	}
	if p := w.done(x); p.Status != cluster.StatusFailed || !strings.Contains(p.Sentence, "not within 3m0s") {
		t.Errorf("%s: %s", p.Status, p.Sentence)
	}
}

func TestStopBeforeTheNextStep(t *testing.T) {
	w := newWorld(t)
	behind(w)
	x := w.executor()
	w.during = x.Stop // while the first step is at work
	w.confirmed(x, "rebuild-follower", "be3", "")
	p := w.done(x)
	if p.Status != cluster.StatusStopped || len(w.ran) != 1 || !p.Stopping || !slices.Equal(p.OpenEnds, []string{"leaderl is stopped on be3"}) {
		t.Errorf("%s: %s; ran %v; open %v", p.Status, p.Sentence, w.ran, p.OpenEnds)
	}
	w = newWorld(t)
	behind(w)
	x = w.executor()
	w.before = x.Stop // between the look and the act
	w.confirmed(x, "rebuild-follower", "be3", "")
	if p := w.done(x); p.Status != cluster.StatusStopped || len(w.ran) > 0 {
		t.Errorf("%s: %s; ran %v", p.Status, p.Sentence, w.ran)
	}
}

// Where nothing is known nothing is enabled, and no unknown value is guessed
// into a command.
func TestBlankViewEnablesNothing(t *testing.T) {
	w := newWorld(t)
	x := w.executor()
	v := w.view()
	for n := range v.Snapshot.Reports {
		v.Snapshot.Reports[n] = silent(n, "invented: nothing was looked at", 1, v.Now)
	}
	for _, p := range x.o.Procedures {
		if !p.Built {
			if _, err := x.Bind(v, p.Name, "be3", ""); err == nil || !strings.Contains(err.Error(), "not in this version") {
				t.Errorf("%s: %v", p.Name, err)
			}
			continue
		}
		plan, err := x.Bind(v, p.Name, "be3", "etcd")
		if err != nil {
			t.Fatal(err)
		}
		if plan.Acts() && firstMissing(plan.Guards, overrides(plan.Phrases)) == "" {
			t.Errorf("%s may begin on a view without any claim", p.Name)
		}
		if len(p.Raise) > 0 && plan.Tier < p.Raise[0].Tier {
			t.Errorf("%s is %s although it is not known to be harmless", p.Name, plan.Tier)
		}
		if brace.MatchString(plan.Title + plan.Lost + plan.Kept + plan.Lasts + plan.WayBack) {
			t.Errorf("%s: braces in its texts: %+v", p.Name, plan)
		}
	}
	plan, _ := x.Bind(v, "rebuild-follower", "be3", "")
	if got := plan.Steps[2].Command; !strings.HasSuffix(got, " {leader-address}") {
		t.Errorf("without a leader the command is %q", got)
	}
	v.Snapshot.Nodes[2].Name = "be3;reboot"
	if _, err := x.Bind(v, "promote-node", "be3;reboot", ""); err == nil {
		t.Error("a name that a shell reads stands in a command")
	}
}

// The watch locks what makes a view, and asks the executor things while it
// does: a view asked for under the executor's lock would stop both for good.
func TestConfirmAsksForItsViewUnlocked(t *testing.T) {
	w := newWorld(t)
	w.nodes["be3"].streams, w.nodes["be3"].unsynced = false, true
	x := w.executor()
	plan, err := x.Plan(context.Background(), "rebuild-follower", "be3", "")
	if err != nil {
		t.Fatal(err)
	}
	views := 0
	x.o.View = func() *cluster.View {
		views++
		if !x.mu.TryLock() {
			t.Fatal("a view was asked for under the executor's lock")
		}
		x.mu.Unlock()
		return w.view()
	}
	// The journal refuses, so that no plan begins, which locks on its own.
	w.refuse["confirm"] = errors.New("disk full")
	for _, text := range plan.Phrases {
		_, err = x.Confirm(plan.ID, text)
	}
	if err == nil || !strings.Contains(err.Error(), "could not be written") || views == 0 {
		t.Fatal(err, views)
	}
}
