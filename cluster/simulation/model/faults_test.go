package model

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// ask is a question to a node and what its answer must hold; "!" in front:
// must not hold.
type ask struct{ node, command, says string }

// line is a text that a service of a node must have logged.
type line struct{ node, service, text string }

const (
	curlHealth = "curl -s -S -i -m 2 http://127.0.0.1:2379/health"
	curlLeader = "curl -s -S -i -m 2 http://127.0.0.1:7331/leader"
	curlES     = "curl -s -S -m 2 http://127.0.0.1:9200/_cluster/health?local=true"
	ready      = "pg_isready -q -h 127.0.0.1 -p 5432 -t 1"
	status     = "chef-backend-ctl cluster-status --json"
	svAll      = "sv status /opt/chef-backend/service/leaderl /opt/chef-backend/service/epmd /opt/chef-backend/service/etcd /opt/chef-backend/service/postgresql /opt/chef-backend/service/elasticsearch"
	askControl = "pg_controldata " + dataDir
)

// struckFaults says what the nodes tell some time after a fault, and how the
// cluster gets well again: by Heal, or by the commands in mend.
var struckFaults = []struct {
	fault  string
	after  time.Duration
	leader string // who leads then; "" nobody
	asks   []ask
	lines  []line
	mend   []ask // commands, in order; says is not looked at
	within time.Duration
}{
	// Nodes.
	{fault: "two-nodes-down", after: time.Minute, asks: []ask{{"be3", curlHealth, "false"}}, within: 3 * time.Minute},
	{fault: "old-member-returned", after: 2 * time.Minute, leader: "be3", asks: []ask{
		{"be3", "curl -s -m 2 http://127.0.0.1:2379/v2/members", "10.0.4.13"}, {"be3", "curl -s -m 2 http://127.0.0.1:2379/v2/members", "!10.0.4.11"},
		{"be3", "curl -sv -o /dev/null -m 2 --connect-timeout 1 telnet://10.0.4.11:22", "Connected to"},
	}},
	// Leadership.
	{fault: "deposed-leader-stuck", after: 11 * time.Minute, leader: "be2", asks: []ask{{"be2", status, `"role": "deposed_leader"`}, {"be1", svAll, "!down: /opt/chef-backend/service/leaderl"}},
		mend: []ask{{"be1", "chef-backend-ctl restart leaderl", ""}}, within: 2 * time.Minute},
	{fault: "old-leader-unseen", after: 90 * time.Second, leader: "be2", asks: []ask{{"be2", "curl -sv -o /dev/null -m 2 --connect-timeout 1 telnet://10.0.4.11:5432", "!onnect"}}, within: 4 * time.Minute},
	{fault: "follows-wrong-node", after: time.Minute, leader: "be1", asks: []ask{{"be3", "ps -e -o args=", "wal receiver process   streaming"}, {"be1", status, `"following": "10.0.4.12"`}, {"be1", status, `"eligible": true`}}},
	{fault: "leadership-flapping", after: 5 * time.Minute, asks: []ask{{"be3", curlHealth, "true"}}, lines: []line{{"be1", "leaderl", "promoting -> leader"}, {"be2", "leaderl", "promoting -> leader"}}, within: 4 * time.Minute},
	{fault: "leader-withheld", after: time.Minute, leader: "be1", asks: []ask{{"be1", curlLeader, "503"}, {"be1", svAll, "!down: "}, {"be2", curlHealth, "true"}, {"be2", curlES, "green"}}, within: time.Minute},
	{fault: "failover-disabled", after: 20 * time.Second, leader: "be1", asks: []ask{{"be2", status, "{\n  \"failover_enabled\": false"}},
		mend: []ask{{"be2", "chef-backend-ctl set-cluster-failover on", ""}}, within: 20 * time.Second},
	{fault: "failover-disabled-node", after: 20 * time.Second, leader: "be1", asks: []ask{{"be2", status, `"failover_enabled": false`}, {"be2", status, "{\n  \"failover_enabled\": true"}}, within: 30 * time.Second},
	{fault: "no-eligible-follower", after: 20 * time.Second, leader: "be1", asks: []ask{{"be1", status, `"blocked": true`}}, within: 20 * time.Second},
	{fault: "redundancy-lost", after: 20 * time.Second, leader: "be1", asks: []ask{{"be1", curlLeader, "200"}}, within: 20 * time.Second},
	{fault: "cluster-down", after: 2 * time.Minute, asks: []ask{{"be1", svAll, "!run: /"}, {"be2", svAll, "!run: /"}, {"be1", askControl, "shut down"}},
		mend: []ask{{"be1", "chef-backend-ctl start", ""}, {"be2", "chef-backend-ctl start", ""}, {"be3", "chef-backend-ctl start", ""}}, within: 3 * time.Minute},
	// Services.
	{fault: "postgresql-down-leader", after: 2 * time.Minute, asks: []ask{{"be2", status, `"role": "leader"`}, {"be1", ready, ""}, {"be1", curlHealth, "true"}},
		mend: []ask{{"be1", "chef-backend-ctl restart postgresql", ""}, {"be1", "chef-backend-ctl set-cluster-failover on", ""}}, within: time.Minute},
	{fault: "postgresql-starting", after: time.Minute, leader: "be1", asks: []ask{{"be3", svAll, "run: /opt/chef-backend/service/postgresql"}, {"be3", `psql -h /tmp -c x`, "the database system is starting up"}}, lines: []line{{"be3", "postgresql", "FATAL:  the database system is starting up"}},
		mend: []ask{}, within: 4 * time.Minute},
	{fault: "etcd-down-leader", after: 100 * time.Second, leader: "be3", asks: []ask{{"be1", curlHealth, "refused"}},
		mend: []ask{{"be1", "chef-backend-ctl restart etcd", ""}}, within: 3 * time.Minute},
	{fault: "etcd-quorum-lost", after: 2 * time.Minute, asks: []ask{{"be1", curlHealth, "false"}, {"be1", "curl -s -i -m 2 http://127.0.0.1:2379/v2/members/leader", "503"}, {"be2", curlHealth, "refused"}},
		mend: []ask{{"be2", "chef-backend-ctl restart etcd", ""}, {"be3", "chef-backend-ctl restart etcd", ""}}, within: 3 * time.Minute},
	{fault: "leaderl-not-joining", after: 90 * time.Second, leader: "be1", asks: []ask{{"be1", status, `"role": "initializing"`}, {"be3", svAll, "run: /opt/chef-backend/service/leaderl"}, {"be3", curlLeader, "503"}},
		lines: []line{{"be3", "leaderl", "Connecting as node be3"}}, mend: []ask{{"be3", "chef-backend-ctl restart leaderl", ""}}, within: time.Minute},
	{fault: "leaderl-crash-loop", after: 30 * time.Second, leader: "be1", lines: []line{{"be3", "leaderl", "{error_logger,{{2026,11,23},{12,"}, {"be3", "leaderl", "nodistribution"}},
		mend: []ask{{"be3", "chef-backend-ctl restart leaderl", ""}}, within: time.Minute},
	{fault: "epmd-down", after: 30 * time.Second, leader: "be1", asks: []ask{{"be3", curlLeader, "refused"}}, lines: []line{{"be3", "leaderl", "register/listen error"}, {"be3", "epmd", "Address already in use"}},
		mend: []ask{{"be3", "chef-backend-ctl restart epmd", ""}}, within: time.Minute},
	{fault: "supervisor-down", after: 10 * time.Second, leader: "be1", asks: []ask{{"be3", svAll, "fail: /opt/chef-backend/service/etcd: runsv not running"}, {"be3", svAll, "!run: "}, {"be3", curlHealth, "true"}, {"be3", "ps -e -o args=", "!runsv"}, {"be3", "chef-backend-ctl stop leaderl", "runsv not running"}}, within: 40 * time.Second},
	{fault: "service-hung", after: 10 * time.Second, leader: "be1", asks: []ask{{"be3", svAll, "run: /opt/chef-backend/service/leaderl"}, {"be3", curlLeader, "Operation timed out"}, {"be2", "curl -sv -o /dev/null -m 2 --connect-timeout 1 telnet://10.0.4.13:7331", "Connected to"}},
		mend: []ask{{"be3", "chef-backend-ctl restart leaderl", ""}}, within: time.Minute},
	{fault: "service-hung-etcd", after: 10 * time.Second, leader: "be1", asks: []ask{{"be3", curlHealth, "Operation timed out"}, {"be2", curlHealth, "true"}}, mend: []ask{{"be3", "chef-backend-ctl restart etcd", ""}}, within: 90 * time.Second},
	{fault: "service-hung-postgresql", after: 10 * time.Second, leader: "be1", asks: []ask{{"be3", svAll, "run: /opt/chef-backend/service/postgresql"}}, mend: []ask{{"be3", "chef-backend-ctl restart postgresql", ""}}, within: time.Minute},
	{fault: "service-hung-elasticsearch", after: 10 * time.Second, leader: "be1", asks: []ask{{"be3", curlES, "Operation timed out"}, {"be1", curlES, "yellow"}}, mend: []ask{{"be3", "chef-backend-ctl restart elasticsearch", ""}}, within: time.Minute},
	{fault: "elasticsearch-down-leader", after: 100 * time.Second, leader: "be2", asks: []ask{{"be1", curlES, "refused"}}, mend: []ask{{"be1", "chef-backend-ctl restart elasticsearch", ""}}, within: 2 * time.Minute},
	{fault: "elasticsearch-red", after: 10 * time.Second, leader: "be1", asks: []ask{{"be1", curlES, `"status":"red"`}, {"be1", curlES, `"number_of_nodes":3`}}, lines: []line{{"be3", "elasticsearch", "marking and sending shard failed"}},
		mend: []ask{{"be3", "chef-backend-ctl restart elasticsearch", ""}}, within: time.Minute},
	{fault: "elasticsearch-degraded", after: 10 * time.Second, leader: "be1", asks: []ask{{"be2", curlES, `"status":"yellow"`}, {"be2", curlES, `"number_of_nodes":3`}}, within: 10 * time.Second},
	// Copies.
	{fault: "wal-gap-near", after: time.Minute, leader: "be1", asks: []ask{{"be3", svAll, "!down: /"}, {"be1", "psql -h /tmp -c pg_stat_replication", "!10.0.4.13"}, {"be3", "curl -sv -o /dev/null -m 2 --connect-timeout 1 telnet://10.0.4.11:2380", "Connected to"}}, lines: []line{{"be3", "postgresql", "could not connect to the primary server"}}, within: time.Minute},
	{fault: "syncing", after: time.Minute, leader: "be1", asks: []ask{{"be3", "ps -e -o args=", "pg_basebackup"}, {"be1", "psql -h /tmp -c pg_stat_replication", "10.0.4.13|backup"}}, lines: []line{{"be3", "leaderl", "/60817408 kB ("}}, mend: []ask{}, within: 4 * time.Minute},
	{fault: "sync-stalled", after: 12 * time.Minute, leader: "be1", asks: []ask{{"be3", "ps -e -o args=", "pg_basebackup"}}, within: 4 * time.Minute},
	{fault: "timeline-diverged", after: time.Minute, leader: "be1", asks: []ask{{"be3", askControl, "TimeLineID:       89"}, {"be3", svAll, "!down: /"}}, lines: []line{{"be3", "postgresql", "highest timeline 88 of the primary is behind recovery timeline 89"}},
		mend: rebuild("10.0.4.11"), within: 3 * time.Minute},
	{fault: "timeline-diverged-beyond", after: 3 * time.Minute, leader: "be2", asks: []ask{{"be3", askControl, "TimeLineID:       88"}, {"be3", "ps -e -o args=", "!wal receiver"}, {"be1", "ps -e -o args=", "wal receiver process   streaming"}},
		lines: []line{{"be3", "postgresql", "is not in this server's history"}, {"be3", "postgresql", "forked off current database system timeline 88"}}, mend: rebuild("10.0.4.12"), within: 3 * time.Minute},
	{fault: "system-identifier-differs", after: time.Minute, leader: "be1", lines: []line{{"be3", "postgresql", "database system identifier differs between the primary and standby"}}, mend: rebuild("10.0.4.11"), within: 3 * time.Minute},
	// Machines.
	{fault: "disk-full", after: time.Minute, leader: "be1", asks: []ask{{"be3", "df -P -k " + varDir, " 0     100%"}, {"be3", ready, ""}, {"be3", curlHealth, "refused"}},
		lines: []line{{"be3", "postgresql", "No space left on device"}, {"be3", "etcd", "raft save state and entries error: write"}, {"be3", "elasticsearch", "high disk watermark [90%] exceeded on"}}, within: 2 * time.Minute},
	{fault: "disk-full-leader", after: 2 * time.Minute, leader: "be2", lines: []line{{"be1", "postgresql", "PANIC:  could not write to file \"pg_xlog/xlogtemp."}}, within: 4 * time.Minute},
	{fault: "disk-low", after: time.Minute, leader: "be1", asks: []ask{{"be3", svAll, "!down: /"}}, lines: []line{{"be3", "elasticsearch", "disk watermark"}}, within: 10 * time.Second},
	{fault: "filesystem-read-only", after: time.Minute, leader: "be1", asks: []ask{{"be3", "dmesg", "Remounting filesystem read-only"}}, lines: []line{{"be3", "postgresql", "Read-only file system"}, {"be3", "etcd", "cannot access data directory"}}, within: 2 * time.Minute},
	{fault: "out-of-memory-kill", after: 20 * time.Second, leader: "be1", asks: []ask{{"be3", "dmesg", "Killed process"}}, mend: []ask{}, within: time.Minute},
	{fault: "clock-skew", after: time.Minute, leader: "be1", lines: []line{{"be1", "etcd", "the clock difference against peer"}, {"be3", "etcd", "is too high [12.4"}}, within: 10 * time.Second},
	{fault: "connections-exhausted", after: 10 * time.Second, leader: "be1", asks: []ask{{"be3", "psql -h /tmp -c pg_is_in_recovery", "sorry, too many clients already"}, {"be1", "psql -h /tmp -c pg_stat_replication", "10.0.4.13|streaming"}}, within: 10 * time.Second},
	{fault: "connections-exhausted-leader", after: time.Minute, leader: "be1", lines: []line{{"be1", "postgresql", "remaining connection slots are reserved"}}, within: 10 * time.Second},
	{fault: "slot-holds-wal", after: time.Minute, leader: "be1", asks: []ask{{"be1", "psql -h /tmp -c pg_stat_activity,pg_replication_slots", "slot|old_standby|f|16F3/"}}, within: 10 * time.Second},
	{fault: "etcd-member-removed", after: time.Minute, leader: "be1", asks: []ask{{"be1", "curl -s -m 2 http://127.0.0.1:2379/v2/members", "!10.0.4.13"}, {"be1", status, "!be3"}}, lines: []line{{"be3", "etcd", "the member has been permanently removed from the cluster"}}},
	{fault: "etcd-cluster-id-mismatch", after: time.Minute, leader: "be1", asks: []ask{{"be3", curlHealth, "false"}, {"be1", curlHealth, "true"}}, lines: []line{{"be3", "etcd", "cluster ID mismatch"}}, within: 2 * time.Minute},
	{fault: "etcd-cannot-write", after: 30 * time.Second, leader: "be1", asks: []ask{{"be3", curlHealth, "refused"}}, lines: []line{{"be3", "etcd", "cannot access data directory: mkdir " + etcdData + ": permission denied"}}, within: time.Minute},
	{fault: "elasticsearch-read-only", after: 10 * time.Second, leader: "be1", asks: []ask{{"be2", "curl -s -m 2 http://127.0.0.1:9200/_all/_settings/index.blocks.*?local=true", "read_only_allow_delete"}}, lines: []line{{"be1", "elasticsearch", "[FORBIDDEN/12/index read-only / allow delete (api)]"}}, within: 10 * time.Second},
	{fault: "certificate-expiring", after: time.Second, leader: "be1", asks: []ask{{"be3", "openssl x509 -noout -enddate -in " + certificateFile, "notAfter=Dec 23 12:00:0"}, {"be2", "openssl x509 -noout -enddate -in " + certificateFile, "!2026"}}, within: 10 * time.Second},
	{fault: "version-mismatch", after: time.Second, leader: "be1", asks: []ask{{"be3", "chef-backend-ctl --version", "chef-backend 2.2.0"}, {"be2", "chef-backend-ctl --version", "2.3.16"}}, within: 10 * time.Second},
	{fault: "wrong-version", after: time.Second, leader: "be1", asks: []ask{{"be1", "chef-backend-ctl --version", "2.0.30"}}, within: 10 * time.Second},
	{fault: "not-three-nodes", after: 40 * time.Second, leader: "be1", asks: []ask{{"be1", "curl -s -m 2 http://127.0.0.1:2379/v2/members", `"name":"","peerURLs":["http://10.0.4.14:2380"]`}, {"be2", curlHealth, "true"}}, within: 20 * time.Second},
}

