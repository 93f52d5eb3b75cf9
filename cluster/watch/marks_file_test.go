package watch

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// stands lists what one cockpit knows of fences and maintenance.
func stands(m *marks) string {
	v := &cluster.View{Now: t0}
	m.into(v)
	var all []string
	for n := range v.Fenced {
		all = append(all, n+" fenced")
	}
	for n := range v.Maintenance {
		all = append(all, n+" worked at")
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func fences(node string) func(*said) {
	return func(s *said) { s.Fenced[node] = fencing{By: "ann@bastion", At: t0} }
}

// Two cockpits of one account neither forget nor bring back what the other said.
func TestMarksOfTwoCockpits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "marks", "invented")
	a, b := newMarks(path, "ann@bastion"), newMarks(path, "bob@bastion")
	if b.refresh() {
		t.Error("no file was taken for another one")
	}
	for i, c := range []struct {
		by, other *marks
		edit      func(*said)
		want      string
	}{
		{a, b, fences("be1"), "be1 fenced"},
		{b, a, fences("be2"), "be1 fenced, be2 fenced"},
		{a, b, func(s *said) { delete(s.Fenced, "be2") }, "be1 fenced"},
		{b, a, func(s *said) { s.Maintenance["be3"] = maintenance{"bob@bastion", t0.Add(time.Hour)} }, "be1 fenced, be3 worked at"},
		{b, a, func(s *said) { delete(s.Fenced, "be1") }, "be3 worked at"},
		{a, b, fences("be3"), "be3 fenced, be3 worked at"},
	} {
		if err := c.by.change(c.edit); err != nil {
			t.Fatal(err)
		}
		if got := stands(c.by); got != c.want {
			t.Errorf("%d: who said it knows %q, want %q", i, got, c.want)
		}
		if !c.other.refresh() || c.other.refresh() {
			t.Errorf("%d: the other one did not read it once", i)
		}
		if got := stands(c.other); got != c.want {
			t.Errorf("%d: the other one knows %q, want %q", i, got, c.want)
		}
	}
}

// Nothing is lost of what many say at the same time.
func TestMarksAtTheSameTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "invented")
	var wait sync.WaitGroup
	for i := range 8 {
		m := newMarks(path, "ann@bastion")
		for k := range 4 {
			wait.Go(func() {
				if err := m.change(fences(fmt.Sprint("be", i*4+k))); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wait.Wait()
	if n := len(newMarks(path, "ann@bastion").said.Fenced); n != 32 {
		t.Errorf("%d of 32 marks were kept", n)
	}
}

// A file that becomes unreadable is told, says nothing, and is not overwritten;
// mended it is read again. That a node answered outlives that.
func TestMarksThatBecomeUnreadable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "invented")
	m := newMarks(path, "ann@bastion")
	if err := m.change(fences("be3")); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, broken := range []string{"", `{"fenced": {"be3"`, `[]`} {
		if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		if !m.refresh() || stands(m) != "" || len(m.trouble()) != 1 {
			t.Errorf("%q: known %q, told %v", broken, stands(m), m.trouble())
		}
		if err := m.change(fences("be1")); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: error without the file: %v", broken, err)
		}
		if text, _ := os.ReadFile(path); string(text) != broken {
			t.Errorf("%q: the file is now %q", broken, text)
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		if !m.refresh() || stands(m) != "be3 fenced" || m.trouble() != nil {
			t.Errorf("mended: known %q, told %v", stands(m), m.trouble())
		}
	}
	s := threeNodes(1, t0.Add(time.Minute), "be1")
	m.returned(&cluster.View{Now: s.At, Snapshot: s})
	if err := os.WriteFile(path, whole, 0o600); err != nil { // by a cockpit that did not hear it
		t.Fatal(err)
	}
	m.refresh()
	if m.said.Fenced["be3"].Back.IsZero() {
		t.Error("that the node answered is forgotten")
	}
	if m.keep() || m.owed || newMarks(path, "").said.Fenced["be3"].Back.IsZero() {
		t.Error("that the node answered is not kept")
	}
}

// What another cockpit says of a node is shown here without being asked for.
func TestMarksOfAnotherCockpitAreShown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "invented")
	here, there := marked(t, path), marked(t, path)
	if err := there.Fence("be3", FencePhrase("be3")); err != nil {
		t.Fatal(err)
	}
	here.lookAtMarks()
	late := time.After(30 * time.Second)
	for !here.State().View.Fenced["be3"] {
		select {
		case <-here.Changed():
		case <-late:
			t.Fatal("never shown")
		}
	}
}
