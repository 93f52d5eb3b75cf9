package cluster

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// Two machines that were promoted apart from each other, at one position, gave
// their timelines one number and wrote different bytes there.
func TestTwoWhoWroteOneTimelineAreNotCompared(t *testing.T) {
	to89 := []Switch{{87, lsnSwitch - 900*mib}, {88, lsnSwitch}}
	other89 := []Switch{{87, lsnSwitch - 900*mib}, {88, lsnSwitch - mib}}
	standby := func(end LSN) func(*PostgreSQLClaims) { return onTimeline(89, end, to89...) }
	stopped := func(state string, end LSN, switches ...Switch) func(*PostgreSQLClaims) {
		return func(p *PostgreSQLClaims) {
			killed(onTimeline(89, end, switches...), end, end)(p)
			p.Control.Value.State = state
		}
	}
	// promoted is a follower of timeline 89 that was promoted at "left".
	left := lsnSwitch + 2*mib
	promoted := func(p *PostgreSQLClaims) {
		onTimeline(90, left+mib, append(slices.Clone(to89), Switch{89, left})...)(p)
	}
	primary := func(end LSN) func(*PostgreSQLClaims) {
		return func(p *PostgreSQLClaims) {
			standby(end)(p)
			p.InRecovery, p.Current, p.Control.Value.State = pgKnown(false), pgKnown(end), "in production"
		}
	}
	ahead, behind := lsnSwitch+3*mib, lsnSwitch+mib
	for name, c := range map[string]struct {
		chosen, other, third func(*PostgreSQLClaims)
		want                 Truth
		said                 string
	}{
		"a primary, another was killed":       {primary(ahead), stopped("in production", behind, to89...), standby(behind), Unknown, "be1 and be2 were both primaries on timeline 89"},
		"another was shut down":               {primary(ahead), stopped("shut down", behind, to89...), standby(behind), Unknown, "both primaries"},
		"another was being shut down":         {primary(ahead), stopped("shutting down", behind, to89...), standby(behind), Unknown, "both primaries"},
		"another was in crash recovery":       {primary(ahead), stopped("in crash recovery", behind, to89...), standby(behind), Unknown, "both primaries"},
		"both are down":                       {stopped("shut down", ahead, to89...), stopped("in production", behind, to89...), standby(behind), Unknown, "both primaries"},
		"whom a standby followed":             {standby(ahead), stopped("in production", behind, to89...), primary(ahead), Unknown, "be2 and be3 were both primaries"},
		"the only one was killed":             {standby(ahead), stopped("in production", behind, to89...), standby(behind), True, "loses nothing of be2"},
		"the only one was shut down":          {standby(ahead), stopped("shut down", behind, to89...), standby(behind), True, "loses nothing of be2"},
		"the only one leads":                  {primary(ahead), standby(behind), standby(behind), True, "loses nothing of be2"},
		"a standby that was shut down":        {primary(ahead), stopped("shut down in recovery", behind, to89...), standby(behind), True, "loses nothing of be2"},
		"a standby that was killed":           {primary(ahead), stopped("in archive recovery", behind, to89...), standby(behind), True, "loses nothing of be2"},
		"the histories tell the two apart":    {primary(ahead), stopped("in production", behind, other89...), standby(behind), False, "two branches"},
		"a standby, and a branch beside it":   {primary(ahead), standby(behind), stopped("in production", behind, other89...), True, "loses nothing of be2"},
		"a follower of one was promoted":      {promoted, stopped("in production", behind, to89...), stopped("in production", left, to89...), Unknown, "be2 and be3 were both primaries on timeline 89"},
		"promoted from the only one":          {promoted, stopped("in production", behind, to89...), standby(behind), True, "loses nothing of be2"},
		"promoted, and a branch beside it":    {promoted, stopped("in production", behind, to89...), stopped("in production", left, other89...), True, "loses nothing of be2"},
		"a primary of the timeline before it": {primary(ahead), killed(onTimeline(88, lsnSwitch-mib, to89[0]), lsnSwitch-2*mib, lsnSwitch-mib), standby(behind), True, "loses nothing of be2"},
	} {
		v := viewOfThree(map[string]func(*PostgreSQLClaims){"be1": c.chosen, "be2": c.other, "be3": c.third})
		got := v.CompareCopies("be1")[0]
		if got.Contained != c.want || !strings.Contains(got.Sentence, c.said) {
			t.Errorf("%s: %+v", name, got)
		}
		if c.want != Unknown {
			continue
		}
		if back := v.CompareCopies("be2")[0]; back.Known || back.Contained != Unknown {
			t.Errorf("%s, the other way: %+v", name, back)
		}
		if table := v.CopyTable(); len(table.Furthest) > 0 {
			t.Errorf("%s: furthest %v", name, table.Furthest)
		}
	}
}

