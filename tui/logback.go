package tui

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster/watch"
)

const (
	// backWithin bounds one fetch of older lines.
	backWithin = 30 * time.Second
	// backPages is how many pages one fetch brings.
	backPages = 4
	// fillAfter is how long the logs have to fill the page by themselves.
	fillAfter = 5 * time.Second
)

// backMsg is the end of a fetch of older lines.
type backMsg struct {
	gen  uint64
	back watch.LogsBack
	err  error
}

// readBack fetches lines from the nodes that are older than those held. It
// runs beside everything else; one at a time.
func (m *model) readBack() tea.Cmd {
	p := &m.logs
	r, ok := m.door.(watch.BackReader)
	if !ok || p.reading {
		return nil
	}
	p.reading = true
	query, from, n, gen := p.query(), p.end, backPages*max(p.rows, 25), p.gen
	return m.command(func() tea.Msg {
		ctx, cancel := context.WithTimeout(m.ctx, backWithin)
		defer cancel()
		back, err := r.ReadBack(ctx, query, from, n)
		return backMsg{gen, back, err}
	})
}

// wantsOlder answers whether a page that was just fetched should be followed by
// older lines: the operator goes up and stands at the top of what is held, or
// the page could never be filled since the start.
func (p *logPane) wantsOlder(a logMsg, now time.Time) bool {
	if !a.page.Beyond || a.err != nil {
		return false
	}
	if !p.follow {
		return a.ask.delta < 0
	}
	if p.since.IsZero() {
		p.since = now
	}
	if p.filled || p.logFilter != (logFilter{}) || len(a.page.Lines) >= p.rows || now.Sub(p.since) < fillAfter {
		return false
	}
	p.filled = true
	return true
}

// takeBack shows what was fetched.
func (m *model) takeBack(b backMsg) tea.Cmd {
	p := &m.logs
	p.reading = false
	switch {
	case len(b.back.Trouble) > 0:
		m.say("older lines cannot be read: " + b.back.Trouble[0])
	case b.err != nil:
		m.say("older lines cannot be read: " + b.err.Error())
	case b.back.Beginning && b.back.Lines == 0 && !p.follow:
		m.say("nothing older is left on the nodes")
	case b.back.Lines == 0 && !p.follow:
		m.say("nothing found in " + bytesText(int64(b.back.Read)) + " of older lines; PgUp reads on")
	}
	if n := len(p.page.Lines); b.back.Full && !p.follow && n > 0 && b.gen == p.gen {
		p.end = p.page.Lines[0].Seq // what was read last makes room
	}
	p.shown = shownPage{} // the page has to be asked for anew
	return m.fetchLogs()
}
