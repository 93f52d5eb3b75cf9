package tui

import (
	"slices"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
)

// overlay is a box over the panes. Overlays stand on a stack; the top one has
// the keys.
type overlay interface {
	// head is the title, and a word at the right.
	head(m *model) (left, right string)
	// body are all its rows, w cells wide; at is the row that must be visible.
	body(m *model, w int) (rows []string, at int)
	// foot are rows that always stand below the body, under a rule of their own.
	foot(m *model, w int) []string
	// bindings are its keys, the most needed first.
	bindings(m *model) []key.Binding
	key(m *model, k tea.KeyMsg) tea.Cmd
	// refresh is told that there is a newer state.
	refresh(m *model)
	scroller() *scroller
}

// dialog is an overlay that takes every key as it came.
type dialog interface {
	overlay
	typed(m *model, k tea.KeyMsg) tea.Cmd
	// opened is told that the dialog stands.
	opened(m *model) tea.Cmd
	// quiet is told that the keyboard may have been quiet for long enough.
	quiet(m *model) tea.Cmd
}

// scroller is how far a box is scrolled, and the height it once had: a box
// never shrinks while it is open.
type scroller struct {
	top, rows, tall int
	follow          int // the row that was last asked to be visible
}

// window chooses the rows that are shown when there is room for n.
func (s *scroller) window(rows []string, at, n int) []string {
	s.rows = n
	if at != s.follow {
		s.follow = at
		if at >= 0 {
			s.top = min(s.top, max(at-1, 0))
			s.top = max(s.top, at-n+2)
		}
	}
	s.top = max(min(s.top, len(rows)-n), 0)
	return rows[s.top:min(s.top+n, len(rows))]
}

// key scrolls; where the rows end is known when they are drawn.
func (s *scroller) key(m *model, k tea.KeyMsg) bool { return s.move(m, k, &s.top, 1<<20) }

// move moves a place in the box, from 0 to last; false: that is no key for it.
func (s *scroller) move(m *model, k tea.KeyMsg, at *int, last int) bool {
	page := max(s.rows-2, 1)
	switch {
	case is(k, m.keys.Up):
		*at--
	case is(k, m.keys.Down):
		*at++
	case is(k, m.keys.PageUp):
		*at -= page
	case is(k, m.keys.PageDown):
		*at += page
	case is(k, m.keys.Top):
		*at = 0
	case is(k, m.keys.Bottom):
		*at = last
	default:
		return false
	}
	*at = max(min(*at, last), 0)
	return true
}

func (m *model) top() overlay {
	if len(m.overlays) == 0 {
		return nil
	}
	return m.overlays[len(m.overlays)-1]
}

func (m *model) dialog() (dialog, bool) {
	d, ok := m.top().(dialog)
	return d, ok
}

func (m *model) push(o overlay) tea.Cmd {
	if len(m.overlays) == 0 {
		m.seen = map[string]bool{}
		for _, f := range m.alarms.shown {
			m.seen[f.ID()] = true
		}
	}
	m.overlays = append(m.overlays, o)
	if d, ok := o.(dialog); ok {
		return d.opened(m)
	}
	return nil
}

// pop closes the top box. What it still waited for is void.
func (m *model) pop() {
	if len(m.overlays) > 0 {
		if c, ok := m.top().(interface{ closed() }); ok {
			c.closed()
		}
		m.overlays = m.overlays[:len(m.overlays)-1]
		if len(m.overlays) == 0 {
			m.alarms.settle(false)
		}
	}
}

// closeAll closes every box.
func (m *model) closeAll() {
	for len(m.overlays) > 0 {
		m.pop()
	}
}

// below answers whether a box is open, on top or below others.
func (m *model) below(o overlay) bool { return slices.Contains(m.overlays, o) }

// overlayKey is a key for a box that is no dialog.
func (m *model) overlayKey(top overlay, k tea.KeyMsg) tea.Cmd {
	switch {
	case k.Type == tea.KeyCtrlC:
		return m.quit()
	case is(k, m.keys.Back):
		m.pop()
		return nil
	case is(k, m.keys.Arm):
		return m.arm()
	case is(k, m.keys.Help):
		m.help()
		return nil
	}
	return top.key(m, k)
}

// boxWidth is the width of a box: the whole screen, or as much of a wide one
// as can be read without losing the row.
func boxWidth(w int) int {
	if w < 140 {
		return w
	}
	return max(w*2/3, 128)
}

