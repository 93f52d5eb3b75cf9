package observe

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// fakeNode is a folder with the files of a node and a folder of tiny tools, on
// which the real probe runs in a real shell. Everything in it is invented.
type fakeNode struct {
	t    testing.TB
	root string
	bin  string
}

func newFakeNode(t testing.TB) *fakeNode {
	n := &fakeNode{t, t.TempDir(), ""}
	n.bin = filepath.Join(n.root, "bin")
	data := "/var/opt/chef-backend/postgresql/9.5/data"
	n.file(data+"/PG_VERSION", "9.5\n")
	n.file(data+"/recovery.conf", "standby_mode = 'on'\nprimary_conninfo = 'user=replicator password=SECRET host=10.0.4.11 port=5432 sslmode=require'\n")
	n.file(data+"/pg_xlog/00000002.history", "1\t16F3/2D000000\tno recovery target specified\n")
	for _, f := range []string{"00000001000016F30000002A", "00000001000016F30000002D", "00000002000016F30000002D", "000000FF0000000000000001.partial", "archive_status/x"} {
		n.file(data+"/pg_xlog/"+f, "")
	}
	n.file("/var/opt/chef-backend/leaderl/data/unsynced", "")
	n.file("/opt/chef-backend/version-manifest.txt", "chef-backend 2.3.16\n\nComponent  Version\n")
	n.file("/var/opt/chef-backend-cockpit/lock/step", "7f3a0001 1-stop fd:00:4711 token\n")
	n.file("/var/opt/chef-backend-cockpit/steps/7f3a0001/1-stop/command", "chef-backend-ctl stop leaderl\n")
	n.file("/var/opt/chef-backend-cockpit/steps/7f3a0001/1-stop/exit", "0\n")
	n.file("/etc/machine-id", "0123456789abcdef0123456789abcdef\n")
	n.tool("sv", `shift
for s; do case $s in
*/etcd) echo "run: $s: (pid 22137) 26s, want down; run: log: (pid 1) 9s" ;;
*/postgresql) echo "down: $s: 3s, normally up, want up; run: log: (pid 1) 9s" ;;
*/epmd) echo "fail: $s: runsv not running" ;;
*/elasticsearch) echo "warning: $s: unable to open supervise/ok: file does not exist" ;;
*) echo "run: $s: (pid 6788) 106976s; run: log: (pid 6739) 106982s" ;;
esac; done; exit 3`)
	n.tool("curl", fakeCurl)
	n.tool("chpst", `shift 2; exec "$@"`)
	n.tool("psql", `case "$*" in
*"|"*server_version_num*) echo 90525 ;;
*backend_type*) echo "ERROR: column backend_type does not exist"; exit 1 ;;
*"'connections'"*"union all"*pg_replication_slots) printf 'connections|41|350|3\nslot|old one|f|16F3/20000000\nslot|idle|f|\n' ;;
*"pg_is_in_recovery"*"union all"*pg_stat_replication) echo "WARNING: could not change directory"; echo "t|16F3/2D0A1B28|16F3/2D0A1B28||2026-11-23 10:52:28.82386+00"
	printf '10.0.4.12|streaming|16F3/2D0A1B28|16F3/2D0A1B00|\n10.0.4.13|backup|||\n' ;;
*) echo "ERROR: syntax error"; exit 1 ;;
esac`)
	n.tool("pg_isready", `exit 1`)
	n.tool("ps", `case "$*" in *pid=*) p="  6640     1 " ;; esac
echo "$p/opt/chef-backend/embedded/bin/postgres -D /var/opt/chef-backend/postgresql/9.5/data"
[ -z "$p" ] || printf '%s\n' " 6701  6640 postgres: wal receiver process   streaming 16F3/2D0A1B28" " 7001     1 sh -c chef-backend-ctl pgsql-follow 10.0.4.11" " 7002  7001 /opt/chef-backend/embedded/bin/pg_basebackup -D x"`)
	n.tool("pg_controldata", "cat <<'X'\n"+controlText+"X\n")
	n.tool("chef-backend-ctl", `case "$*" in
status) cat '`+abs("testdata/issue1405-status-no-leader.txt")+`'; exit 1 ;;
"cluster-status --json") echo "[WARN] this is no {JSON}"; echo "invalid option: --json" >&2; exit 1 ;;
*) cat '`+abs("testdata/docs-cluster-status-healthy.txt")+`' ;;
esac`)
	n.tool("bash", fakeBash)
	n.tool("df", `printf 'Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sd a1 1000 400 600 40%% %s\n' "/mnt${3%/*}"`)
	n.file("/proc/vmstat", "nr_free_pages 1\noom_kill 2\npgfault 3\n")
	n.file("/proc/mounts", "/dev/sda1 / ext4 rw 0 0\n")
	n.tool("dmesg", `cat <<'X'
[    0.000000] Linux version 5.10 (invented)
[  101.250000] Out of memory: Kill process 4711 (beam.smp) score 905 or sacrifice child
[  101.500000] Killed process 4711 (beam.smp) total-vm:4194304kB, anon-rss:3145728kB, file-rss:0kB
[  102.000000] XFS (vdb1): Mounting V5 * Filesystem
X`)
	n.file("/var/opt/chef-backend/ssl/be2.crt", "invented\n")
	n.file("/var/opt/chef-backend/ssl/dhparams.pem", "invented\n")
	n.file("/var/opt/chef-backend/etcd/data/member/x", "")
	n.tool("openssl", `case "$*" in *be2.crt) echo "notAfter=Mar  1 02:00:00 2030 GMT" ;; *) echo "unable to load certificate" >&2; exit 1 ;; esac`)
	n.file("/etc/chef-backend/chef-backend-running.json", `{"chef_backend":{"secret":"SECRET","leaderl":{"leader_ttl_seconds":30,"required_active_followers":1,
  "health_check": {
    "max_bytes_behind_leader": 52428800, "disk_min_space_mb": "250"
  }},"etcd":{"heartbeat_interval":500,"election_timeout":5000}}}`+"\n")
	n.tool("du", `printf '123\t%s\n' "$3"`)
	n.tool("hostname", `echo 10.0.4.12 ::1`)
	return n
}

