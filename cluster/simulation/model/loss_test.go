package model

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// branchOf is what an operator's tools tell of a copy whose database may be
// down: timeline, where its history left each ancestor, end of WAL.
type branchOf struct {
	tli   uint32
	left  map[uint32]uint64
	end   uint64
	owner string
}

func (b *bed) branch(t *testing.T, node string) branchOf {
	t.Helper()
	c := branchOf{left: map[uint32]uint64{}, owner: node}
	var newest string
	for _, name := range list(t, b, node, walDir) {
		if strings.HasSuffix(name, ".history") {
			newest = name
		}
	}
	if _, err := fmt.Sscanf(newest, "%X.history", &c.tli); err != nil {
		t.Fatalf("%s: %q: %v", node, newest, err)
	}
	text, err := b.disks[node].Read(walDir + "/" + newest)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		var parent uint32
		if f := strings.Fields(line); len(f) > 1 {
			fmt.Sscan(f[0], &parent)
			h, l := position(t, f[1])
			c.left[parent] = h<<32 | l
		}
	}
	start := uint64(0)
	for _, line := range strings.Split(b.must(node, "pg_controldata "+dataDir), "\n") {
		if v, ok := strings.CutPrefix(line, "Latest checkpoint's REDO location:"); ok {
			h, l := position(t, v)
			start = h<<32 | l
		}
	}
	if at := c.left[c.tli-1]; start < at {
		start = at // the control file still tells the old timeline
	}
	_, errOut, _ := b.exec(node, []string{"pg_xlogdump", "-p", walDir, "-t", fmt.Sprint(c.tli), "-s", lsn(start)}, nil)
	_, at, ok := strings.Cut(errOut, "invalid record length at ")
	if !ok {
		t.Fatalf("%s: pg_xlogdump: %s", node, errOut)
	}
	at, _, _ = strings.Cut(at, ":")
	h, l := position(t, at)
	c.end = h<<32 | l
	return c
}

// lost is what promoting c would lose of f: the end of f beyond the point
// where they part.
func lost(c, f branchOf) uint64 {
	tli, fork := uint32(0), uint64(0)
	for _, candidate := range []uint32{c.tli, f.tli} {
		_, inC := c.left[candidate]
		_, inF := f.left[candidate]
		if (inC || candidate == c.tli) && (inF || candidate == f.tli) && candidate > tli {
			tli = candidate
		}
	}
	if tli == 0 {
		for candidate := range c.left {
			if _, both := f.left[candidate]; both && candidate > tli {
				tli = candidate
			}
		}
	}
	fork = ^uint64(0)
	for _, x := range []branchOf{c, f} {
		end := x.end
		if at, left := x.left[tli]; left {
			end = at
		}
		fork = min(fork, end)
	}
	if f.end <= fork {
		return 0
	}
	return f.end - fork
}

// In an orderly demotion nothing is lost: the new history leaves the old
// leader's timeline where that ended.
func TestNothingIsLostInOrder(t *testing.T) {
	b := newBed(t)
	b.pass(settled)
	b.w.Exec("be1", []string{"chef-backend-ctl", "demote"}, nil)
	b.until(time.Minute, "be2 leads", func() bool { return len(b.primaries()) == 1 && b.primaries()[0] == "be2" })
	if !b.disks["be1"].Exists(noStartFile) {
		t.Fatal("be1 is not deposed any more")
	}
	old, new := b.branch(t, "be1"), b.branch(t, "be2")
	if got := lost(new, old); got != 0 || new.left[88] != old.end || new.tli != 89 || old.tli != 88 {
		t.Errorf("lost %d: be1 ends at %s, the new history leaves 88 at %s", got, lsn(old.end), lsn(new.left[88]))
	}
	if got := lost(old, new); got == 0 || got != new.end-old.end {
		t.Errorf("going back would lose %d of %d", got, new.end-old.end)
	}
}

// Where the furthest copy stands behind a sentinel, promoting another one
// loses exactly what that one had not received.
func TestLossOfALaggingCopy(t *testing.T) {
	b := struck(t, "deposed-leader-blocked")
	b.pass(2 * time.Minute)
	old, chosen := b.branch(t, "be1"), b.branch(t, "be3")
	want := old.end - chosen.end
	if got := lost(chosen, old); got != want || want < 1<<20 || lost(old, chosen) != 0 {
		t.Fatalf("before: %d, want %d, the other way %d", got, want, lost(old, chosen))
	}
	b.must("be2", "chef-backend-ctl promote be3")
	now := b.branch(t, "be3")
	if got := lost(now, old); got != want || now.left[88] != chosen.end {
		t.Errorf("after: %d, want %d; the new history leaves 88 at %s", got, want, lsn(now.left[88]))
	}
	b.until(2*time.Minute, "all well", b.healthy)
	again := b.branch(t, "be1")
	if now = b.branch(t, "be3"); again.tli != now.tli || again.left[88] != chosen.end || lost(now, again) != 0 {
		t.Errorf("be1 ends at %s on %d", lsn(again.end), again.tli)
	}
}

// Two primaries are two branches: each loses something of the other. Timeline
// numbers are never given out twice, so the branches can be told apart.
func TestTwoBranches(t *testing.T) {
	b := struck(t, "two-primaries")
	b.until(time.Minute, "two primaries", func() bool { return len(b.primaries()) == 2 })
	b.pass(30 * time.Second)
	stale, elected := b.branch(t, "be1"), b.branch(t, b.primaries()[1])
	at := elected.left[88]
	if lost(elected, stale) != stale.end-at || lost(stale, elected) != elected.end-at || stale.end <= at || elected.end <= at {
		t.Errorf("stale %+v, elected %+v: %d and %d", stale.end, elected.end, lost(elected, stale), lost(stale, elected))
	}
	b.must("be1", "chef-backend-ctl stop leaderl")
	b.must("be1", "chef-backend-ctl stop postgresql")
	end := b.branch(t, "be1")
	if end.tli != 88 || end.end < stale.end || lost(elected, end) != end.end-at {
		t.Errorf("stopped: %+v", end.end)
	}
	b.contains("be1", "pg_controldata "+dataDir, "shut down\n")
}

// The copy that survives a quorum loss is as far as it was: what the lost
// nodes had beyond it is lost, no more.
func TestLossOfAQuorumLoss(t *testing.T) {
	b := newBed(t)
	b.pass(settled)
	b.w.node("be3").pg.throttle = 64
	b.pass(20 * time.Second)
	if err := b.w.Strike("quorum-lost-one-seen"); err != nil {
		t.Fatal(err)
	}
	b.pass(time.Minute)
	leader, survivor := b.w.node("be1").pg.copy, b.branch(t, "be3")
	if survivor.end >= leader.end {
		t.Fatal("be3 does not lag")
	}
	b.must("be3", recoverAlone)
	now := b.branch(t, "be3")
	gone := branchOf{tli: leader.tli, left: map[uint32]uint64{}, end: leader.end}
	for _, f := range leader.history {
		gone.left[f.parent] = f.at
	}
	if got := lost(now, gone); got != leader.end-survivor.end || now.left[88] != survivor.end {
		t.Errorf("lost %d, want %d", got, leader.end-survivor.end)
	}
}
