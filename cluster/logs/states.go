package logs

import (
	"slices"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// A stream is stale when nothing came from its follower for staleFor, and lost
// after heartbeatFor: polls are asked for every half second.
const (
	staleFor     = 3 * time.Second
	heartbeatFor = 10 * time.Second
)

// Streams is the state of every stream, by node in fixed order, then by
// service. A quiet stream is alive: its follower answers.
func (l *Logs) Streams() []cluster.StreamState {
	l.mu.Lock()
	states := slices.Clone(l.states)
	l.mu.Unlock()
	now := l.o.Clock.Now()
	for i := range states {
		st := &states[i]
		if silent := now.Sub(st.Heartbeat); st.Alive && silent > staleFor {
			st.Alive, st.Stale = false, silent <= heartbeatFor
			st.Reason = "no answer for " + silent.Truncate(time.Second).String()
		}
	}
	for i, f := range l.followers {
		if f.host == nil {
			continue
		}
		link := f.host.Link()
		if link.Phase == remote.Live {
			continue
		}
		for j := range cluster.Services {
			st := &states[i*len(cluster.Services)+j]
			st.Alive, st.Stale, st.Reason = false, link.Phase == remote.Stale, "the link is "+string(link.Phase)
			if link.Err != nil {
				st.Reason = remote.Safe([]byte(link.Err.Error()))
			}
		}
	}
	return states
}
