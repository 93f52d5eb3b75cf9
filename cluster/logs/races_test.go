package logs

import (
	"encoding/json"
	"fmt"
	"path"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chef-backend-cockpit/cluster"
)

// diskLog is one log folder in memory with svlogd's ways: inodes of deleted
// files serve again, as on ext4.
type diskLog struct {
	dir     string
	files   map[string]*diskFile
	free    []uint64
	freed   []uint64 // by hand: they serve again after the answer
	inodes  uint64
	rotated int
	lines   int
	ends    []int64 // total length of the lines 1…i
	blind   bool    // between svlogd's rename and its open
	half    string  // the rest of a line that was begun
	hidden  []hidden
	view    view
}

type diskFile struct {
	id   uint64
	from int64 // total length of the lines before it
	data []byte
}

func newDiskLog(dir string) *diskLog {
	d := &diskLog{dir: dir, files: map[string]*diskFile{}, inodes: 100, ends: []int64{0}}
	d.create()
	return d
}

func (d *diskLog) create() {
	d.blind = false
	id := d.inodes
	if n := len(d.free); n > 0 {
		id, d.free = d.free[n-1], d.free[:n-1]
	} else {
		d.inodes++
	}
	d.files["current"] = &diskFile{id: id, from: d.ends[d.lines]}
}

func (d *diskLog) append(n int) {
	if d.blind {
		d.create()
	}
	if d.half != "" {
		d.put(d.half)
		d.half = ""
	}
	for range n {
		d.put(d.line())
	}
}

func (d *diskLog) put(text string) {
	d.files["current"].data = append(d.files["current"].data, text...)
}

// tear begins a line: its first n bytes.
func (d *diskLog) tear(n int) {
	d.append(0)
	line := d.line()
	d.put(line[:n])
	d.half = line[n:]
}

// line is the next line.
func (d *diskLog) line() string {
	d.lines++
	line := fmt.Sprintf("2026-11-23_11:34:%02d.%05d %d%s\n", d.lines/1000%60, d.lines%1000, d.lines, strings.Repeat("x", d.lines%90))
	d.ends = append(d.ends, d.ends[d.lines-1]+int64(len(line)))
	return line
}

func (d *diskLog) rename() {
	if d.blind {
		d.create()
		return
	}
	d.rotated++
	name := fmt.Sprintf("@4000000060000000%08x.%c", d.rotated, "su"[d.rotated%2])
	d.files[name] = d.files["current"]
	delete(d.files, "current")
	d.blind = true
}

func (d *diskLog) old() []string {
	var names []string
	for n := range d.files {
		if n != "current" {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	return names
}

// deleteOldest leaves two, the least that svlogd can be told to keep.
func (d *diskLog) deleteOldest() {
	if names := d.old(); len(names) > 2 {
		d.free = append(d.free, d.files[names[0]].id)
		delete(d.files, names[0])
	}
}

// serve answers a request as follow.sh does; meanwhile lets the world go on
// between any two system calls.
func (d *diskLog) serve(request string, meanwhile func()) []part {
	commands := strings.Split(strings.TrimSpace(request), ";")[1:]
	var parts []part
	for _, c := range commands {
		meanwhile()
		w := strings.Fields(c)
		var out []byte
		if w[0] == "read" {
			if f := d.files[path.Base(w[1])]; path.Dir(w[1]) == d.dir && f != nil {
				skip, _ := strconv.ParseInt(w[2], 10, 64)
				count, _ := strconv.ParseInt(w[3], 10, 64)
				from := min(skip*blockSize, int64(len(f.data)))
				out = append(out, f.data[from:min(from+count*blockSize, int64(len(f.data)))]...)
			}
		} else {
			var names []string
			for _, n := range w[1:] {
				switch {
				case path.Dir(n) != d.dir:
				case strings.Contains(n, "*"):
					names = append(names, d.old()...)
				default:
					names = append(names, path.Base(n))
				}
			}
			for _, n := range names {
				meanwhile()
				f := d.files[n]
				if n == "current" && d.view.stat == nil {
					d.view.stat, d.view.before = f, len(d.hidden)
				} else if n == "current" {
					d.view.listed = f
				}
				if f != nil {
					out = fmt.Appendf(out, "%d:%d:0:%s/%s\n", f.id, len(f.data), d.dir, n)
				}
			}
		}
		parts = append(parts, part{kind: w[0], data: out})
	}
	d.free, d.freed = append(d.free, d.freed...), nil
	return parts
}

// However svlogd writes, renames, opens and deletes between any two calls of
// the reader, however links are cut and cockpits started anew, every line comes
// once and in order, and every hole has one gap
// record, whose figure is exact or not too large.
func TestAnyInterleavingOfRotation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, g := newCockpit(t)
		d := newDiskLog(g.folder)
		for range 6 { // three files were rotated before
			d.rename()
		}
		reuse := rapid.Bool().Draw(t, "inodes serve again")
		deletes := rapid.IntRange(0, 2).Draw(t, "how eagerly it deletes")
		fullDisk := rapid.Bool().Draw(t, "somebody makes room")
		act := func() {
			switch k := rapid.IntRange(0, 9).Draw(t, "act"); {
			case k < 3:
				d.append(rapid.IntRange(1, 400).Draw(t, "lines"))
			case k < 5:
				d.rename()
			case k < 5+deletes:
				d.deleteOldest()
			case k == 8 && fullDisk && rapid.Bool().Draw(t, "all"):
				d.removeRotated(&g.cursor)
			case k == 8 && fullDisk:
				d.removeOne(&g.cursor, rapid.IntRange(0, 7).Draw(t, "which"))
			case k == 9 && fullDisk:
				d.truncate(&g.cursor)
			}
			if !reuse {
				d.free, d.freed = nil, nil
			}
		}
		check := &lineCheck{t: t, d: d}
		poll := func(meanwhile func()) (busy bool) {
			parts := d.serve(f.request(), meanwhile)
			d.reveal(parts, g)
			busy, err := f.answer(parts)
			if err != nil {
				t.Fatal(err)
			}
			d.heard(g)
			check.hear(g)
			return busy
		}
		poll(func() {})
		poll(func() {}) // the log is found and begun
		for range rapid.IntRange(1, 25).Draw(t, "polls") {
			if rapid.IntRange(0, 9).Draw(t, "cut") == 0 {
				for range rapid.IntRange(0, 30).Draw(t, "acts") {
					act()
				}
				g.resume()
			}
			if rapid.IntRange(0, 9).Draw(t, "restart") == 0 && g.mark.set && !g.hole.open {
				p := passedOn(t, g.position())
				for range rapid.IntRange(0, 30).Draw(t, "acts") {
					act()
				}
				f, g = newCockpit(t)
				g.goOnFrom(p)
				g.resume()
			}
			poll(act)
		}
		d.append(1)
		for n := 2 * d.rotated; poll(func() {}) || n > 0; n-- {
			if n < -1000 {
				t.Fatalf("busy without an end")
			}
		}
		check.end()
	})
}

