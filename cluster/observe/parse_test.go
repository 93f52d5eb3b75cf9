package observe

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"chef-backend-cockpit/cluster"
)

func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// framed makes a look of given sections, in the order of names.
func framed(kind string, sections ...string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "\n@@n look 1 %s\n", kind)
	for i := 0; i < len(sections); i += 2 {
		name, exit, _ := strings.Cut(sections[i], " ")
		if exit == "" {
			exit = "0"
		}
		fmt.Fprintf(&b, "\n@@n begin %s 10.50\n%s\n@@n end %s %s 12.00\n", name, sections[i+1], name, exit)
	}
	b.WriteString("\n@@n done\n")
	return []byte(b.String())
}

func TestStatusTables(t *testing.T) {
	for name, wanted := range map[string][]cluster.CtlService{
		"docs-status-healthy.txt": {
			{Service: "elasticsearch", Local: "running (pid 6661)", InState: "1d 5h 59m 41s", Distributed: "state: green; nodes online: 3/3"},
			{Service: "etcd", Local: "running (pid 6742)", InState: "1d 5h 59m 39s", Distributed: "health: green; healthy nodes: 3/3"},
			{Service: "leaderl", Local: "running (pid 6788)", InState: "1d 5h 59m 35s", Distributed: "leader: 1; waiting: 0; follower: 2; total: 3"},
			{Service: "postgresql", Local: "running (pid 6640)", InState: "1d 5h 59m 43s", Distributed: "leader: 1; offline: 0; syncing: 0; synced: 2"},
		},
		"issue1405-status-no-leader.txt": {
			{Service: "leaderl", Local: "running (pid 22080)", InState: "27d 9h 51m 38s", Distributed: "leader: 0; waiting: 3; follower: 0; total: 3"},
			{Service: "epmd", Local: "running (pid 22135)", InState: "27d 9h 51m 37s", Distributed: "status: local-only"},
			{Service: "etcd", Local: "running (pid 22137)", InState: "27d 9h 51m 37s", Distributed: "health: green; healthy nodes: 3/3"},
			{Service: "postgresql", Local: "down", InState: "0d 0h 10m 27s", Distributed: "error: could not reach pgsql leader for replication stats"},
			{Service: "elasticsearch", Local: "running (pid 5758)", InState: "7d 10h 30m 21s", Distributed: "state: green; nodes online: 3/3"},
			{Service: "disks", Local: "/var/log/chef-backend: OK; /var/opt/chef-backend: OK", Distributed: "health: green; healthy nodes: 3/3"},
		},
	} {
		r := parse(t, framed(slow, "status 1", string(sample(t, name))))
		if !reflect.DeepEqual(r.Ctl.Status.Value, wanted) {
			t.Errorf("%s: %s %+v", name, r.Ctl.Status.Reason, r.Ctl.Status.Value)
		}
		if !strings.HasPrefix(r.Ctl.RawStatus, "Service ") {
			t.Errorf("%s: raw text %q", name, r.Ctl.RawStatus)
		}
	}
	want(t, parse(t, framed(slow, "status", string(sample(t, "docs-status-simple.txt")))), map[string]string{"ctl.status": "?no table in it: run: elasticsearch"})
}