// drawBox lays the top box over the rows of the screen. The situation line
// and the rule below it stay.
func (m *model) drawBox(rows []string) {
	o := m.top()
	if o == nil {
		return
	}
	w, first, last := boxWidth(m.w), 2, m.h-1
	x := (m.w - w) / 2
	if w < m.w {
		first++
	}
	body, at := o.body(m, w-4)
	foot := o.foot(m, w-4)
	if len(foot) > 0 {
		foot = append([]string{""}, foot...) // for the rule
	}
	s := o.scroller()
	room := max(last-first-2-len(foot), 1)
	s.tall = min(max(s.tall, len(body)), room)
	hidden := ""
	body, hidden = s.window(body, at, s.tall), s.hidden(len(body))
	for len(body) < s.tall {
		body = append(body, "")
	}
	box := make([]string, 0, len(body)+len(foot)+2)
	left, right := o.head(m)
	if word := m.innerWord(); word != "" {
		left = word + ": " + left
	}
	box = append(box, m.boxTop(w, left, right))
	if len(foot) > 0 {
		foot[0], hidden = m.footRule(w-4, hidden), ""
	}
	for _, r := range append(body, foot...) {
		box = append(box, m.st.rule.on("│")+" "+fill(r, w-4)+" "+m.st.rule.on("│"))
	}
	box = append(box, m.boxBottom(w, o.bindings(m), hidden))
	for i, b := range box {
		y := first + i
		if y >= len(rows) {
			break
		}
		under := fill(rows[y], m.w)
		rows[y] = ansi.Truncate(under, x, "") + b + ansi.TruncateLeft(under, x+w, "")
	}
}

// fill makes a finished row exactly w cells wide.
func fill(row string, w int) string {
	n := ansi.StringWidth(row)
	switch {
	case n == w:
		return row
	case n > w:
		row = ansi.Truncate(row, w, "")
		n = ansi.StringWidth(row)
	}
	return row + strings.Repeat(" ", w-n)
}

func (m *model) boxTop(w int, left, right string) string {
	l := newLine(w).put(m.st.rule, "┌ ")
	room := w - 6
	if right != "" {
		right, _ = clip(right, room/2)
		room -= width(right) + 3
	}
	l.upTo(m.st.title, left, room).put(m.st.rule, " ")
	if right == "" {
		return l.put(m.st.rule, strings.Repeat("─", max(w-1-l.x, 0))+"┐").String()
	}
	l.put(m.st.rule, strings.Repeat("─", max(w-4-width(right)-l.x, 0))+" ")
	return l.put(m.st.plain, right).put(m.st.rule, " ─┐").String()
}

// hidden says how much of all the rows is out of sight.
func (s *scroller) hidden(total int) string {
	if below := total - s.top - s.tall; below > 0 {
		return plural(below, "more row", "more rows") + " below"
	} else if s.top > 0 && total > s.tall {
		return plural(s.top, "row", "rows") + " above"
	}
	return ""
}

// footRule parts the foot from the body, and says how much of the body is hidden.
func (m *model) footRule(w int, hidden string) string {
	if hidden == "" {
		return m.st.rule.on(strings.Repeat("─", w))
	}
	l := newLine(w).put(m.st.rule, strings.Repeat("─", max(w-len(hidden)-4, 0))+" ")
	return l.put(m.st.plain, hidden).put(m.st.rule, " ──").String()
}

// boxBottom is the lower edge, with the keys in it and how much is hidden.
func (m *model) boxBottom(w int, keys []key.Binding, hidden string) string {
	l := newLine(w).put(m.st.rule, "└")
	room := w - 3
	if hidden != "" {
		room -= len(hidden) + 3
	}
	for _, b := range keys {
		h := b.Help()
		if need := 2 + width(h.Key) + 1 + width(h.Desc); l.x+need <= room {
			l.put(m.st.rule, "─ ").put(m.st.key, h.Key).put(m.st.dim, " "+h.Desc+" ")
		}
	}
	if hidden != "" {
		l.put(m.st.rule, strings.Repeat("─", max(w-3-len(hidden)-1-l.x, 0))+" ").put(m.st.plain, hidden).put(m.st.rule, " ")
	}
	return l.put(m.st.rule, strings.Repeat("─", max(w-1-l.x, 0))+"┘").String()
}

// box is the base of every overlay.
type box struct{ scroll scroller }

func (b *box) scroller() *scroller       { return &b.scroll }
func (b *box) foot(*model, int) []string { return nil }
func (b *box) refresh(*model)            {}
