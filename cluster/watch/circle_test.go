package watch

import (
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// What flaps with every look must not have chef-backend-ctl run without end;
// what changes once is looked at at once, and nothing is forgotten.
func TestSuspicionIsPaced(t *testing.T) {
	var s suspicion
	made := 0
	for i := range 300 { // ten minutes of looks that all differ
		if s.now(t0.Add(time.Duration(i)*FastEvery), true) {
			made++
		}
	}
	if most := suspicionBurst + int(10*time.Minute/suspicionEvery); made < 40 || made > most {
		t.Errorf("%d slow looks, want 40 to %d", made, most)
	}
	later := t0.Add(time.Hour)
	if !s.now(later, true) {
		t.Error("a change after a quiet time is not looked at at once")
	}
	for range 10 {
		s.now(later, true)
	}
	if s.now(later, true) || s.now(later.Add(FastEvery), false) {
		t.Error("more than the burst")
	}
	if !s.now(later.Add(suspicionEvery+FastEvery), false) {
		t.Error("what came too early was forgotten")
	}
}

func TestOnlyYoungFindingsHurryTheSlowLook(t *testing.T) {
	w := &Watch{}
	s := threeNodes(1, t0, "be1")
	for _, r := range s.Reports {
		r.Ctl.Rows.At = t0.Add(-20 * time.Second)
	}
	v := &cluster.View{Now: t0, Snapshot: s, Previous: threeNodes(0, t0, "be1")}
	old, young := []cluster.Finding{{Since: t0.Add(-time.Hour)}}, []cluster.Finding{{Since: t0.Add(-time.Minute)}}
	if w.wantsSlow(v, nil, false) || w.wantsSlow(v, old, false) {
		t.Error("hurried for nothing new")
	}
	if !w.wantsSlow(v, young, false) || !w.wantsSlow(v, old, true) {
		t.Error("not hurried by a young finding or a plan at work")
	}
	v.Previous = nil // nobody is known to lead in one look only
	if !w.wantsSlow(v, nil, false) {
		t.Error("not hurried while nobody is known to lead")
	}
}

// Only what Elasticsearch was seen to do counts: not to know is not silence.
func TestSampleKnowsSilenceFromIgnorance(t *testing.T) {
	for want, c := range map[cluster.Truth]cluster.Claim[bool]{
		cluster.Unknown: cluster.UnknownAs[bool]("curl not found", cluster.SourceElasticsearch, t0),
		cluster.False:   cluster.KnownAs(false, cluster.SourceElasticsearch, t0),
		cluster.True:    cluster.KnownAs(true, cluster.SourceElasticsearch, t0),
	} {
		s := threeNodes(1, t0, "be1")
		s.Reports["be1"].Elasticsearch.Answers = c
		if got := sampleOf(&cluster.View{Now: t0, Snapshot: s}, s.Reports["be1"], cluster.Elected{}).ESAnswers; got != want {
			t.Errorf("answers %s, want %s", got, want)
		}
	}
}

// Slow looks that unsettled things hurry leave their nodes at rest for as long as
// they take, and a step that has been at work for long hurries none.
func TestHurriedLooksLeaveTheNodesAtRest(t *testing.T) {
	for took, least := range map[time.Duration]time.Duration{time.Second: unsettledSlow, 20 * time.Second: 40 * time.Second} {
		h, s, now := hurried{}, threeNodes(1, t0, "be1"), t0
		begun, queued, asked, lastAsked, apart := t0, false, 0, time.Time{}, time.Duration(1<<62)
		for range 600 {
			now = now.Add(FastEvery)
			if !begun.IsZero() && now.Sub(begun) >= took { // its report is there
				s.Reports["be1"].Ctl.Rows = cluster.KnownAs([]cluster.CtlNode{{Name: "be1"}}, cluster.SourceCtl, begun)
				begun = time.Time{}
			}
			// The others are quick, or do not answer: that hurries nobody.
			s.Reports["be2"].Ctl.Rows = cluster.KnownAs([]cluster.CtlNode{{Name: "be1"}}, cluster.SourceCtl, now)
			s.Reports["be3"].Ctl.Rows = cluster.UnknownAs[[]cluster.CtlNode]("no link", cluster.SourceCtl, now)
			h.learn(&cluster.View{Now: now, Snapshot: s})
			if !h.rests(now) {
				if asked++; asked > 5 { // how long one takes is learnt from the first
					apart = min(apart, now.Sub(lastAsked))
				}
				lastAsked, queued = now, true
			}
			if queued && begun.IsZero() {
				begun, queued = now, false
			}
		}
		if asked < 5 || apart < least {
			t.Errorf("looks of %s: asked %d times, %s apart at least, want %s", took, asked, apart, least)
		}
	}
	step := func(began, ended time.Duration, s cluster.Status) *cluster.PlanState {
		p := &cluster.PlanState{Status: s, Began: t0.Add(-time.Hour), Steps: []cluster.StepState{{Began: t0.Add(-began)}}}
		if ended > 0 {
			p.Steps[0].Ended = t0.Add(-ended)
		}
		return p
	}
	for _, c := range []struct {
		p    *cluster.PlanState
		want bool
	}{
		{nil, false}, {step(time.Minute, 0, cluster.StatusRunning), true}, {step(30*time.Minute, 0, cluster.StatusRunning), false},
		{step(30*time.Minute, time.Minute, cluster.StatusWaiting), true}, {step(time.Minute, 0, cluster.StatusAsked), false}, {step(time.Minute, 0, cluster.StatusDone), false},
	} {
		if got := stepYoung(c.p, t0); got != c.want {
			t.Errorf("%+v: %v", c.p, got)
		}
	}
}