// A cockpit that ends in the midst of a line, in the midst of a file or of two,
// leaves the whole line to the next one.
func TestRestartInTheMidstOfALine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, g := newCockpit(t)
		d := newDiskLog(g.folder)
		check := &lineCheck{t: t, d: d}
		for range rapid.IntRange(2, 40).Draw(t, "rounds") {
			switch rapid.IntRange(0, 4).Draw(t, "act") {
			case 0:
				d.append(rapid.IntRange(0, 50).Draw(t, "lines"))
			case 1, 2:
				d.tear(rapid.IntRange(0, 27).Draw(t, "torn at"))
			case 3:
				d.rename()
			case 4:
				if g.mark.set {
					p := passedOn(t, g.position())
					f, g = newCockpit(t)
					g.goOnFrom(p)
					g.resume()
				}
			}
			for busy := true; busy; {
				var err error
				if busy, err = f.answer(d.serve(f.request(), func() {})); err != nil {
					t.Fatal(err)
				}
				check.hear(g)
			}
		}
		d.append(1)
		for range 2*d.rotated + 4 {
			if _, err := f.answer(d.serve(f.request(), func() {})); err != nil {
				t.Fatal(err)
			}
			check.hear(g)
		}
		check.end()
	})
}

// newCockpit is a follower of one node and its log of etcd.
func newCockpit(t *rapid.T) (*follower, *log) {
	l, err := New(Options{Nodes: []cluster.Node{{Name: "be1"}}, Clock: newManual()})
	if err != nil {
		t.Fatal(err)
	}
	f := newFollower(l, "be1", 0)
	return f, f.logs[2]
}

// passedOn is a position as the next cockpit reads it.
func passedOn(t *rapid.T, p position) (next position) {
	b, err := json.Marshal(p)
	if err == nil {
		err = json.Unmarshal(b, &next)
	}
	if err != nil || !next.sound("/var/log/chef-backend") {
		t.Fatalf("%s cannot be taken up: %v", b, err)
	}
	return next
}

// lineCheck holds the lines that came against those that were written.
type lineCheck struct {
	t    *rapid.T
	d    *diskLog
	last int // newest line that came
	gap  *entry
	text string
}

func (c *lineCheck) hear(g *log) {
	b := &g.batch
	for i := range b.entries {
		e := b.entries[i]
		text := string(b.text[e.start : e.start+e.length])
		if e.kind == cluster.LineGap {
			if c.gap != nil {
				c.t.Fatalf("two gaps in one hole after line %d: %q, %q", c.last, c.text, text)
			}
			c.gap, c.text = &e, text
			continue
		}
		n, err := strconv.Atoi(strings.TrimRight(text, "x"))
		if err != nil || len(text) != len(strconv.Itoa(n))+n%90 {
			c.t.Fatalf("torn line %q", text)
		}
		c.line(n)
	}
	b.reset()
}

func (c *lineCheck) line(n int) {
	missing := c.d.ends[n-1] - c.d.ends[c.last]
	known := missing - c.d.hiddenBetween(c.d.ends[c.last], c.d.ends[n-1])
	switch {
	case n <= c.last:
		c.t.Fatalf("line %d after line %d", n, c.last)
	case c.gap == nil && known > 0:
		c.t.Fatalf("no gap between lines %d and %d", c.last, n)
	case c.gap != nil && c.gap.cut > missing:
		c.t.Fatalf("%q, but only %d bytes are missing", c.text, missing)
	case c.gap != nil && strings.HasPrefix(c.text, strconv.FormatInt(c.gap.cut, 10)+" ") && c.gap.cut < known:
		c.t.Fatalf("%q, but %d bytes are missing", c.text, missing)
	}
	c.last, c.gap = n, nil
}

func (c *lineCheck) end() {
	if c.last != c.d.lines {
		c.t.Fatalf("line %d of %d came last", c.last, c.d.lines)
	}
}

// manual is a clock that a test moves.
type manual struct{ now time.Time }

func newManual() *manual { return &manual{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)} }

func (m *manual) Now() time.Time                       { return m.now }
func (m *manual) After(time.Duration) <-chan time.Time { return nil }
