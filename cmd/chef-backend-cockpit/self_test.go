package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/observe"
	"chef-backend-cockpit/cluster/simulation"
	"chef-backend-cockpit/remote"
)

// lockedOut is a host whose SSH server refuses the login.
type lockedOut struct{ name string }

func (h lockedOut) err() error {
	return &remote.Error{Host: h.name, Kind: remote.LoginFailed, Text: "no key was accepted"}
}
func (h lockedOut) Name() string { return h.name }
func (h lockedOut) Link() remote.Link {
	return remote.Link{Phase: remote.Refused, Err: h.err()}
}
func (h lockedOut) Run(context.Context, remote.Script) (remote.Result, error) {
	return remote.Result{}, h.err()
}
func (h lockedOut) Start(context.Context, remote.Script) (remote.Session, error) { return nil, h.err() }
func (h lockedOut) Close() error                                                 { return nil }

// onNode is the program on a node of a simulated cluster; dial is how it gets to
// the others.
func onNode(t *testing.T, sim *simulation.Cluster, node string, dial func(remote.Target) remote.Host) (*env, *bytes.Buffer) {
	t.Helper()
	home(t, "")
	in, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	var out bytes.Buffer
	e := &env{in: in, out: &out, err: &out, warnings: &warnings{out: &out}, ending: newEnding(),
		local:  func() remote.Host { return sim.Host(node) },
		newSSH: func(t remote.Target, _ remote.Options) (remote.Host, error) { return dial(t), nil }}
	e.asking = newAsking(e)
	return e, &out
}

