package model

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// witness watches the databases between any two steps.
type witness struct {
	last map[string]walCopy
}

// check fails where two databases are out of recovery at once, or where a
// copy loses what it had on a timeline without being replaced.
func (v *witness) check(t *rapid.T, b *bed) {
	if p := b.primaries(); len(p) > 1 {
		t.Fatalf("two primaries %v\n%s\n%s", p, b.status(), b.tail(60))
	}
	for _, n := range b.w.nodes {
		c, old := n.pg.copy, v.last[n.name]
		if c.whole && old.whole && c.tli == old.tli && c.end < old.end && segment(c.redo) <= segment(old.redo) {
			t.Fatalf("%s went back from %s to %s on timeline %d", n.name, lsn(old.end), lsn(c.end), c.tli)
		}
		if c.whole && c.replay > c.end {
			t.Fatalf("%s has applied %s of %s", n.name, lsn(c.replay), lsn(c.end))
		}
		v.last[n.name] = c
	}
}

func (v *witness) pass(t *rapid.T, b *bed, d time.Duration) {
	for end := b.w.Now().Add(d); b.w.Now().Before(end); {
		b.pass(Step)
		v.check(t, b)
	}
}

// quietFaults never leave a database without its leaderl while it is or
// becomes the primary; the others make a second primary by nature.
var quietFaults = []string{
	"failover", "node-down", "operator-cut-off", "partition-partial", "partition-quorum-kept", "partition-quorum-lost",
	"quorum-lost-one-seen", "deposed-leader-blocked", "failover-under-way", "postgresql-down", "etcd-down",
	"elasticsearch-down", "partially-synced", "follower-wal-gap", "follower-lagging", "no-leader",
	"postgresql-down-leader", "etcd-down-leader", "etcd-quorum-lost", "etcd-slow", "elasticsearch-down-leader", "service-hung-postgresql",
	"service-hung-etcd", "disk-full", "disk-full-leader", "filesystem-read-only", "deposed-leader-stuck", "old-leader-unseen",
	"leadership-flapping", "leader-withheld", "follows-wrong-node", "sync-stalled", "wal-gap-near", "timeline-diverged",
	"timeline-diverged-beyond", "system-identifier-differs", "rolling-upgrade", "maintenance", "out-of-memory-kill", "clock-skew",
	"connections-exhausted", "slot-holds-wal", "etcd-cluster-id-mismatch",
}

func TestNeverTwoPrimariesByAccident(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &bed{t: t}
		b.begin(rapid.Int64Range(1, 1000).Draw(t, "seed"))
		v := &witness{last: map[string]walCopy{}}
		nodes := []string{"be1", "be2", "be3"}
		for range rapid.IntRange(1, 6).Draw(t, "acts") {
			node := rapid.SampledFrom(nodes).Draw(t, "node")
			switch rapid.SampledFrom([]string{"strike", "heal", "promote", "restart", "sentinel", "follow"}).Draw(t, "act") {
			case "strike":
				_ = b.w.Strike(rapid.SampledFrom(quietFaults).Draw(t, "fault"))
			case "heal":
				for _, f := range quietFaults {
					_ = b.w.Heal(f)
				}
			case "promote":
				b.w.Exec(node, []string{"chef-backend-ctl", "promote", rapid.SampledFrom(nodes).Draw(t, "target")}, nil)
			case "restart":
				b.w.Exec(node, []string{"chef-backend-ctl", "restart", rapid.SampledFrom([]string{"postgresql", "etcd", "elasticsearch"}).Draw(t, "service")}, nil)
			case "sentinel":
				_ = b.disks[node].Remove(noStartFile)
			case "follow":
				// Without the word, and mostly with leaderl running: never.
				b.w.Exec(node, []string{"chef-backend-ctl", "pgsql-follow", "--force-basebackup", "10.0.4.11"}, nil)
			}
			v.pass(t, b, time.Duration(rapid.IntRange(1, 450).Draw(t, "steps"))*Step)
			for _, n := range b.w.nodes {
				if n.pg.backup != nil && n.leaderl.job == nil && n.leaderl.running {
					t.Fatalf("%s is overwritten by nobody's word", n.name)
				}
			}
		}
	})
}

