package cluster

import (
	"fmt"
	"slices"
	"strings"
)

// clusterChecks are asked of the cluster as a whole; only acting needs them.
var clusterChecks = []struct {
	what string
	ask  func(x *Examination) verdict
}{
	{"nodes", checkNodes},
	{"one-version", checkOneVersion},
	{"lock", checkMajority},
}

func checkNodes(x *Examination) verdict {
	if !slices.ContainsFunc(x.Nodes, func(n Examined) bool { return n.Refusal.Kind == "" }) {
		return untold("no node was reached that could tell who belongs to the cluster", "Make a node reachable.")
	}
	return asAnswered(askThree(x.View, Binding{}), "Name all three nodes; with any other number most procedures stay closed. Or follow the guide by hand, with Support.")
}

func checkOneVersion(x *Examination) verdict {
	a := x.View.versionsDiffer()
	a.Truth = a.Truth.Not()
	return asAnswered(a, "Upgrade all nodes to one version.")
}

// checkMajority: the operators' lock counts once it is held on more than half.
func checkMajority(x *Examination) verdict {
	can := 0
	var not, unsure []string
	for _, n := range x.Nodes {
		v := untold("not reached", "")
		if n.Refusal.Kind == "" {
			v = n.lockable()
		}
		switch v.standing {
		case InOrder, Advice:
			can++
		case Untold:
			unsure = append(unsure, n.Node.Name)
		default:
			not = append(not, n.Node.Name)
		}
	}
	need := x.View.Snapshot.Majority()
	seen := fmt.Sprintf("can be held on %d of %d nodes, %d are needed", can, len(x.Nodes), need)
	switch {
	case can >= need:
		return inOrder(seen)
	case can+len(unsure) >= need:
		return untold(seen+"; not known of "+strings.Join(unsure, ", "), "Make these nodes reachable.")
	}
	return amiss(seen+"; not on "+strings.Join(append(not, unsure...), ", "), "Mend what keeps it from these nodes, above.")
}
