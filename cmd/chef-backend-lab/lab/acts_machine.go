//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// machineActs are what can happen to a machine, its network and its files.
var machineActs = map[string]act{
	"disk-low":     {"DISK", "room for 280 MiB on the disk, data or log", lowAct, emptyAct},
	"read-only":    {"DISK", "the disk, data or log, can be opened for reading only; what was open stays so", readOnlyAct, writableAct},
	"block":        {"PORT", "nothing that the host sends to that TCP port of another gets there", blockAct, unblockAct},
	"narrow":       {"PORT", "of what comes from that TCP port of others only 200 kB a second get through", narrowAct, widenAct},
	"lossy":        {"PERCENT", "so many of the packets between the host and the operator vanish", lossyAct, unlossyAct},
	"lock-out":     {"", "the host no longer takes the operator's key, and ends every session", lockOutAct, letInAct},
	"host-key":     {"", "the host has another SSH host key, and ends every session", hostKeyAct, unhostKeyAct},
	"release":      {"VERSION", "the version manifest tells another release", releaseAct, unreleaseAct},
	"certificate":  {"DAYS", "a certificate of the product ends in so many days", certificateAct, uncertificateAct},
	"memory-kill":  {"SERVICE", "the service was killed, and what the host reads of its kernel says: for want of memory", memoryKillAct, unmemoryKillAct},
	"setting":      {"KEY=VALUE", "leaderl.KEY in the configuration, and leaderl restarted", settingAct, unsettingAct},
	"failover-off": {"SCOPE", "failover switched off, for the cluster or the node", failoverOffAct, failoverOnAct},
	"bar":          {"PEER", "PostgreSQL of the host admits no new replication from the peer", barAct, unbarAct},
	"fourth-node":  {"", "etcd and leaderl of the host's cluster list a node that was never started", fourthAct, unfourthAct},
	"other-etcd":   {"", "etcd of the host has lost its data and is a cluster of its own, of another token", otherEtcdAct, sameEtcdAct},
}

func lowAct(_ context.Context, _ *Lab, h *Host, disk string) error {
	path, err := fillerPath(h, disk)
	if err != nil {
		return err
	}
	return fill(path, 280<<20)
}

// mountedAt is where a host has its disks.
var mountedAt = map[string]string{"data": varDir, "log": logDir}

// readOnlyAct mounts the disk once more above itself, for reading: the kernel
// takes no mount away from what is open for writing.
func readOnlyAct(ctx context.Context, _ *Lab, h *Host, disk string) error {
	at, ok := mountedAt[disk]
	if !ok {
		return fmt.Errorf("no disk %q; there are data and log", disk)
	}
	_, err := sh(ctx, h, "mount --bind "+at+" "+at+" && mount -o remount,bind,ro "+at)
	return err
}

func writableAct(ctx context.Context, _ *Lab, h *Host, disk string) error {
	if !alive(h.PID, h.Start) {
		return nil
	}
	_, err := sh(ctx, h, "umount -l "+mountedAt[disk])
	return err
}

func blockAct(ctx context.Context, _ *Lab, h *Host, port string) error {
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q is no port", port)
	}
	_, err := command(ctx, "ip", "netns", "exec", netns(h.Name), "nft", "add table inet lab-"+port+
		"; add chain inet lab-"+port+" out { type filter hook output priority 0; }; add rule inet lab-"+port+" out oifname eth0 tcp dport "+port+" drop")
	return err
}

func unblockAct(ctx context.Context, _ *Lab, h *Host, port string) error {
	if !alive(h.PID, h.Start) {
		return nil // its network went with the power
	}
	_, err := command(ctx, "ip", "netns", "exec", netns(h.Name), "nft", "add table inet lab-"+port+"; delete table inet lab-"+port)
	return err
}

func narrowAct(ctx context.Context, _ *Lab, h *Host, port string) error {
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q is no port", port)
	}
	_, err := command(ctx, "ip", "netns", "exec", netns(h.Name), "nft", "add table inet narrow-"+port+"; add chain inet narrow-"+port+
		" in { type filter hook input priority 0; }; add rule inet narrow-"+port+" in iifname eth0 tcp sport "+port+" limit rate over 200 kbytes/second drop")
	return err
}

func widenAct(ctx context.Context, _ *Lab, h *Host, port string) error {
	if !alive(h.PID, h.Start) {
		return nil // its network went with the power
	}
	_, err := command(ctx, "ip", "netns", "exec", netns(h.Name), "nft", "add table inet narrow-"+port+"; delete table inet narrow-"+port)
	return err
}

// lossyAct drops at the switch: this kernel has no netem.
func lossyAct(ctx context.Context, _ *Lab, h *Host, percent string) error {
	n, err := strconv.Atoi(percent)
	if err != nil || n < 1 || n > 90 {
		return fmt.Errorf("%q is not between 1 and 90", percent)
	}
	rule := func(from, to string) string {
		return fmt.Sprintf("add rule bridge lossy-%s forward ip saddr %s ip daddr %s numgen random mod 100 < %d drop; ", h.Name, from, to, n)
	}
	_, err = command(ctx, "ip", "netns", "exec", switchNS, "nft", "add table bridge lossy-"+h.Name+
		"; add chain bridge lossy-"+h.Name+" forward { type filter hook forward priority 1; }; "+
		rule(operatorAddress, h.Address)+rule(h.Address, operatorAddress))
	return err
}

