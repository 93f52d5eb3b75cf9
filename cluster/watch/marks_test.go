package watch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/remote"
)

// marked is a watch that asks nobody, with its marks in a file.
func marked(t *testing.T, path string) *Watch {
	t.Helper()
	nodes := []cluster.Node{{Name: "be1"}, {Name: "be2"}, {Name: "be3"}}
	w, err := New(Options{Cluster: "invented", Nodes: nodes, Clock: remote.System{}, Catalogue: &catalogue.Catalogue{},
		Hosts: map[string]remote.Host{"be1": silent{}, "be2": silent{}, "be3": silent{}}, MarksFile: path, Operator: "ann@bastion"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// silent is a host that is only there by name.
type silent struct{ remote.Host }

func (silent) Link() remote.Link { return remote.Link{Phase: remote.Connecting} }

// What an operator said of nodes is known to the next cockpit, and a fence
// falls only by the phrase, typed for that node.
func TestMarksOutliveTheCockpit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "marks", "invented.json")
	w := marked(t, path)
	for _, wrong := range []string{"", "y", "be2 is off", "be3", "be3 is off "} {
		if err := w.Fence("be3", wrong); err == nil {
			t.Errorf("%q fenced be3", wrong)
		}
	}
	if err := w.Fence("be9", "be9 is off"); err == nil || !strings.Contains(err.Error(), "be9") {
		t.Errorf("a node that is none: %v", err)
	}
	if err := w.Fence("be3", FencePhrase("be3")); err != nil {
		t.Fatal(err)
	}
	if err := w.Maintain("be2", 25*time.Hour); err == nil {
		t.Error("maintenance of more than a day was taken")
	}
	if err := w.Maintain("be2", time.Hour); err != nil {
		t.Fatal(err)
	}
	v := marked(t, path).View()
	if !v.Fenced["be3"] || len(v.Fenced) != 1 || len(v.Maintenance) != 1 || v.MarkedBy["be2"] != "ann@bastion" {
		t.Errorf("after a restart: fenced %v, maintenance %v by %v", v.Fenced, v.Maintenance, v.MarkedBy)
	}
	if err := w.Maintain("be2", 0); err != nil {
		t.Fatal(err)
	}
	if err := w.Unfence("be3"); err != nil {
		t.Fatal(err)
	}
	if v := marked(t, path).View(); len(v.Fenced)+len(v.Maintenance) != 0 {
		t.Errorf("taken back: fenced %v, maintenance %v", v.Fenced, v.Maintenance)
	}
}

// A file that cannot be read is told, and never overwritten by a new mark.
func TestMarksThatCannotBeRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "marks.json")
	if err := os.WriteFile(path, []byte(`{"fenced": {"be3"`), 0o600); err != nil {
		t.Fatal(err)
	}
	w := marked(t, path)
	if err := w.Fence("be1", FencePhrase("be1")); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error without the file: %v", err)
	}
	if n := w.State().Notices; len(n) == 0 || !n[len(n)-1].Grave {
		t.Errorf("notices: %v", n)
	}
	if text, _ := os.ReadFile(path); string(text) != `{"fenced": {"be3"` {
		t.Errorf("the file is now %q", text)
	}
}

// A fenced node that answers uses the word up, for the next cockpit as well; a
// look that began before the word was given does not.
func TestFenceEndsWhenTheNodeAnswers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "invented.json")
	w := marked(t, path)
	if err := w.Fence("be3", FencePhrase("be3")); err != nil {
		t.Fatal(err)
	}
	look := func(began time.Time, way cluster.Reach) *cluster.View {
		v := w.View()
		v.Snapshot.Reports["be3"] = &cluster.Report{Node: "be3", Began: began, Reach: cluster.KnownAs(way, cluster.SourceReach, began)}
		w.marks.returned(v)
		w.marks.keep()
		return v
	}
	soon := w.marks.said.Fenced["be3"].At.Add(time.Second)
	for name, v := range map[string]*cluster.View{
		"reached before": look(soon.Add(-time.Hour), cluster.Reached),
		"silent":         look(soon, cluster.Unreachable),
		"another key":    look(soon, cluster.HostKeyChanged),
	} {
		if !v.FenceStands("be3") {
			t.Errorf("%s: the fence fell", name)
		}
	}
	if v := look(soon, cluster.Reached); v.FenceStands("be3") || !v.Fenced["be3"] {
		t.Errorf("reached after: stands %v, known %v", v.FenceStands("be3"), v.Fenced["be3"])
	}
	if v := look(soon.Add(time.Hour), cluster.Unreachable); v.FenceStands("be3") {
		t.Error("the fence stands again when the node goes silent")
	}
	next := marked(t, path)
	if v := next.View(); v.FenceStands("be3") || !v.Returned["be3"].Equal(soon) {
		t.Errorf("the next cockpit: stands %v, answered %v", v.FenceStands("be3"), v.Returned)
	}
	if err := next.Fence("be3", FencePhrase("be3")); err != nil {
		t.Fatal(err)
	}
	if !next.View().FenceStands("be3") {
		t.Error("said anew it does not stand")
	}
}
