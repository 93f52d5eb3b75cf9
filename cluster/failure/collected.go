package failure

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"chef-backend-cockpit/cluster"
)

// FromSigns are the failures that signs in collected logs suggest: suspected,
// all of them, since nobody was asked. Times are those of the signs. Sorted by
// priority, then by first time. A finding about a node that no log tells has no
// node.
func FromSigns(failures []cluster.Failure, signs []cluster.SignSeen) []cluster.Finding {
	var out []cluster.Finding
	members := membersIn(signs)
	for _, f := range failures {
		byNode := map[string]*cluster.Finding{}
		for _, s := range signs {
			if !slices.Contains(f.Seen, s.Sign) {
				continue
			}
			node := about(s, members)
			if f.Scope == "cluster" {
				node = ""
			}
			if byNode[node] == nil {
				byNode[node] = suspicion(f, node)
			}
			byNode[node].Evidence = append(byNode[node].Evidence, evidenceOf(s))
		}
		for _, finding := range byNode {
			for _, e := range finding.Evidence {
				if !e.At.IsZero() && (finding.Since.IsZero() || e.At.Before(finding.Since)) {
					finding.Since = e.At
				}
			}
			out = append(out, *finding)
		}
	}
	slices.SortFunc(out, func(a, b cluster.Finding) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), a.Since.Compare(b.Since), strings.Compare(a.ID(), b.ID()))
	})
	return out
}

// Lines of etcd name members by their ids: the one that logs in those of its
// raft, and peers in most others.
var (
	memberOfItself = regexp.MustCompile(`raft(?:\.node)?: ([0-9a-f]{8,16}) `)
	anyMember      = regexp.MustCompile(`\b[0-9a-f]{8,16}\b`)
)

// membersIn are the nodes by the ids of their etcd members, as far as their own
// logs tell.
func membersIn(signs []cluster.SignSeen) map[string]string {
	members := map[string]string{}
	for _, s := range signs {
		if m := memberOfItself.FindStringSubmatch(s.Example); m != nil && s.Service == "etcd" {
			members[m[1]] = s.Node
		}
	}
	return members
}

// about is the node that a sign is about: a peer, where etcd's line names that
// one alone; "" for a peer of which it is not known which node it is.
func about(s cluster.SignSeen, members map[string]string) string {
	ids := anyMember.FindAllString(s.Example, -1)
	if s.Service != "etcd" || len(ids) == 0 || memberOfItself.MatchString(s.Example) {
		return s.Node
	}
	for _, id := range ids {
		if members[id] == s.Node {
			return s.Node
		}
	}
	return members[ids[0]]
}

// suspicion is a failure bound to a node by nothing but signs. Nobody is known
// to lead, so that no title can name a leader.
func suspicion(f cluster.Failure, node string) *cluster.Finding {
	title := strings.NewReplacer("{node}", cmp.Or(node, "a node"), "{leader}", "the leader").Replace(f.Title)
	s := &cluster.Finding{Failure: f.Name, Node: node, Certainty: cluster.Suspected, Priority: f.Priority, Title: title}
	if node != "" {
		s.Nodes = []string{node}
	}
	return s
}

// evidenceOf is a sign as evidence; its time is the first one.
func evidenceOf(s cluster.SignSeen) cluster.Evidence {
	return cluster.Evidence{
		Kind: "sign", Name: s.Sign, Side: cluster.SideFor, Answer: cluster.True, Node: s.Node, At: s.First,
		Sentence: saidBy(s),
	}
}

// saidBy is a sign in words.
func saidBy(s cluster.SignSeen) string {
	where := "the log of " + s.Service
	if s.Service == "ctl" {
		where = "what chef-backend-ctl said"
	}
	return fmt.Sprintf("%s in %s on %s, %s: %s", s.Sign, where, s.Node, Times(s.Count), s.Example)
}

// Times is how often in words: "once", "3 times".
func Times(n uint64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
