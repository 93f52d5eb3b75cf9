package scenario

import (
	"slices"
	"time"
)

// Table is all scenarios, ordinary days first. The simulation strikes the last
// follower, be3, where a fault has no node of its own; be1 leads at the start.
var Table = slices.Concat(Core, moreDays, leadershipRows, serviceRows, machineRows, procedureRows)

// Core are the rows that are tried with every change; the others take as long
// again several times.
var Core = slices.Concat(ordinaryDays, repaired, advised)

// ordinaryDays are what must never frighten: nothing but May ever stands.
var ordinaryDays = []Scenario{
	{Name: "healthy", Quiet: true, Within: 2 * time.Minute, OnLab: 45 * time.Second},
	{Name: "planned-restart", Quiet: true, Within: 3 * time.Minute, OnLab: 75 * time.Second},
	{
		Name: "failover", Quiet: true, Within: 150 * time.Second, OnLab: 90 * time.Second,
		May: []string{"failover-under-way", "syncing@be1"}, MayOnLab: []string{"redundancy-lost", "postgresql-starting@be1"},
	},
}

// moreDays are ordinary days that take their time.
var moreDays = []Scenario{
	{Name: "first-sync", Quiet: true, Within: 6 * time.Minute, OnLab: 2 * time.Minute, May: []string{"syncing@be3"},
		MayOnLab: append(mendingBy("be3"), "leaderl-down@be3", "postgresql-down@be3")},
	// It ends with a failover, asked for.
	{Name: "rolling-upgrade", Quiet: true, Within: 8 * time.Minute, OnLab: 3 * time.Minute, Maintain: []string{"be1", "be2", "be3"},
		May: []string{"failover-under-way"}},
	{Name: "maintenance", Quiet: true, Within: 6 * time.Minute, OnLab: 3 * time.Minute, Maintain: []string{"be3"}},
	{Name: "bad-link", Quiet: true, Within: 5 * time.Minute, OnLab: 2 * time.Minute},
}

// stopLeaderl and the like are the commands of the guide, as they must reach a
// node byte for byte.
const (
	stopLeaderl   = "chef-backend-ctl stop leaderl"
	startLeaderl  = "chef-backend-ctl start leaderl"
	clusterStatus = "chef-backend-ctl cluster-status"
	baseBackup    = "PSQL_INTERNAL_OK=true chef-backend-ctl pgsql-follow --force-basebackup --verbose 10.0.4.11"
	follow        = "PSQL_INTERNAL_OK=true chef-backend-ctl pgsql-follow 10.0.4.11 --verbose"
	startAll      = "chef-backend-ctl start"
	asideUnsynced = "mv -n /var/opt/chef-backend/leaderl/data/unsynced /var/opt/chef-backend-cockpit/aside/PLAN/"
	asideNoStart  = "mv -n /var/opt/chef-backend/leaderl/data/no-start-pgsql /var/opt/chef-backend-cockpit/aside/PLAN/"
)

