package catalogue

import (
	"strings"
	"testing"
	"testing/fstest"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
)

// worked is the example of the document for authors.
func worked(t *testing.T) string {
	t.Helper()
	_, rest, ok := strings.Cut(assets.MustRead("manual/site-catalogue.md"), "```yaml\n")
	text, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatal("the document for authors has no example")
	}
	return text
}

func withSite(text string) (*Catalogue, error) {
	return LoadWithSite(assets.Files, "catalogue", fstest.MapFS{"site.yaml": {Data: []byte(text)}}, "own")
}

// The example in the document for authors loads, is marked, and is guarded
// beyond what it says itself.
func TestTheAuthorsExample(t *testing.T) {
	c, err := withSite(worked(t))
	if err != nil {
		t.Fatal(err)
	}
	var failures, procedures, signs int
	for _, f := range c.Failures {
		if f.Local {
			failures++
			if !strings.HasSuffix(f.Title, "(local)") {
				t.Errorf("%s is not marked: %q", f.Name, f.Title)
			}
		}
	}
	for _, s := range c.Signs {
		if s.Local {
			signs++
		}
	}
	for _, p := range c.Procedures {
		if !p.Local {
			continue
		}
		procedures++
		if !p.Built || !strings.HasSuffix(p.Title, "(local)") {
			t.Errorf("%s: built %v, %q", p.Name, p.Built, p.Title)
		}
		said := map[string]bool{}
		for _, g := range p.Guards {
			said[g.Question.String()] = true
		}
		for _, g := range siteGuards {
			if !said[g] {
				t.Errorf("%s runs without the guard %s", p.Name, g)
			}
		}
	}
	if failures == 0 || procedures == 0 || signs == 0 {
		t.Errorf("%d failures, %d procedures, %d signs of the site", failures, procedures, signs)
	}
}

// A site cannot make anything built in weaker.
func TestWhatASiteCannotDo(t *testing.T) {
	example := worked(t)
	for _, c := range []struct{ name, old, new, says string }{
		{"hide what is built in", "    offers:", "    hides:\n      - {failure: two-primaries, node: any}\n    offers:", "cannot hide two-primaries"},
		{"hide all", "    offers:", "    hides:\n      - {failure: \"*\", node: any}\n    offers:", "which is built in"},
		{"stand above", "    offers:", "    above: true\n    offers:", "cannot stand above"},
		{"take a name", "name: site-heap-too-small", "name: no-leader", `"no-leader" is there already`},
		{"replace a procedure", "name: site-raise-heap", "name: rebuild-follower", `"rebuild-follower" is there already`},
		{"lower a tier", "command: /usr/local/sbin/site-raise-heap --quarter", "command: chef-backend-ctl promote {node}", "T3 at least"},
		{"hide a command in a pipe", "command: /usr/local/sbin/site-raise-heap --quarter", "command: true; /opt/x/chef-backend-ctl cleanse --yes", "T3 at least"},
		{"destroy", "command: /usr/local/sbin/site-raise-heap --quarter", "command: rm -rf /var/opt/chef-backend/postgresql", "T3 at least"},
		{"write into the cockpit's folder", "command: /usr/local/sbin/site-raise-heap --quarter", "command: cp x /var/opt/chef-backend-cockpit/steps/y", "belongs to the cockpit"},
		{"be confirmed by anything", "phrase: \"{node}\"", "phrase: go", "put {node} into it"},
		{"declare itself built in", "tier: T2", "tier: T2\n    local: false", "local"},
		{"name no fact", "confirmed: [", "confirmed: [nonsense, ", "did you mean"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(example, c.old) {
				t.Fatalf("the example no longer holds %q", c.old)
			}
			_, err := withSite(strings.Replace(example, c.old, c.new, 1))
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "own/site.yaml:") {
				t.Errorf("said %v", err)
			}
		})
	}
	if _, err := LoadWithSite(assets.Files, "catalogue", fstest.MapFS{}, "own"); err == nil || !strings.Contains(err.Error(), "own") {
		t.Errorf("an empty folder: %v", err)
	}
}

// ctlStep is the example with another step, of tier and command.
func ctlStep(t *testing.T, tier, on, command string) string {
	t.Helper()
	return strings.NewReplacer("tier: T2", "tier: "+tier, "on: node", "on: "+on,
		"command: /usr/local/sbin/site-raise-heap --quarter", "command: "+command).Replace(worked(t))
}

