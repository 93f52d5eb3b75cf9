package logs

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

func newTestStream(t testing.TB, service string, signs ...cluster.Sign) *stream {
	m, err := NewMatcher(signs)
	if err != nil {
		t.Fatal(err)
	}
	s := newStream(0, "be1", service, m)
	s.now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC).UnixNano()
	return s
}

// texts are the lines of the batch, with what is special about them.
func (s *stream) texts() (lines []string) {
	for _, e := range s.batch.entries {
		l := string(s.batch.text[e.start : e.start+e.length])
		if len(l) > 40 {
			l = fmt.Sprintf("%s…%d", l[:10], len(l))
		}
		if e.cut > 0 {
			l += fmt.Sprintf(" (cut %d)", e.cut)
		}
		lines = append(lines, l)
	}
	return lines
}

func TestUglyLines(t *testing.T) {
	const stamp = "2026-11-23_11:34:39.45706 "
	for name, c := range map[string]struct {
		chunks []string
		want   []string
	}{
		"torn anywhere":     {[]string{stamp + "on", "e\n" + stamp[:5], stamp[5:], "two\n"}, []string{"one", "two"}},
		"empty":             {[]string{"\n" + stamp + "\n" + stamp[:25] + "\n"}, []string{"", "", ""}},
		"progress":          {[]string{stamp + "10%\r20%\r30%\r\n"}, []string{"30%"}},
		"binary":            {[]string{"a\x00b\x1b[2J\x9b\n"}, []string{"a^@b^[[2J<9B>"}},
		"torn rune":         {[]string{"gr\xc3", "\xb6\xc3\n"}, []string{"grö<C3>"}},
		"long":              {[]string{strings.Repeat("x", 9000) + "\n"}, []string{"xxxxxxxxxx…8192 (cut 808)"}},
		"very long":         {[]string{strings.Repeat("x", 70000), "yy\nz\n"}, []string{"xxxxxxxxxx…8192 (cut 61810)", "z"}},
		"long of runes":     {[]string{strings.Repeat("€", 3000) + "\n"}, []string{"€€€\xe2…8190 (cut 810)"}},
		"marks take room":   {[]string{strings.Repeat("\x00", 8000) + "\n"}, []string{"^@^@^@^@^@…8192 (cut 7808)"}},
		"bad tail of runes": {[]string{strings.Repeat("x", 8190) + "\xff\xff\xff\xff\n"}, []string{"xxxxxxxxxx…8192 (cut 8)"}},
	} {
		s := newTestStream(t, "etcd")
		for _, chunk := range c.chunks {
			s.take([]byte(chunk))
		}
		if got := s.texts(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, c.want)
		}
	}
}

func TestEndsOfFiles(t *testing.T) {
	s := newTestStream(t, "etcd")
	s.take([]byte("2026-11-23_11:34:39.45706 killed in mid"))
	s.fileEnd()
	s.take([]byte("2026-11-23_11:34:40.45706 begins anew\n2026-11-23_11:34:41.45706 split by"))
	s.fileEnd()
	s.take([]byte(" rotation\nlast words"))
	want := []string{"killed in mid", "begins anew", "split by rotation"}
	if got := s.texts(); !reflect.DeepEqual(got, want) {
		t.Fatalf("%q", got)
	}
	s.now += int64(partialFor)
	s.idle()
	if len(s.batch.entries) != 3 {
		t.Fatal("the last words came before their time")
	}
	s.now++
	s.idle()
	s.gap(5, true)
	s.gap(7, false)
	s.take([]byte("on\n"))
	want = append(want, "last words", "at least 1…102 (cut 12)", "on")
	if got := s.texts(); !reflect.DeepEqual(got, want) || s.batch.entries[4].kind != cluster.LineGap {
		t.Fatalf("%q", got)
	}
}

func TestDetailsAreAsLoudAsTheirLine(t *testing.T) {
	s := newTestStream(t, "postgresql")
	s.take([]byte("FATAL:  x\nDETAIL:  y\n\tz\nLOG:  a\nHINT:  b\nplain\n"))
	var got []cluster.Level
	for _, e := range s.batch.entries {
		got = append(got, e.level)
	}
	e, i, n := cluster.LevelError, cluster.LevelInfo, cluster.LevelNone
	if want := []cluster.Level{e, e, e, i, i, n}; !reflect.DeepEqual(got, want) {
		t.Fatalf("%v", got)
	}
}

// Lines do not depend on how their bytes were torn, signs neither.
func TestTearingChangesNothing(t *testing.T) {
	sign := cluster.Sign{Name: "gone", Pattern: `WAL segment \S+ has already been removed`}
	var log strings.Builder
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 400 {
		fmt.Fprintf(&log, "2026-11-23_11:34:39.45706 line %d %s", i, strings.Repeat("é", r.IntN(40)))
		if i%7 == 0 {
			log.WriteString("requested WAL segment 0A has already been removed")
		}
		log.WriteString("\n")
	}
	whole := newTestStream(t, "postgresql", sign)
	whole.take([]byte(log.String()))
	torn := newTestStream(t, "postgresql", sign)
	for rest := []byte(log.String()); len(rest) > 0; {
		n := min(1+r.IntN(90), len(rest))
		torn.take(rest[:n:n])
		rest = rest[n:]
	}
	if !reflect.DeepEqual(whole.texts(), torn.texts()) || !reflect.DeepEqual(whole.batch.hits, torn.batch.hits) {
		t.Fatal("torn bytes gave other lines")
	}
	if len(whole.batch.entries) != 400 || len(whole.batch.hits) != 58 {
		t.Fatalf("%d lines, %d signs", len(whole.batch.entries), len(whole.batch.hits))
	}
}

// A line of 200 MiB takes no more memory than one of 64 KiB.
func TestHugeLine(t *testing.T) {
	s := newTestStream(t, "etcd")
	chunk := []byte(strings.Repeat("x", 256<<10))
	s.take(chunk)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 799 {
		s.take(chunk)
	}
	runtime.ReadMemStats(&after)
	s.take([]byte("\nnext\n"))
	if got, want := s.texts(), []string{fmt.Sprintf("xxxxxxxxxx…8192 (cut %d)", 200<<20-maxText), "next"}; !reflect.DeepEqual(got, want) {
		t.Fatalf("%q", got)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
		t.Fatalf("%d bytes allocated on the way", grown)
	}
}

// A clock that jumps ahead for one line, or back, changes no line's place beyond
// the present: the streams of other nodes are merged by it too.
func TestJumpingClock(t *testing.T) {
	s := newTestStream(t, "etcd")
	now := time.Unix(0, s.now).UTC()
	for _, off := range []time.Duration{-time.Minute, time.Hour, -time.Second, -time.Hour} {
		s.take([]byte(now.Add(off).Format("2006-01-02_15:04:05.00000") + " x\n"))
	}
	before := int64(0)
	for i, e := range s.batch.entries {
		if e.key > s.now || e.key < before {
			t.Errorf("line %d has its place at %s", i, time.Unix(0, e.key).UTC())
		}
		before = e.key
	}
	if e := s.batch.entries[1]; e.stamp != now.Add(time.Hour).UnixNano() {
		t.Error("the stamp itself was changed")
	}
}
