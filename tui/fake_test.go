package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// handClock stands still until somebody waits on it: then the wait is over at
// once, and the time has passed.
type handClock struct{ now time.Time }

func (c *handClock) Now() time.Time { return c.now }

func (c *handClock) After(d time.Duration) <-chan time.Time {
	c.now = c.now.Add(d)
	fired := make(chan time.Time, 1)
	fired <- c.now
	return fired
}

// fakeDoor is a door with nothing behind it. It notes what it was asked to do.
type fakeDoor struct {
	rivals   []cluster.Rival
	said     []string // what was said of nodes
	state    *watch.State
	lines    []cluster.Line
	streams  []cluster.StreamState
	failures map[string]cluster.Failure
	signs    map[string]cluster.Sign
	offered  map[string][]watch.Offered
	plan     cluster.Plan
	planErr  error
	left     []string // phrases that stay after a Confirm
	refuse   error
	rechecks []cluster.CheckedGuard
	differs  bool

	earlier   []*watch.State // of the last hour, the oldest first
	terminal  watch.Terminal // nil for none
	rehearsal *fakeRehearsal // nil for none

	confirmed []string
	terminals int // how often one was asked for
	ticked    []string
	stops     int
	acked     []string
	looks     int
	planned   []string
}

func (d *fakeDoor) State() *watch.State      { return d.state }
func (d *fakeDoor) Changed() <-chan struct{} { return nil }

func (d *fakeDoor) matches(q watch.LogQuery, l cluster.Line) bool {
	in := func(all []string, s string) bool {
		for _, a := range all {
			if a == s {
				return true
			}
		}
		return len(all) == 0
	}
	return in(q.Nodes, l.Node) && in(q.Services, l.Service) && l.Level >= q.MinLevel && (!q.Signs || l.Sign != "") &&
		strings.Contains(strings.ToLower(l.Text), strings.ToLower(q.Text))
}

func (d *fakeDoor) Logs(q watch.LogQuery, end uint64, n int) (watch.LogPage, error) {
	if q.Regexp && strings.Contains(q.Text, "(") && !strings.Contains(q.Text, ")") {
		return watch.LogPage{}, errors.New("the expression lacks a )")
	}
	p := watch.LogPage{Held: uint64(len(d.lines))}
	for i := len(d.lines) - 1; i >= 0; i-- {
		l := d.lines[i]
		switch {
		case !d.matches(q, l):
		case end != 0 && l.Seq > end:
			p.Newer++
		case len(p.Lines) == n:
			p.Older = true
			i = 0
		default:
			p.Lines = append(p.Lines, l)
		}
	}
	for i, j := 0, len(p.Lines)-1; i < j; i, j = i+1, j-1 {
		p.Lines[i], p.Lines[j] = p.Lines[j], p.Lines[i]
	}
	return p, nil
}

func (d *fakeDoor) FindLog(q watch.LogQuery, from uint64, dir int) (uint64, bool) {
	for i := int(from) - 1 + dir; i >= 0 && i < len(d.lines); i += dir {
		if d.matches(q, d.lines[i]) {
			return d.lines[i].Seq, true
		}
	}
	return 0, false
}

func (d *fakeDoor) Streams() []cluster.StreamState {
	all := append([]cluster.StreamState{}, d.streams...)
	if len(all) > 0 {
		all[0].Lines = uint64(len(d.lines))
	}
	return all
}
func (d *fakeDoor) Describe(f string) (cluster.Failure, bool) {
	c, ok := d.failures[f]
	return c, ok
}
func (d *fakeDoor) SignMeaning(s string) (cluster.Sign, bool) {
	c, ok := d.signs[s]
	return c, ok
}
func (d *fakeDoor) Offers(finding string) []watch.Offered  { return d.offered[finding] }
func (d *fakeDoor) NodeOffers(node string) []watch.Offered { return d.offered[node] }

func (d *fakeDoor) Plan(_ context.Context, procedure, node, _ string) (cluster.Plan, error) {
	d.planned = append(d.planned, procedure+" "+node)
	return d.plan, d.planErr
}

func (d *fakeDoor) Recheck(string) ([]cluster.CheckedGuard, bool) { return d.rechecks, d.differs }

func (d *fakeDoor) Confirm(_, text string) ([]string, error) {
	d.confirmed = append(d.confirmed, text)
	if d.refuse != nil {
		return nil, d.refuse
	}
	left := d.left
	if len(left) > 0 {
		d.left = left[1:]
	}
	return left, nil
}

func (d *fakeDoor) Tick(_, step string) error {
	d.ticked = append(d.ticked, step)
	return d.refuse
}

func (d *fakeDoor) Terminal(context.Context, string, string, watch.Size) (watch.Terminal, error) {
	d.terminals++
	if d.terminal == nil {
		return nil, errors.New("no terminal is offered")
	}
	return d.terminal, d.refuse
}

// fakeRehearsal is the door of a rehearsal.
type fakeRehearsal struct {
	*fakeDoor
	closes int
}

func (r *fakeRehearsal) Clock() cluster.Clock { return &handClock{now} }
func (r *fakeRehearsal) Close() error         { r.closes++; return nil }

