package tui

import (
	"bytes"
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/creack/pty"
	"golang.org/x/term"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
	"chef-backend-cockpit/remote"
)

// nodesTerminal is a terminal on a node that has ended, and counts who closes it.
type nodesTerminal struct {
	watch.Terminal
	closed int
}

func (n *nodesTerminal) Read([]byte) (int, error) { return 0, io.EOF }
func (n *nodesTerminal) Close() error             { n.closed++; return nil }

// takesTerminal is a plan at work that waits for its terminal to be taken, on a
// screen that has one to give away.
func takesTerminal(t *testing.T) (*stage, *nodesTerminal) {
	t.Helper()
	in, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	s := holdingWith(cluster.AskTerminal, cluster.PlanStep{Kind: cluster.StepTerminal, Say: "answer be2", Command: "chef-backend-ctl cleanse"}, Options{In: in})
	n := &nodesTerminal{}
	s.door.terminal = n
	was := *s.door.state
	s.door.earlier = []*watch.State{&was}
	return s, n
}

// No single key begins a command: the terminal is taken by the node's name.
func TestATerminalIsTakenByTheNodesName(t *testing.T) {
	for name, act := range map[string]func(*stage){
		"one key":        func(s *stage) {},
		"no":             func(s *stage) { s.live().keys("esc") },
		"a bare Enter":   func(s *stage) { s.live().keys("enter") },
		"another node":   func(s *stage) { s.live().typed("be3").pause(time.Second).keys("enter") },
		"typed ahead":    func(s *stage) { s.typed("be2").raw("enter") },
		"one that moved": func(s *stage) { s.live().typed("be2").pause(time.Second); otherwise(s); s.keys("enter") },
	} {
		s, _ := takesTerminal(t)
		s.raw("t")
		if _, asks := s.m.top().(*wordDialog); !asks || !strings.Contains(s.screen(), "chef-backend-ctl cleanse") {
			t.Fatalf("nothing is asked:\n%s", s.screen())
		}
		if act(s); s.door.terminals > 0 || s.given > 0 {
			t.Errorf("%s: a terminal was taken", name)
		}
	}
	s, n := takesTerminal(t)
	s.raw("t").live().typed("be2").pause(time.Second).keys("enter")
	if s.door.terminals != 1 || s.given != 1 || n.closed > 0 {
		t.Errorf("taken %d times, handed over %d times, closed %d times", s.door.terminals, s.given, n.closed)
	}
}

// otherwise gives the plan another reason to wait.
func otherwise(s *stage) {
	s.change(func(st *watch.State) {
		run := *st.Run
		run.Steps = append([]cluster.StepState(nil), run.Steps...)
		run.Steps[1].Sentence = "be2 was started again"
		st.Run = &run
	})
}

// The command runs when the terminal is ready: it is handed over whatever was
// opened meanwhile, and never hung up.
func TestATerminalThatIsReadyIsHandedOver(t *testing.T) {
	for _, keys := range [][]string{{}, {"esc"}, {"?"}, {"A"}, {"esc", "n"}, {"esc", "H"}, {"esc", "H", "?"}, {"t"}} {
		s, n := takesTerminal(t)
		s.raw("t").live().typed("be2").pause(time.Second).raw("enter").pause(time.Second)
		opening := s.pending
		s.pending = nil
		s.keys(keys...)
		s.pending = append(s.pending, opening...)
		s.settle()
		if _, runs := s.m.top().(*runView); n.closed > 0 || s.given != 1 || !runs || s.m.inner != nil {
			t.Errorf("%q: closed %d times, handed over %d times, %T stands", keys, n.closed, s.given, s.m.top())
		}
	}
}

// What is typed for the screen goes to nobody, however long it is.
func TestWhatIsStillTypedIsThrownAway(t *testing.T) {
	flushed, comes := 0, 3
	s := newStageWith(walGap(), 100, 30, Options{Flush: func() { flushed++ }, Ready: func() bool { comes--; return comes >= 0 }})
	before := s.human.now
	if s.m.quietly(); flushed != 4 || s.human.now.Sub(before) != 4*quietTime {
		t.Errorf("thrown away %d times in %s", flushed, s.human.now.Sub(before))
	}
	comes, flushed = 1<<30, 0
	if s.m.quietly(); flushed != noisyMost {
		t.Errorf("a key that is stuck is thrown away %d times", flushed)
	}
}

// Ctrl-C is a key from the first moment of a hand-over on, and a signal again
// when it is over.
func TestNoSignalByKeyWhileHandedOver(t *testing.T) {
	screen, tty, err := pty.Open()
	if err != nil {
		t.Skip("no pseudo-terminal here:", err)
	}
	defer screen.Close()
	defer tty.Close()
	modes := func() *term.State {
		s, err := term.GetState(int(tty.Fd()))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	before, meanwhile := modes(), modes()
	var out bytes.Buffer
	h := &handing{ctx: t.Context(), step: cluster.PlanStep{Node: "be2"}, t: &waited{}, in: tty, out: &out, quiet: func() { meanwhile = modes() }}
	if err := h.Run(); err != nil || reflect.DeepEqual(meanwhile, before) || !reflect.DeepEqual(modes(), before) {
		t.Errorf("%v; the modes were %+v, meanwhile %+v, afterwards %+v", err, before, meanwhile, modes())
	}
}

// waited is a node's terminal whose end is known.
type waited struct{ nodesTerminal }

func (waited) Wait() (r remote.Result, err error) { return r, nil }

// A terminal of the operator's that does not come back ends the cockpit, with
// what runs in the node's hung up; how the node's ended is only said.
func TestATerminalThatIsLostEndsTheCockpit(t *testing.T) {
	n := &nodesTerminal{}
	for name, back := range map[string]func(error) tea.Msg{
		"a terminal":   func(err error) tea.Msg { return (&handing{t: n}).back(err) },
		"a suspension": func(err error) tea.Msg { return (&suspending{}).back(err) },
	} {
		s := newStage(walGap(), 100, 30)
		s.send(back(errors.New("too many open files")))
		if s.settle(); !s.ended || s.m.lost == nil || !strings.Contains(s.m.lost.Error(), "too many open files") {
			t.Errorf("%s: ended %v with %v", name, s.ended, s.m.lost)
		}
	}
	if n.closed != 1 {
		t.Errorf("closed %d times", n.closed)
	}
	s := newStage(walGap(), 100, 30)
	s.send((&handing{t: n, ended: errors.New("hung up by the operator")}).back(nil))
	if s.settle(); s.ended || !strings.Contains(s.screen(), "hung up by the operator") {
		t.Errorf("ended %v:\n%s", s.ended, s.screen())
	}
}
