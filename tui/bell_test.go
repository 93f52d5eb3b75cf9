package tui

import (
	"strings"
	"testing"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

func TestTitleNamesTheGravestFinding(t *testing.T) {
	for _, c := range []struct {
		name  string
		title bool
		want  string
	}{
		{"a terminal with a title", true, keepTitle + "\x1b]2;! P1 no-leader - chef-prod\a\a" + "\x1b]2;! P1 two-primaries - chef-prod\a\a" + backTitle},
		{"one without", false, "\a\a"},
	} {
		var heard strings.Builder
		s := newStageWith(healthy(), 100, 30, Options{Title: c.title})
		s.m.out = &output{w: &heard}
		grave := func(names ...string) {
			s.change(func(n *watch.State) {
				n.Findings = nil
				for _, name := range names {
					n.Findings = append(n.Findings, cluster.Finding{Failure: name, Priority: cluster.P1})
				}
			})
		}
		grave("no-leader")
		grave("no-leader")
		grave("two-primaries", "no-leader")
		grave()
		s.m.giveTitleBack() // it has it already
		if heard.String() != c.want {
			t.Errorf("%s: %q, want %q", c.name, heard.String(), c.want)
		}
	}
}

// A name from a configuration cannot end the title and begin something else.
func TestTitleIsOneTitle(t *testing.T) {
	var heard strings.Builder
	d := noLeader()
	d.state.Cluster = "prod\x1b]52;c;eA==\a\x9c"
	s := newStageWith(d, 100, 30, Options{Title: true})
	s.m.out = &output{w: &heard}
	s.change(func(*watch.State) {})
	s.m.giveTitleBack()
	if n := strings.Count(heard.String(), "\x1b"); n != 3 || strings.Contains(heard.String(), "\u009c") {
		t.Errorf("%d sequences: %q", n, heard.String())
	}
}
