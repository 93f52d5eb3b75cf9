package cluster

import (
	"fmt"
	"strings"
	"time"
)

// Waiting times of the derived facts. They come from the product's defaults
// (vendor documentation, config_rb_backend) and from runit's one-second pause
// between restarts.
const (
	// StandsFor is how long a pid must have stood for its service to "run".
	StandsFor = 15 * time.Second
	// LeaderTTL is leaderl.leader_ttl_seconds.
	LeaderTTL = 30 * time.Second
	// StatusAge is how old cluster-status itself may be: 5 s internal update
	// and 10 s until it is posted.
	StatusAge = 15 * time.Second
	// HealthChecks is how long leaderl looks at a failing service before it
	// gives up: 5 failures, 5 s apart.
	HealthChecks = 25 * time.Second
	// PromotionLimit is how long pgsql-promote waits for the end of recovery.
	PromotionLimit = 5 * time.Minute
	// peerLookMax is the age beyond which a slow claim, a peer's view or the
	// rows of cluster-status, no longer tells of now: two periods of the slow look.
	peerLookMax = time.Minute
)

// mention points at a claim.
func mention[T any](node, name string, c Claim[T]) ClaimRef {
	return ClaimRef{Node: node, Name: name, Source: c.Source, At: c.At}
}

// say makes an answer of a truth, a sentence and the claims behind it.
func say(t Truth, sentence string, refs ...ClaimRef) Answer {
	return Answer{Truth: t, Sentence: sentence, Claims: refs}
}

// unknownFor makes the answer for a missing claim and names it.
func unknownFor[T any](node, name string, c Claim[T]) Answer {
	why := c.Reason
	if why == "" {
		why = "never asked"
	}
	return say(Unknown, fmt.Sprintf("%s of %s is unknown: %s", name, node, why), mention(node, name, c))
}

// all joins answers that must all hold. The sentence is the one that decides:
// the first that is false, else the first that is unknown, else whenTrue, or
// all sentences where whenTrue is empty.
func all(whenTrue string, as ...Answer) Answer {
	return joined(False, whenTrue, as)
}

// anyOf joins answers of which one suffices; the mirror image of all.
func anyOf(whenFalse string, as ...Answer) Answer {
	return joined(True, whenFalse, as)
}

// joined does the work of all and anyOf: decisive is the truth that settles
// the matter alone.
func joined(decisive Truth, otherwise string, as []Answer) Answer {
	out := Answer{Truth: decisive.Not(), Sentence: otherwise}
	var every []string
	var unknown string
	for _, a := range as {
		if a.Truth == decisive {
			return a
		}
		if a.Truth == Unknown && unknown == "" {
			out.Truth, unknown = Unknown, a.Sentence
		}
		every = append(every, a.Sentence)
		out.Claims = append(out.Claims, a.Claims...)
	}
	switch {
	case unknown != "":
		out.Sentence = unknown
	case otherwise == "":
		out.Sentence = strings.Join(every, "; ")
	}
	return out
}

// nodes lists the nodes in their fixed order.
func (v *View) nodes() []Node {
	if v == nil || v.Snapshot == nil {
		return nil
	}
	return v.Snapshot.Nodes
}

// others lists the names of all nodes but one, in their fixed order.
func (v *View) others(node string) []string {
	var names []string
	for _, n := range v.nodes() {
		if n.Name != node {
			names = append(names, n.Name)
		}
	}
	return names
}

// report is Report that never is nil: where there is none, everything is unknown.
func (v *View) report(node string) *Report {
	if r := v.Report(node); r != nil {
		return r
	}
	return &Report{Node: node, Reach: UnknownAs[Reach]("not looked at yet", SourceReach, time.Time{})}
}

// earlier is the report of the look before the newest one; nil if the previous
// snapshot holds the same look or there is none.
func (v *View) earlier(node string) *Report {
	if v == nil || v.Previous == nil {
		return nil
	}
	was, now := v.Previous.Reports[node], v.Report(node)
	if was == nil || (now != nil && was.Seq == now.Seq && now.Seq != 0) {
		return nil
	}
	return was
}

// samples lists what the last looks at a node left behind, oldest first.
func (v *View) samples(node string) []Sample {
	if v == nil {
		return nil
	}
	return v.Past.Samples[node]
}

// olderSamples are those of looks before the newest one.
func (v *View) olderSamples(node string) []Sample {
	all, r := v.samples(node), v.Report(node)
	for r != nil && len(all) > 0 && !all[len(all)-1].At.Before(r.Began) {
		all = all[:len(all)-1]
	}
	return all
}

// Unreachable answers whether the cockpit gets no TCP connection or no SSH
// banner from the node. A refused login or a changed host key is an answer.
func (v *View) Unreachable(node string) Answer {
	c := v.report(node).Reach
	if !c.Known {
		return unknownFor(node, "reach", c)
	}
	ref := mention(node, "reach", c)
	switch c.Value {
	case Unreachable:
		return say(True, node+" cannot be reached from here", ref)
	case Reached:
		return say(False, node+" is reached from here", ref)
	}
	return say(False, fmt.Sprintf("%s answers from here, but: %s", node, c.Value), ref)
}