func (d *fakeDoor) Rehearse(_ context.Context, plan string) (watch.Rehearsal, error) {
	d.said = append(d.said, "rehearse "+plan)
	if d.rehearsal == nil {
		return nil, errors.New("this state cannot be rehearsed: invented")
	}
	return d.rehearsal, nil
}

func (d *fakeDoor) Stop()                         { d.stops++ }
func (d *fakeDoor) Rivals(string) []cluster.Rival { return d.rivals }

func (d *fakeDoor) Fence(node, text string) error {
	if text != watch.FencePhrase(node) {
		return errors.New("that is not the phrase")
	}
	d.said = append(d.said, text)
	return nil
}

func (d *fakeDoor) Arm(text string) error {
	d.said = append(d.said, "arm "+text)
	return d.refuse
}

func (d *fakeDoor) Disarm() { d.said = append(d.said, "disarm") }

func (d *fakeDoor) TakeOver(_ context.Context, text string) error {
	d.said = append(d.said, text)
	return d.refuse
}

func (d *fakeDoor) Unfence(node string) error {
	d.said = append(d.said, node+" is on")
	return nil
}

func (d *fakeDoor) Maintain(node string, lasts time.Duration) error {
	d.said = append(d.said, fmt.Sprint(node, " maintenance ", lasts))
	return nil
}

func (d *fakeDoor) Acknowledge(f string) { d.acked = append(d.acked, f) }
func (d *fakeDoor) LookNow()             { d.looks++ }
func (d *fakeDoor) Summary() string      { return "chef-prod\nnothing is wrong" }

// stage drives a model as Bubble Tea would, on clocks that stand still.
type stage struct {
	m       *model
	door    *fakeDoor
	human   *handClock
	pending []tea.Cmd
	ended   bool
	given   int // how often the terminal was given away
}

func newStage(d *fakeDoor, w, h int) *stage { return newStageWith(d, w, h, Options{}) }

func newStageWith(d *fakeDoor, w, h int, o Options) *stage {
	s := &stage{door: d, human: &handClock{at("03:00:00")}}
	o.Door, o.Human, o.Clock = d, s.human, &handClock{now}
	s.m = newModel(context.Background(), o, nil)
	s.send(tea.WindowSizeMsg{Width: w, Height: h})
	s.pending = append(s.pending, s.m.fetchOffers())
	s.settle()
	return s
}

func (s *stage) send(msg tea.Msg) {
	_, cmd := s.m.Update(msg)
	s.pending = append(s.pending, cmd)
	if s.m.View(); s.m.panic != nil {
		panic(fmt.Sprintf("%v\n%s", s.m.panic.Value, s.m.panic.Stack))
	}
}

// settle runs what was asked for, and what follows from it, to the end.
func (s *stage) settle() {
	for len(s.pending) > 0 {
		cmd := s.pending[0]
		s.pending = s.pending[1:]
		if cmd == nil {
			continue
		}
		switch msg := cmd().(type) {
		case tea.BatchMsg:
			s.pending = append(s.pending, msg...)
		case tea.QuitMsg:
			s.ended = true
		case nil:
		case innerMsg:
			if _, pump := msg.msg.(contentMsg); !pump { // its own clock never stands still
				s.send(msg)
			}
		default:
			if fmt.Sprintf("%T", msg) == "tea.execMsg" { // Bubble Tea keeps its name
				s.given++
			}
			s.send(msg)
		}
	}
}

// keyOf is the message of a key by its name.
func keyOf(name string) tea.KeyMsg {
	named := map[string]tea.KeyType{"enter": tea.KeyEnter, "esc": tea.KeyEsc, "tab": tea.KeyTab, "up": tea.KeyUp, "down": tea.KeyDown,
		"left": tea.KeyLeft, "right": tea.KeyRight, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "home": tea.KeyHome, "end": tea.KeyEnd,
		"ctrl+c": tea.KeyCtrlC, "ctrl+z": tea.KeyCtrlZ, "shift+tab": tea.KeyShiftTab, "backspace": tea.KeyBackspace, "ctrl+l": tea.KeyCtrlL}
	if t, ok := named[name]; ok {
		return tea.KeyMsg{Type: t}
	}
	if name == " " {
		return tea.KeyMsg{Type: tea.KeySpace, Runes: []rune{' '}}
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(name)}
}

// keys presses keys one after another, and lets each have its effect.
func (s *stage) keys(names ...string) *stage {
	for _, n := range names {
		s.send(keyOf(n))
		s.settle()
	}
	return s
}

// raw presses keys without waiting for anything.
func (s *stage) raw(names ...string) *stage {
	for _, n := range names {
		s.send(keyOf(n))
	}
	return s
}

// typed types letters with a human pause after each.
func (s *stage) typed(text string) *stage {
	for _, r := range text {
		s.send(keyOf(string(r)))
		s.human.now = s.human.now.Add(120 * time.Millisecond)
	}
	return s
}

func (s *stage) pause(d time.Duration) *stage {
	s.human.now = s.human.now.Add(d)
	return s
}

// change gives the screen a newer state.
func (s *stage) change(f func(*watch.State)) {
	next := *s.door.state
	next.Seq++
	next.Findings = append([]cluster.Finding{}, next.Findings...)
	f(&next)
	s.door.state = &next
	s.send(contentNow{})
	s.settle()
}

func (s *stage) screen() string { return s.m.View() }
