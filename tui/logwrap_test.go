package tui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"chef-backend-cockpit/cluster"
)

// longLines is a door with lines of one to far too many rows.
func longLines(n int) *fakeDoor {
	d := walGap()
	d.lines = nil
	for i := range n {
		text := fmt.Sprintf("number %d.", i+1) + strings.Repeat(" 界 and so on", i*i%37) + strings.Repeat("x", 8000*(i%50/49))
		addLine(d, cluster.Line{Node: "be2", Service: "etcd", Text: text, Stamp: now})
	}
	return d
}

// Wrapped, a page holds what fits, and no line is passed by on the way up or
// down; none stands there twice but the one that joins two pages.
func TestWrappedLines(t *testing.T) {
	const lines = 300
	d := longLines(lines)
	s := newStage(d, 80, 24).keys("shift+tab", "W")
	p := &s.m.logs
	if rows := logRows(s); !strings.Contains(rows[0], "wrapped, following") || !strings.Contains(strings.Join(rows, "\n"), fmt.Sprintf("number %d.", lines)) {
		t.Fatal(strings.Join(rows, "\n"))
	}
	fits := func() {
		t.Helper()
		rows := 0
		for _, l := range p.page.Lines {
			rows += s.m.wrappedRows(l, 80)
			if !strings.Contains(s.screen(), strings.SplitN(l.Text, " 界", 2)[0][:8]) {
				t.Fatalf("line %d is not on the screen", l.Seq)
			}
		}
		if rows > p.rows {
			t.Fatalf("%d rows for %d", rows, p.rows)
		}
	}
	first, last := p.page.Lines[0].Seq, p.page.Lines[len(p.page.Lines)-1].Seq
	for n := 0; first > 1; n++ {
		s.keys("pgup")
		fits()
		if last = p.page.Lines[len(p.page.Lines)-1].Seq; last+1 < first || n > lines {
			t.Fatalf("the page above line %d ends at %d", first, last)
		}
		first = p.page.Lines[0].Seq
	}
	for n := 0; last < lines; n++ {
		s.keys("pgdown")
		fits()
		if first = p.page.Lines[0].Seq; first > last+1 || n > lines {
			t.Fatalf("the page below line %d begins at %d", last, first)
		}
		last = p.page.Lines[len(p.page.Lines)-1].Seq
	}
	s.keys("home")
	if fits(); p.page.Lines[0].Seq != 1 {
		t.Errorf("home is line %d", p.page.Lines[0].Seq)
	}
	s.keys(append(strings.Split("/number 77.", ""), "enter")...)
	s.keys("x", "end", "/", "n", "u", "m", "b", "e", "r", " ", "7", "7", ".", "enter", "o", "[")
	if p.sel != 77 || !strings.Contains(ansi.Strip(s.screen()), "number 77.") {
		t.Errorf("line %d was found:\n%s", p.sel, ansi.Strip(s.screen()))
	}
	s.keys("x", "W", "end")
	if rows := logRows(s); strings.Contains(rows[0], "wrapped") || len(p.page.Lines) != p.rows {
		t.Errorf("%s, %d lines", rows[0], len(p.page.Lines))
	}
}

// waitsClock notes what is waited for.
type waitsClock struct {
	handClock
	waits []time.Duration
}

func (c *waitsClock) After(d time.Duration) <-chan time.Time {
	c.waits = append(c.waits, d)
	return c.handClock.After(d)
}

// Pictures that are too large for the terminal's budget come less often, but
// one in a second at least.
func TestLargePicturesComeLessOften(t *testing.T) {
	for bytes, want := range map[int]time.Duration{0: contentPeriod, 10_000: contentPeriod, 20_000: 500 * time.Millisecond, 30_000: 750 * time.Millisecond, 1 << 20: time.Second} {
		s := newStage(walGap(), 200, 50)
		clock := &waitsClock{handClock: handClock{now}}
		s.m.human, s.m.out = clock, &output{w: new(strings.Builder)}
		tick := s.m.pump()
		s.m.out.Write(make([]byte, bytes))
		tick()
		var before, all time.Duration
		for i, d := range clock.waits {
			if all += d; i < len(clock.waits)-1 {
				before += d
			}
		}
		if before != want || all != time.Second {
			t.Errorf("after %d bytes the next picture waits %v, %v at most", bytes, before, all)
		}
	}
}

// What is left out of the logs is told on a narrow screen too.
func TestNarrowHeadTellsTheFilter(t *testing.T) {
	s := newStage(longLines(300), 80, 24).keys("/", "s", "o", " ", "o", "n", "enter", " ")
	addLine(s.door, cluster.Line{Node: "be1", Service: "etcd", Text: "so on", Stamp: now})
	s.send(contentNow{})
	s.settle()
	if head := logRows(s)[0]; !strings.Contains(head, `LOGS   "so on", paused: 1 below`) {
		t.Error(head)
	}
	if head := logRows(s.keys("x", "f"))[0]; !strings.Contains(head, "LOGS   all nodes, all services, following") {
		t.Error(head)
	}
	s.send(tea.WindowSizeMsg{Width: 200, Height: 60})
	s.settle()
	if head := logRows(s.keys("l", "l", "/", "s", "o", "enter"))[0]; !strings.Contains(head, `all nodes, all services, warning and worse, "so", following`) {
		t.Error(head)
	}
}
