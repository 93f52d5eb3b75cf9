package scenario

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/logs"
	"chef-backend-cockpit/cluster/simulation"
	"chef-backend-cockpit/remote"
)

// drillSpeed is that of the drill's clock; the link's timings keep step.
const drillSpeed = 4

// Real svlogd (package runit) rotates 200 times and more in a simulated node,
// which is followed over SSH with a stall of 3 s and a cut of 5 s: no line is
// lost, doubled or out of order, whole lines only, and no gap is shown. Where
// svlogd deletes what was not read, there is one gap.
func TestNothingIsLostOverSSH(t *testing.T) {
	svlogd, err := exec.LookPath("svlogd")
	if err != nil {
		t.Skip("svlogd (package runit) is not on this machine")
	}
	t.Parallel()
	d, log := newSvlogdDrill(t, svlogd, "n0")
	tally, err := d.Run(within(t))
	rotated, _ := filepath.Glob(log + "/@*")
	t.Logf("%d lines over %d rotations: %d missing, %d doubled, %d out of order, %d gaps",
		tally.Lines, len(rotated), tally.Missing, tally.Doubled, tally.Disordered, len(tally.Gaps))
	if err != nil || tally.Lines != d.Lines || tally.Missing+tally.Doubled+tally.Disordered+len(tally.Gaps) != 0 || len(rotated) < 200 {
		t.Fatalf("%+v over %d rotations, %v", tally, len(rotated), err)
	}
}

func TestDeletedFilesAreOneGapOverSSH(t *testing.T) {
	svlogd, err := exec.LookPath("svlogd")
	if err != nil {
		t.Skip("svlogd (package runit) is not on this machine")
	}
	t.Parallel()
	d, _ := newSvlogdDrill(t, svlogd, "n20")
	tally, err := d.Run(within(t))
	t.Logf("%d lines, %d missing, gaps %q", tally.Lines, tally.Missing, tally.Gaps)
	if err != nil || tally.Lines+tally.Missing != d.Lines || tally.Doubled+tally.Disordered != 0 {
		t.Fatalf("%+v, %v", tally, err)
	}
	// The cut is longer than 20 files last; the stall may be, too, and so may a
	// moment of a busy machine: each hole has its one record.
	if n := len(tally.Gaps); tally.Missing == 0 || n != tally.Holes || n < 1 {
		t.Fatalf("%+v", tally)
	}
	for _, gap := range tally.Gaps {
		if strings.Count(gap, " and 20") != 1 || !strings.Contains(gap, " between 20") {
			t.Errorf("the stamps around the hole are not told: %q", gap)
		}
	}
}

// Who scrolls up gets every line that the node still has, once and in order,
// through rotated and packed files, over SSH.
func TestOlderLinesOverSSH(t *testing.T) {
	t.Parallel()
	const files, each = 8, 3000
	d, _ := newLogDrill(t, 64<<10, func(log string) {
		for n := range files {
			var text strings.Builder
			for i := range each {
				fmt.Fprintf(&text, "2026-11-23_10:%02d:%02d.%05d %s%d of many\n", n, i/60, i, DrillLine, n*each+i+1)
			}
			name := fmt.Sprintf("%s/@40000000600000%02d00000000.s", log, n)
			if n == files-1 {
				name = log + "/current"
			}
			writeLog(t, name, text.String(), n%3 == 1 && n < files-1)
		}
	})
	d.Lines = files * each
	ctx := within(t)
	if err := d.until(ctx, d.Lines); err != nil {
		t.Fatal(err)
	}
	const rows = 400
	for next, end := d.Lines, uint64(0); next > 0; {
		p, err := d.Logs.Page(logs.Query{}, end, rows)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Lines) < rows && p.Beyond {
			b, err := d.Logs.ReadBack(ctx, logs.Query{}, end, rows)
			if err != nil || len(b.Trouble) > 0 {
				t.Fatalf("line %d: %+v, %v", next, b, err)
			}
			if !b.Full {
				continue
			}
		}
		for i := len(p.Lines) - 1; i >= 0; i-- {
			l := p.Lines[i]
			n, err := drillNumber(l.Text)
			if end = l.Seq - 1; l.Kind != cluster.LineText {
				continue
			}
			if err != nil || n != next {
				t.Fatalf("%q stands where line %d should be, %v", l.Text, next, err)
			}
			next--
		}
		if len(p.Lines) == 0 {
			t.Fatalf("nothing is older than line %d", next+1)
		}
	}
}

