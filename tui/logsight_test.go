package tui

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"chef-backend-cockpit/cluster"
)

// logRows are the rows of the logs on the screen.
func logRows(s *stage) []string {
	rows := strings.Split(ansi.Strip(s.screen()), "\n")
	for i, row := range rows {
		if strings.Contains(row, " LOGS ") {
			return rows[i : len(rows)-1]
		}
	}
	return nil
}

// The times of lines are UTC, the operator's own, or ages, and the head says
// which where it is not UTC.
func TestTimesOfLines(t *testing.T) {
	d := walGap()
	d.lines = nil
	addLine(d, cluster.Line{Node: "be2", Service: "etcd", Text: "tick", Stamp: now.Add(-3 * time.Minute)})
	s := newStageWith(d, 120, 30, Options{Zone: time.FixedZone("NPT", 5*3600+45*60)})
	stamp := now.Add(-3 * time.Minute).UTC()
	for _, want := range []struct{ head, row string }{
		{"following", stamp.Format(" 15:04:05.0000") + " be2"},
		{"times in NPT, following", stamp.Add(5*time.Hour+45*time.Minute).Format(" 15:04:05.0000") + " be2"},
		{"times ago, following", " 3 min         be2"},
		{"all services, following", stamp.Format(" 15:04:05.0000") + " be2"},
	} {
		rows := logRows(s)
		if !strings.Contains(rows[0], want.head) || !strings.HasPrefix(rows[1], want.row) {
			t.Errorf("not %q and %q:\n%s\n%s", want.head, want.row, rows[0], rows[1])
		}
		s.keys("z")
	}
}

// Sideways every cell of a line can be seen once, wide ones too, and what
// stands before the line stays.
func TestLinesSideways(t *testing.T) {
	d := walGap()
	d.lines = nil
	text := strings.Repeat("0123456789", 12) + strings.Repeat("界", 12) + "end"
	addLine(d, cluster.Line{Node: "be2", Service: "etcd", Text: text, Stamp: now})
	s := newStage(d, 80, 30).keys("shift+tab")
	if rows := logRows(s); strings.Contains(rows[0], "column") || !strings.Contains(rows[1], "- 0123456789") {
		t.Errorf("%s\n%s", rows[0], rows[1])
	}
	s.keys("right", "right", "right", "right", "right", "right")
	if rows := logRows(s); !strings.Contains(rows[0], "from column 121") || !strings.Contains(rows[1], "be2 etcd") || !strings.Contains(rows[1], "<"+strings.Repeat("界", 12)+"end") {
		t.Errorf("%s\n%s", rows[0], rows[1])
	}
	addLine(d, cluster.Line{Node: "be2", Service: "etcd", Stamp: now})
	s = newStage(d, 80, 30).keys("shift+tab", "right")
	if rows := logRows(s); !strings.Contains(rows[1], "<0123") || strings.Contains(rows[2], "<") {
		t.Errorf("%s\n%s", rows[1], rows[2])
	}
	for range 1000 {
		s.keys("right")
	}
	if s.m.logs.aside != asideMost {
		t.Errorf("%d cells aside", s.m.logs.aside)
	}
	for range 1000 {
		s.keys("left")
	}
	if rows := logRows(s); strings.Contains(rows[0], "column") || s.m.logs.aside != 0 {
		t.Errorf("%s\n%s", rows[0], rows[1])
	}
}

// What is copied is what is seen: all lines of the page, or the one shown whole.
func TestCopyLines(t *testing.T) {
	s := newStage(walGap(), 100, 30)
	var out bytes.Buffer
	s.m.out = &output{w: &out}
	copied := func() string {
		out.Reset()
		s.keys("y")
		_, code, _ := strings.Cut(out.String(), "\x1b]52;c;")
		text, err := base64.StdEncoding.DecodeString(strings.TrimRight(code, "\a\x1b\\"))
		if err != nil {
			t.Fatalf("%q: %v", out.String(), err)
		}
		return string(text)
	}
	s.keys("shift+tab")
	if text := copied(); strings.Count(text, "\n") != min(s.m.logs.rows, len(s.m.logs.page.Lines)) || !strings.Contains(text, "T02:") && !strings.Contains(text, "T03:") {
		t.Errorf("%d rows: %s", s.m.logs.rows, text)
	}
	s.keys("e", "enter")
	if text := copied(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "FATAL") || strings.ContainsRune(text, '\x1b') {
		t.Errorf("%q", text)
	}
}
