package model

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// members are the names (GUIDs) that a member lists, "" for one that has not
// started, and the ids.
func (b *bed) members(node string) (names, ids []string) {
	b.t.Helper()
	out := b.must(node, "curl -s -S -m 2 http://127.0.0.1:2379/v2/members")
	for _, part := range strings.Split(out, `{"id":"`)[1:] {
		id, rest, _ := strings.Cut(part, `","name":"`)
		name, _, _ := strings.Cut(rest, `"`)
		names, ids = append(names, name), append(ids, id)
	}
	return names, ids
}

func (b *bed) etcdHealthy(node string) bool {
	b.t.Helper()
	out, _, _ := b.run(node, "curl -s -S -m 2 http://127.0.0.1:2379/health")
	return strings.Contains(out, `"true"`)
}

// refuses runs a command that has to fail with an exit status and a text.
func (b *bed) refuses(node, command string, exit int, says string) {
	b.t.Helper()
	out, errOut, code := b.run(node, command)
	if code != exit || !strings.Contains(out+errOut, says) {
		b.t.Fatalf("%s: %s: exit %d\n%s%s", node, command, code, out, errOut)
	}
}

const setback = "An unexpected error occurred:\n  "

// The guide's replacement of a node: remove, cleanse, put the configuration
// back, join.
func TestReplaceNode(t *testing.T) {
	b := newBed(t)
	b.pass(settled)
	b.refuses("be1", "chef-backend-ctl remove-node be3 --yes", 1, setback+"be3 still runs (port 2380 is open); stop it first")
	b.refuses("be3", "chef-backend-ctl remove-node be3 --yes", 1, setback+"a node cannot remove itself; run this on another node")
	b.refuses("be3", "chef-backend-ctl remove-node be1 --yes", 1, setback+"be1 is the leader")
	b.refuses("be3", "chef-backend-ctl remove-node be9 --yes", 1, setback+"no such node: be9")
	b.must("be3", "chef-backend-ctl stop")
	b.refuses("be1", "chef-backend-ctl remove-node be3", 1, "To run this command non-interactively, you must pass in the parameter --yes to force it to continue.")
	old, oldIDs := b.members("be1")
	b.must("be2", "chef-backend-ctl remove-node be3 --yes")
	for _, n := range []string{"be1", "be2"} {
		if names, _ := b.members(n); len(names) != 2 || slices.Contains(names, b.w.node("be3").guid) {
			t.Errorf("%s lists %v", n, names)
		}
	}
	if roles := b.roles("be1"); len(roles) != 2 || roles["be1"] != "leader" {
		t.Errorf("roles %v", roles)
	}
	b.contains("be1", "chef-backend-ctl status", "health: green; healthy nodes: 2/2")

	// A removed member that starts again is sent away.
	b.must("be3", "chef-backend-ctl start etcd")
	b.pass(5 * time.Second)
	if b.logged("be3", "etcd", "E | etcdserver: the member has been permanently removed from the cluster") < 2 || b.etcdHealthy("be3") {
		t.Errorf("a removed member goes on\n%s", b.tail(20))
	}
	out := b.must("be3", "chef-backend-ctl cleanse --yes")
	if out != "Your config files have been backed up to /root/chef-backend-cleanse-2026-11-23T12:00.\n" {
		t.Errorf("cleanse says %q", out)
	}
	d := b.disks["be3"]
	if d.Exists(varDir) || d.Exists(etcDir) || d.Exists(logDir) || !d.Exists("/root/chef-backend-cleanse-2026-11-23T12:00/chef-backend-secrets.json") {
		t.Errorf("after cleanse: %v", d.files)
	}
	b.refuses("be3", "sv status "+serviceDir+"/etcd", 1, "fail: /opt/chef-backend/service/etcd: unable to change to service directory: file does not exist\n")
	b.refuses("be3", "chef-backend-ctl cluster-status", 1, "this node is not part of a cluster")

	join := "chef-backend-ctl join-cluster 10.0.4.11 --recovery --yes"
	b.refuses("be3", join, 1, "Please view and accept the software license agreement, or pass --accept-license.\n")
	b.refuses("be3", join+" --accept-license", 1, "--recovery needs the configuration of the node")
	b.w.node("be3").move("/root/chef-backend-cleanse-2026-11-23T12:00", etcDir)
	began := b.w.Now()
	out = b.must("be3", join+" --accept-license")
	if out != "Joining node to cluster...\nWaiting for the node to come online...\ndone\nThis node has been joined to the cluster.\n" {
		t.Errorf("join says %q", out)
	}
	if took := b.w.Now().Sub(began); took < 25*time.Second || took > time.Minute {
		t.Errorf("the join took %s", took)
	}
	b.until(30*time.Second, "all well", b.healthy)
	names, ids := b.members("be3")
	if slices.Sort(names); !slices.Equal(names, slices.Sorted(slices.Values(old))) || slices.Equal(ids, oldIDs) || len(ids) != 3 {
		t.Errorf("members %v %v, before %v %v", names, ids, old, oldIDs)
	}
	if err := b.w.Err(); err != nil {
		t.Error(err)
	}
}

