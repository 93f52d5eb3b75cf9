package logs

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

const (
	// pastBytes bounds what is held of lines that were read back.
	pastBytes = 8 << 20
	// readBackMost bounds what one call reads from the nodes, so that a rare
	// text does not fetch all logs at once.
	readBackMost = 16 << 20
)

// past holds lines that are older than those of the rings, read back from the
// nodes on demand. Its store counts backwards: the oldest line was placed last.
// Where it is full it gives up its newest lines, those next to the rings: who
// scrolls up has left them behind, and from the rings they are read again.
type past struct {
	reading sync.Mutex // one reader at a time; taken before Logs.mu

	// Logs.mu guards the rest.
	store   *store
	anchor  uint64 // sequence number that follows the newest line ever placed here
	streams []*backStream
	began   bool // nothing older is left
}

// seq turns the store's numbers into those of the merged order, and back.
func (p *past) seq(n uint64) uint64 { return p.anchor - n }

// newest is the newest line that is held, if there is one.
func (p *past) newest() uint64 { return p.seq(p.store.first) }
func (p *past) empty() bool    { return p.store == nil || p.store.first == p.store.next }

// behind tells whether one who stands at seq is among what was read back. Lines
// between seq and the newest that is held there were let go on the way up.
// Callers hold the lock.
func (l *Logs) behind(seq uint64) bool {
	p := &l.past
	return seq != 0 && p.store != nil && seq < p.anchor
}

// joins tells whether the past ends where the rings begin. Callers hold the
// lock.
func (l *Logs) joins() bool {
	p := &l.past
	return p.store != nil && p.anchor == l.store.first && p.store.first == 1
}

// Back is what a call of ReadBack brought.
type Back struct {
	Lines     int      // that match
	Full      bool     // more would push out lines that match, at from or older
	Read      uint64   // bytes read from nodes
	Beginning bool     // nothing older is left
	Trouble   []string // nodes whose older lines cannot be read, and why; safe
}

// ReadBack reads lines from the nodes that are older than those held: at least
// n that match, fewer where the logs begin or readBackMost bytes were read.
// Rotated files and those packed with gzip are read too. from is the line from
// which one looks back (0: the newest): what is held of another past gives way.
// It waits for the network until ctx is done, and for another call's end; lines
// that it has placed by then stay. Nothing of it stays on a node.
func (l *Logs) ReadBack(ctx context.Context, q Query, from uint64, n int) (Back, error) {
	l.past.reading.Lock()
	defer l.past.reading.Unlock()
	l.mu.Lock()
	if l.past.store == nil || !l.behind(from) && !l.joins() {
		l.beginPast()
	}
	r := &backReader{l: l, streams: l.past.streams, query: q}
	for _, s := range r.streams {
		if s.trouble, s.files = "", nil; !s.begun { // begun meanwhile, perhaps
			s.at, s.begun = l.where(s.index, 0)
		}
		if now, ok := l.where(s.index, s.at.at); ok && s.at.base == "" && now.id == s.at.id {
			s.at.base = now.base // rotated since the last call
		}
	}
	a, err := l.past.store.ask(q)
	if err == nil {
		r.test = a.test
		r.guard, _ = l.past.store.following(a, l.past.number(from))
	}
	l.mu.Unlock()
	if err != nil {
		return Back{}, err
	}
	defer r.close()
	return r.run(ctx, n)
}

// beginPast starts anew from the oldest lines of the rings.
func (l *Logs) beginPast() {
	p := &l.past
	p.store = newStore(pastBytes, l.store.names, l.store.signOf)
	p.store.yield = l.store.yield
	p.store.newest = math.MinInt64
	p.anchor, p.began, p.streams = l.store.first, false, nil
	for i, at := range l.oldest() {
		f := l.followers[i/len(cluster.Services)]
		b := &backStream{l: l, index: i, follower: f, name: l.store.names[i], ceiling: math.MaxInt64}
		b.at, b.begun = l.where(i, at)
		p.streams = append(p.streams, b)
	}
}

