package logs

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chef-backend-cockpit/cluster"
)

func newTestStore(bytes int) *store {
	var names []streamName
	for _, n := range []string{"be1", "be2", "be3"} {
		for _, s := range cluster.Services {
			names = append(names, streamName{n, s})
		}
	}
	return newStore(bytes, names, func(i int16) string { return fmt.Sprint("sign-", i) })
}

var words = []string{"Leader", "lost", "the", "database", "SYSTEM", "starting", "4711", "etcd", "ö", "x"}

func randomText(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.IntN(12) {
		b.WriteString(words[r.IntN(len(words))])
		b.WriteByte(' ')
	}
	return b.String()
}

// The rings, the memory of answers and the fast search agree with asking every
// held line by itself, while lines come and go.
func TestQueriesAgreeWithAskingEveryLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newTestStore(64 << 10) // 512 lines
		r := rand.New(rand.NewPCG(uint64(rapid.IntRange(0, 1<<30).Draw(t, "seed")), 1))
		var all []cluster.Line
		queries := []Query{
			{}, {Text: "leader"}, {Text: "Leader"}, {Text: "ö x"}, {Text: "lost|4711", Regexp: true}, {Text: "data.*SYSTEM", Regexp: true},
			{Nodes: []string{"be2"}, Text: "etcd"}, {MinLevel: cluster.LevelWarning}, {Signs: true, Services: []string{"etcd", "epmd"}},
			{Text: "(?i)STARTING 47", Regexp: true}, {Text: "nowhere"},
		}
		for range 6 {
			for range r.IntN(400) {
				e := entry{key: int64(len(all)), sign: int16(r.IntN(3) - 1), level: cluster.Level(r.IntN(5)), stamp: int64(r.IntN(2))}
				if r.IntN(50) == 0 {
					e.kind = cluster.LineGap
				}
				s.place(r.IntN(15), e, []byte(randomText(r)))
				all = append(all, s.line(s.next-1))
			}
			q := queries[rapid.IntRange(0, len(queries)-1).Draw(t, "query")]
			checkQuery(t, s, all, q, r)
		}
	})
}

func checkQuery(t *rapid.T, s *store, all []cluster.Line, q Query, r *rand.Rand) {
	a, err := s.ask(q)
	if err != nil {
		t.Fatal(err)
	}
	var want []cluster.Line
	for _, l := range all {
		if l.Seq >= s.first && naive(q, l) {
			want = append(want, l)
		}
	}
	end := uint64(0)
	if len(all) > 0 && r.IntN(3) > 0 {
		end = 1 + uint64(r.IntN(len(all)))
	}
	n := 1 + r.IntN(100)
	p := s.page(a, end, n)
	upTo := 0
	for upTo < len(want) && (end == 0 || want[upTo].Seq <= end) {
		upTo++
	}
	from := max(0, upTo-n)
	if len(p.Lines) != upTo-from || len(p.Lines) > 0 && !reflect.DeepEqual(p.Lines, want[from:upTo]) {
		t.Fatalf("%+v up to %d: %d lines, want %d", q, end, len(p.Lines), upTo-from)
	}
	if p.Older != (from > 0) || p.Newer != uint64(len(want)-upTo) || p.Held != s.next-s.first {
		t.Fatalf("%+v up to %d: older %v newer %d held %d; want %v %d %d", q, end, p.Older, p.Newer, p.Held, from > 0, len(want)-upTo, s.next-s.first)
	}
	for i, l := range want {
		if seq, ok := s.following(a, l.Seq); ok != (i+1 < len(want)) || ok && seq != want[i+1].Seq {
			t.Fatalf("%+v: after %d comes %d %v", q, l.Seq, seq, ok)
		}
		if seq, ok := s.before(a, l.Seq); ok != (i > 0) || ok && seq != want[i-1].Seq {
			t.Fatalf("%+v: before %d comes %d %v", q, l.Seq, seq, ok)
		}
	}
}

