package logs

import (
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// pack replaces a file by its packed self, under the given name.
func pack(t *testing.T, name, as string) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(name + ".new")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := gzip.NewWriter(f)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	// One is there before the other is gone, so that it has another inode.
	if err := os.Rename(name+".new", as); err != nil {
		t.Fatal(err)
	}
	if name == as {
		return
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
}

// upwards walks from a line to the oldest, page by page, as the screen does,
// and gives all lines, the oldest first.
func (f *followed) upwards(t *testing.T, q Query) (all []cluster.Line) {
	t.Helper()
	const rows = 500
	end := uint64(0)
	for rounds := 0; ; rounds++ {
		p, err := f.Page(q, end, rows)
		if err != nil || rounds > 1000 {
			t.Fatal(err, rounds)
		}
		if len(p.Lines) < rows && p.Beyond {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			b, err := f.ReadBack(ctx, q, end, rows)
			cancel()
			if err != nil || len(b.Trouble) > 0 {
				t.Fatal(err, b.Trouble)
			}
			if !b.Full {
				continue
			}
		}
		all = append(append([]cluster.Line{}, p.Lines...), all...)
		if !p.Older && !p.Beyond {
			return all
		}
		if len(p.Lines) > 0 {
			end = p.Lines[0].Seq - 1
		}
	}
}

// All that is left of two logs is read back, through plain and packed rotated
// files, in order of time, each line once, to the beginning of each; the rings
// held a part of it, and rotation went on meanwhile.
func TestReadBackToTheBeginning(t *testing.T) {
	for name, shell := range shells(t) {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			dir := t.TempDir()
			logs := map[string]*svlogd{"etcd": newSvlogd(t, dir+"/etcd", 1000), "postgresql": newSvlogd(t, dir+"/postgresql/9.5", 1000)}
			defer logs["etcd"].file.Close()
			defer logs["postgresql"].file.Close()
			for round := range 12 {
				for _, s := range logs {
					s.write(400)
					if s.rotate(); round == 5 {
						s.write(3000) // longer than a piece
					}
				}
			}
			for i, s := range logs {
				names, _ := filepath.Glob(s.dir + "/@*")
				pack(t, names[2], names[2]+".gz")
				pack(t, names[3], names[3]) // as a processor of svlogd leaves it
				if i == "etcd" {
					pack(t, names[6], names[6]+".gz")
				}
			}
			f := followWith(t, Options{Host: func(string) remote.Host { return newShellHost(shell...) }, Folder: dir, RingBytes: 200 << 10})
			defer f.stop()
			for service, s := range logs {
				s.write(1500)
				f.until(t, "the newest line of "+service, func() bool {
					p, _ := f.Page(Query{Services: []string{service}, Text: fmt.Sprintf("line %d of", s.lines)}, 0, 1)
					return len(p.Lines) == 1
				})
			}
			if _, err := f.ReadBack(t.Context(), Query{}, 0, 10); err != nil {
				t.Fatal(err)
			}
			logs["etcd"].rotate() // what stood in current is read on in the rotated file
			for service, s := range logs {
				begins := 0
				var ns []int
				for _, l := range f.upwards(t, Query{Services: []string{service}}) {
					if l.Kind == cluster.LineBegin {
						begins++
						continue
					}
					n := 0
					if _, err := fmt.Sscanf(l.Text, "LOG:  line %d of many", &n); err != nil || l.Kind != cluster.LineText {
						t.Fatalf("%+v", l)
					}
					ns = append(ns, n)
				}
				if begins != 1 || len(ns) != s.lines {
					t.Fatalf("%s: %d lines of %d, %d beginnings", service, len(ns), s.lines, begins)
				}
				for i, n := range ns {
					if n != i+1 {
						t.Fatalf("%s: line %d stands in place %d", service, n, i+1)
					}
				}
			}
			all := f.upwards(t, Query{Text: "LOG"})
			late := 0
			for i, l := range all[1:] {
				if l.Seq <= all[i].Seq || l.Stamp.Before(all[i].Stamp) && !l.Late && !all[i].Late {
					t.Fatalf("%+v after %+v", l, all[i])
				}
				if l.Late {
					late++
				}
			}
			if late > len(all)/10 {
				t.Errorf("%d of %d lines late", late, len(all))
			}
		})
	}
}

