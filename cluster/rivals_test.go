package cluster_test

import (
	"slices"
	"testing"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/cluster/failure"
)

func bound(t *testing.T, c *catalogue.Catalogue, name, node string) cluster.Bound {
	t.Helper()
	i := slices.IndexFunc(c.Failures, func(f cluster.Failure) bool { return f.Name == name })
	if i < 0 {
		t.Fatalf("no failure %s", name)
	}
	return cluster.Bound{Failure: c.Failures[i], Node: node}
}

// A node that we cannot reach is down, or cut off from us: what its peers see
// tells, and they are the ones to look at.
func TestPeersTellDownFromCutOff(t *testing.T) {
	c := load(t)
	s := newStage()
	s.blind("be3", cluster.Unreachable)
	for _, n := range []string{"be1", "be2"} {
		delete(s.at(n).Peers, addressBe3)
	}
	v := s.looks(3)
	got := cluster.Tell(bound(t, c, "node-down", "be3"), bound(t, c, "operator-cut-off", "be3"), v)
	if len(got) != 2 {
		t.Fatalf("%+v", got)
	}
	for i, want := range []cluster.Telling{{IfTrue: "node-down", Node: "be3", Question: cluster.Question{Fact: "gone"}}, {IfTrue: "operator-cut-off", Node: "be3", Question: cluster.Question{Fact: "seen-by-all-peers"}}} {
		g := got[i]
		if g.IfTrue != want.IfTrue || g.Question.Fact != want.Question.Fact || g.Node != want.Node || g.Look != cluster.PeersLook || !slices.Equal(g.Where, []string{"be1", "be2"}) {
			t.Errorf("%+v", g)
		}
		if g.Answer.Truth != cluster.Unknown || g.Answer.Sentence == "" {
			t.Errorf("%+v", g.Answer)
		}
	}
	s = newStage()
	s.powerOff("be3")
	if got := cluster.Tell(bound(t, c, "node-down", "be3"), bound(t, c, "operator-cut-off", "be3"), s.looks(3)); len(got) != 0 {
		t.Errorf("what is known tells nothing more: %+v", got)
	}
}

// Of a question that both ask, with opposite needs, either answer decides; one
// that both need alike tells nothing.
func TestDecisiveQuestionsComeFirst(t *testing.T) {
	q := func(s string) cluster.Question {
		p, err := cluster.ParseQuestion(s)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	a := cluster.Bound{Node: "be3", Failure: cluster.Failure{Name: "a", Confirmed: []cluster.Question{q("diverged"), q("unsynced"), q("wal-removed")}}}
	b := cluster.Bound{Node: "be3", Failure: cluster.Failure{Name: "b", Confirmed: []cluster.Question{q("not unsynced"), q("wal-removed")}, NotWhen: []cluster.Question{q("sync-process")}}}
	s := newStage()
	s.blind("be3", cluster.LoginFailed)
	got := cluster.Tell(a, b, s.looks(3))
	var names []string
	for _, g := range got {
		names = append(names, g.Question.String()+" yes:"+g.IfTrue+" no:"+g.IfFalse+" "+string(g.Look))
	}
	want := []string{"unsynced yes:a no:b fast look", "diverged yes:a no: fast look", "sync-process yes: no:b fast look"}
	if !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
}

// Only what stands suspected, unhidden and about one place is a rival.
func TestRivals(t *testing.T) {
	c := load(t)
	s, e := newStage(), failure.NewEngine(c.Failures)
	s.blind("be3", cluster.Unreachable)
	delete(s.at("be2").Peers, addressBe3)
	fs, _ := watchRow(e, s, 20)
	suspected := func(name, node string) cluster.Finding {
		return cluster.Finding{Failure: name, Node: node, Certainty: cluster.Suspected}
	}
	fs = append(fs, suspected("node-down", "be3"), suspected("node-down", "be1"), cluster.Finding{Failure: "operator-cut-off", Node: "be3", Certainty: cluster.Confirmed})
	got := cluster.Rivals(fs, c.Failures, s.view)
	if len(got) != 1 || got[0].A != "partition-partial@be3" || got[0].B != "node-down@be3" || len(got[0].Tells) == 0 {
		t.Errorf("%+v", got)
	}
}
