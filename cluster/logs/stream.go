package logs

import (
	"bytes"
	"time"
	"unicode/utf8"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

const (
	maxStreams = 255
	// maxRaw bounds a line on intake, maxText what is held of it.
	maxRaw  = 64 << 10
	maxText = 8 << 10
	// partialFor is how long the start of a line waits for its end.
	partialFor = 5 * time.Second
)

// entry is a line on its way to the rings. Its text stands in the batch or the
// queue that holds the entry.
type entry struct {
	key     int64 // place in time by which lines are merged: never falls within a stream
	stamp   int64 // corrected; 0 for none
	arrived int64
	start   int
	length  int
	at      int64 // where its line begins in the stream
	cut     int64
	sign    int16 // -1 for none
	level   cluster.Level
	kind    cluster.LineKind
}

// batch is what one answer brought of one stream.
type batch struct {
	entries []entry
	text    []byte
	hits    []hit
	bytes   uint64
	spans   []span // of files that were begun
	rotated []span // of those that have a name since
}

// hit is a sign in a line of the batch.
type hit struct{ sign, entry int }

func (b *batch) reset() {
	b.entries, b.text, b.hits, b.bytes, b.spans = b.entries[:0], b.text[:0], b.hits[:0], 0, b.spans[:0]
	b.rotated = b.rotated[:0]
}

// mostKept bounds the room that a quiet log keeps for what comes next.
const mostKept = 512 << 10

// shrink gives back the room that catching up took.
func (b *batch) shrink() {
	if cap(b.text) > mostKept {
		*b = batch{}
	}
}

// stream turns the bytes of one log into lines. It belongs to the goroutine of
// its node.
type stream struct {
	index         int
	node, service string
	matcher       *Matcher

	now   int64 // our clock when the bytes at hand arrived
	ahead int64 // how far the node's clock is ahead of ours
	batch batch

	pos    int64 // bytes of the stream up to the end of what was taken
	openAt int64 // where the open line begins
	span   span  // of the newest bytes

	partial []byte // start of a line whose end is not there yet, up to maxRaw
	lost    int64  // bytes of that line beyond maxRaw
	open    bool   // there is such a line
	since   int64  // when its last byte arrived
	edge    bool   // the file ended within it
	hole    hole

	key     int64
	last    int64 // the newest stamp; 0 for none
	level   cluster.Level
	matches []int
}

func newStream(index int, node, service string, m *Matcher) *stream {
	return &stream{index: index, node: node, service: service, matcher: m}
}

// take cuts bytes into lines. Whole lines are read where they lie; the buffer
// is searched for signs at once.
func (s *stream) take(data []byte) {
	s.batch.bytes += uint64(len(data))
	s.pos += int64(len(data))
	s.closeHole(data)
	if s.open {
		data = s.goOn(data)
	}
	next := s.matcher.Next(data, 0)
	for len(data) > 0 {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			s.keep(data)
			return
		}
		s.line(data[:end], s.pos-int64(len(data)), 0, next <= end)
		data = data[end+1:]
		if next -= end + 1; next < 0 {
			next = s.matcher.Next(data, 0)
		}
	}
}

// goOn adds to the open line and returns what follows it.
func (s *stream) goOn(data []byte) []byte {
	if s.edge {
		s.edge = false
		if _, n := parseStamp(data); n > 0 {
			s.flush() // the new file begins with a line of its own
			return data
		}
	}
	end := bytes.IndexByte(data, '\n')
	if end < 0 {
		s.keep(data)
		return nil
	}
	s.keep(data[:end])
	s.flush()
	return data[end+1:]
}

// keep holds the start of a line.
func (s *stream) keep(data []byte) {
	if !s.open {
		s.openAt = s.pos - int64(len(data))
	}
	s.open, s.since = true, s.now
	room := min(maxRaw-len(s.partial), len(data))
	s.partial = append(s.partial, data[:room]...)
	s.lost += int64(len(data) - room)
}

// flush makes a line of what is open.
func (s *stream) flush() {
	if !s.open {
		return
	}
	s.line(s.partial, s.openAt, s.lost, true)
	s.partial, s.lost, s.open, s.edge = s.partial[:0], 0, false, false
}

// idle shows what nothing follows: a line that was never ended (a prompt, a
// process's last words), a hole at the end.
func (s *stream) idle() {
	if s.open && s.now-s.since > int64(partialFor) {
		s.flush()
	}
	if s.hole.open && s.now-s.hole.since > int64(partialFor) {
		s.closeHole(nil)
	}
}

// fileEnd hears that the next bytes are of another file.
func (s *stream) fileEnd() { s.edge = s.open }

// line takes one line apart and adds it; it begins at that place of the stream,
// and ask tells whether it may have a sign.
func (s *stream) line(raw []byte, at, lost int64, ask bool) {
	if len(raw) > maxRaw {
		lost += int64(len(raw) - maxRaw)
		raw = raw[:maxRaw]
	}
	ns, n := parseStamp(raw)
	text := raw[n:]
	e := entry{at: at, cut: lost, sign: -1, level: levelOf(s.service, text)}
	if n > 0 {
		e.stamp = ns - s.ahead
		s.last = e.stamp
	}
	if e.level == cluster.LevelNone && continues(text) {
		e.level = s.level
	}
	s.level = e.level
	if ask {
		s.matches = s.matcher.AppendMatches(s.matches[:0], s.service, text)
		for _, m := range s.matches {
			s.batch.hits = append(s.batch.hits, hit{sign: m, entry: len(s.batch.entries)})
		}
		if len(s.matches) > 0 {
			e.sign = int16(s.matches[0])
		}
	}
	s.add(e, text)
}

// add gives the line its place in time and makes its text safe.
func (s *stream) add(e entry, text []byte) {
	switch {
	case e.stamp != 0:
		// A clock that jumped ahead for one line must not hold the stream, and
		// the order of all others, in a time that is not yet.
		s.key = max(s.key, min(e.stamp, s.now))
	case s.key == 0:
		s.key = s.now
	}
	e.key, e.arrived, e.start = s.key, s.now, len(s.batch.text)
	text = lastState(text)
	if shown := wholeRunes(text, maxText); len(shown) < len(text) {
		e.cut += int64(len(text) - len(shown))
		text = shown
	}
	s.batch.text = remote.AppendSafe(s.batch.text, text)
	if long := len(s.batch.text) - e.start - maxText; long > 0 { // marks take more room
		held := wholeRunes(s.batch.text[e.start:], maxText)
		e.cut += int64(long)
		s.batch.text = s.batch.text[:e.start+len(held)]
	}
	e.length = len(s.batch.text) - e.start
	s.batch.entries = append(s.batch.entries, e)
}

// lastState is what a terminal would show at last of a line that overwrites
// itself: progress bars.
func lastState(text []byte) []byte {
	for len(text) > 0 && text[len(text)-1] == '\r' {
		text = text[:len(text)-1]
	}
	return text[bytes.LastIndexByte(text, '\r')+1:]
}

// wholeRunes cuts text to at most n bytes without tearing a rune.
func wholeRunes(text []byte, n int) []byte {
	if len(text) <= n {
		return text
	}
	for back := 0; back < utf8.UTFMax && n > back; back++ {
		if utf8.RuneStart(text[n-back]) {
			return text[:n-back]
		}
	}
	return text[:n]
}
