package logs

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// Errors are counted by the minute of their own stamps, service by service, and
// go on being known when the rings have let the lines go.
func TestErrorRates(t *testing.T) {
	clock := newManual()
	l, err := New(Options{Nodes: []cluster.Node{{Name: "be1"}, {Name: "be2"}}, Clock: clock, RingBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	write := func(stream int, ago time.Duration, text string, n int) {
		s := newStream(stream, l.store.names[stream].node, l.store.names[stream].service, l.matcher)
		s.now = clock.now.UnixNano()
		for range n {
			s.take(fmt.Appendf(nil, "%s %s\n", clock.now.Add(-ago).UTC().Format("2006-01-02_15:04:05.00000"), text))
		}
		l.take(s, position{})
	}
	postgresql := slices.Index(cluster.Services, "postgresql")
	write(postgresql, 3*time.Minute, "FATAL:  no", 500)
	write(postgresql, 3*time.Minute, "LOG:  yes", 500)
	write(postgresql+len(cluster.Services), 0, "ERROR:  other node", 2)
	write(postgresql, 61*time.Minute, "FATAL:  older than what is kept", 9)
	of := func(nodes ...string) cluster.ErrorRate { return l.ErrorRates(nodes, 5)[postgresql] }
	if all := of(); !slices.Equal(all.Counts, []int{0, 500, 0, 0, 2}) || !all.Since.Equal(clock.now.Add(-61*time.Minute)) {
		t.Errorf("%v since %v", all.Counts, all.Since)
	}
	if one := of("be2"); !slices.Equal(one.Counts, []int{0, 0, 0, 0, 2}) {
		t.Errorf("be2: %v", one.Counts)
	}
	clock.now = clock.now.Add(60 * time.Minute)
	write(postgresql, 0, "FATAL:  an hour later", 1)
	if all := of(); !slices.Equal(all.Counts, []int{0, 0, 0, 0, 1}) {
		t.Errorf("an hour later: %v", all.Counts)
	}
	if other := l.ErrorRates(nil, 5)[0]; !other.Since.IsZero() {
		t.Errorf("a service of which nothing was read is known since %v", other.Since)
	}
}

// A node whose clock was never set, and of which an offset is known, writes
// stamps from before 1970: they count as now.
func TestErrorsFromBefore1970(t *testing.T) {
	clock := newManual()
	l, err := New(Options{Nodes: []cluster.Node{{Name: "be1"}}, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	s := newStream(0, "be1", cluster.Services[0], l.matcher)
	s.now, s.ahead = clock.now.UnixNano(), int64(time.Hour)
	s.take([]byte("1970-01-01_00:07:00.00000 FATAL:  boot\n"))
	if e := s.batch.entries[0]; e.stamp >= 0 {
		t.Fatalf("%+v", e)
	}
	l.take(s, position{})
	if at := l.Streams()[0].LastLine; !at.Equal(clock.now) {
		t.Errorf("the last line is of %v", at)
	}
	l.rates[0].count(-61, cluster.LevelError)
}

// phaseHost is a host whose link alone matters.
type phaseHost struct {
	*shellHost
	phase remote.Phase
}

func (h *phaseHost) Link() remote.Link { return remote.Link{Phase: h.phase} }

// Alive, stale and lost are told apart, by the answers and by the link.
func TestStreamsGoStaleBeforeTheyAreLost(t *testing.T) {
	clock := newManual()
	h := &phaseHost{newShellHost("sh"), remote.Live}
	l, err := New(Options{Nodes: []cluster.Node{{Name: "be1"}}, Clock: clock, Host: func(string) remote.Host { return h }})
	if err != nil {
		t.Fatal(err)
	}
	l.states[0].Alive, l.states[0].Heartbeat = true, clock.now
	is := func(alive, stale bool) {
		t.Helper()
		if s := l.Streams()[0]; s.Alive != alive || s.Stale != stale || !alive && s.Reason == "" {
			t.Errorf("%v after the last answer, link %s: %+v", clock.now.Sub(s.Heartbeat), h.phase, s)
		}
	}
	is(true, false)
	clock.now = clock.now.Add(4 * time.Second)
	is(false, true)
	clock.now = clock.now.Add(7 * time.Second)
	is(false, false)
	l.states[0].Heartbeat = clock.now
	h.phase = remote.Stale
	is(false, true)
	h.phase = remote.Lost
	is(false, false)
}
