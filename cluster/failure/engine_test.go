package failure

import (
	"slices"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// The engine is tried with failures made of two plain facts: whether a node can
// be reached, and whether its sentinel unsynced lies there.
const (
	gone   = "unreachable"
	marked = "unsynced"
)

var start = time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)

// looker makes views of two nodes, 2 s apart.
type looker struct {
	e     *Engine
	now   time.Time
	seq   uint64
	reach map[string]cluster.Reach // "": unknown
	mark  map[string]cluster.Truth
	view  cluster.View
}

func newLooker(fs ...cluster.Failure) *looker {
	l := &looker{e: NewEngine(fs), now: start, reach: map[string]cluster.Reach{}, mark: map[string]cluster.Truth{}}
	for _, n := range []string{"be1", "be2"} {
		l.reach[n], l.mark[n] = cluster.Reached, cluster.False
	}
	return l
}

// look is one more look, 2 s later.
func (l *looker) look() []cluster.Finding {
	l.now, l.seq = l.now.Add(2*time.Second), l.seq+1
	s := &cluster.Snapshot{Seq: l.seq, At: l.now, Nodes: []cluster.Node{{Name: "be1"}, {Name: "be2"}}, Reports: map[string]*cluster.Report{}}
	for _, n := range s.Nodes {
		r := &cluster.Report{Node: n.Name, Seq: l.seq}
		if how := l.reach[n.Name]; how != "" {
			r.Reach = cluster.KnownAs(how, cluster.SourceReach, l.now)
		}
		if m := l.mark[n.Name]; m != cluster.Unknown {
			r.Sentinels.Unsynced = cluster.KnownAs(m == cluster.True, cluster.SourceSentinel, l.now)
		}
		s.Reports[n.Name] = r
	}
	l.view.Now, l.view.Previous, l.view.Snapshot = l.now, l.view.Snapshot, s
	v := l.view
	return l.e.Evaluate(&v)
}

func (l *looker) looks(n int) (fs []cluster.Finding) {
	for range n {
		fs = l.look()
	}
	return fs
}

func row(name string, p cluster.Priority, confirmed ...string) cluster.Failure {
	return cluster.Failure{Name: name, Scope: "node", Priority: p, Title: "{node} is " + name, Confirmed: questions(confirmed...)}
}

func questions(qs ...string) (out []cluster.Question) {
	for _, s := range qs {
		q, err := cluster.ParseQuestion(s)
		if err != nil {
			panic(err)
		}
		out = append(out, q)
	}
	return out
}

// shown writes findings as "ID priority certainty" with ">ID" for what hides them.
func shown(fs []cluster.Finding) (out []string) {
	for _, f := range fs {
		s := f.ID() + " " + f.Priority.String() + " " + string(f.Certainty)
		if f.Under != "" {
			s += " >" + f.Under
		}
		out = append(out, s)
	}
	return out
}

func expect(t *testing.T, when string, got []cluster.Finding, want ...string) {
	t.Helper()
	if !slices.Equal(shown(got), want) {
		t.Errorf("%s: %v, want %v", when, shown(got), want)
	}
}

func TestAppearAndClear(t *testing.T) {
	l := newLooker(row("grave", cluster.P1, gone), row("plain", cluster.P2, gone))
	l.looks(3)
	l.reach["be1"] = cluster.Unreachable
	expect(t, "first look", l.look(), "grave@be1 P1 confirmed")
	fs := l.look()
	expect(t, "second look", fs, "grave@be1 P1 confirmed", "plain@be1 P2 confirmed")
	if fs[1].Since != start.Add(8*time.Second) || fs[1].Title != "be1 is plain" {
		t.Errorf("since %s, %q", fs[1].Since, fs[1].Title)
	}
	l.reach["be1"] = cluster.Reached
	expect(t, "two looks against it", l.looks(2), "grave@be1 P1 confirmed", "plain@be1 P2 confirmed")
	expect(t, "three looks against it", l.look())
	l.reach["be1"] = cluster.Unreachable
	expect(t, "it must earn its place again", l.look(), "grave@be1 P1 confirmed")
}

// Asking twice about one snapshot is not looking twice.
func TestSameSnapshotIsNoLook(t *testing.T) {
	l := newLooker(row("plain", cluster.P2, gone))
	l.reach["be1"] = cluster.Unreachable
	l.look()
	v := l.view
	for range 5 {
		expect(t, "same snapshot", l.e.Evaluate(&v))
	}
	expect(t, "next look", l.look(), "plain@be1 P2 confirmed")
}

