package tui

import (
	"reflect"
	"strings"
	"testing"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// bindingsOf are all bindings of the key map, by field name.
func bindingsOf(k keyMap) map[string]key.Binding {
	all := map[string]key.Binding{}
	v := reflect.ValueOf(k)
	for i := range v.NumField() {
		all[v.Type().Field(i).Name] = v.Field(i).Interface().(key.Binding)
	}
	return all
}

func TestHelpListsEveryBinding(t *testing.T) {
	help := strings.Join(helpText(newStage(healthy(), 120, 40).m, 116), "\n")
	for name, b := range bindingsOf(newKeyMap()) {
		if !strings.Contains(help, b.Help().Desc) || !strings.Contains(help, b.Help().Key) {
			t.Errorf("%s (%s, %s) is missing in the help", name, b.Help().Key, b.Help().Desc)
		}
	}
}

// No two bindings of one place share a key.
func TestKeysDoNotClash(t *testing.T) {
	k := newKeyMap()
	for _, place := range [][]key.Binding{
		append(append(append([]key.Binding{}, k.groups()[0].keys...), k.groups()[1].keys...), k.groups()[2].keys...),
		append(append([]key.Binding{}, k.groups()[3].keys[1:]...), k.Up, k.Down, k.PageUp, k.PageDown, k.Help),
	} {
		taken := map[string]string{}
		for _, b := range place {
			for _, c := range b.Keys() {
				if other, twice := taken[c]; twice {
					t.Errorf("%q is both %q and %q", c, other, b.Help().Desc)
				}
				taken[c] = b.Help().Desc
			}
		}
	}
}

// Whatever single key is pressed outside a dialog, in whatever place, no plan
// is confirmed that could change a node.
func TestNoBareKeyIsDangerous(t *testing.T) {
	var every []string
	for c := ' '; c <= '~'; c++ {
		every = append(every, string(c))
	}
	every = append(every, "enter", "esc", "tab", "up", "down", "left", "right", "pgup", "pgdown", "home", "end")
	for _, way := range [][]string{nil, {"tab"}, {"tab", "tab"}, {"shift+tab"}, {"w"}, {"w", "down"}, {"r"}, {"n"}, {"r", "enter"}, {"g"}, {"?"}, {"c"}, {"s"}, {"/"}} {
		t.Run(strings.Join(way, "-"), func(t *testing.T) {
			t.Parallel()
			for _, k := range every {
				s := newStage(walGap(), 100, 30).keys(way...).keys(k)
				if len(s.door.confirmed) > 0 {
					t.Errorf("%v then %q confirmed %q", way, k, s.door.confirmed)
				}
			}
		})
	}
}

func TestLettersOfOneReadAreSingleKeys(t *testing.T) {
	s := newStage(walGap(), 100, 30)
	s.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("bbv")})
	if s.settle(); s.m.logs.node != "be2" || s.m.logs.service != "leaderl" {
		t.Errorf("node %q, service %q", s.m.logs.node, s.m.logs.service)
	}
	s.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("bbv"), Paste: true})
	if s.settle(); s.m.logs.node != "be2" {
		t.Error("a paste was taken for keys")
	}
}

