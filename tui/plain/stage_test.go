package plain

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// handClock stands still until a test moves it.
type handClock struct{ now time.Time }

func (c *handClock) Now() time.Time                       { return c.now }
func (c *handClock) After(time.Duration) <-chan time.Time { return make(chan time.Time) }

// fakeDoor is a door with nothing behind it; what it is not made for panics.
type fakeDoor struct {
	watch.Door
	state     *watch.State
	plan      cluster.Plan
	noPlan    error
	asked     []string   // of Plan
	left      [][]string // answers of Confirm, in turn
	differs   []cluster.CheckedGuard
	confirmed []string
	armed     []string
	ticked    []string
	acked     []string
	terminal  *fakeTerminal
	takes     int // how often a terminal was asked for
	rehearsal *fakeRehearsal
	lines     []cluster.Line
}

func (d *fakeDoor) State() *watch.State      { return d.state }
func (d *fakeDoor) Changed() <-chan struct{} { return nil }
func (d *fakeDoor) Plan(_ context.Context, procedure, node, service string) (cluster.Plan, error) {
	d.asked = append(d.asked, offerName(procedure, node, service))
	return d.plan, d.noPlan
}

func (d *fakeDoor) Recheck(string) ([]cluster.CheckedGuard, bool) {
	return d.differs, len(d.differs) > 0
}

func (d *fakeDoor) Confirm(_, text string) ([]string, error) {
	d.confirmed = append(d.confirmed, text)
	if len(d.left) == 0 {
		return nil, nil
	}
	left := d.left[0]
	d.left = d.left[1:]
	return left, nil
}

func (d *fakeDoor) Arm(text string) error {
	d.armed = append(d.armed, text)
	return nil
}

func (d *fakeDoor) Tick(_, step string) error {
	d.ticked = append(d.ticked, step)
	return nil
}
func (d *fakeDoor) Terminal(context.Context, string, string, watch.Size) (watch.Terminal, error) {
	d.takes++
	if d.terminal == nil {
		return nil, errors.New("be3 changed meanwhile")
	}
	return d.terminal, nil
}

// fakeTerminal is a terminal whose other end the test has.
type fakeTerminal struct {
	watch.Terminal
	io.Reader
	host  *io.PipeWriter
	typed strings.Builder
}

func newFakeTerminal() *fakeTerminal {
	r, w := io.Pipe()
	return &fakeTerminal{Reader: r, host: w}
}

func (f *fakeTerminal) Read(b []byte) (int, error)  { return f.Reader.Read(b) }
func (f *fakeTerminal) Write(b []byte) (int, error) { return f.typed.Write(b) }
func (f *fakeTerminal) Close() error                { return f.host.Close() }

func (d *fakeDoor) Rehearse(context.Context, string) (watch.Rehearsal, error) {
	if d.rehearsal == nil {
		return nil, errors.New("the simulation cannot be brought into this state")
	}
	return d.rehearsal, nil
}

// fakeRehearsal is a rehearsal that a test leads.
type fakeRehearsal struct {
	*fakeDoor
	closed bool
}

func (f *fakeRehearsal) Clock() cluster.Clock { return &handClock{now} }
func (f *fakeRehearsal) Close() error {
	f.closed = true
	return nil
}

func (d *fakeDoor) Describe(string) (cluster.Failure, bool) { return cluster.Failure{}, false }
func (d *fakeDoor) Acknowledge(id string)                   { d.acked = append(d.acked, id) }
func (d *fakeDoor) Offers(string) []watch.Offered           { return nil }
func (d *fakeDoor) Rivals(string) []cluster.Rival           { return nil }
func (d *fakeDoor) Logs(watch.LogQuery, uint64, int) (watch.LogPage, error) {
	return watch.LogPage{Lines: d.lines, Held: uint64(len(d.lines))}, nil
}

// stage is a conversation that a test leads.
type stage struct {
	*talk
	door  *fakeDoor
	human *handClock
	out   *strings.Builder
	input chan Line
}

var now = time.Date(2026, 11, 29, 14, 0, 0, 0, time.UTC)

func healthy() *watch.State {
	v := &cluster.View{Now: now, Snapshot: &cluster.Snapshot{At: now, Reports: map[string]*cluster.Report{}}}
	links := map[string]watch.Link{}
	for _, n := range []string{"be1", "be2", "be3"} {
		v.Snapshot.Nodes = append(v.Snapshot.Nodes, cluster.Node{Name: n, Address: "10.0.4.11"})
		v.Snapshot.Reports[n] = &cluster.Report{Node: n, Reach: cluster.KnownAs(cluster.Reached, cluster.SourceReach, now)}
		links[n] = watch.Link{Phase: "live"}
	}
	return &watch.State{Seq: 1, At: now, Cluster: "chef-prod", Stamp: "PROD", Mode: watch.Acting, Links: links, View: v,
		Leadership: []cluster.LayerLeader{{Layer: "leaderl", Nodes: []string{"be1"}, Known: true}, {Layer: "postgresql", Nodes: []string{"be1"}, Known: true}},
		Margin:     cluster.Margin{Votes: 3, Listed: 3, Copies: 3, CanLose: 1, Known: true}}
}

func gap() cluster.Finding {
	return cluster.Finding{Failure: "follower-wal-gap", Node: "be3", Nodes: []string{"be3"}, Certainty: cluster.Confirmed, Priority: cluster.P2,
		Title: "WAL gone on the leader, be3 cannot catch up", Since: now}
}

func rebuild(tier cluster.Tier, phrases ...string) cluster.Plan {
	return cluster.Plan{ID: "7f3a0001", Procedure: "rebuild-follower", Title: "Rebuild be3", Node: "be3", Tier: tier, Phrases: phrases,
		Steps: []cluster.PlanStep{{ID: "1", Number: "1", Node: "be3", Say: "stop leaderl", Command: "chef-backend-ctl stop leaderl"}}}
}

func newStage(t *testing.T, plan cluster.Plan) *stage {
	t.Helper()
	s := &stage{door: &fakeDoor{state: healthy(), plan: plan}, human: &handClock{now}, out: &strings.Builder{}, input: make(chan Line, 8)}
	s.talk = newTalk(t.Context(), Options{Door: s.door, Clock: s.human, Human: s.human, Lines: s.input, Out: s.out})
	s.hello()
	if !s.begun {
		t.Fatalf("the situation was not said:\n%s", s.out)
	}
	return s
}

// types types a line now; pass lets time pass, and the timer ring.
func (s *stage) types(text string) { s.line(Line{Text: text, At: s.human.now}) }

func (s *stage) pass(d time.Duration) {
	s.human.now = s.human.now.Add(d)
	s.due()
}

// change gives the conversation a newer state.
func (s *stage) change(f func(*watch.State)) {
	next := *s.door.state
	next.Seq++
	f(&next)
	s.door.state = &next
	s.hear()
}

// said is what was said since the last call.
func (s *stage) said() string {
	text := s.out.String()
	s.out.Reset()
	return text
}

// asks goes as far as the question for the phrase.
func (s *stage) asks(t *testing.T) {
	t.Helper()
	s.types("plan rebuild-follower be3")
	s.types("confirm")
	s.pass(quietTime)
	if s.question == nil || s.question.phase != open {
		t.Fatalf("no question was put:\n%s", s.out)
	}
	s.said()
	s.human.now = s.human.now.Add(time.Second)
}
