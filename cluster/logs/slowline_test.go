package logs

import (
	"bytes"
	"io"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// slowLine is a session whose answers come in pieces, two seconds apart.
type slowLine struct {
	remote.Session
	asked  bytes.Buffer
	clock  *manual
	pieces []string
	before func()
}

type written struct{ *bytes.Buffer }

func (written) Close() error { return nil }

func (s *slowLine) Stdin() io.WriteCloser { return written{&s.asked} }
func (s *slowLine) Stdout() io.Reader     { return s }

func (s *slowLine) Read(b []byte) (int, error) {
	if s.pieces == nil { // its mark is the first line that it was told
		mark, _ := s.asked.ReadString('\n')
		s.pieces = []string{"\n" + mark[:len(mark)-1] + " ready\n", "\n" + mark[:len(mark)-1] + " read\n", "a", "b", "c", "d", "e"}
	}
	if len(s.pieces) == 0 {
		return 0, io.EOF
	}
	s.clock.now = s.clock.now.Add(2 * time.Second)
	s.before()
	n := copy(b, s.pieces[0])
	s.pieces = s.pieces[1:]
	return n, nil
}

// On a slow line a stream is alive for as long as bytes of the answer come.
func TestStreamsLiveWhileTheAnswerComes(t *testing.T) {
	clock := newManual()
	h := &phaseHost{newShellHost("sh"), remote.Live}
	l, err := New(Options{Nodes: []cluster.Node{{Name: "be1"}}, Clock: clock, Host: func(string) remote.Host { return h }})
	if err != nil {
		t.Fatal(err)
	}
	l.states[0].Alive, l.states[0].Heartbeat = true, clock.now
	looks := 0
	s := &slowLine{clock: clock, before: func() {
		looks++
		if at := l.Streams(); !at[0].Alive || at[1].Alive {
			t.Errorf("after %d s: %+v", 2*looks, at[:2])
		}
	}}
	if err := l.followers[0].talk(t.Context(), s, func() {}); err == nil || looks != 7 {
		t.Errorf("%d looks, %v", looks, err)
	}
}
