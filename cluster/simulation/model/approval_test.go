package model

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// typed runs a command on a terminal and types lines when it asks.
func (b *bed) typed(node, command string, lines ...string) (out string, exit int) {
	b.t.Helper()
	p, ok := b.w.ExecOn(node, strings.Fields(command), nil, true)
	if !ok {
		b.t.Fatalf("%s has no such command: %s", node, command)
	}
	for range 3600 {
		out += string(p.Output()) + string(p.ErrOutput())
		if code, done := p.Done(); done {
			return out, code
		}
		if p.Asking() {
			if len(lines) == 0 {
				p.HangUp()
			} else {
				p.Answer(lines[0])
				lines = lines[1:]
			}
		}
		b.pass(Step)
	}
	b.t.Fatalf("%s: %s does not end\n%s", node, command, out)
	return "", -1
}

const question = "\n\nAre you sure you wish to proceed? Type 'proceed' to continue, anything else to cancel.\n"

// A command that wants its word at a terminal takes neither --yes nor
// anything else, and says so to who has no terminal.
func TestExplicitApproval(t *testing.T) {
	b := lostTwo(t)
	b.w.RequireApproval("create-cluster", true)
	refusal := setback + "This command requires explicit approval to continue and must be run interactively.\nFor more information run the command with the --verbose flag.\n"
	b.refuses("be3", recoverAlone, 1, refusal)
	for _, line := range []string{"yes", "", "Proceed"} {
		out, exit := b.typed("be3", recoverAlone, line)
		if exit != 4 || !strings.HasSuffix(out, question+"Canceling operation\n") {
			t.Errorf("%q: exit %d: %s", line, exit, out)
		}
	}
	if out, exit := b.typed("be3", recoverAlone); exit != 4 {
		t.Errorf("the end of the input: exit %d: %s", exit, out)
	}
	if names, _ := b.members("be3"); len(names) != 3 {
		t.Fatalf("something was done: %v", names)
	}
	if out, exit := b.typed("be3", recoverAlone, "proceed"); exit != 0 || !strings.HasSuffix(out, "This node is a cluster of its own now.\n") || !b.leads("be3")() {
		t.Errorf("exit %d: %s", exit, out)
	}
}

func TestForceLeader(t *testing.T) {
	b := newBed(t)
	b.pass(settled)
	if out, exit := b.typed("be2", "chef-backend-ctl force-leader", "proceed"); exit != 1 || !strings.Contains(out, "the cluster has a leader") || !strings.HasPrefix(out, "Name  IP ") {
		t.Errorf("with a leader: %d: %s", exit, out)
	}
	b = struck(t, "no-leader")
	b.pass(time.Minute)
	b.must("be1", "chef-backend-ctl set-node-failover off")
	b.refuses("be2", "chef-backend-ctl promote be1", 1, "failover is disabled for be1")
	b.refuses("be1", "chef-backend-ctl force-leader --yes", 1, "requires explicit approval")
	if _, exit := b.typed("be1", "chef-backend-ctl force-leader", "no"); exit != 4 {
		t.Errorf("refused: exit %d", exit)
	}
	if out, exit := b.typed("be1", "chef-backend-ctl force-leader", "proceed"); exit != 0 || !b.leads("be1")() {
		t.Errorf("exit %d: %s", exit, out)
	}
}

// archived are the files in an archive on a node.
func (b *bed) archived(node, file string) map[string]string {
	b.t.Helper()
	data, err := b.disks[node].Read(file)
	if err != nil {
		b.t.Fatalf("%v", err)
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		b.t.Fatalf("%v", err)
	}
	all := map[string]string{}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		text, err2 := io.ReadAll(t)
		if err != nil || err2 != nil {
			b.t.Fatalf("%v %v", err, err2)
		}
		all[h.Name] = string(text)
	}
}

