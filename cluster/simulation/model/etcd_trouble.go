package model

import (
	"fmt"
	"time"
)

// How a slow disk shows: the raft leader writes before it sends, so its
// heartbeats come late, and now and then so late that another one stands.
const (
	slowHeartbeat = 500 * time.Millisecond
	stallEvery    = 95 * time.Second
	stallFor      = 11 * time.Second // longer than any member's patience
)

// late says whether the disk of a raft leader keeps it from sending now.
func (m *member) late() bool {
	w := m.n.w
	if w.lag == 0 {
		return false
	}
	if w.stall.IsZero() || w.now.Sub(w.stall) >= stallEvery {
		w.stall = w.now.Add(stallFor)
	}
	stalled := w.now.Before(w.stall) && !m.leadTime.After(w.stall.Add(-stallFor))
	if !stalled && w.now.Sub(m.majority) >= w.lag {
		return false
	}
	if over := w.now.Sub(m.majority) - slowHeartbeat; over > 0 && over%(2*time.Second) < Step {
		m.log("W", "etcdserver: failed to send out heartbeat on time (deadline exceeded for %s)", over+time.Duration(m.n.rnd.Intn(90000))*time.Microsecond)
		m.log("W", "etcdserver: server is likely overloaded")
	}
	return true
}

// latency is what stats/leader tells of a follower, in milliseconds.
func (m *member) latency() string {
	if lag := m.n.w.lag; lag > 0 {
		ms := float64(lag.Milliseconds()) + float64(m.sent%170)
		return fmt.Sprintf(`{"current":%.6f,"average":%.4f,"standardDeviation":212.0413,"minimum":0.9102,"maximum":%.4f}`, ms, ms*0.9, ms*4)
	}
	return `{"current":2.113,"average":2.4,"standardDeviation":1.1,"minimum":0.9,"maximum":31.2}`
}

// mismatch is what two members log that reach one another and belong to
// clusters of different ids.
func (m *member) mismatch(o *member) {
	if m.ring == o.ring || !m.takesPart() || !o.takesPart() || !m.reaches(o) || m.n.w.now.UnixMilli()%10000 >= Step.Milliseconds() {
		return
	}
	m.log("E", "rafthttp: request sent was ignored (cluster ID mismatch: remote[%s]=%s, local=%s)", o.id, o.ring.id, m.ring.id)
	m.log("E", "rafthttp: request cluster ID mismatch (got %s want %s)", o.ring.id, m.ring.id)
}

// clockLimit is the difference above which etcd's prober complains.
const clockLimit = time.Second

// stepClocks lets the members compare their clocks, every half minute.
func (w *World) stepClocks() {
	if w.now.UnixMilli()%30000 >= Step.Milliseconds() {
		return
	}
	for _, m := range w.members() {
		for _, o := range w.members() {
			differ := o.n.offset - m.n.offset
			if m.hears(o) && differ.Abs() > clockLimit {
				m.log("W", "rafthttp: the clock difference against peer %s is too high [%s > %s]", o.id, differ.Abs(), clockLimit)
			}
		}
	}
}