func unlossyAct(ctx context.Context, _ *Lab, h *Host, _ string) error {
	_, err := command(ctx, "ip", "netns", "exec", switchNS, "nft", "add table bridge lossy-"+h.Name+"; delete table bridge lossy-"+h.Name)
	return err
}

// endSessions ends what a connection that is open could still do.
const endSessions = `; pkill -KILL -f "^sshd: "; :`

func lockOutAct(ctx context.Context, _ *Lab, h *Host, _ string) error {
	_, err := sh(ctx, h, "mv /root/.ssh/authorized_keys /root/.ssh/lab-locked-out"+endSessions)
	return err
}

func letInAct(ctx context.Context, _ *Lab, h *Host, _ string) error {
	return h.onDisk(ctx, "[ ! -e /root/.ssh/lab-locked-out ] || mv /root/.ssh/lab-locked-out /root/.ssh/authorized_keys")
}

const hostKey = "/etc/ssh/lab_host_key"

func hostKeyAct(ctx context.Context, _ *Lab, h *Host, _ string) error {
	_, private, err := newKey(h.Name)
	if err != nil {
		return err
	}
	_, err = sh(ctx, h, "mv "+hostKey+" "+hostKey+".old && (umask 077; cat >"+hostKey+" <<'END'\n"+string(private)+"END\n)\nprintf k >"+baseDir+"/sshd/supervise/control"+endSessions)
	return err
}

func unhostKeyAct(ctx context.Context, _ *Lab, h *Host, _ string) error {
	return h.onDisk(ctx, "[ -e "+hostKey+".old ] || exit 0; mv "+hostKey+".old "+hostKey+"; printf k >"+baseDir+"/sshd/supervise/control"+endSessions)
}

const manifest = optDir + "/version-manifest.txt"

func releaseAct(ctx context.Context, _ *Lab, h *Host, version string) error {
	_, err := sh(ctx, h, "sed -i '1s/.*/chef-backend "+version+"/' "+manifest)
	return err
}

func unreleaseAct(ctx context.Context, _ *Lab, h *Host, _ string) error {
	first, _, _ := strings.Cut(versionManifest, "\n")
	return h.onDisk(ctx, "sed -i '1s/.*/"+first+"/' "+manifest)
}

const certificate = varDir + "/ssl/lab.crt"

func certificateAct(ctx context.Context, _ *Lab, h *Host, days string) error {
	_, err := sh(ctx, h, "mkdir -p "+varDir+"/ssl && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout /dev/null -out "+
		certificate+" -subj /CN="+h.Name+" -days "+days+" 2>/dev/null")
	return err
}

func uncertificateAct(ctx context.Context, _ *Lab, h *Host, _ string) error {
	return h.onDisk(ctx, "rm -f "+certificate)
}

// memoryKillAct kills as the kernel would, in whose log and counters all hosts
// would see it: so each host has a count of its own, and now a log of its own.
func memoryKillAct(ctx context.Context, _ *Lab, h *Host, service string) error {
	if err := h.countKills(1); err != nil {
		return err
	}
	_, err := sh(ctx, h, `p=$(cat `+serviceDir+"/"+service+`/supervise/pid) && read -r up rest </proc/uptime || exit
printf '[%s0000] Out of memory: Killed process %s (%s) total-vm:4194304kB, anon-rss:3145728kB, file-rss:0kB\n' "$up" "$p" "$(cat /proc/$p/comm)" >/run/lab-dmesg
printf '#!/bin/sh\nexec cat /run/lab-dmesg\n' >/usr/local/bin/dmesg
chmod 755 /usr/local/bin/dmesg
kill -9 $p`)
	return err
}

func unmemoryKillAct(ctx context.Context, _ *Lab, h *Host, _ string) error {
	return errors.Join(h.countKills(0), h.onDisk(ctx, "rm -f /usr/local/bin/dmesg"))
}

// vmstat is what a host reads as /proc/vmstat: this machine's, as it was, with
// a number of its own for processes killed for want of memory.
func (h *Host) vmstat() string { return h.dir("vmstat") }

func (h *Host) countKills(n int) error {
	text, err := os.ReadFile("/proc/vmstat")
	if err != nil {
		return err
	}
	kills := regexp.MustCompile(`(?m)^oom_kill \d+$`)
	return os.WriteFile(h.vmstat(), kills.ReplaceAll(text, fmt.Appendf(nil, "oom_kill %d", n)), 0o444)
}