const fakeCurl = `for u; do case $u in
*/health) printf 'HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n{"health": "true"}' ;;
*/members/leader) printf 'HTTP/1.1 200 OK\r\n\r\n{"id":"a1","name":"aa","peerURLs":["http://10.0.4.11:2380"],"clientURLs":[]}\n' ;;
*/stats/self) printf 'HTTP/1.1 200 OK\r\nContent-Length: 54\r\n\r\n{"name":"bb","id":"b1","leaderInfo":{"leader":"a1"}}\r\n' ;;
*/v2/keys/) printf 'HTTP/1.1 200 OK\r\nX-Raft-Term: 42\r\nX-Etcd-Cluster-Id: 7e27652122e8b2ae\r\n\r\n{"action":"get"}\n' ;;
*/v2/members) printf 'HTTP/1.1 200 OK\r\n\r\n'; cat 'MEMBERS' ;;
*/stats/leader) printf 'HTTP/1.1 200 OK\r\n\r\n{"leader":"a1","followers":{"b1":{"latency":{"current":1.5}},"c1":{"latency":{"current":600.25}}}}' ;;
*/leader) printf 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n' ;;
*_cluster/health*) printf 'HTTP/1.1 200 OK\r\n\r\n{"cluster_name":"ChefBackend-1","status":"yellow","number_of_nodes":2}' ;;
*_all/_settings/*) printf 'HTTP/1.1 200 OK\r\n\r\n{"chef":{"settings":{"index.blocks.read_only_allow_delete":"true"}},"other":{"settings":{"index":{"blocks":{"write":"false"}}}}}' ;;
*_cat/master*) printf 'HTTP/1.1 200 OK\r\n\r\n10.0.4.12 10.0.4.12\n' ;;
telnet://10.0.4.11:22) echo '* Connected to 10.0.4.11' >&2; exit 28 ;;
telnet://10.0.4.11:*) echo '* connect to 10.0.4.11 failed: Connection refused' >&2; exit 7 ;;
telnet://*) echo '* Connection timed out' >&2; exit 28 ;;
esac; done`

