package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chef-backend-cockpit/assets"
)

// call runs the program in this process without a terminal.
func call(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	in, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var o, e bytes.Buffer
	code = run(t.Context(), newEnding(), args, in, &o, &e)
	return code, o.String(), e.String()
}

// home gives the program a home of its own with an optional configuration.
func home(t *testing.T, config string) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	t.Setenv("SSH_AUTH_SOCK", "")
	path := filepath.Join(dir, "config", "chef-backend-cockpit", "config.yaml")
	if config != "" {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestBadInputGetsOneLineWithARemedy(t *testing.T) {
	for _, c := range []struct {
		name   string
		args   []string
		config string
		code   int
		says   []string
	}{
		{"no terminal", []string{"demo"}, "", 64, []string{"needs a terminal", "status --json"}},
		{"no host", []string{"status"}, "", 64, []string{"no host given", "--cluster"}},
		{"unknown scenario", []string{"demo", "--scenario", "nonsense"}, "", 64, []string{`"nonsense"`, "demo --list"}},
		{"speed", []string{"demo", "--speed", "-1"}, "", 64, []string{"--speed", "0.1 to 20"}},
		{"unknown procedure", []string{"procedure", "show", "nonsense"}, "", 64, []string{`"nonsense"`, "procedure list"}},
		{"no such logs", []string{"diagnose", "--logs", "absent"}, "", 64, []string{"absent", "gather-logs"}},
		{"logs and a host", []string{"diagnose", "--logs", ".", "be1"}, "", 64, []string{"--logs", "be1"}},
		{"no logs there", []string{"diagnose", "--logs", "."}, "", 3, []string{"no logs below", "var/log/chef-backend"}},
		{"misspelt flag", []string{"status", "--clustr", "prod"}, "", 64, []string{"did you mean --cluster?", "--help"}},
		{"unknown flag", []string{"status", "--nonsense"}, "", 64, []string{"--nonsense", "--help"}},
		{"mistyped command", []string{"stauts"}, "", 64, []string{`"stauts"`, "status"}},
		{"too many arguments", []string{"version", "x"}, "", 64, []string{"--help"}},
		{"no argument", []string{"journal", "show"}, "", 64, []string{"say chef-backend-cockpit journal show ID", "journal show --help"}},
		{"no host to ask", []string{"config", "init"}, "", 64, []string{"say chef-backend-cockpit config init HOST"}},
		{"unknown cluster", []string{"--cluster", "x", "status"}, "clusters: {prod: {nodes: [{host: a}]}}", 64, []string{`"x"`, "prod"}},
		{"missing configuration", []string{"--config", "missing.yaml", "status"}, "", 64, []string{"missing.yaml"}},
		{"unknown key", []string{"status"}, "clusters:\n  prod:\n    nodez: []\n", 64, []string{"config.yaml:3:5", "nodez"}},
		{"broken yaml", []string{"status"}, "clusters:\n  prod: [\n", 64, []string{"config.yaml:"}},
		{"wrong type", []string{"status"}, "clusters:\n  prod:\n    port: many\n", 64, []string{"config.yaml:3:"}},
		{"node without host", []string{"status"}, "clusters: {prod: {nodes: [{address: 10.0.0.1}]}}", 64, []string{"config.yaml:1:27: node 1 of cluster prod has no host; add host"}},
		{"refusing host", []string{"status", "127.0.0.1:1"}, "", 3, []string{"127.0.0.1", "refused"}},
		{"unknown host, a plan", []string{"procedure", "show", "rebuild-follower", "--node", "be3", "no-such-host.invalid"}, "", 3, []string{"no-such-host.invalid"}},
		{"unknown host, a configuration", []string{"--config", "none.yaml", "config", "init", "no-such-host.invalid"}, "", 3, []string{"no-such-host.invalid"}},
		{"unknown host", []string{"status", "no-such-host.invalid"}, "", 3, []string{"no-such-host.invalid"}},
		{"bad port", []string{"status", "127.0.0.1:99999"}, "", 64, []string{"99999", "between 1 and 65535", "[user@]host[:port]"}},
		{"unknown incident", []string{"journal", "show", "nonsense"}, "", 64, []string{"nonsense", "journal list"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			home(t, c.config)
			code, out, errOut := call(t, c.args...)
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			if out != "" {
				t.Errorf("printed on standard output: %q", out)
			}
			if n := strings.Count(errOut, "\n"); n != 1 {
				t.Errorf("%d lines: %q", n, errOut)
			}
			for _, word := range c.says {
				if !strings.Contains(errOut, word) {
					t.Errorf("%q is missing in %q", word, errOut)
				}
			}
		})
	}
}

func TestVersionWritesOneLine(t *testing.T) {
	code, out, errOut := call(t, "version")
	if code != 0 || !strings.HasPrefix(out, "chef-backend-cockpit ") || strings.Count(out, "\n") != 1 || errOut != "" {
		t.Errorf("%d %q %q", code, out, errOut)
	}
}

func TestListsNameWhatTheCatalogueHas(t *testing.T) {
	_, scenarios, _ := call(t, "demo", "--list")
	for _, name := range []string{"follower-wal-gap", "no-leader", "node-down", "planned-restart"} {
		if !strings.Contains(scenarios, name+" ") {
			t.Errorf("demo --list lacks %s:\n%s", name, scenarios)
		}
	}
	code, procedures, _ := call(t, "procedure", "list")
	if code != 0 || !strings.Contains(procedures, "rebuild-follower") {
		t.Errorf("procedure list: %d\n%s", code, procedures)
	}
	code, show, _ := call(t, "procedure", "show", "rebuild-follower")
	if code != 0 || !strings.Contains(show, "PSQL_INTERNAL_OK=true chef-backend-ctl pgsql-follow --force-basebackup --verbose {leader-address}") {
		t.Errorf("procedure show: %d\n%s", code, show)
	}
}

// A site's catalogue is checked with file, line, column and remedy; a faulty
// one is left out and said, and what is built in works on.
func TestSitesCatalogue(t *testing.T) {
	config := home(t, "")
	dir := filepath.Join(filepath.Dir(config), "catalogue")
	if code, _, errOut := call(t, "catalogue", "check"); code != 64 || !strings.Contains(errOut, dir) {
		t.Errorf("no folder: exit %d, %s", code, errOut)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	sign := "signs:\n  - {name: site-sign, pattern: 'something local', meaning: m, source: invented}\n"
	path := filepath.Join(dir, "site.yaml")
	if err := os.WriteFile(path, []byte(sign), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errOut := call(t, "catalogue", "check"); code != 0 || !strings.Contains(out, "1 signs, 0 failures") {
		t.Errorf("in order: exit %d, %s%s", code, out, errOut)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(sign, "meaning", "meening", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, _ := call(t, "catalogue", "check")
	if code != 64 || !strings.Contains(out, path+":2:") || !strings.Contains(out, "meening") {
		t.Errorf("faulty: exit %d, %s", code, out)
	}
	code, out, errOut := call(t, "procedure", "list")
	if code != 0 || !strings.Contains(out, "rebuild-follower") || strings.Count(errOut, "\n") != 1 || !strings.Contains(errOut, "left out") {
		t.Errorf("a faulty catalogue beside: exit %d, %s%s", code, out, errOut)
	}
}

// What a site added is shown as its own, with what goes with its commands.
func TestSitesProcedureIsShownAsItsOwn(t *testing.T) {
	dir := filepath.Join(filepath.Dir(home(t, "")), "catalogue")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(assets.MustRead("manual/site-catalogue.md"), "```yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	example = strings.Replace(example, "/usr/local/sbin/site-raise-heap --quarter", "chef-backend-ctl restart elasticsearch", 1)
	if err := os.WriteFile(filepath.Join(dir, "site.yaml"), []byte(example), 0o600); err != nil {
		t.Fatal(err)
	}
	_, list, _ := call(t, "procedure", "list")
	code, show, errOut := call(t, "procedure", "show", "site-raise-heap")
	for text, wants := range map[string][]string{
		list: {"restarts Elasticsearch. (local)\n"},
		show: {"site-raise-heap, T2, local\n", "T3, confirmed by `restart {node}`, where `restart-is-harmless` does not hold for certain\n", "within 3m\n", "guard service-restarts elasticsearch\n"},
	} {
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%q is missing in (exit %d, %s)\n%s", want, code, errOut, text)
			}
		}
	}
}
