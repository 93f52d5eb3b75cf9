package logs

import (
	"fmt"
	"regexp"
	"slices"

	"chef-backend-cockpit/cluster"
)

// maxSigns bounds the set of candidates that lives on the stack.
const maxSigns = 1024

// leastLiteral is how many bytes of a pattern must be literal, so that the
// prefilter can skip.
const leastLiteral = 4

// Matcher recognises signs. All patterns share one literal prefilter: a search
// that looks at pairs of bytes and skips by the shortest literal (Wu and
// Manber, "A fast algorithm for multi-pattern searching", 1994). Only where a
// literal stands is the pattern itself asked. It is immutable and safe for
// concurrent use; on lines without a sign it allocates nothing.
type Matcher struct {
	signs []cluster.Sign
	res   []*regexp.Regexp

	window int           // bytes of every literal that the search looks at
	shift  [1 << 16]byte // by pair of bytes: how far one may skip
	bucket [1 << 16]uint16
	chains [][]filter // chains[bucket-1]: literals whose window ends in the pair
}

// filter is a literal with the place of its window and the sign behind it.
type filter struct {
	literal
	after int // bytes of the literal after its window
	sign  uint16
}

// candidates is a set of signs whose literal was found.
type candidates [maxSigns / 64]uint64

// NewMatcher compiles signs. A malformed pattern, or one from which no literal
// of four bytes can be derived, is an error that names the sign.
func NewMatcher(signs []cluster.Sign) (*Matcher, error) {
	if len(signs) > maxSigns {
		return nil, fmt.Errorf("%d signs; at most %d are possible", len(signs), maxSigns)
	}
	m := &Matcher{signs: slices.Clone(signs)}
	var filters []filter
	for i, s := range signs {
		re, err := regexp.Compile(s.Pattern)
		if err != nil {
			return nil, fmt.Errorf("sign %s: %w", s.Name, err)
		}
		set, err := requiredLiterals(s.Pattern, leastLiteral)
		if err != nil {
			return nil, fmt.Errorf("sign %s: %w", s.Name, err)
		}
		if set == nil {
			return nil, fmt.Errorf("sign %s: the pattern %q has no literal of at least %d bytes that every match must hold; make it more specific", s.Name, s.Pattern, leastLiteral)
		}
		m.res = append(m.res, re)
		for _, l := range set {
			filters = append(filters, filter{literal: l, sign: uint16(i)})
		}
	}
	m.build(filters)
	return m, nil
}

// Sign is the sign with the index that Match gave.
func (m *Matcher) Sign(index int) cluster.Sign { return m.signs[index] }

// Match is the index of the first sign, in the order of the catalogue, that
// the line of that service matches; -1 for none. line has no stamp of svlogd.
func (m *Matcher) Match(service string, line []byte) (index int) {
	var c candidates
	if !m.collect(line, &c) {
		return -1
	}
	for i, bits := range c {
		for ; bits != 0; bits &= bits - 1 {
			if s := i*64 + lowest(bits); m.verify(s, service, line) {
				return s
			}
		}
	}
	return -1
}

// AppendMatches appends the indices of all signs that the line matches, in the
// order of the catalogue.
func (m *Matcher) AppendMatches(to []int, service string, line []byte) []int {
	var c candidates
	if !m.collect(line, &c) {
		return to
	}
	for i, bits := range c {
		for ; bits != 0; bits &= bits - 1 {
			if s := i*64 + lowest(bits); m.verify(s, service, line) {
				to = append(to, s)
			}
		}
	}
	return to
}

// Next looks through a buffer of many lines at once, from the start of a line.
// It gives a place in the next line that may have a sign: lines that end before
// that place have none. Beyond the last such line it gives len(b)+1.
func (m *Matcher) Next(b []byte, from int) int {
	end, chain := m.find(b, from+m.window)
	if chain == nil {
		return len(b) + 1
	}
	return end
}

func (m *Matcher) verify(sign int, service string, line []byte) bool {
	s := m.signs[sign].Services
	return (len(s) == 0 || slices.Contains(s, service)) && m.res[sign].Match(line)
}

// collect gathers the signs that have a literal in the line.
func (m *Matcher) collect(line []byte, c *candidates) bool {
	any := false
	for end := m.window; ; end++ {
		var chain []filter
		if end, chain = m.find(line, end); chain == nil {
			return any
		}
		for i := range chain {
			if f := &chain[i]; f.stands(line, end) {
				c[f.sign/64] |= 1 << (f.sign % 64)
				any = true
			}
		}
	}
}

// find looks for a literal whose window ends at end or later: where the window
// ends, and the literals of its pair, one of which stands there. Without one
// it gives len(b) and nil.
func (m *Matcher) find(b []byte, end int) (int, []filter) {
	if m.window == 0 {
		return len(b), nil
	}
	for end <= len(b) {
		pair := uint16(b[end-2])<<8 | uint16(b[end-1])
		if skip := m.shift[pair]; skip != 0 {
			end += int(skip)
			continue
		}
		chain := m.chains[m.bucket[pair]-1]
		for i := range chain {
			if chain[i].stands(b, end) {
				return end, chain
			}
		}
		end++
	}
	return len(b), nil
}

// stands tells whether the literal stands in b so that its window ends at end.
func (f *filter) stands(b []byte, end int) bool {
	end += f.after
	start := end - len(f.text)
	if start < 0 || end > len(b) {
		return false
	}
	if !f.fold {
		return string(b[start:end]) == f.text
	}
	return equalFold(b[start:end], f.text)
}

// equalFold compares ASCII letters of any case with lower-case text of the
// same length.
func equalFold(b []byte, lower string) bool {
	for i := range b {
		if lowerByte(b[i]) != lower[i] {
			return false
		}
	}
	return true
}

func lowerByte(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
