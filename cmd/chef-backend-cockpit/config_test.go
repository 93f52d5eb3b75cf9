package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"chef-backend-cockpit/assets"
)

// TestEveryFaultOfAConfigurationHasItsPlaceAndRemedy holds for broken files what
// the first problem says: line:column, what is wrong, what to do.
func TestEveryFaultOfAConfigurationHasItsPlaceAndRemedy(t *testing.T) {
	nodes := "    nodes: [{host: a}]\n"
	for name, c := range map[string]struct{ text, says string }{
		"unclosed bracket":      {"clusters:\n  p: [\n", ":2:6: sequence end token ']' not found; correct the brackets"},
		"unclosed quote":        {"clusters:\n  p:\n    stamp: \"PROD\n", ":3:12: "},
		"tab":                   {"clusters:\n\tp:\n", ":2:1: found character 'tab' that cannot start any token; indent with spaces"},
		"indentation":           {"clusters:\n  p:\n    stamp: X\n   user: y\n" + nodes, ":4:4: value is not allowed in this context; correct the brackets, quotes or indentation"},
		"key twice":             {"clusters:\n  p:\n    stamp: X\n    stamp: Y\n" + nodes, ":4:5: mapping key \"stamp\" already defined at [3:5]; remove or rename one"},
		"cluster twice":         {"clusters:\n  p:\n" + nodes + "  p:\n" + nodes, ":4:3: mapping key \"p\" already defined at [2:3]; remove or rename one"},
		"two documents":         {"clusters:\n  p:\n" + nodes + "---\ncatalogue: /x\n", ":5:1: a second YAML document; put everything into the first"},
		"no theme":              {"theme: solarized\n", `:1:8: theme: "solarized" is no theme; use one of dark, light, contrast, none`},
		"unknown key at top":    {"cluster:\n  p: {}\n", ":1:1: unknown key \"cluster\" in the configuration; use clusters, catalogue or theme"},
		"unknown key":           {"clusters:\n  p:\n    nodez: []\n", ":3:5: unknown key \"nodez\" in cluster p; use stamp, colour, nodes, user, port, jump, identity"},
		"unknown key of a node": {"clusters:\n  p:\n    nodes:\n      - host: a\n        ip: 10.0.0.1\n", ":5:9: unknown key \"ip\" in node 1 of cluster p; use host, name, address or legacy"},
		"clusters is a list":    {"clusters:\n  - p\n", ":2:3: here a list of clusters by name is expected; write key: value"},
		"clusters is empty":     {"clusters:\n", ":1:1: clusters has no value; give it one, or remove the line"},
		"cluster is a word":     {"clusters:\n  p: be1\n", ":2:6: here cluster p is expected; write key: value"},
		"cluster name":          {"clusters:\n  my prod:\n" + nodes, ":2:3: \"my prod\" is no name of a cluster; use letters"},
		"no nodes":              {"clusters:\n  p:\n    stamp: X\n", ":2:3: cluster p has no nodes; add nodes:"},
		"nothing in a cluster":  {"clusters:\n  p:\n", ":2:3: cluster p has no nodes; add nodes:"},
		"empty list of nodes":   {"clusters:\n  p:\n    nodes: []\n", ":3:12: cluster p has no nodes; add - host:"},
		"four nodes":            {"clusters:\n  p:\n    nodes:\n      - host: a\n      - host: b\n      - host: c\n      - host: d\n", ":7:9: cluster p has 4 nodes, a Chef Backend cluster has 3; remove"},
		"a node is a word":      {"clusters:\n  p:\n    nodes: [be1]\n", ":3:13: node 1 of cluster p has no keys; write - host: be1"},
		"node without host":     {"clusters:\n  p:\n    nodes:\n      - host: a\n      - name: b\n", ":5:9: node 2 of cluster p has no host; add host:"},
		"host twice":            {"clusters:\n  p:\n    nodes:\n      - host: a\n      - host: A\n", ":5:15: host A of cluster p stands in line 4 already; correct"},
		"name twice":            {"clusters:\n  p:\n    nodes:\n      - {host: a, name: n}\n      - {host: b, name: n}\n", ":5:25: name n of cluster p stands in line 4 already; correct"},
		"address twice":         {"clusters:\n  p:\n    nodes:\n      - {host: a, address: 10.0.0.1}\n      - {host: b, address: 10.0.0.1}\n", ":5:28: address 10.0.0.1 of cluster p stands in line 4"},
		"address":               {"clusters:\n  p:\n    nodes:\n      - {host: a, address: 10.0.0.300}\n", ":4:28: address: \"10.0.0.300\" is no address; use the one that cluster-status shows"},
		"address with a port":   {"clusters:\n  p:\n    nodes:\n      - {host: a, address: '10.0.0.3:22'}\n", ":4:28: address: \"10.0.0.3:22\" is no address; use"},
		"host as an address":    {"clusters:\n  p:\n    nodes:\n      - host: 10.0.4\n", ":4:15: host: \"10.0.4\" is no address; use a name"},
		"host with a space":     {"clusters:\n  p:\n    nodes:\n      - host: be 1\n", ":4:15: host: not the name of a host: \"be 1\"; use a name"},
		"host with a bad port":  {"clusters:\n  p:\n    nodes:\n      - host: be1:77777\n", ":4:15: host: port \"77777\" is not between 1 and 65535; use"},
		"host is a list":        {"clusters:\n  p:\n    nodes:\n      - host: [be1]\n", ":4:15: host is one value, here is something else; write host: VALUE"},
		"name of a node":        {"clusters:\n  p:\n    nodes:\n      - {host: a, name: 'be one'}\n", ":4:25: name: \"be one\" is no name of a node; use"},
		"port is a word":        {"clusters:\n  p:\n    port: many\n" + nodes, ":3:11: port \"many\" is no number from 1 to 65535; correct it"},
		"port out of range":     {"clusters:\n  p:\n    port: 70000\n" + nodes, ":3:11: port \"70000\" is no number from 1 to 65535"},
		"port zero":             {"clusters:\n  p:\n    port: 0\n" + nodes, ":3:11: port \"0\" is no number from 1 to 65535"},
		"user":                  {"clusters:\n  p:\n    user: root@be1\n" + nodes, ":3:11: user: \"root@be1\" is no login name; write the name alone"},
		"empty user":            {"clusters:\n  p:\n    user: ''\n" + nodes, ":3:11: user is empty; give it a value, or remove the line"},
		"user without a value":  {"clusters:\n  p:\n    user:\n" + nodes, ":3:5: user has no value; give it one, or remove the line"},
		"control character":     {"clusters:\n  p:\n    stamp: \"A\\eB\"\n" + nodes, ":3:12: stamp holds a line break or a control character; write"},
		"stamp too long":        {"clusters:\n  p:\n    stamp: PRODUCTION-IN-THE-NORTH-WEST\n" + nodes, ":3:12: stamp: 28 characters are too many for the screen; use at most 24"},
		"colour":                {"clusters:\n  p:\n    colour: purple\n" + nodes, ":3:13: colour: \"purple\" is no colour of a stamp; use one of red, amber"},
		"jump":                  {"clusters:\n  p:\n    jump: bastion:ssh\n" + nodes, ":3:11: jump: port \"ssh\" is not between 1 and 65535; use [user@]host"},
		"second jump":           {"clusters:\n  p:\n    jump: one,,two\n" + nodes, ":3:11: jump: not the name of a host: \"\"; use [user@]host"},
		"relative key":          {"clusters:\n  p:\n    identity: [id_rsa]\n" + nodes, ":3:16: identity: \"id_rsa\" depends on the folder that one starts in; begin it with / or ~/"},
		"missing key":           {"clusters:\n  p:\n    identity:\n      - /nowhere/id_rsa\n" + nodes, ":4:9: identity: there is no /nowhere/id_rsa; correct the path"},
		"missing known hosts":   {"clusters:\n  p:\n    known-hosts: [~/none]\n" + nodes, ":3:19: known-hosts: there is no ~/none; correct the path"},
		"known hosts a folder":  {"clusters:\n  p:\n    known-hosts: /\n" + nodes, ":3:18: known-hosts: / is a folder; name a file in it"},
		"unknown alias":         {"clusters:\n  p: *other\n", ":2:6: nothing is called &other; write the value out"},
		"two at once":           {"clusters:\n  p:\n    port: x\n    user: ''\n" + nodes, ":3:11: port \"x\" is no number from 1 to 65535; correct it, or remove the line (and 1 more: config check lists them)"},
	} {
		t.Run(name, func(t *testing.T) {
			path := home(t, c.text)
			code, out, errOut := call(t, "status")
			if code != 64 || out != "" || strings.Count(errOut, "\n") != 1 {
				t.Errorf("exit code %d, printed %q and %q", code, out, errOut)
			}
			if want := "chef-backend-cockpit: " + path + c.says; !strings.HasPrefix(errOut, want) {
				t.Errorf("\n got %s want %s", errOut, want)
			}
			if _, after, _ := strings.Cut(errOut, path); !strings.Contains(after, "; ") {
				t.Errorf("no remedy in %q", errOut)
			}
			if _, out, _ := call(t, "__complete", "--cluster", ""); strings.Contains(out, path) {
				t.Errorf("completion says %q", out)
			}
			if code, out, _ := call(t, "config", "check"); code != 64 || !strings.HasPrefix(out, path+strings.Split(c.says, " (and")[0]) {
				t.Errorf("config check: exit code %d, %q", code, out)
			}
		})
	}
}

