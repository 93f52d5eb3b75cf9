package logs

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// told is what is read back of one log: numbers of lines in a row as "1-5", and
// lines of our own.
func (f *followed) told(t *testing.T, service string) (all []string) {
	t.Helper()
	first, last := 0, 0
	flush := func() {
		if first > 0 {
			all = append(all, fmt.Sprintf("%d-%d", first, last))
		}
		first = 0
	}
	for _, l := range f.upwards(t, Query{Services: []string{service}}) {
		n := 0
		if _, err := fmt.Sscanf(l.Text, "LOG:  line %d of many", &n); err != nil {
			flush()
			all = append(all, l.Text)
			continue
		}
		if first == 0 || n != last+1 {
			flush()
			first = n
		}
		last = n
	}
	flush()
	return all
}

// A file that was followed while it was current is read back although it was
// rotated and packed since.
func TestReadBackOfWhatWasPackedSince(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := t.TempDir()
	s := newSvlogd(t, dir+"/etcd", 1000)
	defer func() { s.file.Close() }()
	s.write(3000)
	h := newShellHost("sh")
	f := followWith(t, Options{Host: func(string) remote.Host { return h }, Folder: dir, RingBytes: 16 << 10})
	defer f.stop()
	f.until(t, "the backlog", f.holdsLine(s.lines))
	if _, err := f.ReadBack(t.Context(), Query{}, 0, 10); err != nil {
		t.Fatal(err)
	}
	held, _ := f.Page(Query{}, 0, s.lines)
	s.rotate()
	s.write(10)
	f.until(t, "the line after", f.holdsLine(s.lines))
	names, _ := filepath.Glob(s.dir + "/@*")
	pack(t, names[0], names[0]+".gz")
	// One goes on from a place of before, then begins anew.
	oldest := 0
	fmt.Sscanf(held.Lines[0].Text, "LOG:  line %d of many", &oldest)
	if b, err := f.ReadBack(t.Context(), Query{Text: "LOG"}, held.Lines[0].Seq, s.lines); err != nil || b.Lines != oldest-1 || oldest < 2 {
		t.Errorf("%+v of %d, %v", b, oldest-1, err)
	}
	want := []string{"the log of etcd on be1 begins here", fmt.Sprintf("1-%d", s.lines)}
	if got := f.told(t, "etcd"); strings.Join(got, "; ") != strings.Join(want, "; ") {
		t.Errorf("%q", got)
	}
}

// stored is a text as gzip holds what it cannot make smaller: of a part of it, the
// start can be unpacked.
func stored(text string) string {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.NoCompression) // the level is one that there is
	io.WriteString(z, text)
	z.Close()
	return b.String()
}

// What cannot be unpacked is said where it lies, and what is older is read.
func TestReadBackOverDamagedFiles(t *testing.T) {
	for name, shell := range shells(t) {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			dir := t.TempDir()
			s := newSvlogd(t, dir+"/etcd", 1000)
			defer func() { s.file.Close() }()
			for range 4 {
				s.write(100)
				s.rotate()
			}
			s.write(2000)
			names, _ := filepath.Glob(s.dir + "/@*")
			text, err := os.ReadFile(names[2])
			if err != nil {
				t.Fatal(err)
			}
			broken := map[string]string{names[1]: "\x1f\x8b and nothing that gzip knows", names[2]: stored(string(text))[:2000]}
			for name, text := range broken {
				if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			h := newShellHost(shell...)
			f := followWith(t, Options{Host: func(string) remote.Host { return h }, Folder: dir, RingBytes: 16 << 10})
			defer f.stop()
			f.until(t, "the newest line", f.holdsLine(s.lines))
			got := f.told(t, "etcd")
			if len(got) < 6 {
				t.Fatalf("%q", got)
			}
			want := []string{"the log of etcd on be1 begins here", "1-100",
				filepath.Base(names[1]) + " cannot be unpacked: it is damaged, or the node has no gzip"}
			if strings.Join(got[:3], "; ") != strings.Join(want, "; ") || !strings.HasPrefix(got[3], "201-2") ||
				!strings.HasPrefix(got[len(got)-2], filepath.Base(names[2])+" is damaged: only its first ") || got[len(got)-1] != fmt.Sprintf("301-%d", s.lines) {
				t.Errorf("%q", got)
			}
		})
	}
}

// A call that is broken off before a packed file told its size moves nothing:
// the next one asks again.
func TestBrokenOffWhileUnpacking(t *testing.T) {
	l, err := New(Options{Nodes: []cluster.Node{{Name: "be1"}}, Clock: newManual()})
	if err != nil {
		t.Fatal(err)
	}
	at := span{id: 7, base: "/l/@2.", offset: 0, folder: "/l"}
	s := &backStream{l: l, at: at, begun: true, files: []file{{name: "/l/@1.s.gz", id: 6, size: 50}, {name: "/l/@2.s", id: 7, size: 9}}}
	out := newAnswers(strings.NewReader("\nM read\n\x1f\x8b\nM end 1\n\nM unpacked\n12"), "M", func() {})
	if err := s.more(&backSource{session: &slowLine{clock: newManual()}, out: out}); err == nil || s.at != at || s.packed {
		t.Errorf("%v, %+v", err, s)
	}
}

// A deleted file's identity is not taken for the file, where its name is known.
func TestPlaceInAFileThatIsGone(t *testing.T) {
	s := &backStream{at: span{id: 7, base: "/l/@2."}, files: []file{{name: "/l/@1.s", id: 7}, {name: "/l/@3.s", id: 8}}}
	if i := s.here(); i != -1 {
		t.Errorf("file %d", i)
	}
	s.at = span{id: 8}
	if i := s.here(); i != 1 || s.at.base != "/l/@3." {
		t.Errorf("file %d, %+v", i, s.at)
	}
}
