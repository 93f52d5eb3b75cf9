package watch

import (
	"time"

	"chef-backend-cockpit/cluster"
)

// Aged is how old a claim of a source is, taken at at; ok is true once it is
// older than two periods of its kind of look, so that its age is to be said.
// An at that is zero has no age.
func Aged(now, at time.Time, s cluster.Source) (age time.Duration, ok bool) {
	if at.IsZero() {
		return 0, false
	}
	every := FastEvery
	if s == cluster.SourceCtl || s == cluster.SourcePeer {
		every = SlowEvery
	}
	age = now.Sub(at)
	return age, age > 2*every
}
