package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"chef-backend-cockpit/remote"
)

// Whatever is typed, every node is one node, and every word leads where ssh would
// go: a node under two names would vote twice, and a port may be a tunnel's.
func TestWordsLeadToThreeNodes(t *testing.T) {
	sim := simulatedAt(t, remote.NewScaled(4))
	leads := map[string]string{"alias": "be1", "be1.example.com": "be1", "localhost": "be3"} // on be2: a tunnel's end
	for words, c := range map[string]struct {
		dialled string // in order, user and port with it; "" for a usage error
		says    string
	}{
		"be1 be1":                    {"", "be1 and be1 are the same node, be1; name each node once"},
		"root@be1 admin@be1":         {"", "root@be1 and admin@be1 are the same node"},
		"be1 be1.example.com":        {"", "be1 and be1.example.com are the same node, with the cluster address 10.0.4.11; name each node once"},
		"10.0.4.11 alias 10.0.4.13":  {"", "10.0.4.11 and alias are the same node"},
		"be1 down.example 10.0.4.13": {"be1 down.example 10.0.4.13", ""},
		"be1 be3.down 10.0.4.13":     {"", "be3.down and 10.0.4.13 are the same node"},
		"be1 be3.down be3.away":      {"", "be3.down and be3.away are the same node"},
		"localhost:2222":             {"localhost:2222 10.0.4.11:2222 10.0.4.12:2222", ""},
		"localhost 10.0.4.11":        {"10.0.4.11 10.0.4.13", ""},
		"10.0.4.12:22":               {"10.0.4.11:22 10.0.4.13:22", ""},
		"ssh://root@be1":             {"root@be1 root@10.0.4.13", ""},
		"me@corp@be1":                {"me@corp@be1 me@corp@10.0.4.13", ""},
		"root@be1 me@10.0.4.13:2222": {"root@be1 me@10.0.4.13:2222", ""},
		"be1:22abc":                  {"", `"be1:22abc" cannot be dialled: port "22abc" is not between 1 and 65535; name it as [user@]host[:port]`},
		"be1:0":                      {"", `port "0"`},
		"be1 be2:70000":              {"", `port "70000"`},
		"root@":                      {"", "not the name of a host"},
		"ftp://be1":                  {"", "cannot be dialled"},
	} {
		t.Run(words, func(t *testing.T) {
			var dialled []string
			e, out := onNode(t, sim, "be2", func(t remote.Target) remote.Host {
				way := t.Address
				if t.User != "" {
					way = t.User + "@" + way
				}
				if t.Port != 0 {
					way = fmt.Sprint(way, ":", t.Port)
				}
				dialled = append(dialled, way)
				for _, n := range sim.Nodes() {
					if t.Address == n.Name || t.Address == n.Address || leads[t.Address] == n.Name {
						return sim.Host(n.Name)
					}
				}
				return lockedOut{t.Address}
			})
			f, err := e.connectTo(t.Context(), config{}, strings.Fields(words))
			if c.dialled == "" {
				if x, ok := errors.AsType[*exitError](err); !ok || x.code != exitUsage || !strings.Contains(err.Error(), c.says) {
					t.Errorf("dialled %v: %v", dialled, err)
				}
				return
			}
			if err != nil {
				t.Fatalf("%v %s", err, out)
			}
			defer f.close()
			var addresses []string
			for _, n := range f.nodes {
				addresses = append(addresses, n.Address)
			}
			slices.Sort(addresses)
			if got := strings.Join(addresses, " "); got != "10.0.4.11 10.0.4.12 10.0.4.13" {
				t.Errorf("nodes %s", got)
			}
			if got := strings.Join(dialled, " "); got != c.dialled {
				t.Errorf("dialled %s, want %s", got, c.dialled)
			}
		})
	}
}

// A host that answers and has not the address of the node that it was taken for is
// told of; one whose addresses are not known is not.
func TestAHostWithoutItsNodesAddressIsToldOf(t *testing.T) {
	said := ""
	g := &gathering{warn: func(s string) { said += s + "\n" }, found: []*candidate{
		{given: "a", name: "be1", address: "10.0.4.11", own: []string{"192.168.7.1", "::ffff:10.0.4.11"}},
		{given: "b", name: "be2", address: "10.0.4.12"},
		{given: "c", name: "be3", address: "be3.example", own: []string{"10.0.4.13"}},
		{given: "X", name: "be4", address: "10.0.4.14", own: []string{"10.0.9.14", "172.17.0.1"}},
	}}
	g.doubt()
	if want := "X is taken for be4 and has not its address 10.0.4.14 (it has 10.0.9.14, 172.17.0.1): it may be another machine; nothing is done there\n"; said != want {
		t.Errorf("said %q", said)
	}
}