// What is held of the past is bounded: the newest of it gives way, and is read
// again from the rings on.
func TestPastIsBounded(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := t.TempDir()
	s := newSvlogd(t, dir+"/etcd", 1000)
	defer func() { s.file.Close() }()
	const lines = 100000
	s.write(lines)
	f := followWith(t, Options{Host: func(string) remote.Host { return newShellHost("sh") }, Folder: dir, RingBytes: 64 << 10})
	defer f.stop()
	f.until(t, "the newest line", f.holdsLine(lines))
	before := f.store.first
	b, err := f.ReadBack(t.Context(), Query{}, 0, lines)
	if err != nil || !b.Full || b.Beginning {
		t.Fatal(b, err) // what would be shown is not pushed out
	}
	top, _ := f.Page(Query{}, 0, lines)
	if b, err = f.ReadBack(t.Context(), Query{}, top.Lines[0].Seq, lines); err != nil || !b.Beginning {
		t.Fatal(b, err)
	}
	p, err := f.Page(Query{}, 0, lines)
	if err != nil || !p.Beyond || p.Hole[1] != before || p.Hole[0] >= before-1 {
		t.Fatalf("%d lines, %v, %+v, %v", len(p.Lines), p.Beyond, p.Hole, err)
	}
	old, err := f.Page(Query{}, p.Hole[0], lines)
	if err != nil || old.Older || old.Beyond || old.Lines[0].Kind != cluster.LineBegin || old.Lines[len(old.Lines)-1].Seq != p.Hole[0] {
		t.Fatalf("%+v, %v", old.Lines[:2], err)
	}
	if n := len(old.Lines); n < pastBytes/200 || n > lines*3/4 {
		t.Errorf("%d lines held", n)
	}
	if seq, ok := f.Find(Query{}, p.Hole[0], +1); !ok || seq != before {
		t.Errorf("after the hole comes %d, %v", seq, ok)
	}
	if got := len(f.upwards(t, Query{Text: "line 99"})); got != 1111 {
		t.Errorf("%d lines are read again", got)
	}
}

// A line longer than any piece is cut, with its start shown; one that cannot be
// reached is said and keeps nobody.
func TestReadBackOfUglyLogs(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := t.TempDir()
	if err := os.MkdirAll(dir+"/etcd", 0o755); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 700<<10)
	text := "no stamp\n2026-11-23_11:00:00.00000 begin " + long + "\n\x00\x1b[2J\n" + strings.Repeat("y", 70000) + "\nlast\n" + strings.Repeat("z\n", backlogBytes)
	if err := os.WriteFile(dir+"/etcd/current", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	h := newShellHost("sh")
	f := followWith(t, Options{Host: func(string) remote.Host { return h }, Folder: dir, RingBytes: 64 << 10})
	defer f.stop()
	f.until(t, "the newest line", f.holds("z"))
	var got []string
	for _, l := range f.upwards(t, Query{Text: "[a-yJ]", Regexp: true}) {
		got = append(got, fmt.Sprintf("%.12s %d %d", l.Text, len(l.Text), l.Cut))
	}
	want := []string{"no stamp 8 0", fmt.Sprintf("begin xxxxxx 8192 %d", len(long)+6-8192), "^@^[[2J 7 0", "yyyyyyyyyyyy 8192 61808", "last 4 0"}
	if strings.Join(got[1:], "\n") != strings.Join(want, "\n") {
		t.Errorf("%q", got)
	}
	f.mu.Lock()
	f.beginPast()
	f.mu.Unlock()
	h.setCut(true)
	b, err := f.ReadBack(t.Context(), Query{}, 1, 10)
	if err != nil || b.Beginning || len(b.Trouble) != 1 || !strings.Contains(b.Trouble[0], "be1: the test cut the link") {
		t.Errorf("%+v, %v", b, err)
	}
	h.setCut(false)
}
