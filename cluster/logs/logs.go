// Package logs follows the logs of all services on all nodes with cursors of
// its own, merges their lines by corrected time into bounded rings and
// recognises signs. Nothing is lost without a gap record that says so, nothing
// is shown twice, and what was placed once never moves.
//
// The way of a line: follower (a cursor per log, one channel per node) →
// stream (bytes to lines, stamp, level, signs) → merger (a short wait for the
// others) → store (rings, search).
package logs

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// Options is what the logs need from outside.
type Options struct {
	Nodes []cluster.Node
	Host  func(node string) remote.Host
	Clock cluster.Clock
	Signs []cluster.Sign
	// Offset is how far the node's clock is ahead of ours; nil or 0 where it
	// is not known.
	Offset func(node string) time.Duration
	// RingBytes bounds everything that is held of placed lines, index
	// included; 0 means 32 MiB.
	RingBytes int
	// Folder holds the logs on the nodes; "" means /var/log/chef-backend.
	Folder string
	// Keep is the file in which the positions in the logs and the signs outlive
	// the cockpit; "" for none. Two cockpits may share it.
	Keep string
	// Changed is called, never under a lock, when there are new lines or
	// streams changed; it must not block. It may be nil.
	Changed func()
}

// Query selects lines of the merged log; the zero value selects all. Text is
// compared with what is shown, after Safe.
type Query struct {
	Nodes    []string
	Services []string
	MinLevel cluster.Level
	Text     string // literal, case-insensitive (ASCII) unless it has a capital
	Regexp   bool   // Text is RE2
	Signs    bool   // only lines with a sign
}

// Logs follows, holds and searches. All methods are safe for concurrent use.
type Logs struct {
	o         Options
	matcher   *Matcher
	followers []*follower
	wake      chan struct{} // there are lines to place

	mu      sync.Mutex
	opening opening
	merge   *merger
	store   *store
	signs   map[signKey]*cluster.SignSeen
	states  []cluster.StreamState // by node, then by service, as the streams are

	spans     [][]span // by stream: which files its bytes were of
	ends      []int64  // by stream: where it was read to, in whole lines
	past      past
	rates     []rate     // by stream
	positions []position // of what was taken, by stream; the zero one until it was begun
	keepErr   error
}

// firstSeq is the first line's sequence number: those that are read back stand
// before it.
const firstSeq = 1 << 40

// signKey is what signs are counted by.
type signKey struct{ sign, stream int }

// New compiles the signs; a malformed one is an error that names it.
func New(o Options) (*Logs, error) {
	m, err := NewMatcher(o.Signs)
	if err != nil {
		return nil, err
	}
	if len(o.Nodes)*len(cluster.Services) > maxStreams {
		return nil, fmt.Errorf("the logs of %d nodes are too many to follow", len(o.Nodes))
	}
	if o.RingBytes == 0 {
		o.RingBytes = 32 << 20
	}
	if o.Folder == "" {
		o.Folder = "/var/log/chef-backend"
	}
	knowsClocks := o.Offset != nil
	if !knowsClocks {
		o.Offset = func(string) time.Duration { return 0 }
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	l := &Logs{o: o, matcher: m, wake: make(chan struct{}, 1), signs: map[signKey]*cluster.SignSeen{}}
	var names []streamName
	for _, n := range o.Nodes {
		f := newFollower(l, n.Name, len(names))
		f.index, f.tellsClock = len(l.followers), knowsClocks
		l.followers = append(l.followers, f)
		for _, s := range cluster.Services {
			names = append(names, streamName{node: n.Name, service: s})
			l.states = append(l.states, cluster.StreamState{Node: n.Name, Service: s, Reason: "not followed yet"})
		}
	}
	l.spans, l.ends = make([][]span, len(names)), make([]int64, len(names))
	l.positions, l.rates = make([]position, len(names)), make([]rate, len(names))
	l.opening.begun = make([]bool, len(l.followers))
	l.merge = newMerger(len(names))
	l.store = newStore(o.RingBytes, names, func(i int16) string { return m.Sign(int(i)).Name })
	l.store.first, l.store.next = firstSeq, firstSeq
	l.store.yield = func() { l.mu.Unlock(); l.mu.Lock() }
	if l.o.Keep != "" {
		l.recall()
	}
	return l, nil
}

// Run follows until ctx is done and returns when nothing of it is left and the
// positions are kept, as fast as the disk is. What is held stays and can still be asked for. It may be called once.
func (l *Logs) Run(ctx context.Context) {
	l.mu.Lock()
	if l.opening.until.IsZero() {
		l.opening.until = l.o.Clock.Now().Add(openingFor)
	}
	l.mu.Unlock()
	var all sync.WaitGroup
	for _, f := range l.followers {
		all.Go(func() {
			defer remote.Guard()
			f.run(ctx)
		})
	}
	all.Go(func() {
		defer remote.Guard()
		l.placeLines(ctx)
	})
	if l.o.Keep != "" {
		all.Go(func() {
			defer remote.Guard()
			l.keep(ctx)
		})
	}
	all.Wait()
	l.finish()
}

// finish places what still waits, so that all that was taken was shown, and
// keeps how far that is.
func (l *Logs) finish() {
	l.mu.Lock()
	l.merge.release(math.MaxInt64, l.store.place)
	k := l.snapshot()
	l.mu.Unlock()
	if l.o.Keep != "" {
		l.write(k, "")
	}
	l.o.Changed()
}

// placeEvery is how often waiting lines are looked at.
const placeEvery = 250 * time.Millisecond

// placeLines places lines as they come due; it sleeps while none wait.
func (l *Logs) placeLines(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		}
		for idle := false; !idle; {
			select {
			case <-ctx.Done():
				return
			case <-l.o.Clock.After(placeEvery):
			}
			if l.holdsBack() {
				continue
			}
			l.mu.Lock()
			before := l.store.next
			l.merge.release(l.o.Clock.Now().UnixNano(), l.store.place)
			idle = l.merge.idle()
			placed := l.store.next != before
			l.mu.Unlock()
			if placed {
				l.o.Changed()
			}
		}
	}
}

