package observe

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// want compares claims with what they should print as; "?" wants unknown, and
// what follows it must stand in the reason.
func want(t *testing.T, r *cluster.Report, wanted map[string]string) {
	t.Helper()
	got := claims(r)
	for name, w := range wanted {
		c, ok := got[name]
		if !ok {
			t.Errorf("there is no claim %s", name)
			continue
		}
		if reason, unknown := strings.CutPrefix(w, "?"); unknown {
			if c.Value != nil || !strings.Contains(c.Reason, reason) {
				t.Errorf("%s = %v (%s), want unknown because of %q", name, c.Value, c.Reason, reason)
			}
		} else if c.Value == nil || fmt.Sprint(c.Value) != w {
			t.Errorf("%s = %v (%s), want %s", name, c.Value, c.Reason, w)
		}
	}
}

func TestFastLookOnRealShells(t *testing.T) {
	shells(t, func(t *testing.T, shell string) {
		n := newFakeNode(t)
		raw := n.look(shell, "look fast n1")
		if bytes.Contains(raw, []byte("SECRET")) {
			t.Error("the replication password left the node")
		}
		want(t, parse(t, raw), map[string]string{
			"reach":                      "reached",
			"host.machine-id":            "0123456789abcdef0123456789abcdef",
			"host.installed":             "true",
			"sentinel.no-start-pgsql":    "false",
			"sentinel.unsynced":          "true",
			"service.leaderl.state":      "run",
			"service.leaderl.pid":        "6788",
			"service.leaderl.in-state":   "29h42m56s",
			"service.leaderl.want-up":    "true",
			"service.etcd.want-up":       "false",
			"service.postgresql.state":   "down",
			"service.postgresql.pid":     "0",
			"service.postgresql.want-up": "true",
			"service.epmd.state":         "fail",
			"service.epmd.pid":           "?runsv not running",
			"service.elasticsearch.pid":  "?supervise/ok",
			"etcd.health":                "true",
			"etcd.raft-leader":           "aa",
			"etcd.member-name":           "bb",
			"etcd.raft-term":             "42",
			"leaderl.leader-code":        "503",
			"elasticsearch.status":       "yellow",
			"elasticsearch.nodes":        "2",
			"elasticsearch.answers":      "true",
			"postgresql.ready":           "0",
			"postgresql.in-recovery":     "true",
			"postgresql.receive":         "16F3/2D0A1B28",
			"postgresql.replay":          "16F3/2D0A1B28",
			"postgresql.current":         "?in recovery",
			"postgresql.last-commit":     "2026-11-23 10:52:28.82386 +0000 UTC",
			"postgresql.replicas":        "[{10.0.4.12 streaming 16F3/2D0A1B28 16F3/2D0A1B00} {10.0.4.13 backup 0/0 0/0}]",
			"postgresql.postmaster":      "6640",
			"postgresql.receiver":        "streaming",
			"postgresql.sync-process":    "pg_basebackup",
			"postgresql.upstream":        "10.0.4.11",
			"postgresql.control":         "{6543210987654321098 in archive recovery 2 16F3/2D000108 16F3/2D0000D0 16F3/2D0A1B28}",
			"postgresql.segments":        "{00000001000016F30000002A 00000002000016F30000002D 3}",
			"postgresql.histories":       "[{2 [{1 16F3/2D000000}]}]",
			"lock.held":                  "false",
			"lock.step":                  "{7f3a0001 1-stop chef-backend-ctl stop leaderl false 0 true}",
			"etcd.members":               "?", // slow
			"host.version":               "?",
		})
	})
}

