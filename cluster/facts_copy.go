package cluster

import (
	"fmt"
	"slices"
	"strconv"
)

// maxBehind is leaderl.health_check.max_bytes_behind_leader: 50 MiB.
const maxBehind = 50 << 20

func init() {
	register(
		Fact{"unsynced", "The sentinel unsynced lies on the node: a sync runs there or failed.", aboutNode(func(v *View, n string) Answer { return v.sentinelAt(n, "unsynced") }), noArgs},
		Fact{"no-start-pgsql", "The sentinel no-start-pgsql lies on the node: leaderl demoted it and keeps PostgreSQL down.", aboutNode(func(v *View, n string) Answer { return v.sentinelAt(n, "no-start-pgsql") }), noArgs},
		Fact{"sync-process", "pg_basebackup, pg_rewind or pgsql-follow is alive on the node.", aboutNode((*View).SyncProcess), noArgs},
		Fact{"good-follower", "The node is a copy that could take over: in recovery, fed by the elected leader and streaming in its eyes, no unsynced, eligible, same system identifier.", aboutNode((*View).GoodFollower), noArgs},
		Fact{"streams-from-leader", "The node stands in the elected leader's pg_stat_replication with state streaming.", aboutNode((*View).streamsFromLeader), noArgs},
		Fact{"copy-stands", "The node's WAL position did not grow over the last three looks that told it, this one included, or PostgreSQL does not run there.", aboutNode((*View).copyStands), noArgs},
		Fact{"partially-synced-row", "cluster-status says partially_synced of the node, and the sentinel is not known to be gone.", aboutNode((*View).partiallySyncedRow), noArgs},
		Fact{"wal-removed", "The WAL segment that the node needs next is older than the oldest that the elected leader keeps (segments, positions).", aboutNode((*View).walRemoved), noArgs},
		Fact{"diverged", "The node's WAL goes beyond the point where the elected leader's history leaves it, or its timeline is not in that history.", aboutNode((*View).diverged), noArgs},
		Fact{"syncing", "A sync process is alive on the node, or it is marked unsynced and its position advances.", aboutNode((*View).syncing), noArgs},
		Fact{"far-behind", "The node streams from the elected leader and is further behind than max_bytes_behind_leader (50 MiB unless the site changed it) without catching up over three looks.", aboutNode((*View).farBehind), noArgs},
	)
}

// ofLeader asks a question about a node and the elected leader; for the leader
// itself, and without one, it has no yes.
func (v *View) ofLeader(node string, ask func(leader string) Answer) Answer {
	e := v.Elected()
	if e.Truth == True && e.Node == node {
		return say(False, node+" is the elected leader", e.Answer.Claims...)
	}
	if e.Truth != True {
		return e.Answer
	}
	return ask(e.Node)
}

func (v *View) streamsFromLeader(node string) Answer {
	return v.ofLeader(node, func(leader string) Answer { return v.StreamsFrom(node, leader) })
}

// standsIn is among how many looks three must tell a position: a busy server
// does not answer each in time.
const standsIn = 6

func (v *View) copyStands(node string) Answer {
	p := v.report(node).PostgreSQL
	if p.Postmaster.Known && p.Postmaster.Value == 0 {
		return say(True, "PostgreSQL does not run on "+node+": its copy does not advance", mention(node, "postgresql.postmaster", p.Postmaster))
	}
	ref := mention(node, "postgresql.replay", p.Replay)
	ss := v.samples(node)
	if n := len(ss); n > 0 && ss[n-1].Position == 0 {
		return say(Unknown, "whether the copy on "+node+" advances is unknown: its position is", ref)
	}
	var last []LSN // newest first
	for i := len(ss) - 1; i >= max(0, len(ss)-standsIn) && len(last) < 3; i-- {
		if ss[i].Position > 0 {
			last = append(last, ss[i].Position)
		}
	}
	switch {
	case len(last) < 3:
		return say(Unknown, "whether the copy on "+node+" advances is unknown: fewer than three looks told its position so far", ref)
	case last[0] > last[2]:
		return say(False, fmt.Sprintf("the copy on %s advances: %s", node, last[0]), ref)
	}
	return say(True, fmt.Sprintf("the copy on %s stands at %s", node, last[0]), ref)
}

func (v *View) syncing(node string) Answer {
	stands := v.copyStands(node)
	stands.Truth = stands.Truth.Not()
	runs := v.SyncProcess(node)
	if runs.Truth == True {
		runs.Sentence += v.syncProgress(node)
	}
	return anyOf("no sync runs on "+node, runs, all("", v.sentinelAt(node, "unsynced"), stands))
}

// syncProgress says how much of the leader's data has arrived, where both sizes
// are known.
func (v *View) syncProgress(node string) string {
	here := v.report(node).PostgreSQL.DataBytes
	e := v.Elected()
	if e.Truth != True || !here.Known {
		return ""
	}
	whole := v.report(e.Node).PostgreSQL.DataBytes
	if !whole.Known || whole.Value == 0 {
		return ": " + Amount(here.Value) + " so far"
	}
	return fmt.Sprintf(": %s of %s, %d %%", Amount(here.Value), Amount(whole.Value), min(100, here.Value*100/whole.Value))
}

