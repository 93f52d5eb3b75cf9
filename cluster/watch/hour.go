package watch

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
)

const (
	// hourLasts is how far back the screen can be led.
	hourLasts = time.Hour
	// stillEvery is how often a moment is kept in which nothing changed but
	// numbers.
	stillEvery = 15 * time.Second
	// mostMoments bounds what is kept: one moment of three nodes takes some
	// 32 KB, see BenchmarkHour. Beyond it every second one of the older half goes.
	mostMoments = 400
)

// moment is a state that was, with what else the screen showed then.
type moment struct {
	state   *State
	told    string // what of it is news when it is another one
	streams []cluster.StreamState
	logEnd  uint64 // newest line of the merged log; 0 for none
}

// hour remembers the states of the last hour. It is not safe for concurrent
// use.
type hour struct{ kept []moment }

// keep takes in a state of a finished round, if it tells something else than
// the one before, or enough time has gone by.
func (h *hour) keep(m moment) {
	m.told = told(m.state)
	if n := len(h.kept); n > 0 && h.kept[n-1].told == m.told && m.state.At.Sub(h.kept[n-1].state.At) < stillEvery {
		return
	}
	h.kept = append(h.kept, m)
	old := 0
	for old < len(h.kept)-1 && m.state.At.Sub(h.kept[old].state.At) > hourLasts {
		old++
	}
	h.kept = slices.Delete(h.kept, 0, old)
	if len(h.kept) > mostMoments {
		h.thin()
	}
}

// thin drops every second moment of the older half, the oldest excepted.
func (h *hour) thin() {
	half := len(h.kept) / 2
	rest := h.kept[:0]
	for i, m := range h.kept {
		if i >= half || i%2 == 0 {
			rest = append(rest, m)
		}
	}
	clear(h.kept[len(rest):])
	h.kept = rest
}

// told is what makes one state another one for the eye: who stands where, what
// leads, what services and plans are at. Numbers that always move are left out.
func told(s *State) string {
	var b strings.Builder
	fmt.Fprint(&b, s.Mode, s.Leadership, s.Margin.CanLose, s.Margin.Votes, s.Margin.Copies, s.Margin.Known)
	for _, f := range s.Findings {
		fmt.Fprint(&b, "\n", f.ID(), f.Certainty, f.Priority, f.Under, f.Acked)
	}
	if s.Run != nil {
		fmt.Fprint(&b, "\n", s.Run.Plan.ID, s.Run.Status)
		for _, st := range s.Run.Steps {
			fmt.Fprint(&b, st.Status)
		}
	}
	if s.View == nil || s.View.Snapshot == nil {
		return b.String()
	}
	for _, n := range s.View.Snapshot.Nodes {
		if r := s.View.Report(n.Name); r != nil {
			fmt.Fprint(&b, "\n", n.Name, gist(r), s.Links[n.Name].Phase)
		}
	}
	return b.String()
}

// remembered is a state without what only the next round needs: of the samples
// of each node the newest stays, and those at which a service began anew.
func remembered(s *State) *State {
	c := *s
	if s.View == nil {
		return &c
	}
	v := *s.View
	v.Previous = nil
	telling := make(map[string][]cluster.Sample, len(v.Past.Samples))
	for node, all := range v.Past.Samples {
		var some []cluster.Sample // a copy: the others can go
		for i, one := range all {
			if i == len(all)-1 || !maps.Equal(one.PIDs, all[i+1].PIDs) {
				some = append(some, one)
			}
		}
		telling[node] = some
	}
	v.Past.Samples = telling
	c.View = &v
	return &c
}

// keepMoment keeps the state that a round ended with.
func (w *Watch) keepMoment() {
	if w.o.rehearsal != nil {
		return
	}
	m := moment{state: remembered(w.State()), streams: w.Streams()}
	if w.logs != nil {
		m.logEnd = w.logs.Newest()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hour.keep(m)
}
