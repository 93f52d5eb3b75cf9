package simulation

import (
	"strings"
	"testing"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

func script(text string) remote.Script { return remote.Script{Text: text} }

// said runs a text on a node and is what it prints.
func said(t *testing.T, c *Cluster, node, text string) string {
	t.Helper()
	h := c.Host(node)
	defer h.Close()
	r, err := h.Run(t.Context(), script(text))
	if err != nil {
		t.Fatalf("%s: %s: %v", node, text, err)
	}
	return string(r.Stdout) + string(r.Stderr)
}

// What a person does outside: a new machine in the place of a lost one, with
// the package and the secrets and nothing else; then it joins.
func TestByHandANewMachine(t *testing.T) {
	c := start(t, Options{Speed: 100})
	before := said(t, c, "be3", "cat /etc/machine-id")
	if err := c.Strike("node-down"); err != nil {
		t.Fatal(err)
	}
	if err := c.ByHand(cluster.PlanStep{ID: "2-install", Kind: cluster.StepManual,
		ToDo: "Install the same version of Chef Backend on a machine with the address 10.0.4.13.\nCleanse an old host before it gets a network.\nCopy /etc/chef-backend/chef-backend-secrets.json of be1 to /root/new-secrets.json there, for root alone."}); err != nil {
		t.Fatal(err)
	}
	if got := said(t, c, "be3", "cat /etc/machine-id"); got == before || len(got) != len(before) {
		t.Errorf("machine id %q, before %q", got, before)
	}
	if got := said(t, c, "be3", "ls -A /root /var/opt /opt/chef-backend/service; [ -e /etc/chef-backend ] || echo nothing; stat -c %a /root/new-secrets.json"); got != "/root:\nnew-secrets.json\n\n/var/opt:\n\n/opt/chef-backend/service:\nnothing\n600\n" {
		t.Errorf("it holds %q", got)
	}
	if got := said(t, c, "be1", "chef-backend-ctl remove-node be3 --yes"); got != "Removed be3 from the cluster.\n" {
		t.Errorf("remove-node says %q", got)
	}
	got := said(t, c, "be3", "chef-backend-ctl join-cluster 10.0.4.11 -s /root/new-secrets.json --yes --accept-license")
	if !strings.HasSuffix(got, "This node has been joined to the cluster.\n") {
		t.Errorf("join-cluster says %q", got)
	}
	eventually(t, "it follows", func() bool {
		return strings.Contains(said(t, c, "be1", "chef-backend-ctl status postgresql"), "synced: 2")
	})
	if got := said(t, c, "be3", "ls /var/log/chef-backend/etcd; cat /var/opt/chef-backend/postgresql/9.5/data/PG_VERSION"); !strings.Contains(got, "current\n") || !strings.HasSuffix(got, "9.5\n") {
		t.Errorf("afterwards: %q", got)
	}
	if err := c.Err(); err != nil {
		t.Error(err)
	}
}

func TestByHandPowerAndNetwork(t *testing.T) {
	c := start(t, Options{Speed: 100})
	c.Strike("node-down")
	if err := c.ByHand(cluster.PlanStep{ID: "1-power", Node: "be3", ToDo: "Switch be3 on."}); err != nil {
		t.Fatal(err)
	}
	c.Strike("partition-quorum-kept")
	said(t, c, "be3", "sleep 1")
	if err := c.ByHand(cluster.PlanStep{ID: "1-network", ToDo: "Mend the network between the nodes."}); err != nil {
		t.Fatal(err)
	}
	if got := said(t, c, "be3", "curl -sv -o /dev/null -m 2 telnet://10.0.4.11:2380 </dev/null"); !strings.Contains(got, "Connected to") {
		t.Errorf("be3 to be1: %q", got)
	}
	if err := c.ByHand(cluster.PlanStep{ID: "6a-licence", Node: "be3", ToDo: "Tick only if you accept it: the next step passes --accept-license."}); err != nil {
		t.Error(err)
	}
	if err := c.ByHand(cluster.PlanStep{ID: "1-cook", Node: "be3", ToDo: "Cook something."}); err == nil {
		t.Error("a step that says nothing is done")
	}
	if err := c.ByHand(cluster.PlanStep{ID: "1-none", Node: "be9", ToDo: "Install the package."}); err == nil {
		t.Error("a machine that is not there is installed")
	}
}

// The folder of a cleansed node, the copy of a stopped one, and what a person
// reads of them.
func TestNodeIsCleansedAndCopied(t *testing.T) {
	c := start(t, Options{Speed: 100})
	said(t, c, "be3", "chef-backend-ctl stop")
	got := said(t, c, "be3", `umask 077; mkdir -p /var/opt/chef-backend-cockpit/copies; cd /var/opt/chef-backend-cockpit/copies
tar --numeric-owner -S -C / -czf be3.tgz var/opt/chef-backend etc/chef-backend; echo $?; tar -tzf be3.tgz | head -n 1; stat -c %a be3.tgz; sha256sum be3.tgz >be3.sum; sha256sum -c be3.sum`)
	if got != "0\nvar/opt/chef-backend/\n600\nbe3.tgz: OK\n" {
		t.Errorf("the copy: %q", got)
	}
	if got := said(t, c, "be1", "tar -C / -cf /tmp/busy.tar var/opt/chef-backend; echo $?"); !strings.HasSuffix(got, ": file changed as we read it\n") || !strings.HasPrefix(got, "1\n") {
		t.Errorf("a copy of a running node: %q", got)
	}
	said(t, c, "be1", "chef-backend-ctl remove-node be3 --yes")
	kept, ok := strings.CutPrefix(said(t, c, "be3", "chef-backend-ctl cleanse --yes"), "Your config files have been backed up to ")
	kept = strings.TrimSuffix(kept, ".\n")
	got = said(t, c, "be3", "[ -e /var/opt/chef-backend ] || echo gone; ls -ld "+kept+"; mkdir /etc/chef-backend && cp -a "+kept+"/. /etc/chef-backend/ && stat -c '%a %s' /etc/chef-backend/chef-backend-secrets.json; df -P -k /var/opt | tail -n 1 | cut -c 1-9; du -s -k -L /var/opt/chef-backend; /opt/chef-backend/embedded/bin/sv status /opt/chef-backend/service/etcd")
	if !ok || !strings.HasPrefix(got, "gone\ndrwx") || !strings.Contains(got, "\n600 ") || !strings.Contains(got, "/dev/vdb1") || !strings.Contains(got, "du: cannot access '/var/opt/chef-backend'") || !strings.Contains(got, "unable to change to service directory") {
		t.Errorf("after cleanse to %q: %q", kept, got)
	}
	if err := c.Err(); err != nil {
		t.Error(err)
	}
}
