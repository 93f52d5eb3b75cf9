package watch

import (
	"fmt"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
)

// Summary is a plain text of the situation, to paste: who leads by each layer,
// what can be lost, the findings with their evidence, what was done.
func (w *Watch) Summary() string { return w.State().summary() }

func (s *State) summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s at %s\n", s.Stamp, s.Cluster, s.At.UTC().Format(time.RFC3339))
	for _, l := range s.Leadership {
		fmt.Fprintf(&b, "leader by %s: %s\n", l.Layer, LeaderWords(l))
	}
	fmt.Fprintln(&b, s.MarginWords())
	for _, n := range s.View.Snapshot.Nodes {
		role, _ := s.View.RoleOf(n.Name)
		fmt.Fprintf(&b, "%s %s: %s, WAL %s\n", n.Name, n.Address, orUnknown(role), s.View.PositionOf(n.Name))
	}
	for _, f := range s.Findings {
		if f.Under == "" {
			summarize(&b, f)
		}
	}
	if len(s.Findings) == 0 {
		b.WriteString("no findings\n")
	}
	for i := range s.View.Plans { // a guide's parts are plans, too
		if p := &s.View.Plans[i]; p.Plan.Acts() || s.Run != nil && p.Plan.ID == s.Run.Plan.ID {
			summarizePlan(&b, p)
		}
	}
	return b.String()
}

// summarizePlan writes how far a plan is.
func summarizePlan(b *strings.Builder, p *cluster.PlanState) {
	fmt.Fprintf(b, "%s: %s. %s\n", p.Plan.Title, p.Status, p.Sentence)
	for _, st := range p.Steps {
		fmt.Fprintf(b, "  %-8s %s  %s\n", st.Status, st.Step.Node, st.Step.Command)
	}
}

// summarize writes one finding with its evidence.
func summarize(b *strings.Builder, f cluster.Finding) {
	fmt.Fprintf(b, "%s %s %s, %s since %s\n", f.Priority, f.ID(), f.Title, f.Certainty, f.Since.UTC().Format(time.RFC3339))
	for _, e := range f.Evidence {
		fmt.Fprintf(b, "  %-7s  %-9s  %s\n", e.Side, evidenceWord(e), e.Sentence)
	}
}

// evidenceWord says how a piece of evidence came out: what would speak against
// the finding is ruled out, or it holds.
func evidenceWord(e cluster.Evidence) string {
	switch {
	case e.Side == cluster.SideAgainst && e.Answer == cluster.False:
		return "ruled out"
	case e.Side == cluster.SideAgainst && e.Answer == cluster.True:
		return "holds"
	}
	return e.Answer.String()
}

// orUnknown names what is missing.
func orUnknown(s string) string {
	if s == "" {
		return "role unknown"
	}
	return s
}

// LeaderWords says whom a layer takes for the leader.
func LeaderWords(l cluster.LayerLeader) string {
	switch {
	case !l.Known:
		return "unknown"
	case len(l.Nodes) == 0:
		return "nobody"
	}
	return strings.Join(l.Nodes, " and ")
}

// Contradicted answers whether the layers cannot all be right: then no number
// that is counted from them is certain.
func (s *State) Contradicted() bool {
	for _, l := range s.Leadership {
		if l.Layer != string(cluster.SourceEtcd) && len(l.Nodes) > 1 {
			return true
		}
	}
	return len(s.Board.Contradictions) > 0
}

// MarginWords says how much more can be lost.
func (s *State) MarginWords() string {
	words := marginWords(s.Margin)
	if s.Contradicted() && s.Margin.Known && s.Margin.CanLose >= 0 {
		words += ", if the layers are right, which contradict each other"
	}
	return words
}

func marginWords(m cluster.Margin) string {
	s := fmt.Sprintf("%d vote, %d good copies, can lose %d", m.Votes, m.Copies, m.CanLose)
	if m.Copies == 1 {
		s = fmt.Sprintf("%d vote, 1 good copy, can lose %d", m.Votes, m.CanLose)
	}
	if m.CanLose < 0 {
		s = fmt.Sprintf("%d vote, %d good copies, cannot serve now", m.Votes, m.Copies)
	}
	if !m.Known {
		s += " (something is unknown and counts as lost)"
	}
	return s
}