// TestSameStepsSameEvents: the same seed, commands and times give the same
// lines, however the time is cut into pieces.
func TestSameStepsSameEvents(t *testing.T) {
	story := func(piece time.Duration) []string {
		b := newBed(t)
		pass := func(d time.Duration) {
			for end := b.w.Now().Add(d); b.w.Now().Before(end); {
				b.w.Advance(b.w.Now().Add(min(piece, end.Sub(b.w.Now()))))
			}
		}
		pass(10 * time.Second)
		for _, f := range []string{"follower-wal-gap", "failover", "partition-quorum-lost"} {
			if err := b.w.Strike(f); err != nil {
				t.Fatal(err)
			}
			pass(70 * time.Second)
			_ = b.w.Heal(f)
			pass(20 * time.Second)
			b.must("be2", "chef-backend-ctl status")
		}
		return b.lines
	}
	one, two := story(Step), story(7*time.Second)
	if !slices.Equal(one, two) {
		for i := range min(len(one), len(two)) {
			if one[i] != two[i] {
				t.Fatalf("line %d differs:\n%s\n%s", i, one[i], two[i])
			}
		}
		t.Fatalf("%d and %d lines", len(one), len(two))
	}
}

func TestEveryScenarioCanBeStruck(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Scenarios() {
		if seen[s.Name] || s.Title == "" {
			t.Errorf("scenario %q", s.Name)
		}
		seen[s.Name] = true
		b := newBed(t)
		for _, f := range s.Faults {
			if err := b.w.Strike(f.Fault); err != nil {
				t.Error(err)
			}
		}
		b.pass(2 * time.Minute)
		for _, f := range s.Faults {
			if err := b.w.Heal(f.Fault); err != nil {
				t.Error(err)
			}
		}
		if err := b.w.Err(); err != nil {
			t.Error(err)
		}
		if s.Ordinary && !b.healthy() {
			t.Errorf("%s: not healthy by itself\n%s", s.Name, b.status())
		}
	}
	for name := range faults {
		if !seen[name] {
			t.Errorf("fault %s has no scenario", name)
		}
	}
	if newBed(t).w.Strike("earthquake") == nil {
		t.Error("an unknown fault strikes")
	}
}

func TestOutputsKeepTheirShape(t *testing.T) {
	b := newBed(t)
	b.pass(settled)
	sample := "Service        Local Status"
	out := b.must("be1", "chef-backend-ctl status")
	if !strings.HasPrefix(out, sample) || !strings.Contains(out, "\n\nSystem  Local Status ") {
		t.Errorf("status:\n%s", out)
	}
	for _, table := range strings.Split(strings.TrimSuffix(out, "\n"), "\n\n") {
		rows := strings.Split(table, "\n")
		for _, r := range rows {
			if len(r) != len(rows[0]) {
				t.Errorf("rows of different length:\n%s", table)
			}
		}
	}
	for _, c := range []struct {
		command string
		exit    int
		says    string
	}{
		{"/opt/chef-backend/bin/chef-backend-ctl frobnicate", 1, "Unknown command: frobnicate\n"},
		{"chef-backend-ctl restart frobnicate", 1, "Unknown service: frobnicate\n"},
		{"chef-backend-ctl --version", 0, "chef-backend 2.3.16\n"},
		{"/opt/chef-backend/embedded/bin/pg_isready -q -h 127.0.0.1 -p 5432 -t 2", 0, ""},
		{"curl -s -S -i -m 2 http://127.0.0.1:2379/v2/keys/", 0, "\r\nX-Raft-Term: 412\r\n"},
		{"curl -s -S -i -m 2 http://127.0.0.1:7331/leader", 0, "HTTP/1.1 200 OK\r\n"},
		{"curl -s -S -m 2 http://127.0.0.1:9200/_cat/master?local=true&h=ip,host", 0, "10.0.4.13 10.0.4.13\n"},
		{"curl -s -S -m 2 http://127.0.0.1:9/", 7, "Connection refused"},
		{"sv status /opt/chef-backend/service/nothing", 1, "unable to change to service directory"},
		{"/usr/bin/psql -c x", 127, ""},
		{"rm -rf /", 127, ""},
	} {
		out, errOut, exit := b.run("be1", c.command)
		if exit != c.exit || !strings.Contains(out+errOut, c.says) {
			t.Errorf("%s: exit %d, %q", c.command, exit, out+errOut)
		}
	}
	if out := b.must("be2", "ps -e -o pid= -o ppid= -o args="); !strings.Contains(out, "postgres: wal receiver process   streaming 16F3/2D") {
		t.Errorf("ps:\n%s", out)
	}
	if got := fmt.Sprint(b.sql("be1", "select current_setting('server_version_num')")); got != "90525" {
		t.Errorf("version %s", got)
	}
}