func TestClusterStatus(t *testing.T) {
	const yes, no = cluster.True, cluster.False
	for name, c := range map[string]struct {
		text     string
		rows     []cluster.CtlNode
		failover string
	}{
		"documented, deposed leader": {string(sample(t, "docs-2016-cluster-status-deposed-leader.txt")), []cluster.CtlNode{
			{Name: "backend-1", IP: "192.168.33.215", GUID: "79d84527cf937f3daa94c1435d0a4249", Role: "deposed_leader", PostgreSQL: "follower", Elasticsearch: "not_master"},
			{Name: "backend-2", IP: "192.168.33.216", GUID: "c106c88745ef13517874d7301463afb9", Role: "leader", PostgreSQL: "leader", Elasticsearch: "not_master"},
			{Name: "backend-3", IP: "192.168.33.217", GUID: "4d29bcb5eec25d3674d5b8af132f75b3", Role: "follower", PostgreSQL: "follower", Elasticsearch: "master"},
		}, "?"},
		"invented, further columns, an empty cell, a redrawn line": {"Checking...\rNothing to say\n" +
			"Name  IP         GUID  Role      PG  ES      Following  Eligible  Blocked  Mood\n" +
			"be1   10.0.4.11  aa    promoted      master             yes       no       \x1b[31mgrim\n" +
			"be2   10.0.4.12  bb    follower  a b  not_master  10.0.4.11  no  yes  fine\n", []cluster.CtlNode{
			{Name: "be1", IP: "10.0.4.11", GUID: "aa", Role: "promoted", Elasticsearch: "master", Eligible: yes, Blocked: no, Extra: map[string]string{"Mood": "^[[31mgrim"}},
			{Name: "be2", IP: "10.0.4.12", GUID: "bb", Role: "follower", PostgreSQL: "a b", Elasticsearch: "not_master", Follows: "10.0.4.11", Eligible: no, Blocked: yes, Extra: map[string]string{"Mood": "fine"}},
		}, "?"},
		"invented JSON": {"[WARN] old\n" + `{"failover_enabled":true,"nodes":[
			{"name":"be1","ip":"10.0.4.11","guid":"aa","role":"leader","pg":{"role":"leader"},"es":"master","following":null,"leader":true,"eligible":true,"blocked":false,"failover_enabled":true,"partially_synced":false},
			{"hostname":"x","name":"be2","ip":"10.0.4.12","id":"bb","state":"odd\u001b[2J","followed":"be1","eligible":false,"failover_blocked":true,"partially_synced":"true","lag":12}]}`, []cluster.CtlNode{
			{Name: "be1", IP: "10.0.4.11", GUID: "aa", Role: "leader", PostgreSQL: "leader", Elasticsearch: "master", Eligible: yes, Blocked: no, Failover: yes, PartiallySynced: no},
			{Name: "be2", IP: "10.0.4.12", GUID: "bb", Role: "odd^[[2J", Follows: "be1", Eligible: no, Failover: no, PartiallySynced: yes, Extra: map[string]string{"lag": "12"}},
		}, "true"},
		"invented JSON, nodes by name": {`{"cluster":{"failover":"disabled","members":{"be1":{"IP":"10.0.4.11","Role":"leader"}}}}`, []cluster.CtlNode{
			{Name: "be1", IP: "10.0.4.11", Role: "leader"},
		}, "false"},
		"invented, blocked in every column": {"Name  Role      Failover   Eligible     Blocked\n" +
			"be1   leader    unblocked  not_blocked  unblocked\n" +
			"be2   follower  blocked    blocked      blocked\n", []cluster.CtlNode{
			{Name: "be1", Role: "leader", Failover: yes, Eligible: yes, Blocked: no},
			{Name: "be2", Role: "follower", Failover: no, Eligible: no, Blocked: yes},
		}, "?"},
		"invented, failover that is disabled in so many words": {"Name  IP         Failover Disabled\nbe1   10.0.4.11  disabled\nbe2   10.0.4.12  no\nbe3   10.0.4.13  enabled\n", []cluster.CtlNode{
			{Name: "be1", IP: "10.0.4.11", Failover: no}, {Name: "be2", IP: "10.0.4.12", Failover: yes}, {Name: "be3", IP: "10.0.4.13", Failover: no},
		}, "?"},
		"an error": {"An unexpected error occurred:\n  no leader key\n", nil, "?An unexpected error"},
	} {
		t.Run(name, func(t *testing.T) {
			r := parse(t, framed(slow, "cluster-status", c.text))
			if !reflect.DeepEqual(r.Ctl.Rows.Value, c.rows) {
				t.Errorf("%s\n got %+v\nwant %+v", r.Ctl.Rows.Reason, r.Ctl.Rows.Value, c.rows)
			}
			want(t, r, map[string]string{"ctl.failover": c.failover})
		})
	}
}

