package logs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// svlogd writes a log folder as runit's svlogd does: append to current, rename
// it to its time when it is full, open the next, delete the oldest.
type svlogd struct {
	t       *testing.T
	dir     string
	keep    int
	file    *os.File
	lines   int // numbered from 1
	rotated int
	deleted int
}

func newSvlogd(t *testing.T, dir string, keep int) *svlogd {
	s := &svlogd{t: t, dir: dir, keep: keep}
	s.must(os.MkdirAll(dir, 0o755))
	s.open()
	return s
}

func (s *svlogd) must(err error) {
	if err != nil {
		s.t.Error(err)
		panic(err)
	}
}

func (s *svlogd) open() {
	f, err := os.OpenFile(filepath.Join(s.dir, "current"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	s.must(err)
	s.file = f
}

func (s *svlogd) write(n int) {
	for range n {
		s.lines++
		_, err := fmt.Fprintf(s.file, "%s LOG:  line %d of many\n", stampNow(), s.lines)
		s.must(err)
	}
}

func stampNow() string { return time.Now().UTC().Format("2006-01-02_15:04:05.00000") }

func (s *svlogd) rotate() {
	s.must(s.file.Close())
	s.rotated++
	suffix := ".s"
	if s.rotated%7 == 0 {
		suffix = ".u"
	}
	name := fmt.Sprintf("@40000000%08x%08x%s", 0x60000000+s.rotated, s.rotated, suffix)
	s.must(os.Rename(filepath.Join(s.dir, "current"), filepath.Join(s.dir, name)))
	s.open()
	old, err := filepath.Glob(filepath.Join(s.dir, "@*"))
	s.must(err)
	for ; len(old) > s.keep; old = old[1:] {
		s.must(os.Remove(old[0]))
		s.deleted++
	}
}

// followed is a Logs at work on folders of this machine.
type followed struct {
	*Logs
	changed chan struct{}
	stop    func()
}

func follow(t *testing.T, h remote.Host, folder string, signs []cluster.Sign) *followed {
	return followWith(t, Options{Host: func(string) remote.Host { return h }, Signs: signs, Folder: folder})
}

// followKept keeps its positions in a file.
func followKept(t *testing.T, h remote.Host, folder, keep string) *followed {
	return followWith(t, Options{Host: func(string) remote.Host { return h }, Signs: someSigns, Folder: folder, Keep: keep})
}

func followWith(t *testing.T, o Options) *followed {
	f := &followed{changed: make(chan struct{}, 1)}
	o.Nodes, o.Clock = []cluster.Node{{Name: "be1"}}, remote.NewScaled(20)
	o.Changed = func() {
		select {
		case f.changed <- struct{}{}:
		default:
		}
	}
	l, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	f.Logs = l
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { l.Run(ctx); close(done) }()
	f.stop = func() { cancel(); <-done }
	return f
}

// until waits for a condition that new lines or states bring about. The bound
// is for what never comes: a busy machine may take long.
func (f *followed) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for limit := time.After(2 * time.Minute); !is(); {
		select {
		case <-f.changed:
		case <-limit:
			p, _ := f.Page(Query{}, 0, 5)
			t.Fatalf("%s did not come about; last lines %+v; streams %+v", what, p.Lines, f.Streams())
		}
	}
}

func (f *followed) holds(text string) func() bool {
	return func() bool {
		p, err := f.Page(Query{Text: text}, 0, 1)
		return err == nil && len(p.Lines) == 1
	}
}

func (f *followed) holdsLine(n int) func() bool { return f.holds(fmt.Sprintf("line %d of", n)) }

// numbers are the line numbers of a service in the order held, gaps as 0.
func (f *followed) numbers(t *testing.T, service string) (ns []int, gaps []cluster.Line) {
	t.Helper()
	p, err := f.Page(Query{Services: []string{service}}, 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range p.Lines {
		if l.Kind == cluster.LineGap {
			gaps, ns = append(gaps, l), append(ns, 0)
			continue
		}
		w := strings.Fields(l.Text)
		if len(w) != 5 || w[0] != "LOG:" {
			t.Fatalf("torn line %q", l.Text)
		}
		n, err := strconv.Atoi(w[2])
		if err != nil {
			t.Fatal(err)
		}
		ns = append(ns, n)
	}
	return ns, gaps
}

// Two logs rotate 60 times each while they are written, with one stall of the
// reader and one cut of the link: no line is lost, doubled or out of order.
func TestNothingIsLostOverRotations(t *testing.T) {
	for name, shell := range shells(t) {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			dir := t.TempDir()
			logs := map[string]*svlogd{
				"etcd":       newSvlogd(t, dir+"/etcd", 1000),
				"postgresql": newSvlogd(t, dir+"/postgresql/9.5", 1000),
			}
			h := newShellHost(shell...)
			f := follow(t, h, dir, nil)
			defer f.stop()
			for _, s := range logs {
				s.write(1)
			}
			f.until(t, "the first line", f.holds("line 1 of"))
			for round := 1; round <= 60; round++ {
				switch round {
				case 15:
					h.setStall(true)
				case 25:
					h.setStall(false)
				case 35:
					h.setCut(true)
				case 45:
					h.setCut(false)
				}
				for _, s := range logs {
					s.write(150)
					s.rotate()
					s.write(round % 3)
				}
				if round%10 == 5 { // now and then the reader keeps up
					if round != 15 && round != 35 {
						f.until(t, "keeping up", f.holds(fmt.Sprintf("line %d of", logs["etcd"].lines)))
					}
				}
			}
			for service, s := range logs {
				s.write(1)
				f.until(t, "the last line", func() bool {
					p, _ := f.Page(Query{Services: []string{service}, Text: fmt.Sprintf("line %d of", s.lines)}, 0, 1)
					return len(p.Lines) == 1
				})
				ns, gaps := f.numbers(t, service)
				if len(gaps) != 0 {
					t.Fatalf("%s: gaps %v", service, gaps)
				}
				for i, n := range ns {
					if n != i+1 {
						t.Fatalf("%s: line %d stands in place %d of %d", service, n, i+1, len(ns))
					}
				}
				if len(ns) != s.lines {
					t.Fatalf("%s: %d lines of %d", service, len(ns), s.lines)
				}
				s.file.Close()
			}
		})
	}
}

