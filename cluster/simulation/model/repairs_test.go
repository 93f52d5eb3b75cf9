package model

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func position(t *testing.T, text string) (high, low uint64) {
	t.Helper()
	if n, err := fmt.Sscanf(strings.TrimSpace(text), "%X/%X", &high, &low); n != 2 {
		t.Fatalf("no position: %q: %v", text, err)
	}
	return high, low
}

func TestRestartMendsAService(t *testing.T) {
	for _, name := range []string{"postgresql", "etcd", "leaderl", "elasticsearch"} {
		t.Run(name, func(t *testing.T) {
			b := struck(t, name+"-down")
			path := "/opt/chef-backend/service/" + name
			pids := map[string]bool{}
			for range 40 {
				b.pass(time.Second)
				out := b.must("be3", "sv status "+path)
				if pid, _, ok := strings.Cut(strings.TrimPrefix(out, "run: "+path+": (pid "), ")"); ok && strings.HasPrefix(out, "run") {
					pids[pid] = true
				} else if !strings.Contains(out, "normally up, want up; run: log:") {
					t.Fatalf("sv says %s", out)
				}
			}
			if len(pids) < 3 {
				t.Errorf("pids %v: no crash loop", pids)
			}
			if !b.leads("be1")() {
				t.Fatalf("leadership moved:\n%s", b.status())
			}
			b.contains("be3", "chef-backend-ctl restart "+name, "ok: run: "+name)
			b.until(40*time.Second, "all well", b.healthy)
			if calls := b.w.CtlCalls("be3"); !slices.Equal(calls, []string{"chef-backend-ctl restart " + name}) {
				t.Errorf("calls %q", calls)
			}
		})
	}
}

func TestLeaderlDownOnTheLeaderCanBeMendedInTime(t *testing.T) {
	b := struck(t, "leaderl-down-leader")
	b.pass(15 * time.Second)
	b.contains("be1", "curl -s -S -i -m 2 http://127.0.0.1:7331/leader", "curl: (7)")
	b.must("be1", "chef-backend-ctl restart leaderl")
	b.until(20*time.Second, "all well", b.healthy)
	if !b.leads("be1")() {
		t.Error("be1 lost its place")
	}
}

func TestFollowerWALGap(t *testing.T) {
	b := struck(t, "follower-wal-gap")
	b.pass(40 * time.Second)
	if n := b.logged("be3", "postgresql", "FATAL:  could not receive data from WAL stream: ERROR:  requested WAL segment 00000058000016F30000002D has already been removed"); n < 4 || n > 8 {
		t.Errorf("%d lines about the gap", n)
	}
	if row := b.sql("be3", stateSQL); !strings.HasPrefix(row, "t|16F3/2D000000|16F3/2D0") {
		t.Errorf("be3 says %s", row)
	}
	if rows := b.sql("be1", replicasSQL); !strings.Contains(rows, "10.0.4.12|streaming|") || strings.Contains(rows, "10.0.4.13") {
		t.Errorf("replicas %s", rows)
	}
	if oldest := slices.Min(segments(list(t, b, "be1", walDir))); oldest[8:] <= "000016F30000002D" {
		t.Errorf("the leader still has %s", oldest)
	}
	b.must("be3", "chef-backend-ctl stop leaderl")
	_, errOut, exit := b.run("be3", "PSQL_INTERNAL_OK=true chef-backend-ctl pgsql-follow 10.0.4.11 --verbose")
	if exit != 1 || !strings.Contains(errOut, "requested WAL segment 00000058000016F30000002D has already been removed") {
		t.Fatalf("plain follow: exit %d, %s", exit, errOut)
	}
	began := b.w.Now()
	out := b.must("be3", "PSQL_INTERNAL_OK=true chef-backend-ctl pgsql-follow --force-basebackup --verbose 10.0.4.11")
	if took := b.w.Now().Sub(began); took < 20*time.Second || took > 45*time.Second {
		t.Errorf("the rebuild took %s", took)
	}
	for _, text := range []string{"pg_basebackup: base backup completed", "kB (50%)", "kB (100%), 1/1 tablespace"} {
		if !strings.Contains(out, text) {
			t.Errorf("no %q in\n%s", text, out)
		}
	}
	b.must("be3", "chef-backend-ctl start")
	b.until(30*time.Second, "all well", b.healthy)
	if calls := b.w.CtlCalls("be3"); len(calls) != 4 || calls[2] != "PSQL_INTERNAL_OK=true chef-backend-ctl pgsql-follow --force-basebackup --verbose 10.0.4.11" {
		t.Errorf("calls %q", calls)
	}
}

func segments(names []string) []string {
	var all []string
	for _, n := range names {
		if len(n) == 24 {
			all = append(all, n)
		}
	}
	return all
}