// take receives what one answer brought of one stream, and how far it is read
// with that; the zero position where that is not known.
func (l *Logs) take(s *stream, at position) {
	b := &s.batch
	l.mu.Lock()
	st := &l.states[s.index]
	st.Bytes += b.bytes
	for _, e := range b.entries {
		if e.kind == cluster.LineGap {
			st.Gaps++
			continue
		}
		st.Lines++
		st.LastLine = moment(e, s.now)
		l.rates[s.index].count(st.LastLine.Unix(), e.level)
	}
	for _, h := range b.hits {
		l.count(s, h, b)
	}
	l.noteSpans(s)
	l.merge.push(s.index, b)
	if at.Node != "" {
		l.positions[s.index] = at
	}
	if l.merge.pending > maxPending {
		l.merge.release(s.now, l.store.place)
	}
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// moment is the time of a line: its own, but not after the present, and none
// from before 1970: a node's clock that was never set, less its offset.
func moment(e entry, now int64) time.Time {
	if e.stamp <= 0 || e.stamp > now {
		return time.Unix(0, now).UTC()
	}
	return time.Unix(0, e.stamp).UTC()
}

// maxExample bounds the line that is shown for a sign.
const maxExample = 300

// count adds a sign that was recognised; the example is the newest line.
func (l *Logs) count(s *stream, h hit, b *batch) {
	e := b.entries[h.entry]
	at := moment(e, s.now)
	key := signKey{h.sign, s.index}
	seen := l.signs[key]
	if seen == nil {
		seen = &cluster.SignSeen{Sign: l.matcher.Sign(h.sign).Name, Node: s.node, Service: s.service, First: at, Last: at}
		l.signs[key] = seen
	}
	seen.Count++
	if at.Before(seen.First) {
		seen.First = at
	}
	if !at.Before(seen.Last) {
		seen.Last = at
		seen.Example = string(wholeRunes(b.text[e.start:e.start+e.length], maxExample))
	}
}

// Signs are the signs recognised since the start, by this cockpit and by those
// whose positions it took up, by stream and in the order of
// the catalogue.
func (l *Logs) Signs() []cluster.SignSeen {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen()
}

// seen is Signs under the lock.
func (l *Logs) seen() []cluster.SignSeen {
	keys := make([]signKey, 0, len(l.signs))
	for k := range l.signs {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b signKey) int {
		return cmp.Or(cmp.Compare(a.stream, b.stream), cmp.Compare(a.sign, b.sign))
	})
	seen := make([]cluster.SignSeen, len(keys))
	for i, k := range keys {
		seen[i] = *l.signs[k]
	}
	return seen
}