// The table of what keys do.
func TestKeys(t *testing.T) {
	top := func(s *stage) string { return strings.TrimPrefix(reflect.TypeOf(s.m.top()).String(), "*tui.") }
	for _, c := range []struct {
		keys string
		door func() *fakeDoor
		ok   func(s *stage) bool
	}{
		{"tab", walGap, func(s *stage) bool { return s.m.focus == paneNodes }},
		{"tab tab tab tab", walGap, func(s *stage) bool { return s.m.focus == paneAlarms }},
		{"shift+tab", walGap, func(s *stage) bool { return s.m.focus == paneLogs }},
		{"3", walGap, func(s *stage) bool { return s.m.nodes.at == 2 && s.m.focus == paneNodes }},
		{"9", walGap, func(s *stage) bool { return s.m.nodes.at == 0 }},
		{"3 left left left", walGap, func(s *stage) bool { return s.m.nodes.at == 0 }},
		{"tab tab down right", walGap, func(s *stage) bool { return s.m.board == boardPane{1, 1} }},
		{"tab tab w", walGap, func(s *stage) bool { return strings.Contains(s.screen(), "leaderl on be1") }},
		{"w", walGap, func(s *stage) bool { return top(s) == "whyView" }},
		{"w esc", walGap, func(s *stage) bool { return s.m.top() == nil }},
		{"w", healthy, func(s *stage) bool { return s.m.top() == nil && s.m.flash.text != "" }},
		{"r", walGap, func(s *stage) bool { return top(s) == "menu" }},
		{"r enter", walGap, func(s *stage) bool {
			return top(s) == "planView" && reflect.DeepEqual(s.door.planned, []string{"rebuild-follower be3"})
		}},
		{"r down enter", walGap, func(s *stage) bool { return top(s) == "menu" && len(s.door.planned) == 0 }},
		{"r enter p", walGap, func(s *stage) bool { return top(s) == "planView" && len(s.door.planned) == 2 }},
		{"r enter c", walGap, func(s *stage) bool { return top(s) == "confirmDialog" }},
		{"2 n", walGap, func(s *stage) bool { return strings.Contains(s.screen(), "Restart leaderl on be2") }},
		{"a", walGap, func(s *stage) bool { return reflect.DeepEqual(s.door.acked, []string{"follower-wal-gap@be3"}) }},
		{"down a", noLeader, func(s *stage) bool { return reflect.DeepEqual(s.door.acked, []string{"etcd-slow"}) }},
		{"p", walGap, func(s *stage) bool { return s.door.looks == 1 }},
		{"c", walGap, func(s *stage) bool { return strings.Contains(s.screen(), "nothing is wrong") }},
		{"g", walGap, func(s *stage) bool { return s.m.top() == nil }},
		{"g s", rebuilding, func(s *stage) bool { return s.door.stops == 1 }},
		{"g esc", rebuilding, func(s *stage) bool {
			return s.m.top() == nil && strings.Contains(strings.Split(ansi.Strip(s.screen()), "\n")[0], "running")
		}},
		{"g o", rebuilding, func(s *stage) bool { return strings.Contains(s.screen(), "could not connect to the old primary") }},
		{"?", walGap, func(s *stage) bool { return strings.Contains(s.screen(), "what can be done there") }},
		{"? ?", walGap, func(s *stage) bool { return s.m.top() == nil }},
		{"b", walGap, func(s *stage) bool { return s.m.logs.node == "be1" }},
		{"b b b b", walGap, func(s *stage) bool { return s.m.logs.node == "" }},
		{"l l l", walGap, func(s *stage) bool { return s.m.logs.level == cluster.LevelError && allLines(s, "FATAL") }},
		{"m", walGap, func(s *stage) bool { return allLines(s, "FATAL") }},
		{"m x", walGap, func(s *stage) bool { return !s.m.logs.signs }},
		{"/ p o n g enter", walGap, func(s *stage) bool { return allLines(s, "pong") }},
		{"/ p o n g esc", walGap, func(s *stage) bool { return s.m.logs.text == "" && s.m.prompt == nil }},
		{"/ q enter", walGap, func(s *stage) bool { return s.m.logs.text == "q" && !s.ended }},
		{"/ ~ ( enter", walGap, func(s *stage) bool { return strings.Contains(s.screen(), "lacks a )") }},
		{"/ p o n g enter o [", walGap, func(s *stage) bool { return selectedHas(s, "pong") && !s.m.logs.follow }},
		{"e", walGap, func(s *stage) bool { return selectedHas(s, "FATAL") }},
		{"e E", walGap, func(s *stage) bool { return selectedHas(s, "FATAL") && s.m.logs.sel < 83 }},
		{"e f", walGap, func(s *stage) bool { return s.m.logs.follow && s.m.logs.sel == 0 }},
		{"pgup", walGap, func(s *stage) bool { return !s.m.logs.follow && s.m.logs.page.Newer > 0 }},
		{"home", walGap, func(s *stage) bool { return s.m.logs.page.Lines[0].Seq == 1 }},
		{"home end", walGap, func(s *stage) bool { return s.m.logs.follow && s.m.logs.page.Newer == 0 }},
		{"home pgdown", walGap, func(s *stage) bool { return s.m.logs.page.Lines[0].Seq == uint64(s.m.logs.rows) }},
		{"shift+tab up up up", walGap, func(s *stage) bool { return s.m.logs.sel == uint64(len(s.door.lines)-2) }},
		{"q", walGap, func(s *stage) bool { return s.ended }},
		{"ctrl+c", walGap, func(s *stage) bool { return s.ended }},
	} {
		s := newStage(c.door(), 100, 30)
		s.screen()
		for _, k := range strings.Split(c.keys, " ") {
			s.keys(k)
			s.screen()
		}
		if !c.ok(s) {
			t.Errorf("%q did something else:\n%s", c.keys, ansi.Strip(s.screen()))
		}
	}
}