// A hold time bears a quarter of itself with facts that cannot be read, and
// nothing at all that was read and is not so.
func TestHold(t *testing.T) {
	f := row("held", cluster.P1, gone)
	f.Hold = 16 * time.Second
	for _, tt := range []struct {
		when   string
		how    cluster.Reach
		broken int // looks in between
		after  int // looks until it stands
	}{
		{"a look that could not be made", "", 1, 2},
		{"two of them", "", 2, 1},
		{"a third one", "", 3, 9},
		{"a look that says no", cluster.Reached, 1, 9},
	} {
		l := newLooker(f)
		l.reach["be1"] = cluster.Unreachable
		expect(t, tt.when+", before it", l.looks(6))
		l.reach["be1"] = tt.how
		expect(t, tt.when, l.looks(tt.broken))
		l.reach["be1"] = cluster.Unreachable
		expect(t, tt.when+", not yet", l.looks(tt.after-1))
		expect(t, tt.when+", then", l.look(), "held@be1 P1 confirmed")
	}
}

// Nothing comes to stand by time that passes while it cannot be read.
func TestHoldDoesNotEndUnread(t *testing.T) {
	f := row("held", cluster.P1, gone)
	f.Hold = 16 * time.Second
	l := newLooker(f)
	l.reach["be1"] = cluster.Unreachable
	l.looks(8)
	l.reach["be1"] = ""
	expect(t, "unread when it ends", l.looks(2))
	l.reach["be1"] = cluster.Unreachable
	expect(t, "read again", l.look(), "held@be1 P1 confirmed")
}

// The hold runs over what confirms; what excludes is asked at the end.
func TestNotWhen(t *testing.T) {
	f := row("held", cluster.P2, gone)
	f.Hold, f.NotWhen = 10*time.Second, questions(marked)
	l := newLooker(f)
	l.reach["be1"], l.mark["be1"] = cluster.Unreachable, cluster.True
	expect(t, "excluded", l.looks(20))
	l.mark["be1"] = cluster.False
	expect(t, "one look after", l.look())
	expect(t, "two looks after", l.look(), "held@be1 P2 confirmed")
	l.mark["be1"] = cluster.Unknown
	expect(t, "an exclusion that is unknown leaves a suspicion", l.look(), "held@be1 P2 suspected")
}

func TestUnknownNeverConfirms(t *testing.T) {
	l := newLooker(row("both", cluster.P1, gone, marked))
	l.reach["be1"], l.mark["be1"] = cluster.Unreachable, cluster.Unknown
	expect(t, "half known", l.looks(50))
	l.mark["be1"] = cluster.True
	expect(t, "known", l.look(), "both@be1 P1 confirmed")
	l.reach["be1"], l.mark["be1"] = "", cluster.Unknown
	expect(t, "not known any more", l.looks(30), "both@be1 P1 suspected")
	l.now = l.now.Add(doubtFor)
	expect(t, "and not for ever", l.looks(3))
}

func TestSigns(t *testing.T) {
	f := row("signed", cluster.P2, marked)
	f.Seen = []string{"a-line"}
	l := newLooker(f)
	l.view.Signs = []cluster.SignSeen{{Sign: "a-line", Node: "be1", Service: "etcd", Count: 3, Last: start, Example: "x"}}
	expect(t, "a direct look refutes it", l.looks(3))
	l.mark["be1"] = cluster.Unknown
	fs := l.looks(2)
	expect(t, "nothing refutes it", fs, "signed@be1 P2 suspected")
	e := fs[0].Evidence[len(fs[0].Evidence)-1]
	if e.Kind != "sign" || e.Name != "a-line" || !strings.Contains(e.Sentence, "3 times") {
		t.Errorf("%+v", e)
	}
	l.now = start.Add(signsFor - 3*time.Second)
	expect(t, "just within 15 min", l.look(), "signed@be1 P2 suspected")
	expect(t, "older than 15 min", l.looks(4))
}

// What a log still holds when a cockpit opens is no alarm before a second look
// was had, of whatever priority.
func TestOldLinesRaiseNothingAtTheFirstLook(t *testing.T) {
	f := row("signed", cluster.P1, marked)
	f.Seen = []string{"a-line"}
	l := newLooker(f)
	l.view.Signs = []cluster.SignSeen{{Sign: "a-line", Node: "be1", Service: "etcd", Count: 1, Last: start}}
	l.mark["be1"] = cluster.Unknown
	expect(t, "the first look", l.look())
	expect(t, "the second", l.look(), "signed@be1 P1 suspected")
}