func TestEtcdAnswers(t *testing.T) {
	answer := func(code, body string) string { return "HTTP/1.1 " + code + "\r\nContent-Type: x\r\n\r\n" + body }
	for _, c := range []struct {
		section, text, claim, want string
	}{
		{"etcd", answer("503 Service Unavailable", `{"health": "false"}`), "etcd.health", "false"},
		{"etcd", answer("200 OK", `{"health":true}`), "etcd.health", "true"},
		{"etcd", answer("200 OK", `<html>`), "etcd.health", "?etcd did not answer it"},
		{"etcd", answer("200 OK", `{"health":[]}`), "etcd.health", "?neither true nor false"},
		{"etcd 28", "curl: (28) Operation timed out", "etcd.health", "?no answer within 2 s"},
		{"etcd 127", "not found", "etcd.health", "?curl not found"},
		{"etcd", answer("503 Service Unavailable", `{"message":"During election"}`) + answer("200 OK", `{"id":"b","name":"bb","leaderInfo":{}}`), "etcd.raft-leader", ""},
		{"etcd", answer("503 Service Unavailable", `{"message":"During election"}`) + answer("200 OK", `{"id":"b","name":"bb","leaderInfo":{}}`), "etcd.member-name", "bb"},
		{"etcd", answer("500 Internal", `{"errorCode":300,"message":"Raft Internal Error"}`), "etcd.raft-leader", "?did not answer it"},
		{"leaderl", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "leaderl.leader-code", "200"},
		{"leaderl 28", "curl: (28) timed out", "leaderl.leader-code", "?no answer"},
		{"elasticsearch 28", "curl: (28) timed out", "elasticsearch.answers", "false"},
		{"elasticsearch", answer("401 Unauthorized", "no"), "elasticsearch.status", "?not JSON (401): no"},
	} {
		want(t, parse(t, framed(fast, c.section, c.text)), map[string]string{c.claim: c.want})
	}
	r := parse(t, framed(slow, "etcd-members", answer("200 OK", string(sample(t, "spec-etcd-v2-members.json")))+answer("403 Forbidden", `{"message":"not current leader"}`)))
	if m := r.Etcd.Members.Value; len(m) != 3 || m[0] != (cluster.EtcdMember{ID: "2f74e8c0e2bda03", Name: "4ba4ae0a6686cf6b67590e621459f1e2", PeerURL: "http://192.168.33.216:2380"}) {
		t.Errorf("members %+v", m)
	}
}

func TestPostgreSQLAnswers(t *testing.T) {
	for _, c := range []struct {
		section, text, claim, want string
	}{
		{"pg-state", "f|0/3000148|0/3000148|16F3/2D0A1B28|\n", "postgresql.current", "16F3/2D0A1B28"},
		{"pg-state", "f|0/3000148|0/3000148|16F3/2D0A1B28|\n", "postgresql.replay", "?not in recovery"},
		{"pg-state", "t||0/3000148||\n", "postgresql.receive", "0/0"},
		{"pg-state", "t|zzz|0/1||\n", "postgresql.receive", "?not a WAL position: zzz"},
		{"pg-state 2", "psql: FATAL:  the database system is starting up\n", "postgresql.in-recovery", "?the database system is starting up"},
		{"pg-state 137", "", "postgresql.in-recovery", "?did not answer within 1.5 s"},
		{"pg-ready 2", "", "postgresql.ready", "2"},
		{"pg-ready 3", "", "postgresql.ready", "?ended with 3"},
		{"ps", " 1 0 postgres: main: walreceiver   streaming 0/3000148\n", "postgresql.receiver", "streaming"},
		{"ps", " 1 0 postgres: main: walreceiver   streaming 0/3000148\n", "postgresql.receive", "0/3000148"},
		{"ps", " 1 0 postgres: wal receiver process\n", "postgresql.receiver", "starting"},
		{"ps", " 1 0 postgres: startup process   recovering 00000058000016F30000002D\n", "postgresql.recovering", "00000058000016F30000002D"},
		{"ps", " 1 0 postgres: 15/main: startup recovering 00000058000016F30000002D\n", "postgresql.recovering", "00000058000016F30000002D"},
		{"ps", " 1 0 postgres: startup process\n", "postgresql.recovering", ""},
		{"ps", " 1 0 grep pg_rewind\n 2 1 [pg_basebackup] <defunct>\n", "postgresql.sync-process", ""},
		{"ps", " 1 0 /bin/ruby /opt/chef-backend/bin/chef-backend-ctl pgsql-follow 10.0.4.11\n", "postgresql.sync-process", "pgsql-follow"},
		{"ps", " 9 1 /usr/lib/postgresql/15/bin/postgres -D /var/lib/x\n 7 1 postgres: 15/main: x -D\n", "postgresql.postmaster", "9"},
		{"ps", " 9 1 postgres: checkpointer\n", "postgresql.postmaster", "?which is the postmaster"},
		{"ps", " 9 1 /sbin/init\n", "postgresql.postmaster", "0"},
		{"pg-files", "data-directory /d\nstandby no", "postgresql.upstream", ""},
		{"pg-files", "data-directory /d\nstandby recovery.conf\nupstream \n", "postgresql.upstream", "?no host in primary_conninfo"},
	} {
		want(t, parse(t, framed(fast, c.section, c.text)), map[string]string{c.claim: c.want})
	}
}

