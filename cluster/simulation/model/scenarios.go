package model

import "time"

// strikeAfter is when a scenario's fault strikes: long enough to see a healthy
// cluster first.
const strikeAfter = 10 * time.Second

// Scenarios are all stories, ordinary ones first.
func Scenarios() []Scenario {
	all := []Scenario{
		{Name: "healthy", Title: "A healthy cluster: nothing happens", Ordinary: true},
		{Name: "failover", Title: "The leader's PostgreSQL dies and a follower takes over", Ordinary: true},
		{Name: "planned-restart", Title: "The services of a follower are restarted one by one", Ordinary: true},
		{Name: "follower-wal-gap", Title: "A follower needs WAL that the leader no longer has"},
		{Name: "partially-synced", Title: "A sync failed and left a follower partially synced"},
		{Name: "follower-lagging", Title: "A follower streams but falls behind"},
		{Name: "no-leader", Title: "All nodes wait for a leader and nobody leads"},
		{Name: "deposed-leader-blocked", Title: "Nobody leads; the deposed leader holds the furthest copy"},
		{Name: "failover-under-way", Title: "A failover that takes its time"},
		{Name: "two-primaries", Title: "The old leader goes on writing while another one leads"},
		{Name: "postgresql-down", Title: "PostgreSQL does not start on a follower"},
		{Name: "etcd-down", Title: "etcd does not start on a follower"},
		{Name: "leaderl-down", Title: "leaderl does not start on a follower"},
		{Name: "leaderl-down-leader", Title: "leaderl does not start on the leader"},
		{Name: "elasticsearch-down", Title: "Elasticsearch does not start on a follower"},
		{Name: "node-down", Title: "A follower has lost its power"},
		{Name: "operator-cut-off", Title: "You cannot reach a node that its peers see"},
		{Name: "partition-partial", Title: "A node is seen by one peer only"},
		{Name: "partition-quorum-kept", Title: "A node is cut off from both peers"},
		{Name: "partition-quorum-lost", Title: "All nodes are cut off from one another"},
		{Name: "quorum-lost-one-seen", Title: "Two nodes have lost their power"},
	}
	for i := range all {
		if all[i].Name != "healthy" {
			all[i].Faults = []TimedFault{{After: strikeAfter, Fault: all[i].Name}}
		}
	}
	return all
}
