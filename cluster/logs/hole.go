package logs

import (
	"strconv"
	"time"

	"chef-backend-cockpit/cluster"
)

// hole is what is missing since the last line; files may be found gone one
// after the other, and it stays one hole until a byte comes.
type hole struct {
	open   bool
	bytes  int64
	exact  bool
	passed bool  // it can still be read back
	after  int64 // stamp of the last line before it; 0 for none
	since  int64
}

// gap hears that bytes are missing after what was taken.
func (s *stream) gap(n int64, exact bool) { s.miss(n, exact, false) }

// passed hears that bytes were passed over after what was taken.
func (s *stream) passed(n int64) { s.miss(n, true, true) }

func (s *stream) miss(n int64, exact, passed bool) {
	s.flush()
	h := &s.hole
	*h = hole{
		open: true, bytes: h.bytes + n, exact: exact && (h.exact || !h.open),
		passed: passed && (h.passed || !h.open), after: s.last, since: s.now,
	}
}

// closeHole puts one record where lines are missing: how much, between which
// stamps, and why. next is what comes after the hole, from the start of a line;
// nil while nothing does.
func (s *stream) closeHole(next []byte) {
	if !s.hole.open {
		return
	}
	h := s.hole
	text := ""
	switch n := strconv.FormatInt(h.bytes, 10); {
	case h.exact:
		text = n + " bytes"
	case h.bytes > 0:
		text = "at least " + n + " bytes"
	default:
		text = "at least 0 bytes, nobody knows how many"
	}
	before := int64(0)
	if ns, n := parseStamp(next); n > 0 {
		before = ns - s.ahead
	}
	text += between(h.after, before)
	if h.passed {
		text += "; they were written while nobody followed, and are still on the node"
	} else {
		text += "; the log was cut or deleted before it could be read"
	}
	e := entry{kind: cluster.LineGap, level: cluster.LevelWarning, sign: -1, at: s.pos - int64(len(next)), cut: h.bytes}
	s.hole = hole{}
	s.add(e, []byte(text))
}

// between names the stamps around a hole, as far as they are known.
func between(after, before int64) string {
	switch {
	case after != 0 && before != 0:
		return " between " + stampText(after) + " and " + stampText(before)
	case after != 0:
		return " after " + stampText(after)
	case before != 0:
		return " before " + stampText(before)
	}
	return ""
}

func stampText(ns int64) string { return time.Unix(0, ns).UTC().Format("2006-01-02 15:04:05.00000Z") }
