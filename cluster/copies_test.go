package cluster

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Invented positions around a switch from timeline 88 to 89.
const (
	lsnSwitch = LSN(0x16F3_2D0A1B28)
	mib       = LSN(1 << 20)
)

// copyReport is a report of an invented copy that was edited by the test.
func copyReport(node string, edit func(p *PostgreSQLClaims)) *Report {
	at := time.Date(2026, 11, 23, 2, 41, 5, 0, time.UTC)
	r := &Report{Node: node, Began: at, Reach: KnownAs(Reached, SourceReach, at)}
	edit(&r.PostgreSQL)
	return r
}

func pgKnown[T any](v T) Claim[T] { return KnownAs(v, SourcePostgreSQL, time.Time{}) }

// onTimeline fills a running standby's claims.
func onTimeline(timeline uint32, end LSN, switches ...Switch) func(*PostgreSQLClaims) {
	return func(p *PostgreSQLClaims) {
		p.InRecovery, p.Receive, p.Replay = pgKnown(true), pgKnown(end), pgKnown(end)
		p.Postmaster = pgKnown(4711)
		p.Control = pgKnown(ControlData{SystemID: "6401", State: "in archive recovery", Timeline: timeline})
		newest := fmt.Sprintf("%08X%s", timeline, end.Segment())
		p.Segments = pgKnown(Segments{Oldest: newest, Newest: newest, Count: 1})
		p.Histories = pgKnown([]History{{Timeline: timeline, Switches: switches}})
	}
}

// killed is a copy whose PostgreSQL died: control data lag behind.
func killed(edit func(*PostgreSQLClaims), checkpoint, end LSN) func(*PostgreSQLClaims) {
	return func(p *PostgreSQLClaims) {
		edit(p)
		p.InRecovery, p.Postmaster = Claim[bool]{}, pgKnown(0)
		p.Control.Value.State, p.Control.Value.Checkpoint = "in production", checkpoint
		if p.EndOfWAL = (Claim[LSN]{}); end > 0 {
			p.EndOfWAL = pgKnown(end)
		}
	}
}

func viewOfCopies(be1, be2 *Report) *View {
	return &View{Snapshot: &Snapshot{
		Nodes:   []Node{{Name: "be1"}, {Name: "be2"}},
		Reports: map[string]*Report{"be1": be1, "be2": be2},
	}}
}

func TestWhatPromotingLoses(t *testing.T) {
	left88 := Switch{87, lsnSwitch - 900*mib}
	to89 := []Switch{left88, {88, lsnSwitch}}
	plain := func(end LSN) func(*PostgreSQLClaims) { return onTimeline(88, end, left88) }
	torn := func(end LSN) func(*PostgreSQLClaims) {
		return func(p *PostgreSQLClaims) { plain(end)(p); p.Replay = pgKnown(end - 200) }
	}
	cases := map[string]struct {
		chosen, other func(*PostgreSQLClaims)
		contained     Truth
		lost          int64
		branches      bool
		said          string
	}{
		"equal":                      {plain(lsnSwitch), plain(lsnSwitch), True, 0, false, "loses nothing of be2"},
		"behind":                     {plain(lsnSwitch), plain(lsnSwitch - mib), True, 0, false, "loses nothing"},
		"further":                    {plain(lsnSwitch), plain(lsnSwitch + 3*mib), False, int64(3 * mib), false, "at most 3.1 MB"},
		"ends within a record":       {torn(lsnSwitch), plain(lsnSwitch + 3*mib), False, int64(3*mib) + 200, false, "at most 3.1 MB"},
		"both end within one":        {torn(lsnSwitch), torn(lsnSwitch), True, 0, false, "nothing"},
		"old timeline, before fork":  {onTimeline(89, lsnSwitch+9*mib, to89...), plain(lsnSwitch), True, 0, false, "nothing"},
		"old timeline, beyond fork":  {onTimeline(89, lsnSwitch+9*mib, to89...), plain(lsnSwitch + mib), False, int64(mib), true, "two branches"},
		"old timeline is chosen":     {plain(lsnSwitch + mib), onTimeline(89, lsnSwitch+9*mib, to89...), False, int64(9 * mib), true, "two branches"},
		"old one ends at the fork":   {plain(lsnSwitch), onTimeline(89, lsnSwitch+9*mib, to89...), False, int64(9 * mib), false, "at most 9.4 MB"},
		"two of one number":          {onTimeline(89, lsnSwitch+2*mib, to89...), onTimeline(89, lsnSwitch+mib, left88, Switch{88, lsnSwitch - mib}), False, int64(2 * mib), true, "two branches"},
		"first timeline, no history": {onTimeline(1, lsnSwitch), onTimeline(1, lsnSwitch-mib), True, 0, false, "nothing"},
		"history is missing": {plain(lsnSwitch), func(p *PostgreSQLClaims) { plain(lsnSwitch)(p); p.Histories = pgKnown([]History(nil)) },
			Unknown, 0, false, "00000058.history is missing on be2"},
		"other cluster": {plain(lsnSwitch), func(p *PostgreSQLClaims) { plain(lsnSwitch)(p); p.Control.Value.SystemID = "7" },
			Unknown, 0, false, "different system identifiers"},
		"killed, end read from WAL": {plain(lsnSwitch), killed(plain(lsnSwitch+mib), lsnSwitch-26*mib, lsnSwitch+mib), False, int64(mib), false, "1.0 MB"},
		"killed, end not read":      {plain(lsnSwitch), killed(plain(lsnSwitch+mib), lsnSwitch-26*mib, 0), Unknown, 0, false, "not known exactly"},
		"killed, surely behind":     {plain(lsnSwitch + 64*mib), killed(plain(lsnSwitch), lsnSwitch-26*mib, 0), True, 0, false, "nothing"},
		"killed, surely beyond":     {plain(lsnSwitch), killed(plain(lsnSwitch+20*mib), lsnSwitch+2*mib, 0), False, int64(2 * mib), false, "at least 2.1 MB"},
		"chosen was shut down": {func(p *PostgreSQLClaims) {
			killed(plain(lsnSwitch), lsnSwitch, 0)(p)
			p.Control.Value.State = "shut down"
		}, plain(lsnSwitch + 0x70), True, 0, false, "nothing"},
		"starting, newest file older": {plain(lsnSwitch + 64*mib), func(p *PostgreSQLClaims) { plain(lsnSwitch)(p); p.InRecovery = Claim[bool]{} },
			True, 0, false, "nothing"},
		"no common timeline": {onTimeline(1, lsnSwitch), plain(lsnSwitch), Unknown, 0, false, "no timeline in common"},
	}
	for name, c := range cases {
		v := viewOfCopies(copyReport("be1", c.chosen), copyReport("be2", c.other))
		got := v.CompareCopies("be1")[0]
		if got.Contained != c.contained || got.Lost != c.lost || got.Branches != c.branches || !strings.Contains(got.Sentence, c.said) {
			t.Errorf("%s: %+v", name, got)
		}
		if a := v.Contained("be2", "be1"); a.Truth != c.contained || len(a.Claims) == 0 {
			t.Errorf("%s: contained %+v", name, a)
		}
	}
}