// run places lines, the newest first, until enough of them match.
func (r *backReader) run(ctx context.Context, n int) (b Back, err error) {
	for b.Lines < n && !b.Full && r.read < readBackMost && ctx.Err() == nil {
		r.fill(ctx)
		s := r.newest()
		if s == nil {
			break
		}
		r.l.mu.Lock()
		r.place(s, &b)
		r.l.mu.Unlock()
	}
	b.Read = r.read
	b.Beginning = true
	for _, s := range r.streams {
		if s.trouble != "" {
			b.Trouble = append(b.Trouble, s.trouble)
		}
		b.Beginning = b.Beginning && (s.ended || !s.begun) && len(s.batch.entries) == 0 && s.trouble == ""
	}
	slices.Sort(b.Trouble)
	b.Trouble = slices.Compact(b.Trouble)
	r.l.mu.Lock()
	r.l.past.began = b.Beginning && r.begun()
	r.l.mu.Unlock()
	return b, context.Cause(ctx)
}

// begun tells whether any log was begun: else it is too early to tell.
func (r *backReader) begun() bool {
	return slices.ContainsFunc(r.streams, func(s *backStream) bool { return s.begun })
}

// newest is the stream whose newest line comes next; nil for none.
func (r *backReader) newest() (best *backStream) {
	for _, s := range r.streams {
		if len(s.batch.entries) > 0 && (best == nil || s.last().key > best.last().key) {
			best = s
		}
	}
	return best
}

// place places the newest line of a stream, and counts it if it matches. It
// does not where that would push out a matching line that is being read, unless
// it is the last one. The caller holds the lock.
func (r *backReader) place(s *backStream, b *Back) {
	p := &r.l.past
	e := s.last()
	if r.guard != 0 && p.store.firstAfter(e.length+1) > r.guard {
		if a, err := p.store.ask(r.query); err == nil {
			if _, b.Full = p.store.following(a, r.guard); b.Full {
				return
			}
		}
		r.guard = 0
	}
	s.batch.entries = s.batch.entries[:len(s.batch.entries)-1]
	text := s.batch.text[e.start : e.start+e.length]
	e.key = -e.key // late here is what is newer than what was placed before
	p.store.place(s.index, e, text)
	if seq := p.store.next - 1; p.store.test(r.test, seq, seq+1) != 0 {
		b.Lines++
		if r.guard == 0 {
			r.guard = seq
		}
	}
}

// number is the number in the store after which those lines come that are not
// newer than seq.
func (p *past) number(seq uint64) uint64 {
	if seq == 0 || seq >= p.anchor {
		return 0
	}
	return p.anchor - seq - 1
}

// newer counts the matching lines that are held here after end.
func (p *past) newer(a *answersTo, end uint64) (n uint64) {
	if end >= p.anchor {
		return 0
	}
	last := p.anchor - end
	return p.store.countAfter(a, 0) - p.store.countAfter(a, last-1)
}

// page collects at most n matching lines up to end, the newest last.
func (p *past) page(a *answersTo, end uint64, n int) (lines []cluster.Line, older bool) {
	if p.empty() {
		return nil, false
	}
	number, ok := p.store.following(a, p.number(end))
	for ; ok && len(lines) < n; number, ok = p.store.following(a, number) {
		if number >= p.store.first {
			line := p.store.line(number)
			line.Seq = p.seq(number)
			lines = append(lines, line)
		}
	}
	slices.Reverse(lines)
	return lines, ok
}

// find is the nearest matching line in a direction.
func (p *past) find(a *answersTo, from uint64, dir int) (uint64, bool) {
	if p.empty() {
		return 0, false
	}
	if dir < 0 {
		i := uint64(0)
		if from < p.anchor {
			i = p.anchor - from
		}
		n, ok := p.store.following(a, i)
		return p.seq(n), ok
	}
	if from >= p.anchor {
		return 0, false
	}
	n, ok := p.store.before(a, p.anchor-from)
	return p.seq(n), ok
}

// unreadable says why a node's lines cannot be read.
func unreadable(node string, err error) string {
	if e, ok := errors.AsType[*remote.Error](err); ok {
		return remote.Safe([]byte(e.Error()))
	}
	return node + ": " + remote.Safe([]byte(err.Error()))
}
