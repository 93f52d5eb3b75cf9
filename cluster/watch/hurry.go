package watch

import (
	"slices"
	"time"

	"chef-backend-cockpit/cluster"
)

// suspicion paces the slow looks that a change makes due. A slow look costs its
// node seconds of processor time, and what flaps changes with every look: four
// at once, then one in a quarter of a minute. What came too early stays due.
type suspicion struct {
	spent float64 // looks not yet made good by time
	at    time.Time
	owed  bool
}

const (
	suspicionBurst = 4
	suspicionEvery = 15 * time.Second
)

// now answers whether a slow look is due now; changed: this round differs.
func (s *suspicion) now(at time.Time, changed bool) bool {
	s.spent = max(0, s.spent-float64(at.Sub(s.at))/float64(suspicionEvery))
	s.at = at
	if s.owed = s.owed || changed; !s.owed || s.spent > suspicionBurst-1 {
		return false
	}
	s.spent, s.owed = s.spent+1, false
	return true
}

const (
	// unsettledSlow is how often slow looks are made while things are unsettled:
	// fresh enough to confirm within a failure's hold time.
	unsettledSlow = 8 * time.Second
	// unsettledFor is for how long a finding makes things unsettled. One that
	// has stood for longer is known, and the slow look's own period will do.
	unsettledFor = 3 * time.Minute
)

// hurried paces the slow looks that unsettled things make due, so that the nodes
// rest between two for as long as the slowest of them takes. Only rounds use it.
type hurried struct {
	asked time.Time
	looks map[string]slowLook // the newest of each node that answers
}

// slowLook is when a slow look began, and how long it took, to a round.
type slowLook struct {
	began time.Time
	took  time.Duration
}

// learn notes how long the newest slow looks took. A look that tells nothing
// tells nothing of how long one takes either.
func (h *hurried) learn(v *cluster.View) {
	if h.looks == nil {
		h.looks = map[string]slowLook{}
	}
	for name, r := range v.Snapshot.Reports {
		switch at := r.Ctl.Rows.At; {
		case cluster.Is(r.Reach, cluster.Reached) != cluster.True:
			delete(h.looks, name)
		case r.Ctl.Rows.Known && !at.Equal(h.looks[name].began):
			h.looks[name] = slowLook{at, v.Now.Sub(at)}
		}
	}
}

// rests answers whether it is too early to ask again; else that is noted.
func (h *hurried) rests(now time.Time) bool {
	pause := unsettledSlow
	for _, l := range h.looks {
		pause = max(pause, 2*l.took)
	}
	if now.Sub(h.asked) < pause {
		return true
	}
	h.asked = now
	return false
}

// stepYoung answers whether a plan is at work whose newest step began, or ended,
// not long ago. What takes hours needs no more than the slow look's own period.
func stepYoung(p *cluster.PlanState, now time.Time) bool {
	if p == nil || !p.Running() || p.Status == cluster.StatusAsked {
		return false
	}
	newest := p.Began
	for _, s := range p.Steps {
		for _, at := range []time.Time{s.Began, s.Ended} {
			if at.After(newest) {
				newest = at
			}
		}
	}
	return now.Sub(newest) < unsettledFor
}

// wantsSlow answers whether the slow claims are too old for what is going on: a
// young finding, a step at work since a short while, or nobody known to lead.
func (w *Watch) wantsSlow(v *cluster.View, findings []cluster.Finding, working bool) bool {
	young := slices.ContainsFunc(findings, func(f cluster.Finding) bool { return v.Now.Sub(f.Since) < unsettledFor })
	if !young && !working && (len(findings) > 0 || v.Elected().Truth == cluster.True) {
		return false
	}
	for _, r := range v.Snapshot.Reports {
		if cluster.Is(r.Reach, cluster.Reached) == cluster.True && v.Now.Sub(r.Ctl.Rows.At) > unsettledSlow {
			return true
		}
	}
	return false
}
