package observe

import (
	"reflect"
	"testing"

	"chef-backend-cockpit/remote"
)

var remoteLink = remote.Link{Phase: remote.Live, Fingerprint: "SHA256:abc", Privileged: true}

// fuzzSection throws bytes at the parsers of one section and holds that none
// panics and that every string they make is safe and bounded.
func fuzzSection(f *testing.F, kind string, sections []string, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s), 0)
		f.Add([]byte(s+"\x1b]52;c;aGk=\a\xff\u202e"), 1)
	}
	f.Fuzz(func(t *testing.T, body []byte, exit int) {
		l := look{frame: frame{kind: kind, done: true, sections: map[string]section{}}, node: "be2", at: someTime, ended: someTime}
		l.sections["pg-files"] = section{body: []byte("data-directory /d\nstandby no\n"), ended: true}
		l.sections["addresses"] = section{body: []byte("10.0.4.12"), ended: true}
		for _, name := range sections {
			l.sections[name] = section{body: body, exit: exit & 0xff, ended: true}
		}
		r := l.report(remoteLink)
		safeStrings(t, reflect.ValueOf(*r), "report")
	})
}

func FuzzFrame(f *testing.F) {
	f.Add(framed(fast, "leaderl", "HTTP/1.1 200 OK\r\n\r\n"))
	f.Add([]byte("noise\n@@n look 1 slow\n@@n begin a 1\n@@n begin b 2\n@@n end a 0 3\n@@n end b x 4\n@@n done"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if r, err := ParseLook("be2", raw, someTime, someTime, remoteLink); err == nil {
			safeStrings(t, reflect.ValueOf(*r), "report")
		} else {
			safeStrings(t, reflect.ValueOf(err.Error()), "error")
		}
	})
}

func FuzzHost(f *testing.F) {
	fuzzSection(f, fast, []string{"host", "clock-1", "clock-2"}, "hostname be1\nuptime 1.5\ninstalled yes\nunsynced no\n", "1795431180.250000000\n")
}

func FuzzLock(f *testing.F) {
	fuzzSection(f, fast, []string{"lock", "clock-1", "clock-2"}, "holder t1 7f3a0001 fd:00:7 1795431180 ann@bastion\nheld yes\n",
		"step 7f3a0001 1-stop fd:00:8 t1\ncommand true\nexit 300\nruns ?\nheld ?\n")
}

func FuzzMachine(f *testing.F) {
	fuzzSection(f, slow, []string{"disks", "mounts", "version", "addresses", "peers"},
		"path /a\n/dev/a 1000 1 999 1% /\n", "chef-backend 2.3.16\n", "10.0.4.11 22 open\n", "2: eth0 inet 10.0.4.11/24\n")
}

func FuzzMachineFiles(f *testing.F) {
	fuzzSection(f, slow, []string{"oom", "certificates", "settings", "etcd-data", "elasticsearch-blocks", "pg-use", "host"},
		"counted 2\nfrom dmesg\nlines 1\nlast [  101.5] Killed process 4711 (beam.smp) total-vm:1kB\nuptime 200\n",
		"from file\nlines 3\nlast Nov 23 11:00:00 be1 kernel: [ 1e99] Killed process 7, UID 0, (x) total\n",
		"file /a b.crt\nnotAfter=Mar  1 02:00:00 2030 GMT\nnotAfter=Feb 31 25:00:00 99999 XYZ\n",
		"file yes\nrequired_active_followers 1\nheartbeat_interval \"500\"\ndisk_min_space_mb 99999999999999999999\n",
		"no /var/opt/chef-backend/etcd/data\nasked\n",
		"HTTP/1.1 200 OK\n\n"+`{"chef":{"settings":{"index.blocks.read_only_allow_delete":"true","index":{"blocks":{"write":true}}}}}`,
		"connections|41|350|3\nslot|a|t|16F3/20000000\nslot|b|f|\n")
}

func FuzzRunit(f *testing.F) {
	fuzzSection(f, fast, []string{"runit"}, "run: /opt/chef-backend/service/etcd: (pid 1) 2s, want down; run: log: (pid 1) 9s\n", "down: etcd: 3s, normally up\n")
}

func FuzzHTTP(f *testing.F) {
	fuzzSection(f, fast, []string{"etcd", "leaderl", "elasticsearch"},
		"HTTP/1.1 200 OK\r\nX-Raft-Term: 4\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 503 x\n\n{\"message\":\"\"}", `HTTP/1.1 200 OK`+"\n\n"+`{"status":"green","number_of_nodes":3,"health":"true","leaderInfo":{},"name":"a"}`)
}

func FuzzHTTPSlow(f *testing.F) {
	fuzzSection(f, slow, []string{"etcd-members", "elasticsearch-master"},
		"HTTP/1.1 200 OK\r\n\r\n"+string(sample(f, "spec-etcd-v2-members.json")), "HTTP/1.1 200 OK\n\n"+`{"followers":{"a":{"latency":{"current":1.5}}}}`)
}

func FuzzPostgreSQL(f *testing.F) {
	fuzzSection(f, fast, []string{"pg-state", "pg-ready", "pg-files", "pg-control", "pg-wal", "pg-history", "ps"},
		"t|0/1|0/2||2026-11-23 10:52:28.82386+00\n", "10.0.4.12|streaming|0/1|0/1\n", controlText, "file 00000002.history\n1\t0/3\tx\n",
		" 1 0 /x/postgres -D /d\n 2 1 postgres: wal receiver process   streaming 0/1\n", "00000001000016F30000002A\n")
}

func FuzzWALEnd(f *testing.F) {
	fuzzSection(f, slow, []string{"wal-end", "pg-version", "data-size"},
		"server 1\ndump 2 0/1\nx desc: COMMIT 2026-11-23 10:50:00.5 UTC\nerror in WAL record at 0/1: invalid record length at 0/2: x\nserver 1\n",
		"could not find file \"00000001000016F3000000FF\"\n", "90525\n", "123\t/d\n")
}

func FuzzCtl(f *testing.F) {
	fuzzSection(f, slow, []string{"status", "cluster-status"},
		string(sample(f, "issue1405-status-no-leader.txt")), string(sample(f, "docs-cluster-status-healthy.txt")),
		`{"failover_enabled":true,"nodes":[{"name":"be1","ip":"10.0.4.11","guid":"aa","role":"leader","x":{"y":1}}]}`, "a\rName  IP\nb  c\n")
}

// A look at a healthy follower, parsed: the cost for the cockpit of one node
// every 2 s.
func BenchmarkParseLook(b *testing.B) {
	raw := newFakeNode(b).look("dash", "look fast n1")
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseLook("be2", raw, someTime, someTime, remoteLink); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/look")
}
