package model

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const settled = 3 * time.Second

// struck is a bed in which a fault has struck a healthy cluster.
func struck(t *testing.T, fault string) *bed {
	t.Helper()
	b := newBed(t)
	b.pass(settled)
	if !b.healthy() {
		t.Fatalf("not healthy at the beginning:\n%s", b.status())
	}
	if err := b.w.Strike(fault); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bed) leads(name string) func() bool {
	return func() bool { return slices.Equal(b.primaries(), []string{name}) && b.roles(name)[name] == "leader" }
}

func (b *bed) contains(node, command, text string) {
	b.t.Helper()
	out, errOut, _ := b.run(node, command)
	if !strings.Contains(out+errOut, text) {
		b.t.Fatalf("%s: %s does not say %q:\n%s%s", node, command, text, out, errOut)
	}
}

func (b *bed) heal(fault string) {
	b.t.Helper()
	if err := b.w.Heal(fault); err != nil {
		b.t.Fatalf("%v", err)
	}
}

func TestHealthyClusterIsCalm(t *testing.T) {
	b := struck(t, "healthy")
	began := len(b.lines)
	b.pass(10 * time.Minute)
	if !b.healthy() || !b.leads("be1")() {
		t.Fatalf("not healthy:\n%s", b.status())
	}
	if n := len(b.lines) - began; n < 30 || n > 200 {
		t.Errorf("%d lines in ten minutes", n)
	}
	for _, line := range b.lines {
		for _, word := range []string{"FATAL", "ERROR", "[W]", "[E]", "election"} {
			if strings.Contains(line, word) {
				t.Errorf("a healthy cluster logs %s", line)
			}
		}
	}
	if err := b.w.Err(); err != nil {
		t.Error(err)
	}
}

func TestFailoverHappensByItself(t *testing.T) {
	b := struck(t, "failover")
	b.pass(15 * time.Second)
	old := segmentName(b.w.node("be2").pg.copy.tli, segment(b.w.node("be2").pg.copy.end))
	b.contains("be1", "pg_isready -q -h 127.0.0.1 -p 5432 -t 2", "")
	if len(b.primaries()) != 0 || b.roles("be2")["be1"] != "leader" {
		t.Fatalf("too early:\n%s", b.status())
	}
	b.until(40*time.Second, "be2 leads", b.leads("be2"))
	b.contains("be2", "chef-backend-ctl cluster-status", "deposed_leader")
	b.until(2*time.Minute, "all well", b.healthy)
	if b.logged("be2", "postgresql", "selected new timeline ID: 89") != 1 {
		t.Error("no new timeline")
	}
	if !slices.Contains(list(t, b, "be2", walDir), "00000059.history") {
		t.Error("no history file")
	}
	// Within one file the new leader's old one is renamed; who followed keeps it.
	for node, name := range map[string]string{"be2": old + ".partial", "be3": old} {
		if files := list(t, b, node, walDir); !slices.Contains(files, name) || slices.Contains(files, old) == (node == "be2") {
			t.Errorf("%s holds %v", node, files)
		}
	}
}