// What a command is when something built in runs it, it is when a site does.
func TestReasonsGoWithTheCommand(t *testing.T) {
	local := func(tier, command string) cluster.Procedure {
		c, err := withSite(ctlStep(t, tier, "node", command))
		if err != nil {
			t.Fatalf("%s: %v", command, err)
		}
		return c.Procedures[len(c.Procedures)-1]
	}
	for command, rule := range map[string]string{
		"chef-backend-ctl restart elasticsearch":   "not restart-is-harmless",
		"chef-backend-ctl start leaderl":           "not elected",
		"true && chef-backend-ctl restart leaderl": "not restart-is-harmless",
		"/opt/x/bin/chef-backend-ctl stop leaderl": "stop-is-grave",
		"sh -c 'chef-backend-ctl stop postgresql'": "stop-is-grave",
	} {
		tier := max(leastTier(command), cluster.T1).String()
		if p := local(tier, command); len(p.Raise) == 0 || p.Raise[0].When.String() != rule || p.Raise[0].Tier != cluster.T3 {
			t.Errorf("%s: raised by %v", command, p.Raise)
		}
	}
	for command, guards := range map[string][]string{
		"PSQL_INTERNAL_OK=true chef-backend-ctl pgsql-follow 10.0.4.11": {"another-node-leads", "copy-takes-no-writes", "no-wal-of-its-own", "second-copy-elsewhere"},
		"chef-backend-ctl force-leader":                                 {"never-armed"},
		"chef-backend-ctl remove-node {node} --yes":                     {"node-is-off", "another-node-leads"},
		"chef-backend-ctl create-cluster --quorum-loss-recovery --yes":  {"at {other} fenced", "etcd-lost-for-10s", "copy-was-saved"},
		"chef-backend-ctl promote {node}":                               {"failover-allowed", "named-alike"},
		"chef-backend-ctl cleanse --yes":                                {"not needs-saving", "gone-from-members"},
	} {
		said := map[string]bool{}
		for _, g := range local("T3", command).Steps[0].Guards {
			if said[g.Question.String()] {
				t.Errorf("%s asks %s twice", command, g.Question)
			}
			said[g.Question.String()] = true
		}
		for _, g := range guards {
			if !said[g] {
				t.Errorf("%s runs without the guard %s", command, g)
			}
		}
		for g := range said {
			if strings.HasPrefix(g, "step-") {
				t.Errorf("%s asks about a step that is not its own: %s", command, g)
			}
		}
	}
	if _, err := withSite(ctlStep(t, "T1", "leader", "chef-backend-ctl restart leaderl")); err == nil || !strings.Contains(err.Error(), "may hit the leader") {
		t.Errorf("a restart of the leader in T1: %v", err)
	}
	own := strings.Replace(ctlStep(t, "T3", "node", "chef-backend-ctl remove-node {node} --yes"), "guards: [service-restarts elasticsearch]",
		"guards: [{fact: node-is-off, override: go on}]", 1)
	c, err := withSite(own)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range c.Procedures[len(c.Procedures)-1].Steps[0].Guards {
		if g.Override == "go on" {
			t.Errorf("the site overrides %s, which is built in", g.Question)
		}
	}
}

func TestLeastTier(t *testing.T) {
	for command, want := range map[string]cluster.Tier{
		"cat /etc/hosts":                                                cluster.T0,
		"cat /etc/hosts > /etc/passwd":                                  cluster.T2,
		"chef-backend-ctl status":                                       cluster.T0,
		"chef-backend-ctl status; reboot":                               cluster.T2,
		"chef-backend-ctl restart leaderl":                              cluster.T1,
		"sh -c 'chef-backend-ctl stop etcd'":                            cluster.T2,
		"ls $(chef-backend-ctl force-leader)":                           cluster.T3,
		"chef-backend-ctl":                                              cluster.T3,
		"chef-backend-ctl unheard-of":                                   cluster.T3,
		"PSQL_INTERNAL_OK=true chef-backend-ctl pgsql-follow 10.0.4.11": cluster.T2,
		"PSQL_INTERNAL_OK=true chef-backend-ctl pgsql-promote":          cluster.T3,
		"systemctl restart ntp":                                         cluster.T2,
	} {
		if got := leastTier(command); got != want {
			t.Errorf("%q is %s, not %s", command, got, want)
		}
	}
}
