//go:build linux

package standin

import (
	"net/http/httptest"
	"reflect"
	"testing"
)

// The lines are runit's own.
func TestServiceStates(t *testing.T) {
	for line, want := range map[string]svState{
		"run: /opt/chef-backend/service/leaderl: (pid 6788) 106976s; run: log: (pid 6739) 106982s\n": {up: true, pid: 6788, seconds: 106976, known: true},
		"down: postgresql: 35s, normally up; run: log: (pid 5) 9s":                                   {seconds: 35, known: true},
		"down: /s/etcd: 1s, normally up, want up; run: log: (pid 22) 7s":                             {seconds: 1, wantUp: true, known: true},
		"run: x: (pid 7) 3s, want down, got TERM; run: log: (pid 22) 7s, want up":                    {up: true, pid: 7, seconds: 3, wantDown: true, known: true},
		"fail: /opt/chef-backend/service/etcd: runsv not running":                                    {},
		"warning: /opt/x: unable to open supervise/ok: file does not exist":                          {},
	} {
		got := parseSV(line)
		got.raw = ""
		if got != want {
			t.Errorf("%q: %+v", line, got)
		}
	}
}

// What PostgreSQL 15 prints, shortened.
func TestWhatPostgreSQLSays(t *testing.T) {
	c := parseControl(`pg_control version number:            1300
Database system identifier:           7443210987654321012
Database cluster state:               shut down in recovery
Latest checkpoint location:           0/3000060
Latest checkpoint's REDO location:    0/3000028
Latest checkpoint's REDO WAL file:    000000020000000000000003
Latest checkpoint's TimeLineID:       1
Latest checkpoint's PrevTimeLineID:   1
Minimum recovery ending location:     16F3/2D0A1B28
Min recovery ending loc's timeline:   2
`)
	if want := (control{"7443210987654321012", "shut down in recovery", 0x3000028, 2, 0x16F32D0A1B28}); c != want {
		t.Errorf("%+v", c)
	}
	for text, want := range map[string]uint64{
		"pg_waldump: error: error in WAL record at 16F3/2D0A1B28: invalid record length at 16F3/2D0A1B60: wanted 24, got 0": 0x16F32D0A1B60,
		"pg_waldump: error: error in WAL record at 0/3000028: missing contrecord":                                           0x3000028,
		"pg_waldump: error: could not find file \"000000010000000000000003\"":                                               0,
		"pg_waldump: error: could not find file \"000000010000000000000009\"":                                               0x9000000,
	} {
		if got, ok := parseWALEnd(text, 0x3000028); got != want || ok != (want != 0) {
			t.Errorf("%s: %X %v", text, got, ok)
		}
	}
	got := parseHistory("1\t0/40000D8\tno recovery target specified\n\n# a remark\n2\t0/4000268\tno recovery target specified\n")
	if want := []branch{{1, 0x40000D8}, {2, 0x4000268}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	if at, ok := segmentStart("00000058000016F30000002D"); !ok || lsn(at) != "16F3/2D000000" {
		t.Errorf("%s", lsn(at))
	}
	for _, name := range []string{"00000002.history", "00000058000016F30000002D.partial", "archive_status"} {
		if _, ok := segmentStart(name); ok {
			t.Errorf("%s is no segment", name)
		}
	}
	if !refusals.MatchString("FATAL:  could not receive data from WAL stream: ERROR:  requested WAL segment      00000058000016F30000002D has already been removed") ||
		refusals.MatchString("FATAL:  the database system is starting up") ||
		refusals.MatchString("ERROR:  requested WAL segment 00000058000016F30000002D has already been removed") {
		t.Error("the lines that end a sync are not told apart")
	}
}

func TestElasticsearchMaster(t *testing.T) {
	for name, x := range map[string]struct {
		master string
		claims map[string]string
		want   string
		nodes  int
	}{
		"alone":                          {"10.0.4.12", nil, "", 1},
		"a first one of two":             {"", map[string]string{"10.0.4.12": ""}, "10.0.4.12", 2},
		"whom the other follows":         {"", map[string]string{"10.0.4.13": "10.0.4.12", "10.0.4.12": "10.0.4.12"}, "10.0.4.12", 3},
		"it keeps its own place":         {"10.0.4.11", map[string]string{"10.0.4.13": "10.0.4.11"}, "10.0.4.11", 2},
		"its master went":                {"10.0.4.12", map[string]string{"10.0.4.13": "10.0.4.12"}, "10.0.4.13", 2},
		"its master knows another today": {"10.0.4.12", map[string]string{"10.0.4.12": "10.0.4.13", "10.0.4.13": "10.0.4.13"}, "10.0.4.13", 3},
	} {
		peers, got := elect("10.0.4.11", x.master, x.claims)
		if got != x.want || len(peers) != x.nodes {
			t.Errorf("%s: %q of %v, want %q", name, got, peers, x.want)
		}
	}
	for master, want := range map[string]string{"": "red", "10.0.4.11": "yellow"} {
		if color, n := elasticSays(elasticHealth(2, 3, master, "")); color != want || n != 2 {
			t.Errorf("%s of %d", color, n)
		}
	}
}

func TestLeaderAnswer(t *testing.T) {
	for leads, want := range map[bool]int{true: 200, false: 503} {
		w := httptest.NewRecorder()
		answerLeader(w, leads)
		if w.Code != want {
			t.Errorf("leads %v: %d", leads, w.Code)
		}
	}
}
