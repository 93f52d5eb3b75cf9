package logs

import (
	"slices"

	"chef-backend-cockpit/cluster"
)

// Page is a run of matching lines, oldest first.
type Page struct {
	Lines []cluster.Line
	Newer uint64 // matching lines that are held and newer than the last of Lines
	Older bool   // there are older matching lines that are held
	Held  uint64 // lines held at all
	// Beyond: nothing older is held, but ReadBack may find more on the nodes.
	Beyond bool
	// Hole are the lines around which others are held no more: those after the
	// first and before the second; both 0 for none.
	Hole [2]uint64
}

// Page returns at most n lines that match, ending at the line with sequence
// number end (0: the newest). The error is a malformed expression. It does not
// wait for the network.
func (l *Logs) Page(q Query, end uint64, n int) (Page, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a, err := l.store.ask(q)
	if err != nil {
		return Page{}, err
	}
	p := Page{Held: l.store.next - l.store.first}
	behind := l.behind(end)
	if !behind {
		p = l.store.page(a, end, n)
	}
	if l.past.store != nil {
		if err := l.addPast(&p, q, end, n); err != nil {
			return Page{}, err
		}
	}
	if behind {
		p.Newer += l.store.countAfter(a, 0)
	}
	p.Beyond = !p.Older && !(l.past.began && (behind || l.joins())) && l.readable()
	return p, nil
}

// addPast puts lines that were read back before those of the rings.
func (l *Logs) addPast(p *Page, q Query, end uint64, n int) error {
	past := &l.past
	b, err := past.store.ask(q)
	if err != nil {
		return err
	}
	p.Held += past.store.next - past.store.first
	if !l.joins() && !past.empty() {
		p.Hole = [2]uint64{past.newest(), l.store.first}
	}
	switch {
	case l.behind(end):
		p.Lines, p.Older = past.page(b, end, n)
		if len(p.Lines) > 0 {
			end = p.Lines[len(p.Lines)-1].Seq
		}
		p.Newer = past.newer(b, end)
	case l.joins() && !p.Older:
		older, more := past.page(b, past.anchor-1, n-len(p.Lines))
		p.Lines, p.Older = slices.Concat(older, p.Lines), more
	}
	return nil
}

// readable tells whether there is anybody to read back from.
func (l *Logs) readable() bool {
	return slices.ContainsFunc(l.followers, func(f *follower) bool { return f.host != nil })
}

// Find is the next line after (dir > 0) or before (dir < 0) from that matches,
// among those that are held; false when there is none or the expression is
// malformed. Before 0 is the newest.
func (l *Logs) Find(q Query, from uint64, dir int) (seq uint64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a, err := l.store.ask(q)
	if err != nil {
		return 0, false
	}
	var b *answersTo
	if l.past.store != nil {
		b, _ = l.past.store.ask(q) // the same query: it is well formed
	}
	if dir > 0 {
		if b != nil && from < l.store.first {
			if seq, ok := l.past.find(b, from, dir); ok {
				return seq, true
			}
		}
		return l.store.following(a, from)
	}
	if from == 0 || from > l.store.next {
		from = l.store.next
	}
	if seq, ok := l.store.before(a, from); ok {
		return seq, true
	}
	if b == nil || !l.behind(from) && !l.joins() {
		return 0, false
	}
	return l.past.find(b, from, dir)
}
