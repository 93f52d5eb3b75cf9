package tui

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"chef-backend-cockpit/cluster"
)

// What is seen is written to a new file of the operator's own, made safe, and
// the screen says where it is; a second one does not touch the first.
func TestSaveLines(t *testing.T) {
	dir := t.TempDir()
	d := walGap()
	addLine(d, cluster.Line{Node: "be2", Service: "etcd", Text: "wiped \x1b[2J\u202e", Stamp: now})
	s := newStageWith(d, 140, 30, Options{SaveDir: dir}).keys("S", "S")
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		info, err := f.Info()
		text, _ := os.ReadFile(dir + "/" + f.Name())
		if err != nil || info.Mode() != 0o600 || strings.Count(string(text), "\n") != min(s.m.logs.rows, len(s.m.logs.page.Lines)) ||
			!strings.Contains(string(text), " be2 etcd wiped ?[2J?\n") {
			t.Errorf("%s %v, %v: %q", f.Name(), info.Mode(), err, text)
		}
	}
	if said := s.m.flash.text; !strings.Contains(said, " lines saved to "+dir+"/chef-backend-cockpit-logs-") {
		t.Error(said)
	}
	s = newStageWith(d, 140, 30, Options{SaveDir: dir + "/none"}).keys("S")
	if said := s.m.flash.text; !strings.Contains(said, "not saved: ") {
		t.Error(said)
	}
}

// countingDoor counts errors, too.
type countingDoor struct {
	*fakeDoor
	asked []string
}

func (d *countingDoor) ErrorRates(nodes []string, minutes int) []cluster.ErrorRate {
	d.asked = append(d.asked, strings.Join(nodes, " "))
	known := cluster.ErrorRate{Service: "postgresql", Since: now.Add(-10 * time.Minute), Until: now, Counts: make([]int, minutes)}
	known.Counts[minutes-1], known.Counts[minutes-4] = 64, 8
	return []cluster.ErrorRate{known, {Service: "etcd", Until: now, Counts: make([]int, minutes)}}
}

// The graph tells a minute without errors from one of which nothing is known.
func TestErrorGraph(t *testing.T) {
	d := &countingDoor{fakeDoor: walGap()}
	s := newStage(d.fakeDoor, 100, 30)
	s.m.door = d
	screen := ansi.Strip(s.keys("b", "G").screen())
	if !strings.Contains(screen, "the highest bar is 64 in a minute") || !strings.Contains(screen, " ......▁..█  72      64 ") {
		t.Error(screen)
	}
	for row := range strings.Lines(screen) {
		if strings.Contains(row, "etcd   ") && strings.Contains(row, "0       0 ") && strings.Contains(row, "..") {
			t.Errorf("nothing was read, and yet there was no error: %s", row)
		}
	}
	if len(d.asked) == 0 || d.asked[0] != "be1" {
		t.Errorf("asked for %q", d.asked)
	}
}

// Quiet, stale and lost streams look different, with their last answer; holes
// are counted where they cannot be overlooked.
func TestStreamsLookAsTheyAre(t *testing.T) {
	d := walGap()
	d.streams = allStreams()
	quiet, stale, lost := &d.streams[1], &d.streams[2], &d.streams[3]
	quiet.LastLine = now.Add(-time.Hour)
	stale.Alive, stale.Stale, stale.Reason, stale.Heartbeat = false, true, "no answer for 4s", now.Add(-4*time.Second)
	s := newStage(d, 120, 30)
	if head := logRows(s)[0]; !strings.Contains(head, "~ 14 of 15 streams alive (s)") {
		t.Error(head)
	}
	lost.Alive, lost.Reason, lost.Heartbeat, lost.Gaps = false, "the link is lost", time.Time{}, 2
	s = newStage(d, 120, 30)
	if head := logRows(s)[0]; !strings.Contains(head, "! 13 of 15 streams alive, 2 gaps (s)") {
		t.Error(head)
	}
	screen := ansi.Strip(s.keys("s").screen())
	for _, want := range []string{"quiet, alive  in time", "~ stale       " + clockText(stale.Heartbeat), "! lost        never", "no answer for 4s", "the link is lost"} {
		if !strings.Contains(screen, want) {
			t.Errorf("no %q:\n%s", want, screen)
		}
	}
}
