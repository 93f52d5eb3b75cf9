package catalogue

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"chef-backend-cockpit/cluster"
)

// good is a small catalogue that passes; the cases of TestProblems spoil it.
const good = `signs:
  - name: a-sign
    services: [etcd]
    pattern: 'lost leader ([0-9a-f]+)'
    meaning: It lost its leader.
    source: invented
failures:
  - name: a-failure
    section: Somewhere
    scope: node
    priority: P2
    escalate:
      - {when: is-elected, priority: P1}
    title: "{node} is out"
    cause: c
    ignored: i
    time: t
    first: f
    confirmed: [unreachable, not service-runs etcd]
    seen: [a-sign]
    hold: 10s
    hides:
      - {failure: "another-*", node: same}
    offers:
      - {procedure: mend, service: etcd, note: n}
  - name: another-failure
    section: Somewhere
    scope: cluster
    priority: P3
    title: t
    cause: c
    ignored: i
    time: t
    first: f
    confirmed: [etcd-quorum]
procedures:
  - name: mend
    section: Somewhere
    title: Mend {service} on {node}
    summary: s
    target: service
    tier: T2
    phrase: "{node}"
    guards:
      - unreachable
      - {fact: not good-follower, override: last copy}
    steps:
      - id: 1-mend
        say: mend it
        on: node
        command: chef-backend-ctl restart {service}
        effects: [service-runs]
        deadline: 60s
      - id: 2-cable
        kind: manual
        say: mend the cable
        to-do: |
          Go to {other1-address}.
          Mend the cable.
        on: other1
        deadline: 10m
      - id: 3-mend
        kind: terminal
        say: mend the next
        phrase: "{other1}"
        on: other1
        command: chef-backend-ctl restart {service}
        new-machine: true
        effects: [service-runs]
        deadline: 60s
      - id: 4-mend
        say: mend it again
        on: other1
        command: chef-backend-ctl restart {service}
        effects: [service-runs]
        deadline: 60s
    lost: nothing
    lasts: a minute
    way-back: none
    built: true
`

func load(files ...string) (*Catalogue, error) {
	fsys := fstest.MapFS{}
	for i, f := range files {
		fsys["cat/"+string(rune('a'+i))+".yaml"] = &fstest.MapFile{Data: []byte(f)}
	}
	return Load(fsys, "cat")
}

func TestLoad(t *testing.T) {
	c, err := load(good)
	if err != nil {
		t.Fatal(err)
	}
	f, p := c.Failures[0], c.Procedures[0]
	if f.Hold != 10*time.Second || f.Confirmed[1].String() != "not service-runs etcd" || f.Escalate[0].Priority != cluster.P1 || f.Offers[0].Service != "etcd" {
		t.Errorf("%+v", f)
	}
	if p.Tier != cluster.T2 || p.Guards[1].Override != "last copy" || !p.Guards[1].Not || p.Steps[0].Deadline != time.Minute || !p.Built {
		t.Errorf("%+v", p)
	}
	manual, terminal := p.Steps[1], p.Steps[2]
	if manual.Kind != cluster.StepManual || !strings.HasSuffix(manual.ToDo, ".\nMend the cable.") || manual.On != "other1" {
		t.Errorf("%+v", manual)
	}
	if terminal.Kind != cluster.StepTerminal || terminal.Phrase != "{other1}" || !terminal.NewMachine {
		t.Errorf("%+v", terminal)
	}
}