// writeLog writes a file of a log, packed or not.
func writeLog(t *testing.T, name, text string, packed bool) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if packed {
		name += ".gz"
		z := gzip.NewWriter(&b)
		io.WriteString(z, text)
		z.Close()
	} else {
		b.WriteString(text)
	}
	if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// within bounds a drill; it waits for nothing that takes so long.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// newLogDrill is a simulated node whose log is followed over SSH, and the log's
// folder on this machine; ring bounds what is held, 0 as usual. What lies there
// before it is followed is for before to write.
func newLogDrill(t *testing.T, ring int, before func(log string)) (LogDrill, string) {
	t.Helper()
	dir, clock := simulation.InMemory(t), remote.NewScaled(drillSpeed)
	sim, err := simulation.Start(t.Context(), simulation.Options{Clock: clock, Seed: 1, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	const folder = "/var/log/drill"
	found, err := filepath.Glob(dir + "/*/var/log/chef-backend")
	if err != nil || len(found) != 3 {
		t.Fatalf("%q, %v", found, err)
	}
	log := filepath.Dir(found[2]) + "/drill/" + DrillService
	before(log)
	d := LogDrill{Clock: clock, Lines: 80000, Slow: &Slow{Host: drillHost(t, sim)}, Cut: func(on bool) error { sim.CutOff(on); return nil }}
	if d.Logs, err = logs.New(logs.Options{Nodes: []cluster.Node{{Name: cutNode}}, Clock: clock, Folder: folder, RingBytes: ring,
		Host: func(string) remote.Host { return d.Slow }}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { d.Logs.Run(ctx); close(done) }()
	t.Cleanup(func() { d.Slow.Hold(false); cancel(); <-done })
	return d, log
}

// newSvlogdDrill is one in which real svlogd writes.
func newSvlogdDrill(t *testing.T, svlogd, keep string) (LogDrill, string) {
	d, log := newLogDrill(t, 0, func(string) {})
	in := startSvlogd(t, svlogd, log, "s20000\n"+keep+"\n")
	fmt.Fprintln(in, DrillLine+"1 of many")
	d.Begun = func() error { writeDrill(t, in, d.Lines, d.Clock); return nil }
	return d, log
}

// drillHost is the node over SSH, with the link's timings at the clock's speed.
func drillHost(t *testing.T, sim *simulation.Cluster) remote.Host {
	t.Helper()
	o := sim.RemoteOptions()
	o.Timings.Keepalive, o.Timings.Stale, o.Timings.Lost = 500*time.Millisecond, 750*time.Millisecond, 1100*time.Millisecond
	o.Timings.BackoffFirst, o.Timings.BackoffMost, o.Timings.DialWindow = 100*time.Millisecond, 400*time.Millisecond, time.Second
	h, err := remote.NewSSH(sim.Target(cutNode), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// startSvlogd runs it on a folder; what it is given it writes there.
func startSvlogd(t *testing.T, svlogd, folder, config string) io.Writer {
	t.Helper()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(folder+"/config", []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(svlogd, "-tt", folder)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	return in
}

// writeDrill writes lines 2 to n beside the drill, so that they last for some
// 20 s of the clock.
func writeDrill(t *testing.T, in io.Writer, n int, clock cluster.Clock) {
	done := make(chan struct{})
	t.Cleanup(func() { <-done })
	go func() {
		defer close(done)
		w := bufio.NewWriter(in)
		for i := 2; i <= n; i++ {
			fmt.Fprintf(w, "%s%d of many\n", DrillLine, i)
			if i%(n/200) == 0 {
				w.Flush()
				<-clock.After(100 * time.Millisecond)
			}
		}
		w.Flush()
	}()
}
