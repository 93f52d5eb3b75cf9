//go:build race

package scenario

import "slices"

// speed is lower under the race detector, which makes everything but the
// clock several times slower.
const speed = 2.5

// core is what is tried when not the whole table is asked for: a row for each
// way through the program. The race detector needs no more, and is slow.
var core = slices.DeleteFunc(slices.Clone(Core), func(s Scenario) bool {
	return !slices.Contains([]string{"follower-wal-gap", "deposed-leader-blocked", "postgresql-down", "node-down",
		"partition-quorum-lost", "two-primaries", "failover-under-way"}, s.Name)
})
