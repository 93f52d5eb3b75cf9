package catalogue

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
)

// linter collects what is wrong. where remembers the place of every name for
// the checks that need the whole catalogue.
type linter struct {
	problems []Problem
	where    map[string]place
}

// place is a YAML path in a file.
type place struct {
	file *file
	path string
}

func (l *linter) bad(at place, format string, args ...any) {
	l.add(at.file.name, at.file.at(at.path), format, args...)
}

func (p place) key(name string) place { return place{p.file, p.path + "." + name} }

func (p place) item(name string, i int) place {
	return place{p.file, fmt.Sprintf("%s.%s[%d]", p.path, name, i)}
}

// take turns the entries of one file into values.
func (l *linter) take(c *Catalogue, f *file) {
	root := place{f, "$"}
	for i, e := range f.doc.Signs {
		at := root.item("signs", i)
		l.name(at, "sign", e.Name)
		c.Signs = append(c.Signs, l.sign(at, e))
	}
	for i, e := range f.doc.Failures {
		at := root.item("failures", i)
		l.name(at, "failure", e.Name)
		c.Failures = append(c.Failures, l.failure(at, e))
	}
	for i, e := range f.doc.Procedures {
		at := root.item("procedures", i)
		l.name(at, "procedure", e.Name)
		c.Procedures = append(c.Procedures, l.procedure(at, e))
	}
}

// name checks an entry's name and that no other of its kind has it.
func (l *linter) name(at place, kind, name string) {
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		l.bad(at.key("name"), "%s name %q: use small letters, digits and dashes", kind, name)
		return
	}
	if l.where == nil {
		l.where = map[string]place{}
	}
	if first, twice := l.where[kind+" "+name]; twice {
		l.bad(at.key("name"), "%s %q is there already, in %s: give one of them another name", kind, name, first.file.name)
		return
	}
	l.where[kind+" "+name] = at
}

// need complains about an empty text.
func (l *linter) need(at place, key, value string) {
	if strings.TrimSpace(value) == "" {
		l.bad(at.key(key), "%s is missing: write it, someone will read it at 3 a.m.", key)
	}
}

// text checks a text's placeholders and returns it without its final line end.
func (l *linter) text(at place, key, value string, known []string) string {
	for _, p := range placeholders(value) {
		if !slices.Contains(known, p) {
			l.bad(at.key(key), "unknown placeholder {%s}: known here are %s", p, braced(known))
		}
	}
	return strings.TrimSpace(value)
}

// question reads a question.
func (l *linter) question(at place, s string) cluster.Question {
	q, err := cluster.ParseQuestion(s)
	if err == nil {
		return q
	}
	remedy := "write a fact, with its arguments after it"
	if _, known := cluster.LookupFact(q.Fact); !known && q.Fact != "" {
		remedy = fmt.Sprintf("did you mean %q?", nearest(q.Fact))
	}
	l.bad(at, "%v: %s", err, remedy)
	return q
}

// nearest is the fact whose name takes the fewest changes of a letter.
func nearest(name string) string {
	best, least := "", -1
	for _, f := range cluster.Facts() {
		if d := distance(name, f.Name); least < 0 || d < least {
			best, least = f.Name, d
		}
	}
	return best
}

// distance counts the letters to change, add or drop to get from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

func (l *linter) questions(at place, key string, list []string) []cluster.Question {
	var qs []cluster.Question
	for i, s := range list {
		qs = append(qs, l.question(at.item(key, i), s))
	}
	return qs
}

// duration reads a length of time; "" is none.
func (l *linter) duration(at place, s string) time.Duration {
	if s == "" {
		return 0
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		l.bad(at, "%q is no length of time: write 10s, 5m, 6h", s)
	}
	return d
}

func (l *linter) priority(at place, s string) cluster.Priority {
	n, err := strconv.Atoi(strings.TrimPrefix(s, "P"))
	if err != nil || n < 1 || n > 3 || !strings.HasPrefix(s, "P") {
		l.bad(at, "priority %q: write P1, P2 or P3", s)
	}
	return cluster.Priority(n)
}

func (l *linter) tier(at place, s string) cluster.Tier {
	n, err := strconv.Atoi(strings.TrimPrefix(s, "T"))
	if err != nil || n < 0 || n > 3 || !strings.HasPrefix(s, "T") {
		l.bad(at, "tier %q: write T0, T1, T2 or T3", s)
	}
	return cluster.Tier(n)
}

// oneOf complains unless the value is among the words.
func (l *linter) oneOf(at place, key, value string, words ...string) {
	if !slices.Contains(words, value) {
		l.bad(at.key(key), "%s %q: write one of %s", key, value, strings.Join(words, ", "))
	}
}

// placeholders lists the names in braces. A shell's own braces hold no plain
// word and are none.
func placeholders(s string) []string {
	var names []string
	for {
		_, rest, ok := strings.Cut(s, "{")
		if !ok {
			return names
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			return names
		}
		if name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz-0123456789") == "" && name[0] >= 'a' {
			names, s = append(names, name), after
		} else {
			s = rest
		}
	}
}

func braced(names []string) string {
	return "{" + strings.Join(names, "}, {") + "}"
}