func TestHiding(t *testing.T) {
	cause, middle, effect := row("cause", cluster.P2, gone), row("middle", cluster.P1, gone), row("effect", cluster.P3, gone)
	cause.Hides = []cluster.Hide{{Failure: "mid*", Node: "any"}}
	middle.Hides = []cluster.Hide{{Failure: "effect", Node: "same"}}
	l := newLooker(cause, middle, effect)
	l.reach["be1"] = cluster.Unreachable
	expect(t, "transitive, and the graver is folded too", l.looks(3),
		"cause@be1 P2 confirmed", "middle@be1 P1 confirmed >cause@be1", "effect@be1 P3 confirmed >cause@be1")
	l.reach["be2"] = cluster.Unreachable
	expect(t, "every node has its own, any node hides", l.looks(3),
		"cause@be1 P2 confirmed", "middle@be1 P1 confirmed >cause@be1", "middle@be2 P1 confirmed >cause@be1",
		"effect@be1 P3 confirmed >cause@be1", "effect@be2 P3 confirmed >cause@be1", "cause@be2 P2 confirmed")
}

// A finding must not go because the repair itself hides its facts.
func TestFindingStaysWhileOurPlanMendsIt(t *testing.T) {
	l := newLooker(row("ill", cluster.P2, marked))
	l.mark["be1"], l.mark["be2"] = cluster.True, cluster.True
	l.looks(3)
	l.view.Plans = []cluster.PlanState{{Status: cluster.StatusRunning, Plan: cluster.Plan{ID: "1", Tier: cluster.T1, Node: "be1"}}}
	l.mark["be1"], l.mark["be2"] = cluster.False, cluster.False
	expect(t, "only what is being mended stays", l.looks(6), "ill@be1 P2 confirmed")
	l.view.Plans[0].Status = cluster.StatusDone
	expect(t, "and goes after the plan", l.looks(6))
}

// For the cluster as a whole only a plan that the failure offers mends it.
func TestClusterFindingStaysWhileItsOwnOfferMendsIt(t *testing.T) {
	f := row("ill", cluster.P1, "etcd-processes-missing")
	f.Scope, f.Confirmed, f.Offers = "cluster", questions("our-plan-runs-anywhere"), []cluster.Offer{{Procedure: "start-node"}}
	f.Confirmed[0].Not = true
	for _, c := range []struct {
		procedure string
		stays     bool
	}{{"start-node", true}, {"restart-service", false}} {
		l := newLooker(f)
		l.looks(3)
		l.view.Plans = []cluster.PlanState{{Status: cluster.StatusRunning, Plan: cluster.Plan{ID: "1", Procedure: c.procedure, Tier: cluster.T1, Node: "be1"}}}
		if fs := l.looks(6); (len(fs) == 1) != c.stays {
			t.Errorf("%s: %v", c.procedure, shown(fs))
		}
	}
}

// A look that could not be made takes certainty away and not the time that was
// waited out before.
func TestDoubtDoesNotStartTheHoldAnew(t *testing.T) {
	f := row("held", cluster.P2, marked)
	f.Hold = 20 * time.Second
	l := newLooker(f)
	l.mark["be1"] = cluster.True
	expect(t, "after its hold", l.looks(11), "held@be1 P2 confirmed")
	l.mark["be1"] = cluster.Unknown
	expect(t, "in doubt", l.look(), "held@be1 P2 suspected")
	l.mark["be1"] = cluster.True
	expect(t, "one look", l.look(), "held@be1 P2 suspected")
	expect(t, "two looks", l.look(), "held@be1 P2 confirmed")
}

// A consequence that outlives its cause by a look or two must not flash up
// alone; one that really stays is shown after its own time.
func TestReleasedConsequenceStandsTheTestAnew(t *testing.T) {
	cause, effect := row("cause", cluster.P2, gone), row("effect", cluster.P2, marked)
	cause.Hides, effect.Hold = []cluster.Hide{{Failure: "effect", Node: "same"}}, 10*time.Second
	l := newLooker(cause, effect)
	l.reach["be1"], l.mark["be1"] = cluster.Unreachable, cluster.True
	if fs := l.looks(8); len(fs) != 2 || fs[1].Under != "cause@be1" {
		t.Fatalf("folded: %+v", fs)
	}
	l.reach["be1"] = cluster.Reached
	for range 12 { // the cause clears after some looks
		fs := l.look()
		if len(fs) == 0 {
			break
		}
		if fs[0].Under == "" && fs[0].Failure == "effect" {
			t.Fatal("the consequence flashed up alone")
		}
	}
	shown := 0
	for ; shown < 10 && len(l.look()) == 0; shown++ {
	}
	if fs := l.look(); len(fs) != 1 || fs[0].Failure != "effect" || fs[0].Under != "" || shown < 3 {
		t.Errorf("after %d looks: %+v", shown, fs)
	}
}

