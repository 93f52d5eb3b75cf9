package logs

import (
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

func TestParseLine(t *testing.T) {
	at := func(s string) time.Time {
		x, err := time.Parse("2006-01-02 15:04:05.999999999", s)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	const none, info, warning, grave = cluster.LevelNone, cluster.LevelInfo, cluster.LevelWarning, cluster.LevelError
	for _, c := range []struct {
		service, raw string
		stamp        string
		text         string
		level        cluster.Level
	}{
		{"postgresql", "2018-04-25_16:36:29.42242 FATAL:  the database system is starting up", "2018-04-25 16:36:29.42242", "FATAL:  the database system is starting up", grave},
		{"postgresql", "2018-04-25_16:36:30.90125", "2018-04-25 16:36:30.90125", "", none},
		{"postgresql", "2018-04-25_16:36:30.90125 ", "2018-04-25 16:36:30.90125", "", none},
		{"postgresql", "2024-02-29_23:59:60.00000 PANIC:  x", "2024-03-01 00:00:00", "PANIC:  x", grave},
		{"postgresql", "2026-11-23_11:34:39.5 WARNING:  x", "2026-11-23 11:34:39.5", "WARNING:  x", warning},
		{"postgresql", "2026-11-23_11:34:39.5 2026-11-23 12:34:39 CET [71] LOG:  x: y", "2026-11-23 11:34:39.5", "2026-11-23 12:34:39 CET [71] LOG:  x: y", info},
		{"postgresql", "2026-11-23_11:34:39.5 DETAIL:  FATAL:  no level of its own", "2026-11-23 11:34:39.5", "DETAIL:  FATAL:  no level of its own", none},
		{"leaderl", "2018-02-15_17:03:14.91161 [I] <0.715.0> leader_elector:init => x", "2018-02-15 17:03:14.91161", "[I] <0.715.0> leader_elector:init => x", info},
		{"leaderl", "2018-02-15_17:03:14.91161 [C] <0.7.0> invented", "2018-02-15 17:03:14.91161", "[C] <0.7.0> invented", grave},
		{"leaderl", "=ERROR REPORT==== 15-Feb-2018::17:03:14 ===", "", "=ERROR REPORT==== 15-Feb-2018::17:03:14 ===", grave},
		{"leaderl", "2018-02-15_17:03:14.91161 chpst: fatal: unable to lock: lock: temporary failure", "2018-02-15 17:03:14.91161", "chpst: fatal: unable to lock: lock: temporary failure", grave},
		{"postgresql", "2018-04-25_16:36:30.90125 chpst: warning: x", "2018-04-25 16:36:30.90125", "chpst: warning: x", warning},
		{"epmd", "invented: fatal: x", "", "invented: fatal: x", none},
		{"etcd", "@400000005a85be2c2d1e3f4a 2018-02-15 18:03:14.757000 W | etcdserver: x", "2018-02-15 17:06:42.756957002", "2018-02-15 18:03:14.757000 W | etcdserver: x", warning},
		{"etcd", "2018-02-15T17:03:14.75Z 2018-02-15 18:03:14.757000 C | etcdmain: x", "2018-02-15 17:03:14.75", "2018-02-15 18:03:14.757000 C | etcdmain: x", grave},
		{"etcd", "2018-02-15 18:03:14.757000 I | raft: its own stamp may be local time", "", "2018-02-15 18:03:14.757000 I | raft: its own stamp may be local time", info},
		{"etcd", `{"level":"warn","ts":"2026"}`, "", `{"level":"warn","ts":"2026"}`, warning},
		{"elasticsearch", "2021-01-18_22:44:42.69100 [2021-01-18T22:44:42,691][WARN ][o.e.d.z.ZenDiscovery     ] [node] x", "2021-01-18 22:44:42.691", "[2021-01-18T22:44:42,691][WARN ][o.e.d.z.ZenDiscovery     ] [node] x", warning},
		{"elasticsearch", "[2016-08-12 17:58:44,273][INFO ][node                     ] [Name] x", "", "[2016-08-12 17:58:44,273][INFO ][node                     ] [Name] x", info},
		{"epmd", "epmd: invented words", "", "epmd: invented words", none},
		{"etcd", "2018-02-31", "", "2018-02-31", none},
		{"etcd", "2018-13-15_17:03:14.75 x", "", "2018-13-15_17:03:14.75 x", none},
		{"etcd", "@400000005a85be2c2d1e3f4", "", "@400000005a85be2c2d1e3f4", none},
		{"etcd", "@ffffffffffffffffffffffff x", "", "@ffffffffffffffffffffffff x", none},
		{"etcd", "", "", "", none},
	} {
		stamp, text, level := ParseLine(c.service, []byte(c.raw))
		var want time.Time
		if c.stamp != "" {
			want = at(c.stamp)
		}
		if !stamp.Equal(want) || string(text) != c.text || level != c.level {
			t.Errorf("%s %q:\n got %v %q %v\nwant %v %q %v", c.service, c.raw, stamp, text, level, want, c.text, c.level)
		}
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add("etcd", []byte("@400000005a85be2c2d1e3f4a 2018-02-15 18:03:14.757000 W | x"))
	f.Add("postgresql", []byte("2018-04-25_16:36:29.42242 FATAL:  x"))
	f.Add("elasticsearch", []byte("[2021-01-18T22:44:42,691][WARN ][x"))
	f.Fuzz(func(t *testing.T, service string, raw []byte) {
		stamp, text, _ := ParseLine(service, raw)
		if stamp.IsZero() && len(text) != len(raw) {
			t.Fatalf("%q lost its start without a stamp", raw)
		}
	})
}
