//go:build linux

package standin

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// walCopy says how far a node's copy of the database reaches.
type walCopy struct {
	System   string   `json:"system"`
	Timeline uint32   `json:"timeline"`
	End      uint64   `json:"end"`
	History  []branch `json:"history,omitempty"` // ancestors of Timeline
	Oldest   uint64   `json:"oldest"`            // oldest kept segment, as a position
	Whole    bool     `json:"whole"`             // there is a copy, and its end is known
}

// branch is one line of a timeline's history: the parent and where it was left.
type branch struct {
	Timeline uint32 `json:"timeline"`
	Switch   uint64 `json:"switch"`
}

const segmentBytes = 16 << 20

// fits says whether c can be made to follow leader without a new base backup:
// all that it holds is on the leader's own way. It does not say that the
// leader still has the WAL for it.
func (c walCopy) fits(leader walCopy) bool {
	if !c.Whole || c.System == "" || c.System != leader.System {
		return false
	}
	if c.Timeline == leader.Timeline {
		return true
	}
	for _, b := range leader.History {
		if b.Timeline == c.Timeline {
			return c.End <= b.Switch
		}
	}
	return false
}

// gap says whether the leader has thrown away WAL that c needs.
func (c walCopy) gap(leader walCopy) bool {
	return c.End/segmentBytes*segmentBytes < leader.Oldest
}

// lsn prints a position as PostgreSQL does.
func lsn(p uint64) string { return fmt.Sprintf("%X/%X", p>>32, uint32(p)) }

// parseLSN reads 16F3/2D0A1B28.
func parseLSN(s string) (uint64, bool) {
	hi, lo, ok := strings.Cut(strings.TrimSpace(s), "/")
	h, err1 := strconv.ParseUint(hi, 16, 32)
	l, err2 := strconv.ParseUint(lo, 16, 32)
	return h<<32 | l, ok && err1 == nil && err2 == nil
}

// parseHistory reads a .history file.
func parseHistory(text string) []branch {
	var all []branch
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 2 || strings.HasPrefix(f[0], "#") {
			continue
		}
		tli, err := strconv.ParseUint(f[0], 10, 32)
		at, ok := parseLSN(f[1])
		if err == nil && ok {
			all = append(all, branch{uint32(tli), at})
		}
	}
	return all
}

// segmentStart is where a WAL file begins, by its 24-hex name.
func segmentStart(name string) (uint64, bool) {
	if len(name) != 24 {
		return 0, false
	}
	log, err1 := strconv.ParseUint(name[8:16], 16, 32)
	seg, err2 := strconv.ParseUint(name[16:], 16, 32)
	return log<<32 + seg*segmentBytes, err1 == nil && err2 == nil
}

// control is what pg_controldata says.
type control struct {
	system   string
	state    string
	redo     uint64
	timeline uint32
	least    uint64 // least position that a start must reach
}

func parseControl(text string) control {
	var c control
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		value = strings.TrimSpace(value)
		tli, _ := strconv.ParseUint(value, 10, 32)
		at, _ := parseLSN(value)
		switch key {
		case "Database system identifier":
			c.system = value
		case "Database cluster state":
			c.state = value
		case "Latest checkpoint's REDO location":
			c.redo = at
		case "Latest checkpoint location", "Minimum recovery ending location":
			c.least = max(c.least, at)
		case "Latest checkpoint's TimeLineID", "Min recovery ending loc's timeline":
			c.timeline = max(c.timeline, uint32(tli))
		}
	}
	return c
}

// noSegment is how pg_waldump ends behind the last byte of the last file.
var noSegment = regexp.MustCompile(`could not find file "([0-9A-F]{24})"`)

var walEnd = regexp.MustCompile(`error in WAL record at ([0-9A-F]+/[0-9A-F]+)(?:: .* at ([0-9A-F]+/[0-9A-F]+))?`)

// parseWALEnd finds where pg_waldump, which began at a position, met the first
// record that is none. false: not even the first file is there.
func parseWALEnd(stderr string, from uint64) (uint64, bool) {
	all := walEnd.FindAllStringSubmatch(stderr, -1)
	if len(all) == 0 {
		if m := noSegment.FindStringSubmatch(stderr); m != nil {
			if at, ok := segmentStart(m[1]); ok && at > from {
				return at, true
			}
		}
		return 0, false
	}
	m := all[len(all)-1]
	if end, ok := parseLSN(m[2]); ok {
		return end, true
	}
	return parseLSN(m[1])
}