// simulatedAt is a healthy cluster that runs by that clock.
func simulatedAt(t *testing.T, clock *remote.Scaled) *simulation.Cluster {
	t.Helper()
	sim, err := simulation.Start(t.Context(), simulation.Options{Clock: clock, Seed: 1, StrikeAfter: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	return sim
}

// On a node the cockpit works there directly, whatever the node was called by,
// and finds the others; what leads elsewhere is never taken for it.
func TestCockpitRecognisesItsOwnNode(t *testing.T) {
	sim := simulatedAt(t, remote.NewScaled(4))
	for name, c := range map[string]struct {
		words  []string
		config string
		direct bool
	}{
		"no word":                  {nil, "", true},
		"its address":              {[]string{"10.0.4.12"}, "", true},
		"its name":                 {[]string{"BE2"}, "", true},
		"another node":             {[]string{"10.0.4.11"}, "", true},
		"localhost":                {[]string{"root@localhost"}, "", true},
		"a port":                   {[]string{"10.0.4.12:2222", "10.0.4.11", "10.0.4.13"}, "", false},
		"its configuration":        {nil, "clusters: {p: {stamp: PROD, nodes: [{host: be1}, {host: b, address: 10.0.4.12}, {host: be3}]}, q: {nodes: [{host: x}]}}", true},
		"its configuration's port": {nil, "clusters: {p: {stamp: PROD, port: 2222, nodes: [{host: be1}, {host: be2}, {host: be3}]}}", true},
		"behind a jump":            {[]string{"be2"}, "clusters: {p: {jump: far, nodes: [{host: be2}]}}", false},
	} {
		t.Run(name, func(t *testing.T) {
			var dialled []string
			e, out := onNode(t, sim, "be2", func(t remote.Target) remote.Host {
				dialled = append(dialled, t.Address)
				for _, n := range sim.Nodes() {
					if t.Address == n.Name || t.Address == n.Address {
						return sim.Host(n.Name)
					}
				}
				return lockedOut{t.Address}
			})
			conf, err := parseConfig("f", []byte(c.config))
			if err != nil {
				t.Fatal(err)
			}
			f, err := e.connectTo(t.Context(), conf, c.words)
			if err != nil {
				t.Fatal(err)
			}
			defer f.close()
			var names []string
			for _, n := range f.nodes {
				names = append(names, n.Name+"="+n.Address)
			}
			slices.Sort(names)
			if got := strings.Join(names, " "); got != "be1=10.0.4.11 be2=10.0.4.12 be3=10.0.4.13" {
				t.Errorf("nodes %s; %s", got, out)
			}
			itself := slices.ContainsFunc(dialled, func(a string) bool {
				return a == "10.0.4.12" || a == "be2" || a == "b" || strings.Contains(a, "localhost")
			})
			if itself == c.direct || len(dialled) != 3-count(c.direct) {
				t.Errorf("dialled %v", dialled)
			}
			if strings.Contains(name, "configuration") && (f.stamp != "PROD" || !f.known) {
				t.Errorf("stamp %q", f.stamp)
			}
		})
	}
}

// A host reached by SSH under an unknown name is worked on directly once address
// and machine id say that it is this machine, and never by the address alone.
func TestUnknownNameOfThisMachine(t *testing.T) {
	sim := simulatedAt(t, remote.NewScaled(4))
	for _, same := range []bool{true, false} {
		host := sim.Host("be1")
		found, err := observe.Discover(t.Context(), host)
		if err != nil {
			t.Fatal(err)
		}
		if found.MachineID == "" || found.HostName != "be1" || !slices.Contains(found.Addresses, "10.0.4.11") {
			t.Errorf("be1 tells of itself %+v", found)
		}
		if !same {
			found.MachineID = "another"
		}
		said := ""
		far := sim.Host("be1")
		g := &gathering{self: &selfNode{host: host, found: found}, found: []*candidate{{given: "alias", host: far}}, warn: func(s string) { said += s }}
		if _, err := g.discover(t.Context(), g.found[0]); err != nil {
			t.Fatal(err)
		}
		if direct := g.found[0].host == host; direct != same || (said == "") != same {
			t.Errorf("same machine id: %v, worked on directly: %v, said %q", same, direct, said)
		}
		g.letGo()
		g.drop()
	}
	s := &selfNode{found: observe.Found{Self: 0, HostName: "be3", Nodes: sim.Nodes()}}
	if s.misnamed() != "be3" {
		t.Error("a machine with one node's address and another's name was believed")
	}
	s = &selfNode{err: errors.New("no cluster answers"), found: observe.Found{Self: -1, HostName: "be1", Addresses: []string{"10.0.4.11"}}}
	for word, want := range map[string]bool{"10.0.4.11": true, "be1": true, "10.0.4.12": false, "127.0.0.1": true, "127.0.0.1:22": false, "": false} {
		if s.is(word, "") != want {
			t.Errorf("%q without a cluster's word: %v", word, !want)
		}
	}
}

// Alone on a node, without SSH to the others: what their services answer over
// the network is shown as hearsay, and opens no action that the same cluster,
// seen whole, does not offer; none at all on a node that nobody can look at.
func TestOnANodeWithoutSSHToTheOthers(t *testing.T) {
	clock := remote.NewScaled(4)
	sim := simulatedAt(t, clock)
	ready := func(blind bool) map[string]bool {
		e, out := onNode(t, sim, "be1", func(t remote.Target) remote.Host {
			for _, n := range sim.Nodes() {
				if t.Address == n.Address && !blind {
					return sim.Host(n.Name)
				}
			}
			return lockedOut{t.Address}
		})
		f, err := e.connectTo(t.Context(), config{}, nil)
		if err != nil {
			t.Fatalf("%v %s", err, out)
		}
		defer f.close()
		f.clock, f.passing = clock, true
		c, err := builtIn()
		if err != nil {
			t.Fatal(err)
		}
		w, err := f.watch(watchOptions{catalogue: c})
		if err != nil {
			t.Fatal(err)
		}
		w.Start(t.Context())
		defer w.Close()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		heard := func() bool {
			r := w.View().Report("be1")
			return r != nil && r.Network["10.0.4.12"].LeaderCode.Known
		}
		for first := true; first || blind && !heard(); first = false {
			if err := w.LookAll(ctx); err != nil {
				t.Fatal(err)
			}
		}
		v := w.View() // of these looks: the screen's state follows a little later
		if r := v.Report("be1"); !r.Reach.Known || r.Reach.Value != cluster.Reached || len(r.Ctl.Rows.Value) != 3 {
			t.Errorf("be1 is not looked at: %+v", r.Reach)
		}
		if blind {
			heardOf(t, v)
		}
		open := map[string]bool{}
		for _, p := range c.Procedures {
			for _, node := range []string{"be1", "be2", "be3"} {
				if !p.Built || p.Tier == cluster.T0 || p.Target == "cluster" && node != "be1" {
					continue
				}
				target := map[bool]string{true: "", false: node}[p.Target == "cluster"]
				plan, err := w.Bind(p.Name, target, "leaderl")
				closed := err != nil || slices.ContainsFunc(plan.Guards, func(g cluster.CheckedGuard) bool { return g.Answer.Truth != cluster.True })
				open[p.Name+"@"+target] = !closed
			}
		}
		return open
	}
	sighted, blind := ready(false), ready(true)
	some := false
	for name, open := range blind {
		some = some || sighted[name]
		if open && (!sighted[name] || strings.HasSuffix(name, "@be2") || strings.HasSuffix(name, "@be3")) {
			t.Errorf("%s is open without a look at the others; with one: %v", name, sighted[name])
		}
	}
	if !some || len(blind) < 30 {
		t.Errorf("%d procedures, none open in a cluster that is seen whole", len(blind))
	}
}

// heardOf checks what is shown of nodes that are not reached.
func heardOf(t *testing.T, v *cluster.View) {
	t.Helper()
	r := v.Report("be2")
	if !r.Reach.Known || r.Reach.Value != cluster.LoginFailed || r.Leaderl.LeaderCode.Known || r.Etcd.Health.Known || r.Elasticsearch.Status.Known {
		t.Errorf("what was heard became a look at be2: %+v %+v", r.Reach, r.Leaderl)
	}
	row := v.Board().Rows[1]
	for i, want := range []string{"not leader by be1", "", "?", "follower"} {
		if got := row.Cells[i].Text; got != want && (want != "" || !strings.HasSuffix(got, " by be1")) {
			t.Errorf("%s of be2: %q, want %q", v.Board().Columns[i], got, want)
		}
	}
	c := v.Report("be1").Network["10.0.4.12"]
	if c.EtcdHealth.Source != cluster.SourceEtcd || c.LeaderCode.Source != cluster.SourceLeaderl || c.Elasticsearch.Source != cluster.SourceElasticsearch || c.Elasticsearch.Value != "green" {
		t.Errorf("heard of be2: %+v", c)
	}
}
