package cluster

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// viewOfThree holds the copies of three nodes; a nil edit is a node that
// cannot be reached.
func viewOfThree(edits map[string]func(*PostgreSQLClaims)) *View {
	v := &View{Now: time.Date(2026, 11, 23, 2, 42, 0, 0, time.UTC), Snapshot: &Snapshot{Reports: map[string]*Report{}}}
	for _, n := range []string{"be1", "be2", "be3"} {
		v.Snapshot.Nodes = append(v.Snapshot.Nodes, Node{Name: n})
		if edit := edits[n]; edit != nil {
			v.Snapshot.Reports[n] = copyReport(n, edit)
		} else {
			v.Snapshot.Reports[n] = &Report{Node: n, Reach: KnownAs(Unreachable, SourceReach, v.Now)}
		}
	}
	return v
}

func TestTableOfCopies(t *testing.T) {
	left88 := Switch{87, lsnSwitch - 900*mib}
	to89 := []Switch{left88, {88, lsnSwitch}}
	plain := func(end LSN) func(*PostgreSQLClaims) { return onTimeline(88, end, left88) }
	type copies = map[string]func(*PostgreSQLClaims)
	for name, c := range map[string]struct {
		copies   copies
		furthest []string
		branches [][2]string
		known    map[string]EndKnown
		said     string
	}{
		"one is furthest": {copies{"be1": plain(lsnSwitch), "be2": plain(lsnSwitch - mib), "be3": plain(lsnSwitch - 2*mib)},
			[]string{"be1"}, nil, map[string]EndKnown{"be1": EndExact, "be3": EndExact}, "be1 holds all that any copy holds"},
		"two are equal": {copies{"be1": plain(lsnSwitch), "be2": plain(lsnSwitch), "be3": plain(lsnSwitch - mib)},
			[]string{"be1", "be2"}, nil, nil, "be1 and be2 hold the same"},
		"two branches": {copies{"be1": plain(lsnSwitch + 3*mib), "be2": onTimeline(89, lsnSwitch+9*mib, to89...), "be3": plain(lsnSwitch)},
			nil, [][2]string{{"be1", "be2"}}, nil, "be1 and be2 are two branches, neither is furthest"},
		"a lost node": {copies{"be1": plain(lsnSwitch), "be2": plain(lsnSwitch)},
			nil, nil, map[string]EndKnown{"be3": EndSeen}, "no copy is known to hold all"},
		"killed, end not read": {copies{"be1": killed(plain(lsnSwitch+mib), lsnSwitch-26*mib, 0), "be2": plain(lsnSwitch), "be3": plain(lsnSwitch - mib)},
			nil, nil, map[string]EndKnown{"be1": EndAtLeast}, "no copy is known to hold all"},
		"control data missing": {copies{"be1": func(*PostgreSQLClaims) {}, "be2": plain(lsnSwitch), "be3": plain(lsnSwitch)},
			nil, nil, map[string]EndKnown{"be1": EndUnknown}, "no copy is known to hold all"},
	} {
		v := viewOfThree(c.copies)
		v.Past.LastSeen = map[string]LastSeen{"be3": {At: v.Now.Add(-time.Minute), Position: lsnSwitch - mib, Timeline: 88}}
		table := v.CopyTable()
		if !slices.Equal(table.Furthest, c.furthest) || !slices.Equal(table.Branches, c.branches) || !strings.Contains(table.Sentence, c.said) {
			t.Errorf("%s: furthest %v, branches %v: %s", name, table.Furthest, table.Branches, table.Sentence)
		}
		if len(table.Rows) != 3 || len(table.Pairs) != 6 {
			t.Fatalf("%s: %d rows, %d pairs", name, len(table.Rows), len(table.Pairs))
		}
		for _, row := range table.Rows {
			if want := c.known[row.Node]; want != "" && row.Known != want {
				t.Errorf("%s: %s is known %q, want %q: %s", name, row.Node, row.Known, want, row.Sentence)
			}
		}
		for _, p := range table.Pairs {
			if one, ok := table.Pair(p.Chosen, p.Other); !ok || one != p {
				t.Errorf("%s: no pair %s %s", name, p.Chosen, p.Other)
			}
		}
	}
}

// What the row says in words is what a person reads at night.
func TestRowsOfTheTableInWords(t *testing.T) {
	v := viewOfThree(map[string]func(*PostgreSQLClaims){
		"be1": func(p *PostgreSQLClaims) {
			onTimeline(1, lsnSwitch)(p)
			p.InRecovery, p.Current = pgKnown(false), pgKnown(lsnSwitch)
			p.LastCommit = pgKnown(time.Date(2026, 11, 23, 2, 41, 3, 0, time.UTC))
		},
		"be2": killed(onTimeline(1, lsnSwitch), lsnSwitch-26*mib, 0),
	})
	v.Past.LastSeen = map[string]LastSeen{"be3": {At: v.Now.Add(-time.Minute), Position: lsnSwitch, Timeline: 1}}
	want := []string{
		"writes, at 16F3/2D0A1B28 now, timeline 1, last commit 02:41:03Z",
		"ends between 16F3/2B6A1B28 and 16F3/2E000000, timeline 1",
		"cannot be asked; last seen at 16F3/2D0A1B28, 02:41:00Z, timeline 1",
	}
	for i, row := range v.CopyTable().Rows {
		if row.Sentence != want[i] {
			t.Errorf("%s: %q, want %q", row.Node, row.Sentence, want[i])
		}
	}
}

// The end of one that was shut down is told as what control data tell of it:
// where the checkpoint begins, some bytes before the end of its followers.
func TestShutdownCheckpointIsToldAsOne(t *testing.T) {
	v := viewOfThree(map[string]func(*PostgreSQLClaims){"be1": func(p *PostgreSQLClaims) {
		killed(onTimeline(1, lsnSwitch), lsnSwitch, 0)(p)
		p.Control.Value.State = "shut down"
	}})
	if got, want := v.CopyTable().Rows[0].Sentence, "ends with its shutdown checkpoint, which begins at 16F3/2D0A1B28, timeline 1"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