func allLines(s *stage, text string) bool {
	for _, l := range s.m.logs.page.Lines {
		if !strings.Contains(l.Text, text) {
			return false
		}
	}
	return len(s.m.logs.page.Lines) > 0
}

func selectedHas(s *stage, text string) bool {
	i := s.m.logs.index()
	return i >= 0 && strings.Contains(s.m.logs.page.Lines[i].Text, text)
}

// A paused page stands still while lines go on arriving, and none is missed.
func TestPauseKeepsThePage(t *testing.T) {
	s := newStage(walGap(), 100, 30).keys(" ")
	before := s.m.logs.page.Lines
	for range 214 {
		addLine(s.door, cluster.Line{Node: "be2", Service: "etcd", Text: "more"})
	}
	s.change(func(*watch.State) {})
	if !strings.Contains(s.screen(), "paused: 214 below") {
		t.Error(s.screen())
	}
	if !reflect.DeepEqual(before, s.m.logs.page.Lines) {
		t.Error("the page moved")
	}
	if s.keys(" "); s.m.logs.page.Lines[len(s.m.logs.page.Lines)-1].Seq != uint64(len(s.door.lines)) {
		t.Error("resuming does not show the newest line")
	}
}

// The selection holds on to the finding, whatever its row is by now.
func TestSelectionHoldsOnToTheFinding(t *testing.T) {
	s := newStage(noLeader(), 100, 30).keys("down")
	chosen := s.m.alarms.id
	s.change(func(n *watch.State) {
		first := n.Findings[8]
		n.Findings = append([]cluster.Finding{first}, n.Findings[:8]...)
	})
	if f, _ := s.m.alarms.selected(); f.ID() != chosen {
		t.Errorf("%s is selected now", f.ID())
	}
}

// The screen stays with a finding that went away, and offers nothing of it.
func TestWhyOutlivesItsFinding(t *testing.T) {
	for _, k := range []string{"w", "r"} {
		d := walGap()
		s := newStage(d, 100, 30).keys(k)
		if strings.Contains(s.screen(), "it no longer stands") {
			t.Errorf("%s says it while the finding stands:\n%s", k, s.screen())
		}
		s.change(func(n *watch.State) { n.Findings, d.offered = nil, nil })
		if !strings.Contains(s.screen(), "it no longer stands") {
			t.Errorf("%s does not say it:\n%s", k, s.screen())
		}
		if k == "r" && !strings.Contains(s.screen(), "This finding has gone") {
			t.Error(s.screen())
		}
	}
}

