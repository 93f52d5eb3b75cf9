package model

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Sizes of PostgreSQL's write-ahead log.
const (
	segmentSize  = 16 << 20
	keepSegments = 32 // wal_keep_segments of the product
	spareFiles   = 2  // recycled files ahead of the current one on a primary
	// checkpointRecord is the length of a checkpoint record of 9.5 in bytes,
	// header included.
	checkpointRecord = 0x70
	// firstInFile is where the first record of a file begins.
	firstInFile = 0x28
)

// fork says that the timeline parent was left at a position.
type fork struct {
	parent uint32
	at     uint64
}

// walCopy is what a data directory holds, running or not.
type walCopy struct {
	system  uint64
	tli     uint32
	history []fork // ancestors, oldest first
	passed  []fork // of them, those that it went over as a standby
	end     uint64 // end of the WAL on disk
	replay  uint64 // how far a standby has applied it
	oldest  uint64 // number of the oldest segment kept

	state      string // pg_controldata's words
	checkpoint uint64
	prior      uint64
	redo       uint64
	cpTLI      uint32
	cpTime     time.Time
	changed    time.Time // of the control file
	lastCommit time.Time
	whole      bool // false: a base backup did not finish
}

// clone copies the copy; histories are never changed in place.
func (c *walCopy) clone() walCopy { return *c }

func lsn(v uint64) string { return fmt.Sprintf("%X/%X", v>>32, uint32(v)) }

func segment(v uint64) uint64 { return v / segmentSize }

func segmentName(tli uint32, number uint64) string {
	return fmt.Sprintf("%08X%08X%08X", tli, number>>8, number&0xff)
}

// switchOf is where a copy's history leaves a timeline; ok is false if the
// timeline is none of its ancestors.
func (c *walCopy) switchOf(tli uint32) (at uint64, ok bool) {
	for _, f := range c.history {
		if f.parent == tli {
			return f.at, true
		}
	}
	return 0, false
}

// timelineAt is the timeline on which a position lies.
func (c *walCopy) timelineAt(position uint64) uint32 {
	for _, f := range c.history {
		if position < f.at {
			return f.parent
		}
	}
	return c.tli
}

// follows says whether c could stream from o: everything that c holds is part
// of o's history. fork is where they part if not.
func (c *walCopy) follows(o *walCopy) (fork uint64, ok bool) {
	if c.tli == o.tli {
		return o.end, c.end <= o.end
	}
	at, known := o.switchOf(c.tli)
	if known {
		return at, c.end <= at
	}
	return 0, false
}

// historyFile is the text of the copy's newest .history file.
func (c *walCopy) historyFile() string {
	var b strings.Builder
	for i, f := range c.history {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%d\t%s\tno recovery target specified\n", f.parent, lsn(f.at))
	}
	return b.String()
}

// branch begins a new timeline at the end of the copy.
func (c *walCopy) branch(tli uint32) {
	c.history = append(append([]fork(nil), c.history...), fork{c.tli, c.end})
	c.tli = tli
}

// follow takes a standby's copy over to the timeline of one that it streams from.
func (c *walCopy) follow(o *walCopy) {
	c.passed = slices.Clone(c.passed)
	for _, f := range o.history {
		if !slices.Contains(c.history, f) {
			c.passed = append(c.passed, f)
		}
	}
	c.history, c.tli = o.history, o.tli
}

// files are the names that pg_xlog holds now, besides histories. spare are
// the recycled files of a primary.
func (c *walCopy) files(spare uint64) map[string]bool {
	names := map[string]bool{}
	for s := c.oldest; s <= segment(c.end)+spare; s++ {
		// The file that holds a switch belongs to the new timeline. The old one's
		// is renamed by whoever was promoted; a standby that followed keeps it.
		last := (s+1)*segmentSize - 1
		names[segmentName(c.timelineAt(last), s)] = true
		for _, f := range c.history {
			if segment(f.at) == s && f.at <= c.end {
				old := segmentName(f.parent, s)
				if !slices.Contains(c.passed, f) {
					old += ".partial"
				}
				names[old] = true
			}
		}
	}
	return names
}
