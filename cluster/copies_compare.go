package cluster

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// CompareCopies says for every other node what promoting chosen would lose of
// its copy (WAL of two timelines cannot be subtracted: only what lies behind
// the fork of the two histories is lost). Bytes are of WAL, not of data. It is
// in the nodes' fixed order.
func (v *View) CompareCopies(chosen string) []CopyComparison {
	var out []CopyComparison
	for _, other := range v.others(chosen) {
		c, _ := v.compare(chosen, other)
		out = append(out, c)
	}
	return out
}

// Contained answers whether copy f is contained in copy c: promoting c would
// lose nothing of f.
func (v *View) Contained(f, c string) Answer {
	cmp, refs := v.compare(c, f)
	return say(cmp.Contained, cmp.Sentence, refs...)
}

// compare does it for two nodes.
func (v *View) compare(chosen, other string) (CopyComparison, []ClaimRef) {
	c, f := v.copyOn(chosen), v.copyOn(other)
	v.atOneTime(c, &f)
	refs := append(append([]ClaimRef(nil), c.refs...), f.refs...)
	return compareCopies(c, f, v.besides(chosen, other)...), refs
}

// besides are the copies of all nodes but two.
func (v *View) besides(one, two string) (out []walCopy) {
	for _, n := range v.others(one) {
		if n != two {
			out = append(out, v.copyOn(n))
		}
	}
	return out
}

// compareCopies compares two copies as read. Those of the other nodes tell
// whether the timeline is one.
func compareCopies(c, f walCopy, others ...walCopy) CopyComparison {
	out := CopyComparison{Chosen: c.node, Other: f.node}
	switch {
	case c.why != "":
		out.Sentence = c.why
		return out
	case f.why != "":
		out.Sentence = f.why
		return out
	case c.system != "" && f.system != "" && c.system != f.system:
		out.Sentence = fmt.Sprintf("%s and %s have different system identifiers: their copies cannot be compared", c.node, f.node)
		return out
	case !c.seen.IsZero():
		out.Sentence = c.node + " cannot be asked: its copy cannot be chosen"
		return out
	}
	if !f.seen.IsZero() {
		f.switches, _ = c.wayTo(f.timeline)
	}
	if why := twoWrote(c, f, others...); why != "" {
		out.Sentence = why
		return out
	}
	worst, ok := lost(c, c.asChosen(c.low), f, f.high)
	if !ok && !f.seen.IsZero() {
		out.Sentence = fmt.Sprintf("%s cannot be reached, and %s knows nothing of the timeline on which it was last seen", f.node, c.node)
		return out
	}
	if !ok {
		out.Sentence = fmt.Sprintf("the histories of %s and %s have no timeline in common", c.node, f.node)
		return out
	}
	// What was received can end within a record, and a promotion drops that one:
	// where anything is lost, all that is not replayed may be (seen on the lab).
	if worst > 0 && c.whole > 0 {
		worst = max(worst, int64(f.high)-int64(c.whole))
	}
	least, _ := lost(c, c.asChosen(c.high), f, f.low)
	back, _ := lost(f, f.asChosen(f.high), c, c.low)
	out.judge(c, f, least, worst, back)
	return out
}

// judge turns the bounds of the loss into an answer.
func (out *CopyComparison) judge(c, f walCopy, least, worst, back int64) {
	out.Lost = least
	switch {
	case c.writes && f.writes && c.timeline == f.timeline:
		out.Sentence = fmt.Sprintf("%s and %s both accept writes on timeline %d: their WAL cannot be told apart", c.node, f.node, c.timeline)
	case worst == 0:
		out.Known, out.Contained, out.Lost = true, True, 0
		out.Sentence = fmt.Sprintf("choosing %s loses nothing of %s", c.node, f.node)
	case c.exact && f.exact:
		out.Known, out.Contained, out.Lost, out.Branches = true, False, worst, back > 0
		out.Sentence = exactLoss(c, f, worst, back)
	case !f.seen.IsZero():
		out.Contained = containedUnless(least)
		out.Sentence = unseenLoss(c, f, least)
	case least > 0:
		out.Contained, out.Branches = False, back > 0
		out.Sentence = fmt.Sprintf("choosing %s loses at least %s of WAL of %s; where it ends is not known exactly", c.node, Amount(least), f.node)
	default:
		out.Sentence = fmt.Sprintf("where the WAL of %s ends is not known exactly: choosing %s loses %s",
			inexact(c, f).node, c.node, atMost(worst, f.node))
	}
}

// containedUnless: a loss that is sure says no; none that is sure says nothing.
func containedUnless(least int64) Truth {
	if least > 0 {
		return False
	}
	return Unknown
}

func inexact(c, f walCopy) walCopy {
	if !f.exact {
		return f
	}
	return c
}

