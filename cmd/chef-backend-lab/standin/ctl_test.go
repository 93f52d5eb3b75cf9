//go:build linux

package standin

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

// call runs a command on a host that has only an etcd.
func call(t *testing.T, s *store, env bool, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	h := &host{labFile: labFile{peer: peer{"be1", "10.0.4.11", "g1"}}, store: s, tune: readTunables(nil)}
	c := &ctl{host: h, ctx: context.Background(), out: &o, err: &e, in: bufio.NewReader(strings.NewReader("")), internal: env}
	code = c.dispatch(args)
	return code, o.String(), e.String()
}

func TestDispatcher(t *testing.T) {
	_, s := newFakeEtcd(t)
	for _, x := range []struct {
		args      string
		code      int
		out, errs string // a part of it
	}{
		{"", 0, "Usage: chef-backend-ctl COMMAND", ""},
		{"--help", 0, "  set-cluster-failover\n", ""},
		{"promot be2", 1, "", "Unknown command: promot\nDid you mean:\n  promote\n"},
		{"frobnicate", 1, "", "Unknown command: frobnicate\n"},
		{"restore x.tgz", 1, "", "An unexpected error occurred:\n  the lab's stand-in does not carry out restore\nFor more information run the command with the --verbose flag.\n"},
		{"start postgres", 1, "", "Unknown service: postgres\n"},
		{"status nothing", 1, "", "Unknown service: nothing\n"},
		{"service-list", 0, "leaderl*\nepmd*\netcd*\npostgresql*\nelasticsearch*\n", ""},
		{"promote", 1, "", "promote needs the name of a node"},
		{"promote be9", 1, "", "no such node: be9"},
		{"demote", 1, "", "this node is not the leader"},
		{"set-cluster-failover maybe", 1, "", "STATE must be on, off"},
		{"set-cluster-failover disabled", 0, "Failover disabled for the cluster.\n", ""},
		{"set-node-failover on", 0, "Failover enabled for be1.\n", ""},
		{"remove-node be9 --yes", 1, "", "no such node: be9"},
		{"remove-node --force be9", 1, "", "invalid option: --force"},
		{"cleanse", 1, "", "you must pass in the parameter --yes"},
		{"pgsql-follow 10.0.4.12", 1, "", "runs only with PSQL_INTERNAL_OK=true"},
		{"pgsql-promote", 1, "", "does not carry out"},
	} {
		code, out, errs := call(t, s, false, strings.Fields(x.args)...)
		if code != x.code || !strings.Contains(out, x.out) || !strings.Contains(errs, x.errs) {
			t.Errorf("%q: %d\n%s%s", x.args, code, out, errs)
		}
	}
	if _, out, _ := call(t, s, false, "help"); strings.Contains(out, "pgsql-follow") {
		t.Error("help lists an internal command")
	}
}

func TestQuestion(t *testing.T) {
	for _, x := range []struct {
		name, typed string
		tty, yes    bool
		explicit    bool
		want        string // "" goes on
	}{
		{"the word", "proceed\n", true, false, false, ""},
		{"the word with spaces", " proceed \n", true, false, true, ""},
		{"another word", "yes\n", true, false, false, "canceled"},
		{"nothing", "", true, false, false, "canceled"},
		{"no terminal", "proceed\n", false, false, false, "--yes"},
		{"no terminal, --yes", "", false, true, false, ""},
		{"no terminal, explicit", "proceed\n", false, true, true, "explicit approval"},
	} {
		var out bytes.Buffer
		c := &ctl{out: &out, tty: x.tty, in: bufio.NewReader(strings.NewReader(x.typed))}
		ask := func() error { return c.proceed("Danger.", x.yes) }
		if x.explicit {
			ask = func() error { return c.explicit("Danger.") }
		}
		err := ask()
		if (err == nil) != (x.want == "") || err != nil && !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v", x.name, err)
		}
		asked := strings.Contains(out.String(), "Type 'proceed' to continue, anything else to cancel.")
		if asked != x.tty {
			t.Errorf("%s: asked %v", x.name, asked)
		}
		if errors.Is(err, errCanceled) && (!strings.Contains(out.String(), "Canceling operation") || c.outcome(err) != 4) {
			t.Errorf("%s: %d %s", x.name, c.outcome(err), out.String())
		}
	}
}

