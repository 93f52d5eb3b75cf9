package scenario

import (
	"slices"

	"chef-backend-cockpit/cluster/watch"
)

// Healthy answers whether nothing stands, a leader is elected, and every copy
// is good.
func Healthy(s *watch.State) bool { return healthy(s) }

// Exercises are the faults that an operator can mend from the cockpit alone,
// each with all its rows, the one with the fewest commands first. They stand in
// the table's order.
func Exercises() [][]Scenario {
	var all [][]Scenario
	at := map[string]int{}
	for _, s := range Table {
		if !s.forOperators() {
			continue
		}
		i, known := at[s.Name]
		if !known {
			i = len(all)
			at[s.Name] = i
			all = append(all, nil)
		}
		all[i] = append(all[i], s)
	}
	for _, rows := range all {
		slices.SortStableFunc(rows, func(a, b Scenario) int { return a.count() - b.count() })
	}
	return all
}

// forOperators: it has a way back to healthy, and needs nobody outside for it.
func (s Scenario) forOperators() bool {
	return len(s.Expect) > 0 && s.Healed > 0 && (s.Procedure != "" || len(s.Before) > 0) &&
		!s.Heal && !s.Quiet && len(s.Fence) == 0 && len(s.Maintain) == 0
}

// count is how many commands reach nodes.
func (s Scenario) count() (n int) {
	for _, c := range s.Commands {
		n += len(c)
	}
	return n
}

// Path is every procedure of the row, in the order in which they begin.
func (s Scenario) Path() []Repair {
	var path []Repair
	if s.Guide != "" {
		path = append(path, Repair{Procedure: s.Guide})
	}
	path = append(path, s.Before...)
	if s.Procedure != "" {
		path = append(path, Repair{s.Procedure, s.Node, s.Service, s.Typed})
	}
	return path
}
