package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/simulation"
	"chef-backend-cockpit/remote"
)

// bastion is a home from which the simulated cluster is reached as ssh(1) would,
// without a configuration of ours.
func bastion(t *testing.T) (config string, hosts []string) {
	t.Helper()
	config = home(t, "")
	sim, err := simulation.Start(t.Context(), simulation.Options{Clock: remote.NewScaled(4), Seed: 1, StrikeAfter: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	first := sim.Target("be1")
	dir := filepath.Join(os.Getenv("HOME"), ".ssh")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("Host 127.0.0.1\nUser root\nIdentityFile %s\nUserKnownHostsFile %s\n", first.Identity[0], first.KnownHosts[0])
	if err := os.WriteFile(filepath.Join(dir, "config"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, n := range sim.Nodes() {
		hosts = append(hosts, n.Dial)
	}
	return config, hosts
}

func TestConfigInitWritesWhatTheClusterTells(t *testing.T) {
	path, hosts := bastion(t)
	code, out, errOut := call(t, append([]string{"config", "init", "--cluster", "chef-sim", "--stamp", "TEST", "--colour", "green"}, hosts...)...)
	if code != 0 || !strings.Contains(out, "--cluster chef-sim") {
		t.Fatalf("%d %s%s", code, out, errOut)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\n  chef-sim:\n", "    stamp: TEST\n    colour: green\n", "    # jump: bastion.example.com\n", "\n# catalogue:",
		"        name: be3\n        address: 10.0.4.13\n\n#", "# The environment, shown on every screen"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if code, out, errOut := call(t, "status"); code != 0 || !strings.Contains(out, "chef-sim") {
		t.Errorf("status by it: %d %s%s", code, out, errOut)
	}
	code, _, errOut = call(t, "config", "init", hosts[0])
	if code != 64 || !strings.Contains(errOut, "not overwritten") || !strings.Contains(errOut, "config init --add "+hosts[0]) {
		t.Errorf("over one that is there: %d %s", code, errOut)
	}
	if code, _, errOut = call(t, append([]string{"config", "init", "--add"}, hosts...)...); code != 64 || !strings.Contains(errOut, "as cluster chef-sim") {
		t.Errorf("the same cluster again: %d %s", code, errOut)
	}
	if now, err := os.ReadFile(path); err != nil || string(now) != string(text) {
		t.Errorf("it was changed: %v", err)
	}
	mine := "# mine\nclusters:\n  other:\n    # of other\n    nodes: [{host: elsewhere}]\n"
	if err := os.WriteFile(path, []byte(mine), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errOut = call(t, append([]string{"config", "init", "--add"}, hosts...)...)
	now, err := os.ReadFile(path)
	if code != 0 || err != nil || !strings.HasPrefix(string(now), mine+"\n  "+defaultCluster+":\n    nodes:\n") {
		t.Errorf("added: %d %s%s\n%s", code, out, errOut, now)
	}
	for flag, says := range map[string]string{"--stamp=" + strings.Repeat("x", 30): "--stamp: 30 characters", "--stamp=P\x1b[31m": `--stamp: "P\x1b[31m"`, "--stamp=P\u0085": `--stamp: "P\u0085"`,
		"--stamp=P\xff": "--stamp: ", "--stamp=a\nb": "--stamp: ", "--colour=purple": "--colour: \"purple\"", "--cluster=a b": "no name of a cluster"} {
		if code, _, errOut := call(t, "config", "init", "--add", flag, hosts[0]); code != 64 || !strings.Contains(errOut, says) {
			t.Errorf("%s: %d %s", flag, code, errOut)
		}
	}
}

// The offer comes when the screen is left, and Enter alone writes nothing.
func TestLeavingOffersToKeepTheCluster(t *testing.T) {
	path, hosts := bastion(t)
	env := []string{"HOME=" + os.Getenv("HOME"), "XDG_CONFIG_HOME=" + os.Getenv("XDG_CONFIG_HOME")}
	leave := func() *terminal {
		s := openWith(t, 100, 30, env, hosts...)
		s.see("3 good copies")
		s.press("q")
		s.see("be1, be2, be3 is not in the configuration")
		return s
	}
	s := leave()
	s.press("\r")
	if code := s.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if _, err := os.Stat(path); err == nil {
		t.Fatal("written without a name")
	}
	s = leave()
	for _, step := range [][2]string{{"two words\r", "no name of a cluster"}, {"chef-sim\r", "A stamp"}, {"TEST\r", "Its colour"}, {"green\r", "is in it now"}} {
		s.press(step[0])
		s.see(step[1])
	}
	if code := s.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := parseConfig(path, text)
	if err != nil || c.Clusters["chef-sim"].Stamp != "TEST" || len(c.Clusters["chef-sim"].Nodes) != 3 {
		t.Errorf("%+v %v", c, err)
	}
	s = openWith(t, 100, 30, env, hosts[0])
	s.see("TEST", "chef-sim", "3 good copies")
	s.press("q")
	if code := s.exit(); code != 0 || strings.Contains(s.text(), "not in the configuration") {
		t.Errorf("offered again: %d\n%s", code, s.text())
	}
}

// A wrong stamp is worse than none: PROD under the name of TEST.
func TestAStampComesOnlyFromTheClusterItself(t *testing.T) {
	fleetOf := func(addresses ...string) *fleet {
		f := &fleet{cluster: "x"}
		for i, a := range addresses {
			f.nodes = append(f.nodes, cluster.Node{Name: fmt.Sprint("x", i), Address: a})
		}
		return f
	}
	of := func(addresses ...string) clusterConfig {
		c := clusterConfig{Stamp: "TEST"}
		for i, a := range addresses {
			c.Nodes = append(c.Nodes, nodeConfig{Host: fmt.Sprint("be", i, ".test"), Address: a})
		}
		return c
	}
	for name, c := range map[string]struct {
		fleet    *fleet
		clusters map[string]clusterConfig
		want     string
	}{
		"the same nodes":               {fleetOf("10.0.4.11", "10.0.4.12", "10.0.4.13"), map[string]clusterConfig{"test": of("10.0.4.11", "10.0.4.12", "10.0.4.13")}, "test"},
		"one of them is down":          {fleetOf("10.0.4.11", "10.0.4.12", ""), map[string]clusterConfig{"test": of("10.0.4.11", "10.0.4.12", "10.0.4.13")}, "test"},
		"only one is configured":       {fleetOf("10.0.4.11", "10.0.4.12", "10.0.4.13"), map[string]clusterConfig{"test": of("10.0.4.12")}, "test"},
		"one address of another site":  {fleetOf("10.0.4.11", "10.0.9.12", "10.0.9.13"), map[string]clusterConfig{"test": of("10.0.4.11", "10.0.4.12", "10.0.4.13")}, "x"},
		"the addresses of two sites":   {fleetOf("10.0.4.11"), map[string]clusterConfig{"prod": of("10.0.4.11"), "test": of("10.0.4.11")}, "x"},
		"no address is known":          {fleetOf("", ""), map[string]clusterConfig{"test": of("", "", "")}, "x"},
		"some, and none is configured": {fleetOf("10.0.4.11", "", ""), map[string]clusterConfig{"test": of("", "", "")}, "x"},
	} {
		c.fleet.adopt(config{Clusters: c.clusters})
		if c.fleet.cluster != c.want || c.fleet.known != (c.want != "x") || (c.fleet.stamp != "") != c.fleet.known {
			t.Errorf("%s: %s, stamped %q", name, c.fleet.cluster, c.fleet.stamp)
		}
	}
}