func TestOptions(t *testing.T) {
	o, err := parseOptions([]string{"10.0.4.11", "-s", "/a b", "--yes", "--publish_address=10.0.4.13"}, []string{"--yes"}, []string{"-s", "--publish_address"})
	if err != nil || o.words[0] != "10.0.4.11" || o.value("-s") != "/a b" || !o.has("-y", "--yes") || o.value("--publish_address") != "10.0.4.13" {
		t.Errorf("%+v %v", o, err)
	}
	for _, args := range [][]string{{"-s"}, {"--what"}, {"--yes=1"}} {
		if _, err := parseOptions(args, []string{"--yes"}, []string{"-s"}); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
}

func TestCallLine(t *testing.T) {
	none := func(string) (string, bool) { return "", false }
	word := func(k string) (string, bool) { return "true", k == "PSQL_INTERNAL_OK" }
	if got := callLine([]string{"stop", "leaderl"}, none); got != "chef-backend-ctl stop leaderl" {
		t.Error(got)
	}
	if got := callLine([]string{"pgsql-follow", "10.0.4.11", "--verbose"}, word); got != "PSQL_INTERNAL_OK=true chef-backend-ctl pgsql-follow 10.0.4.11 --verbose" {
		t.Error(got)
	}
	if got := callLine([]string{"a\nb"}, none); strings.Contains(got, "\n") {
		t.Errorf("%q is more than a line", got)
	}
}

func TestClusterStatusTables(t *testing.T) {
	c := parseState(etcdNode{})
	for i, guid := range []string{"dc0c6ea77a751f94037cd950e8451fa3", "008782c59d3628b6bb7f43556ac0c66c", "1af654172b1830927a571d9a5ba7965b"} {
		n := string(rune('1' + i))
		c.Nodes[guid] = peer{"backend-" + n, "192.168.33.21" + n, guid}
	}
	c.Leader = "dc0c6ea77a751f94037cd950e8451fa3"
	c.Posts[c.Leader] = post{Role: leading, PG: "leader", ES: "not_master", Eligible: true, Senders: []sender{{"192.168.33.212", "streaming"}, {"192.168.33.213", "backup"}}}
	c.Posts["008782c59d3628b6bb7f43556ac0c66c"] = post{Role: following, PG: "follower", ES: "master", Following: "192.168.33.211", Partial: true}
	want := `Name       IP              GUID                              Role      PG        ES          Following       Eligible  Blocked
backend-1  192.168.33.211  dc0c6ea77a751f94037cd950e8451fa3  leader    leader    not_master  -               yes       no
backend-2  192.168.33.212  008782c59d3628b6bb7f43556ac0c66c  follower  follower  master      192.168.33.211  no        no
backend-3  192.168.33.213  1af654172b1830927a571d9a5ba7965b  unknown   unknown   unknown     -               no        no
`
	if got := clusterTable(c); got != want {
		t.Errorf("got\n%s", got)
	}
	var doc struct {
		Nodes []map[string]any `json:"nodes"`
	}
	text := clusterJSON(c)
	if err := json.Unmarshal([]byte(text), &doc); err != nil || doc.Nodes[1]["partially_synced"] != true || !strings.Contains(text, "\n      \"partially_synced\": false\n") {
		t.Errorf("%v\n%s", err, text)
	}
	if got := roles(c); got != "leader: 1; waiting: 0; follower: 1; total: 2" {
		t.Error(got)
	}
	if got := copies(c); got != "leader: 1; offline: 0; syncing: 1; synced: 1" {
		t.Error(got)
	}
	if got := inState(2*86400 + 61); got != "2d 0h 1m 1s" {
		t.Error(got)
	}
}

func TestCleanseCopiesDoNotMeet(t *testing.T) {
	at := time.Date(2026, 11, 23, 14, 1, 7, 0, time.UTC)
	first := cleanseCopy(at, func(string) bool { return false })
	second := cleanseCopy(at, func(p string) bool { return p == first })
	if first != "/root/chef-backend-cleanse-2026-11-23T14:01" || second != first+":07" {
		t.Error(first, second)
	}
}
