package tui

import (
	"fmt"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"chef-backend-cockpit/cluster"
)

// logSight is how lines are seen, whichever they are.
type logSight struct {
	stamps stamps
	aside  int  // cells of each line's text that are left of the screen
	wrap   bool // long lines take several rows; nothing is aside
}

// stamps is how the times of lines are shown.
type stamps int

const (
	stampsUTC stamps = iota
	stampsLocal
	stampsAgo
)

const (
	asideStep = 20
	// asideMost is about as much as is held of one line.
	asideMost = 8 << 10
)

// sightKey changes how lines are seen.
func (m *model) sightKey(k tea.KeyMsg) bool {
	s := &m.logs.logSight
	switch {
	case is(k, m.keys.Stamps):
		s.stamps = (s.stamps + 1) % (stampsAgo + 1)
	case m.focus != paneLogs || s.wrap:
		return false
	case is(k, m.keys.Left):
		s.aside = max(s.aside-asideStep, 0)
	case is(k, m.keys.Right):
		s.aside = min(s.aside+asideStep, asideMost)
	default:
		return false
	}
	return true
}

// says tells what is not as usual.
func (s logSight) says(zone *time.Location, now time.Time) (says string) {
	switch s.stamps {
	case stampsLocal:
		says = ", times in " + now.In(zone).Format("MST")
	case stampsAgo:
		says = ", times ago"
	}
	switch {
	case s.wrap:
		says += ", wrapped"
	case s.aside > 0:
		says += fmt.Sprintf(", from column %d", s.aside+1)
	}
	return says
}

// zone is the operator's.
func (m *model) zone() *time.Location {
	if m.o.Zone == nil {
		return time.Local
	}
	return m.o.Zone
}

// stamp is the time of a line as it is to be seen.
func (m *model) stamp(t time.Time, wide bool) string {
	layout := time.TimeOnly
	if wide {
		layout = "15:04:05.0000"
	}
	switch {
	case t.IsZero():
		return ""
	case m.logs.stamps == stampsAgo:
		return ageText(m.now().Sub(t))
	case m.logs.stamps == stampsLocal:
		return t.In(m.zone()).Format(layout)
	}
	return t.UTC().Format(layout)
}

// fromCell is what is left of a text whose first n cells are out of sight.
func fromCell(s string, n int) string {
	s, w := clean(s)
	switch {
	case n <= 0:
		return s
	case w <= n:
		return ""
	case w == len(s):
		return s[n:]
	}
	return ansi.TruncateLeft(s, n, "")
}

// copyLines copies the lines on the screen, or the one that is shown whole,
// with everything that stands before them and their times in UTC.
func (m *model) copyLines() tea.Cmd {
	lines := m.linesSeen()
	if len(lines) == 0 {
		m.say("no lines here")
		return nil
	}
	return m.copyText(linesText(lines), plural(len(lines), "line", "lines")+" copied to the terminal's clipboard, where it allows that")
}

// copiedLine is a line for somebody else to read.
func copiedLine(k cluster.Line) string {
	stamp := "-"
	if !k.Stamp.IsZero() {
		stamp = k.Stamp.UTC().Format("2006-01-02T15:04:05.0000Z")
	}
	text, _ := clean(fmt.Sprintf("%s %s %s %s", stamp, k.Node, k.Service, lineText(k)))
	return text
}