func TestBackupAndBundle(t *testing.T) {
	b := newBed(t)
	b.pass(settled)
	b.refuses("be1", "chef-backend-ctl backup", 1, "this node is the leader; run the backup on a follower, or pass --force")
	b.refuses("be2", "chef-backend-ctl backup --timeout 5", 1, "did not end in time")
	began := b.w.Now()
	file, ok := strings.CutPrefix(b.must("be2", "chef-backend-ctl backup"), "Backup written to ")
	if took := b.w.Now().Sub(began); !ok || took < 20*time.Second || took > 40*time.Second {
		t.Errorf("%q after %s", file, took)
	}
	held := b.archived("be2", strings.TrimSpace(file))
	if held["etc/chef-backend/chef-backend-secrets.json"] != b.w.Secrets() || !strings.Contains(held["postgresql/backup_label"], "START WAL LOCATION: 16F3/2D") {
		t.Errorf("the backup holds %v", held)
	}
	if out := b.must("be1", "chef-backend-ctl backup --force"); !strings.HasPrefix(out, "Backup written to /var/opt/chef-backup/chef-backup-2026-11-23-12-") {
		t.Errorf("on the leader: %s", out)
	}
	if err := b.disks["be3"].Write(logDir+"/etcd/current", []byte("a line\n")); err != nil {
		t.Fatal(err)
	}
	out := b.must("be3", "chef-backend-ctl gather-logs")
	file, ok = strings.CutPrefix(strings.TrimSpace(out), "Logs gathered in ")
	held = b.archived("be3", file)
	if !ok || held["var/log/chef-backend/etcd/current"] != "a line\n" || !strings.HasPrefix(held["chef-backend-ctl-status.txt"], "Service  ") {
		t.Errorf("%s\nholds %v", out, held)
	}
}

// cleanse keeps the configuration in a folder, or in an archive.
func TestCleanseCanKeepAnArchive(t *testing.T) {
	b := newBed(t)
	b.w.KeepAsArchive(true)
	b.refuses("be3", "chef-backend-ctl cleanse", 1, "you must pass in the parameter --yes")
	out := b.must("be3", "chef-backend-ctl cleanse --yes")
	if out != "Your config files have been backed up to /root/chef-backend-cleanse-2026-11-23T12:00.tar.gz.\n" {
		t.Errorf("it says %q", out)
	}
	held := b.archived("be3", "/root/chef-backend-cleanse-2026-11-23T12:00.tar.gz")
	if held["chef-backend-cleanse-2026-11-23T12:00/chef-backend-secrets.json"] != b.w.Secrets() {
		t.Errorf("it holds %v", held)
	}
}

// A demoted leader is deposed for a while and then follows; failover that is
// off, for the cluster or the node, forbids it.
func TestDemoteAndSwitches(t *testing.T) {
	b := newBed(t)
	b.pass(settled)
	b.refuses("be2", "chef-backend-ctl demote", 1, "this node is not the leader")
	b.must("be1", "chef-backend-ctl set-node-failover off")
	b.refuses("be1", "chef-backend-ctl demote", 1, "failover is disabled")
	b.must("be1", "chef-backend-ctl set-node-failover on")
	b.refuses("be1", "chef-backend-ctl set-cluster-failover maybe", 1, "STATE must be on, off, true, false, enabled or disabled")
	out := b.must("be1", "chef-backend-ctl demote")
	if out != "Demoting be1...\nbe2 is now the leader.\n" {
		t.Errorf("demote says %q", out)
	}
	if roles := b.roles("be3"); roles["be1"] != "deposed_leader" || roles["be2"] != "leader" {
		t.Errorf("roles %v", roles)
	}
	b.until(time.Minute, "all well", b.healthy)
	b.must("be2", "chef-backend-ctl stop")
	if out := b.must("be2", "chef-backend-ctl start leaderl etcd epmd"); strings.Count(out, "ok: run: ") != 3 {
		t.Errorf("start says %q", out)
	}
	if calls := b.w.CtlCalls("be1"); !slices.Contains(calls, "chef-backend-ctl demote") {
		t.Errorf("calls %q", calls)
	}
}