// The eight documented refusals of join-cluster.
func TestJoinRefusals(t *testing.T) {
	b := newBed(t)
	b.pass(settled)
	d := b.disks["be3"]
	join := "chef-backend-ctl join-cluster 10.0.4.11 --yes "
	b.refuses("be3", join, 1, "this node is configured already; use --recovery")
	b.refuses("be3", join+"--recovery", 1, "this node has data of a cluster; cleanse it first")
	b.refuses("be3", join+"-p 10.0.4.13", 1, "options cannot be given with a non-empty /etc/chef-backend/chef-backend.rb")
	b.must("be3", "chef-backend-ctl cleanse --yes")
	b.w.node("be3").write(licenseFile, "")
	b.refuses("be3", join+"--recovery", 1, "--recovery needs the configuration of the node in /etc/chef-backend")
	b.refuses("be3", join+"-p 10.0.4.99", 1, "no interface has the address 10.0.4.99")
	b.refuses("be3", join+"-i eth9", 1, "no interface eth9")
	b.refuses("be3", join, 1, "no secrets file; give its path with --secrets-file-path")
	b.refuses("be3", join+"-s secrets.json", 1, "the path of the secrets file must be absolute")
	b.refuses("be3", join+"-s /root/none", 1, "open /root/none: no such file or directory")
	if err := d.Write("/root/bad", []byte("{")); err != nil {
		t.Fatal(err)
	}
	b.refuses("be3", join+"-s /root/bad", 1, "/root/bad is not JSON")
	if err := d.Write("/root/secrets", []byte(b.w.Secrets())); err != nil {
		t.Fatal(err)
	}
	b.refuses("be3", join+"-s /root/secrets", 1, "the address 10.0.4.13 is registered in the cluster already; remove the node first")
	b.refuses("be3", "chef-backend-ctl join-cluster 10.0.4.77 --yes -s /root/secrets", 1, "no cluster answers at 10.0.4.77: connection timed out")
	b.refuses("be3", "chef-backend-ctl join-cluster 10.0.4.13 --yes -s /root/secrets", 1, "no cluster answers at 10.0.4.13: connection refused")
	b.refuses("be3", "chef-backend-ctl join-cluster --yes", 1, "join-cluster needs the address of a member")
	b.refuses("be3", "chef-backend-ctl join-cluster --recover 10.0.4.11", 1, "invalid option: --recover")
	if calls := b.w.CtlCalls("be3"); len(calls) != 16 {
		t.Errorf("%d calls: %q", len(calls), calls)
	}
}

// lostTwo is a bed whose be3 alone has power, for some time.
func lostTwo(t *testing.T) *bed {
	t.Helper()
	b := struck(t, "quorum-lost-one-seen")
	b.pass(time.Minute)
	return b
}

const recoverAlone = "chef-backend-ctl create-cluster --quorum-loss-recovery --yes"

