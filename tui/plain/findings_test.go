package plain

import (
	"slices"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// down is a service that is down on a node.
func down(node string) cluster.Finding {
	f := cluster.Finding{Failure: "etcd-down", Node: node, Certainty: cluster.Confirmed, Priority: cluster.P2, Title: "etcd is down", Since: now}
	if node != "" {
		f.Nodes = []string{node}
	}
	return f
}

// What a finding is called by means the one that was said, or nothing.
func TestAFindingIsNamedWithoutDoubt(t *testing.T) {
	two := []cluster.Finding{down("be1"), down("be2")}
	for _, c := range []struct {
		stand []cluster.Finding
		typed string
		says  string
		acked string
	}{
		{two, "ack", "Say which finding: ack and its number.", ""},
		{two[:1], "ack", "Say which finding: ack and its number.", ""},
		{two, "ack 2", "Acknowledged: finding 2, etcd-down on be2.", "etcd-down@be2"},
		{two, "ack etcd-down@be2", "Acknowledged: finding 2, etcd-down on be2.", "etcd-down@be2"},
		{two[1:], "ack etcd-down", "Acknowledged: finding 1, etcd-down on be2.", "etcd-down@be2"},
		{two, "ack etcd-down", "etcd-down stands 2 times. Say which, by its number: 1 is etcd-down on be1; 2 is etcd-down on be2.", ""},
		{[]cluster.Finding{down(""), down("be2")}, "ack etcd-down", "etcd-down stands 2 times.", ""},
		{[]cluster.Finding{down(""), down("be2")}, "ack 1", "Acknowledged: finding 1, etcd-down.", "etcd-down"},
		{two, "ack 3", "There is no finding 3.", ""},
		{two, "why", "2 findings stand. Say which, by its number: 1 is etcd-down on be1; 2 is etcd-down on be2.", ""},
		{two, "menu", "2 findings stand. Say which, by its number: 1 is etcd-down on be1; 2 is etcd-down on be2. For a node type menu", ""},
		{two[:1], "why", "Finding 1: etcd-down on be1. Etcd is down.", ""},
		{two[:1], "menu", "For finding 1, etcd-down on be1:", ""},
		{nil, "why", "No finding stands.", ""},
	} {
		s := newStage(t, cluster.Plan{})
		s.change(func(s *watch.State) { s.Findings = c.stand })
		s.said()
		s.types(c.typed)
		if got := oneLine(s.said()); !strings.Contains(strings.ToLower(got), strings.ToLower(c.says)) || !slices.Equal(s.door.acked, nonEmpty(c.acked)) {
			t.Errorf("%s: acknowledged %q, said %q, want %q", c.typed, s.door.acked, got, c.says)
		}
	}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func nonEmpty(s string) []string { return strings.Fields(s) }

// What was seen before a link was lost must not read as if it held now.
func TestEvidenceAndGuardsSayHowOldTheyAre(t *testing.T) {
	at := func(ago time.Duration) time.Time { return now.Add(-ago) }
	s := newStage(t, cluster.Plan{ID: "7f3a0001", Procedure: "observe", Guards: []cluster.CheckedGuard{
		{Answer: cluster.Answer{Truth: cluster.True, Sentence: "be2 leads", Claims: []cluster.ClaimRef{
			{Source: cluster.SourceLeaderl, At: at(time.Second)}, {Source: cluster.SourcePostgreSQL, At: at(4 * time.Minute)}, {Source: cluster.SourceEtcd, At: at(9 * time.Second)}}}},
		{Answer: cluster.Answer{Truth: cluster.False, Sentence: "be3 has no quorum", Claims: []cluster.ClaimRef{{Source: cluster.SourceEtcd, At: at(4 * time.Second)}}}},
	}})
	f := down("be1")
	f.Evidence = []cluster.Evidence{
		{Kind: "claim", Side: cluster.SideFor, Answer: cluster.True, Sentence: "etcd is down on be1", Source: cluster.SourceRunit, Node: "be1", At: at(40 * time.Second)},
		{Kind: "claim", Side: cluster.SideFor, Answer: cluster.True, Sentence: "etcd answers nothing", Source: cluster.SourceEtcd, Node: "be1", At: at(4 * time.Second)},
		{Kind: "claim", Side: cluster.SideFor, Answer: cluster.True, Sentence: "be1 is a member", Source: cluster.SourceCtl, At: at(40 * time.Second)},
		{Kind: "claim", Side: cluster.SideFor, Answer: cluster.True, Sentence: "be2 sees be1", Source: cluster.SourcePeer, At: at(61 * time.Second)},
		{Kind: "claim", Side: cluster.SideFor, Answer: cluster.Unknown, Sentence: "nobody asked"},
	}
	s.change(func(s *watch.State) { s.Findings = []cluster.Finding{f} })
	s.types("why 1")
	s.types("plan observe")
	got := oneLine(s.said())
	for _, want := range []string{"etcd is down on be1 (runit on be1, seen 40 seconds ago)", "etcd answers nothing (etcd on be1)", "be1 is a member (ctl)",
		"be2 sees be1 (peer, seen 61 seconds ago)", "Unknown: nobody asked Type menu", "Holds: be2 leads, seen 4 minutes ago.", "Does not hold: be3 has no quorum."} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing: %q", want, got)
		}
	}
}
