package cluster

import "strings"

// SampleOf is what a report leaves behind in the history. Whatever the report
// does not know stays unknown in the sample.
func SampleOf(r *Report) Sample {
	s := Sample{At: r.Ended, PIDs: map[string]int{}, Ready: -1}
	if r.Reach.Known {
		s.Reach = r.Reach.Value
	}
	for name, c := range r.Services {
		switch {
		case c.PID.Known && c.State.Known && c.State.Value == "run":
			s.PIDs[name] = c.PID.Value
		case c.State.Known && c.State.Value != "fail":
			s.PIDs[name] = 0
		}
	}
	s.EtcdHealth = Is(r.Etcd.Health, true)
	s.ESAnswers = ElasticsearchAnswers(r)
	if r.Leaderl.LeaderCode.Known {
		s.LeaderCode = r.Leaderl.LeaderCode.Value
	}
	if r.Host.Uptime.Known {
		s.BeganUptime = r.Host.Uptime.Value
	}
	p := r.PostgreSQL
	s.InRecovery = Is(p.InRecovery, true)
	if p.Postmaster.Known {
		s.Postmaster = p.Postmaster.Value
	}
	if p.Ready.Known {
		s.Ready = p.Ready.Value
	}
	s.Position, _ = positionOf(r)
	return s
}

// positionOf is how far a copy is: the insert position of a primary, the
// greater of receive and replay of a standby, the end of WAL of one that is
// down. 0 and false when unknown.
func positionOf(r *Report) (LSN, bool) {
	p := r.PostgreSQL
	switch {
	case Is(p.InRecovery, false) == True && p.Current.Known:
		return p.Current.Value, true
	case p.Receive.Known || p.Replay.Known:
		at := LSN(0)
		if p.Receive.Known { // restarts at a segment's start: never alone
			at = p.Receive.Value
		}
		if p.Replay.Known {
			at = max(at, p.Replay.Value)
		}
		return at, at > 0
	case p.EndOfWAL.Known:
		return p.EndOfWAL.Value, p.EndOfWAL.Value > 0
	}
	return 0, false
}

// ElasticsearchAnswers answers whether the node's own Elasticsearch gave an
// answer over HTTP. A node that could not be asked says nothing of it; a
// service that does not run, or a refused or unanswered call, says no.
func ElasticsearchAnswers(r *Report) Truth {
	if r.Elasticsearch.Status.Known {
		return True
	}
	if Is(r.Reach, Reached) != True {
		return Unknown
	}
	if s, ok := r.Services["elasticsearch"]; ok && (Is(s.State, "down") == True || Is(s.State, "finish") == True) {
		return False
	}
	for _, word := range []string{"refused", "timeout", "timed out", "no answer", "does not answer"} {
		if strings.Contains(r.Elasticsearch.Status.Reason, word) {
			return False
		}
	}
	return Unknown
}
