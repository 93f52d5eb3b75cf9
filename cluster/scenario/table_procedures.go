package scenario

import (
	"strings"
	"time"
)

// Commands that the procedures below send, byte for byte.
const (
	stopAll        = "chef-backend-ctl stop"
	saveFolder     = "mkdir -p -m 0700 /var/opt/chef-backend-cockpit/copies/PLAN"
	removeBe3      = "chef-backend-ctl remove-node be3 --yes"
	asideConfig    = "cp -a /etc/chef-backend /var/opt/chef-backend-cockpit/aside/PLAN/"
	cleanse        = "chef-backend-ctl cleanse --yes"
	makeConfig     = "mkdir /etc/chef-backend"
	putConfigBack  = "for d in /root/chef-backend-cleanse* /root/chef-backend-cleanse*/* /root/chef-backend-cleanse*/*/*; do [ ! -s $d/chef-backend.rb ] || [ ! -s $d/chef-backend-secrets.json ] || from=$d; done; cp -a ${from:?no copy holds both files}/. /etc/chef-backend/ && chmod -R o-rwx /etc/chef-backend"
	joinAgain      = "chef-backend-ctl join-cluster 10.0.4.11 --recovery --yes"
	acceptLicence  = " --accept-license"
	secretsOption  = " -s /root/chef-backend-secrets.json --yes"
	joinNewToBe1   = "chef-backend-ctl join-cluster 10.0.4.11" + secretsOption
	joinNewToBe3   = "chef-backend-ctl join-cluster 10.0.4.13" + secretsOption
	createOfOne    = "chef-backend-ctl create-cluster --quorum-loss-recovery --yes"
	stopPostgreSQL = "chef-backend-ctl stop postgresql"
	failoverOn     = "chef-backend-ctl set-cluster-failover on"
	failoverOff    = "chef-backend-ctl set-cluster-failover off"
)

// running are the files of etcd and Elasticsearch, which run on, wherever the
// folder of the product leads.
var running = []string{"var/opt/chef-backend/etcd", "var/opt/chef-backend/elasticsearch", "$(readlink -f /var/opt/chef-backend)/etcd", "$(readlink -f /var/opt/chef-backend)/elasticsearch"}

// saveFiles packs a node's files, with or without those of the services that
// run on; readFiles reads the copy back.
func saveFiles(node string, without ...string) string {
	var exclude strings.Builder
	links := "/var/opt/chef-backend /var/opt/chef-backend/*"
	for _, w := range without {
		exclude.WriteString(" --exclude=" + w)
		links = "/var/opt/chef-backend /var/opt/chef-backend/postgresql"
	}
	return "umask 077; TAR_OPTIONS='--numeric-owner --sparse' tar -c -f /var/opt/chef-backend-cockpit/copies/PLAN/" + node +
		".tar" + exclude.String() + " -C / var/opt/chef-backend etc/chef-backend $(for l in " + links + " /etc/chef-backend /etc/chef-backend/* /var/opt/chef-backend/postgresql/* /var/opt/chef-backend/postgresql/*/data /var/opt/chef-backend/postgresql/*/data/* /var/opt/chef-backend/postgresql/*/data/base/* /var/opt/chef-backend/postgresql/*/data/pg_tblspc/*; do [ ! -L $l ] || readlink -f $l || echo $l/.; done)"
}

func readFiles(node string) string {
	const command = "umask 077; cd /var/opt/chef-backend-cockpit/copies/PLAN && tar -t -f ./NODE.tar >NODE.list && for f in /var/opt/chef-backend/postgresql/*/data/global/pg_control; do r=$(readlink -f $f); [ ! -e $f ] || tar -t -f ./NODE.tar ${f#/} >/dev/null 2>&1 || tar -t -f ./NODE.tar ${r#/} >/dev/null 2>&1 || { echo the copy lacks $f; exit 1; }; done && sha256sum NODE.tar >NODE.sha256 && cat NODE.sha256"
	return strings.ReplaceAll(command, "NODE", node)
}

