package logs

// span says in which file bytes of a stream lie: those from at on, until the
// next span.
type span struct {
	at     int64
	id     uint64
	base   string // of a rotated file; "" for current
	offset int64
	folder string
}

// mostSpans bounds the files that are remembered of one stream: svlogd keeps
// ten.
const mostSpans = 1024

// from hears where the next bytes lie.
func (g *log) from(f file, offset int64) {
	s := &g.span
	if s.id == f.id && s.folder == g.folder && s.offset+g.pos-s.at == offset {
		return
	}
	*s = span{at: g.pos, id: f.id, offset: offset, folder: g.folder}
	if f.rotated() {
		s.base = f.base()
	}
	g.batch.spans = append(g.batch.spans, *s)
}

// rotated hears the name of what was current: it is found by it when it was
// packed and has another identity.
func (g *log) rotated(f file) {
	as := span{id: f.id, folder: g.folder, base: f.base()}
	if g.span.of(as) {
		g.span.base = as.base
	}
	g.batch.rotated = append(g.batch.rotated, as)
}

// of tells whether a span is of a current that was rotated to that.
func (s span) of(as span) bool { return s.id == as.id && s.folder == as.folder && s.base == "" }

// nameSpans gives a file's spans its name: those of older files that had its
// identity stand before others.
func nameSpans(all []span, as span) {
	for i, found := len(all)-1, false; i >= 0; i-- {
		switch {
		case all[i].of(as):
			all[i].base, found = as.base, true
		case found:
			return
		}
	}
}

// noteSpans takes what a batch says of the stream's files. The caller holds
// the lock.
func (l *Logs) noteSpans(s *stream) {
	all := append(l.spans[s.index], s.batch.spans...)
	for _, as := range s.batch.rotated {
		nameSpans(all, as)
	}
	l.spans[s.index] = all[max(0, len(all)-mostSpans):]
	l.ends[s.index] = s.pos
	if s.open {
		l.ends[s.index] = s.openAt
	}
}

// oldest is, for every stream, where its oldest line that is held or waits
// begins. The caller holds the lock.
func (l *Logs) oldest() []int64 {
	at := append([]int64(nil), l.ends...)
	for i := range l.merge.queues {
		if q := &l.merge.queues[i]; q.head < len(q.entries) {
			at[i] = q.entries[q.head].at
		}
	}
	found := make([]bool, len(at))
	missing := len(at)
	for seq := l.store.first; seq < l.store.next && missing > 0; seq++ {
		if r := l.store.record(seq); !found[r.stream] {
			found[r.stream], at[r.stream] = true, r.at
			missing--
		}
	}
	return at
}

// where is the file position of a place in a stream; false when the stream was
// never begun.
func (l *Logs) where(stream int, at int64) (span, bool) {
	all := l.spans[stream]
	for i := len(all) - 1; i >= 0; i-- {
		if s := all[i]; s.at <= at || i == 0 {
			s.offset, s.at = s.offset+max(0, at-s.at), at
			return s, true
		}
	}
	return span{}, false
}
