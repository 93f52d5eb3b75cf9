package logs

import "bytes"

// needle is a literal made ready to be searched in much text.
type needle struct {
	literal
	bytes        []byte
	rare         int  // the byte of it that is rarest in logs
	lower, upper byte // its two forms
}

func newNeedle(l literal) *needle {
	n := &needle{literal: l, bytes: []byte(l.text)}
	for i := range l.text {
		if common(l.text[i]) < common(l.text[n.rare]) {
			n.rare = i
		}
	}
	n.lower, n.upper = l.text[n.rare], l.text[n.rare]
	if both := bothCases(n.lower); l.fold && len(both) == 2 {
		n.upper = both[1]
	}
	return n
}

// index is where the needle stands in b at or after from; -1 for nowhere.
func (n *needle) index(b []byte, from int) int {
	if from+len(n.text) > len(b) {
		return -1
	}
	if !n.fold {
		if i := bytes.Index(b[from:], n.bytes); i >= 0 {
			return from + i
		}
		return -1
	}
	at := from + n.rare
	lower, upper := nextByte(b, at, n.lower), len(b)
	if n.upper != n.lower {
		upper = nextByte(b, at, n.upper)
	}
	for {
		at = min(lower, upper)
		start := at - n.rare
		if start+len(n.text) > len(b) {
			return -1
		}
		if equalFold(b[start:start+len(n.text)], n.text) {
			return start
		}
		if at == lower {
			lower = nextByte(b, at+1, n.lower)
		} else {
			upper = nextByte(b, at+1, n.upper)
		}
	}
}

// nextByte is where c stands at or after from; len(b) for nowhere.
func nextByte(b []byte, from int, c byte) int {
	if from >= len(b) {
		return len(b)
	}
	if i := bytes.IndexByte(b[from:], c); i >= 0 {
		return from + i
	}
	return len(b)
}
