package remote

import (
	"sync/atomic"
	"time"
)

// What a host says comes in many small packets, and each would wake a handful
// of goroutines by itself: that was most of what an idle cockpit cost. So a
// connection that brings little is read in gathers: the first packet at once,
// what follows close behind it a moment later, together.
const (
	gatherFor = 20 * time.Millisecond
	// Bytes that count as little: fewer in one read, and in one second.
	littleInRead   = 2 << 10
	littleInSecond = 64 << 10
)

// gathering paces the reads of one connection. All but begin belongs to its
// only reader.
type gathering struct {
	begun atomic.Bool
	small bool      // the newest read brought little
	since time.Time // when the second began
	bytes int       // in it
}

// begin lets the reads be gathered from now on: while hands are shaken every
// packet is waited for.
func (g *gathering) begin() { g.begun.Store(true) }

// before waits until more may have come, where little comes.
func (g *gathering) before() {
	if g.waits() {
		time.Sleep(gatherFor)
	}
}

func (g *gathering) waits() bool {
	return g.begun.Load() && g.small && g.bytes < littleInSecond
}

// after hears what a read brought.
func (g *gathering) after(n int, at time.Time) {
	if at.Sub(g.since) > time.Second {
		g.since, g.bytes = at, 0
	}
	g.bytes += n
	g.small = n < littleInRead
}