func TestSlowLookOnRealShells(t *testing.T) {
	shells(t, func(t *testing.T, shell string) {
		n := newFakeNode(t)
		raw := n.look(shell, "look slow n1 10.0.4.11 10.0.4.13")
		if bytes.Contains(raw, []byte("SECRET")) {
			t.Error("a secret of the configuration left the node")
		}
		r := parse(t, bytes.ReplaceAll(raw, []byte(n.root), []byte("ROOT")))
		want(t, r, map[string]string{
			"host.version":                      "2.3.16",
			"host.addresses":                    "[10.0.4.12]",
			"etcd.data-writable":                "true",
			"elasticsearch.master":              "true",
			"postgresql.version-num":            "90525",
			"postgresql.data-bytes":             "125952",
			"postgresql.end-of-wal":             "?PostgreSQL runs",
			"peer.10.0.4.11":                    "{map[22:open 2379:refused 2380:refused 5432:refused 7331:refused 9300:refused]}",
			"peer.10.0.4.13":                    "{map[22:timeout 2379:timeout 2380:timeout 5432:timeout 7331:timeout 9300:timeout]}",
			"ctl.failover":                      "?does not tell",
			"host.certificates":                 "[{ROOT/var/opt/chef-backend/ssl/be2.crt 2030-03-01 02:00:00 +0000 UTC}]",
			"postgresql.connections":            "{41 350 3}",
			"postgresql.slots":                  "[{old one false 16F3/20000000} {idle false 0/0}]",
			"elasticsearch.read-only":           "[chef]",
			"setting.required-active-followers": "1",
			"setting.etcd-heartbeat-interval":   "500ms",
			"setting.leader-ttl":                "30s",
			"setting.max-bytes-behind-leader":   "52428800",
			"setting.disk-min-space":            "262144000",
			"setting.wal-keep-segments":         "?does not tell",
		})
		if m := r.Etcd.Members.Value; len(m) != 3 || m[2].PeerURL != "http://192.168.33.215:2380" {
			t.Errorf("members %v", m)
		}
		if rows := r.Ctl.Rows.Value; len(rows) != 3 || rows[0].Role != "leader" || rows[2].Elasticsearch != "master" {
			t.Errorf("cluster-status %v", rows)
		}
		if s := r.Ctl.Status.Value; len(s) != 6 || s[3].Local != "down" || s[5].Service != "disks" {
			t.Errorf("status %v", s)
		}
		if d := r.Host.Disks.Value; len(d) != 3 || d[0].Total != 1000<<10 || d[0].Free != 600<<10 || d[0].Inodes != 600 || d[1].Inodes != -1 || !d[2].Mounts {
			t.Errorf("disks %+v", d)
		}
		if k := r.Host.MemoryKills.Value; k.Count != 2 || k.Victim != "beam.smp (4711)" {
			t.Errorf("memory kills %+v, %s", k, r.Host.MemoryKills.Reason)
		}
	})
}

// A stopped server's log ends where the first missing record would stand.
func TestEndOfWALIsLookedForOnlyWhileTheServerIsDown(t *testing.T) {
	n := newFakeNode(t)
	n.tool("ps", `echo "/sbin/init"`)
	n.tool("pg_xlogdump", `[ "$4" = 2 ] || { echo 'pg_xlogdump: FATAL:  could not find file "000000030000000000000001": No such file or directory'; exit 1; }
echo "rmgr: Transaction len (rec/tot): 12/44, tx: 1, lsn: 16F3/2D0A1B00, prev 0/0, desc: COMMIT 2026-11-23 10:50:00.5 UTC"
echo "pg_xlogdump: FATAL:  error in WAL record at 16F3/2D0A1B28: invalid record length at 16F3/2D0A1B60: wanted 24, got 0" >&2; exit 1`)
	n.file("/var/opt/chef-backend/postgresql/9.5/data/pg_xlog/00000003.history", "2\t16F3/2D0A1B28\tx\n")
	want(t, n.report("dash", "look slow n1"), map[string]string{
		"postgresql.end-of-wal":  "16F3/2D0A1B60",
		"postgresql.last-commit": "2026-11-23 10:50:00.5 +0000 UTC",
	})
	n.tool("ps", `exit 1`)
	want(t, n.report("dash", "look slow n1"), map[string]string{"postgresql.end-of-wal": "?whether PostgreSQL runs is unknown"})
}

