package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/remote"
)

// ReplayAt is where a replay stands.
type ReplayAt struct {
	Record, Records int // how many records were played, of how many
	Speed           int // times faster than it was
	Playing         bool
}

// Over answers whether there is nothing more to play.
func (p ReplayAt) Over() bool { return p.Record >= p.Records }

// Player is a door that plays what was, and can be led through it. No method
// waits; all are safe for concurrent use.
type Player interface {
	Door
	// Pause holds the replay, or lets it go on.
	Pause()
	// Step plays one record and holds.
	Step()
	// Jump goes to the next (dir > 0) or previous (dir < 0) record of a finding
	// or a step, and holds there; false: there is none.
	Jump(dir int) bool
	// Faster plays faster (dir > 0) or slower (dir < 0), between 1 and 100 times.
	Faster(dir int)
}

var _ Player = (*Replay)(nil)

// speeds are how many times faster than it was a journal can be played.
var speeds = []int{1, 2, 5, 10, 20, 50, 100}

// ReplayOptions say what to play.
type ReplayOptions struct {
	Path      string // of the journal
	Catalogue *catalogue.Catalogue
	Clock     cluster.Clock // real time
}

// Replay plays an incident's journal behind the door that the screen knows.
// Nothing can be carried out: there is no host and no executor behind it. It is
// a clock, too: that of the records.
type Replay struct {
	shut
	o     ReplayOptions
	book  *journal.Book
	lines replayLines

	mu      sync.Mutex
	seq     uint64
	is      replayed
	next    int        // record to be played next
	kept    []replayed // before every keptEvery-th record
	now     time.Time  // of the records
	speed   int        // index into speeds
	playing bool

	state   atomic.Pointer[State]
	changed chan struct{}
	again   chan struct{} // it plays again
	wait    sync.WaitGroup
	cancel  context.CancelFunc
}

// keptEvery is after how many records the way back is kept.
const keptEvery = 128

// OpenReplay reads a journal and stands at its first snapshot. What is not as
// it was written is a notice on the screen; another format is an error.
func OpenReplay(o ReplayOptions) (*Replay, error) {
	b, err := journal.OpenBook(o.Path)
	if err != nil {
		return nil, err
	}
	r := &Replay{shut: shut{errReplay}, o: o, book: b, is: newReplayed(), playing: true, changed: make(chan struct{}, 1), again: make(chan struct{}, 1)}
	if r.lines, err = readLines(b); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	first := slices.IndexFunc(b.Marks, func(m journal.Mark) bool { return m.Kind == journal.Snapshot })
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seek(max(first, 0) + 1)
	return r, nil
}

// Start begins to play. It returns at once.
func (r *Replay) Start(ctx context.Context) {
	ctx, r.cancel = context.WithCancel(ctx)
	r.wait.Add(1)
	go func() {
		defer remote.Guard()
		defer r.wait.Done()
		r.play(ctx)
	}()
}

// Close ends playing.
func (r *Replay) Close() error {
	if r.cancel != nil {
		r.cancel()
	}
	r.wait.Wait()
	return r.book.Close()
}

// tick is how often the clock of the records moves on.
const tick = 100 * time.Millisecond

// play moves the clock of the records on while it is not held.
func (r *Replay) play(ctx context.Context) {
	for {
		began := r.o.Clock.Now()
		select {
		case <-ctx.Done():
			return
		case <-r.o.Clock.After(tick):
		}
		if r.pass(r.o.Clock.Now().Sub(began)) {
			continue
		}
		select { // held: nothing has to be done until it goes on
		case <-ctx.Done():
			return
		case <-r.again:
		}
	}
}

// pass lets real time pass and plays what is due by then. False: it is held.
func (r *Replay) pass(d time.Duration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.playing {
		return false
	}
	r.now = r.now.Add(d * time.Duration(speeds[r.speed]))
	to := r.next
	for to < len(r.book.Marks) && !r.book.Marks[to].At.After(r.now) {
		to++
	}
	if to > r.next {
		now := r.now
		r.seek(to)
		r.now = now
	}
	if r.next == len(r.book.Marks) {
		r.playing, r.now = false, r.is.at
		r.publish()
	}
	return r.playing
}

// seek stands where n records were played. Callers hold the lock.
func (r *Replay) seek(n int) {
	if n < r.next {
		at := min(n/keptEvery, len(r.kept)-1)
		r.is, r.next = r.kept[at].clone(), at*keptEvery
	}
	for ; r.next < n; r.next++ {
		if r.next%keptEvery == 0 && r.next/keptEvery == len(r.kept) {
			r.kept = append(r.kept, r.is.clone())
		}
		rec, err := r.book.Record(r.next)
		if err != nil {
			r.is.remark = err.Error() // the file was taken away meanwhile
			continue
		}
		r.is.take(rec)
	}
	r.now = r.is.at
	r.publish()
}

// Pause holds the replay, or lets it go on; at the end it begins anew.
func (r *Replay) Pause() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.playing = !r.playing
	if r.playing && r.next == len(r.book.Marks) {
		r.seek(1)
	}
	r.publish()
	signal(r.again)
}

// Step plays one record and holds.
func (r *Replay) Step() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.playing = false
	r.seek(min(r.next+1, len(r.book.Marks)))
}

// Jump goes to the next or previous record of a finding or a step.
func (r *Replay) Jump(dir int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	step, i := 1, r.next
	if dir < 0 {
		step, i = -1, r.next-2
	}
	for ; i >= 0 && i < len(r.book.Marks); i += step {
		switch r.book.Marks[i].Kind {
		case journal.Finding, journal.Confirm, journal.Intent, journal.Outcome:
			r.playing = false
			r.seek(i + 1)
			return true
		}
	}
	return false
}

// Faster plays faster or slower.
func (r *Replay) Faster(dir int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.speed = max(0, min(r.speed+dir, len(speeds)-1))
	r.publish()
}

// Now is the time of the records.
func (r *Replay) Now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

// After is on the real clock: nothing that waits has to be replayed.
func (r *Replay) After(d time.Duration) <-chan time.Time { return r.o.Clock.After(d) }

// publish makes the state that the screen shows. Callers hold the lock.
func (r *Replay) publish() {
	r.seq++
	v := r.is.view()
	r.state.Store(&State{
		Seq: r.seq, At: r.is.at, Cluster: r.book.Opening.Cluster, Stamp: "REPLAY", StampColor: "magenta", Mode: ReadOnly,
		View: v, Leadership: v.Leadership(), Margin: v.Margin(), Board: v.Board(), Findings: r.is.shown(r.o.Catalogue.Failures),
		Last: r.is.ended, Run: newestPlan(r.is.plans), Healthy: r.is.calm.before(r.is.findings), Incident: r.book.Opening.Incident, Notices: r.notices(),
		Replay: &ReplayAt{Record: r.next, Records: len(r.book.Marks), Speed: speeds[r.speed], Playing: r.playing},
	})
	signal(r.changed)
}

// notices are what is wrong with the journal, and the newest remark in it.
func (r *Replay) notices() []Notice {
	var n []Notice
	for _, why := range r.book.Amiss {
		n = append(n, Notice{Grave: true, Text: "the journal is not as it was written: " + why})
	}
	if r.is.remark != "" {
		n = append(n, Notice{Text: fmt.Sprintf("noted at %s: %s", r.is.at.UTC().Format("15:04:05Z"), r.is.remark)})
	}
	return n
}
