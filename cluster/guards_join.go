package cluster

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The guards and effects of joining a node, or a new machine in its place, to
// the cluster.
func init() {
	register(
		Fact{Name: "ports-open", Check: noArgs, Ask: askPortsOpen,
			Doc: "From the node 2379, 2380, 5432 and 9300 of every member are open, and 7331 of the leader (the node's view of its peers)."},
		Fact{Name: "clock-agrees", Check: noArgs, Ask: askClock,
			Doc: "The node's clock is at most 1.5 s from the leader's (host.clock-offset)."},
		Fact{Name: "same-version", Check: noArgs, Ask: askSameVersion,
			Doc: "The node has the same version of Chef Backend as the leader (host.version)."},
		Fact{Name: "kept-wal-told", Check: noArgs, Ask: askKeptWAL,
			Doc: "Holds always: says for how long the leader keeps WAL at the rate now, while a full copy is pulled (history of positions)."},
		Fact{Name: "own-copy-told", Check: noArgs, Ask: askOwnCopyTold,
			Doc: "Holds always: says what giving up the node's copy would lose (both copies, by their histories)."},
		Fact{Name: "licence-asked", Check: oneWord, Ask: askLicence,
			Doc: "The plan's step named ended because the product's licence has to be accepted first (its output)."},
		Fact{Name: "joined-or-licence", Check: oneWord, Ask: askJoinedOrLicence,
			Doc: "The node is a member with a healthy etcd, or the step named ended because the licence has to be accepted first."},
	)
}

// joinPorts are what a node needs of every member to join: etcd's two, the
// database, and Elasticsearch among its own.
var joinPorts = []int{2379, 2380, 5432, 9300}

func askPortsOpen(v *View, b Binding) Answer {
	leader := v.planLeader(b)
	if leader == "" {
		return say(Unknown, "nobody is known to lead")
	}
	var as []Answer
	for _, n := range v.others(b.Node) {
		listed := v.memberListed(n)
		if listed.Truth == False {
			continue // no member: not needed
		}
		ports := joinPorts
		if n == leader {
			ports = append(slices.Clone(joinPorts), 7331)
		}
		for _, port := range ports {
			how, ref, known := v.peerPort(b.Node, n, port)
			if !known {
				as = append(as, say(Unknown, fmt.Sprintf("whether %s gets to port %d of %s is unknown", b.Node, port, n), ref))
				continue
			}
			as = append(as, say(TruthOf(how == "open"), fmt.Sprintf("port %d of %s from %s: %s", port, n, b.Node, how), ref))
		}
	}
	if len(as) == 0 {
		return say(Unknown, "no member is known to which "+b.Node+" could join")
	}
	return all(b.Node+" gets to every port that a join needs", as...)
}

// clockLimit is how far clocks may be apart (vendor documentation).
const clockLimit = 1500 * time.Millisecond

func askClock(v *View, b Binding) Answer {
	leader := v.planLeader(b)
	own, lead := v.report(b.Node).Host.ClockOffset, v.report(leader).Host.ClockOffset
	switch {
	case leader == "":
		return say(Unknown, "nobody is known to lead")
	case !own.Known:
		return unknownFor(b.Node, "host.clock-offset", own)
	case !lead.Known:
		return unknownFor(leader, "host.clock-offset", lead)
	}
	apart := (own.Value - lead.Value).Abs()
	return say(TruthOf(apart <= clockLimit), fmt.Sprintf("the clocks of %s and %s are %s apart", b.Node, leader, apart.Round(time.Millisecond)),
		mention(b.Node, "host.clock-offset", own), mention(leader, "host.clock-offset", lead))
}

func askSameVersion(v *View, b Binding) Answer {
	leader := v.planLeader(b)
	own, lead := v.report(b.Node).Host.Version, v.report(leader).Host.Version
	switch {
	case leader == "":
		return say(Unknown, "nobody is known to lead")
	case !own.Known:
		return unknownFor(b.Node, "host.version", own)
	case !lead.Known:
		return unknownFor(leader, "host.version", lead)
	}
	return say(TruthOf(own.Value == lead.Value), fmt.Sprintf("%s has Chef Backend %s, %s has %s", b.Node, own.Value, leader, lead.Value),
		mention(b.Node, "host.version", own), mention(leader, "host.version", lead))
}

// keptWAL is how much WAL a leader keeps for who falls behind, in a stock install.
const keptWAL = 512 << 20

func askKeptWAL(v *View, b Binding) Answer {
	leader := v.planLeader(b)
	const warning = "a full copy is pulled while the leader keeps 512 MB of WAL"
	ss := v.samples(leader)
	if leader == "" || len(ss) < 2 || ss[0].Position == 0 || ss[len(ss)-1].Position <= ss[0].Position {
		return say(True, warning+"; at what rate it is written now is not known, or nothing is written")
	}
	first, last := ss[0], ss[len(ss)-1]
	rate := float64(last.Position-first.Position) / last.At.Sub(first.At).Seconds()
	minutes := keptWAL / rate / 60
	return say(True, fmt.Sprintf("%s: %.0f minutes at the rate now", warning, minutes))
}

func askOwnCopyTold(v *View, b Binding) Answer {
	leader := v.planLeader(b)
	if leader == "" {
		return say(True, "nobody is known to lead: the copies cannot be compared")
	}
	a := v.Contained(b.Node, leader)
	s := fmt.Sprintf("%s ends at %s, %s at %s: %s", b.Node, v.lastKnownEnd(b.Node), leader, v.lastKnownEnd(leader), a.Sentence)
	return say(True, s, a.Claims...)
}

// lastKnownEnd is where a copy ends, or ended when it was last seen.
func (v *View) lastKnownEnd(node string) string {
	if c := v.copyOn(node); !c.seen.IsZero() {
		return fmt.Sprintf("%s, seen at %s", c.low, c.seen.UTC().Format(time.TimeOnly))
	}
	return v.PositionOf(node)
}

// licenceWords stand in what the product says when its licence was not accepted.
const licenceWords = "--accept-license"

func askLicence(v *View, b Binding) Answer {
	s, a := v.ownStep(b)
	if a.Truth != True {
		if s.Status == StatusSkipped || s.Status == StatusNext {
			return say(False, "step "+argument(b, 0)+" did not run")
		}
		return a
	}
	asked := s.Exit != 0 && slices.ContainsFunc(s.Output, func(line string) bool { return strings.Contains(line, licenceWords) })
	if asked {
		return say(True, "the product wants its licence agreement to be accepted on "+b.Node)
	}
	return say(False, "the product asked for no acceptance of its licence on "+b.Node)
}

// askJoinedOrLicence says after a join that did not work what is to be done:
// joining again blindly makes it worse.
func askJoinedOrLicence(v *View, b Binding) Answer {
	asked := askLicence(v, b)
	if asked.Truth == True {
		return asked
	}
	a := v.joined(b.Node)
	if a.Truth != False {
		return a
	}
	switch v.memberListed(b.Node).Truth {
	case True:
		a.Sentence += "; it is registered: if its etcd stays dead, remove-node comes first, then the join again"
	case False:
		a.Sentence += "; it is no member: mend what the output names, then join again"
	}
	return a
}
