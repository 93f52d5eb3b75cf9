package tui

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// The situation line says how sure it is, and its clock stays whole and in place.
func TestSituationLine(t *testing.T) {
	line := func(w int, d *fakeDoor, f func(*watch.State)) string {
		s := newStage(d, w, 24)
		s.change(f)
		return strings.Split(ansi.Strip(s.screen()), "\n")[0]
	}
	margin := func(lose int, known bool) func(*watch.State) {
		return func(n *watch.State) {
			n.Margin = cluster.Margin{Votes: 2, Listed: 3, Copies: 1, CanLose: lose, Known: known}
		}
	}
	layers := func(leaderl, postgresql, status string) func(*watch.State) { // "" unknown, "-" nobody
		return func(n *watch.State) {
			n.Leadership = nil
			for i, says := range []string{leaderl, postgresql, status} {
				l := cluster.LayerLeader{Layer: []string{"leaderl", "postgresql", "cluster-status"}[i], Known: says != ""}
				if l.Known && says != "-" {
					l.Nodes = []string{says}
				}
				n.Leadership = append(n.Leadership, l)
			}
		}
	}
	early := func() *fakeDoor {
		d := healthy()
		d.state.Leadership, d.state.View.Snapshot.Reports = nil, nil
		return d
	}
	for _, c := range []struct {
		w      int
		door   *fakeDoor
		change func(*watch.State)
		says   []string
		not    string
	}{
		{160, walGap(), margin(0, true), []string{"2 of 3 vote, 1 good copy, ! can lose 0"}, "?"},
		{160, walGap(), margin(0, false), []string{"? at least 2 of 3 vote, 1 good copy, can lose 0; unknown counts as lost"}, "!"},
		{80, walGap(), margin(0, false), []string{"? can lose at least 0"}, "!"},
		{80, walGap(), margin(-1, false), []string{"? may not serve"}, "cannot"},
		{80, walGap(), margin(-1, true), []string{"! cannot serve now"}, "?"},
		{80, twoPrimaries(), margin(1, true), []string{"? can lose 1"}, ""},
		{120, early(), margin(-1, false), []string{"leader: looking…", "votes and copies: looking…"}, "!"},
		{160, unseen(), layers("", "", "be2"), []string{"? leader be2 by cluster-status, 2 layers unknown"}, "nobody"},
		{80, unseen(), layers("", "", "be2"), []string{"? leader be2"}, "nobody"},
		{160, unseen(), layers("", "", ""), []string{"? leader unknown, no layer tells who"}, "nobody"},
		{160, unseen(), layers("", "", "-"), []string{"? leader unknown: nobody by cluster-status, 2 layers unknown"}, "nobody leads"},
		{80, unseen(), layers("-", "", "-"), []string{"? leader unknown"}, "nobody"},
		{160, unseen(), layers("", "-", ""), []string{"! nobody leads, 2 layers unknown"}, "?"},
		{160, unseen(), layers("be1", "", "be1"), []string{"   leader be1 by leaderl and cluster-status, 1 layer unknown"}, "?"},
		{160, unseen(), layers("", "be1", "be2"), []string{"! leader: postgresql be1, cluster-status be2, 1 layer unknown"}, "?"},
		{80, rebuilding(), func(n *watch.State) {
			n.Links = map[string]watch.Link{"be2": {Phase: "lost"}, "be3": {Phase: "lost"}}
			n.Stamp, n.Margin.Known = "SIMULATION", false
		}, []string{"SIMULATION", "2 nodes lost", "leader be1", "? can lose 1+", "run 3/5 (g)", "02:44:51Z"}, ""},
		{80, noLeader(), func(n *watch.State) {
			n.Links = map[string]watch.Link{"be1": {Phase: "lost"}, "be2": {Phase: "lost"}}
			n.Stamp, n.Margin = "SIMULATION", cluster.Margin{Votes: 1, Listed: 3, CanLose: -1}
		}, []string{"SIMULATION", "! nobody leads", "? may not serve", "! 2 lost", "acting", "02:44:51Z"}, ">"},
	} {
		got := line(c.w, c.door, c.change)
		for _, w := range c.says {
			if !strings.Contains(got, w) {
				t.Errorf("%q lacks %q", got, w)
			}
		}
		if c.not != "" && strings.Contains(got, c.not) {
			t.Errorf("%q says %q", got, c.not)
		}
	}
	quiet, loud := line(80, healthy(), margin(1, true)), line(80, walGap(), margin(1, true))
	if strings.Index(quiet, "02:44Z") != strings.Index(loud, "02:44:51Z") {
		t.Errorf("the clock jumps:\n%q\n%q", quiet, loud)
	}
}
