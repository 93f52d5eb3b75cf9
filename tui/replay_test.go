package tui

import (
	"slices"
	"strings"
	"testing"

	"chef-backend-cockpit/cluster/watch"
)

// fakePlayer is a replay with nothing in it. It notes how it is led.
type fakePlayer struct {
	*fakeDoor
	led []string
}

func (p *fakePlayer) Pause() { p.led = append(p.led, "pause") }
func (p *fakePlayer) Step()  { p.led = append(p.led, "step") }
func (p *fakePlayer) Jump(d int) bool {
	p.led = append(p.led, map[int]string{1: "next", -1: "previous"}[d])
	return d > 0
}
func (p *fakePlayer) Faster(d int) {
	p.led = append(p.led, map[int]string{1: "faster", -1: "slower"}[d])
}

// A replay says where it stands, is led by its keys in every pane and box, and
// takes nothing of a node.
func TestReplayIsLedByItsKeys(t *testing.T) {
	s := newStage(rebuilding(), 120, 40)
	state := *s.door.state
	state.Seq++
	state.Stamp, state.Mode, state.Replay = "REPLAY", watch.ReadOnly, &watch.ReplayAt{Record: 12, Records: 844, Speed: 10, Playing: true}
	s.door.state = &state
	p := &fakePlayer{fakeDoor: s.door}
	s.m.door, s.m.player = p, p
	s.send(contentNow{})
	s.settle()
	if line := strings.SplitN(s.screen(), "\n", 2)[0]; !strings.Contains(line, "REPLAY") || !strings.Contains(line, "12 of 844, x10") || !strings.Contains(line, "read-only") {
		t.Errorf("situation line: %s", line)
	}
	s.keys(" ", ".", ">", "+", "-", "w", ">", "<", "F", "M", "p")
	if want := []string{"pause", "step", "next", "faster", "slower", "next", "previous"}; !slices.Equal(p.led, want) {
		t.Errorf("led by %q, want %q", p.led, want)
	}
	if len(s.door.said)+s.door.looks > 0 || !strings.Contains(s.screen(), "this is a replay") {
		t.Errorf("said of a node: %q, looked %d times\n%s", s.door.said, s.door.looks, s.screen())
	}
	s.keys("esc", "q")
	if !s.ended {
		t.Error("a replay is not left at once")
	}
}
