package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"chef-backend-cockpit/cluster"
)

// sampleCheckup has a line of every kind: alike on all nodes, alike on some,
// advice, not ok, unknown, and a node that we do not get into.
func sampleCheckup() *checkup {
	c := &checkup{cluster: "prod", at: time.Date(2026, 11, 29, 14, 0, 0, 0, time.UTC), reached: true, nodes: []cluster.Node{
		{Name: "be1", Address: "10.0.4.11", Dial: "be1.example"}, {Name: "backend-2.example.org", Address: "10.0.4.12", Dial: "be2.example"}, {Name: "be3", Dial: "be3.example"}}}
	add := func(node string, p cluster.Purpose, what string, s cluster.Standing, seen, remedy string) {
		c.all = append(c.all, cluster.Precondition{Node: node, For: p, What: what, Standing: s, Seen: seen, Remedy: remedy})
	}
	add(cluster.Here, cluster.ToWatch, "configuration", cluster.InOrder, "/home/ops/.config/chef-backend-cockpit/config.yaml is valid", "")
	for _, n := range c.nodes {
		add(n.Name, cluster.ToWatch, "reach", cluster.InOrder, "an SSH server answers at "+n.Dial, "")
	}
	for i, n := range c.nodes {
		if i < 2 {
			add(n.Name, cluster.ToWatch, "login", cluster.InOrder, "as ops", "")
			add(n.Name, cluster.ToWatch, "more-tools", cluster.Advice, "gzip is missing, for logs that were packed", "Install gzip to see that, too.")
			add(n.Name, cluster.ToAct, "tools", cluster.InOrder, "all 15 are there", "")
			add(n.Name, cluster.ToAct, "lock", cluster.Untold, "the answer was cut off", "Look again.")
			continue
		}
		add(n.Name, cluster.ToWatch, "login", cluster.Amiss, "login as ops refused: none of 2 keys accepted (agent SHA256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg, /home/ops/.ssh/id_ed25519)", "put your public key into its authorized_keys")
		for _, what := range []string{"more-tools", "tools", "lock"} {
			p := cluster.ToAct
			if what == "more-tools" {
				p = cluster.ToWatch
			}
			add(n.Name, p, what, cluster.Untold, cluster.NotLookedAt+"login first", "")
		}
	}
	add("", cluster.ToAct, "one-version", cluster.Untold, "the version of Chef Backend on be3 is unknown", "")
	return c
}

const sampleText = `prod  2026-11-29T14:00:00Z

WATCHING  1 not ok, 1 unknown
  configuration  here              ok       /home/ops/.config/chef-backend-cockpit/config.yaml
                                            is valid
  reach          be1               ok       an SSH server answers at be1.example
  reach          backend-2.examp…  ok       an SSH server answers at be2.example
  reach          be3               ok       an SSH server answers at be3.example
  login          be1               ok       as ops
  login          backend-2.examp…  ok       as ops
  login          be3               not ok   login as ops refused: none of 2 keys
                                            accepted (agent
                                            SHA256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg,
                                            /home/ops/.ssh/id_ed25519)
                                            > Put your public key into its
                                              authorized_keys.
  more-tools     be1               advice   gzip is missing, for logs that were
                                            packed
                                            > Install gzip to see that, too.
  more-tools     backend-2.examp…  advice   gzip is missing, for logs that were
                                            packed
                                            > Install gzip to see that, too.
  all else       be3               unknown  not looked at: login first

ACTING  0 not ok, 5 unknown
  tools          be1               ok       all 15 are there
  tools          backend-2.examp…  ok       all 15 are there
  lock           be1               unknown  the answer was cut off
                                            > Look again.
  lock           backend-2.examp…  unknown  the answer was cut off
                                            > Look again.
  one-version    cluster           unknown  the version of Chef Backend on be3
                                            is unknown
  all else       be3               unknown  not looked at: login first
`

func TestDoctorsText(t *testing.T) {
	var b bytes.Buffer
	if err := sampleCheckup().print(&b); err != nil {
		t.Fatal(err)
	}
	if b.String() != sampleText {
		t.Errorf("it prints\n%s", b.String())
	}
	checkWidth(t, b.String())
}

// widestWord is how wide a word is that is wider than its column.
const widestWord = 36

// checkWidth holds that no line is wider than a terminal of 80 columns, but for
// one that ends with a word which has to be whole.
func checkWidth(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > doctorWidth && utf8.RuneCountInString(line[strings.LastIndex(line, " ")+1:]) < widestWord {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

const sampleJSON = `{
  "cluster": "prod",
  "at": "2026-11-29T14:00:00Z",
  "watching": false,
  "acting": null,
  "nodes": [
    {
      "name": "be1",
      "address": "10.0.4.11",
      "dial": "be1.example"
    }
  ],
  "preconditions": [
    {
      "for": "watching",
      "what": "tools",
      "node": "be1",
      "state": "not ok",
      "seen": "psql is missing",
      "reason": "",
      "remedy": "Install Chef Backend on the node."
    },
    {
      "for": "acting",
      "what": "lock",
      "node": "",
      "state": null,
      "seen": "",
      "reason": "the answer was cut off",
      "remedy": ""
    }
  ]
}
`

func TestDoctorsJSON(t *testing.T) {
	c := &checkup{cluster: "prod", at: sampleCheckup().at, nodes: sampleCheckup().nodes[:1], all: []cluster.Precondition{
		{Node: "be1", For: cluster.ToWatch, What: "tools", Standing: cluster.Amiss, Seen: "psql is missing", Remedy: "install Chef Backend on the node"},
		{For: cluster.ToAct, What: "lock", Standing: cluster.Untold, Seen: "the answer was cut off"},
	}}
	j := c.json()
	if j.Acting == nil || *j.Acting {
		t.Errorf("what watching lacks, acting lacks: %v", j.Acting)
	}
	j.Acting = nil // as it is when nothing is known to be missing
	var b bytes.Buffer
	if err := printJSON(&b, j); err != nil {
		t.Fatal(err)
	}
	if b.String() != sampleJSON {
		t.Errorf("it prints\n%s", b.String())
	}
	c.all = c.all[1:]
	b.Reset()
	if err := printJSON(&b, c.json()); err != nil || !strings.Contains(b.String(), `"watching": true,`) || !strings.Contains(b.String(), `"acting": null,`) {
		t.Errorf("%v: %s", err, b.String())
	}
	var back map[string]any
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || len(back) != 6 {
		t.Errorf("%v: %v", err, back)
	}
}

func TestWrapped(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  string
	}{
		{"", 10, ""}, {"one", 10, "one"}, {"one two three", 7, "one two|three"}, {"abcdefghij", 4, "abcdefghij"},
		{"a abcdefghij b", 4, "a|abcdefghij|b"}, {"äöü äöü", 3, "äöü|äöü"}, {"abcd efgh", 4, "abcd|efgh"},
	} {
		if got := strings.Join(wrapped(c.text, c.width), "|"); got != c.want {
			t.Errorf("%q at %d: %q, want %q", c.text, c.width, got, c.want)
		}
	}
}
