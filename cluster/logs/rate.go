package logs

import (
	"slices"
	"time"

	"chef-backend-cockpit/cluster"
)

// rateMinutes is how far back errors are counted.
const rateMinutes = 60

// rate counts the errors of one stream by minute. It outlives the rings: under
// a flood these hold some seconds only.
type rate struct {
	minutes [rateMinutes]struct {
		at     int64 // which minute since 1970
		errors int
	}
	since int64 // oldest line that was counted, in seconds; 0 for none
}

// count takes one line; at is its time in seconds.
func (r *rate) count(at int64, level cluster.Level) {
	if r.since == 0 || at < r.since {
		r.since = at
	}
	if level < cluster.LevelError {
		return
	}
	minute := max(at, 0) / 60
	m := &r.minutes[minute%rateMinutes]
	if minute > m.at {
		m.at, m.errors = minute, 0
	}
	if minute == m.at { // else it is older than what is kept
		m.errors++
	}
}

// ErrorRates is how many errors each service wrote in the last minutes, 60 at
// most, summed over the nodes (none: all). Lines are counted by their own
// stamps since the start, whether or not the rings still hold them.
func (l *Logs) ErrorRates(nodes []string, minutes int) []cluster.ErrorRate {
	minutes = min(max(minutes, 1), rateMinutes)
	last := l.o.Clock.Now().Unix() / 60
	all := make([]cluster.ErrorRate, len(cluster.Services))
	for i, s := range cluster.Services {
		all[i] = cluster.ErrorRate{Service: s, Until: time.Unix((last+1)*60, 0).UTC(), Counts: make([]int, minutes)}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.rates {
		if len(nodes) > 0 && !slices.Contains(nodes, l.store.names[i].node) {
			continue
		}
		r, sum := &l.rates[i], &all[i%len(cluster.Services)]
		if since := time.Unix(r.since, 0).UTC(); r.since != 0 && (sum.Since.IsZero() || since.Before(sum.Since)) {
			sum.Since = since
		}
		for _, m := range r.minutes {
			if back := last - m.at; back >= 0 && back < int64(minutes) {
				sum.Counts[minutes-1-int(back)] += m.errors
			}
		}
	}
	return all
}
