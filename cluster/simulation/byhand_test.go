package simulation

import (
	"strings"
	"testing"

	"chef-backend-cockpit/assets"
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

// The copy of a stopped node, and what cleanse keeps, by the very commands of
// the procedures: as a folder, and as an archive.
func TestNodeIsSavedAndCleansed(t *testing.T) {
	unpack := "for f in /root/chef-backend-cleanse*; do s=${f#/root/chef-backend-cleanse}; t=/root/chef-backend-unpack-p1$s; d=/root/chef-backend-cleanse-p1$s; [ ! -f $f ] || [ -d $d ] || { mkdir -p -m 0700 $t && tar -x -f $f -C $t && touch $t && mv $t $d; } || exit 1; done"
	probe := assets.MustRead("scripts/probe-product.sh") + "probe_cleansed"
	for _, packed := range []bool{false, true} {
		c := start(t, Options{Speed: 100})
		c.KeepAsArchive(packed)
		said(t, c, "be3", "chef-backend-ctl stop")
		for _, step := range []struct{ command, says string }{
			{"mkdir -p -m 0700 /var/opt/chef-backend-cockpit/copies/p1 /var/opt/chef-backend-cockpit/aside/p1", ""},
			{"cp -a /etc/chef-backend /var/opt/chef-backend-cockpit/aside/p1/", ""},
			{"umask 077; TAR_OPTIONS='--numeric-owner --sparse' tar -c -f /var/opt/chef-backend-cockpit/copies/p1/be3.tar -C / var/opt/chef-backend etc/chef-backend $(for l in /var/opt/chef-backend /var/opt/chef-backend/* /etc/chef-backend /etc/chef-backend/* /var/opt/chef-backend/postgresql/* /var/opt/chef-backend/postgresql/*/data /var/opt/chef-backend/postgresql/*/data/* /var/opt/chef-backend/postgresql/*/data/base/* /var/opt/chef-backend/postgresql/*/data/pg_tblspc/*; do [ ! -L $l ] || readlink -f $l || echo $l/.; done)", ""},
			{"umask 077; cd /var/opt/chef-backend-cockpit/copies/p1 && tar -t -f ./be3.tar >be3.list && for f in /var/opt/chef-backend/postgresql/*/data/global/pg_control; do r=$(readlink -f $f); [ ! -e $f ] || tar -t -f ./be3.tar ${f#/} >/dev/null 2>&1 || tar -t -f ./be3.tar ${r#/} >/dev/null 2>&1 || { echo the copy lacks $f; exit 1; }; done && sha256sum be3.tar >be3.sha256 && cat be3.sha256", "  be3.tar\n"},
			{"chef-backend-ctl cleanse --yes", "Your config files have been backed up to /root/chef-backend-cleanse-"},
			{"[ -e /var/opt/chef-backend ] || [ -e /etc/chef-backend ] || echo gone", "gone\n"},
			{"mkdir /etc/chef-backend", ""},
			{probe, map[bool]string{true: "packed /root/chef-backend-cleanse-", false: "cleansed /root/chef-backend-cleanse-"}[packed]},
			{unpack, ""},
			{probe, map[bool]string{true: "unpacked /root/chef-backend-cleanse-", false: "cleansed /root/chef-backend-cleanse-"}[packed]},
			{"for d in /root/chef-backend-cleanse* /root/chef-backend-cleanse*/* /root/chef-backend-cleanse*/*/*; do [ ! -s $d/chef-backend.rb ] || [ ! -s $d/chef-backend-secrets.json ] || from=$d; done; cp -a ${from:?no copy holds both files}/. /etc/chef-backend/ && chmod -R o-rwx /etc/chef-backend", ""},
			{"stat -c '%a %n' /etc/chef-backend/chef-backend-secrets.json /etc/chef-backend/chef-backend.rb", "600 /etc/chef-backend/chef-backend-secrets.json\n600 /etc/chef-backend/chef-backend.rb\n"},
			{"stat -c %a /var/opt/chef-backend-cockpit/copies/p1/be3.tar; head -n 1 /var/opt/chef-backend-cockpit/copies/p1/be3.list", "600\nvar/opt/chef-backend/\n"},
			{"df -P -k /var/opt | tail -n 1 | cut -c 1-9; /opt/chef-backend/embedded/bin/sv status /opt/chef-backend/service/etcd", "/dev/vdb1\nfail: /opt/chef-backend/service/etcd: unable to change to service directory: file does not exist\n"},
			{"du -s -k -L /var/opt/chef-backend; echo $?", "1\ndu: cannot access '/var/opt/chef-backend': No such file or directory\n"},
			{"echo '# changed' >>/etc/chef-backend/chef-backend.rb; chef-backend-ctl cleanse --yes", "Your config files have been backed up to /root/chef-backend-cleanse-"},
			{probe, map[bool]string{true: "\npacked /root/chef-backend-cleanse-", false: "\ndiffers /root/chef-backend-cleanse-"}[packed]},
			{strings.ReplaceAll(unpack, "-p1", "-p2"), ""},
			{probe, "\ndiffers /root/chef-backend-cleanse-"},
			{probe + " | while read w f; do [ $w != packed ] || echo $f; done", ""},
			{"ls -d /root/chef-backend-cleanse-p*/ /root/chef-backend-unpack* 2>/dev/null | wc -l", map[bool]string{true: "3\n", false: "0\n"}[packed]},
		} {
			if got := said(t, c, "be3", step.command); !strings.Contains(got, step.says) || step.says == "" && got != "" {
				t.Errorf("packed %v: %s\nsays %q", packed, step.command, got)
			}
		}
		got := said(t, c, "be1", "tar -C / -cf /tmp/busy.tar var/opt/chef-backend; echo $?")
		if !strings.HasPrefix(got, "1\ntar: ") || !strings.HasSuffix(got, ": file changed as we read it\n") {
			t.Errorf("a copy of a running node: %q", got)
		}
		if err := c.Err(); err != nil {
			t.Error(err)
		}
		c.Close()
	}
}