// rebuild are the commands of the guide that replace be3's copy.
func rebuild(leader string) []ask {
	return []ask{{"be3", "chef-backend-ctl stop leaderl", ""}, {"be3", "PSQL_INTERNAL_OK=true chef-backend-ctl pgsql-follow --force-basebackup --verbose " + leader, ""}, {"be3", "chef-backend-ctl start", ""}}
}

func TestFaultsShowAndMend(t *testing.T) {
	for _, f := range struckFaults {
		t.Run(f.fault, func(t *testing.T) {
			b := struck(t, f.fault)
			b.pass(f.after)
			for _, a := range f.asks {
				out, errOut, _ := b.run(a.node, a.command)
				text, absent := strings.CutPrefix(a.says, "!")
				if strings.Contains(out+errOut, text) == absent {
					t.Errorf("%s: %s does not say %q:\n%s%s", a.node, a.command, a.says, out, errOut)
				}
			}
			for _, l := range f.lines {
				if b.logged(l.node, l.service, l.text) == 0 {
					t.Errorf("%s's %s never logged %q", l.node, l.service, l.text)
				}
			}
			if p := b.primaries(); f.leader != "" && !slices.Equal(p, []string{f.leader}) {
				t.Errorf("primaries %v, want %s\n%s", p, f.leader, b.status())
			}
			if f.mend == nil {
				b.heal(f.fault)
			}
			for _, c := range f.mend {
				b.must(c.node, c.command)
			}
			if f.within > 0 {
				b.until(f.within, "all well", b.healthy)
			}
			if err := b.w.Err(); err != nil {
				t.Error(err)
			}
		})
	}
}

