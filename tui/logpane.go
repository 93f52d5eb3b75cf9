package tui

import (
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// logPane shows a page of the merged logs. It holds no lines but those of its
// page: the rings are the door's. Pages are fetched by commands, one at a
// time; what is wanted meanwhile is fetched after it.
type logPane struct {
	rows int // lines that fit

	logFilter           // what is wanted
	logSight            // how it is seen
	of        logFilter // what the page shows: the head tells of the rows below it

	follow bool
	end    uint64 // last line of the page; 0 for the newest
	delta  int    // rows still to move
	edge   int    // after a move: select the first (-1) or last (+1) line
	sel    uint64 // selected line; 0 for none
	unfold bool
	jump   *logJump

	page    watch.LogPage
	streams []cluster.StreamState
	err     error

	had      uint64 // lines of all streams when the page was fetched
	shown    shownPage
	gen      uint64 // rises whenever other lines are wanted
	inFlight bool
	again    bool

	reading bool      // older lines are being fetched
	since   time.Time // of the first page
	filled  bool      // the first pages were filled up with older lines
}

// logFilter says which lines are shown.
type logFilter struct {
	node    string // "" for all
	service string
	level   cluster.Level
	signs   bool
	text    string
	all     bool // lines without the text are shown too
}

// shownPage is for what the page was fetched.
type shownPage struct {
	gen, end uint64
	rows     int
}

// logJump looks for the nearest line that matches one of several queries.
type logJump struct {
	queries []watch.LogQuery
	from    uint64
	dir     int
	what    string
}

// setRows sets how many lines fit.
func (p *logPane) setRows(n int) { p.rows = max(n, 1) }

// scope is the query without the text.
func (p logFilter) scope() watch.LogQuery {
	q := watch.LogQuery{MinLevel: p.level, Signs: p.signs}
	if p.node != "" {
		q.Nodes = []string{p.node}
	}
	if p.service != "" {
		q.Services = []string{p.service}
	}
	return q
}

// withText is the scope and the text; one that begins with ~ is an expression.
func (p logFilter) withText() watch.LogQuery {
	q := p.scope()
	q.Text, q.Regexp = strings.CutPrefix(p.text, "~")
	return q
}

// query is what is shown.
func (p logFilter) query() watch.LogQuery {
	if p.all {
		return p.scope()
	}
	return p.withText()
}

// changed is called after the filter: matching lines are wanted, the newest
// ones or, while paused, those where the page stands.
func (p *logPane) changed() {
	p.gen++
	p.delta, p.edge, p.jump, p.err = 0, 0, nil, nil
	if p.follow {
		p.end = 0
	}
}

// pause holds the page where it is.
func (p *logPane) pause() {
	if !p.follow {
		return
	}
	p.follow = false
	if n := len(p.page.Lines); n > 0 {
		p.end = p.page.Lines[n-1].Seq
	}
}

// resume follows the newest lines again.
func (p *logPane) resume() {
	p.follow, p.end, p.delta, p.edge, p.sel, p.unfold, p.jump = true, 0, 0, 0, 0, false, nil
	p.gen++
}

// index is the place of the selected line on the page; -1 for none.
func (p *logPane) index() int {
	for i, l := range p.page.Lines {
		if l.Seq == p.sel && p.sel != 0 {
			return i
		}
	}
	return -1
}

// step moves the selection by one line, and the page at its edges. There is
// nothing below the newest line.
func (p *logPane) step(dir int) {
	n := len(p.page.Lines)
	if n == 0 || (p.follow && dir > 0) {
		return
	}
	p.pause()
	p.unfold = false
	i := p.index()
	switch {
	case i < 0 && dir > 0:
		p.sel = p.page.Lines[0].Seq
	case i < 0:
		p.sel = p.page.Lines[n-1].Seq
	case i+dir >= 0 && i+dir < n:
		p.sel = p.page.Lines[i+dir].Seq
	default:
		p.delta += dir
		p.edge = dir
	}
}

// scroll moves the page by n lines. Where the newest line is followed, there
// are none further down, and it goes on being followed.
func (p *logPane) scroll(n int) {
	if p.follow && n > 0 {
		return
	}
	p.pause()
	p.unfold = false
	p.delta += n
	p.edge = max(min(n, 1), -1)
}

// onPage is how many lines a full page shows.
func (p *logPane) onPage() int {
	if n := len(p.page.Lines); p.wrap && n > 0 {
		return n
	}
	return p.rows
}

// logsMainKey are the keys of the logs that work in every pane.
func (m *model) logsMainKey(k tea.KeyMsg) (tea.Cmd, bool) {
	p := &m.logs
	switch {
	case is(k, m.keys.Text):
		m.prompt = &prompt{}
		m.prompt.field.set(p.text)
		return nil, true
	case is(k, m.keys.Only):
		p.all = !p.all
		p.changed()
	case is(k, m.keys.Next):
		m.nextMatch(+1)
	case is(k, m.keys.Prev):
		m.nextMatch(-1)
	case is(k, m.keys.Pause):
		if p.follow {
			p.pause()
		} else {
			p.resume()
		}
	case is(k, m.keys.Follow), is(k, m.keys.Bottom):
		p.resume()
	case is(k, m.keys.NextSign):
		m.nextSign(+1)
	case is(k, m.keys.PrevSign):
		m.nextSign(-1)
	case is(k, m.keys.PageUp):
		p.scroll(-max(p.onPage()-1, 1))
	case is(k, m.keys.PageDown):
		p.scroll(max(p.rows-1, 1))
	case is(k, m.keys.Top):
		p.scroll(-1 << 30)
	case is(k, m.keys.Streams):
		m.push(&textView{heading: "Streams: one is one node's service", make: streamRows})
		return nil, true
	case is(k, m.keys.Rates):
		m.push(&textView{heading: "Errors, minute by minute", make: rateRows})
		return nil, true
	case is(k, m.keys.Save):
		return m.saveLines(), true
	case is(k, m.keys.Wrap):
		p.wrap, p.aside = !p.wrap, 0
		p.changed()
	default:
		if m.sightKey(k) {
			return nil, true
		}
		if !m.filterKey(k) {
			return nil, false
		}
		p.changed()
	}
	return m.fetchLogs(), true
}

// filterKey chooses which lines are shown.
func (m *model) filterKey(k tea.KeyMsg) bool {
	p := &m.logs
	switch {
	case is(k, m.keys.ByNode):
		p.node = cycle(p.node, m.nodeNames())
	case is(k, m.keys.ByService):
		p.service = cycle(p.service, cluster.Services)
	case is(k, m.keys.ByLevel):
		p.level = map[cluster.Level]cluster.Level{cluster.LevelNone: cluster.LevelInfo, cluster.LevelInfo: cluster.LevelWarning,
			cluster.LevelWarning: cluster.LevelError}[p.level]
	case is(k, m.keys.BySign):
		p.signs = !p.signs
	case is(k, m.keys.Clear):
		p.logFilter = logFilter{}
	default:
		return false
	}
	return true
}

// logsKey are the keys that need the pane.
func (m *model) logsKey(k tea.KeyMsg) tea.Cmd {
	switch {
	case is(k, m.keys.Up):
		m.logs.step(-1)
	case is(k, m.keys.Down):
		m.logs.step(+1)
	case is(k, m.keys.Unfold):
		if m.logs.index() < 0 {
			m.logs.step(-1)
		}
		m.logs.unfold = !m.logs.unfold
	case is(k, m.keys.Copy):
		return m.copyLines()
	default:
		return nil
	}
	return m.fetchLogs()
}

// cycle is the word after this one, then none, then the first again.
func cycle(at string, all []string) string {
	if at == "" && len(all) > 0 {
		return all[0]
	}
	for i, s := range all {
		if s == at && i+1 < len(all) {
			return all[i+1]
		}
	}
	return ""
}

func (m *model) nodeNames() []string {
	var names []string
	for _, n := range m.nodeList() {
		names = append(names, n.Name)
	}
	return names
}

// nextSign jumps to the next recognised line or error; while following, to
// the newest one.
func (m *model) nextSign(dir int) {
	sign, loud := m.logs.query(), m.logs.query()
	sign.Signs = true
	loud.MinLevel = cluster.LevelError
	m.leap("sign or error", dir, sign, loud)
}

// nextMatch jumps to the next line with the text.
func (m *model) nextMatch(dir int) {
	if m.logs.text == "" {
		m.say("nothing to find yet: / takes a text")
		return
	}
	m.leap("match", dir, m.logs.withText())
}

func (m *model) leap(what string, dir int, queries ...watch.LogQuery) {
	p := &m.logs
	if len(p.page.Lines) == 0 {
		m.say("no lines here")
		return
	}
	last := p.page.Lines[len(p.page.Lines)-1].Seq
	j := &logJump{queries: queries, from: p.sel, dir: dir, what: what}
	switch {
	case p.follow:
		j.from, j.dir = last+1, -1
	case p.sel == 0 && dir < 0:
		j.from = last + 1
	case p.sel == 0:
		j.from = last
	}
	p.pause()
	p.jump, p.delta, p.unfold = j, 0, false
}

// prompt is the line in which a text to find is typed.
type prompt struct{ field field }

func (m *model) promptKey(k tea.KeyMsg) tea.Cmd {
	switch k.Type {
	case tea.KeyEsc, tea.KeyCtrlC:
		m.prompt = nil
	case tea.KeyEnter:
		m.logs.text = m.prompt.field.text()
		m.prompt = nil
		m.logs.changed()
		return m.fetchLogs()
	default:
		m.prompt.field.key(k)
	}
	return nil
}

// drawPrompt stands in place of the row of keys.
func (m *model) drawPrompt(w int) string {
	l := newLine(w).gap(1).put(m.st.key, "find ")
	text := m.prompt.field.text()
	room := w - l.x - 44
	if n := width(text); n > room {
		text = string([]rune(text)[max(len([]rune(text))-room, 0):])
	}
	l.put(m.st.plain, text).put(m.st.chosen, " ")
	return l.gap(2).right(m.st.dim, "Enter find   ~ before an expression   Esc no ").String()
}
