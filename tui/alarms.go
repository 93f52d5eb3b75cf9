package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
)

// alarmsPane is the findings that stand, without those that fold under
// another one. The selection is the gravest one until the operator chooses
// another; then it holds on to that finding, not to its row.
type alarmsPane struct {
	shown  []cluster.Finding
	folded map[string][]cluster.Finding // by the ID of the finding above
	at     int
	id     string
	moved  bool      // the operator chose the finding
	slid   time.Time // when another finding was selected by itself, by the human clock
	human  cluster.Clock
	acked  map[string]bool // acknowledged here, until the state says so too
	first  offerCache
}

// take sorts a new list of findings. While a box stands over the panes the
// selection is held: what the box is about stays selected below it.
func (p *alarmsPane) take(all []cluster.Finding, held bool) {
	p.shown, p.folded = nil, map[string][]cluster.Finding{}
	stands := map[string]bool{}
	for _, f := range all {
		stands[f.ID()] = true
	}
	for _, f := range all {
		if f.Acked {
			delete(p.acked, f.ID())
		}
		f.Acked = f.Acked || p.acked[f.ID()]
		if f.Under != "" && stands[f.Under] {
			p.folded[f.Under] = append(p.folded[f.Under], f)
			continue
		}
		p.shown = append(p.shown, f)
	}
	for id := range p.acked {
		if !stands[id] {
			delete(p.acked, id)
		}
	}
	p.settle(held)
}

// settle finds the selected finding again, or goes to the gravest one.
func (p *alarmsPane) settle(held bool) {
	for i, f := range p.shown {
		if f.ID() == p.id && (p.moved || held) {
			p.at = i
			return
		}
	}
	if held {
		p.at = -1 // it went away; the next one is chosen when the box is closed
		return
	}
	p.moved = false
	was := p.id
	if p.choose(0); was != "" && p.id != was {
		p.slid = p.human.Now()
	}
}

// slides is how long a finding that was selected by itself is only looked at:
// who was about to press a key for the one before shall not do it to this one.
const slides = 700 * time.Millisecond

// slidJustNow answers whether another finding has just been selected by itself;
// once told, that is known.
func (p *alarmsPane) slidJustNow() bool {
	just := !p.slid.IsZero() && p.human.Now().Sub(p.slid) < slides
	p.slid = time.Time{}
	return just
}

// move is the operator's own choice.
func (p *alarmsPane) move(by int) {
	was := p.at
	p.choose(p.at + by)
	p.moved = p.moved || p.at != was
}

func (p *alarmsPane) choose(i int) {
	p.at = max(min(i, len(p.shown)-1), 0)
	p.id = ""
	if f, ok := p.selected(); ok {
		p.id = f.ID()
	}
}

func (p *alarmsPane) selected() (cluster.Finding, bool) {
	if p.at < 0 || p.at >= len(p.shown) {
		return cluster.Finding{}, false
	}
	return p.shown[p.at], true
}

func (p *alarmsPane) ack(id string) {
	if p.acked == nil {
		p.acked = map[string]bool{}
	}
	p.acked[id] = true
	for i := range p.shown {
		if p.shown[i].ID() == id {
			p.shown[i].Acked = true
		}
	}
}

func (m *model) alarmsKey(k tea.KeyMsg) tea.Cmd {
	switch {
	case is(k, m.keys.Up):
		m.alarms.move(-1)
	case is(k, m.keys.Down):
		m.alarms.move(+1)
	case is(k, m.keys.Choose):
		m.why()
	}
	return nil
}

// drawAlarms draws at most five findings, the gravest first. Rows that stay
// empty go to the selected finding, then to titles that had to be cut.
func (m *model) drawAlarms(r rect) []string {
	n := len(m.alarms.shown)
	room := min(r.h-1, 5)
	top := max(min(m.alarms.at-room+1, n-room), 0)
	rows := []string{m.alarmHead(r.w, n, n-room)}
	last := min(top+room, n)
	spare := r.h - 1 - (last - top)
	more := m.alarmMore(top, last, r.w, spare)
	for i := top; i < last; i++ {
		chosen := i == m.alarms.at && m.focus == paneAlarms && m.top() == nil
		row, _ := m.alarmRow(m.alarms.shown[i], r.w, chosen, len(more[i]) > 0)
		rows = append(append(rows, row), more[i]...)
	}
	return padRows(rows, r.w, r.h)
}

func (m *model) alarmHead(w, n, more int) string {
	l := newLine(w-1).gap(1).put(m.head(paneAlarms), "ALARMS").gap(3)
	if n == 0 {
		l.put(m.st.dim, "none")
		if m.state != nil && m.state.Last != nil {
			last := m.state.Last
			l.gap(3).right(m.st.dim, "last: "+last.ID+", "+clockText(last.Ended)+"Z, for "+stoodText(last))
		}
		return l.String() + " "
	}
	fresh, folded := 0, 0
	for _, f := range m.alarms.shown {
		if !f.Acked {
			fresh++
		}
		folded += len(m.alarms.folded[f.ID()])
	}
	says := plural(n, "finding", "findings")
	if fresh > 0 {
		says += ", " + plural(fresh, "new", "new")
	}
	if folded > 0 {
		says += ", " + plural(folded, "consequence", "consequences") + " folded"
	}
	l.put(m.st.plain, says)
	if more > 0 {
		l.gap(3).right(m.st.strong, "+"+plural(more, "further", "further"))
	}
	return l.String() + " "
}