func (v *View) partiallySyncedRow(node string) Answer {
	row, read, ok := v.row(node, true)
	if !ok || row.PartiallySynced == Unknown {
		return say(Unknown, "cluster-status does not tell whether "+node+" is partially synced", read.ref)
	}
	if gone := v.sentinelAt(node, "unsynced"); gone.Truth == False { // the row may be 45 s old, the look is not
		return gone
	}
	if row.PartiallySynced == True {
		return say(True, fmt.Sprintf("cluster-status on %s says partially_synced of %s", read.witness, node), read.ref)
	}
	return say(False, "cluster-status does not call "+node+" partially synced", read.ref)
}

// segmentNumber counts a WAL segment from its 16 digits, or the last 16 of a
// file's 24, whatever the timeline. A log has 256 segments of 16 MiB.
func segmentNumber(name string) (int64, bool) {
	if digits, ok := SegmentNumber(name); ok {
		name = digits
	}
	if len(name) != 16 {
		return 0, false
	}
	log, err := strconv.ParseUint(name[:8], 16, 32)
	seg, err2 := strconv.ParseUint(name[8:], 16, 32)
	if err != nil || err2 != nil {
		return 0, false
	}
	return int64(log)*(1<<32/SegmentSize) + int64(seg), true
}

func (v *View) walRemoved(node string) Answer {
	return v.ofLeader(node, func(leader string) Answer {
		kept := v.report(leader).PostgreSQL.Segments
		if !kept.Known {
			return unknownFor(leader, "postgresql.segments", kept)
		}
		oldest, ok := segmentNumber(kept.Value.Oldest)
		ref := mention(leader, "postgresql.segments", kept)
		if !ok {
			return say(Unknown, "no WAL file of the leader "+leader+" is known", ref)
		}
		r := v.report(node)
		refs := []ClaimRef{ref, mention(node, "postgresql.receive", r.PostgreSQL.Receive), mention(node, "postgresql.replay", r.PostgreSQL.Replay)}
		if at, ok := positionOf(r); ok {
			need, _ := segmentNumber(at.Segment())
			if need < oldest {
				return say(True, fmt.Sprintf("%s needs WAL from %s on, and %s keeps none older than segment %s", node, at, leader, kept.Value.Oldest), refs...)
			}
			return say(False, fmt.Sprintf("%s still keeps the WAL that %s needs from %s on", leader, node, at), refs...)
		}
		return v.walBeyondReach(node, leader, oldest, refs)
	})
}

// walBeyondReach is the question where the node's position cannot be read,
// because its PostgreSQL is starting or down: what its own newest WAL file
// cannot join on to is lost to it for certain.
func (v *View) walBeyondReach(node, leader string, oldest int64, refs []ClaimRef) Answer {
	own := v.report(node).PostgreSQL.Segments
	refs = append(refs, mention(node, "postgresql.segments", own))
	if newest, ok := segmentNumber(own.Value.Newest); own.Known && ok && newest+1 < oldest {
		return say(True, fmt.Sprintf("the newest WAL file of %s is %s, and %s keeps only newer ones", node, own.Value.Newest, leader), refs...)
	}
	return say(Unknown, "which WAL "+node+" needs is unknown: its position cannot be read", refs...)
}

// leaderTimeline is the timeline that a primary writes, and its history file
// where there is one. Right after a promotion its control data still tell the
// old timeline; its history files do not.
func leaderTimeline(p PostgreSQLClaims) (timeline uint32, history *History, ok bool) {
	if !p.Control.Known || !p.Histories.Known {
		return 0, nil, false
	}
	timeline = p.Control.Value.Timeline
	for i, h := range p.Histories.Value {
		if h.Timeline >= timeline {
			timeline, history = h.Timeline, &p.Histories.Value[i]
		}
	}
	if timeline == 1 { // the first of all has no history, and no file of one
		history = &History{Timeline: 1}
	}
	return timeline, history, true
}