// An old member can come back after a recovery that an operator has made.
func TestOldMemberReturnsAfterARecovery(t *testing.T) {
	b := struck(t, "two-nodes-down")
	b.pass(30 * time.Second)
	b.must("be3", "chef-backend-ctl create-cluster --quorum-loss-recovery --yes")
	if err := b.w.Strike("old-member-returned"); err != nil {
		t.Fatal(err)
	}
	b.pass(time.Minute)
	if !b.w.Reachable("be1") || b.w.Powered("be2") || !b.leads("be3")() {
		t.Fatalf("not as expected:\n%s", b.status())
	}
	b.heal("old-member-returned")
	if b.w.Powered("be1") {
		t.Error("it still runs")
	}
}

// A slow disk makes etcd elect and elect, and its leader slow to hear; nobody
// loses the leadership that counts.
func TestSlowEtcd(t *testing.T) {
	b := struck(t, "etcd-slow")
	term := func() int { return b.w.nodes[0].etcd.term }
	began, slow := term(), false
	for range 300 {
		b.pass(time.Second)
		for _, n := range b.w.nodes {
			out, _, _ := b.run(n.name, "curl -s -m 2 http://127.0.0.1:2379/v2/stats/leader")
			slow = slow || strings.Contains(out, `"current":7`) || strings.Contains(out, `"current":8`)
		}
		if !slices.Equal(b.primaries(), []string{"be1"}) {
			t.Fatalf("leadership moved\n%s", b.status())
		}
	}
	if rose := term() - began; rose < 2 || rose > 12 {
		t.Errorf("the term rose by %d in five minutes", rose)
	}
	if !slow {
		t.Error("no latency above the heartbeat interval")
	}
	for _, text := range []string{"failed to send out heartbeat on time (deadline exceeded for ", "server is likely overloaded"} {
		if b.logged("be1", "etcd", text)+b.logged("be2", "etcd", text)+b.logged("be3", "etcd", text) < 5 {
			t.Errorf("nobody logs %q", text)
		}
	}
	b.heal("etcd-slow")
	b.until(time.Minute, "all well", b.healthy)
}