// settingAct writes what an operator writes, and what reconfigure makes of it.
func settingAct(ctx context.Context, _ *Lab, h *Host, what string) error {
	key, value, ok := strings.Cut(what, "=")
	if _, err := strconv.Atoi(value); err != nil || !ok {
		return fmt.Errorf("%q is not KEY=NUMBER", what)
	}
	last := key[strings.LastIndexByte(key, '.')+1:]
	_, err := sh(ctx, h, fmt.Sprintf(`cd /etc/chef-backend && cp -pn chef-backend-running.json lab-running.json
echo 'leaderl.%s %s' >>chef-backend.rb
sed -i 's/"%s": *[0-9]*/"%s": %s/' chef-backend-running.json`, key, value, last, last, value))
	if err != nil {
		return err
	}
	return h.control(ctx, "leaderl", "t")
}

func unsettingAct(ctx context.Context, _ *Lab, h *Host, what string) error {
	key, _, _ := strings.Cut(what, "=")
	err := h.onDisk(ctx, "cd /etc/chef-backend && sed -i '/^leaderl[.]"+key+" /d' chef-backend.rb; [ ! -e lab-running.json ] || mv lab-running.json chef-backend-running.json")
	if err != nil {
		return err
	}
	// A host that has just got its power back reads it when leaderl starts.
	_, err = sh(ctx, h, "cd "+serviceDir+"/leaderl 2>/dev/null && timeout 1 sh -c 'printf t >supervise/control'; :")
	return err
}

var failoverScopes = map[string]string{"cluster": "set-cluster-failover", "node": "set-node-failover"}

func failoverOffAct(ctx context.Context, _ *Lab, h *Host, scope string) error {
	command, ok := failoverScopes[scope]
	if !ok {
		return fmt.Errorf("no scope %q; there are cluster and node", scope)
	}
	return h.ctl(ctx, command+" off")
}

func failoverOnAct(ctx context.Context, _ *Lab, h *Host, scope string) error {
	if !alive(h.PID, h.Start) {
		return fmt.Errorf("%s has no power; heal that first", h.Name)
	}
	return h.ctl(ctx, failoverScopes[scope]+" on")
}

// barAct puts a rule above all others.
func barAct(ctx context.Context, l *Lab, h *Host, name string) error {
	peer, err := l.host(name)
	if err != nil {
		return err
	}
	if _, err := sh(ctx, h, "sed -i '1i host replication all "+peer.Address+"/32 reject # lab' "+dataDir+"/pg_hba.conf"); err != nil {
		return err
	}
	_, err = l.sql(ctx, h, "select pg_reload_conf()")
	return err
}

func unbarAct(ctx context.Context, l *Lab, h *Host, name string) error {
	peer, err := l.host(name)
	if err != nil {
		return err
	}
	if err := h.onDisk(ctx, "sed -i '/ "+peer.Address+"[/]32 reject # lab/d' "+dataDir+"/pg_hba.conf"); err != nil {
		return err
	}
	_, _ = l.sql(ctx, h, "select pg_reload_conf()") // one that is down reads it at its start
	return nil
}

func otherEtcdAct(ctx context.Context, l *Lab, h *Host, _ string) error {
	if err := stopAct(ctx, l, h, "etcd"); err != nil {
		return err
	}
	if _, err := sh(ctx, h, "mv "+etcdData+" "+etcdData+".lab && echo '--initial-cluster-token another-cluster --initial-cluster "+h.GUID+"=http://"+h.Address+":2380' >"+etcdArgs); err != nil {
		return err
	}
	return h.control(ctx, "etcd", "u")
}

func sameEtcdAct(ctx context.Context, l *Lab, h *Host, _ string) error {
	if !alive(h.PID, h.Start) {
		return fmt.Errorf("%s has no power; heal that first", h.Name)
	}
	err := stopAct(ctx, l, h, "etcd")
	_, back := sh(ctx, h, "[ ! -d "+etcdData+".lab ] || { rm -rf "+etcdData+" "+etcdArgs+"; mv "+etcdData+".lab "+etcdData+"; }")
	return errors.Join(err, back, h.control(ctx, "etcd", "u"))
}

// The fourth node, which nobody has: an address of the lab's network, and etcd's
// and the stand-in's names for it.
const (
	fourthURL  = "http://10.0.4.14:2380"
	fourthGUID = "44444444444444444444444444444444"
	fourthKey  = "http://127.0.0.1:2379/v2/keys/cb/nodes/" + fourthGUID
	membersURL = "http://127.0.0.1:2379/v2/members"
)

func fourthAct(ctx context.Context, _ *Lab, h *Host, _ string) error {
	_, err := sh(ctx, h, `curl -sf -m 5 -X POST -H 'Content-Type: application/json' -d '{"peerURLs":["`+fourthURL+`"]}' `+membersURL+` &&
curl -sf -m 5 -X PUT --data-urlencode 'value={"name":"be4","address":"10.0.4.14","guid":"`+fourthGUID+`"}' `+fourthKey)
	return err
}

func unfourthAct(ctx context.Context, _ *Lab, h *Host, _ string) error {
	return h.onDisk(ctx, `id=$(curl -s -m 5 `+membersURL+` | grep -o '"id":"[0-9a-f]*","name":"","peerURLs":."`+fourthURL+`' | cut -d '"' -f 4)
[ -z "$id" ] || curl -sf -m 5 -X DELETE `+membersURL+`/$id
curl -s -m 5 -X DELETE `+fourthKey+` >/dev/null`)
}