func (v *View) diverged(node string) Answer {
	return v.ofLeader(node, func(leader string) Answer {
		lp, r := v.report(leader).PostgreSQL, v.report(node)
		timeline, history, ok := leaderTimeline(lp)
		control := r.PostgreSQL.Control
		refs := []ClaimRef{mention(leader, "postgresql.histories", lp.Histories), mention(node, "postgresql.control", control)}
		own, unsure := timelineNow(node, r.PostgreSQL)
		switch {
		case !ok:
			return say(Unknown, "the timeline of the leader "+leader+" is unknown", refs...)
		case !control.Known:
			return unknownFor(node, "postgresql.control", control)
		case history == nil && (own != timeline || control.Value.Timeline != timeline):
			return say(Unknown, fmt.Sprintf("the history of timeline %d is not on the leader %s", timeline, leader), refs...)
		case history != nil && !history.passes(control.Value.Timeline):
			own = control.Value.Timeline // it was there, whatever it came to since
		}
		if own == timeline {
			return v.sameBranch(node, leader, timeline, history, refs)
		}
		refs = append(refs, mention(node, "postgresql.segments", r.PostgreSQL.Segments))
		a := behindFork(node, leader, own, unsure, r, *history, refs)
		if a.Truth != False {
			return a
		}
		here := v.copyOn(node)
		here.timeline = own
		if why := twoWrote(v.copyOn(leader), here, v.besides(leader, node)...); why != "" {
			return say(Unknown, why, a.Claims...)
		}
		return a
	})
}

// passes answers whether the history leads over a timeline or to it.
func (h *History) passes(timeline uint32) bool {
	return h.Timeline == timeline || slices.ContainsFunc(h.Switches, func(s Switch) bool { return s.Parent == timeline })
}

// sameBranch: two promotions apart from each other give their timelines the
// same number, and only the histories tell them apart; where these are the
// same, too, nothing does.
func (v *View) sameBranch(node, leader string, timeline uint32, history *History, refs []ClaimRef) Answer {
	here := v.report(node).PostgreSQL.Histories
	refs = append(refs, mention(node, "postgresql.histories", here))
	for _, h := range here.Value {
		if !here.Known || history == nil || h.Timeline != timeline || len(h.Switches) == 0 || len(history.Switches) == 0 {
			continue
		}
		own, its := h.Switches[len(h.Switches)-1], history.Switches[len(history.Switches)-1]
		if own != its {
			return say(True, fmt.Sprintf("timeline %d of %s began at %s and that of the leader %s at %s: two branches of one number",
				timeline, node, own.At, leader, its.At), refs...)
		}
	}
	if why := twoWrote(v.copyOn(leader), v.copyOn(node), v.besides(leader, node)...); why != "" {
		return say(Unknown, why, refs...)
	}
	return say(False, fmt.Sprintf("%s is on the leader's timeline %d", node, timeline), refs...)
}

// behindFork answers whether a copy on an older timeline has WAL beyond the
// point where the leader's history left that timeline. unsure says why the copy
// may be on a later one, whose bytes the leader has too.
func behindFork(node, leader string, own uint32, unsure string, r *Report, history History, refs []ClaimRef) Answer {
	for _, s := range history.Switches {
		if s.Parent != own {
			continue
		}
		at, known := positionOf(r)
		switch {
		case !known:
			return say(Unknown, fmt.Sprintf("%s is on timeline %d, which the leader left at %s; its own end is unknown", node, own, s.At), refs...)
		case at > s.At && unsure != "":
			return say(Unknown, fmt.Sprintf("%s ends at %s and was on timeline %d, which the leader left at %s; whether it went on from there is unknown: %s",
				node, at, own, s.At, unsure), refs...)
		case at > s.At:
			return say(True, fmt.Sprintf("%s has WAL up to %s on timeline %d, which the leader left at %s: %s exist only on %s",
				node, at, own, s.At, Amount(int64(at-s.At)), node), refs...)
		}
		return say(False, fmt.Sprintf("%s is on timeline %d, before the point where the leader left it", node, own), refs...)
	}
	return say(True, fmt.Sprintf("timeline %d of %s is not in the history of the leader %s", own, node, leader), refs...)
}

func (v *View) farBehind(node string) Answer {
	streams := v.streamsFromLeader(node)
	if streams.Truth != True {
		return streams
	}
	looks, ok := v.lastLooks(node, 3)
	if !ok {
		return say(Unknown, "how far "+node+" is behind is unknown: fewer than three looks so far", streams.Claims...)
	}
	most := v.mostBehind()
	for _, s := range looks {
		if !s.LagKnown {
			return say(Unknown, "how far "+node+" is behind is unknown", streams.Claims...)
		}
		if s.LagBytes <= most {
			return say(False, fmt.Sprintf("%s is %s behind; leaderl bears %s", node, Amount(s.LagBytes), Amount(most)), streams.Claims...)
		}
	}
	now := Amount(looks[2].LagBytes)
	if looks[2].LagBytes < looks[0].LagBytes {
		return say(False, fmt.Sprintf("%s is %s behind and catching up", node, now), streams.Claims...)
	}
	return say(True, fmt.Sprintf("%s streams but is %s behind and not catching up; leaderl bears %s", node, now, Amount(most)), streams.Claims...)
}

// mostBehind is how far a follower may be behind for leaderl to promote it, in
// bytes: by the elected leader's configuration, else by the product's default.
func (v *View) mostBehind() int64 {
	if c := v.report(v.Elected().Node).Settings.MaxBehind; c.Known && c.Value > 0 {
		return c.Value
	}
	return maxBehind
}