// Files that are deleted while the link is down leave exactly one gap.
func TestDeletedFilesLeaveOneGap(t *testing.T) {
	for name, shell := range shells(t) {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			dir := t.TempDir()
			s := newSvlogd(t, dir+"/etcd", 3)
			defer func() { s.file.Close() }()
			h := newShellHost(shell...)
			f := follow(t, h, dir, nil)
			defer f.stop()
			s.write(100)
			f.until(t, "the first lines", f.holds("line 100 of"))
			h.setCut(true)
			for range 30 {
				s.write(100)
				s.rotate()
			}
			h.setCut(false)
			s.write(1)
			f.until(t, "the last line", f.holds(fmt.Sprintf("line %d of", s.lines)))
			ns, gaps := f.numbers(t, "etcd")
			if len(gaps) != 1 || f.Streams()[2].Gaps != 1 {
				t.Fatalf("%d gaps: %v", len(gaps), gaps)
			}
			if ns[99] != 100 || ns[100] != 0 || ns[101] != 2801 || len(ns) != 402 {
				t.Fatalf("around the gap: %v of %d", ns[99:102], len(ns))
			}
		})
	}
}

// A file that is cut to nothing and written anew goes on after a gap record.
func TestTruncation(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := t.TempDir()
	s := newSvlogd(t, dir+"/leaderl", 3)
	defer func() { s.file.Close() }()
	h := newShellHost("sh")
	f := follow(t, h, dir, nil)
	defer f.stop()
	s.write(500)
	f.until(t, "the first lines", f.holds("line 500 of"))
	if err := s.file.Truncate(0); err != nil {
		t.Fatal(err)
	}
	s.write(2)
	f.until(t, "the lines after", f.holds("line 502 of"))
	ns, gaps := f.numbers(t, "leaderl")
	if len(gaps) != 1 || !strings.Contains(gaps[0].Text, " between 20") {
		t.Fatalf("gaps: %v", gaps)
	}
	if n := len(ns); ns[n-1] != 502 || ns[n-2] != 501 || ns[n-3] != 0 || ns[n-4] != 500 {
		t.Fatalf("around the gap: %v", ns[n-4:])
	}
}