func naive(q Query, l cluster.Line) bool {
	in := func(list []string, x string) bool {
		return len(list) == 0 || strings.Contains(" "+strings.Join(list, " ")+" ", " "+x+" ")
	}
	if !in(q.Nodes, l.Node) || !in(q.Services, l.Service) || q.Signs && l.Sign == "" || l.Level < q.MinLevel && l.Kind != cluster.LineGap {
		return false
	}
	switch {
	case q.Regexp:
		return regexp.MustCompile(q.Text).MatchString(l.Text)
	case strings.ToLower(q.Text) == q.Text:
		return strings.Contains(strings.ToLower(l.Text), q.Text)
	}
	return strings.Contains(l.Text, q.Text)
}

func TestMalformedExpression(t *testing.T) {
	l, err := New(Options{Nodes: []cluster.Node{{Name: "be1"}}, Clock: newManual()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Page(Query{Text: "a(", Regexp: true}, 0, 10); err == nil {
		t.Error("no error for a( ")
	}
	if _, ok := l.Find(Query{Text: "a(", Regexp: true}, 1, 1); ok {
		t.Error("a( was found")
	}
	if p, err := l.Page(Query{Text: "x"}, 0, 10); err != nil || len(p.Lines) != 0 || p.Newer != 0 || p.Older {
		t.Errorf("an empty log gave %+v, %v", p, err)
	}
}

// The rings stay within their bytes and the newest lines stay whole.
func TestRingsGiveWay(t *testing.T) {
	const size = 1 << 20
	s := newTestStore(size)
	if held := len(s.arena) + len(s.index)*(recordSize+blockCost); held > size {
		t.Fatalf("%d bytes for rings of %d", held, size)
	}
	for i := range 20000 {
		text := strings.Repeat("y", i*37%4000) + fmt.Sprint(" line ", i)
		s.place(i%15, entry{sign: -1, key: 1, stamp: 1}, []byte(text))
		if got := s.line(uint64(i + 1)).Text; got != text {
			t.Fatalf("line %d is %q", i, got)
		}
		first := s.line(s.first)
		if want := fmt.Sprint(" line ", s.first-1); !strings.HasSuffix(first.Text, want) || strings.Trim(strings.TrimSuffix(first.Text, want), "y") != "" {
			t.Fatalf("the oldest of %d lines is %q", s.next-s.first, first.Text)
		}
	}
	if n := s.next - s.first; n < 300 {
		t.Fatalf("only %d lines held", n)
	}
}

// fullStore holds 200,000 lines as a real cluster writes them.
func fullStore(tb testing.TB) *store {
	s := newTestStore(32 << 20)
	lines := sampleLines(tb)
	for i := range 200000 {
		l := lines[i%len(lines)]
		s.place(i%15, entry{sign: -1, level: cluster.LevelInfo, stamp: time.Now().UnixNano()}, l[:min(len(l), 125)])
	}
	if held := s.next - s.first; held < 200000 {
		tb.Fatalf("only %d lines fit", held)
	}
	return s
}

// BenchmarkSearch asks all of 200,000 held lines anew.
func BenchmarkSearch(b *testing.B) {
	s := fullStore(b)
	for _, q := range []Query{
		{Text: "Nowhere"}, {Text: "nowhere"}, {Text: "requested wal segment"}, {Text: "e"},
		{Text: "no(where|thing) at all", Regexp: true}, {Text: `[a-z]+=\d{9}$`, Regexp: true}, {MinLevel: cluster.LevelError},
	} {
		b.Run(fmt.Sprintf("%s_%v", q.Text, q.Regexp), func(b *testing.B) {
			for range b.N {
				s.cache = nil
				a, err := s.ask(q)
				if err != nil {
					b.Fatal(err)
				}
				s.countAfter(a, 0)
			}
			b.ReportMetric(float64(200000*b.N)/b.Elapsed().Seconds(), "lines/s")
		})
	}
}
