package cluster

import (
	"fmt"
	"time"
)

func init() {
	register(
		Fact{"wal-gap-near", "At the rate of the last looks the elected leader drops the WAL that the node needs next in less than 20 minutes (segments, positions, history).", aboutNode((*View).walGapNear), noArgs},
		Fact{"sync-grows", "The node's data directory or its WAL position grew within the last looks (history).", aboutNode((*View).syncGrows), noArgs},
		Fact{"other-system", "The node's copy has another system identifier than the elected leader's; without one, than the other two, which agree (pg_controldata).", aboutNode((*View).otherSystem), noArgs},
		Fact{"unsynced-idle", "The sentinel unsynced lies on the node and no sync process is alive there.", aboutNode((*View).unsyncedIdle), noArgs},
		Fact{"waits-ineligible", "cluster-status calls the node waiting_for_leader and not eligible while somebody else leads, and the sentinel unsynced is not known to be gone.", aboutNode((*View).waitsIneligible), noArgs},
		Fact{"deposed-recently", "The node is a deposed leader, and the leader changed within the last 10 minutes: that is normal.", aboutNode((*View).deposedRecently), noArgs},
	)
}

// gapNear is how little time a node that does not stream may have left before
// it is said.
const gapNear = 20 * time.Minute

// writeRate is how fast the node's WAL grows, in bytes per second, over the
// looks that are kept; ok is false while they cover less than 20 s.
func (v *View) writeRate(node string) (rate float64, ok bool) {
	var first, last Sample
	for _, s := range v.samples(node) {
		if s.Position == 0 {
			continue
		}
		if first.Position == 0 || s.Postmaster != last.Postmaster || s.Position < last.Position {
			first = s // another life of the server: what it wrote before tells no rate
		}
		last = s
	}
	span := last.At.Sub(first.At)
	if last.Position == 0 || span < 20*time.Second {
		return 0, false
	}
	return float64(last.Position-first.Position) / span.Seconds(), true
}

func (v *View) walGapNear(node string) Answer {
	return v.ofLeader(node, func(leader string) Answer {
		kept := v.report(leader).PostgreSQL.Segments
		if !kept.Known {
			return unknownFor(leader, "postgresql.segments", kept)
		}
		ref := mention(leader, "postgresql.segments", kept)
		oldest, ok := segmentNumber(kept.Value.Oldest)
		at, known := positionOf(v.report(node))
		rate, measured := v.writeRate(leader)
		switch {
		case !ok:
			return say(Unknown, "no WAL file of the leader "+leader+" is known", ref)
		case !known:
			return say(Unknown, "which WAL "+node+" needs is unknown: its position cannot be read", ref)
		case !measured:
			return say(Unknown, "how fast "+leader+" writes is unknown: fewer than 20 s of looks so far", ref)
		}
		need, _ := segmentNumber(at.Segment())
		room := (need - oldest + 1) * SegmentSize
		if rate <= 0 || room <= 0 {
			return say(False, fmt.Sprintf("%s keeps %s of the WAL that %s needs and writes nothing now", leader, Amount(max(room, 0)), node), ref)
		}
		left := time.Duration(float64(room) / rate * float64(time.Second))
		s := fmt.Sprintf("%s still keeps %s behind what %s needs and writes %s a minute", leader, Amount(room), node, Amount(int64(rate*60)))
		if left < gapNear {
			return say(True, fmt.Sprintf("%s: gone in about %s", s, left.Round(time.Minute)), ref)
		}
		return say(False, s+": that lasts for more than 20 minutes", ref)
	})
}

func (v *View) syncGrows(node string) Answer {
	p := v.report(node).PostgreSQL
	refs := []ClaimRef{mention(node, "postgresql.data-bytes", p.DataBytes), mention(node, "postgresql.replay", p.Replay)}
	var sizes []int64
	var positions []LSN
	ss := v.samples(node)
	for i, now := len(ss)-1, true; i >= 0 && now; i-- { // what was seen before a break tells of another time
		if now = ss[i].DataBytes > 0; now {
			sizes = append(sizes, ss[i].DataBytes)
		}
	}
	for i, now := len(ss)-1, true; i >= 0 && now; i-- {
		if now = ss[i].Position > 0; now {
			positions = append(positions, ss[i].Position)
		}
	}
	n, m := len(sizes), len(positions)
	switch {
	case n > 1 && sizes[0] > sizes[n-1]:
		return say(True, fmt.Sprintf("the data directory of %s grew to %s", node, Amount(sizes[0])), refs...)
	case m > 1 && positions[0] > positions[m-1]:
		return say(True, fmt.Sprintf("the copy on %s advances: %s", node, positions[0]), refs...)
	case n < 2 && m < 2:
		return say(Unknown, "whether the copy on "+node+" grows is unknown: neither its size nor its position can be read", refs...)
	}
	where := "its position stands"
	if n > 0 {
		where = Amount(sizes[0]) + ", not growing"
	}
	return say(False, "the copy on "+node+" does not grow: "+where, refs...)
}

// otherSystem names the odd one out. Without a leader the two others must
// agree: of two that differ nobody can say whose cluster this is.
func (v *View) otherSystem(node string) Answer {
	e := v.Elected()
	if e.Truth == True {
		return v.ofLeader(node, func(leader string) Answer { return turned(v.sameSystem(node, leader)) })
	}
	peers := v.others(node)
	if len(peers) != 2 {
		return e.Answer
	}
	return all("", v.sameSystem(peers[0], peers[1]), turned(v.sameSystem(node, peers[0])))
}

// turned is the answer to the opposite question.
func turned(a Answer) Answer {
	a.Truth = a.Truth.Not()
	return a
}

func (v *View) unsyncedIdle(node string) Answer {
	return all("", v.sentinelAt(node, "unsynced"), turned(v.SyncProcess(node)))
}

func (v *View) waitsIneligible(node string) Answer {
	row, read, ok := v.row(node, true)
	waits := say(Unknown, "cluster-status does not tell what "+node+" is", read.ref)
	if ok {
		waits = say(TruthOf(row.Role == "waiting_for_leader"), fmt.Sprintf("cluster-status on %s calls %s %s", read.witness, node, row.Role), read.ref)
	}
	gone := v.sentinelAt(node, "unsynced")
	if gone.Truth == False {
		return gone
	}
	return all("", v.anotherElected(node), waits, turned(v.eligible(node)))
}

func (v *View) deposedRecently(node string) Answer {
	return all("", v.deposed(node), v.leaderChangedRecently())
}
