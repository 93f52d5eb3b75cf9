package cluster_test

import (
	"slices"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// What etcd-quorum-lost offers can be done: starting one etcd is what helps,
// and neither a dead host nor the lost quorum keeps it back.
func TestEtcdIsRestartedWithoutQuorum(t *testing.T) {
	procedures := load(t).Procedures
	p := procedures[slices.IndexFunc(procedures, func(p cluster.Procedure) bool { return p.Name == "restart-service" })]
	refused := func(v *cluster.View, service string) (by []string) {
		b := cluster.Binding{Node: "be2", Service: service}
		for _, g := range append(slices.Clone(p.Guards), p.Steps[0].Guards...) {
			if a := g.Ask(v, b); a.Truth != yes && g.Fact != "version-supported" { // no stage tells a version
				by = append(by, g.String()+": "+a.Sentence)
			}
		}
		return by
	}
	out := func(s *stage, nodes ...string) {
		for _, n := range nodes {
			s.at(n).Services["etcd"] = service("down", 0, time.Minute)
			s.at(n).Etcd = cluster.EtcdClaims{}
		}
	}
	alone := func(s *stage) { s.at("be1").Etcd.Health, s.at("be1").Etcd.RaftLeader = known(false), known("") }
	for name, c := range map[string]struct {
		change func(*stage)
		want   int
	}{
		"two stopped":                           {func(s *stage) { out(s, "be2", "be3"); alone(s) }, 0},
		"a dead host, and one stopped":          {func(s *stage) { s.powerOff("be3"); out(s, "be2"); alone(s) }, 0},
		"one stopped, and quorum":               {func(s *stage) { out(s, "be2") }, 0},
		"one stopped, one runs and is not well": {func(s *stage) { out(s, "be2"); s.at("be3").Etcd.Health = known(false) }, 1},
		"a host that we alone do not reach":     {func(s *stage) { s.blind("be3", cluster.Unreachable); out(s, "be2") }, 2},
	} {
		s := newStage()
		c.change(s)
		if by := refused(s.looks(10), "etcd"); len(by) != c.want {
			t.Errorf("%s: kept by %q, want %d", name, by, c.want)
		}
	}
}
