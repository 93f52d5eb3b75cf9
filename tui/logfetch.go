package tui

import (
	"fmt"

	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// logAsk is a question for a page of lines.
type logAsk struct {
	gen   uint64
	of    logFilter
	rows  int
	end   uint64
	delta int
	jump  *logJump
	wrap  bool // the page keeps what follows the line that it would end with
	// idle: nothing but newer lines can change the answer; had is how many
	// there had been.
	idle bool
	had  uint64
}

// logMsg is the answer to a logAsk.
type logMsg struct {
	ask     logAsk
	page    watch.LogPage
	end     uint64
	found   uint64 // of a jump; 0 for none
	streams []cluster.StreamState
	had     uint64
	jumped  uint64 // lines that are held no more and were passed on the way down
	same    bool   // nothing has come since: the page stands
	err     error
}

// fetchLogs asks for the page that is wanted now; while an answer is under
// way it only notes that another one is wanted.
func (m *model) fetchLogs() tea.Cmd {
	p := &m.logs
	if !m.lay.ok {
		return nil
	}
	if p.inFlight {
		p.again = true
		return nil
	}
	p.inFlight, p.again = true, false
	ask := logAsk{gen: p.gen, of: p.logFilter, rows: p.rows, end: p.end, delta: p.delta, jump: p.jump, wrap: p.wrap}
	ask.idle, ask.had = p.delta == 0 && p.jump == nil && p.shown == shownPage{p.gen, p.end, p.rows}, p.had
	return m.command(func() tea.Msg { return answerLogs(m.door, ask) })
}

// answerLogs fetches a page. It may search all rings and therefore runs as a
// command.
func answerLogs(d watch.Door, ask logAsk) logMsg {
	a := logMsg{ask: ask, streams: d.Streams(), end: ask.end}
	for _, s := range a.streams {
		a.had += s.Lines + s.Gaps
	}
	if a.same = ask.idle && a.had == ask.had; a.same {
		return a // a rare filter would search all rings in vain, second by second
	}
	query := ask.of.query()
	switch {
	case ask.jump != nil:
		a.found = leapTo(d, *ask.jump)
		if a.found == 0 {
			break
		}
		a.end = forward(d, query, a.found, ask.rows/3)
	case ask.delta > 0:
		a.end = forward(d, query, ask.end, ask.delta)
	case ask.delta < 0:
		return backward(d, ask, a)
	}
	a.page, a.err = d.Logs(query, a.end, ask.rows)
	if hole := a.page.Hole; ask.end <= hole[0] && a.end >= hole[1] && ask.end != 0 && hole[1] > hole[0] {
		a.jumped = hole[1] - hole[0] - 1
	}
	if len(a.page.Lines) == 0 && a.page.Newer > 0 && a.end != 0 && a.err == nil {
		// Nothing up to here matches, but something newer does.
		a.page, a.err = d.Logs(query, 0, ask.rows)
		if n := len(a.page.Lines); n > 0 {
			a.end = a.page.Lines[n-1].Seq
		}
	}
	return a
}

// leapTo is the nearest line that one of the jump's queries finds.
func leapTo(d watch.Door, j logJump) uint64 {
	var best uint64
	for _, q := range j.queries {
		s, ok := d.FindLog(q, j.from, j.dir)
		if ok && (best == 0 || (j.dir > 0 && s < best) || (j.dir < 0 && s > best)) {
			best = s
		}
	}
	return best
}

// forward is the line n lines after seq, or the newest.
func forward(d watch.Door, q watch.LogQuery, seq uint64, n int) uint64 {
	for ; n > 0; n-- {
		next, ok := d.FindLog(q, seq, +1)
		if !ok {
			break
		}
		seq = next
	}
	return seq
}

// mostBack bounds one way back; Home goes further by asking again.
const mostBack = 20000

// backward moves the page to older lines, at most until it begins with the
// oldest one.
func backward(d watch.Door, ask logAsk, a logMsg) logMsg {
	back := min(-ask.delta, mostBack)
	page, err := d.Logs(ask.of.query(), ask.end, ask.rows+back)
	n := len(page.Lines)
	if err != nil || n == 0 {
		a.page, a.err = page, err
		return a
	}
	last := max(n-1-back, min(ask.rows, n)-1)
	if ask.wrap {
		last = max(n-1-back, 0)
	}
	first := max(last+1-ask.rows, 0)
	a.end = page.Lines[last].Seq
	a.page = page
	if ask.wrap {
		last = min(first+ask.rows, n) - 1
	}
	a.page.Lines = page.Lines[first : last+1]
	a.page.Older = page.Older || first > 0
	a.page.Beyond = page.Beyond && first == 0
	a.page.Newer = page.Newer + uint64(n-1-last)
	return a
}

// takeLogs takes an answer, unless other lines are wanted by now.
func (m *model) takeLogs(a logMsg) tea.Cmd {
	p := &m.logs
	p.inFlight = false
	if a.ask.gen != p.gen {
		return m.fetchLogs()
	}
	p.streams = a.streams
	if a.same {
		if p.again {
			return m.fetchLogs()
		}
		return nil
	}
	a = m.fitWrapped(a)
	sameLines := p.shown.gen == a.ask.gen
	p.had, p.shown, p.of = a.had, shownPage{a.ask.gen, a.end, a.ask.rows}, a.ask.of
	if p.err = a.err; a.err != nil {
		p.delta = 0
		return nil
	}
	if p.follow && a.ask.end != 0 {
		return m.fetchLogs()
	}
	held := sameLines && !p.follow && a.ask.delta == 0 && a.ask.jump == nil && a.ask.end == a.end && len(p.page.Lines) > 0 &&
		len(a.page.Lines) < len(p.page.Lines) && p.page.Lines[len(p.page.Lines)-1].Seq == a.end
	if held { // the rings have moved on: what is being read stays
		p.page.Newer, p.page.Held = a.page.Newer, a.page.Held
	} else {
		p.page = a.page
	}
	m.landed(a)
	if a.jumped > 0 {
		m.say(fmt.Sprintf("%d lines in between are held no more; PgUp reads them back", a.jumped))
	}
	if p.wantsOlder(a, m.now()) {
		return tea.Batch(m.readBack(), m.fetchAgain())
	}
	return m.fetchAgain()
}

// fetchAgain fetches what was wanted while an answer was under way.
func (m *model) fetchAgain() tea.Cmd {
	p := &m.logs
	if p.again || p.delta != 0 || p.jump != nil {
		return m.fetchLogs()
	}
	return nil
}

// landed settles where the page now stands and which line is selected.
func (m *model) landed(a logMsg) {
	p := &m.logs
	if !p.follow && (a.ask.end != 0 || a.end != 0 || a.ask.delta != 0) {
		p.end = a.end
	}
	if a.ask.delta < -mostBack && p.page.Older {
		p.delta += mostBack
	} else {
		p.delta -= a.ask.delta
	}
	if n := len(p.page.Lines); n > 0 && p.edge != 0 && p.delta == 0 {
		if p.edge < 0 {
			p.sel = p.page.Lines[0].Seq
		} else {
			p.sel = p.page.Lines[n-1].Seq
		}
		p.edge = 0
	}
	if a.ask.jump != nil && a.ask.jump == p.jump {
		p.jump = nil
		if p.sel = a.found; a.found == 0 {
			p.sel = 0
			m.say("no further " + a.ask.jump.what + " that way")
		}
	}
}
