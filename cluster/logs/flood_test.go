package logs

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"chef-backend-cockpit/cluster"
)

// allocations is how many were made so far.
func allocations() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// A flood of 3 × 10,000 lines/s passes intake, merge and rings in bounded
// memory, with the screen asking for its page four times a second. In make test
// it lasts 20 s of the logs' clock, as fast as the machine can; make soak gives
// CHEF_BACKEND_FLOOD, a duration. What is counted is what stays allocated, and
// allocations for each line, not time.
func TestFloodIsBounded(t *testing.T) {
	if underRace {
		t.Skip("memory is counted without the race detector")
	}
	lasts := 20 * time.Second
	if text := os.Getenv("CHEF_BACKEND_FLOOD"); text != "" {
		var err error
		if lasts, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	clock := newManual()
	var nodes []cluster.Node
	for _, n := range []string{"be1", "be2", "be3"} {
		nodes = append(nodes, cluster.Node{Name: n})
	}
	l, err := New(Options{Nodes: nodes, Clock: clock, Signs: catalogueSigns(t)})
	if err != nil {
		t.Fatal(err)
	}
	lines := plainLines(t, l.matcher)
	second := func() {
		clock.now = clock.now.Add(time.Second)
		for _, f := range l.followers {
			s := f.logs[3].stream
			var chunk []byte
			stamp := clock.now.Format("2006-01-02_15:04:05.00000 ")
			for i := range 10000 {
				chunk = append(append(append(chunk, stamp...), lines[i%len(lines)]...), '\n')
			}
			s.now = clock.now.UnixNano()
			for len(chunk) > 0 {
				n := min(len(chunk), readBlocks*blockSize)
				s.take(chunk[:n])
				l.take(s, position{})
				s.batch.reset()
				chunk = chunk[n:]
			}
		}
		l.mu.Lock()
		l.merge.release(clock.now.UnixNano(), l.store.place)
		l.mu.Unlock()
		for range 4 {
			if _, err := l.Page(Query{}, 0, 44); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 12 { // until the rings are full
		second()
	}
	began, full, allocated := time.Now(), heapNow(), allocations()
	rounds := int(lasts / time.Second)
	for range rounds {
		second()
	}
	took, each := time.Since(began), float64(allocations()-allocated)/float64(int(lasts/time.Second)*30000)
	after := heapNow()
	per := took.Seconds() / float64(rounds)
	t.Logf("%d lines; heap %d MiB, then %d MiB; %.3f allocations a line; %.1f %% of a core for 3 × 10,000 lines/s",
		rounds*30000, full>>20, after>>20, each, 100*per)
	if each > 0.05 {
		t.Errorf("%.3f allocations a line", each)
	}
	if after > 64<<20 || int64(after)-int64(full) > 4<<20 {
		t.Errorf("the heap went from %d to %d bytes", full, after)
	}
	if lines := l.Streams(); lines[3].Lines != uint64((rounds+12)*10000) {
		t.Errorf("%s", fmt.Sprint(lines[3].Lines))
	}
}
