package logs

import (
	"sort"
	"time"
)

// window is how long a line waits for older ones of other streams.
const window = 1500 * time.Millisecond

// maxPending bounds the bytes that wait; beyond it the oldest are placed early.
const maxPending = 4 << 20

// pendingCost is what a waiting line takes besides its text.
const pendingCost = 80

// merger brings lines of many streams into one order by time. Each stream's
// own order is kept: it is a queue, and the queue whose head is oldest goes
// first. It is pure; the caller has the clock and the lock.
type merger struct {
	queues  []queue
	pending int // bytes that wait
}

// mostDead is how much text of placed lines a queue may hold on to.
const mostDead = 1 << 20

// queue holds the waiting lines of one stream; arrived and key only rise.
type queue struct {
	entries []entry
	text    []byte
	head    int
}

func newMerger(streams int) *merger { return &merger{queues: make([]queue, streams)} }

// push adds a batch of one stream.
func (m *merger) push(stream int, b *batch) {
	q := &m.queues[stream]
	base := len(q.text)
	q.text = append(q.text, b.text...)
	for _, e := range b.entries {
		e.start += base
		q.entries = append(q.entries, e)
		m.pending += e.length + pendingCost
	}
}

// release places what has waited long enough, and what has to give way.
func (m *merger) release(now int64, place func(stream int, e entry, text []byte)) {
	limit, any := m.limit(now - int64(window))
	for {
		s := m.oldest()
		if s < 0 {
			return
		}
		q := &m.queues[s]
		if e := q.entries[q.head]; any && e.key <= limit || m.pending > maxPending {
			place(s, e, q.text[e.start:e.start+e.length])
			m.pending -= e.length + pendingCost
			q.pop()
			continue
		}
		return
	}
}

// limit is the newest time among the lines that are due: whatever is older
// than a due line goes with it.
func (m *merger) limit(due int64) (limit int64, any bool) {
	for i := range m.queues {
		waiting := m.queues[i].entries[m.queues[i].head:]
		n := sort.Search(len(waiting), func(j int) bool { return waiting[j].arrived > due })
		if n > 0 && (!any || waiting[n-1].key > limit) {
			limit, any = waiting[n-1].key, true
		}
	}
	return limit, any
}

// oldest is the stream whose head is oldest, the first of equals; -1 for none.
func (m *merger) oldest() int {
	best := -1
	for i := range m.queues {
		q := &m.queues[i]
		if q.head == len(q.entries) {
			continue
		}
		if best < 0 || q.entries[q.head].key < m.queues[best].entries[m.queues[best].head].key {
			best = i
		}
	}
	return best
}

// waits tells whether a line waits that had arrived at that time.
func (m *merger) waits(at int64) bool {
	for i := range m.queues {
		if q := &m.queues[i]; q.head < len(q.entries) && q.entries[q.head].arrived <= at {
			return true
		}
	}
	return false
}

// idle tells whether nothing waits.
func (m *merger) idle() bool { return m.pending == 0 }

// pop takes the head; room is made now and then, so that it costs little.
func (q *queue) pop() {
	q.head++
	switch {
	case q.head == len(q.entries):
		q.entries, q.text, q.head = q.entries[:0], q.text[:0], 0
	case q.head >= 1024 && q.head > len(q.entries)/2 || q.entries[q.head].start > mostDead:
		base := q.entries[q.head].start
		q.text = q.text[:copy(q.text, q.text[base:])]
		q.entries = q.entries[:copy(q.entries, q.entries[q.head:])]
		for i := range q.entries {
			q.entries[i].start -= base
		}
		q.head = 0
	}
}