// A box lies over the alarms: what comes up meanwhile is told above it, once
// and only as long as it lies there.
func TestWhatComesUpBehindABoxIsTold(t *testing.T) {
	s := newStage(walGap(), 80, 24).keys("w")
	if strings.Contains(s.screen(), "Meanwhile") {
		t.Errorf("it was there before:\n%s", s.screen())
	}
	s.change(func(n *watch.State) {
		n.Findings = append(n.Findings, cluster.Finding{Failure: "two-primaries", Priority: cluster.P1, Title: "Two PostgreSQL accept writes"},
			cluster.Finding{Failure: "disk-low", Node: "be2", Priority: cluster.P3})
	})
	if rows := strings.Split(ansi.Strip(s.screen()), "\n"); !strings.Contains(rows[1], "! Meanwhile: P1 two-primaries ─") {
		t.Errorf("it is not told: %q", rows[1])
	}
	for _, k := range []string{"esc", "w"} { // seen now, and so known to the next box
		if s.keys(k); strings.Contains(s.screen(), "Meanwhile") {
			t.Errorf("after %s it is told again:\n%s", k, s.screen())
		}
	}
}

func TestLateStateIsDropped(t *testing.T) {
	s := newStage(healthy(), 100, 30)
	s.m.state = &watch.State{Seq: 99, Cluster: "newest", View: s.m.state.View}
	s.send(contentNow{})
	if s.m.state.Cluster != "newest" {
		t.Error("an older state replaced a newer one")
	}
}

// Until the operator chooses a finding himself, the gravest one is selected;
// nothing moves below a box.
func TestSelectionGoesToTheGravest(t *testing.T) {
	grave := cluster.Finding{Failure: "no-leader", Certainty: cluster.Confirmed, Priority: cluster.P1, Title: "nobody leads", Since: now}
	arrives := func(n *watch.State) { n.Findings = append([]cluster.Finding{grave}, n.Findings...) }
	selected := func(s *stage) string { f, _ := s.m.alarms.selected(); return f.ID() }

	s := newStage(walGap(), 100, 30)
	if s.change(arrives); selected(s) != "no-leader" {
		t.Errorf("a graver finding came and %q is selected", selected(s))
	}
	if s.keys("down").change(func(n *watch.State) { n.Findings[0].Priority = cluster.P1 }); selected(s) != "follower-wal-gap@be3" {
		t.Errorf("chosen by hand, but %q is selected", selected(s))
	}
	if s.change(func(n *watch.State) { n.Findings = []cluster.Finding{grave} }); selected(s) != "no-leader" {
		t.Errorf("the chosen one went away and %q is selected", selected(s))
	}
	s = newStage(walGap(), 100, 30).keys("r")
	if s.change(arrives); selected(s) != "follower-wal-gap@be3" {
		t.Errorf("below a box the selection moved to %q", selected(s))
	}
	if s.keys("esc"); selected(s) != "no-leader" {
		t.Errorf("after the box %q is selected", selected(s))
	}
}

// The way out that an alarm names can be taken now, and is in this version.
func TestAlarmNamesAnOfferThatCanBeTaken(t *testing.T) {
	late, never := watch.Offered{Procedure: "late"}, watch.Offered{Procedure: "never", NotBuilt: true}
	ready, look := watch.Offered{Procedure: "ready", Ready: true}, watch.Offered{Procedure: "observe"}
	for _, c := range []struct {
		want string
		all  []watch.Offered
	}{{"ready", []watch.Offered{never, late, ready, look}}, {"observe", []watch.Offered{never, late, look}}, {"late", []watch.Offered{never, late}},
		{"-", []watch.Offered{never}}, {"-", nil}} {
		if got := firstOffer(c.all); got != c.want {
			t.Errorf("%v: %q, want %q", c.all, got, c.want)
		}
	}
	s := newStage(noLeader(), 120, 40)
	s.door.offered["deposed-leader-blocked@be1"] = []watch.Offered{never, ready}
	if s.change(func(*watch.State) {}); !strings.Contains(s.screen(), "ready") || strings.Contains(s.screen(), "never") {
		t.Error(s.screen())
	}
}

