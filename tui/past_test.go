package tui

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// fakeTraveller is a door onto states that were, the oldest first.
type fakeTraveller struct {
	*fakeDoor
	all []*watch.State
	at  int
}

func (f *fakeTraveller) stand(at int) bool {
	if at < 0 || at >= len(f.all) {
		return false
	}
	s := *f.all[at]
	s.Seq = f.fakeDoor.state.Seq + 1
	s.Stamp, s.Mode = "PAST", watch.ReadOnly
	s.Earlier = &watch.EarlierAt{Moment: at + 1, Moments: len(f.all), Oldest: f.all[0].At, Newest: f.all[len(f.all)-1].At}
	f.at, f.fakeDoor.state = at, &s
	return true
}

func (f *fakeTraveller) Step(dir int) bool                      { return f.stand(f.at + dir) }
func (f *fakeTraveller) Jump(dir int) bool                      { return f.stand(f.at + dir) }
func (f *fakeTraveller) Skip(time.Duration) bool                { return false }
func (f *fakeTraveller) Now() time.Time                         { return f.fakeDoor.state.At }
func (f *fakeTraveller) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Earlier is what the door's owner put there.
func (d *fakeDoor) Earlier() (watch.Traveller, bool) {
	if len(d.earlier) == 0 {
		return nil, false
	}
	inner := *d
	f := &fakeTraveller{fakeDoor: &inner, all: d.earlier}
	f.stand(len(d.earlier) - 1)
	return f, true
}

// wasHealthy is a cluster with a follower that cannot catch up, and that was
// well ten minutes ago.
func wasHealthy() *fakeDoor {
	d := walGap()
	was, is := *healthy().state, *d.state
	was.At, is.At = now.Add(-10*time.Minute), now.Add(-10*time.Second)
	d.earlier = []*watch.State{&was, &is}
	return d
}

func TestLookingBack(t *testing.T) {
	if a, b := agoText(0), agoText(time.Minute); a != "just now" || b != "1 min ago" {
		t.Errorf("%q, %q", a, b)
	}
	for _, size := range sizes {
		s := newStage(wasHealthy(), size[0], size[1])
		living := s.screen()
		s.keys("H", "<")
		rows := strings.Split(ansi.Strip(s.screen()), "\n")
		if !strings.HasPrefix(rows[0], " PAST ") || !strings.HasPrefix(rows[1], "── PAST") {
			t.Errorf("at %v it is not marked: %q, %q", size, rows[0], rows[1])
		}
		if text := strings.Join(rows, "\n"); strings.Contains(text, "follower-wal-gap") || !strings.Contains(rows[0], "10 min ago") {
			t.Errorf("at %v it does not show what was:\n%s", size, text)
		}
		s.keys("<")
		if !strings.Contains(s.screen(), "nothing further") {
			t.Errorf("at %v the end is not told:\n%s", size, s.screen())
		}
		for _, k := range []string{"q", "H"} {
			if s.keys(k); k == "q" && s.screen() != living {
				t.Errorf("at %v it does not come back to now:\n%s", size, s.screen())
			}
		}
		if s.keys("ctrl+c"); s.ended || s.m.inner != nil {
			t.Errorf("at %v Ctrl-C leads back to now, not out: ended %v", size, s.ended)
		}
	}
}

// Nothing that a key does in the past reaches the cluster, and what comes up
// meanwhile is told there.
func TestThePastIsLocked(t *testing.T) {
	d := wasHealthy()
	s := newStage(d, 120, 40).keys("H")
	for _, k := range []string{"A", "F", "M", "p", "a", "K", "T", "esc", "r", "enter", "c", "esc", "esc", "n", "enter", "esc", "esc", "t", "h", "esc"} {
		s.keys(k)
	}
	if len(d.said)+len(d.confirmed)+len(d.acked)+d.looks > 0 {
		t.Errorf("it reached the cluster: %v %v %v %d", d.said, d.confirmed, d.acked, d.looks)
	}
	s.change(func(n *watch.State) {
		n.Findings = append(n.Findings, cluster.Finding{Failure: "no-leader", Priority: cluster.P1, Since: now.Add(time.Second)})
	})
	if rows := strings.Split(ansi.Strip(s.screen()), "\n"); !strings.Contains(rows[1], "PAST. ! Meanwhile: P1 no-leader") && !strings.Contains(rows[1], "PAST: ") {
		t.Errorf("%q", rows[1])
	}
}

// A door that remembers nothing says so.
func TestNoHourToLookBackOver(t *testing.T) {
	s := newStage(healthy(), 80, 24).keys("H")
	if s.m.inner != nil || !strings.Contains(s.screen(), "nothing was seen yet") {
		t.Error(s.screen())
	}
}
