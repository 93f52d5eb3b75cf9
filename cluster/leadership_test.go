package cluster

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// layered is a view of two nodes with these answers of PostgreSQL and leaderl.
func layered(recovery map[string]bool, codes map[string]int, stopped ...string) *View {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := &Snapshot{At: at, Reports: map[string]*Report{}}
	for _, name := range []string{"be1", "be2"} {
		s.Nodes = append(s.Nodes, Node{Name: name})
		r := &Report{Node: name}
		if in, ok := recovery[name]; ok {
			r.PostgreSQL.InRecovery = KnownAs(in, SourcePostgreSQL, at)
		}
		if code, ok := codes[name]; ok {
			r.Leaderl.LeaderCode = KnownAs(code, SourceLeaderl, at)
		}
		s.Reports[name] = r
	}
	for _, name := range stopped {
		s.Reports[name].PostgreSQL.Postmaster = KnownAs(0, SourcePostgreSQL, at)
	}
	return &View{Now: at, Snapshot: s}
}

// unlooked takes away the report of a node.
func unlooked(node string, v *View) *View {
	delete(v.Snapshot.Reports, node)
	return v
}

// read lets cluster-status be read on one node; it calls leader a leader, "" nobody.
func read(on, leader string, v *View) *View {
	var rows []CtlNode
	for _, n := range v.Snapshot.Nodes {
		rows = append(rows, CtlNode{Name: n.Name, Role: map[bool]string{true: "leader", false: "follower"}[n.Name == leader]})
	}
	v.Snapshot.Reports[on].Ctl.Rows = KnownAs(rows, SourceCtl, v.Now)
	return v
}

func TestLeadershipByLayer(t *testing.T) {
	for name, c := range map[string]struct {
		view      *View
		layer     int
		nodes     []string
		known     bool
		contradic string
	}{
		"leaderl answers 200":         {layered(nil, map[string]int{"be1": 200, "be2": 503}), 0, []string{"be1"}, true, ""},
		"nobody could be asked":       {layered(nil, nil), 0, nil, false, ""},
		"one out of recovery":         {layered(map[string]bool{"be1": true, "be2": false}, nil), 1, []string{"be2"}, true, ""},
		"two out of recovery":         {layered(map[string]bool{"be1": false, "be2": false}, nil), 1, []string{"be1", "be2"}, true, "PostgreSQL is out of recovery on be1 and be2 at once"},
		"all stopped is nobody":       {layered(nil, nil, "be1", "be2"), 1, nil, true, ""},
		"one stopped, one unknown":    {layered(nil, nil, "be1"), 1, nil, false, ""},
		"one in recovery, one unseen": {unlooked("be2", layered(map[string]bool{"be1": true}, nil)), 1, nil, false, ""},
		"one 503, one unknown":        {layered(nil, map[string]int{"be1": 503}), 0, nil, false, ""},
		"every one 503":               {layered(nil, map[string]int{"be1": 503, "be2": 503}), 0, nil, true, ""},
		"one 200, one unknown":        {layered(nil, map[string]int{"be1": 200}), 0, []string{"be1"}, true, ""},
		"one cluster-status for all":  {read("be1", "be2", layered(nil, nil)), 2, []string{"be2"}, true, ""},
		"it names nobody":             {read("be1", "", layered(nil, nil)), 2, nil, true, ""},
		"of no node":                  {&View{Snapshot: &Snapshot{}}, 0, nil, false, ""},
		"leaderl against PostgreSQL":  {layered(map[string]bool{"be2": false}, map[string]int{"be1": 200}), 1, []string{"be2"}, true, "leaderl answers as leader on be1, PostgreSQL is out of recovery on be2"},
		"cluster-status was not read": {layered(nil, nil), 2, nil, false, ""},
	} {
		got := c.view.Leadership()[c.layer]
		if !reflect.DeepEqual(got.Nodes, c.nodes) || got.Known != c.known {
			t.Errorf("%s: %+v", name, got)
		}
		if said := strings.Join(c.view.Board().Contradictions, "; "); said != c.contradic {
			t.Errorf("%s: contradictions %q, want %q", name, said, c.contradic)
		}
	}
}

func TestBoardMarksWhatIsUnknown(t *testing.T) {
	b := layered(nil, map[string]int{"be1": 200}).Board()
	if len(b.Rows) != 2 || len(b.Rows[0].Cells) != len(b.Columns) {
		t.Fatalf("board: %+v", b)
	}
	if c := b.Rows[0].Cells[0]; c.Text != "leader" || c.Mark != MarkLeader {
		t.Errorf("leaderl of be1: %+v", c)
	}
	for i, c := range b.Rows[1].Cells {
		if c.Mark != MarkUnknown || c.Why.Sentence == "" {
			t.Errorf("%s of be2: %+v", b.Columns[i], c)
		}
	}
}

func TestBoardSaysWhatLeaderlAnswers(t *testing.T) {
	for code, want := range map[int]string{200: "leader", 503: "not leader", 0: "silent", 500: "answers 500"} {
		if c := layered(nil, map[string]int{"be1": code}).Board().Rows[0].Cells[0]; !strings.HasSuffix(c.Text, want) {
			t.Errorf("%d is shown as %q, want %q", code, c.Text, want)
		}
	}
}
