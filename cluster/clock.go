package cluster

import "time"

// Clock is the one source of time that is injected everywhere; the simulated
// cluster shares it, so that a faster clock scales both sides. Deadlines of
// the network and the debouncing of keys stay on the real clock.
// Implementations are safe for concurrent use.
type Clock interface {
	// Now is the current time in UTC.
	Now() time.Time
	// After sends the time once on the returned channel when d has passed.
	After(d time.Duration) <-chan time.Time
}
