package remote

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// outage plays one loss by pure arithmetic: the path is down from 0 until
// back, dials before that fail after each dial's own time, and the answer is
// when the link is back. All dials are appended to made.
func outage(p *pace, base time.Time, noticed, back time.Duration, refused bool, made *[]time.Time) time.Duration {
	now := base.Add(noticed)
	p.lost(now, base)
	for {
		now = now.Add(max(p.wait(now), 0))
		now = now.Add(max(p.budget(now), 0))
		*made = append(*made, now)
		most := p.dial(now)
		at := now.Sub(base)
		if at >= back {
			return at
		}
		if refused {
			continue
		}
		// In a blackhole TCP tries again after 1, 3 and 7 s.
		for _, again := range []time.Duration{time.Second, 3 * time.Second, 7 * time.Second} {
			if again < most && at+again >= back {
				return at + again
			}
		}
		now = now.Add(most)
	}
}

// The link is back within 2 s of a cut under 10 s, within 35 s of a longer one,
// with at most eight dials in any minute.
func TestPaceOfAnOutage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &pace{timings: DefaultTimings()}
		base := time.Unix(1e9, 0)
		refused := rapid.Bool().Draw(t, "refused") // host up, sshd down; else a blackhole
		noticed := 6 * time.Second
		if refused {
			noticed = 0
		}
		var made []time.Time
		made = append(made, base.Add(-time.Hour))
		p.dial(made[0])
		p.live(made[0])
		back := time.Duration(rapid.IntRange(0, 300_000).Draw(t, "back")) * time.Millisecond
		took := outage(p, base, noticed, back, refused, &made) - max(back, noticed)
		most := 35 * time.Second
		if back < 10*time.Second {
			most = 2 * time.Second
		}
		if took > most {
			t.Fatalf("down for %v, back %v later", back, took)
		}
		checkBudget(t, made)
	})
}

// A host that lets us in and cuts at once, and an operator who keeps pressing
// retry, do not get more dials either.
func TestPaceOfFlapping(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &pace{timings: DefaultTimings()}
		now := time.Unix(1e9, 0)
		var made []time.Time
		for range 60 {
			switch rapid.SampledFrom([]string{"fail", "cut", "retry", "hold"}).Draw(t, "next") {
			case "fail":
				now = now.Add(max(p.wait(now), 0))
			case "retry":
				p.afresh()
			case "cut":
				p.live(now)
				now = now.Add(time.Second)
				p.lost(now, now)
			case "hold":
				p.live(now)
				now = now.Add(11 * time.Second)
				p.lost(now, now)
			}
			now = now.Add(max(p.budget(now), 0))
			made = append(made, now)
			p.dial(now)
		}
		checkBudget(t, made)
	})
}

func checkBudget(t *rapid.T, made []time.Time) {
	t.Helper()
	for i := mostDials; i < len(made); i++ {
		if d := made[i].Sub(made[i-mostDials]); d < time.Minute {
			t.Fatalf("%d dials within %v", mostDials+1, d)
		}
	}
}

// Pauses grow to half a minute and differ from host to host.
func TestPaceGrows(t *testing.T) {
	p := &pace{timings: DefaultTimings()}
	now := time.Unix(1e9, 0)
	if d := p.wait(now); d != 0 {
		t.Errorf("the first dial waits %v", d)
	}
	seen := map[time.Duration]bool{}
	for i := range 40 {
		p.dial(now)
		d := p.wait(now)
		if d < 250*time.Millisecond || d > 31*time.Second {
			t.Errorf("pause %d: %v", i, d)
		}
		seen[d] = true
		now = now.Add(max(d, p.budget(now)))
	}
	if len(seen) < 15 { // some lie at the lower bound of their pause
		t.Error("the pauses are not random")
	}
}
