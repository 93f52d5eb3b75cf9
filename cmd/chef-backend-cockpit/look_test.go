package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/simulation"
	"chef-backend-cockpit/remote"
)

// site is a simulated cluster that the program reaches as it would reach a
// real one: by a configuration file, a key file and a known_hosts file.
type site struct {
	*simulation.Cluster
	config string
}

// newSite starts the cluster; change may alter the configuration.
func newSite(t *testing.T, scenario string, change func(string) string) site {
	t.Helper()
	return newSiteOf(t, simulation.Options{Clock: remote.NewScaled(4), Seed: 1, Scenario: scenario, StrikeAfter: -1}, change)
}

// newSiteOf starts a cluster of the test's own.
func newSiteOf(t *testing.T, o simulation.Options, change func(string) string) site {
	t.Helper()
	home(t, "")
	sim, err := simulation.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	var b strings.Builder
	first := sim.Target("be1")
	fmt.Fprintf(&b, "clusters:\n  sim:\n    stamp: TEST\n    user: root\n    jump: none\n    identity: [%s]\n    known-hosts: [%s]\n    nodes:\n",
		first.Identity[0], first.KnownHosts[0])
	for _, n := range sim.Nodes() {
		fmt.Fprintf(&b, "      - {host: %q}\n", n.Dial)
	}
	text := b.String()
	if change != nil {
		text = change(text)
	}
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return site{sim, path}
}

func TestStatusOfAHealthyCluster(t *testing.T) {
	s := newSite(t, "", nil)
	code, out, errOut := call(t, "--config", s.config, "status", "--json")
	if code != 0 {
		t.Fatalf("exit code %d: %s\n%s", code, errOut, out)
	}
	var j statusJSON
	if err := json.Unmarshal([]byte(out), &j); err != nil {
		t.Fatal(err)
	}
	if j.Cluster != "sim" || len(j.Nodes) != 3 || j.Nodes[2].Name != "be3" || j.Nodes[2].Address != "10.0.4.13" {
		t.Errorf("cluster %q, nodes %+v", j.Cluster, j.Nodes)
	}
	for _, layer := range []string{"leaderl", "postgresql", "cluster-status"} {
		if !slices.Equal(j.Leadership[layer], []string{"be1"}) {
			t.Errorf("leader by %s: %v", layer, j.Leadership[layer])
		}
	}
	if j.Margin != (marginJSON{3, 3, 1}) || len(j.Findings) != 0 {
		t.Errorf("margin %+v, findings %+v", j.Margin, j.Findings)
	}
	claims := map[string]claimJSON{}
	for _, c := range j.Nodes[0].Claims {
		claims[c.Name] = c
	}
	if c := claims["postgresql.version-num"]; c.Value != 90525.0 || c.AgeSeconds == nil {
		t.Errorf("version: %+v", c)
	}
	if c := claims["postgresql.receive"]; c.Value != nil || c.Reason == "" {
		t.Errorf("an unknown claim: %+v", c)
	}
	code, out, _ = call(t, "--config", s.config, "status")
	if code != 0 || !strings.Contains(out, "3 good copies, can lose 1") || !strings.Contains(out, "no findings") {
		t.Errorf("text: %d\n%s", code, out)
	}
}