// silentSince is when the present run of looks that found a node unreachable
// began; ok is false when the history does not tell.
func (v *View) silentSince(node string) (since time.Time, ok bool) {
	ss := v.samples(node)
	for i := len(ss) - 1; i >= 0 && ss[i].Reach == Unreachable; i-- {
		since, ok = ss[i].At, true
	}
	return since, ok
}

// backSince is when the present run of looks that reached a node began, where
// an earlier look did not reach it.
func (v *View) backSince(node string) (since time.Time, ok bool) {
	ss := v.samples(node)
	for i := len(ss) - 1; i >= 0; i-- {
		if ss[i].Reach != Reached {
			return since, !since.IsZero()
		}
		since = ss[i].At
	}
	return time.Time{}, false
}

// SeenByPeer answers whether peer gets an answer, be it a refusal, from any of
// the node's ports within 1 s. A look that the peer took before the node went
// silent towards us, or silence of before it came back, says nothing about now
// and counts as unknown.
func (v *View) SeenByPeer(node, peer string) Answer {
	n, _ := v.snapshotNode(node)
	c := v.report(peer).Peers[n.Address]
	name := "peer." + n.Address
	if !c.Known {
		if c.Reason == "" {
			c.Reason = "not asked"
			if r := v.report(peer).Reach; r.Known && r.Value != Reached {
				c.Reason = peer + " cannot be asked"
			}
		}
		return say(Unknown, fmt.Sprintf("whether %s sees %s is unknown: %s", peer, node, c.Reason), mention(peer, name, c))
	}
	ref := mention(peer, name, c)
	if !v.Now.IsZero() && v.Now.Sub(c.At) > peerLookMax {
		return say(Unknown, fmt.Sprintf("whether %s sees %s is unknown: its last look is too old", peer, node), ref)
	}
	if r := v.report(node).Reach; r.Known && r.Value == Unreachable {
		if since, ok := v.silentSince(node); ok && c.At.Before(since) {
			return say(Unknown, fmt.Sprintf("whether %s sees %s is unknown: it looked before %s went silent", peer, node, node), ref)
		}
	}
	if c.Value.Alive() {
		return say(True, peer+" sees "+node, ref)
	}
	if since, ok := v.backSince(node); ok && c.At.Before(since) {
		return say(Unknown, fmt.Sprintf("whether %s sees %s is unknown: it looked before %s came back", peer, node, node), ref)
	}
	for _, port := range PeerPorts { // silence is none where a port was not tried
		if c.Value.Ports[port] == "" {
			return say(Unknown, fmt.Sprintf("whether %s sees %s is unknown: it did not try port %d", peer, node, port), ref)
		}
	}
	return say(False, peer+" does not see "+node, ref)
}

// snapshotNode finds a node by name in the newest snapshot.
func (v *View) snapshotNode(name string) (Node, bool) {
	if v == nil || v.Snapshot == nil {
		return Node{}, false
	}
	return v.Snapshot.Node(name)
}

// service is what runit says of one service of a node.
func (v *View) service(node, service string) ServiceClaims {
	r := v.report(node)
	if s, ok := r.Services[service]; ok {
		return s
	}
	why := "runit did not name it"
	if r.Reach.Known && r.Reach.Value != Reached {
		why = node + " cannot be asked"
	}
	return ServiceClaims{State: UnknownAs[string](why, SourceRunit, r.Ended)}
}

// ServiceRuns answers whether runit says run and the pid has stood for 15 s.
func (v *View) ServiceRuns(node, service string) Answer {
	s := v.service(node, service)
	name := "service." + service + ".state"
	if !s.State.Known {
		return unknownFor(node, name, s.State)
	}
	refs := []ClaimRef{mention(node, name, s.State), mention(node, "service."+service+".in-state", s.InState)}
	switch {
	case s.State.Value == "fail":
		return say(Unknown, fmt.Sprintf("runit's supervisor of %s on %s does not answer", service, node), refs...)
	case s.State.Value != "run":
		return say(False, fmt.Sprintf("%s is %s on %s", service, s.State.Value, node), refs...)
	case !s.InState.Known:
		return unknownFor(node, "service."+service+".in-state", s.InState)
	case s.InState.Value < StandsFor:
		return say(False, fmt.Sprintf("%s on %s started only %s ago", service, node, s.InState.Value.Round(time.Second)), refs...)
	}
	return say(True, fmt.Sprintf("%s runs on %s", service, node), refs...)
}

// SyncProcess answers whether pg_basebackup, pg_rewind or pgsql-follow is
// alive on the node, children of leaderl included.
func (v *View) SyncProcess(node string) Answer {
	c := v.report(node).PostgreSQL.SyncProc
	if !c.Known {
		return unknownFor(node, "postgresql.sync-process", c)
	}
	ref := mention(node, "postgresql.sync-process", c)
	if c.Value == "" {
		return say(False, "no sync process on "+node, ref)
	}
	return say(True, c.Value+" runs on "+node, ref)
}
