package model

import (
	"strings"
	"testing"
	"time"
)

const telnet = "curl -sv -o /dev/null -m 2 --connect-timeout 1 telnet://"

func TestNodeDownAndBack(t *testing.T) {
	b := struck(t, "node-down")
	boot, _ := b.w.Virtual("be3", "/proc/sys/kernel/random/boot_id")
	b.pass(40 * time.Second)
	if b.w.Reachable("be3") || b.w.Powered("be3") || boot != nil {
		t.Error("be3 is still there")
	}
	if _, errOut, exit := b.run("be1", telnet+"10.0.4.13:22"); exit != 28 || strings.Contains(errOut, "refused") {
		t.Errorf("exit %d: %s", exit, errOut)
	}
	b.contains("be1", "chef-backend-ctl status", "health: yellow; healthy nodes: 2/3")
	b.contains("be1", "chef-backend-ctl status", "leader: 1; offline: 1; syncing: 0; synced: 1")
	if !b.leads("be1")() {
		t.Error("leadership moved")
	}
	b.heal("node-down")
	b.until(90*time.Second, "all well", b.healthy)
	if up, _ := b.w.Virtual("be3", "/proc/uptime"); len(up) > 12 {
		t.Errorf("uptime %s", up)
	}
}

func TestLeaderPowerCut(t *testing.T) {
	b := newBed(t)
	b.pass(settled)
	b.w.node("be1").powerOff()
	b.until(time.Minute, "another leads", func() bool { return len(b.primaries()) == 1 })
	b.w.node("be1").powerOn()
	b.until(2*time.Minute, "all well", b.healthy)
	if b.leads("be1")() {
		t.Error("be1 leads again")
	}
}

func TestOperatorCutOff(t *testing.T) {
	b := struck(t, "operator-cut-off")
	if b.w.Reachable("be3") || b.w.Connect("", "10.0.4.13", 22) != Timeout || b.w.Connect("be1", "10.0.4.13", 22) != Open {
		t.Error("the wrong link is cut")
	}
	b.heal("operator-cut-off")
	if !b.w.Reachable("be3") || !b.healthy() {
		t.Error("not healed")
	}
}

func TestPartitionPartial(t *testing.T) {
	b := struck(t, "partition-partial")
	b.pass(2 * time.Minute)
	seen := 0
	for _, peer := range []string{"be1", "be2"} {
		if _, errOut, _ := b.run(peer, telnet+"10.0.4.13:2380"); strings.Contains(errOut, "Connected to") {
			seen++
		}
	}
	if seen != 1 || b.w.Reachable("be3") || !b.leads("be1")() {
		t.Errorf("%d peers see be3\n%s", seen, b.status())
	}
	b.heal("partition-partial")
	b.until(2*time.Minute, "all well", b.healthy)
}

func TestPartitionQuorumKept(t *testing.T) {
	b := struck(t, "partition-quorum-kept")
	b.pass(time.Minute)
	b.contains("be3", "curl -s -S -i -m 2 http://127.0.0.1:2379/health", `{"health": "false"}`)
	b.contains("be3", "curl -s -S -i -m 2 http://127.0.0.1:2379/v2/members/leader", "503 Service Unavailable")
	b.contains("be1", "curl -s -S -i -m 2 http://127.0.0.1:2379/health", `{"health": "true"}`)
	b.contains("be3", "curl -s -S -i -m 2 http://127.0.0.1:2379/v2/members", `"members":[`)
	if _, _, exit := b.run("be3", telnet+"10.0.4.11:2380"); exit != 28 {
		t.Errorf("exit %d", exit)
	}
	if _, _, exit := b.run("be3", "chef-backend-ctl cluster-status"); exit != 1 {
		t.Errorf("cluster-status: exit %d", exit)
	}
	if !b.w.Reachable("be3") || !b.leads("be1")() {
		t.Errorf("\n%s", b.status())
	}
	b.heal("partition-quorum-kept")
	b.until(2*time.Minute, "all well", b.healthy)
	if !b.leads("be1")() {
		t.Error("leadership moved")
	}
}

func TestPartitionQuorumLost(t *testing.T) {
	b := struck(t, "partition-quorum-lost")
	b.pass(25 * time.Second)
	// A member that is cut off goes on calling itself leader.
	b.contains("be2", "curl -s -S -i -m 2 http://127.0.0.1:2379/v2/stats/self", `"state":"StateLeader"`)
	b.pass(time.Minute)
	for _, n := range []string{"be1", "be2", "be3"} {
		b.contains(n, "curl -s -S -i -m 2 http://127.0.0.1:2379/health", `{"health": "false"}`)
		b.contains(n, "curl -s -S -i -m 2 http://127.0.0.1:2379/v2/members/leader", "503 Service Unavailable")
		b.contains(n, "curl -s -S -i -m 2 http://127.0.0.1:9200/_cluster/health?local=true", `"status":"red"`)
	}
	if len(b.primaries()) != 0 {
		t.Errorf("primaries %v", b.primaries())
	}
	b.heal("partition-quorum-lost")
	b.until(3*time.Minute, "all well", b.healthy)
}

func TestQuorumLostOneSeen(t *testing.T) {
	b := struck(t, "quorum-lost-one-seen")
	b.pass(time.Minute)
	b.contains("be3", "curl -s -S -i -m 2 http://127.0.0.1:2379/health", `{"health": "false"}`)
	if b.w.Reachable("be1") || b.w.Reachable("be2") || !b.w.Reachable("be3") {
		t.Error("the wrong nodes are off")
	}
	if b.disks["be3"].Exists(noStartFile) || b.disks["be3"].Exists(unsyncedFile) {
		t.Error("the survivor has a sentinel")
	}
	b.heal("quorum-lost-one-seen")
	b.until(3*time.Minute, "all well", b.healthy)
}