// A file that is missing for one cluster stops nobody from watching another.
func TestMissingKeyStopsItsOwnClusterOnly(t *testing.T) {
	home(t, "clusters:\n  a: {identity: /nowhere, nodes: [{host: '127.0.0.1:1'}]}\n  b: {nodes: [{host: '127.0.0.1:2'}]}\n")
	if code, _, errOut := call(t, "--cluster", "a", "status"); code != 64 || !strings.Contains(errOut, ":2:17: identity: there is no /nowhere") {
		t.Errorf("its own: %d %s", code, errOut)
	}
	if code, _, errOut := call(t, "--cluster", "b", "status"); code != exitNothing || !strings.Contains(errOut, "refused") {
		t.Errorf("another: %d %s", code, errOut)
	}
}

func TestConfigurationReadsWhatYAMLMeans(t *testing.T) {
	text := `clusters:
  one:
    stamp: &s 2026
    identity: ~/a b
    nodes: &n
      - host: 10.0.4.11
      - {host: "be2", address: fd00::2}
  two:
    <<: {user: chef, port: 2200}
    port: 22
    stamp: *s
    nodes: *n
catalogue: >-
  /srv/site
`
	c, err := parseConfig("f", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	nodes := []nodeConfig{{Host: "10.0.4.11"}, {Host: "be2", Address: "fd00::2"}}
	want := map[string]clusterConfig{
		"one": {Stamp: "2026", Identity: []string{"~/a b"}, Nodes: nodes},
		"two": {Stamp: "2026", User: "chef", Port: 22, Nodes: nodes},
	}
	if !reflect.DeepEqual(c.Clusters, want) || c.Catalogue != "/srv/site" {
		t.Errorf("read %+v", c)
	}
	for _, loop := range []string{"clusters: &a\n  p: *a\n", "clusters:\n  p: &a\n    <<: *a\n", "clusters: &a [*a]\n"} {
		if _, err := parseConfig("f", []byte(loop)); err == nil {
			t.Errorf("%q was accepted", loop)
		}
	}
}

// Words mean the cluster that has them; a stamp never comes from another one.
func TestWordsChooseTheirCluster(t *testing.T) {
	c, err := parseConfig("f", []byte(`clusters:
  prod: {stamp: PROD, user: a, nodes: [{host: p1.example, name: p1}, {host: p2.example, address: 10.1.0.2}]}
  test: {stamp: TEST, nodes: [{host: t1}, {host: both}]}
  copy: {nodes: [{host: both}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	for words, want := range map[string]struct {
		name, stamp string
		nodes       int
		wrong       bool
	}{
		"p1": {"prod", "PROD", 2, false}, "P1.example 10.1.0.2": {"prod", "PROD", 2, false}, "prod": {"prod", "PROD", 2, false},
		"t1": {"test", "TEST", 2, false}, "t1 other": {"", "", 2, false}, "other": {"", "", 1, false}, "both": {"", "", 0, true}, "": {},
	} {
		name, cl, known, err := new(env).chosen(c, strings.Fields(words))
		if name != want.name || cl.Stamp != want.stamp || len(cl.Nodes) != want.nodes || known != (want.name != "") || (err != nil) != want.wrong {
			t.Errorf("%q: %s %+v %v %v", words, name, cl, known, err)
		}
	}
	for words, want := range map[string]clusterConfig{
		"root@be1:2222":         {User: "root", Port: 2222, Nodes: asNodes([]string{"be1"})},
		"root@be1 root@be2":     {User: "root", Nodes: asNodes([]string{"be1", "be2"})},
		"root@be1 be2":          {Nodes: asNodes([]string{"root@be1", "be2"})},
		"127.0.0.1:1 127.1:2":   {Nodes: asNodes([]string{"127.0.0.1:1", "127.1:2"})},
		"be1:99999":             {Nodes: asNodes([]string{"be1:99999"})},
		"fd00::1":               {Nodes: asNodes([]string{"fd00::1"})},
		"[fd00::1]:22 fd00::2":  {Nodes: asNodes([]string{"[fd00::1]:22", "fd00::2"})},
		"[fd00::1]:22 [::2]:22": {Port: 22, Nodes: asNodes([]string{"fd00::1", "::2"})},
	} {
		if got := named(strings.Fields(words)); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v", words, got)
		}
	}
}

func TestExampleAndManualAgree(t *testing.T) {
	example := assets.MustRead("example/config.yaml")
	c, err := parseConfig("example", []byte(example))
	if err != nil {
		t.Fatal(err)
	}
	if cl := c.Clusters["chef-prod"]; cl.Stamp == "" || cl.Port == 0 || len(cl.Nodes) != 3 || len(cl.KnownHosts) == 0 || c.Catalogue == "" {
		t.Errorf("the example does not show every key: %+v", c)
	}
	indented := "    " + strings.ReplaceAll(strings.TrimSpace(example), "\n", "\n    ")
	if !strings.Contains(assets.MustRead("manual/configuration.md"), strings.ReplaceAll(indented, "\n    \n", "\n\n")) {
		t.Error("the manual shows another example than assets/example/config.yaml")
	}
}

func TestCompletionKnowsTheConfiguration(t *testing.T) {
	home(t, "clusters:\n  prod: {stamp: PROD, nodes: [{host: p1, name: be1}, {host: p2}]}\n  test: {nodes: [{host: t1}]}\n")
	for args, want := range map[string]string{
		"--cluster|":               "prod\tPROD\ntest\n:4\n",
		"--cluster|prod|status|":   "p1\tbe1 of prod\np2\tof prod\n:4\n",
		"status|p1|":               "p2\tof prod\n:4\n",
		"diagnose|":                "prod\tPROD\ntest\np1\tbe1 of prod\np2\tof prod\nt1\tof test\n:4\n",
		"procedure|show|x|t":       "p1\tbe1 of prod\np2\tof prod\nt1\tof test\n:4\n",
		"config|init|--colour|":    strings.Join(colours, "\n") + "\n:4\n",
		"--config|/nowhere|watch|": ":4\n",
	} {
		if code, out, _ := call(t, append([]string{"__complete"}, strings.Split(args, "|")...)...); code != 0 || out != want {
			t.Errorf("%s: %d %q, want %q", args, code, out, want)
		}
	}
	if _, out, _ := call(t, "__complete", ""); !strings.Contains(out, "prod\tPROD\n") || !strings.Contains(out, "status\t") || !strings.Contains(out, "p1\t") {
		t.Errorf("the first word: %q", out)
	}
}

// A cluster is added without a change of any other byte.
func TestClusterIsAddedToAFileThatIsThere(t *testing.T) {
	cl := clusterConfig{Stamp: "yes", Colour: "red", User: "root", Port: 22, Jump: "a@b:1,c", Identity: []string{"~/a, b"},
		Nodes: []nodeConfig{{Host: "be1:22", Name: "be1", Address: "10.0.0.1"}, {Host: "fd00::2"}}}
	for name, c := range map[string]struct{ text, after string }{
		"example":         {assets.MustRead("example/config.yaml"), "        address: 10.0.4.13\n"},
		"empty":           {"", ""},
		"comments only":   {"# mine", "# mine\n"},
		"no clusters yet": {"catalogue: /x # the site's\n", "catalogue: /x # the site's\n"},
		"deep, comments, more keys after": {"# a\nclusters: # b\n    x: # c\n        # d\n        nodes: [\n            {host: a}, # e\n        ]\n\n        # f: of x\n\n# g\ncatalogue: /x\n",
			"        # f: of x\n"},
		"no line feed at the end": {"clusters:\n  x:\n    nodes:\n    - host: a", "    - host: a\n"},
		"clusters before a rest":  {"clusters:\n  x: {nodes: [{host: a}]}\n  # of nobody\ncatalogue: /x\n", "  x: {nodes: [{host: a}]}\n"},
		"a text over lines":       {"clusters:\n  x:\n    nodes: [{host: a}]\n    user: |\n      root\n\n", "      root\n"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := withCluster("f", []byte(c.text), "new", cl)
			if err != nil {
				t.Fatal(err)
			}
			block := clusterText("new", cl, strings.Repeat(" ", 2+2*strings.Count(name, "deep")))
			i := strings.Index(string(out), block)
			if i < 0 {
				t.Fatalf("not there:\n%s", out)
			}
			before := strings.TrimSuffix(strings.TrimSuffix(string(out[:i]), "clusters:\n"), "\n")
			if strings.Contains(c.text, "clusters:") {
				before = strings.TrimSuffix(string(out[:i]), "\n")
			}
			if rest := string(out[i+len(block):]); before+rest != c.text && before+rest != c.text+"\n" {
				t.Errorf("more was changed:\n%s", out)
			}
			if !strings.HasSuffix(before, c.after) {
				t.Errorf("not after %q:\n%s", c.after, out)
			}
		})
	}
	for _, text := range []string{"clusters: {x: {nodes: [{host: a}]}}\n", "{clusters: {}}", "clusters:\n  x: {nodes: [{host: a}]}\n...\n"} {
		if out, err := withCluster("f", []byte(text), "new", cl); err == nil {
			if c, err := parseConfig("f", out); err != nil || !reflect.DeepEqual(c.Clusters["new"], cl) {
				t.Errorf("%q became %q", text, out)
			}
		}
	}
	if _, err := withCluster("f", []byte("clusters:\n  new: {nodes: [{host: a}]}\n"), "new", cl); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("the same name: %v", err)
	}
}

func TestConfigIsWrittenWholeAndNeverOver(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "new", "config.yaml")
	if err := writeNew(path, []byte("a")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if err := writeNew(path, []byte("b")); !os.IsExist(err) {
		t.Errorf("over one that is there: %v", err)
	}
	link := filepath.Join(dir, "link.yaml")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := writeOver(link, []byte("x"), []byte("c")); err == nil {
		t.Error("a file that was changed meanwhile was replaced")
	}
	if err := writeOver(link, []byte("a"), []byte("c")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	info, err2 := os.Lstat(link)
	mode, err3 := os.Stat(path)
	if err != nil || err2 != nil || err3 != nil || string(text) != "c" || info.Mode()&os.ModeSymlink == 0 || mode.Mode().Perm() != 0o640 {
		t.Errorf("%q %v %v", text, info.Mode(), mode.Mode())
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*", ".half-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
