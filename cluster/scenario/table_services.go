package scenario

import "time"

// serviceRows are the failures of services beyond a process that merely died,
// and the same ones on the leader.
var serviceRows = []Scenario{
	{
		Name: "etcd-quorum-lost", Expect: []string{"etcd-quorum-lost"}, Within: 3 * time.Minute,
		// With quorum back somebody else may be elected; who was further then syncs.
		May: append(mendingBy("be1", "be2", "be3"), "etcd-down@be1", "etcd-down@be2", "etcd-down@be3", "failover-under-way", "no-leader",
			"no-eligible-follower", "deposed-leader-blocked", "timeline-diverged@be1", "timeline-diverged@be2", "timeline-diverged@be3"),
		Before: []Repair{{Procedure: "restart-service", Node: "be2", Service: "etcd"}}, Procedure: "restart-service", Node: "be3", Service: "etcd",
		Commands: map[string][]string{"be2": {"chef-backend-ctl restart etcd"}, "be3": {"chef-backend-ctl restart etcd"}}, Healed: 10 * time.Minute,
	},
	{
		Name: "etcd-slow", Expect: []string{"etcd-slow"}, Within: 4 * time.Minute, Heal: true, Healed: 12 * time.Minute,
		May: append(mendingBy("be1", "be2", "be3"), "failover-under-way"),
	},
	{
		Name: "leaderl-not-joining", Expect: []string{"leaderl-not-joining@be3"}, Within: 4 * time.Minute, May: mendingBy("be3"),
		Procedure: "restart-service", Node: "be3", Service: "leaderl", Healed: 4 * time.Minute,
		Commands: map[string][]string{"be3": {"chef-backend-ctl restart leaderl"}},
	},
	{
		Name: "leaderl-crash-loop", HealOnLab: "what holds leaderl's port there is no child of its supervisor: no restart ends it",
		Expect: []string{"leaderl-crash-loop@be3"}, Within: 3 * time.Minute, May: append(mendingBy("be3"), "leaderl-down@be3"),
		Procedure: "restart-service", Node: "be3", Service: "leaderl", Healed: 4 * time.Minute,
		Commands: map[string][]string{"be3": {"chef-backend-ctl restart leaderl"}},
	},
	{
		Name: "epmd-down", Expect: []string{"epmd-down@be3"}, Within: 3 * time.Minute,
		May:    append(mendingBy("be3"), "leaderl-down@be3", "leaderl-crash-loop@be3"),
		Before: []Repair{{Procedure: "restart-service", Node: "be3", Service: "epmd"}}, Healed: 4 * time.Minute,
		Commands: map[string][]string{"be3": {"chef-backend-ctl restart epmd"}}, // leaderl then starts by itself
	},
	{
		Name: "supervisor-down", Expect: []string{"supervisor-down@be3"}, Within: 2 * time.Minute, Heal: true, Healed: 6 * time.Minute,
		May: append(mendingBy("be3"), "etcd-down@be3", "leaderl-down@be3", "postgresql-down@be3", "elasticsearch-down@be3", "epmd-down@be3"),
	},
	{Name: "service-hung", Expect: []string{"service-hung@be3"}, Within: 3 * time.Minute, Heal: true, Healed: 4 * time.Minute, May: mendingBy("be3")},
	{Name: "service-hung-etcd", Expect: []string{"service-hung@be3"}, Within: 3 * time.Minute, Heal: true, Healed: 4 * time.Minute, May: mendingBy("be3")},
	{Name: "service-hung-postgresql", Expect: []string{"postgresql-down@be3"}, Within: 3 * time.Minute, Heal: true, Healed: 4 * time.Minute, May: mendingBy("be3")},
	{Name: "service-hung-elasticsearch", Expect: []string{"elasticsearch-down@be3"}, Within: 3 * time.Minute, Heal: true, Healed: 6 * time.Minute, May: mendingBy("be3")},
	{Name: "elasticsearch-red", Expect: []string{"elasticsearch-red"}, Within: 2 * time.Minute, Heal: true, Healed: 6 * time.Minute, May: mendingBy("be3")},
	{Name: "elasticsearch-degraded", Expect: []string{"elasticsearch-degraded"}, Within: 7 * time.Minute, Heal: true, Healed: 6 * time.Minute, May: mendingBy("be3")},
	{Name: "postgresql-starting", HealOnLab: "its recovery waits for an archive that answers only when it is asked to go away", Expect: []string{"postgresql-starting@be3"}, Within: 2 * time.Minute, Healed: 6 * time.Minute, May: append(mendingBy("be3"), "postgresql-down@be3")},
}
