package logs

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
)

// catalogueSigns are the signs of the embedded catalogue.
func catalogueSigns(tb testing.TB) []cluster.Sign {
	var file struct {
		Signs []struct {
			Name, Pattern string
			Services      []string
		}
	}
	if err := yaml.Unmarshal([]byte(assets.MustRead("catalogue/signs.yaml")), &file); err != nil {
		tb.Fatal(err)
	}
	var signs []cluster.Sign
	for _, s := range file.Signs {
		signs = append(signs, cluster.Sign{Name: s.Name, Services: s.Services, Pattern: s.Pattern})
	}
	return signs
}

// sampleLines are lines of real services, without svlogd's stamps.
func sampleLines(tb testing.TB) (lines [][]byte) {
	names, err := filepath.Glob("testdata/*.log")
	if err != nil || len(names) < 5 {
		tb.Fatal(names, err)
	}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			tb.Fatal(err)
		}
		for _, l := range bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n")) {
			_, text, _ := ParseLine("", l)
			lines = append(lines, text)
		}
	}
	return lines
}

// naiveMatches asks every expression by itself.
func naiveMatches(signs []cluster.Sign, res []*regexp.Regexp, service string, line []byte) (all []int) {
	for i, s := range signs {
		if (len(s.Services) == 0 || slices.Contains(s.Services, service)) && res[i].Match(line) {
			all = append(all, i)
		}
	}
	return all
}

func compileAll(signs []cluster.Sign) (res []*regexp.Regexp) {
	for _, s := range signs {
		res = append(res, regexp.MustCompile(s.Pattern))
	}
	return res
}

// The prefilter changes nothing: on real lines, on lines made of the patterns'
// own words, and on both cut and glued at random.
func TestMatcherAgreesWithAskingEveryPattern(t *testing.T) {
	signs := catalogueSigns(t)
	signs = append(signs,
		cluster.Sign{Name: "any-case", Pattern: `(?i)no space left|TOO MANY`},
		cluster.Sign{Name: "short", Pattern: `WAL[ ]+segm|ent:x`},
		cluster.Sign{Name: "nested", Pattern: `(?:lost (?:leader|the link)){1,3}`},
		cluster.Sign{Name: "runes", Pattern: `größe=\d+`},
	)
	m, err := NewMatcher(signs)
	if err != nil {
		t.Fatal(err)
	}
	res := compileAll(signs)
	lines := sampleLines(t)
	for _, s := range signs { // words of the pattern itself, as invented lines
		lines = append(lines, regexp.MustCompile(`\\s\+|\(\?:|[()|^]`).ReplaceAll([]byte(s.Pattern), []byte(" ")))
	}
	lines = append(lines, []byte("No Space LEFT"), []byte("no \u017fpace left"), []byte("größe=7"), []byte("lost the link"), []byte("ent:x"), nil, []byte("WAL"))
	r := rand.New(rand.NewPCG(5, 6))
	found := 0
	check := func(line []byte) {
		for _, service := range []string{"postgresql", "etcd", "elasticsearch", "leaderl", "epmd"} {
			want := naiveMatches(signs, res, service, line)
			got := m.AppendMatches(nil, service, line)
			first := -1
			if len(want) > 0 {
				first = want[0]
			}
			if !reflect.DeepEqual(got, want) || m.Match(service, line) != first {
				t.Fatalf("%s %q: %v, want %v", service, line, got, want)
			}
			found += len(got)
		}
	}
	for _, l := range lines {
		check(l)
	}
	if found < 100 {
		t.Fatalf("only %d signs in the samples", found)
	}
	for range 3000 {
		a, b := lines[r.IntN(len(lines))], lines[r.IntN(len(lines))]
		check(slices.Concat(a[:r.IntN(len(a)+1)], b[r.IntN(len(b)+1):]))
	}
}

// Next passes over no line with a sign.
func TestNextOverABuffer(t *testing.T) {
	signs := catalogueSigns(t)
	m, err := NewMatcher(signs)
	if err != nil {
		t.Fatal(err)
	}
	buffer := bytes.Join(sampleLines(t), []byte("\n"))
	next := m.Next(buffer, 0)
	for from, asked := 0, 0; from <= len(buffer); {
		end := from + len(buffer[from:])
		if i := bytes.IndexByte(buffer[from:], '\n'); i >= 0 {
			end = from + i
		}
		has := len(m.AppendMatches(nil, "postgresql", buffer[from:end])) > 0
		if next > end && has {
			t.Fatalf("passed over %q", buffer[from:end])
		}
		if next <= end {
			asked++
			next = m.Next(buffer, end+1)
		}
		if from = end + 1; from > len(buffer) && asked < 20 {
			t.Fatalf("asked about %d lines only", asked)
		}
	}
}

