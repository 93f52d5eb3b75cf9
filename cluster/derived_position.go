package cluster

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
