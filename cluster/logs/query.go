package logs

import (
	"math/bits"
	"regexp"
	"slices"
	"strings"

	"chef-backend-cockpit/cluster"
)

// blockLines is how many lines are asked about at once: the bits of a word.
const blockLines = 64

// blockCost is what the answers to all remembered queries take per line.
const blockCost = maxCached * 24 / blockLines

// maxCached is how many queries are remembered: the screen asks the same few
// over and over while the lines pass by.
const maxCached = 4

// yieldBlocks is after how many blocks a slow question lets the others have a
// turn: about a millisecond.
const yieldBlocks = 16

// answersTo remembers which lines match a query. Lines are asked about in
// blocks, each line once, and only where somebody looks.
type answersTo struct {
	query  Query
	test   *test
	blocks []block // by block number % len
}

// block is the answer for 64 lines.
type block struct {
	number uint64 // seq / 64
	done   uint64 // lines of it that were asked about, from its start
	match  uint64
}

// test is a compiled query.
type test struct {
	all     bool // everything matches
	streams [maxStreams]bool
	level   cluster.Level
	signs   bool
	literal *needle        // stands in every match; nil for none
	re      *regexp.Regexp // nil: the literal is the whole question
}

func (s *store) compile(q Query) (*test, error) {
	t := &test{level: q.MinLevel, signs: q.Signs}
	t.all = len(q.Nodes)+len(q.Services) == 0 && q.MinLevel == 0 && q.Text == "" && !q.Signs
	for i, n := range s.names {
		t.streams[i] = (len(q.Nodes) == 0 || slices.Contains(q.Nodes, n.node)) &&
			(len(q.Services) == 0 || slices.Contains(q.Services, n.service))
	}
	if q.Text == "" {
		return t, nil
	}
	if !q.Regexp {
		lower := strings.ToLower(q.Text)
		t.literal = newNeedle(literal{text: q.Text, fold: lower == q.Text})
		return t, nil
	}
	re, err := regexp.Compile(q.Text)
	if err != nil {
		return nil, err
	}
	t.re = re
	if set, _ := requiredLiterals(q.Text, 2); len(set) == 1 {
		t.literal = newNeedle(set[0])
	}
	return t, nil
}

// ask finds or makes the answers to a query.
func (s *store) ask(q Query) (*answersTo, error) {
	for i, a := range s.cache {
		if a.query.equal(q) {
			copy(s.cache[1:i+1], s.cache[:i])
			s.cache[0] = a
			return a, nil
		}
	}
	t, err := s.compile(q)
	if err != nil {
		return nil, err
	}
	a := &answersTo{query: q.clone(), test: t}
	if !t.all {
		a.blocks = make([]block, len(s.index)/blockLines+1)
		s.cache = slices.Insert(s.cache[:min(len(s.cache), maxCached-1)], 0, a)
	}
	return a, nil
}

func (q Query) equal(o Query) bool {
	return q.Text == o.Text && q.Regexp == o.Regexp && q.Signs == o.Signs && q.MinLevel == o.MinLevel &&
		slices.Equal(q.Nodes, o.Nodes) && slices.Equal(q.Services, o.Services)
}

func (q Query) clone() Query {
	q.Nodes, q.Services = slices.Clone(q.Nodes), slices.Clone(q.Services)
	return q
}

// matches are the bits of the lines of a block that are held and match.
func (s *store) matches(a *answersTo, number uint64) uint64 {
	from, to := max(s.first, number*blockLines), min(s.next, (number+1)*blockLines)
	if from >= to {
		return 0
	}
	held := bitsBetween(from%blockLines, to-number*blockLines)
	if a.test.all {
		return held
	}
	b := &a.blocks[number%uint64(len(a.blocks))]
	if b.number != number {
		*b = block{number: number}
	}
	if to-number*blockLines > b.done {
		from = max(from, number*blockLines+b.done)
		b.match |= s.test(a.test, from, to)
		b.done = to - number*blockLines
		held &= b.match
		if s.asked++; a.test.re != nil && s.asked%yieldBlocks == 0 && s.yield != nil {
			s.yield()
		}
		return held
	}
	return b.match & held
}

