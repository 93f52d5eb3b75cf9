package tui

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"chef-backend-cockpit/cluster/watch"
)

// deepDoor holds only the newest of its lines; the others are on the nodes.
type deepDoor struct {
	*fakeDoor
	hidden int
	asked  []uint64 // from where older lines were wanted
	err    error
}

func (d *deepDoor) Logs(q watch.LogQuery, end uint64, n int) (watch.LogPage, error) {
	held := *d.fakeDoor
	held.lines = d.lines[d.hidden:]
	p, err := held.Logs(q, end, n)
	p.Beyond = !p.Older && d.hidden > 0
	return p, err
}

func (d *deepDoor) ReadBack(_ context.Context, q watch.LogQuery, from uint64, n int) (watch.LogsBack, error) {
	d.asked = append(d.asked, from)
	if d.err != nil {
		return watch.LogsBack{}, d.err
	}
	n = min(n, d.hidden)
	d.hidden -= n
	return watch.LogsBack{Lines: n, Beginning: d.hidden == 0}, nil
}

// Who scrolls up past what is held gets older lines from the nodes, to the
// beginning; where they cannot be had the reason is said, and the page stays.
func TestScrollingUpPastTheRings(t *testing.T) {
	d := &deepDoor{fakeDoor: full(), hidden: 49_900}
	s := newStage(d.fakeDoor, 100, 30)
	s.m.door = d
	s.keys("shift+tab", "home")
	if first := s.m.logs.page.Lines[0].Seq; len(d.asked) != 1 || first > 49_901 {
		t.Fatalf("asked %v, the page begins at %d", d.asked, first)
	}
	for range 20 {
		s.keys("pgup")
	}
	first := s.m.logs.page.Lines[0].Seq
	if len(d.asked) < 2 || first > 49_901-10*uint64(s.m.logs.rows-1) {
		t.Fatalf("asked %v, the page begins at %d", d.asked, first)
	}
	d.err = errors.New("be2: the link was lost")
	for d.hidden = 50_000 - len(s.m.logs.page.Lines); len(d.asked) < 6; {
		s.keys("pgup")
	}
	if screen := ansi.Strip(s.screen()); !strings.Contains(screen, "older lines cannot be read: be2: the link was lost") {
		t.Error(screen)
	}
	d.err, d.hidden = nil, 5
	s.keys("home", "home")
	if s.m.logs.page.Lines[0].Seq != 1 || s.m.logs.page.Beyond {
		t.Errorf("the page begins at %d", s.m.logs.page.Lines[0].Seq)
	}
}
