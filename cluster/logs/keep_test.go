package logs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"chef-backend-cockpit/cluster"
)

var someSigns = []cluster.Sign{{Name: "line-seven", Pattern: `line 7 of many`}}

// One cockpit after the other follows a log that rotates: together they show
// every line once, and count a sign once.
func TestNextCockpitGoesOn(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := t.TempDir()
	keep := filepath.Join(t.TempDir(), "new", "positions.json")
	s := newSvlogd(t, dir+"/etcd", 1000)
	defer func() { s.file.Close() }()
	var all []int
	for round := range 4 {
		f := followKept(t, newShellHost("sh"), dir, keep)
		s.write(20)
		f.until(t, "the newest line", f.holdsLine(s.lines))
		f.stop()
		ns, gaps := f.numbers(t, "etcd")
		if len(gaps) > 0 || len(ns) == 0 {
			t.Fatalf("round %d: %d lines, gaps %v", round, len(ns), gaps)
		}
		all = append(all, ns...)
		if seen := f.Signs(); len(seen) != 1 || seen[0].Count != 1 || seen[0].Example != "LOG:  line 7 of many" {
			t.Errorf("round %d: signs %+v", round, seen)
		}
		for range 5 * round {
			s.write(50)
			s.rotate()
		}
	}
	for i, n := range all {
		if n != i+1 {
			t.Fatalf("line %d stands in place %d of %d", n, i+1, len(all))
		}
	}
	if info, err := os.Stat(keep); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
}

// A cockpit that is killed leaves what it wrote a moment before: the next one
// shows no gap, and again only what came after that moment.
func TestKilledCockpitLosesNothing(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := t.TempDir()
	keep := filepath.Join(t.TempDir(), "positions.json")
	s := newSvlogd(t, dir+"/etcd", 1000)
	defer func() { s.file.Close() }()
	f := followKept(t, newShellHost("sh"), dir, keep)
	s.write(100)
	f.until(t, "the first lines", f.holdsLine(100))
	var left []byte
	f.until(t, "the positions", func() bool { // written after lines, so new ones go on coming
		s.write(1)
		left, _ = os.ReadFile(keep)
		return regexp.MustCompile(`"offset":[1-9]`).Match(left)
	})
	placed := s.lines
	f.stop()
	if err := os.WriteFile(keep, left, 0o600); err != nil {
		t.Fatal(err)
	}
	next := followKept(t, newShellHost("sh"), dir, keep)
	defer next.stop()
	s.write(1)
	next.until(t, "the newest line", next.holdsLine(s.lines))
	ns, gaps := next.numbers(t, "etcd")
	if len(gaps) > 0 || ns[0] > placed+1 || ns[0] < 2 || ns[len(ns)-1] != s.lines || len(ns) != s.lines-ns[0]+1 {
		t.Fatalf("lines %d to %d, %d of them, gaps %v", ns[0], ns[len(ns)-1], len(ns), gaps)
	}
}

// What is gone when the next cockpit comes is one hole with the stamps around
// it; what is merely too much is passed over and said.
func TestHoleBetweenCockpits(t *testing.T) {
	s := newTestStream(t, "etcd")
	s.last = time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC).UnixNano()
	g := &log{stream: s, folder: "/var/log/chef-backend/etcd"}
	name := func(n string) string { return g.folder + "/@400000006000000" + n + "00000000.s" }
	g.goOnFrom(position{Service: "etcd", Folder: g.folder, Offset: 5, Proof: []byte("x\n"), After: name("1")[:len(name("1"))-2],
		Files: []keptFile{{name("2"), 12, 100, 100}, {g.folder + "/current", 13, 50, 50}}, Stamp: s.last})
	g.resume()
	current := file{g.folder + "/current", 19, 0, 0}
	g.cursor.listed([]file{{name("8"), 18, 70, 70}, current}, g)
	s.take([]byte("2026-11-23_12:34:39.45706 next\n"))
	text := string(s.batch.text[:s.batch.entries[0].length])
	if want := "at least 145 bytes between 2026-11-23 11:00:00.00000Z and 2026-11-23 12:34:39.45706Z; the log was cut"; !strings.HasPrefix(text, want) {
		t.Error(text)
	}
	s.batch.reset()
	s.last = 0
	g.goOnFrom(position{Service: "etcd", Folder: g.folder, Offset: 10, Files: []keptFile{{g.folder + "/current", 19, 50, 50}}})
	g.resume()
	g.cursor.listed([]file{{g.folder + "/current", 19, 10 + catchUp + 7, 10 + catchUp + 7}}, g)
	s.take([]byte("next\n"))
	text = string(s.batch.text[:s.batch.entries[0].length])
	if want := "7 bytes; they were written while nobody followed"; !strings.HasPrefix(text, want) || !g.torn || g.offset != 17 {
		t.Error(text, g.torn, g.offset)
	}
}

// A file that is no file of positions is told, and the logs begin anew; names
// from it never come into a request unless they are a log's.
func TestPositionsThatCannotBe(t *testing.T) {
	const folder = "/var/log/chef-backend/etcd"
	one := keptFile{folder + "/current", 1, 2, 2}
	for _, p := range []position{
		{Service: "etcd", Folder: "/etc", Files: []keptFile{{"/etc/current", 1, 2, 2}}},
		{Service: "etcd", Folder: folder + "/9.5", Files: []keptFile{{folder + "/9.5/current", 1, 2, 2}}},
		{Service: "etcd", Folder: folder, Files: []keptFile{{folder + "/current;stat /etc", 1, 2, 2}}},
		{Service: "etcd", Folder: folder, Files: []keptFile{one, one}},
		{Service: "etcd", Folder: folder, Files: []keptFile{one}, Offset: -1},
		{Service: "etcd", Folder: folder, Files: []keptFile{one}, Proof: make([]byte, 65)},
	} {
		if p.sound("/var/log/chef-backend") {
			t.Errorf("%+v is taken", p)
		}
	}
	for text, want := range map[string]string{"{": "unexpected end", `{"format":7}`: "format 7"} {
		keep := filepath.Join(t.TempDir(), "positions.json")
		if err := os.WriteFile(keep, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := New(Options{Nodes: []cluster.Node{{Name: "be1"}}, Clock: newManual(), Keep: keep})
		if err != nil || l.Kept() == nil || !strings.Contains(l.Kept().Error(), want) {
			t.Errorf("%s: %v, %v", text, err, l.Kept())
		}
	}
}