// The ordinary days end by themselves, without a moment of two primaries.
func TestOrdinaryDaysEnd(t *testing.T) {
	for fault, lasts := range map[string]time.Duration{"first-sync": 2 * time.Minute, "rolling-upgrade": 6 * time.Minute, "maintenance": 3 * time.Minute, "bad-link": 3 * time.Minute} {
		b := struck(t, fault)
		versions, silent := map[string]bool{}, 0
		for end := b.w.Now().Add(lasts); b.w.Now().Before(end); b.pass(time.Second) {
			if p := b.primaries(); len(p) > 1 {
				t.Fatalf("%s: two primaries %v", fault, p)
			}
			seen := map[string]bool{}
			for _, n := range b.w.nodes {
				seen[n.version] = true
				if !b.w.Reachable(n.name) {
					silent++
				}
			}
			if len(seen) > 1 {
				versions["mixed"] = true
			}
			versions[b.w.nodes[0].version] = true
		}
		if mixed := fault == "rolling-upgrade"; versions["mixed"] != mixed || versions["3.0.0"] != mixed {
			t.Errorf("%s: versions %v", fault, versions)
		}
		if fault == "bad-link" && (silent < 10 || silent > 180) {
			t.Errorf("the link was silent for %d of %d node seconds", silent, 540)
		}
		b.heal(fault)
		b.until(20*time.Second, fault+": all well", b.healthy)
		if fault == "bad-link" && !b.leads("be1")() {
			t.Error("a bad link moved the leader")
		}
	}
}