func TestBackupIsSeenWhileItRuns(t *testing.T) {
	b := struck(t, "follower-wal-gap")
	b.pass(15 * time.Second)
	b.must("be3", "chef-backend-ctl stop leaderl")
	p, _ := b.w.Exec("be3", []string{"chef-backend-ctl", "pgsql-follow", "--force-basebackup", "10.0.4.11"}, map[string]string{"PSQL_INTERNAL_OK": "true"})
	b.pass(10 * time.Second)
	b.contains("be3", "ps -e -o pid= -o ppid= -o args=", "pg_basebackup -h 10.0.4.11")
	b.contains("be3", "ps -e -o pid= -o ppid= -o args=", "chef-backend-ctl pgsql-follow --force-basebackup")
	if rows := b.sql("be1", replicasSQL); !strings.Contains(rows, "10.0.4.13|backup||") {
		t.Errorf("replicas %s", rows)
	}
	var before, after int64
	fmt.Sscan(b.must("be3", "du -s -k "+dataDir), &before)
	b.pass(2 * time.Second)
	fmt.Sscan(b.must("be3", "du -s -k "+dataDir), &after)
	if before <= 0 || after <= before {
		t.Errorf("the copy does not grow: %d, %d", before, after)
	}
	p.Kill()
	b.pass(time.Second)
	b.contains("be3", "pg_controldata "+dataDir, "No such file or directory")
	b.must("be3", "PSQL_INTERNAL_OK=true chef-backend-ctl pgsql-follow --force-basebackup 10.0.4.11")
	b.must("be3", "chef-backend-ctl start leaderl")
	b.until(30*time.Second, "all well", b.healthy)
}

func TestPartiallySynced(t *testing.T) {
	b := struck(t, "partially-synced")
	b.pass(90 * time.Second)
	b.contains("be1", "chef-backend-ctl cluster-status --json", `"partially_synced": true`)
	if role := b.roles("be1")["be3"]; role != "waiting_for_leader" {
		t.Errorf("be3 is %s", role)
	}
	first := b.sql("be3", stateSQL)
	b.pass(10 * time.Second)
	if again := b.sql("be3", stateSQL); !strings.HasPrefix(first, "t|") || again != first {
		t.Errorf("be3 goes on: %s, %s", first, again)
	}
	b.must("be3", "chef-backend-ctl stop leaderl")
	b.must("be3", "PSQL_INTERNAL_OK=true chef-backend-ctl pgsql-follow 10.0.4.11 --verbose")
	if !strings.Contains(b.sql("be1", replicasSQL), "10.0.4.13|streaming") {
		t.Error("be3 does not stream")
	}
	if err := b.disks["be3"].Remove(unsyncedFile); err != nil {
		t.Fatal(err)
	}
	b.must("be3", "chef-backend-ctl start leaderl")
	b.until(30*time.Second, "all well", b.healthy)
}

func TestFollowNeedsItsWordAndLeaderlStopped(t *testing.T) {
	b := newBed(t)
	before := b.sql("be3", stateSQL)
	for _, c := range []struct{ command, says string }{
		{"chef-backend-ctl pgsql-follow --force-basebackup 10.0.4.11", "PSQL_INTERNAL_OK"},
		{"PSQL_INTERNAL_OK-true chef-backend-ctl pgsql-follow --force-basebackup 10.0.4.11", ""},
		{"PSQL_INTERNAL_OK=false chef-backend-ctl pgsql-follow --force-basebackup 10.0.4.11", "PSQL_INTERNAL_OK"},
		{"PSQL_INTERNAL_OK=true chef-backend-ctl pgsql-follow --force-basebackup 10.0.4.11", "leaderl is running"},
	} {
		_, errOut, exit := b.run("be3", c.command)
		if exit == 0 || !strings.Contains(errOut, c.says) {
			t.Errorf("%s: exit %d, %s", c.command, exit, errOut)
		}
	}
	if after := b.sql("be3", stateSQL); !strings.HasPrefix(after, "t|") || before == "" {
		t.Errorf("be3: %s", after)
	}
	if !b.healthy() {
		t.Error("something happened")
	}
}

func TestFollowerLagging(t *testing.T) {
	b := struck(t, "follower-lagging")
	lag := func() uint64 {
		for _, row := range strings.Split(b.sql("be1", replicasSQL), "\n") {
			if f := strings.Split(row, "|"); f[0] == "10.0.4.13" && f[1] == "streaming" {
				h, l := position(t, strings.Split(b.sql("be1", stateSQL), "|")[3])
				rh, rl := position(t, f[3])
				return (h<<32 | l) - (rh<<32 | rl)
			}
		}
		t.Fatalf("be3 does not stream:\n%s", b.status())
		return 0
	}
	b.pass(30 * time.Second)
	first := lag()
	b.pass(5 * time.Minute)
	if later := lag(); first < 52428800 || later < first {
		t.Errorf("lag %d, later %d", first, later)
	}
	b.heal("follower-lagging")
	b.pass(10 * time.Second)
	if last := lag(); last > 1<<20 {
		t.Errorf("healed, still %d behind", last)
	}
}

func TestOrderlyPromoteAndDemote(t *testing.T) {
	b := newBed(t)
	b.must("be2", "chef-backend-ctl promote be3")
	b.until(2*time.Minute, "all well", b.healthy)
	if !b.leads("be3")() {
		t.Fatalf("be3 does not lead:\n%s", b.status())
	}
	if _, errOut, exit := b.run("be1", "chef-backend-ctl promote be3"); exit != 1 || !strings.Contains(errOut, "already the leader") {
		t.Errorf("exit %d: %s", exit, errOut)
	}
	b.must("be3", "chef-backend-ctl demote")
	b.until(2*time.Minute, "all well", b.healthy)
	b.must("be1", "chef-backend-ctl set-cluster-failover off")
	if _, errOut, exit := b.run("be1", "chef-backend-ctl promote be3"); exit != 1 || !strings.Contains(errOut, "failover is disabled") {
		t.Errorf("exit %d: %s", exit, errOut)
	}
}
