package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/simulation"
	"chef-backend-cockpit/remote"
)

// clinic is a simulated cluster in real time whose nodes' disks are at hand.
type clinic struct {
	site
	t   *testing.T
	dir string
}

func newClinic(t *testing.T) clinic {
	dir := t.TempDir()
	c := clinic{newSiteOf(t, simulation.Options{Seed: 1, Dir: dir}, nil), t, dir}
	for _, n := range c.Nodes() { // a node that refuses us has its name from here
		c.as("      - {host: \""+n.Dial, "      - {host: \""+n.Dial+"\", name: "+n.Name+"}")
	}
	return c
}

// disk is a path on a node.
func (c clinic) disk(node, path string) string {
	return filepath.Join(c.dir, "node"+strings.TrimPrefix(node, "be"), path)
}

func (c clinic) write(node, path, text string) {
	c.t.Helper()
	at := c.disk(node, path)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

func (c clinic) remove(node, path string) {
	c.t.Helper()
	if err := os.Remove(c.disk(node, path)); err != nil {
		c.t.Fatal(err)
	}
}

func (c clinic) strike(fault string) {
	c.t.Helper()
	if err := c.Strike(fault); err != nil {
		c.t.Fatal(err)
	}
}

// as changes the configuration's login, or its key.
func (c clinic) as(key, line string) {
	c.t.Helper()
	text, err := os.ReadFile(c.config)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(c.config, []byte(replaceLine(string(text), key, line)), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// doctor runs it and returns its lines as node/for/what.
func (c clinic) doctor(code int) map[string]preconditionJSON {
	c.t.Helper()
	got, out, errOut := call(c.t, "--config", c.config, "doctor", "--json")
	if got != code {
		c.t.Fatalf("exit code %d, want %d: %s\n%s", got, code, errOut, out)
	}
	var j doctorJSON
	if err := json.Unmarshal([]byte(out), &j); err != nil {
		c.t.Fatal(err)
	}
	lines := map[string]preconditionJSON{}
	for _, p := range j.Preconditions {
		lines[p.Node+"/"+string(p.For)+"/"+p.What] = p
	}
	return lines
}

// expect is what a line says: its state, or "unknown", and words of it.
type expect struct{ where, state, seen string }

// check holds that these lines are as expected and all others are ok, but for
// the terminal, which no test has, and lines of a node that is not got into.
func (c clinic) check(lines map[string]preconditionJSON, want []expect) {
	c.t.Helper()
	for _, w := range want {
		p, ok := lines[w.where]
		state := "unknown"
		if p.State != nil {
			state = string(*p.State)
		}
		if !ok || state != w.state || !strings.Contains(p.Seen+p.Reason, w.seen) {
			c.t.Errorf("%s: %s %q, want %s %q", w.where, state, p.Seen+p.Reason, w.state, w.seen)
		}
		if state == string(cluster.Amiss) && p.Remedy == "" {
			c.t.Errorf("%s has no remedy", w.where)
		}
	}
	for where, p := range lines {
		named := slices.ContainsFunc(want, func(w expect) bool { return w.where == where })
		if !named && where != "here/watching/terminal" && !strings.HasPrefix(p.Reason, cluster.NotLookedAt) && (p.State == nil || *p.State != cluster.InOrder) {
			c.t.Errorf("%s is not ok: %q", where, p.Seen+p.Reason)
		}
	}
}

// TestDoctorOverSSH lets the doctor look at one cluster in which more and more
// is wrong, with real SSH, scripts and parsers between.
func TestDoctorOverSSH(t *testing.T) {
	c := newClinic(t)
	lines := c.doctor(0)
	c.check(lines, nil)
	if len(lines) != 3*21+3+3 {
		t.Errorf("%d lines", len(lines))
	}
	if p := lines["be1/acting/sessions"]; !strings.Contains(p.Seen, "5 of 5 opened; MaxSessions 10") {
		t.Errorf("sessions: %q", p.Seen)
	}

	c.remove("be1", "usr/bin/flock")
	c.remove("be1", "usr/bin/gzip")
	c.write("be1", "etc/ssh/sshd_config", "Port 22\nMaxSessions 4\nMaxStartups 1:30:60\n")
	c.write("be2", "opt/chef-backend/version-manifest.txt", "chef-backend 2.0.5\n")
	c.write("be2", "var/opt/chef-backend-cockpit", "in the way\n")
	c.strike("clock-skew")
	c.strike("disk-full")
	c.strike("partition-quorum-kept")
	acting := []expect{
		{"be1/acting/tools", "not ok", "flock is missing"},
		{"be1/acting/lock", "not ok", "flock is missing"},
		{"be1/watching/more-tools", "advice", "gzip"},
		{"be1/acting/sessions", "not ok", "4 of 5 opened; MaxSessions 4"},
		{"be1/acting/sshd", "advice", "MaxStartups 1:30:60"},
		{"be1/acting/ports", "not ok", "no answer from 2379 of be3"},
		{"be2/acting/version", "not ok", "2.0.5"},
		{"be2/acting/own-folder", "not ok", "is no folder"},
		{"be2/acting/lock", "not ok", "is no folder"},
		{"be2/acting/ports", "not ok", "of be3"},
		{"be3/acting/ports", "not ok", "no answer from 2379 of be1"},
		{"be3/acting/clock", "not ok", "the clock of be3"},
		{"be3/acting/file-systems", "not ok", "left"},
		{"be3/acting/base-backup", "not ok", "needs"},
		{"be3/acting/file-copy", "not ok", "takes"},
		{"be3/acting/own-folder", "not ok", "0 B free at /var/opt"},
		{"be3/acting/lock", "not ok", "0 B free at /var/opt"},
		{"/acting/one-version", "not ok", "be2 runs 2.0.5"},
		{"/acting/lock", "not ok", "0 of 3 nodes, 2 are needed; not on be1, be2, be3"},
	}
	c.check(c.doctor(exitCannotAct), acting)

	c.write("be1", "etc/ssh/sshd_config", "MaxSessions 1\nPermitTTY no\n")
	c.remove("be1", "opt/chef-backend/embedded/bin/psql")
	c.write("be2", "etc/sudoers", "ops ALL=(root) ALL\n")
	c.as("user:", "    user: ops")
	c.strike("host-key-changed")
	lines = c.doctor(exitCannotWatch)
	for _, w := range []expect{
		{"be1/watching/privileges", "ok", "sudo -n"},
		{"be1/watching/tools", "not ok", "psql is missing"},
		{"be1/watching/sessions", "not ok", "1 of 5 opened; MaxSessions 1"},
		{"be1/acting/sshd", "advice", "PermitTTY no"},
		{"be2/watching/login", "ok", "as ops"},
		{"be2/watching/privileges", "not ok", "a password is required"},
		{"be2/watching/tools", "unknown", "privileges first"},
		{"be3/watching/reach", "ok", "SSH"},
		{"be3/watching/host-key", "not ok", "SHA256:"},
		{"be3/acting/lock", "unknown", "host-key first"},
		{"/acting/lock", "unknown", "not known of be2, be3"},
	} {
		c.check(map[string]preconditionJSON{w.where: lines[w.where]}, []expect{w})
	}

	empty := filepath.Join(t.TempDir(), "id")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c.as("identity:", "    identity: ["+empty+"]")
	code, out, errOut := call(t, "--config", c.config, "doctor")
	if code != exitNothing || !strings.Contains(out, "login as ops refused") || !strings.Contains(errOut, "no node could be looked at") {
		t.Errorf("exit code %d\n%s%s", code, out, errOut)
	}
	checkWidth(t, out)
	for _, n := range c.Nodes() {
		if got := c.StepCommands(n.Name); len(got) != 0 {
			t.Errorf("looking has run %q on %s", got, n.Name)
		}
	}
}

// Where the journal cannot be written acting is not possible, whatever the nodes
// are like; watching is.
func TestDoctorTriesTheJournal(t *testing.T) {
	home(t, "")
	state := filepath.Join(t.TempDir(), "state")
	if p := hereJournal(); p.Standing != cluster.InOrder {
		t.Errorf("%+v", p)
	}
	if err := os.WriteFile(state, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_STATE_HOME", state)
	if p := hereJournal(); p.Standing != cluster.Amiss || p.Remedy == "" || p.For != cluster.ToAct {
		t.Errorf("%+v", p)
	}
}

// The sessions that the doctor counts are those that a connection carries.
func TestDoctorsSessionsAreTheConnections(t *testing.T) {
	if cluster.SessionsToAct != remote.Channels {
		t.Errorf("acting needs %d sessions, a connection carries %d", cluster.SessionsToAct, remote.Channels)
	}
}

// The manual has a row for every precondition, and the codes that are returned.
func TestManualKnowsThePreconditions(t *testing.T) {
	text := assets.MustRead("manual/doctor.md")
	x := &cluster.Examination{View: &cluster.View{Snapshot: &cluster.Snapshot{}}, Nodes: []cluster.Examined{{Node: cluster.Node{Name: "be1"}}}}
	lines := append(cluster.Preconditions(x), cluster.Precondition{What: "configuration"}, cluster.Precondition{What: "terminal"}, cluster.Precondition{What: "journal"},
		cluster.Precondition{What: "site-catalogue"}, cluster.Precondition{What: "other-nodes"})
	for _, p := range lines {
		if !strings.Contains(text, "- `"+p.What+"`: ") {
			t.Errorf("the manual lacks %s", p.What)
		}
	}
	for _, code := range []string{"- 0: all is in order", "- 1: something that acting needs", "- 2: something that watching needs", "- 3: nothing could be looked at"} {
		if !strings.Contains(text, code) {
			t.Errorf("the manual lacks %q", code)
		}
	}
}