// servicesDownOn are the findings of a node whose services are all stopped.
func servicesDownOn(node string) []string {
	may := []string{"node-down@" + node, "timeline-diverged@" + node, "partially-synced@" + node, "follower-wal-gap@" + node}
	for _, s := range []string{"leaderl", "epmd", "etcd", "postgresql", "elasticsearch"} {
		may = append(may, s+"-down@"+node)
	}
	return may
}

// procedureRows carry out the procedures that no single finding leads to, or
// that a row above mends in another way. Where nothing stands at the start the
// procedure is taken from the node's own menu.
var procedureRows = []Scenario{
	{ // a new machine takes the place of a dead one
		As: "replace-node", Name: "node-down", Expect: []string{"node-down@be3"}, Within: 2 * time.Minute, Fence: []string{"be3"},
		May:       append(mendingBy("be3"), append(servicesDownOn("be3"), "not-three-nodes", "etcd-member-removed@be3", "login-failed@be3", "supervisor-down@be3")...),
		Procedure: "replace-node", Node: "be3", Healed: 4 * time.Minute,
		Commands: map[string][]string{"be1": {removeBe3}, "be3": {joinNewToBe1, joinNewToBe1 + acceptLicence}},
	},
	{ // the machine itself is cleansed and joined again
		As: "replace-node-itself", Name: "healthy", May: append(mendingBy("be3"), append(servicesDownOn("be3"), "not-three-nodes", "etcd-member-removed@be3", "supervisor-down@be3")...),
		Within: time.Minute, Before: []Repair{{Procedure: "stop-node", Node: "be3"}},
		Procedure: "replace-node", Node: "be3", Healed: 4 * time.Minute,
		Commands: map[string][]string{"be1": {removeBe3}, "be3": {stopAll, asideConfig, cleanse, makeConfig, putConfigBack, joinAgain, joinAgain + acceptLicence}},
	},
	{ // the last node is made a cluster of its own, and two new machines join it
		As: "quorum-loss-recovery", Name: "two-nodes-down", Expect: []string{"two-nodes-down"}, Within: 3 * time.Minute, Fence: []string{"be1", "be2"},
		May: append(mendingBy("be1", "be2", "be3"), "quorum-lost-one-seen", "elasticsearch-red", "failover-under-way", "no-leader", "deposed-leader-blocked",
			"node-down@be1", "node-down@be2", "not-three-nodes", "login-failed@be1", "login-failed@be2", "supervisor-down@be1", "supervisor-down@be2",
			"etcd-member-removed@be1", "etcd-member-removed@be2", "old-member-returned@be1", "old-member-returned@be2"),
		Procedure: "quorum-loss-recovery", Node: "be3", Typed: []string{"lock be3 alone", "snapshot be3", "recover be3"}, Healed: 6 * time.Minute,
		Commands: map[string][]string{"be3": {createOfOne}, "be1": {joinNewToBe3, joinNewToBe3 + acceptLicence}, "be2": {joinNewToBe3, joinNewToBe3 + acceptLicence}},
	},
	{ // what a stale primary wrote is saved before it is rebuilt
		As: "stop-stale-primary", Name: "two-primaries", Expect: []string{"leaderl-down@be1", "two-primaries"}, Within: 4 * time.Minute,
		May:       append(mendingBy("be1"), append(servicesDownOn("be1"), "failover-under-way", "syncing@be1", "follows-wrong-node@be2", "old-leader-unseen@be1")...),
		Before:    []Repair{{Procedure: "stop-stale-primary", Node: "be1"}},
		Procedure: "rebuild-follower", Node: "be1", Healed: 6 * time.Minute,
		Commands: map[string][]string{"be1": {stopLeaderl, stopPostgreSQL, saveFolder, saveFiles("be1", running...), readFiles("be1"), stopLeaderl, clusterStatus, baseBackupFrom(electedAddress), startAll}},
	},
	{ // what only a diverged follower holds is saved before it is rebuilt, so that nothing has to be given up by typing
		As: "backup-nodes", Name: "timeline-diverged-beyond", Expect: []string{"timeline-diverged@be3"}, Within: 4 * time.Minute,
		May:       append(mendingBy("be1", "be3"), append(servicesDownOn("be3"), "failover-under-way", "no-leader", "wal-gap-near@be3")...),
		Before:    []Repair{{Procedure: "stop-node", Node: "be3"}, {Procedure: "backup-nodes", Node: "be3"}},
		Procedure: "rebuild-follower", Node: "be3", Healed: 6 * time.Minute,
		Commands: map[string][]string{"be3": {stopAll, saveFolder, saveFiles("be3"), readFiles("be3"), stopLeaderl, clusterStatus, baseBackupFrom("10.0.4.12"), startAll}},
	},
	{ // the guide for followers, with its parts as plans of their own
		As: "general-follower-recovery", Name: "follower-wal-gap", Expect: []string{"follower-wal-gap@be3"}, Within: 2 * time.Minute,
		// Where little WAL is kept the gap is near before it is there.
		May:       append(mendingBy("be3"), append(servicesDownOn("be3"), "wal-gap-near@be3")...),
		Guide:     "general-follower-recovery",
		Before:    []Repair{{Procedure: "stop-node", Node: "be3"}, {Procedure: "backup-nodes", Node: "be3"}},
		Procedure: "rebuild-follower", Node: "be3", Healed: 6 * time.Minute,
		Commands: map[string][]string{"be3": {stopAll, saveFolder, saveFiles("be3"), readFiles("be3"), stopLeaderl, clusterStatus, baseBackup, startAll}},
	},
	{ // the last node is made anew from a backup; joining the others to it is another day
		As: "restore-node", Name: "two-nodes-down", Expect: []string{"two-nodes-down"}, Within: 3 * time.Minute, Fence: []string{"be1", "be2"},
		May: append(mendingBy("be3"), append(servicesDownOn("be3"), "quorum-lost-one-seen", "elasticsearch-red", "failover-under-way", "no-leader",
			"deposed-leader-blocked", "node-down@be1", "node-down@be2", "not-three-nodes")...),
		Procedure: "restore-node", Node: "be3", Typed: []string{"snapshot be3", "restore be3"},
	},
	{ // nothing is done but to look on
		As: "observe", Name: "failover-under-way", Expect: []string{"failover-under-way"}, Within: 3 * time.Minute,
		May:       []string{"syncing@be1", "redundancy-lost", "postgresql-starting@be1"},
		Procedure: "observe", Healed: 10 * time.Minute,
	},
	{ // leadership is handed over in good order
		As: "orderly-failover", Name: "healthy", Within: time.Minute, May: append(mendingBy("be1"), "failover-under-way", "deposed-leader-stuck@be1"),
		Procedure: "orderly-failover", Node: "be2", Healed: 5 * time.Minute,
		Commands: map[string][]string{"be2": {"chef-backend-ctl promote be2"}},
	},
	{ // and taken back by nobody in particular, with failover off and on before
		As: "orderly-failover-any", Name: "healthy", Within: time.Minute, May: append(mendingBy("be1"), "failover-under-way", "failover-disabled", "deposed-leader-stuck@be1"),
		Before:    []Repair{{Procedure: "set-failover-off"}, {Procedure: "set-failover-on"}},
		Procedure: "orderly-failover-any", Healed: 5 * time.Minute,
		Commands: map[string][]string{"be1": {failoverOff, failoverOn, "chef-backend-ctl demote"}},
	},
	{
		As: "support-bundle", Name: "healthy", Within: time.Minute, Procedure: "support-bundle", Node: "be3", Healed: time.Minute,
		Commands: map[string][]string{"be3": {"chef-backend-ctl gather-logs"}},
	},
}

// electedAddress stands for the elected leader's address: which of two equal
// followers that is, the cluster says.
const electedAddress = "LEADER"

func baseBackupFrom(address string) string {
	return "PSQL_INTERNAL_OK=true chef-backend-ctl pgsql-follow --force-basebackup --verbose " + address
}