// One part that hangs, one that floods and one that is missing leave the
// others as they are, within the time of a fast look.
func TestPartsThatMisbehaveStayAlone(t *testing.T) {
	shells(t, func(t *testing.T, shell string) {
		n := newFakeNode(t)
		n.tool("psql", `sleep 15`)
		n.tool("ps", `head -c 209715200 /dev/zero | tr '\000' x`)
		n.tool("sv", `exec no-such-tool-here`)
		n.tool("pg_controldata", `printf '\033]52;c;aGk=\007\000\377\n@@n2 begin etcd 1\n@@n1x done\nDatabase system identifier: \033[2J\n'`)
		began := time.Now()
		raw := n.look(shell, "look fast n1")
		if took := time.Since(began); took > 9*time.Second { // 2 s meant: threefold slack and a slow machine
			t.Errorf("the look took %s", took)
		}
		if len(raw) > 2<<20 {
			t.Errorf("the answer has %d bytes", len(raw))
		}
		want(t, parse(t, raw), map[string]string{
			"postgresql.in-recovery": "?did not answer",
			"postgresql.ready":       "1",
			"postgresql.postmaster":  "?too long",
			"service.leaderl.state":  "?sv not found",
			"postgresql.control":     "?not understood",
			"etcd.health":            "true",
			"leaderl.leader-code":    "503",
			"elasticsearch.status":   "yellow",
			"sentinel.unsynced":      "true",
			"postgresql.upstream":    "10.0.4.11",
			"postgresql.histories":   "[{2 [{1 16F3/2D000000}]}]",
		})
	})
}

// Neither a proxy nor a .curlrc answers in a node's place.
func TestCurlAsksTheNodeAlone(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl here")
	}
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "the node") }))
	defer node.Close()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "the proxy") }))
	defer proxy.Close()
	home := t.TempDir()
	if err := os.WriteFile(home+"/.curlrc", []byte("proxy = "+proxy.URL+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := strings.TrimPrefix(node.URL, "http://")
	address, port, _ := strings.Cut(at, ":")
	script := fmt.Sprintf("PROBE_TIMEOUT=no probe_nonce=n; probe_http x 2 %s/a; probe_http y 2 %s/a %s/b; probe_by_curl() { probe_tool curl; probe_port %s %s; }; probe_by_curl", node.URL, node.URL, node.URL, address, port)
	for _, env := range []string{"http_proxy=" + proxy.URL, "all_proxy=" + proxy.URL, "x="} {
		cmd := exec.Command("dash", "-c", Probe()+script)
		cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + home, env}
		out, err := cmd.CombinedOutput()
		if err != nil || strings.Count(string(out), "the node") != 3 || !strings.HasSuffix(string(out), address+" "+port+" open\n") {
			t.Errorf("%s: %v: %s", env, err, out)
		}
	}
}

// A data directory that is a link is as large as what it leads to.
func TestSizeOfDataBehindALink(t *testing.T) {
	n := newFakeNode(t)
	data := n.root + "/var/opt/chef-backend/postgresql/9.5/data"
	n.tool("du", `exec /usr/bin/du "$@"`)
	n.file("/var/opt/chef-backend/postgresql/9.5/data/base/1", strings.Repeat("rows", 1<<18))
	if err := errors.Join(os.Rename(data, n.root+"/elsewhere"), os.Symlink(n.root+"/elsewhere", data)); err != nil {
		t.Fatal(err)
	}
	if c := n.report("dash", "look slow n1").PostgreSQL.DataBytes; !c.Known || c.Value < 1<<20 {
		t.Errorf("%+v", c)
	}
}

// Nobody listening is an answer for some claims and none for others.
func TestRefusedConnections(t *testing.T) {
	n := newFakeNode(t)
	n.tool("curl", `echo "curl: (7) Failed to connect" >&2; exit 7`)
	n.tool("psql", `echo "psql: could not connect to server: Connection refused" >&2; exit 2`)
	n.tool("pg_isready", `exit 2`)
	want(t, n.report("dash", "look fast n1"), map[string]string{
		"etcd.health":            "false",
		"etcd.raft-leader":       "?connection refused",
		"leaderl.leader-code":    "0",
		"elasticsearch.answers":  "false",
		"elasticsearch.status":   "?connection refused",
		"postgresql.ready":       "2",
		"postgresql.in-recovery": "?Connection refused",
		"postgresql.replicas":    "?Connection refused",
		"postgresql.receive":     "16F3/2D0A1B28", // from the receiver's title
	})
}