func TestDiagnoseNamesTheFailureWithEvidence(t *testing.T) {
	s := newSite(t, "follower-wal-gap", nil)
	var j diagnoseJSON
	var code int
	var out, errOut string
	for end := time.Now().Add(patience); time.Now().Before(end); { // the follower comes back after some seconds
		if code, out, errOut = call(t, "--config", s.config, "diagnose", "--json"); strings.Contains(out, `"confirmed"`) {
			break
		}
	}
	if err := json.Unmarshal([]byte(out), &j); err != nil {
		t.Fatalf("%v: %s%s", err, out, errOut)
	}
	if code != 1 || len(j.Findings) != 1 || j.Findings[0].Failure != "follower-wal-gap" || j.Findings[0].Node != "be3" {
		t.Fatalf("exit code %d, %s", code, out)
	}
	f := j.Findings[0]
	if f.Priority != "P2" || f.Certainty != "confirmed" || !slices.Contains(f.Offers, "rebuild-follower") || len(f.Evidence) < 3 {
		t.Errorf("finding: %+v", f)
	}
	if len(j.Signs) == 0 || j.Signs[0].Count == 0 || j.Lines == 0 || j.Bytes == 0 {
		t.Errorf("signs %+v of %d lines, %d bytes", j.Signs, j.Lines, j.Bytes)
	}
	code, out, _ = call(t, "--config", s.config, "procedure", "show", "rebuild-follower", "--node", "be3")
	if code != 0 {
		t.Fatalf("procedure show: %d", code)
	}
	at := 0
	for _, command := range rebuild {
		i := strings.Index(out[at:], command)
		if i < 0 {
			t.Fatalf("%q is missing, or out of order, in\n%s", command, out)
		}
		at += i
	}
	if got := s.StepCommands("be3"); len(got) != 0 {
		t.Errorf("looking has run %q", got)
	}
	if code, _, errOut = call(t, "--config", s.config, "procedure", "show", "rebuild-follower", "--node", "be9"); code != 64 || !strings.Contains(errOut, "be1, be2, be3") {
		t.Errorf("a node that is none: %d %s", code, errOut)
	}
}

// TestStartSaysWhyAHostCannotBeUsed covers what stands between the cockpit and
// a node: each has one line that names the remedy.
func TestStartSaysWhyAHostCannotBeUsed(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(string) string
		says   []string
	}{
		"unknown host key": {
			func(s string) string { return replaceLine(s, "known-hosts:", "    known-hosts: ["+empty+"]") },
			[]string{"SHA256:", "known_hosts"},
		},
		"no key accepted": {
			func(s string) string { return replaceLine(s, "identity:", "    identity: ["+empty+"]") },
			[]string{"key"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "", c.change)
			code, out, errOut := call(t, "--config", s.config, "status")
			if code != exitNothing || out != "" {
				t.Errorf("exit code %d, printed %q", code, out)
			}
			for _, word := range c.says {
				if !strings.Contains(errOut, word) {
					t.Errorf("%q is missing in %s", word, errOut)
				}
			}
		})
	}
}

// replaceLine replaces the line that holds a key.
func replaceLine(text, key, line string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		if strings.Contains(lines[i], key) {
			lines[i] = line
		}
	}
	return strings.Join(lines, "\n")
}

// TestNamedHostsAreFoundAmongTheMembers covers what must never happen: a node
// dialled twice under two names, or hosts of two clusters taken for one.
func TestNamedHostsAreFoundAmongTheMembers(t *testing.T) {
	members := []cluster.Node{{Name: "be1", Address: "10.0.4.11"}, {Name: "be2", Address: "10.0.4.12"}, {Name: "be3", Address: "10.0.4.13"}}
	named := func(cs ...*candidate) *gathering {
		for _, c := range cs {
			c.dialled = c.given
		}
		return &gathering{found: cs}
	}
	for name, c := range map[string]struct {
		g    *gathering
		left []string
	}{
		"one that answered":       {named(&candidate{given: "a", address: "10.0.4.12"}), []string{"be1", "be3"}},
		"one silent, by its name": {named(&candidate{given: "be2.example.invalid"}), []string{"be1", "be3"}},
		"by address":              {named(&candidate{given: "10.0.4.13"}), []string{"be1", "be2"}},
		"the last one left is the silent one": {named(&candidate{given: "x", address: "10.0.4.11"},
			&candidate{given: "y", address: "10.0.4.12"}, &candidate{given: "other.invalid"}), nil},
		"two silent ones of unknown names: nothing is dialled twice": {named(&candidate{given: "x", address: "10.0.4.11"},
			&candidate{given: "p.invalid"}, &candidate{given: "q.invalid"}), nil},
	} {
		var left []string
		for _, n := range c.g.missing(members) {
			left = append(left, n.Name)
		}
		if !slices.Equal(left, c.left) {
			t.Errorf("%s: %v are dialled, want %v", name, left, c.left)
		}
	}
	if overlap(members, []cluster.Node{{Name: "be1", Address: "10.9.9.1"}}) {
		t.Error("hosts of two clusters were taken for one")
	}
	if !overlap(nil, members) || !overlap(members, members[2:]) {
		t.Error("hosts of one cluster were taken for two")
	}
}