// alarmRow is one finding: priority, new or seen, which came first, name,
// title, how it is known and since when, what it folds, and what is offered.
// rest is what its row has no room for: with whole the title is cut between
// words, since the rest stands below.
func (m *model) alarmRow(f cluster.Finding, w int, chosen, whole bool) (row, rest string) {
	p := m.st.priority(f.Priority)
	l := newLine(w - 1)
	if chosen {
		l.put(m.st.strong, ">")
	}
	l.to(1).put(p, f.Priority.String()).gap(1)
	if chosen {
		p = p.reversed()
	}
	fresh := "   "
	if !f.Acked {
		fresh = "new"
	}
	l.col(m.st.strong, fresh, 4)
	tail := m.alarmTail(f, w)
	name := alarmName(f)
	room := w - 2 - l.x - width(tail)
	l.upTo(p, name, room)
	room -= width(name) + 1
	if f.FirstOut && len(m.alarms.shown) > 1 && room > len(cameFirst) {
		l.put(m.st.strong, cameFirst) // of all that stand; with one there is nothing to tell apart
		room -= len(cameFirst)
	}
	rest = f.Title
	if room > 11 && f.Title != "" {
		text := ": " + f.Title
		if parts := wrap(text, room); len(parts) > 1 {
			rest = strings.TrimPrefix(text, parts[0]+" ")
			if whole {
				text = parts[0]
			}
		} else {
			rest = ""
		}
		l.upTo(m.st.plain, text, room)
	}
	return l.gap(1).right(m.st.plain, tail).String() + " ", rest
}

func alarmName(f cluster.Finding) string {
	if f.Node == "" {
		return f.Failure
	}
	return f.Failure + " " + strings.Join(f.Nodes, " ")
}

// cameFirst is said of the finding that came first of those that stand: it
// may be the cause. It must not be read as "do this first".
const cameFirst = ", came first"

// alarmMore gives the rows that stand empty to the findings, by their place:
// to the selected one the rest of its title and what to do first, to the
// others the rest of theirs, then to what the selected one folds.
func (m *model) alarmMore(top, last, w, spare int) map[int][]string {
	more := map[int][]string{}
	const at = 8
	add := func(i int, text string, p paint) {
		if text == "" || spare <= 0 {
			return
		}
		parts := wrap(text, w-at-2)
		if n := len(parts); n > spare {
			parts = append(parts[:spare-1], words(strings.Join(parts[spare-1:], " "), w-at-2))
		}
		spare -= len(parts)
		for _, s := range parts {
			more[i] = append(more[i], newLine(w).gap(at).put(p, s).String())
		}
	}
	rest := func(i int) {
		_, text := m.alarmRow(m.alarms.shown[i], w, false, false)
		if len(wrap(text, w-at-2)) <= spare {
			add(i, text, m.st.plain)
		}
	}
	sel := m.alarms.at
	chosen := sel >= top && sel < last
	if chosen {
		d, _ := m.door.Describe(m.alarms.shown[sel].Failure)
		if d.First != "" {
			spare-- // the rest of a long title must not push it away
		}
		rest(sel)
		if d.First != "" {
			spare++
			add(sel, "do first: "+d.First, m.st.plain)
		}
	}
	for i := top; i < last; i++ {
		if i != sel {
			rest(i)
		}
	}
	if chosen {
		for _, c := range m.alarms.folded[m.alarms.shown[sel].ID()] {
			add(sel, "+ "+alarmName(c)+"   folded: its consequence", m.st.dim)
		}
	}
	return more
}

// mended answers whether a plan of ours is at work on one of the finding's nodes,
// or, where the finding is about the cluster, on who leads or belongs.
func (m *model) mended(f cluster.Finding) bool {
	r := m.running()
	switch {
	case r == nil || r.Plan.Tier == cluster.T0:
		return false
	case f.Node == "" && r.Plan.Tier >= cluster.T3:
		return true
	}
	return r.Plan.Node != "" && slices.Contains(f.Nodes, r.Plan.Node)
}

// alarmTail is the right end of a finding's row.
func (m *model) alarmTail(f cluster.Finding, w int) string {
	var parts []string
	if n := len(m.alarms.folded[f.ID()]); n > 0 {
		parts = append(parts, "+"+plural(n, "folded", "folded"))
	}
	since := ageText(m.now().Sub(f.Since))
	word := "confirmed"
	if f.Certainty == cluster.Suspected {
		word = "? suspected"
	}
	switch {
	case w >= 100 && m.mended(f):
		parts = append(parts, fmt.Sprintf("%-18s", "being mended"))
	case m.mended(f):
		parts = append(parts, "being mended")
	case w >= 100:
		parts = append(parts, fmt.Sprintf("%-11s %6s", word, since))
	case f.Certainty == cluster.Suspected:
		parts = append(parts, word+" "+since)
	default:
		parts = append(parts, since)
	}
	if w >= 100 {
		last, n := clip(m.alarms.first.of(f.ID()), 23)
		parts = append(parts, last+strings.Repeat(" ", 23-n))
	}
	return strings.Join(parts, "   ")
}