// Two primaries on one timeline cannot be compared by positions.
func TestTwoPrimariesCannotBeCompared(t *testing.T) {
	primary := func(p *PostgreSQLClaims) {
		onTimeline(1, lsnSwitch)(p)
		p.InRecovery, p.Current = pgKnown(false), pgKnown(lsnSwitch)
	}
	got := viewOfCopies(copyReport("be1", primary), copyReport("be2", primary)).CompareCopies("be1")[0]
	if got.Known || got.Contained != Unknown {
		t.Errorf("%+v", got)
	}
}

// What cannot be reached is never lost for nothing.
func TestUnreachableCopyIsNeverZero(t *testing.T) {
	seen := time.Date(2026, 11, 23, 2, 40, 30, 0, time.UTC)
	for name, c := range map[string]struct {
		last      LastSeen
		contained Truth
		said      string
	}{
		"never seen":       {LastSeen{}, Unknown, "no position of it was ever seen"},
		"held when seen":   {LastSeen{At: seen, Position: lsnSwitch - mib, Timeline: 88}, Unknown, "seen of it at 02:40:30, and all that it wrote later is lost"},
		"ahead when seen":  {LastSeen{At: seen, Position: lsnSwitch + mib, Timeline: 88}, False, "at least the 1.0 MB of WAL seen at 02:40:30"},
		"another timeline": {LastSeen{At: seen, Position: lsnSwitch, Timeline: 90}, Unknown, "knows nothing of the timeline"},
	} {
		v := viewOfCopies(copyReport("be1", onTimeline(88, lsnSwitch, Switch{87, lsnSwitch - 900*mib})), &Report{Node: "be2", Reach: KnownAs(Unreachable, SourceReach, seen)})
		v.Past.LastSeen = map[string]LastSeen{"be2": c.last}
		got := v.CompareCopies("be1")[0]
		if got.Known || got.Contained != c.contained || !strings.Contains(got.Sentence, c.said) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// drawWay draws a copy: a history that may share its beginning with others,
// and an end behind its last switch.
func drawWay(t *rapid.T, label string) walCopy {
	c := walCopy{node: label, exact: true, timeline: 1}
	at := LSN(1000)
	for range rapid.IntRange(0, 3).Draw(t, label+" switches") {
		at += LSN(rapid.IntRange(0, 2).Draw(t, label+" step")) * 100
		c.switches = append(c.switches, Switch{c.timeline, at})
		c.timeline += uint32(rapid.IntRange(1, 2).Draw(t, label+" next"))
	}
	at += LSN(rapid.IntRange(0, 3).Draw(t, label+" end")) * 50
	c.low, c.high = at, at
	return c
}

// positions walks a way as the set of bytes that the copy holds, each by its
// timeline and place: what fork reasons about, done the slow way.
func bytesOf(c walCopy) map[string]bool {
	held, from := map[string]bool{}, LSN(0)
	path := ""
	for _, s := range c.way(c.low) {
		path += fmt.Sprintf("/%d", s.Parent)
		for p := from; p < s.At; p += 50 {
			held[fmt.Sprintf("%s@%d", path, p)] = true
		}
		path += fmt.Sprintf("@%d", s.At)
		from = max(from, s.At)
	}
	return held
}

func TestLossAgreesWithTheBytesHeld(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, f := drawWay(t, "c"), drawWay(t, "f")
		got := compareCopies(c, f)
		mine, missing := bytesOf(c), 0
		for b := range bytesOf(f) {
			if !mine[b] {
				missing += 50
			}
		}
		if !got.Known || got.Lost != int64(missing) {
			t.Fatalf("lost %d, counted %d: %+v", got.Lost, missing, got)
		}
		if (got.Lost == 0) != (got.Contained == True) {
			t.Fatalf("contained and lost disagree: %+v", got)
		}
		back := compareCopies(f, c)
		if got.Branches != (got.Lost > 0 && back.Lost > 0) || got.Branches != back.Branches {
			t.Fatalf("branches: %+v and %+v", got, back)
		}
	})
}
