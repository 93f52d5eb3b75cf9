package cluster

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// checkpointRoom is what a shutdown checkpoint takes at the end of the WAL: a
// record of at most 120 bytes and a page header of at most 40. Control data
// name where it begins, a follower's position where it ends; it holds no data.
const checkpointRoom = 160

// walCopy is one node's copy of the database as far as comparing needs it. The
// end of its WAL lies between low and high; exact when they tell it to the byte.
type walCopy struct {
	node      string
	system    string // system identifier; "" unknown
	switches  []Switch
	timeline  uint32
	low, high LSN
	exact     bool
	whole     LSN       // of a standby: up to here all is replayed; 0 elsewhere
	clean     bool      // shut down in order: low is where the shutdown checkpoint begins
	writes    bool      // out of recovery: it goes on
	wrote     bool      // a primary made the end of its WAL here, no standby
	seen      time.Time // set for a node that cannot be asked: when its position was last seen
	commit    time.Time
	why       string // why nothing can be said; "" when something can
	refs      []ClaimRef
}

// asChosen is the position up to which everything of the copy survives when it
// is chosen. The shutdown checkpoint itself is no loss.
func (c walCopy) asChosen(end LSN) LSN {
	if c.clean {
		return end + checkpointRoom
	}
	return end
}

// copyOn reads a node's copy: positions by SQL while PostgreSQL runs, control
// data and the end of WAL while it is down, the last position ever seen when
// the node cannot be asked.
func (v *View) copyOn(node string) walCopy {
	r := v.report(node)
	c := walCopy{node: node}
	if !r.Reach.Known || r.Reach.Value != Reached {
		return v.copyLastSeen(c, r)
	}
	p := r.PostgreSQL
	if !p.Control.Known {
		c.why = unknownFor(node, "postgresql.control", p.Control).Sentence
		c.refs = append(c.refs, mention(node, "postgresql.control", p.Control))
		return c
	}
	c.system = p.Control.Value.SystemID
	c.refs = append(c.refs, mention(node, "postgresql.control", p.Control))
	if p.LastCommit.Known {
		c.commit = p.LastCommit.Value
	}
	c.end(node, p)
	c.wrote = c.writes || leftByPrimary(p)
	if c.why == "" {
		c.place(node, p)
	}
	return c
}

// copyLastSeen is all that is left of a node that cannot be asked.
func (v *View) copyLastSeen(c walCopy, r *Report) walCopy {
	c.refs = []ClaimRef{mention(c.node, "reach", r.Reach)}
	last, ok := v.Past.LastSeen[c.node]
	if !ok || last.Position == 0 {
		c.why = c.node + " cannot be asked, and no position of it was ever seen"
		return c
	}
	c.low, c.high, c.timeline, c.seen, c.wrote = last.Position, math.MaxInt64, last.Timeline, last.At, last.Leader
	return c
}

// end finds where the copy's WAL ends, or bounds it.
func (c *walCopy) end(node string, p PostgreSQLClaims) {
	switch {
	case p.InRecovery.Known && !p.InRecovery.Value:
		c.writes = true
		c.at(p.Current.Value, p.Current.Known, mention(node, "postgresql.current", p.Current))
	case p.InRecovery.Known:
		known := p.Receive.Known && p.Replay.Known
		c.at(max(p.Receive.Value, p.Replay.Value), known && max(p.Receive.Value, p.Replay.Value) > 0,
			mention(node, "postgresql.receive", p.Receive), mention(node, "postgresql.replay", p.Replay))
		c.whole = p.Replay.Value
	case p.Postmaster.Known && p.Postmaster.Value == 0:
		c.down(node, p)
	default:
		c.refs = append(c.refs, mention(node, "postgresql.in-recovery", p.InRecovery))
	}
	if !c.exact {
		c.bound(node, p)
	}
}

// leftByPrimary answers whether a primary wrote the control data: a standby has
// words of its own, "in archive recovery" and "shut down in recovery". A base
// backup that was never started has its source's word: it counts as a primary.
func leftByPrimary(p PostgreSQLClaims) bool {
	switch p.Control.Value.State {
	case "in production", "shutting down", "shut down", "in crash recovery":
		return Is(p.InRecovery, true) != True
	}
	return false
}

// at notes an exact end, where it is known.
func (c *walCopy) at(end LSN, known bool, refs ...ClaimRef) {
	c.refs = append(c.refs, refs...)
	if known {
		c.low, c.high, c.exact = end, end, true
	}
}