// A P1 consequence waits for nothing when its cause has gone, unless the newest
// look denies it.
func TestReleasedP1(t *testing.T) {
	cause, effect := row("cause", cluster.P2, gone), row("effect", cluster.P1, marked)
	cause.Hides, cause.Clear, effect.Clear = []cluster.Hide{{Failure: "effect", Node: "same"}}, 1, 5
	for still, want := range map[cluster.Truth][]string{
		cluster.True:    {"effect@be1 P1 confirmed"},
		cluster.Unknown: {"effect@be1 P1 suspected"},
		cluster.False:   nil,
	} {
		l := newLooker(cause, effect)
		l.reach["be1"], l.mark["be1"] = cluster.Unreachable, cluster.True
		if fs := l.looks(4); len(fs) != 2 || fs[1].Under != "cause@be1" {
			t.Fatalf("folded: %+v", fs)
		}
		l.reach["be1"], l.mark["be1"] = cluster.Reached, still
		expect(t, "the effect is "+still.String(), l.look(), want...)
	}
}

func TestSuspicionHidesNoCertainty(t *testing.T) {
	cause, effect := row("cause", cluster.P1, marked), row("effect", cluster.P2, gone)
	cause.Suspected, cause.Hides = questions(gone), []cluster.Hide{{Failure: "effect", Node: "same"}}
	l := newLooker(cause, effect)
	l.reach["be1"], l.mark["be1"] = cluster.Unreachable, cluster.Unknown
	expect(t, "suspected", l.looks(3), "cause@be1 P1 suspected", "effect@be1 P2 confirmed")
	l.mark["be1"] = cluster.True
	expect(t, "confirmed", l.looks(3), "cause@be1 P1 confirmed", "effect@be1 P2 confirmed >cause@be1")
}

// Two that hide each other: the graver stays. A longer circle hides nothing.
func TestHidingInCircles(t *testing.T) {
	a, b := row("a", cluster.P2, gone), row("b", cluster.P1, gone)
	a.Hides, b.Hides = []cluster.Hide{{Failure: "b", Node: "same"}}, []cluster.Hide{{Failure: "a", Node: "same"}}
	l := newLooker(a, b)
	l.reach["be1"] = cluster.Unreachable
	expect(t, "pair", l.looks(3), "b@be1 P1 confirmed", "a@be1 P2 confirmed >b@be1")
}

func TestEscalationMaintenanceAndOrder(t *testing.T) {
	f := row("f", cluster.P2, gone)
	f.Escalate = []cluster.Escalation{{When: questions(marked)[0], Priority: cluster.P1}}
	above := row("above", cluster.P1, marked)
	above.Above = true
	l := newLooker(f, above)
	l.view.Maintenance, l.view.MarkedBy = map[string]time.Time{"be1": start.Add(time.Hour)}, map[string]string{"be1": "ann"}
	l.reach["be1"] = cluster.Unreachable
	fs := l.looks(3)
	expect(t, "planned work", fs, "f@be1 P3 confirmed")
	if !strings.HasSuffix(fs[0].Title, "(in maintenance until 03:00Z by ann)") || !fs[0].FirstOut {
		t.Errorf("%q, first out %t", fs[0].Title, fs[0].FirstOut)
	}
	l.mark["be1"] = cluster.True
	expect(t, "P1 is never a note, and what is above all stands first", l.looks(3), "above@be1 P1 confirmed", "f@be1 P1 confirmed")
}

func TestAcknowledge(t *testing.T) {
	l := newLooker(row("f", cluster.P1, gone))
	l.reach["be1"] = cluster.Unreachable
	l.look()
	l.e.Acknowledge("f@be1")
	l.e.Acknowledge("f@be2") // does not stand: nothing to see
	if fs := l.look(); !fs[0].Acked {
		t.Error("not acknowledged")
	}
	l.reach["be1"] = cluster.Reached
	l.looks(3)
	l.reach["be1"], l.reach["be2"] = cluster.Unreachable, cluster.Unreachable
	if fs := l.look(); fs[0].Acked || fs[1].Acked {
		t.Error("what comes back is new")
	}
}