func bitsBetween(from, to uint64) uint64 {
	m := ^uint64(0) << from
	if to < 64 {
		m &= 1<<to - 1
	}
	return m
}

// test asks about the lines from…to-1 of one block.
func (s *store) test(t *test, from, to uint64) (match uint64) {
	hits := ^uint64(0)
	if t.literal != nil {
		hits = s.hits(t.literal, from, to)
	}
	for seq := from; seq < to; seq++ {
		bit := uint64(1) << (seq % blockLines)
		if hits&bit == 0 {
			continue
		}
		r := s.record(seq)
		if t.streams[r.stream] && t.attributes(r) && (t.re == nil || t.re.Match(s.text(r))) {
			match |= bit
		}
	}
	return match
}

// attributes asks level and signs. A gap and a log's beginning pass every level: that
// something is missing matters to whoever looks for the grave lines.
func (t *test) attributes(r *record) bool {
	if t.signs && r.sign < 0 {
		return false
	}
	return r.level >= t.level || r.kind != cluster.LineText
}

// hits are the lines of one block in which the needle stands. Their texts lie
// side by side, but where the arena begins anew.
func (s *store) hits(n *needle, from, to uint64) (hits uint64) {
	for from < to {
		last := from
		for last+1 < to && s.record(last+1).start > s.record(last).start {
			last++
		}
		begin, end := s.record(from).start, s.record(last)
		text := s.arena[begin : end.start+uint32(end.length)]
		seq := from
		for at := n.index(text, 0); at >= 0; {
			for seq < last && s.record(seq+1).start-begin <= uint32(at) {
				seq++
			}
			r := s.record(seq)
			after := int(r.start-begin) + int(r.length)
			if at+len(n.text) <= after {
				hits |= 1 << (seq % blockLines)
			}
			at = n.index(text, after+1)
		}
		from = last + 1
	}
	return hits
}

// page collects at most n matching lines up to end, and counts the newer ones.
func (s *store) page(a *answersTo, end uint64, n int) Page {
	if end == 0 || end >= s.next {
		end = s.next - 1
	}
	p := Page{Held: s.next - s.first}
	seq, ok := s.before(a, end+1)
	for ; ok && len(p.Lines) < n; seq, ok = s.before(a, seq) {
		if seq >= s.first { // else it gave way while others had their turn
			p.Lines = append(p.Lines, s.line(seq))
		}
	}
	p.Older = ok
	if len(p.Lines) > 0 {
		end = p.Lines[0].Seq
	}
	slices.Reverse(p.Lines)
	p.Newer = s.countAfter(a, end)
	return p
}

// before is the newest matching line older than seq.
func (s *store) before(a *answersTo, seq uint64) (uint64, bool) {
	if seq <= s.first {
		return 0, false
	}
	number := (seq - 1) / blockLines
	mask := bitsBetween(0, seq-number*blockLines)
	for ; ; number-- {
		if m := s.matches(a, number) & mask; m != 0 {
			return number*blockLines + uint64(63-bits.LeadingZeros64(m)), true
		}
		if number <= s.first/blockLines {
			return 0, false
		}
		mask = ^uint64(0)
	}
}

// following is the oldest matching line newer than seq.
func (s *store) following(a *answersTo, seq uint64) (uint64, bool) {
	seq = max(seq+1, s.first)
	mask := ^uint64(0) << (seq % blockLines)
	for number := seq / blockLines; number*blockLines < s.next; number++ {
		if m := s.matches(a, number) & mask; m != 0 {
			return number*blockLines + uint64(bits.TrailingZeros64(m)), true
		}
		mask = ^uint64(0)
	}
	return 0, false
}

func (s *store) countAfter(a *answersTo, seq uint64) (n uint64) {
	seq = max(seq+1, s.first)
	mask := ^uint64(0) << (seq % blockLines)
	for number := seq / blockLines; number*blockLines < s.next; number++ {
		n += uint64(bits.OnesCount64(s.matches(a, number) & mask))
		mask = ^uint64(0)
	}
	return n
}
