package logs

import (
	"time"

	"chef-backend-cockpit/cluster"
)

// record is a placed line in the index: no pointers, 40 bytes.
type record struct {
	stamp  int64
	cut    int64
	at     int64  // where the line begins in its stream
	start  uint32 // in the arena
	length uint16
	sign   int16
	stream uint8
	level  cluster.Level
	kind   cluster.LineKind
	late   bool
}

// recordSize is what a record takes of the ring's bytes.
const recordSize = 40

// bytesPerLine divides the ring between index and arena: the lines of Chef
// Backend are a little shorter than this on average.
const bytesPerLine = 128

// store holds placed lines in two rings without pointers: the index by
// sequence number and the arena of their texts, each ended by a line feed. The
// oldest give way. It is not safe for concurrent use.
type store struct {
	arena  []byte
	index  []record // seq % len
	first  uint64   // oldest sequence number that is held
	next   uint64   // the next to be given; first == next: empty
	head   int      // where in the arena the next text goes
	newest int64    // greatest key placed so far

	names  []streamName
	signOf func(int16) string
	cache  []*answersTo
	asked  int    // blocks of lines that were asked about
	yield  func() // lets others use the store for a moment; nil: nobody else does
}

type streamName struct{ node, service string }

func newStore(bytes int, names []streamName, signOf func(int16) string) *store {
	lines := max(bytes/bytesPerLine/64*64, 64)
	arena := max(bytes-lines*(recordSize+blockCost), 4*maxText)
	return &store{
		arena: make([]byte, arena), index: make([]record, lines),
		first: 1, next: 1, names: names, signOf: signOf,
	}
}

func (s *store) record(seq uint64) *record { return &s.index[seq%uint64(len(s.index))] }

func (s *store) text(r *record) []byte { return s.arena[r.start : r.start+uint32(r.length)] }

// place appends a line: it gets the next sequence number and never moves.
func (s *store) place(stream int, e entry, text []byte) {
	start := s.room(len(text) + 1)
	copy(s.arena[start:], text)
	s.arena[start+len(text)] = '\n'
	if s.next-s.first == uint64(len(s.index)) {
		s.first++
	}
	*s.record(s.next) = record{
		stamp: e.stamp, cut: e.cut, at: e.at, start: uint32(start), length: uint16(len(text)), sign: e.sign,
		stream: uint8(stream), level: e.level, kind: e.kind, late: e.key < s.newest,
	}
	s.newest = max(s.newest, e.key)
	s.next++
}

// firstAfter is the oldest line that is still held when n more bytes have been
// placed.
func (s *store) firstAfter(n int) uint64 {
	first, head := s.first, s.head
	if head+n > len(s.arena) {
		for first < s.next && int(s.record(first).start) >= head {
			first++
		}
		head = 0
	}
	for first < s.next && int(s.record(first).start) >= head && int(s.record(first).start) < head+n {
		first++
	}
	if s.next-first == uint64(len(s.index)) {
		first++
	}
	return first
}

// room makes place for n bytes in one piece and gives up the lines that stood
// there.
func (s *store) room(n int) int {
	if s.head+n > len(s.arena) {
		for s.first < s.next && int(s.record(s.first).start) >= s.head {
			s.first++
		}
		s.head = 0
	}
	for s.first < s.next {
		if at := int(s.record(s.first).start); at < s.head || at >= s.head+n {
			break
		}
		s.first++
	}
	start := s.head
	s.head += n
	return start
}

// line is the value of a held line.
func (s *store) line(seq uint64) cluster.Line {
	r := s.record(seq)
	l := cluster.Line{
		Seq: seq, Kind: r.kind, Node: s.names[r.stream].node, Service: s.names[r.stream].service,
		Text: string(s.text(r)), Level: r.level, Late: r.late, Cut: r.cut,
	}
	if r.stamp != 0 {
		l.Stamp = time.Unix(0, r.stamp).UTC()
	}
	if r.kind == cluster.LineGap {
		l.Cut = 0 // what a gap hides stands in its text
	}
	if r.sign >= 0 {
		l.Sign = s.signOf(r.sign)
	}
	return l
}