// fakeBash answers as the real one does for a node that runs ssh alone and for
// one to which there is no way.
const fakeBash = `for p in $ports; do case $p in
22) echo "open 10.0.4.11 22." ;;
*) echo "bash: connect: Connection refused"; echo "bash: line 2: /dev/tcp/10.0.4.11/$p: Connection refused" ;;
esac
echo "bash: line 2: /dev/tcp/10.0.4.13/$p: No route to host"
done >&2`

// controlText is what pg_controldata of 9.5 prints, cut to what is read.
const controlText = `pg_control version number:            942
Database system identifier:           6543210987654321098
Database cluster state:               in archive recovery
Latest checkpoint location:           16F3/2D000108
Latest checkpoint's REDO location:    16F3/2D0000D0
Latest checkpoint's REDO WAL file:    00000002000016F30000002D
Latest checkpoint's TimeLineID:       2
Latest checkpoint's PrevTimeLineID:   2
Minimum recovery ending location:     16F3/2D0A1B28
`

func abs(path string) string {
	p, err := filepath.Abs(path)
	if err != nil {
		panic(err)
	}
	return p
}

func (n *fakeNode) file(path, text string) {
	n.t.Helper()
	path = filepath.Join(n.root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		n.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		n.t.Fatal(err)
	}
}

func (n *fakeNode) tool(name, script string) {
	n.t.Helper()
	n.file("bin/"+name, "#!/bin/sh\n"+strings.ReplaceAll(script, "MEMBERS", abs("testdata/spec-etcd-v2-members.json"))+"\n")
	if err := os.Chmod(filepath.Join(n.bin, name), 0o755); err != nil {
		n.t.Fatal(err)
	}
}

// look runs the probe in a shell and returns its raw answer.
func (n *fakeNode) look(shell, call string) []byte {
	n.t.Helper()
	text := Probe()
	for _, p := range []string{"/var/opt/chef-backend", "/opt/chef-backend", "/etc/machine-id", "/root/chef-backend", "/etc/chef-backend", "/proc/vmstat", "/proc/mounts", "/var/log/kern.log"} {
		text = strings.ReplaceAll(text, p, "\x00"+p)
	}
	text = strings.ReplaceAll(text, "/var\x00/opt", "/var/opt") // the second path stands inside the first
	text = strings.ReplaceAll(text, "\x00", n.root)
	ctx, cancel := context.WithTimeout(n.t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, shell, "-c", text+call)
	cmd.Env = []string{"PATH=" + n.bin + ":/usr/bin:/bin"}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil || errs.Len() > 0 {
		n.t.Fatalf("%s: %v\n%s\n%.2000s", shell, err, errs.Bytes(), out)
	}
	return out
}

// report looks and parses; began and ended are one instant.
func (n *fakeNode) report(shell, call string) *cluster.Report {
	n.t.Helper()
	return parse(n.t, n.look(shell, call))
}

var someTime = time.Date(2026, 11, 23, 10, 53, 0, 0, time.UTC)

func parse(t testing.TB, raw []byte) *cluster.Report {
	t.Helper()
	r, err := ParseLook("be2", raw, someTime, someTime.Add(100*time.Millisecond), remote.Link{Phase: remote.Live, Fingerprint: "SHA256:abc", Privileged: true})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// claims are all claims of a report by name.
func claims(r *cluster.Report) map[string]cluster.NamedClaim {
	m := map[string]cluster.NamedClaim{}
	for _, c := range r.Claims() {
		m[c.Name] = c
	}
	return m
}

// shells are the ones that nodes have; a machine without one skips it.
func shells(t *testing.T, run func(t *testing.T, shell string)) {
	for _, shell := range []string{"dash", "bash", "busybox"} {
		t.Run(shell, func(t *testing.T) {
			path, err := exec.LookPath(shell)
			if err != nil {
				t.Skip(shell, "is not installed here")
			}
			if shell == "busybox" {
				link := filepath.Join(t.TempDir(), "ash")
				if err := os.Symlink(path, link); err != nil {
					t.Fatal(err)
				}
				path = link
			}
			run(t, path)
		})
	}
}
