package remote

import "time"

// System is the real time. The zero value is ready.
type System struct{}

// Now is the time in UTC; differences of two readings are monotonic.
func (System) Now() time.Time { return time.Now().UTC() }

// After delivers the time once, after d.
func (System) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Scaled is a clock that runs a number of times faster than the real one from
// the moment it is made. It is safe for concurrent use.
type Scaled struct {
	made  time.Time
	speed float64
}

// NewScaled makes a clock that starts at the present time and runs speed times
// as fast; a speed that is not above 0 counts as 1.
func NewScaled(speed float64) *Scaled {
	if !(speed > 0) {
		speed = 1
	}
	return &Scaled{made: time.Now().UTC(), speed: speed}
}

// Now is the clock's own time in UTC.
func (s *Scaled) Now() time.Time {
	return s.made.Add(time.Duration(float64(time.Since(s.made)) * s.speed))
}

// After delivers the clock's time once, when d of its own time has passed.
func (s *Scaled) After(d time.Duration) <-chan time.Time {
	c := make(chan time.Time, 1)
	time.AfterFunc(time.Duration(float64(d)/s.speed), func() { c <- s.Now() })
	return c
}
