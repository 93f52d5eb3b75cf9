package remote

import (
	"testing"
	"time"
)

// Only what comes in small packets and seldom is gathered; nothing waits while
// hands are shaken, in a flood, or behind a full read.
func TestGathersOnlyWhereLittleComes(t *testing.T) {
	var g gathering
	now := time.Date(2026, 11, 29, 14, 0, 0, 0, time.UTC)
	g.after(100, now)
	if g.waits() {
		t.Error("it waits in the handshake")
	}
	g.begin()
	for _, c := range []struct {
		bytes int
		after time.Duration
		waits bool
	}{
		{100, 0, true}, {4096, 0, false}, {100, 0, true}, {littleInSecond, 0, false}, {100, 0, false}, {100, 2 * time.Second, true},
	} {
		now = now.Add(c.after)
		if g.after(c.bytes, now); g.waits() != c.waits {
			t.Errorf("after %d bytes: waits %v", c.bytes, g.waits())
		}
	}
}