func TestQuorumLossRecovery(t *testing.T) {
	b := lostTwo(t)
	b.refuses("be3", "chef-backend-ctl create-cluster --yes", 1, "this node is configured already")
	b.refuses("be3", strings.TrimSuffix(recoverAlone, " --yes"), 1, "you must pass in the parameter --yes")
	_, oldIDs := b.members("be3")
	end := b.w.node("be3").pg.copy.end
	out := b.must("be3", recoverAlone)
	if want := "Stopping leaderl...\nResetting etcd to a cluster of one node...\nForgetting the other nodes...\nStarting leaderl...\nWaiting for this node to lead...\nPromoting be3 to leader...\nbe3 is now the leader.\nThis node is a cluster of its own now.\n"; out != want {
		t.Errorf("it says %q", out)
	}
	names, ids := b.members("be3")
	if len(names) != 1 || names[0] != b.w.node("be3").guid || !slices.Contains(oldIDs, ids[0]) || !b.etcdHealthy("be3") || !b.leads("be3")() {
		t.Fatalf("members %v %v\n%s", names, ids, b.status())
	}
	if c := &b.w.node("be3").pg.copy; c.tli != 89 || c.history[len(c.history)-1].at != end {
		t.Errorf("timeline %d forks at %s, the copy ended at %s", c.tli, lsn(c.history[len(c.history)-1].at), lsn(end))
	}
	b.contains("be3", "chef-backend-ctl status", "health: green; healthy nodes: 1/1")

	// Two new machines, one after the other; while the first one's member has
	// not started, the cluster of two has no majority.
	for _, n := range []string{"be1", "be2"} {
		if err := b.w.NewMachine(n); err != nil {
			t.Fatal(err)
		}
		b.w.PowerOn(n)
		b.until(20*time.Second, "it boots", func() bool { return b.w.Reachable(n) })
		if err := b.disks[n].Write("/root/secrets.json", []byte(b.w.Secrets())); err != nil {
			t.Fatal(err)
		}
		join := "chef-backend-ctl join-cluster 10.0.4.13 -s /root/secrets.json --yes"
		b.refuses(n, join, 1, "license agreement")
		b.must(n, join+" --accept-license")
		b.until(30*time.Second, "it streams", func() bool { return strings.Contains(b.sql("be3", replicasSQL), b.w.node(n).address+"|streaming|") })
	}
	b.until(30*time.Second, "all well", b.healthy)
	if err := b.w.Err(); err != nil {
		t.Error(err)
	}
}

// Old members that come back in reach of the survivor are sent away.
func TestOldMembersInReachAreSentAway(t *testing.T) {
	b := lostTwo(t)
	b.must("be3", recoverAlone)
	b.heal("quorum-lost-one-seen")
	b.pass(2 * time.Minute)
	for _, n := range []string{"be1", "be2"} {
		if b.etcdHealthy(n) || b.logged(n, "etcd", "the member has been permanently removed from the cluster") < 5 {
			t.Errorf("%s goes on\n%s", n, b.status())
		}
	}
	if !b.leads("be3")() || b.logged("be3", "etcd", "cluster ID mismatch") == 0 {
		t.Errorf("be3\n%s", b.status())
	}
}

// Out of its reach they are a majority of the old cluster: a second cluster,
// with a leader of its own.
func TestOldMembersOutOfReachAreASecondCluster(t *testing.T) {
	b := lostTwo(t)
	b.must("be3", recoverAlone)
	b.w.Cut("be1", "be3")
	b.w.Cut("be2", "be3")
	b.heal("quorum-lost-one-seen")
	b.until(3*time.Minute, "be1 leads, too", func() bool { return slices.Equal(b.primaries(), []string{"be1", "be3"}) })
	if names, _ := b.members("be2"); len(names) != 3 || !b.etcdHealthy("be1") || !b.etcdHealthy("be2") {
		t.Errorf("be2 lists %v\n%s", names, b.status())
	}
	if roles := b.roles("be2"); roles["be1"] != "leader" || roles["be3"] != "unknown" {
		t.Errorf("roles of the old cluster %v", roles)
	}
	if roles := b.roles("be3"); len(roles) != 1 || roles["be3"] != "leader" {
		t.Errorf("roles of the new cluster %v", roles)
	}
	one, two := &b.w.node("be1").pg.copy, &b.w.node("be3").pg.copy
	if one.tli == two.tli || one.system != two.system {
		t.Errorf("timelines %d and %d", one.tli, two.tli)
	}
}

// With two dead members in the list of three there is no majority; removing
// one needs a majority too.
func TestDeadMembersCount(t *testing.T) {
	b := newBed(t)
	b.pass(settled)
	b.w.PowerOff("be2")
	b.pass(40 * time.Second)
	if names, _ := b.members("be1"); len(names) != 3 || !b.etcdHealthy("be1") {
		t.Errorf("one dead of three: %v\n%s", names, b.status())
	}
	b.must("be1", "chef-backend-ctl remove-node be2 --yes")
	b.w.PowerOff("be3")
	b.pass(20 * time.Second)
	if b.etcdHealthy("be1") {
		t.Error("one of two is no majority")
	}
	b.refuses("be1", "chef-backend-ctl remove-node be3 --yes", 1, "could not read the cluster state from etcd")
}