// What guards an act closes for a node that wrote the leader's timeline, too.
func TestSecondWriterIsSavedFirst(t *testing.T) {
	to89 := []Switch{{88, lsnSwitch}}
	end := lsnSwitch + mib
	v := viewOfThree(map[string]func(*PostgreSQLClaims){
		"be1": func(p *PostgreSQLClaims) {
			onTimeline(89, end+mib, to89...)(p)
			p.InRecovery, p.Current = pgKnown(false), pgKnown(end+mib)
		},
		"be2": killed(onTimeline(89, end, to89...), end, end),
		"be3": onTimeline(89, end+mib, to89...),
	})
	of := Binding{Node: "be2", Plan: &Plan{Values: map[string]string{"leader": "be1"}}}
	if a := askNoOwnWAL(v, of); a.Truth != Unknown {
		t.Errorf("no-wal-of-its-own: %+v", a)
	}
	if a := askNeedsSaving(v, of); a.Truth != True {
		t.Errorf("needs-saving: %+v", a)
	}
	if a := askReachableContained(v, Binding{Node: "be1", Args: []string{"be2"}}); a.Truth != Unknown {
		t.Errorf("reachable-copy-contained: %+v", a)
	}
}

// The stray branch stays one when a follower of the other writer was promoted:
// its history leaves the timeline behind the end of that branch.
func TestSecondWriterIsSavedAfterAPromotion(t *testing.T) {
	to89 := []Switch{{88, lsnSwitch}}
	left := lsnSwitch + 2*mib
	stray := killed(onTimeline(89, lsnSwitch+mib, to89...), lsnSwitch, lsnSwitch+mib)
	leader := func(p *PostgreSQLClaims) {
		onTimeline(90, left+mib, to89[0], Switch{89, left})(p)
		p.InRecovery, p.Current = pgKnown(false), pgKnown(left+mib)
	}
	of := Binding{Node: "be3", Plan: &Plan{Values: map[string]string{"leader": "be2"}}}
	for name, be1 := range map[string]func(*PostgreSQLClaims){
		"the other writer is down": killed(onTimeline(89, left, to89...), left, left),
		"it was last seen leading": nil,
	} {
		v := viewOfThree(map[string]func(*PostgreSQLClaims){"be1": be1, "be2": leader, "be3": stray})
		v.Past.LastSeen = map[string]LastSeen{"be1": {At: v.Now.Add(-time.Minute), Position: left, Timeline: 89, Leader: true}}
		if a := askNoOwnWAL(v, of); a.Truth != Unknown {
			t.Errorf("%s: no-wal-of-its-own: %+v", name, a)
		}
		if a := askNeedsSaving(v, of); a.Truth != True {
			t.Errorf("%s: needs-saving: %+v", name, a)
		}
		if got := v.CompareCopies("be3")[1]; got.Known || got.Contained != Unknown {
			t.Errorf("%s: the way back: %+v", name, got)
		}
	}
	v := viewOfThree(map[string]func(*PostgreSQLClaims){"be1": onTimeline(89, left, to89...), "be2": leader, "be3": stray})
	if a := askNoOwnWAL(v, of); a.Truth != True {
		t.Errorf("the only writer of its timeline: %+v", a)
	}
}

// One that led the timeline when it was last seen counts, too: a standby may
// have followed it.
func TestUnreachableWriterCounts(t *testing.T) {
	to89 := []Switch{{88, lsnSwitch}}
	v := viewOfThree(map[string]func(*PostgreSQLClaims){
		"be1": onTimeline(89, lsnSwitch+3*mib, to89...),
		"be2": killed(onTimeline(89, lsnSwitch+mib, to89...), lsnSwitch, lsnSwitch+mib),
	})
	for _, led := range []bool{true, false} {
		v.Past.LastSeen = map[string]LastSeen{"be3": {At: v.Now.Add(-time.Minute), Position: lsnSwitch + 3*mib, Timeline: 89, Leader: led}}
		want := map[bool]Truth{true: Unknown, false: True}[led]
		if got := v.CompareCopies("be1")[0]; got.Contained != want {
			t.Errorf("led %v: %+v", led, got)
		}
	}
}

// Right after it followed a promotion a standby's control data tell the old
// timeline, and the old leader holds more of that than anybody.
func TestFollowedWithinOneFileIsOnTheNewTimeline(t *testing.T) {
	left88 := Switch{87, lsnSwitch - 900*mib}
	followed := onTimeline(89, lsnSwitch+2*mib, left88, Switch{88, lsnSwitch})
	v := viewOfCopies(copyReport("be1", killed(onTimeline(88, lsnSwitch+mib, left88), lsnSwitch-26*mib, lsnSwitch+mib)),
		copyReport("be2", func(p *PostgreSQLClaims) { followed(p); p.Control.Value.Timeline = 88 }))
	if got := v.CompareCopies("be2")[0]; got.Contained != False || got.Lost != int64(mib) || !got.Branches {
		t.Errorf("%+v", got)
	}
	if got := v.Report("be2").Timeline(); got != 89 {
		t.Errorf("timeline %d", got)
	}
}
