package remote

import (
	"testing"
	"time"
)

func TestScaledClockRunsFaster(t *testing.T) {
	c := NewScaled(1000)
	began, real := c.Now(), time.Now()
	at := <-c.After(20 * time.Second) // 20 ms
	passed, took := at.Sub(began), time.Since(real)
	if passed < 20*time.Second || took < 20*time.Millisecond || took > 5*time.Second {
		t.Errorf("%v of its own time in %v", passed, took)
	}
	if c.Now().Location() != time.UTC || (System{}).Now().Location() != time.UTC {
		t.Error("not in UTC")
	}
}

func TestScaledClockNeedsASpeed(t *testing.T) {
	for _, speed := range []float64{0, -3} {
		if c := NewScaled(speed); c.speed != 1 {
			t.Errorf("speed %v became %v", speed, c.speed)
		}
	}
}
