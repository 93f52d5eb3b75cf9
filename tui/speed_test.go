package tui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
)

// full is a door with 50,000 lines, some of them as long as the rings allow.
func full() *fakeDoor {
	d := walGap()
	d.lines = nil
	long := strings.Repeat("a long line of garbage ", 350)
	for i := range 50_000 {
		l := quietLines(5)[i%5]
		l.Seq, l.Stamp = uint64(i+1), now
		if i%7 == 0 {
			l.Text = long
		}
		if i%1000 == 0 {
			l.Sign, l.Level = "wal-segment-removed", cluster.LevelError
		}
		d.lines = append(d.lines, l)
	}
	return d
}

// Update never searches, waits or looks anything up: it stays under 5 ms with
// the rings full. The least of a few tries is taken, since the machine may be
// busy with something else.
func TestUpdateIsQuick(t *testing.T) {
	s := newStage(full(), 200, 50)
	for name, msg := range map[string]tea.Msg{
		"up": keyOf("up"), "page up": keyOf("pgup"), "next sign": keyOf("e"), "level": keyOf("l"), "why": keyOf("w"), "recover": keyOf("r"),
		"help": keyOf("?"), "content": contentNow{}, "resize": tea.WindowSizeMsg{Width: 120, Height: 40},
	} {
		least := time.Hour
		for range 5 {
			began := time.Now()
			_, cmd := s.m.Update(msg)
			least = min(least, time.Since(began))
			s.pending = append(s.pending, cmd)
			s.settle()
			s.keys("esc")
		}
		if least > 5*time.Millisecond {
			t.Errorf("%s took %v", name, least)
		}
	}
}

// BenchmarkFrame builds the frame of a full log page; the budget is 4 ms.
func BenchmarkFrame(b *testing.B) {
	for _, c := range []struct {
		name string
		keys []string
	}{{"follow", nil}, {"search", []string{"/", "g", "a", "r", "enter", "o"}}, {"box", []string{"w"}}} {
		b.Run(c.name, func(b *testing.B) {
			s := newStage(full(), 200, 50).keys(c.keys...)
			b.ReportAllocs()
			for b.Loop() {
				s.m.dirty = true
				s.m.View()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/frame")
		})
	}
}

func TestFrameIsQuick(t *testing.T) {
	s := newStage(full(), 200, 50)
	least := time.Hour
	for range 20 {
		s.m.dirty = true
		began := time.Now()
		s.m.View()
		least = min(least, time.Since(began))
	}
	if least > 4*time.Millisecond {
		t.Errorf("a frame takes %v, the budget is 4 ms", least)
	}
}

// View makes nothing while nothing has changed.
func TestViewIsCached(t *testing.T) {
	s := newStage(full(), 200, 50)
	s.m.View()
	if n := testing.AllocsPerRun(100, func() { s.m.View() }); n > 0 {
		t.Errorf("%v allocations for a picture that stands", n)
	}
}

// Under a flood four frames a second are built, and the rows that changed are
// sent: at 200×50 each keeps to a quarter of the terminal's budget, and to a
// bounded number of allocations.
func TestFramesOfAFloodAreSmall(t *testing.T) {
	d := full()
	s := newStage(d, 200, 50)
	for i := range d.lines {
		d.lines[i].Text = fmt.Sprint(i, " ", d.lines[i].Text) // no row is as it was
	}
	most, at := 0, len(d.lines)
	before := strings.Split(s.m.View(), "\n")
	allocations := testing.AllocsPerRun(50, func() {
		at -= s.m.logs.rows
		s.m.logs.page.Lines = d.lines[at-s.m.logs.rows : at]
		s.m.dirty = true
		now, changed := strings.Split(s.m.View(), "\n"), 0
		for i, row := range now {
			if i >= len(before) || row != before[i] {
				changed += len(row) + len("\x1b[K\r\n")
			}
		}
		before, most = now, max(most, changed)
	})
	t.Logf("%d bytes, %v allocations", most, allocations)
	if most > terminalRate/4 || most < 1000 || allocations > 1500 {
		t.Errorf("a frame takes %d bytes and %v allocations", most, allocations)
	}
}
