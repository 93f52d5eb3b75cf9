//go:build linux

package main

import (
	"strings"
	"testing"

	"chef-backend-cockpit/cluster"
)

// ask runs a command as an operator's session does, and returns its exit status.
func (d *drill) ask(node, command string, want int) string {
	d.t.Helper()
	return d.run(node, "cd /root; out=$("+command+" 2>&1 </dev/null); code=$?; printf '%s\\n' \"$out\"; [ $code = "+string(rune('0'+want))+" ] || { echo \"exit status $code\"; exit 1; }")
}

// The stand-in of chef-backend-ctl must really do what the guide's procedures
// ask of it: a survivor becomes a cluster of its own, new machines join it, a
// member is removed, cleansed and joined again, the leadership moves.
func TestMembershipOnRealParts(t *testing.T) {
	t.Parallel()
	if !apart(t) {
		return
	}
	d := dial(t, realLab(t))
	const ctl = "chef-backend-ctl "
	if err := d.Strike("two-nodes-down"); err != nil {
		t.Fatal(err)
	}
	if said := d.ask("be3", ctl+"create-cluster --quorum-loss-recovery", 1); !strings.Contains(said, "must pass in the parameter --yes") {
		t.Errorf("without --yes: %s", said)
	}
	d.ask("be3", ctl+"create-cluster --quorum-loss-recovery --yes", 0)
	for _, node := range []string{"be1", "be2"} {
		err := d.ByHand(cluster.PlanStep{ID: "2a-install", Kind: cluster.StepManual, Node: node,
			ToDo: "Install the same version. Copy /etc/chef-backend/chef-backend-secrets.json of be3 to /root/chef-backend-secrets.json there."})
		if err != nil {
			t.Fatal(err)
		}
		d.connect(node)
		if left := d.run(node, "ls -d /var/opt/chef-backend /etc/chef-backend 2>/dev/null; stat -c %a /root/chef-backend-secrets.json"); left != "600" {
			t.Errorf("the new machine %s is not blank: %s", node, left)
		}
		join := ctl + "join-cluster 10.0.4.13 -s /root/chef-backend-secrets.json --yes"
		if said := d.ask(node, join, 1); !strings.Contains(said, "accept the software license agreement") {
			t.Errorf("%s: %s", node, said)
		}
		d.ask(node, join+" --accept-license", 0)
	}
	if rows := d.ask("be3", ctl+"cluster-status", 0); strings.Count(rows, " follower ") < 2 {
		t.Errorf("after the joins:\n%s", rows)
	}
	if said := d.ask("be3", ctl+"remove-node be1 --yes", 1); !strings.Contains(said, "still runs") {
		t.Errorf("a running node: %s", said)
	}
	d.ask("be1", ctl+"stop", 0)
	d.ask("be3", ctl+"remove-node be1 --yes", 0)
	d.ask("be1", ctl+"cleanse --yes", 0)
	d.run("be1", "[ ! -e /var/opt/chef-backend ] && mkdir /etc/chef-backend && cp -a /root/chef-backend-cleanse*/. /etc/chef-backend/")
	d.ask("be1", ctl+"join-cluster 10.0.4.13 --recovery --yes --accept-license", 0)
	d.ask("be1", ctl+"backup", 0)
	d.ask("be1", ctl+"gather-logs", 0)
	d.run("be1", "tar -tzf /var/opt/chef-backup/chef-backup-*.tgz >/dev/null && tar -tzf /root/be1-*.tgz | grep -q chef-backend-ctl-status.txt")
	if said := d.ask("be1", ctl+"demote", 1); !strings.Contains(said, "not the leader") {
		t.Errorf("demote on a follower: %s", said)
	}
	d.ask("be3", ctl+"demote", 0)
	d.until("be3 follows again", func() bool {
		return strings.Contains(d.ask("be3", ctl+"cluster-status --json", 0), `"role": "leader"`) &&
			d.run("be3", "curl -s -m 2 http://127.0.0.1:7331/state || :") == "follower"
	})
}