func list(t *testing.T, b *bed, node, dir string) []string {
	t.Helper()
	all, err := b.disks[node].List(dir)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestPlannedRestartMovesNothing(t *testing.T) {
	b := struck(t, "planned-restart")
	for range 60 {
		b.pass(time.Second)
		if !slices.Equal(b.primaries(), []string{"be1"}) {
			t.Fatalf("leadership moved:\n%s", b.status())
		}
	}
	b.until(time.Minute, "all well", b.healthy)
}

func TestSlowFailoverEnds(t *testing.T) {
	b := struck(t, "failover-under-way")
	b.pass(75 * time.Second)
	if b.roles("be3")["be2"] != "promoting" || len(b.primaries()) != 0 {
		t.Fatalf("no promotion under way:\n%s", b.status())
	}
	b.until(3*time.Minute, "all well", b.healthy)
}

func TestNoLeader(t *testing.T) {
	for _, chosen := range []string{"be1", "be2", "be3"} {
		b := struck(t, "no-leader")
		b.pass(3 * time.Minute)
		for _, n := range []string{"be1", "be2", "be3"} {
			b.contains(n, "chef-backend-ctl status", "leader: 0; waiting: 3; follower: 0; total: 3")
			b.contains(n, "chef-backend-ctl status", "error: could not reach pgsql leader for replication stats")
			b.contains(n, "chef-backend-ctl status", "health: green; healthy nodes: 3/3")
			b.contains(n, "curl -s -S -i -m 2 http://127.0.0.1:2379/health", `{"health": "true"}`)
			b.contains(n, "curl -s -S -i -m 2 http://127.0.0.1:7331/leader", "HTTP/1.1 503")
			b.contains(n, "pg_controldata "+dataDir, "shut down")
			if b.disks[n].Exists(noStartFile) {
				t.Errorf("%s has a sentinel", n)
			}
		}
		began := b.w.Now()
		b.must("be2", "chef-backend-ctl promote "+chosen)
		if took := b.w.Now().Sub(began); took < 5*time.Second || took > 20*time.Second {
			t.Errorf("promote took %s", took)
		}
		b.until(90*time.Second, "all well", b.healthy)
		if !b.leads(chosen)() {
			t.Errorf("%s does not lead", chosen)
		}
	}
}

func TestDeposedLeaderBlocked(t *testing.T) {
	b := struck(t, "deposed-leader-blocked")
	b.pass(2 * time.Minute)
	roles := b.roles("be2")
	if roles["be1"] != "deposed_leader" || roles["be2"] != "waiting_for_leader" || roles["be3"] != "waiting_for_leader" || len(b.primaries()) != 0 {
		t.Fatalf("roles %v\n%s", names(roles), b.status())
	}
	if !b.disks["be1"].Exists(noStartFile) || b.disks["be2"].Exists(noStartFile) {
		t.Fatal("sentinels")
	}
	end := func(node string) uint64 {
		var redoHigh, redoLow uint64
		for _, line := range strings.Split(b.must(node, "pg_controldata "+dataDir), "\n") {
			if v, ok := strings.CutPrefix(line, "Latest checkpoint's REDO location:"); ok {
				redoHigh, redoLow = position(t, v)
			}
		}
		_, errOut, exit := b.exec(node, []string{"pg_xlogdump", "-p", walDir, "-t", "88", "-s", lsn(redoHigh<<32 | redoLow)}, nil)
		_, at, ok := strings.Cut(errOut, "invalid record length at ")
		if !ok || exit == 0 {
			t.Fatalf("%s: pg_xlogdump: %d %s", node, exit, errOut)
		}
		at, _, _ = strings.Cut(at, ":")
		h, l := position(t, at)
		return h<<32 | l
	}
	if a, c := end("be1"), end("be3"); a < c+1<<20 {
		t.Errorf("be1's copy ends at %s, be3's at %s", lsn(a), lsn(c))
	}
	if err := b.disks["be1"].Remove(noStartFile); err != nil {
		t.Fatal(err)
	}
	b.must("be1", "chef-backend-ctl restart postgresql")
	b.until(20*time.Second, "be1 answers", func() bool { return strings.HasPrefix(b.sql("be1", stateSQL), "t|") })
	b.must("be1", "chef-backend-ctl promote be1")
	b.until(90*time.Second, "all well", b.healthy)
	if !b.leads("be1")() {
		t.Error("be1 does not lead")
	}
}

func TestTwoPrimaries(t *testing.T) {
	b := struck(t, "two-primaries")
	b.until(time.Minute, "two primaries", func() bool { return len(b.primaries()) == 2 })
	other := b.primaries()[1]
	first := b.sql("be1", stateSQL)
	b.pass(5 * time.Second)
	if again := b.sql("be1", stateSQL); again == first || !strings.HasPrefix(again, "f|") || !strings.HasPrefix(b.sql(other, stateSQL), "f|") {
		t.Errorf("be1 does not write: %s, %s", first, again)
	}
	b.contains("be1", "pg_controldata "+dataDir, "TimeLineID:       88")
	b.until(20*time.Second, "the new timeline is checkpointed", func() bool {
		return strings.Contains(b.must(other, "pg_controldata "+dataDir), "TimeLineID:       89")
	})
	b.must("be1", "chef-backend-ctl restart leaderl")
	b.until(2*time.Minute, "all well", b.healthy)
}