// A paused page shows what its head says, whatever the filter is changed to.
func TestPausedPageObeysItsFilter(t *testing.T) {
	d := walGap()
	addLine(d, cluster.Line{Node: "be1", Service: "etcd", Text: "the newest"})
	s := newStage(d, 100, 30).keys("pgup")
	held := s.m.logs.end
	for _, c := range []struct {
		keys []string
		has  func(cluster.Line) bool
	}{
		{[]string{"b", "b", "b"}, func(l cluster.Line) bool { return l.Node == "be3" }},
		{[]string{"m"}, func(l cluster.Line) bool { return l.Node == "be3" && l.Sign != "" }},
		{[]string{"x", "/", "p", "o", "n", "g", "enter"}, func(l cluster.Line) bool { return strings.Contains(l.Text, "pong") }},
		{[]string{"x"}, func(l cluster.Line) bool { return true }},
	} {
		lines := s.keys(c.keys...).m.logs.page.Lines
		if len(lines) == 0 || lines[len(lines)-1].Seq > held || s.m.logs.follow {
			t.Errorf("%v: the page left its place", c.keys)
		}
		for _, l := range lines {
			if !c.has(l) {
				t.Errorf("%v: shows %+v", c.keys, l)
			}
		}
	}
	s.keys("home", "/", "n", "e", "w", "e", "s", "t", "enter")
	if n := len(s.m.logs.page.Lines); n != 1 || !strings.Contains(s.screen(), `"newest", paused`) {
		t.Errorf("%d lines where only a newer one matches\n%s", n, s.screen())
	}
	// Until the answer is there, the head tells of the rows that still stand.
	s.raw("x")
	if !strings.Contains(s.screen(), `"newest"; looking anew`) {
		t.Error(s.screen())
	}
	if s = newStage(walGap(), 100, 30).keys("pgdown", "shift+tab", "down"); !s.m.logs.follow {
		t.Error("there is nothing below the newest line, but the page was held")
	}
}

// A list that is longer than its box can be read and chosen to its end.
func TestLongMenu(t *testing.T) {
	d := healthy()
	reason := strings.Repeat("a condition that is not met, ", 5) + "and this is its end"
	for range 20 {
		d.offered["be1"] = append(d.offered["be1"], watch.Offered{Procedure: "stop-node", Title: "Stop be1", Node: "be1",
			WhyNot: []cluster.CheckedGuard{guard("x", cluster.False, reason)}})
	}
	s := newStage(d, 80, 24).keys("n")
	if !strings.Contains(s.screen(), "more rows below") {
		t.Error(s.screen())
	}
	for range 3 {
		s.keys("pgdown")
	}
	if v := s.m.top().(*menu); v.at != len(v.all)-1 {
		t.Errorf("PgDn leads to %d of %d", v.at, len(v.all))
	}
	if text := ansi.Strip(s.screen()); !strings.Contains(text, "this is its") || !strings.Contains(text, "> stop-node") {
		t.Error(text)
	}
}

// What has to be given up by typing is told before anything is chosen.
func TestOfferTellsItsPrice(t *testing.T) {
	d := walGap()
	g := guard("no-wal-of-its-own", cluster.False, "3.1 MB exist only on be3")
	g.Override = "discard be3"
	d.offered["follower-wal-gap@be3"][0].Price = []cluster.CheckedGuard{g}
	s := newStage(d, 120, 40)
	s.keys("r")
	for _, want := range []string{"ready !", "3.1 MB exist only on be3; or type: discard be3"} {
		if !strings.Contains(s.screen(), want) {
			t.Errorf("%q is not said:\n%s", want, s.screen())
		}
	}
}
