package remote

import (
	"math/rand/v2"
	"time"
)

// mostDials is how many dials are made in one DialWindow: sshd punishes hosts
// that call too often, and a punished cockpit is blind.
const mostDials = 8

// pace decides when to dial and how long TCP may take. Two wishes meet here:
// after a short cut the link is to be back within 2 s, after a long one within
// 35 s, with eight dials a minute at most. So for some seconds after the loss
// of a link that had held, dials follow one another at a short fixed distance;
// then, as from the start, at a random part of a bound that doubles; and the
// last dial of a window is kept for its middle. The zero time of day is never
// asked for: the caller passes it. It belongs to one goroutine.
type pace struct {
	timings Timings
	dials   []time.Time // those of the last window, oldest first
	slow    int         // dials since the start or the quick ones
	until   time.Time   // dials are quick until then
	since   time.Time   // the link is live since
}

// wait is the pause before the next dial, which Retry may cut short.
func (p *pace) wait(now time.Time) time.Duration {
	if p.isQuick(now) {
		if len(p.dials) == 0 {
			return 0
		}
		distance := p.timings.Connect * 6 / 5
		distance += rand.N(distance/30 + 1)
		return p.dials[len(p.dials)-1].Add(distance).Sub(now)
	}
	if p.slow == 0 && p.until.IsZero() {
		return 0
	}
	bound := min(p.timings.BackoffFirst<<min(max(p.slow-1, 0), 16), p.timings.BackoffMost)
	d := max(bound/4, rand.N(bound+1))
	if p.left(now) == 1 {
		d = max(d, p.dials[len(p.dials)-mostDials+1].Add(p.timings.DialWindow).Sub(now)/2)
	}
	return d
}

// budget is the pause that nobody may cut short: until one of eight dials has
// left the window.
func (p *pace) budget(now time.Time) time.Duration {
	if p.left(now) > 0 {
		return 0
	}
	return p.dials[len(p.dials)-mostDials].Add(p.timings.DialWindow).Sub(now)
}

// left is how many dials the window still holds.
func (p *pace) left(now time.Time) int {
	for len(p.dials) > 0 && now.Sub(p.dials[0]) >= p.timings.DialWindow {
		p.dials = p.dials[1:]
	}
	return max(mostDials-len(p.dials), 0)
}

func (p *pace) isQuick(now time.Time) bool { return now.Before(p.until) }

// dial counts a dial that begins now and is how long its TCP part may take.
func (p *pace) dial(now time.Time) time.Duration {
	p.dials = append(p.dials, now)
	if p.isQuick(now) {
		return p.timings.Connect
	}
	p.slow++
	return p.timings.Dial
}

// live notes that the link is up.
func (p *pace) live(now time.Time) { p.since = now }

// lost notes that it is gone and when it was last heard. Only a link that held
// for a while earns quick dials: a host that cuts every connection would else
// be called without end.
func (p *pace) lost(now, heard time.Time) {
	if now.Sub(p.since) >= p.timings.Quick {
		p.slow, p.until = 0, heard.Add(p.timings.Quick)
	}
}

// afresh forgets earlier failures, because the operator says so.
func (p *pace) afresh() { p.slow, p.until = 0, time.Time{} }
