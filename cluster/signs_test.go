package cluster_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/failure"
	"chef-backend-cockpit/cluster/logs"
)

// signLine is one line of testdata/signs.tsv.
type signLine struct{ from, sign, service, raw string }

func signLines(t *testing.T) (all []signLine) {
	t.Helper()
	b, err := os.ReadFile("testdata/signs.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		c := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 4)
		if len(c) != 4 || !slices.Contains([]string{"real", "worded", "invented"}, c[0]) {
			t.Fatalf("not understood: %q", line)
		}
		all = append(all, signLine{c[0], c[1], c[2], c[3]})
	}
	return all
}

// matched are the names of the signs that a line, stamp and all, matches.
func matched(m *logs.Matcher, service, raw string) (names []string) {
	_, text, _ := logs.ParseLine(service, []byte(raw))
	for _, i := range m.AppendMatches(nil, service, text) {
		names = append(names, m.Sign(i).Name)
	}
	return names
}

// Every sign knows a line, by the way that lines take; ordinary lines are none,
// and a word of one service is none of another's.
func TestEverySignHasALine(t *testing.T) {
	c := load(t)
	m, err := logs.NewMatcher(c.Signs)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, l := range signLines(t) {
		got := matched(m, l.service, l.raw)
		if l.sign == "-" {
			if len(got) > 0 {
				t.Errorf("an ordinary line is taken for %v: %s", got, l.raw)
			}
			continue
		}
		if !slices.Contains(got, l.sign) {
			t.Errorf("%s does not match, but %v: %s", l.sign, got, l.raw)
		}
		known[l.sign] = true
		i := slices.IndexFunc(c.Signs, func(s cluster.Sign) bool { return s.Name == l.sign })
		if i < 0 {
			t.Errorf("there is no sign %s", l.sign)
		} else if len(c.Signs[i].Services) > 0 && slices.Contains(matched(m, "epmd", l.raw), l.sign) {
			t.Errorf("%s is taken from the log of another service", l.sign)
		}
	}
	for _, s := range c.Signs {
		if !known[s.Name] {
			t.Errorf("no line is known for %s", s.Name)
		}
	}
	if len(c.Signs) < 60 {
		t.Errorf("%d signs", len(c.Signs))
	}
}

// Words that look like trouble and are none.
func TestTrapsOfTheLogs(t *testing.T) {
	c := load(t)
	m, err := logs.NewMatcher(c.Signs)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range c.Failures {
		if slices.Contains(f.Seen, "postgresql-starting-up") {
			t.Errorf("%s: that PostgreSQL is starting up means nothing alone", f.Name)
		}
	}
	if got := matched(m, "elasticsearch", "[2026-11-23T11:00:00,001][INFO ][o.e.c.r.a.DiskThresholdMonitor] [be1] rerouting shards: [one or more nodes has gone under the high or low watermark]"); len(got) > 0 {
		t.Errorf("a recovered watermark is taken for %v", got)
	}
	// Elasticsearch logs that it turned green again; the words must raise nothing.
	if got := matched(m, "elasticsearch", "[2026-11-23T11:00:00,001][INFO ][o.e.c.r.a.AllocationService] [be1] Cluster health status changed from [RED] to [YELLOW] (reason: [x])."); len(got) > 0 {
		t.Errorf("a better colour is taken for %v", got)
	}
	// A second stamp, in local time, between svlogd's and the text.
	for _, raw := range []string{
		"2026-11-23_11:00:00.00001 2026-11-23 12:00:00.000001 W | etcdserver: server is likely overloaded",
		"@400000005a85be2c2d1e3f4a 2026-11-23 12:00:00.000001 W | etcdserver: server is likely overloaded",
		"2026-11-23 12:00:00.000001 W | etcdserver: server is likely overloaded",
	} {
		if got := matched(m, "etcd", raw); !slices.Contains(got, "etcd-overloaded") {
			t.Errorf("double stamps: %v: %s", got, raw)
		}
	}
	// Raw Erlang terms spread over lines, with no level and a time of their own.
	for raw, want := range map[string]bool{
		"2026-11-23_11:00:00.00001 =CRASH REPORT==== 23-Nov-2026::12:00:00 ===":                  true,
		"2026-11-23_11:00:00.00001   crasher:":                                                   false,
		"2026-11-23_11:00:00.00001     initial call: net_kernel:init/1":                          false,
		"2026-11-23_11:00:00.00001     exception exit: {error,badarg}":                           false,
		"2026-11-23_11:00:00.00001 {error_logger,{{2026,11,23},{12,0,0}},std_info,[{x,<0.1.0>}]": false,
	} {
		if got := len(matched(m, "leaderl", raw)) > 0; got != want {
			t.Errorf("Erlang terms: %v, want %v: %s", got, want, raw)
		}
	}
}

// A node whose log says nothing but that PostgreSQL is starting up, while the
// looks see it well, has no finding; nor has one whose lines come out of order.
func TestSignsAloneAreNoFinding(t *testing.T) {
	t.Parallel()
	c, s := load(t), newStage()
	furnish(s)
	tried := map[string]bool{"-": true}
	for _, l := range signLines(t) {
		if tried[l.sign] {
			continue
		}
		tried[l.sign] = true
		e := failure.NewEngine(c.Failures)
		s.view.Signs = []cluster.SignSeen{
			{Sign: l.sign, Node: "be3", Service: l.service, Count: 9, First: s.now, Last: s.now.Add(-time.Second), Example: "invented"},
		}
		for _, f := range e.Evaluate(s.looks(3)) {
			if f.Certainty == cluster.Confirmed {
				t.Errorf("%s confirms %s", l.sign, f.ID())
			}
			for _, ev := range f.Evidence {
				if ev.Kind == "fact" && ev.Side == cluster.SideFor && ev.Answer == cluster.False {
					t.Errorf("%s suspects %s against a look: %s", l.sign, f.ID(), ev.Sentence)
				}
			}
		}
	}
}

// What a cluster that is well logs raises no alarm out of collected logs:
// leaderl connects at each start, and etcd waits for a busy disk now and then.
func TestOrdinaryLinesAreNoAlarm(t *testing.T) {
	var signs []cluster.SignSeen
	for _, name := range []string{"leaderl-starting", "leaderl-connecting", "etcd-slow-heartbeat", "etcd-overloaded"} {
		signs = append(signs, cluster.SignSeen{Sign: name, Node: "be1", Count: 1})
	}
	fs := failure.FromSigns(load(t).Failures, signs)
	if len(fs) == 0 {
		t.Error("etcd that waits for its disk is worth a word")
	}
	for _, f := range fs {
		if f.Priority == cluster.P1 {
			t.Errorf("%s, %s", f.ID(), f.Priority)
		}
	}
}