func TestSignsThatCannotBe(t *testing.T) {
	for pattern, want := range map[string]string{
		"a(":                  "error parsing regexp",
		`\d+ of\d+`:           "no literal of at least 4 bytes",
		"failed|ok":           "no literal of at least 4 bytes",
		"(?:long enough)?abc": "no literal of at least 4 bytes",
		"(?i)kisses":          "no literal of at least 4 bytes", // k and s have a third form each
	} {
		_, err := NewMatcher([]cluster.Sign{{Name: "bad-one", Pattern: pattern}})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "bad-one") {
			t.Errorf("%s: %v", pattern, err)
		}
	}
	if m, err := NewMatcher(nil); err != nil || m.Match("etcd", []byte("anything")) != -1 || m.Next([]byte("x"), 0) != 2 {
		t.Error("no signs at all is no trouble")
	}
}

// plainLines are 2,000 lines as a busy cluster writes them, few with a sign.
func plainLines(tb testing.TB, m *Matcher) (lines [][]byte) {
	var plain [][]byte
	for _, l := range sampleLines(tb) {
		if m.Match("postgresql", l) < 0 && m.Match("etcd", l) < 0 && m.Match("leaderl", l) < 0 {
			plain = append(plain, l[:min(len(l), 165)])
		}
	}
	for i := range 2000 {
		lines = append(lines, plain[i%len(plain)])
	}
	return lines
}

func TestNoAllocationWithoutASign(t *testing.T) {
	if underRace {
		t.Skip("allocations are counted without the race detector")
	}
	m, err := NewMatcher(catalogueSigns(t))
	if err != nil {
		t.Fatal(err)
	}
	lines := plainLines(t, m)
	if n := testing.AllocsPerRun(5, func() {
		for _, l := range lines {
			m.Match("postgresql", l)
		}
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func BenchmarkMatch(b *testing.B) {
	m, err := NewMatcher(catalogueSigns(b))
	if err != nil {
		b.Fatal(err)
	}
	lines := plainLines(b, m)
	for i := 0; i < len(lines); i += 100 { // one line in a hundred has a sign
		lines[i] = []byte("ERROR:  requested WAL segment 000000010000000000000005 has already been removed")
	}
	buffer := bytes.Join(lines, []byte("\n"))
	report := func(b *testing.B) {
		b.SetBytes(int64(len(buffer)))
		b.ReportMetric(float64(len(lines)*b.N)/b.Elapsed().Seconds(), "lines/s")
	}
	b.Run("lines", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			for _, l := range lines {
				m.Match("postgresql", l)
			}
		}
		report(b)
	})
	b.Run("buffer", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			for from := 0; from < len(buffer); {
				next := m.Next(buffer, from)
				if next > len(buffer) {
					break
				}
				start := bytes.LastIndexByte(buffer[:next], '\n') + 1
				end := next + max(0, bytes.IndexByte(buffer[next:], '\n'))
				m.Match("postgresql", buffer[start:end])
				from = end + 1
			}
		}
		report(b)
	})
}

// BenchmarkIntake is the way of a line from raw bytes into the rings.
func BenchmarkIntake(b *testing.B) {
	l, err := New(Options{Nodes: []cluster.Node{{Name: "be1"}}, Clock: newManual(), Signs: catalogueSigns(b)})
	if err != nil {
		b.Fatal(err)
	}
	var chunk []byte
	lines := plainLines(b, l.matcher)
	for _, t := range lines {
		chunk = append(append(append(chunk, "2026-11-23_11:34:39.45706 "...), t...), '\n')
	}
	s := l.followers[0].logs[3].stream
	b.SetBytes(int64(len(chunk)))
	b.ReportAllocs()
	for range b.N {
		s.now += int64(window) + 1
		s.take(chunk)
		l.take(s, position{})
		s.batch.reset()
		l.mu.Lock()
		l.merge.release(s.now+int64(window), l.store.place)
		l.mu.Unlock()
	}
	b.ReportMetric(float64(len(lines)*b.N)/b.Elapsed().Seconds(), "lines/s")
}