func atMost(worst int64, node string) string {
	if worst > math.MaxInt32*int64(SegmentSize) {
		return "an unknown amount of " + node
	}
	return "between nothing and " + Amount(worst) + " of WAL of " + node
}

func exactLoss(c, f walCopy, lost, back int64) string {
	s := fmt.Sprintf("choosing %s loses at most %s of WAL of %s", c.node, Amount(lost), f.node)
	if !f.commit.IsZero() {
		s += ", last commit " + f.commit.UTC().Format(time.TimeOnly)
	}
	if back > 0 {
		s += fmt.Sprintf("; %s has %s of its own: two branches, neither is furthest", c.node, Amount(back))
	}
	return s
}

// unseenLoss never says 0: what the node wrote after it was last seen is not
// known, and is lost too.
func unseenLoss(c, f walCopy, least int64) string {
	at := f.seen.UTC().Format(time.TimeOnly)
	if least > 0 {
		return fmt.Sprintf("%s cannot be reached: choosing %s loses at least the %s of WAL seen at %s", f.node, c.node, Amount(least), at)
	}
	return fmt.Sprintf("%s cannot be reached: %s holds what was seen of it at %s, and all that it wrote later is lost", f.node, c.node, at)
}

// twoWrote says why positions on a timeline that two copies share do not tell
// what one holds of the other: two machines wrote it. A promotion begins a
// timeline, so that each of them wrote a branch, and both took the same number
// at the same position. Nothing tells which of the two a standby followed, or
// was promoted from. "" where that is not so.
func twoWrote(c, f walCopy, others ...walCopy) string {
	timeline, way, ok := shared(c, f)
	if !ok {
		return ""
	}
	var by []string
	for _, o := range append([]walCopy{c, f}, others...) {
		sameWay := !o.seen.IsZero() || o.why != "" || slices.Equal(o.switches, way)
		if o.wrote && o.timeline == timeline && sameWay {
			by = append(by, o.node)
		}
	}
	if len(by) < 2 {
		return ""
	}
	return fmt.Sprintf("%s were both primaries on timeline %d, each with a branch of its own: positions do not tell what %s holds of %s",
		strings.Join(by, " and "), timeline, c.node, f.node)
}

// shared is the timeline that one of two copies is on and the other is on, too,
// or came by, with the way that led both there; ok is false without one.
func shared(c, f walCopy) (timeline uint32, way []Switch, ok bool) {
	for _, pair := range [][2]walCopy{{c, f}, {f, c}} {
		longer, shorter := pair[0], pair[1]
		way, ok := longer.wayTo(shorter.timeline)
		if ok && (shorter.why != "" || slices.Equal(way, shorter.switches)) {
			return shorter.timeline, way, true
		}
	}
	return 0, nil, false
}

// wayTo is how this copy's history reached a timeline; ok is false for one that
// it never was on. The way to the first one is empty.
func (c walCopy) wayTo(timeline uint32) (way []Switch, ok bool) {
	for i, s := range c.switches {
		if s.Parent == timeline {
			return c.switches[:i], true
		}
	}
	if timeline == c.timeline && timeline != 0 {
		return c.switches, true
	}
	return nil, false
}

// lost is how many bytes of f, ending at fEnd, lie beyond its fork from c,
// ending at cEnd; ok is false when the two have no timeline in common.
func lost(c walCopy, cEnd LSN, f walCopy, fEnd LSN) (bytes int64, ok bool) {
	at, ok := fork(c.way(cEnd), f.way(fEnd))
	return max(0, int64(fEnd)-int64(at)), ok
}

// way lists every timeline of the copy with where the copy left it; the last
// one ends with the copy itself.
func (c walCopy) way(end LSN) []Switch {
	return append(append([]Switch(nil), c.switches...), Switch{Parent: c.timeline, At: end})
}

// fork is where two ways part: on the last timeline that both were on, the
// least of where either left it or ends. Two timelines of one number that
// began at different positions are two timelines: two nodes were promoted.
func fork(c, f []Switch) (LSN, bool) {
	if c[0].Parent != f[0].Parent {
		return 0, false
	}
	for i := 0; ; i++ {
		last := i+1 == len(c) || i+1 == len(f)
		if last || c[i].At != f[i].At || c[i+1].Parent != f[i+1].Parent {
			return min(c[i].At, f[i].At), true
		}
	}
}

// Amount writes a number of bytes for people: "312 B", "1.2 MB", "61 GB".
func Amount(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	f, u := float64(n), 0
	for f >= 999.5 && u < len(units)-1 {
		f /= 1000
		u++
	}
	if u == 0 || f >= 9.95 {
		return fmt.Sprintf("%.0f %s", f, units[u])
	}
	return fmt.Sprintf("%.1f %s", f, units[u])
}
