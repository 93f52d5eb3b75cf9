package plain

import (
	"io"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// waitsForTerminal is a plan at work whose step wants a terminal.
func waitsForTerminal(n *watch.State) {
	p := rebuild(cluster.T1)
	n.Run = &cluster.PlanState{Plan: p, Status: cluster.StatusRunning, Steps: []cluster.StepState{
		{Step: p.Steps[0], Status: cluster.StatusAsked, Asks: cluster.AskTerminal}}}
}

func TestTerminalByLines(t *testing.T) {
	s := newStage(t, rebuild(cluster.T1))
	s.change(waitsForTerminal)
	if said := s.said(); !strings.Contains(said, "It wants a terminal. Type answer") {
		t.Fatalf("said:\n%s", said)
	}
	s.takes("be2")
	if said := s.said(); s.door.takes > 0 || !strings.Contains(said, "the plan still waits") {
		t.Fatalf("another node's name:\n%s", said)
	}
	s.human.now = s.human.now.Add(time.Second)
	s.takes("be3")
	if said := s.said(); !strings.Contains(said, "Be3 changed meanwhile.") || s.handed != nil {
		t.Fatalf("a terminal that cannot be had:\n%s", said)
	}
	s.human.now = s.human.now.Add(time.Second)
	s.door.terminal = newFakeTerminal()
	s.takes("be3")
	ahead := s.human.now.Add(-time.Millisecond)
	s.line(Line{Text: "typed ahead", At: ahead})
	io.WriteString(s.door.terminal.host, "Really? \x1b[5m[yes]\r\n")
	line, more := <-s.terminalLines()
	s.terminalSaid(line, more)
	s.types("yes")
	s.types("quit") // a command no longer
	if got := s.door.terminal.typed.String(); got != "yes\rquit\r" || s.quit {
		t.Errorf("typed %q, left %v", got, s.quit)
	}
	if said := s.said(); !strings.Contains(said, "be3: Really? [yes]\n") || !strings.Contains(said, "typed before the terminal was open") || strings.Contains(said, "Ready.") {
		t.Errorf("said:\n%s", said)
	}
	s.types("~.")
	_, more = <-s.terminalLines()
	s.terminalSaid("", more)
	if said := s.said(); more || s.handed != nil || !strings.Contains(said, "has ended") || !strings.Contains(said, "Ready.") {
		t.Errorf("after hanging up, %v:\n%s", more, said)
	}
}

// takes answers the question for the terminal with a word.
func (s *stage) takes(word string) {
	s.types("answer")
	s.pass(quietTime)
	s.human.now = s.human.now.Add(time.Second)
	s.types(word)
	s.pass(settleTime)
}

func TestLeavingHangsTheTerminalUp(t *testing.T) {
	s := newStage(t, rebuild(cluster.T1))
	s.change(waitsForTerminal)
	s.door.terminal = newFakeTerminal()
	s.takes("be3")
	s.leaveTerminal()
	if _, err := s.door.terminal.Read(make([]byte, 1)); err != io.EOF || s.handed != nil {
		t.Errorf("the terminal is still there: %v", err)
	}
}