// A standby that followed a promotion keeps the old timeline's file beside the
// new one's, of the same number; in what order they are listed counts for nothing.
func TestNewestFileIsOfTheNewestTimeline(t *testing.T) {
	const old, followed, next = "00000005000016F30000002D", "00000006000016F30000002D", "00000005000016F30000002E"
	for names, newest := range map[string]string{
		old + "\n" + followed:               old + " " + followed + " 2",
		followed + "\n" + old:               followed + " " + followed + " 2",
		old + "\n" + next + "\n" + followed: old + " " + next + " 3",
	} {
		look := framed(fast, "pg-files", "data-directory /d\nstandby recovery.conf\nupstream 10.0.4.12", "pg-wal", names)
		want(t, parse(t, look), map[string]string{"postgresql.segments": "{" + newest + "}"})
	}
}

func TestEndOfDump(t *testing.T) {
	for line, wanted := range map[string]string{
		"pg_xlogdump: FATAL:  error in WAL record at 16F3/2D0A1B28: invalid record length at 16F3/2D0A1B60: wanted 24, got 0":                                "16F3/2D0A1B60",
		"pg_waldump: error: error in WAL record at 0/30000D8: invalid record length at 0/3000110: expected at least 24, got 0":                               "0/3000110",
		"pg_xlogdump: FATAL:  error in WAL record at 0/3FFFF28: unexpected pageaddr 0/1000000 in log segment 000000010000000000000004, offset 0":             "0/4000000",
		"pg_xlogdump: FATAL:  error in WAL record at 0/30000D8: record with incorrect prev-link 0/2 at 0/3000110":                                            "0/3000110",
		`pg_xlogdump: FATAL:  could not find file "00000001000016F3000000FF": No such file or directory`:                                                     "16F3/FF000000",
		`pg_xlogdump: FATAL:  could not find file "00000001000016F3000000FF": Input/output error`:                                                            "",
		"pg_xlogdump: FATAL:  could not read from log segment 00000001000016F3000000FF, offset 8192, length 8192: Input/output error":                        "",
		"pg_xlogdump: FATAL:  could not seek in log segment 00000001000016F3000000FF to offset 8192: Input/output error":                                     "",
		"pg_xlogdump: FATAL:  could not find a valid record after 0/3000000":                                                                                 "",
		"pg_waldump: error: error in WAL record at 0/3000060: invalid magic number 0000 in WAL segment 000000010000000000000003, LSN 0/3002000, offset 8192": "0/3002000",
	} {
		at, ok := endOfDump(line)
		if got := at.String(); (ok && got != wanted) || (!ok && wanted != "") {
			t.Errorf("%s\n got %v %v, want %q", line, got, ok, wanted)
		}
	}
}

// Where the newest timeline tells no end, that of the one before is none.
func TestEndOfWALIsTheNewestTimelines(t *testing.T) {
	const first = "server 1\ndump 2 0/3000028\nx: error in WAL record at 0/3000060: invalid record length at 0/3000110: wanted 24, got 0\ndump 3 0/3000110\n"
	const commit = "desc: COMMIT 2018-04-25 16:36:30.901240 UTC\n"
	for second, wanted := range map[string]string{
		commit: "?tells no end of the newest timeline",
		"":     "?tells no end of the newest timeline",
		"x: could not read from log segment 000000030000000000000003, offset 8192, length 8192: Input/output error\n": "?Input/output error",
		commit + "x: error in WAL record at 0/3000200: invalid record length at 0/3000260: wanted 24, got 0\n":        "0/3000260",
		"x: error in WAL record at 0/3000200: invalid record length at 0/3000260: wanted 24, got 0\n" + commit:        "0/3000260",
		"x: could not find a valid record after 0/3000110\n":                                                          "0/3000110",
		"x: could not find file \"000000030000000000000003\": No such file or directory\n":                            "0/3000110",
		commit + "x: could not find file \"000000030000000000000004\": No such file or directory\n":                   "0/4000000",
	} {
		want(t, parse(t, framed(slow, "wal-end", first+second+"server 1")), map[string]string{"postgresql.end-of-wal": wanted})
	}
}

