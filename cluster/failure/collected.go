package failure

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"chef-backend-cockpit/cluster"
)

// FromSigns are the failures that signs in collected logs suggest: suspected,
// all of them, since nobody was asked. Times are those of the signs. Sorted by
// priority, then by first time.
func FromSigns(failures []cluster.Failure, signs []cluster.SignSeen) []cluster.Finding {
	var out []cluster.Finding
	for _, f := range failures {
		byNode := map[string]*cluster.Finding{}
		for _, s := range signs {
			if !slices.Contains(f.Seen, s.Sign) {
				continue
			}
			node := s.Node
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

// suspicion is a failure bound to a node by nothing but signs. Nobody is known
// to lead, so that no title can name a leader.
func suspicion(f cluster.Failure, node string) *cluster.Finding {
	title := strings.NewReplacer("{node}", node, "{leader}", "the leader").Replace(f.Title)
	s := &cluster.Finding{Failure: f.Name, Node: node, Certainty: cluster.Suspected, Priority: f.Priority, Title: title}
	if node != "" {
		s.Nodes = []string{node}
	}
	return s
}

// evidenceOf is a sign as evidence; its time is the first one.
func evidenceOf(s cluster.SignSeen) cluster.Evidence {
	times := "once"
	if s.Count != 1 {
		times = fmt.Sprintf("%d times", s.Count)
	}
	return cluster.Evidence{
		Kind: "sign", Name: s.Sign, Side: cluster.SideFor, Answer: cluster.True, Node: s.Node, At: s.First,
		Sentence: fmt.Sprintf("%s in the log of %s on %s, %s: %s", s.Sign, s.Service, s.Node, times, s.Example),
	}
}