// down reads the end of a stopped copy: exact after an orderly shutdown of a
// primary, else what the WAL itself told.
func (c *walCopy) down(node string, p PostgreSQLClaims) {
	control := p.Control.Value
	if control.State == "shut down" {
		c.clean = true
		c.at(control.Checkpoint, control.Checkpoint > 0)
		return
	}
	c.at(p.EndOfWAL.Value, p.EndOfWAL.Known && p.EndOfWAL.Value > 0, mention(node, "postgresql.end-of-wal", p.EndOfWAL))
}

// bound is what can be said without an exact end: control data are a lower
// bound, and no WAL lies beyond the newest file.
func (c *walCopy) bound(node string, p PostgreSQLClaims) {
	control := p.Control.Value
	c.low = max(control.Checkpoint, control.MinEnd)
	c.high = math.MaxInt64
	if p.Segments.Known {
		if digits, ok := SegmentNumber(p.Segments.Value.Newest); ok {
			c.high = max(segmentEnd(digits), c.low)
			c.refs = append(c.refs, mention(node, "postgresql.segments", p.Segments))
		}
	}
}

// segmentEnd is the position behind the last byte of a WAL file.
func segmentEnd(digits string) LSN {
	hi, _ := strconv.ParseUint(digits[:8], 16, 32)
	lo, _ := strconv.ParseUint(digits[8:], 16, 32)
	return LSN(hi<<32) + LSN(lo+1)*SegmentSize
}

// place finds the copy's timeline and the way that led to it.
func (c *walCopy) place(node string, p PostgreSQLClaims) {
	timeline, why := timelineOf(node, *c, p)
	if why != "" {
		c.why = why
		return
	}
	c.timeline = timeline
	if timeline == 1 {
		return // the first timeline has no history file
	}
	if !p.Histories.Known {
		c.why = unknownFor(node, "postgresql.histories", p.Histories).Sentence
		return
	}
	c.refs = append(c.refs, mention(node, "postgresql.histories", p.Histories))
	for _, h := range p.Histories.Value {
		if h.Timeline == timeline && len(h.Switches) > 0 {
			c.switches = h.Switches
			return
		}
	}
	c.why = fmt.Sprintf("%08X.history is missing on %s: how timeline %d began is unknown", timeline, node, timeline)
}

// timelineOf is the timeline of the newest WAL file that can hold the copy's
// end. Control data alone may still tell the old one right after a promotion,
// but a timeline that they tell has been reached.
func timelineOf(node string, c walCopy, p PostgreSQLClaims) (uint32, string) {
	reached := p.Control.Value.Timeline
	if !p.Segments.Known {
		if c.clean && reached > 0 {
			return reached, ""
		}
		return 0, unknownFor(node, "postgresql.segments", p.Segments).Sentence
	}
	newest := p.Segments.Value.Newest
	digits, ok := SegmentNumber(newest)
	if !ok {
		return 0, "no WAL file lies on " + node
	}
	// An end that is exactly a file's end needs no next file.
	if c.exact && digits < (c.low-1).Segment() {
		return 0, fmt.Sprintf("no WAL file on %s holds its position %s", node, c.low)
	}
	timeline, err := strconv.ParseUint(newest[:8], 16, 32)
	if err != nil || timeline == 0 {
		return 0, "no timeline in the WAL file name " + newest
	}
	return max(uint32(timeline), reached), ""
}

// Timeline is the timeline that the node's copy is on, or was when it was
// stopped: by its newest WAL file, else by its control data, which may still
// tell the one before; 0 unknown. It is true only of a node that was reached.
func (r *Report) Timeline() uint32 {
	timeline, _ := timelineNow(r.Node, r.PostgreSQL)
	return timeline
}

// timelineNow is a copy's timeline; where only control data tell it, unsure
// says why it may be a later one. 0 unknown.
func timelineNow(node string, p PostgreSQLClaims) (timeline uint32, unsure string) {
	if !p.Control.Known {
		return 0, unknownFor(node, "postgresql.control", p.Control).Sentence
	}
	c := walCopy{node: node}
	c.end(node, p)
	timeline, unsure = timelineOf(node, c, p)
	if unsure != "" {
		timeline = p.Control.Value.Timeline
	}
	return timeline, unsure
}

// positionUnknown is the word for where a copy ends that cannot be told.
const positionUnknown = "unknown"

// PositionOf is where a node's copy ends and on which timeline, in words that
// may be compared between two views; "unreachable" or "unknown" where it
// cannot be told.
func (v *View) PositionOf(node string) string {
	c := v.copyOn(node)
	switch {
	case !c.seen.IsZero() || v.Unreachable(node).Truth == True:
		return "unreachable"
	case c.why != "" || !c.exact:
		return positionUnknown
	}
	return fmt.Sprintf("%s on timeline %d", c.low, c.timeline)
}