// The cockpit asks at 10:53:00.0 and has the answer 0.1 s later; the node says
// 0.25 s more at both ends.
func TestClockOffset(t *testing.T) {
	for _, c := range []struct{ first, second, want, wrong string }{
		{"1795431180.250000000", "1795431180.350000000", "250ms", "0s"},
		{"1795431180.250000000", "1795431180.290000000", "220ms", "30ms"},
		{"1795431180.N", "1795431180.N", "450ms", "550ms"}, // whole seconds: their middle
		{"no clock", "1795431180.350000000", "?not understood", "?not understood"},
	} {
		want(t, parse(t, framed(fast, "clock-1", c.first, "clock-2", c.second)), map[string]string{"host.clock-offset": c.want, "host.clock-error": c.wrong})
	}
}

func TestDisks(t *testing.T) {
	df := "Filesystem 1024-blocks Used Available Capacity Mounted on\n"
	r := parse(t, framed(slow,
		"disks", "path /var/opt/chef-backend\n"+df+"/dev/a 1000 1 999 1% /\npath /var/opt/chef-backend/postgresql\n"+df+"/dev/a 1000 1 999 1% /\npath /var/log/chef-backend\n"+df+"/dev/b 10 10 -1 100% /var/log\n",
		"mounts", "/dev/a / ext4 rw 0 0\n/dev/b /var/log ext4 ro,relatime 0 0\n"))
	wanted := []cluster.Disk{
		{Path: "/var/opt/chef-backend", Total: 1024000, Free: 999 << 10, Inodes: -1, Mounts: true},
		{Path: "/var/log/chef-backend", Total: 10240, Inodes: -1, ReadOnly: true, Mounts: true},
	}
	if !reflect.DeepEqual(r.Host.Disks.Value, wanted) {
		t.Errorf("%+v %s", r.Host.Disks.Value, r.Host.Disks.Reason)
	}
}

// However an answer is cut, every claim is the whole answer's or unknown: half
// a word is never taken for one.
func TestCutAnswersNeverLie(t *testing.T) {
	n := newFakeNode(t)
	for _, call := range []string{"look fast n1", "look slow n1 10.0.4.11"} {
		raw := n.look("dash", call)
		whole := claims(parse(t, raw))
		for cut := range len(raw) {
			r, err := ParseLook("be2", raw[:cut], someTime, someTime.Add(100*time.Millisecond), remoteLink)
			if err != nil {
				continue
			}
			for name, c := range claims(r) {
				if c.Value != nil && !strings.HasPrefix(name, "host.key") && name != "host.privileged" && !reflect.DeepEqual(c.Value, whole[name].Value) {
					t.Fatalf("cut after %d bytes, %s is %v, not %v", cut, name, c.Value, whole[name].Value)
				}
			}
		}
	}
}

func TestNoiseBeforeTheFrame(t *testing.T) {
	noise := "Welcome!\r\n@@x look 1\n@@ look 1 fast\n\x1b[0m@@n look 9 fast\n"
	r := parse(t, append([]byte(noise), framed(fast, "leaderl", "HTTP/1.1 200 OK\r\n\r\n")...))
	want(t, r, map[string]string{"leaderl.leader-code": "200", "etcd.health": "?cut off"})
	if _, err := ParseLook("be2", []byte("This account is currently not available.\n"), someTime, someTime, remoteLink); err == nil || !strings.Contains(err.Error(), "be2: the probe's answer could not be read: This account") {
		t.Errorf("no frame: %v", err)
	}
}

// safeStrings finds every string in v and checks that it is safe and bounded.
func safeStrings(t testing.TB, v reflect.Value, path string) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		limit, s := 12*maxText+200, v.String()
		if strings.Contains(path, "Raw") {
			limit, s = 12*maxRaw, strings.ReplaceAll(s, "\n", "")
		}
		if len(s) > limit {
			t.Fatalf("%s has %d bytes", path, len(s))
		}
		for _, r := range s {
			if !unicode.IsPrint(r) {
				t.Fatalf("%s holds %U: %q", path, r, s)
			}
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeOf(time.Time{}) {
			return
		}
		for i := range v.NumField() {
			safeStrings(t, v.Field(i), path+"."+v.Type().Field(i).Name)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			safeStrings(t, k, path+".key")
			safeStrings(t, v.MapIndex(k), path+"."+fmt.Sprint(k))
		}
	case reflect.Slice:
		for i := range v.Len() {
			safeStrings(t, v.Index(i), path)
		}
	}
}