// repaired are the failures with the procedure that mends them.
var repaired = []Scenario{
	{
		Name: "follower-wal-gap", Expect: []string{"follower-wal-gap@be3"}, Within: 90 * time.Second,
		May:       []string{"syncing@be3", "postgresql-starting@be3", "postgresql-down@be3"},
		MayOnLab:  []string{"wal-gap-near@be3"}, // while its WAL is being written away
		Procedure: "rebuild-follower", Node: "be3", Healed: 3 * time.Minute,
		Commands: map[string][]string{"be3": {stopLeaderl, clusterStatus, baseBackup, startAll}},
	},
	{
		Name: "partially-synced", Expect: []string{"partially-synced@be3"}, Within: 3 * time.Minute,
		May:       []string{"syncing@be3", "postgresql-down@be3"},
		Procedure: "resync-follower", Node: "be3", Healed: 3 * time.Minute,
		Commands: map[string][]string{"be3": {stopLeaderl, follow, asideUnsynced, startLeaderl}},
	},
	{
		Name: "no-leader", Expect: []string{"no-leader"}, Within: 3 * time.Minute,
		May: []string{"failover-under-way", "redundancy-lost"},
		// be1 led: its copy is never behind. A follower may lack the last bytes.
		Procedure: "promote-node", Node: "be1", Healed: 5 * time.Minute,
		Commands: map[string][]string{"be1": {"chef-backend-ctl promote be1"}},
	},
	{
		Name: "deposed-leader-blocked", Expect: []string{"deposed-leader-blocked"}, Within: 3 * time.Minute,
		May:       []string{"failover-under-way", "no-leader", "redundancy-lost"},
		Procedure: "promote-previous-leader", Node: "be1", Healed: 5 * time.Minute, Typed: []string{"snapshot be1", "promote be1"},
		Commands: map[string][]string{"be1": {asideNoStart, "chef-backend-ctl restart postgresql", "chef-backend-ctl promote be1"}},
		// Freed of its sentinel, leaderl may start PostgreSQL and elect the node by itself.
		Spared: []string{"chef-backend-ctl restart postgresql", "chef-backend-ctl promote be1"},
	},
	serviceDown("postgresql", "postgresql-down"),
	serviceDown("etcd", "etcd-down"),
	serviceDown("leaderl", "leaderl-down"),
	serviceDown("elasticsearch", "elasticsearch-down"),
}

// serviceDown is a service of be3 that does not run; a restart mends it.
func serviceDown(service, failure string) Scenario {
	return Scenario{
		Name: failure, Expect: []string{failure + "@be3"}, Within: 3 * time.Minute,
		Procedure: "restart-service", Node: "be3", Service: service, Healed: 4 * time.Minute,
		Commands: map[string][]string{"be3": {"chef-backend-ctl restart " + service}},
	}
}

// advised are the findings that come with advice; what is outside mends them.
var advised = []Scenario{
	{Name: "node-down", Expect: []string{"node-down@be3"}, Within: 2 * time.Minute, Heal: true, Healed: 4 * time.Minute, May: mendingBy("be3")},
	{Name: "operator-cut-off", Expect: []string{"operator-cut-off@be3"}, Within: 2 * time.Minute, Heal: true, Healed: 2 * time.Minute},
	{Name: "partition-partial", Expect: []string{"partition-partial@be3"}, Within: 2 * time.Minute, Heal: true, Healed: 4 * time.Minute, May: mendingBy("be3")},
	{Name: "partition-quorum-kept", Expect: []string{"partition-quorum-kept@be3"}, Within: 3 * time.Minute, Heal: true, Healed: 4 * time.Minute, May: mendingBy("be3")},
	{Name: "partition-quorum-lost", Expect: []string{"partition-quorum-lost"}, Within: 3 * time.Minute, Heal: true, Healed: 6 * time.Minute,
		May: append(mendingBy("be1", "be2", "be3"), "failover-under-way", "no-leader", "deposed-leader-blocked", "no-eligible-follower")},
	{Name: "quorum-lost-one-seen", Expect: []string{"quorum-lost-one-seen"}, Within: 3 * time.Minute, Heal: true, Healed: 6 * time.Minute,
		May: append(mendingBy("be1", "be2", "be3"), "failover-under-way", "no-leader", "deposed-leader-blocked", "no-eligible-follower")},
	{Name: "two-primaries", Expect: []string{"leaderl-down@be1", "two-primaries"}, Within: 4 * time.Minute,
		// A real primary writes of its own within seconds: that shows before both are seen to take writes.
		May: []string{"failover-under-way", "timeline-diverged@be1"}},
	{Name: "failover-under-way", Expect: []string{"failover-under-way"}, Within: 3 * time.Minute, Healed: 10 * time.Minute,
		May: []string{"syncing@be1", "redundancy-lost", "postgresql-starting@be1"}},
}

// mendingBy are the findings that can stand for a while when nodes come back.
func mendingBy(nodes ...string) []string {
	may := []string{"redundancy-lost", "elasticsearch-degraded"}
	for _, n := range nodes {
		may = append(may, "syncing@"+n, "postgresql-starting@"+n, "leaderl-not-joining@"+n)
	}
	return may
}
