package watch

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
)

// errEarlier refuses what would act.
var errEarlier = errors.New("this is the past: it shows what was, and nothing can be carried out")

// TimeMachine is a Door that remembers the last hour.
type TimeMachine interface {
	// Earlier is a door onto what was until now, at its newest moment; false:
	// nothing was seen yet.
	Earlier() (Traveller, bool)
}

// Traveller is a door onto the moments of the last hour, and the clock of the
// one that it stands at. No method waits; all are safe for concurrent use.
type Traveller interface {
	Door
	cluster.Clock
	// Step goes to the next (dir > 0) or previous moment; false: there is none.
	Step(dir int) bool
	// Jump goes to the next or previous moment that tells another thing than the
	// one before it; false: there is none.
	Jump(dir int) bool
	// Skip goes on (d > 0) or back by about d, to the first or the last moment at
	// most; false: it stood there.
	Skip(d time.Duration) bool
}

// EarlierAt is where in the last hour a Traveller stands.
type EarlierAt struct {
	Moment, Moments int // from 1
	Oldest, Newest  time.Time
}

var (
	_ TimeMachine = (*Watch)(nil)
	_ Traveller   = (*Earlier)(nil)
)

// Earlier shows what was behind the door that the screen knows. Nothing can be
// carried out, asked or said through it.
type Earlier struct {
	shut
	w       *Watch
	moments []moment

	mu    sync.Mutex
	at    int // index into moments
	seq   uint64
	state atomic.Pointer[State]
}

// Earlier opens the last hour as it is known now.
func (w *Watch) Earlier() (Traveller, bool) {
	w.mu.Lock()
	kept := slices.Clone(w.hour.kept)
	w.mu.Unlock()
	if len(kept) == 0 {
		return nil, false
	}
	e := &Earlier{shut: shut{errEarlier}, w: w, moments: kept}
	e.stand(len(kept) - 1)
	return e, true
}

// stand shows the moment with that index. Callers hold the lock.
func (e *Earlier) stand(at int) {
	e.at = at
	e.seq++
	s := *e.moments[at].state
	s.Seq = e.seq
	s.Stamp, s.StampColor, s.Mode, s.ArmedUntil = strings.TrimSuffix("PAST, "+s.Stamp, ", "), "magenta", ReadOnly, time.Time{}
	s.Earlier = &EarlierAt{Moment: at + 1, Moments: len(e.moments), Oldest: e.moments[0].state.At, Newest: e.moments[len(e.moments)-1].state.At}
	e.state.Store(&s)
}

// now is the moment that is shown.
func (e *Earlier) now() moment {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.moments[e.at]
}

// Step goes to the next or previous moment.
func (e *Earlier) Step(dir int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	at := e.at + dir
	if at < 0 || at >= len(e.moments) {
		return false
	}
	e.stand(at)
	return true
}

// Jump goes to the next or previous moment that tells another thing.
func (e *Earlier) Jump(dir int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for at := e.at + dir; at > 0 && at < len(e.moments); at += dir {
		if e.moments[at].told != e.moments[at-1].told {
			e.stand(at)
			return true
		}
	}
	return false
}

// Skip goes on or back in time.
func (e *Earlier) Skip(d time.Duration) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	to := e.moments[e.at].state.At.Add(d)
	// the newest moment that is not after to
	at, _ := slices.BinarySearchFunc(e.moments, to, func(m moment, t time.Time) int {
		if m.state.At.After(t) {
			return 1
		}
		return -1
	})
	at = max(at-1, 0)
	if d > 0 && at <= e.at { // a long silence: go on all the same
		at = min(e.at+1, len(e.moments)-1)
	}
	if at == e.at {
		return false
	}
	e.stand(at)
	return true
}

// Now is the time of the moment that is shown.
func (e *Earlier) Now() time.Time { return e.State().At }

// After is on the living cluster's clock.
func (e *Earlier) After(d time.Duration) <-chan time.Time { return e.w.o.Clock.After(d) }

// State is the moment that is shown; never nil.
func (e *Earlier) State() *State { return e.state.Load() }

// Changed never tells of anything: only keys move what is shown.
func (e *Earlier) Changed() <-chan struct{} { return nil }

// Logs returns matching lines that stood in the merged log at that moment and
// are still held.
func (e *Earlier) Logs(q LogQuery, end uint64, n int) (LogPage, error) {
	last := e.now().logEnd
	if last == 0 {
		return LogPage{}, nil
	}
	newest := end == 0 || end >= last
	if newest {
		end = last
	}
	p, err := e.w.Logs(q, end, n)
	if newest {
		p.Newer = 0
	} else if later, lost := e.w.Logs(q, last, 1); lost == nil {
		p.Newer -= min(p.Newer, later.Newer)
	}
	p.Beyond = false // what is older than what is held is read back from now
	return p, err
}

// FindLog is the next matching line after or before from.
func (e *Earlier) FindLog(q LogQuery, from uint64, dir int) (uint64, bool) {
	last := e.now().logEnd
	if dir < 0 && (from == 0 || from > last+1) {
		from = last + 1
	}
	seq, ok := e.w.FindLog(q, from, dir)
	return seq, ok && seq <= last
}

// Streams is the state of every stream at that moment.
func (e *Earlier) Streams() []cluster.StreamState { return e.now().streams }

// Describe is the catalogue entry of a failure.
func (e *Earlier) Describe(failure string) (cluster.Failure, bool) { return e.w.Describe(failure) }

// SignMeaning is the catalogue entry of a sign.
func (e *Earlier) SignMeaning(sign string) (cluster.Sign, bool) { return e.w.SignMeaning(sign) }

// Rivals are the other suspected findings that this one could have been.
func (e *Earlier) Rivals(finding string) []cluster.Rival {
	return e.State().rivals(finding, e.w.o.Catalogue.Failures)
}

// Offers are what was offered for a finding; none of it can be had.
func (e *Earlier) Offers(finding string) []Offered {
	return e.State().wereOffered(finding, e.w.o.Catalogue, e.why)
}

// NodeOffers are none: they were asked for nowhere.
func (e *Earlier) NodeOffers(string) []Offered { return nil }

// Summary is a plain text of the situation at that moment.
func (e *Earlier) Summary() string { return e.State().summary() }

// rivals are the other suspected findings that a finding could be.
func (s *State) rivals(finding string, failures []cluster.Failure) []cluster.Rival {
	all := cluster.Rivals(s.Findings, failures, s.View)
	return slices.DeleteFunc(all, func(x cluster.Rival) bool { return x.A != finding && x.B != finding })
}

// wereOffered are the lines of a menu that was; why is what closes them.
func (s *State) wereOffered(finding string, c *catalogue.Catalogue, why error) []Offered {
	var out []Offered
	for _, f := range s.Findings {
		if f.ID() != finding {
			continue
		}
		for _, offer := range f.Offers {
			o := Offered{Procedure: offer.Procedure, Title: offer.Procedure, Node: f.Node, Service: offer.Service, Note: offer.Note,
				WhyNot: []cluster.CheckedGuard{{Answer: cluster.Answer{Sentence: why.Error()}}}}
			for _, p := range c.Procedures {
				if p.Name == offer.Procedure {
					o.Title, o.Tier = strings.ReplaceAll(p.Title, "{node}", f.Node), p.Tier
				}
			}
			out = append(out, o)
		}
	}
	return out
}