// A PostgreSQL that hangs: libpq gives a server two seconds at least, and says
// only then that there is no response, which must not cost the whole look.
func TestHungPostgreSQLIsAnAnswer(t *testing.T) {
	n := newFakeNode(t)
	n.tool("psql", `sleep 15`)
	n.tool("pg_isready", `sleep 2.1; exit 2`)
	began := time.Now()
	want(t, n.report("dash", "look fast n1"), map[string]string{"postgresql.ready": "2", "etcd.health": "true"})
	if took := time.Since(began); took > fastDeadline {
		t.Errorf("the look took %s, a fast one is given up after %s", took, fastDeadline)
	}
}

// The sentinels' absence is claimed only where their folder can be read.
func TestBareHost(t *testing.T) {
	n := &fakeNode{t: t, root: t.TempDir()}
	n.bin = n.root + "/none"
	want(t, n.report("dash", "look fast n1"), map[string]string{
		"host.installed":          "false",
		"sentinel.no-start-pgsql": "?cannot be looked into",
		"postgresql.control":      "?no data directory",
		"postgresql.upstream":     "?no data directory",
		"service.etcd.pid":        "?", // whether the machine of this test has an sv or not
	})
}

func TestLookLeavesTheShellAlone(t *testing.T) {
	n := newFakeNode(t)
	raw := n.look("dash", `set -eu; IFS=x; PROBE_TIMEOUT=; was=$PATH; cd /tmp
look fast n1 >/dev/null
[ "$was$IFS$PWD" = "${PATH}x/tmp" ] && echo same`)
	if string(raw) != "same\n" {
		t.Errorf("the shell came back changed: %q", raw)
	}
}

// The loop answers one look after the other, passes over what is none, and ends
// with its input.
func TestLoopOnRealShells(t *testing.T) {
	shells(t, func(t *testing.T, shell string) {
		n := newFakeNode(t)
		in, out := io.Pipe()
		cmd := exec.CommandContext(t.Context(), shell, "-c", loopText)
		cmd.Env = []string{"PATH=" + n.bin + ":/usr/bin:/bin"}
		cmd.Stdin = in
		said, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(said)
		for _, nonce := range []string{"n1", "n2", "n3"} {
			io.WriteString(out, "look fast "+nonce+"\n")
			for lines.Scan() && lines.Text() != "@@"+nonce+" done" {
			}
			if lines.Text() != "@@"+nonce+" done" {
				t.Fatalf("look %s was not answered", nonce)
			}
		}
		out.Close()
		for lines.Scan() {
			t.Errorf("after the end of its input: %q", lines.Text())
		}
		if cmd.Wait(); cmd.ProcessState.ExitCode() < 0 {
			t.Errorf("the loop ended with %s", cmd.ProcessState)
		}
	})
}

// BenchmarkLookOnTheNode is what a look costs a node in processor time, its
// children included; the budget is 50 ms for a fast one and 5 % of a core, 1.5 s
// of every 30, for a slow one. The tools are the fake node's, tiny scripts that
// cost as much as small programs do; chef-backend-ctl's Ruby comes on top, a
// second or more for each of its two calls.
func BenchmarkLookOnTheNode(b *testing.B) {
	for _, kind := range []string{"fast", "slow"} {
		b.Run(kind, func(b *testing.B) {
			n := newFakeNode(b)
			cmd := exec.Command("dash", "-c", Probe()+"i=0; while [ $i -lt "+strconv.Itoa(b.N)+" ]; do i=$((i + 1)); look "+kind+" n$i 10.0.4.11 10.0.4.13; done >/dev/null")
			cmd.Env = []string{"PATH=" + n.bin + ":/usr/bin:/bin"}
			b.ResetTimer()
			if err := cmd.Run(); err != nil {
				b.Fatal(err)
			}
			used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			b.ReportMetric(float64(used.Milliseconds())/float64(b.N), "cpu-ms/look")
		})
	}
}
