package logs

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

// seconds as the nanoseconds of clocks here.
func seconds(s float64) int64 { return int64(s * float64(time.Second)) }

// mergeBench pushes lines as a follower does and notes what is placed.
type mergeBench struct {
	merger
	placed []string
}

func newMergeBench(streams int) *mergeBench { return &mergeBench{merger: *newMerger(streams)} }

// arrive brings lines of one stream, each "text@seconds".
func (m *mergeBench) arrive(now float64, stream int, lines ...string) {
	var b batch
	for _, l := range lines {
		text, at, _ := strings.Cut(l, "@")
		var key float64
		fmt.Sscan(at, &key)
		b.entries = append(b.entries, entry{key: seconds(key), stamp: seconds(key), arrived: seconds(now), start: len(b.text), length: len(text)})
		b.text = append(b.text, text...)
	}
	m.push(stream, &b)
}

func (m *mergeBench) at(now float64) string {
	m.placed = nil
	m.release(seconds(now), func(stream int, e entry, text []byte) { m.placed = append(m.placed, string(text)) })
	return strings.Join(m.placed, " ")
}

func TestMerge(t *testing.T) {
	m := newMergeBench(3)
	expect := func(now float64, want string) {
		t.Helper()
		if got := m.at(now); got != want {
			t.Fatalf("at %v s placed %q, want %q", now, got, want)
		}
	}
	m.arrive(100, 0, "a1@99.0", "a2@99.4")
	m.arrive(100.3, 1, "b1@98.9", "b2@99.2")
	expect(101.4, "")              // nobody has waited long enough
	expect(101.5, "b1 a1 b2 a2")   // due lines take the older ones of others along
	m.arrive(102, 1, "b3@99.1")    // older than what was placed: appended
	m.arrive(102, 2, "c1@101.9")   //
	m.arrive(103.4, 0, "a3@101.8") // not due, but older than a due one
	m.arrive(103.4, 0, "a4@103.3") //
	expect(103.5, "b3 a3 c1")      //
	expect(104.8, "")              //
	expect(104.9, "a4")            //
	m.arrive(106, 2, "x@1", "y@1") // equal times: by stream, then as they came
	m.arrive(106, 0, "u@1", "v@1") //
	expect(107.5, "u v x y")
	if !m.idle() {
		t.Fatal("something still waits")
	}
}

// Whatever waits, the merger keeps each stream's order, places the oldest
// first and holds no more than its bound.
func TestMergeUnderFlood(t *testing.T) {
	m := newMergeBench(4)
	r := rand.New(rand.NewPCG(3, 4))
	next := make([]int, 4)
	seen := make([]int, 4)
	for now := 0.0; now < 20; now += 0.25 {
		for s := range next {
			var lines []string
			for range r.IntN(2000) {
				lines = append(lines, fmt.Sprintf("%d:%d:%s@%f", s, next[s], strings.Repeat("x", 100), now+float64(next[s]%3)/10))
				next[s]++
			}
			sortKeys(lines)
			m.arrive(now, s, lines...)
		}
		m.at(now)
		if m.pending > maxPending {
			t.Fatalf("%d bytes wait", m.pending)
		}
		for _, l := range m.placed {
			var s, n int
			fmt.Sscanf(l, "%d:%d", &s, &n)
			seen[s]++
		}
	}
	m.at(100)
	for _, l := range m.placed {
		var s, n int
		fmt.Sscanf(l, "%d:%d", &s, &n)
		seen[s]++
	}
	if !reflect.DeepEqual(seen, next) {
		t.Fatalf("placed %v of %v lines", seen, next)
	}
}

// What was placed of long lines is let go although others still wait.
func TestMergerLetsPlacedTextGo(t *testing.T) {
	m := newMergeBench(1)
	long := strings.Repeat("x", maxText)
	for i := range 500 {
		m.arrive(float64(i), 0, fmt.Sprintf("%s%d@%d", long, i, i))
		if m.at(float64(i)); len(m.queues[0].text) > mostDead+10*maxText {
			t.Fatalf("%d bytes are held for %d that wait", len(m.queues[0].text), m.pending)
		}
		if last := len(m.placed) - 1; last >= 0 && m.placed[last] != fmt.Sprintf("%s%d", long, i-2) {
			t.Fatalf("%.20q came at %d", m.placed[last][maxText:], i)
		}
	}
}

// sortKeys makes the times of one stream rise, as add does.
func sortKeys(lines []string) {
	last := ""
	for i, l := range lines {
		text, at, _ := strings.Cut(l, "@")
		var a, b float64
		fmt.Sscan(at, &a)
		fmt.Sscan(last, &b)
		if a < b {
			at = last
		}
		lines[i], last = text+"@"+at, at
	}
}
