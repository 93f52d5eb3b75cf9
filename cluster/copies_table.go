package cluster

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// EndKnown says how the end of a copy's WAL is known.
type EndKnown string

// Ways to know an end. EndSeen is what was last seen of a node that cannot be
// asked: the copy ends there or later.
const (
	EndExact   EndKnown = "exact"
	EndAtLeast EndKnown = "at least"
	EndSeen    EndKnown = "last seen"
	EndUnknown EndKnown = "unknown"
)

// CopyRow is one node's copy of the database, for a view of all of them.
type CopyRow struct {
	Node     string
	SystemID string   // "" unknown
	Timeline uint32   // 0 unknown
	History  []Switch // how the timeline was reached, oldest first; none for timeline 1
	End      LSN      // of its WAL, as Known says; 0 unknown
	Most     LSN      // it ends here or before; 0 where nothing bounds it, or End is exact
	Known    EndKnown
	Writes   bool      // out of recovery: the end goes on
	Clean    bool      // shut down in order: End is where its last record, the checkpoint, begins
	Seen     time.Time // when its position was last seen, for EndSeen
	Commit   time.Time // of its last transaction; zero unknown
	Saved    Answer    // a copy of its files was made from here and it has not changed since
	Sentence string    // the row in words, what is missing included
	Claims   []ClaimRef
}

// CopyTable compares all copies: what each of them is, and what choosing one
// would lose of another.
type CopyTable struct {
	Rows []CopyRow // in the nodes' fixed order
	// Pairs holds a comparison for every ordered pair of nodes, by chosen node,
	// then by the other.
	Pairs []CopyComparison
	// Furthest are the nodes whose copy surely contains every other one; with
	// several they are equal.
	Furthest []string
	// Branches are pairs of nodes of which each holds WAL that the other does
	// not: neither is further than the other.
	Branches [][2]string
	Sentence string // what follows from the table
}

// CopyTable reads and compares the copies of all nodes.
func (v *View) CopyTable() CopyTable {
	var t CopyTable
	contains := map[string]int{}
	for _, n := range v.nodes() {
		t.Rows = append(t.Rows, v.copyRow(n.Name))
		for _, c := range v.CompareCopies(n.Name) {
			t.Pairs = append(t.Pairs, c)
			if c.Contained == True {
				contains[n.Name]++
			}
			if pair := [2]string{c.Other, c.Chosen}; c.Branches && !slices.Contains(t.Branches, pair) {
				t.Branches = append(t.Branches, [2]string{c.Chosen, c.Other})
			}
		}
	}
	for _, n := range v.nodes() {
		if others := len(v.nodes()) - 1; others > 0 && contains[n.Name] == others {
			t.Furthest = append(t.Furthest, n.Name)
		}
	}
	t.Sentence = t.follows()
	return t
}

// Pair is the comparison of two nodes; ok is false where one is not there.
func (t CopyTable) Pair(chosen, other string) (CopyComparison, bool) {
	for _, c := range t.Pairs {
		if c.Chosen == chosen && c.Other == other {
			return c, true
		}
	}
	return CopyComparison{}, false
}

// follows says what the table comes to. What is not known for certain of one
// copy keeps every other one from being called the furthest.
func (t CopyTable) follows() string {
	var said []string
	for _, b := range t.Branches {
		said = append(said, fmt.Sprintf("%s and %s are two branches, neither is furthest", b[0], b[1]))
	}
	switch {
	case len(t.Furthest) == 1:
		said = append(said, t.Furthest[0]+" holds all that any copy holds")
	case len(t.Furthest) > 1:
		said = append(said, strings.Join(t.Furthest, " and ")+" hold the same, all that any copy holds")
	case len(t.Branches) == 0:
		said = append(said, "no copy is known to hold all that the others hold")
	}
	return strings.Join(said, "; ")
}

// copyRow is one node's copy, in values and in words.
func (v *View) copyRow(node string) CopyRow {
	c := v.copyOn(node)
	row := CopyRow{Node: node, SystemID: c.system, Timeline: c.timeline, History: c.switches, Known: EndUnknown,
		Writes: c.writes, Clean: c.clean, Seen: c.seen, Commit: c.commit, Saved: v.wasSaved(node), Claims: c.refs}
	switch {
	case c.low == 0:
	case !c.seen.IsZero():
		row.Known, row.End = EndSeen, c.low
	case c.exact:
		row.Known, row.End = EndExact, c.low
	default:
		row.Known, row.End = EndAtLeast, c.low
		if c.high < math.MaxInt64 {
			row.Most = c.high
		}
	}
	row.Sentence = row.words(c.why)
	return row
}

func (r CopyRow) words(why string) string {
	var said []string
	switch r.Known {
	case EndExact:
		said = append(said, "ends at "+r.End.String())
		switch {
		case r.Writes:
			said[0] = "writes, at " + r.End.String() + " now"
		case r.Clean: // the record itself makes the few bytes to where others end
			said[0] = "ends with its shutdown checkpoint, which begins at " + r.End.String()
		}
	case EndAtLeast:
		said = append(said, "ends at "+r.End.String()+" or later")
		if r.Most > 0 {
			said[0] = fmt.Sprintf("ends between %s and %s", r.End, r.Most)
		}
	case EndSeen:
		said = append(said, fmt.Sprintf("cannot be asked; last seen at %s, %s", r.End, r.Seen.UTC().Format(time.TimeOnly+"Z")))
	}
	if r.Timeline > 0 {
		said = append(said, fmt.Sprintf("timeline %d", r.Timeline))
	}
	if !r.Commit.IsZero() {
		said = append(said, "last commit "+r.Commit.UTC().Format(time.TimeOnly+"Z"))
	}
	if why != "" {
		said = append(said, why)
	}
	if r.Saved.Truth == True {
		said = append(said, r.Saved.Sentence)
	}
	return strings.Join(said, ", ")
}