func TestProblems(t *testing.T) {
	cases := []struct{ name, old, new, want string }{
		{"unknown key", "    cause: c\n    ignored: i\n    time: t\n    first: f\n    confirmed: [unr", "    causes: c\n    ignored: i\n    time: t\n    first: f\n    confirmed: [unr", `a.yaml:15:5: unknown field "causes"`},
		{"no YAML", "signs:\n", "signs: [\n", "cat/a.yaml:"},
		{"unknown fact", "[unreachable, not", "[unreachablee, not", `a.yaml:19:17: unknown fact "unreachablee"`},
		{"unknown service of a fact", "service-runs etcd", "service-runs etdc", "a.yaml:19:30: fact \"service-runs\": takes one of"},
		{"unknown fact of a guard", "- unreachable\n", "- unreachablee\n", `a.yaml:45:9: unknown fact "unreachablee": did you mean "unreachable"?`},
		{"no guard", "    guards:\n      - unreachable\n      - {fact: not good-follower, override: last copy}\n", "", "needs a guard"},
		{"no effect", "        effects: [service-runs]\n", "", "a.yaml:48:9: a step that acts needs an effect"},
		{"no deadline", "        deadline: 60s\n", "", "a.yaml:48:9: a step that acts needs a deadline"},
		{"no tier", "    tier: T2\n", "", `tier "": write T0, T1, T2 or T3`},
		{"no phrase", "    phrase: \"{node}\"\n", "", "phrase is missing"},
		{"nothing said of loss", "    lost: nothing\n", "", "lost is missing"},
		{"T0 that acts", "tier: T2", "tier: T0", "T0 runs no command"},
		{"pattern too loose", "lost leader ([0-9a-f]+)", "[a-z]+ (one|two)", "a.yaml:4:14: pattern needs 4 bytes of fixed text"},
		{"pattern ignores case", "lost leader (", "(?i)lost leader (", "pattern needs 4 bytes"},
		{"pattern broken", "lost leader (", "lost leader ((", "does not compile"},
		{"unknown log", "services: [etcd]", "services: [etdc]", `unknown service "etdc"`},
		{"sign without source", "    source: invented\n", "", "source is missing"},
		{"duplicate", "name: another-failure", "name: a-failure", `a.yaml:26:11: failure "a-failure" is there already`},
		{"bad name", "name: another-failure", "name: Another", "use small letters"},
		{"unknown procedure", "procedure: mend,", "procedure: mendd,", `a.yaml:25:21: offers unknown procedure "mendd"`},
		{"offer without service", "service: etcd, note", "note", "needs a service"},
		{"unknown hidden", `"another-*"`, `"nothing-*"`, "matches no other failure"},
		{"unknown sign", "seen: [a-sign]", "seen: [a-signn]", `a.yaml:20:12: unknown sign`},
		{"missing cause", "    cause: c\n    ignored: i\n    time: t\n    first: f\n    confirmed: [unr", "    ignored: i\n    time: t\n    first: f\n    confirmed: [unr", "cause is missing"},
		{"missing section", "    section: Somewhere\n    scope: cluster", "    scope: cluster", "section is missing"},
		{"no confirming fact", "    confirmed: [etcd-quorum]\n", "", "confirmed is missing"},
		{"unknown placeholder", `"{node} is out"`, `"{nod} is out"`, "a.yaml:14:12: unknown placeholder {nod}"},
		{"unknown placeholder in a command", "restart {service}", "restart {servic}", "unknown placeholder {servic}"},
		{"unknown further node", "Go to {other1-address}", "Go to {other3-address}", "unknown placeholder {other3-address}"},
		{"long title", `"{node} is out"`, `"` + strings.Repeat("x", 61) + `"`, "at most 60 columns"},
		{"bad time", "hold: 10s", "hold: ten", `a.yaml:21:11: "ten" is no length of time`},
		{"bad priority", "priority: P3", "priority: P4", `priority "P4"`},
		{"bad guard", "{fact: not good-follower, override: last copy}", "{fact: not good-follower, overide: last copy}", "overide"},
		{"unknown kind", "kind: terminal", "kind: terminall", `kind "terminall": write one of manual, terminal`},
		{"manual that does not say what", "        to-do: |\n          Go to {other1-address}.\n          Mend the cable.\n", "", "to-do is missing"},
		{"manual with a command", "        to-do: |\n", "        command: reboot\n        to-do: |\n", "a manual step runs no command"},
		{"manual without deadline", "        deadline: 10m\n", "", "a manual step needs a deadline"},
		{"to-do of a command", "        say: mend it again\n", "        say: mend it again\n        to-do: x\n", "a.yaml:73:16: to-do is for a person"},
		{"unknown place", "        on: other1\n        deadline: 10m", "        on: other3\n        deadline: 10m", `on "other3": write one of node, leader, member, other1, other2`},
		{"terminal without a command", "        command: chef-backend-ctl restart {service}\n        new-machine", "        new-machine", "a terminal step needs a command"},
		{"further node without phrase", "        phrase: \"{other1}\"\n        on", "        on", "a.yaml:62:9: phrase is missing: from T2 on a plan that reaches a further node"},
		{"new machine unseen", "        phrase: \"{other1}\"\n        on", "        on", "new-machine needs `on` and a phrase"},
		{"joined and held", "        new-machine: true\n", "        joined: true\n", "it takes no phrase and no person"},
		{"way back held", "    lost: nothing\n", "    back-from: 1-mend\n    back:\n      - id: 1-back\n        kind: manual\n        say: undo it\n        to-do: undo it\n        deadline: 1m\n    lost: nothing\n", "the way back waits for nobody"},
		{"words asked for too late", "        effects: [service-runs]\n        deadline: 60s\n    lost", "        effects: [service-runs]\n        deadline: 60s\n        guards: [{fact: good-follower, override: go on}]\n    lost", `"go on" could never be typed`},
		{"a log that confirms", "confirmed: [etcd-quorum]", "confirmed: [leaderl-log-crashes]", "a log can only raise a suspicion"},
		{"a log that allows", "      - unreachable\n", "      - at be1 leaderl-log-crashes\n", "a log allows nothing"},
		{"bad scope", "scope: cluster", "scope: world", `scope "world"`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if strings.Count(good, c.old) < 1 {
				t.Fatal("the case spoils nothing")
			}
			_, err := load(strings.Replace(good, c.old, c.new, 1))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nwant %s", err, c.want)
			}
			var p Problem
			if !errors.As(err, &p) || p.File != "cat/a.yaml" || p.Line < 1 || p.Column < 1 {
				t.Errorf("no place in %v", err)
			}
		})
	}
}

// Names are looked for over all files, and all complaints come at once.
func TestSeveralFiles(t *testing.T) {
	head, tail, _ := strings.Cut(good, "procedures:\n")
	if _, err := load(head, "procedures:\n"+tail); err != nil {
		t.Error(err)
	}
	_, err := load(strings.Replace(good, "cause: c", "cause: ''", 2), "signs:\n  - name: x\n    nonsense: 1\n")
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("want three complaints, got: %v", err)
	}
	if _, err := load(); err == nil {
		t.Error("an empty folder is no catalogue")
	}
}

func TestRequiredLiteral(t *testing.T) {
	for pattern, ok := range map[string]bool{
		"abcd": true, "abc": false, "(?:abcd|efgh)x": true, "(?:abcd|ef)": false, "(?:abcd)?": false, "(?:abcd)+": true, "(?:abcd)*": false,
		"a.bcde": true, "[a]bcd": true, "^disk full$": true, ".*": false, "(abc)(def)": false, "äöü": true,
	} {
		if err := checkPattern(pattern); (err == nil) != ok {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}
