package scenario

import "time"

// machineRows are the failures of the machines under the services. No
// procedure mends them; what is outside does.
var machineRows = []Scenario{
	{Name: "disk-full", Expect: []string{"disk-full@be3"}, Within: 2 * time.Minute, Heal: true, Healed: 8 * time.Minute,
		May: append(mendingBy("be3"), "postgresql-down@be3", "etcd-down@be3", "leaderl-down@be3", "elasticsearch-down@be3")},
	{Name: "disk-low", Expect: []string{"disk-low@be3"}, Within: 3 * time.Minute, Heal: true, Healed: 2 * time.Minute},
	{Name: "filesystem-read-only", Expect: []string{"filesystem-read-only@be3"}, Within: 2 * time.Minute, Heal: true, Healed: 8 * time.Minute,
		May: append(mendingBy("be3"), "postgresql-down@be3", "etcd-down@be3", "leaderl-down@be3", "elasticsearch-down@be3")},
	// The row stands for an hour after the kill.
	{Name: "out-of-memory-kill", Expect: []string{"out-of-memory-kill@be3"}, Within: 4 * time.Minute, May: append(mendingBy("be3"), "elasticsearch-down@be3")},
	{Name: "clock-skew", Expect: []string{"clock-skew@be3"}, Within: 2 * time.Minute, Heal: true, Healed: 2 * time.Minute},
	{Name: "connections-exhausted", Expect: []string{"connections-exhausted@be3"}, Within: 2 * time.Minute, Heal: true, Healed: 3 * time.Minute, May: mendingBy("be3")},
	{Name: "connections-exhausted-leader", Expect: []string{"connections-exhausted@be1"}, Within: 2 * time.Minute, Heal: true, Healed: 3 * time.Minute, May: mendingBy("be1")},
	{Name: "slot-holds-wal", Expect: []string{"slot-holds-wal@be1"}, Within: 4 * time.Minute, Heal: true, Healed: 3 * time.Minute, May: append(mendingBy("be2", "be3"), "follower-lagging@be2", "follower-lagging@be3")},
	{Name: "etcd-member-removed", Expect: []string{"etcd-member-removed@be3"}, Within: 4 * time.Minute, May: append(mendingBy("be3"), "node-down@be3", "partition-partial@be3")},
	{Name: "etcd-cluster-id-mismatch", Expect: []string{"etcd-cluster-id-mismatch@be3"}, Within: 3 * time.Minute, Heal: true, Healed: 6 * time.Minute, May: append(mendingBy("be3"), "etcd-down@be3", "service-hung@be3")},
	{Name: "etcd-cannot-write", Expect: []string{"etcd-cannot-write@be3"}, Within: 2 * time.Minute, Heal: true, Healed: 4 * time.Minute, May: append(mendingBy("be3"), "etcd-down@be3")},
	{Name: "elasticsearch-read-only", Expect: []string{"elasticsearch-read-only"}, Within: 2 * time.Minute, Heal: true, Healed: 2 * time.Minute},
	{Name: "certificate-expiring", Expect: []string{"certificate-expiring@be3"}, Within: 2 * time.Minute, Heal: true, Healed: 2 * time.Minute},
	{Name: "version-mismatch", Expect: []string{"version-mismatch"}, Within: 2 * time.Minute, Heal: true, Healed: 2 * time.Minute},
	{Name: "wrong-version", Expect: []string{"wrong-version@be1", "wrong-version@be2", "wrong-version@be3"}, Within: 2 * time.Minute, Heal: true, Healed: 2 * time.Minute,
		May: []string{"version-mismatch"}}, // the looks reach the nodes one after the other
	{Name: "not-three-nodes", Expect: []string{"not-three-nodes"}, Within: 2 * time.Minute, Heal: true, Healed: 3 * time.Minute},
}
