package logs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

const (
	// pollEvery is how often the logs of a node are asked for more; where
	// calmAfter answers in a row brought nothing, calmEvery is. That stays below
	// the window of the merge, so that the next line comes in time.
	pollEvery = 500 * time.Millisecond
	calmAfter = 10
	calmEvery = time.Second
	// busyPolls bounds how often one polls at once again without a new byte.
	busyPolls = 5
	// missingPolls is how often current may be absent: svlogd renames it
	// before it opens the next.
	missingPolls = 3
	// longestPause bounds the wait between sessions that come to nothing.
	longestPause = 10 * time.Second
)

// follower follows the logs of one node over one channel. It belongs to one
// goroutine.
type follower struct {
	l     *Logs
	index int // among the followers
	node  string
	host  remote.Host
	logs  []*log
	// tellsClock: somebody tells how the node's clock is, sooner or later.
	tellsClock bool
	asked      int // number of the last request
	// fruitless counts the answers since one brought bytes.
	fruitless int
	pace
}

// log is one followed log: where it lies, how far it was read, its lines.
type log struct {
	*stream
	cursor
	folder  string // "" until it is known
	missing int    // polls without a current
	handed  handed // what was handed on last

	// Of the request under way:
	read  file // what is being read; its name is "" for nothing
	skip  int64
	asked bool // for a listing
}

// handed tells one position from the next.
type handed struct {
	offset int64
	files  int
	after  string
}

func newFollower(l *Logs, node string, first int) *follower {
	f := &follower{l: l, node: node}
	if l.o.Host != nil {
		f.host = l.o.Host(node)
	}
	for i, s := range cluster.Services {
		g := &log{stream: newStream(first+i, node, s, l.matcher)}
		if s != "postgresql" {
			g.folder = l.o.Folder + "/" + s
		}
		f.logs = append(f.logs, g)
	}
	return f
}

// run follows over one session after the other. The cursors outlive them.
func (f *follower) run(ctx context.Context) {
	if f.host == nil {
		f.say("the node has no host")
		return
	}
	if !f.linked(ctx) || f.tellsClock && !f.clocked(ctx) {
		return
	}
	pause := time.Second
	for f.linked(ctx) {
		before := f.asked
		err := f.session(ctx)
		if ctx.Err() != nil {
			return
		}
		f.say(reasonOf(err))
		if f.asked > before+1 {
			pause = time.Second
		}
		select {
		case <-ctx.Done():
			return
		case <-f.l.o.Clock.After(pause):
		}
		pause = min(2*pause, longestPause)
	}
}

// linked waits for a live link; false when ctx is done.
func (f *follower) linked(ctx context.Context) bool {
	for f.host.Link().Phase != remote.Live {
		select {
		case <-ctx.Done():
			return false
		case <-f.l.o.Clock.After(pollEvery):
		}
	}
	return ctx.Err() == nil
}

// reasonOf is an error as a short safe text.
func reasonOf(err error) string {
	if err == nil {
		return "the log reader ended"
	}
	return remote.Safe([]byte(err.Error()))
}

// say tells why the streams of the node are not alive.
func (f *follower) say(reason string) {
	f.l.mu.Lock()
	for _, g := range f.logs {
		st := &f.l.states[g.index]
		st.Alive, st.Reason = false, reason
	}
	f.l.mu.Unlock()
	f.l.o.Changed()
}

// poll is one request and its answer. It tells whether to ask again at once.
func (f *follower) poll(in io.Writer, out *answers) (busy bool, err error) {
	f.asked++
	f.fruitless++
	began := f.l.o.Clock.Now()
	if _, err := io.WriteString(in, f.request()); err != nil {
		return false, fmt.Errorf("the log reader takes no request: %w", err)
	}
	parts, err := out.next(f.asked)
	if err != nil {
		return false, err
	}
	f.pace.answered(f.l.o.Clock.Now().Sub(began))
	busy, err = f.answer(parts)
	if err != nil {
		return false, err
	}
	for _, g := range f.logs {
		g.idle()
		f.hand(g)
	}
	f.alive()
	return busy, nil
}

// hand gives on what an answer brought of one log, and how far it is read now.
func (f *follower) hand(g *log) {
	var at position
	if f.l.o.Keep != "" && g.started && g.mark.set && !g.hole.open {
		if is := (handed{g.mark.offset, len(g.chain), g.after}); is != g.handed {
			at, g.handed = g.position(), is
		}
	}
	if len(g.batch.entries) == 0 && g.batch.bytes == 0 && len(g.batch.rotated) == 0 && at.Node == "" {
		g.batch.shrink()
		return
	}
	f.l.take(g.stream, at)
	g.batch.reset()
}

// idle shows what nothing follows; then it counts as read.
func (g *log) idle() {
	open := g.stream.open
	if g.stream.idle(); open && !g.stream.open {
		g.markHere()
	}
}

// request asks for the next bytes of every log, then how the files are: what
// is seen after a read proves whose bytes they were.
func (f *follower) request() string {
	now := f.l.o.Clock.Now().UnixNano()
	ahead := int64(f.l.o.Offset(f.node))
	var reads, stats, lists strings.Builder
	for _, g := range f.logs {
		g.now, g.ahead = now, ahead
		g.read = file{}
		if r, skip, ok := g.want(g); ok {
			g.read, g.skip = r, skip
		}
	}
	f.pace.choose(f.logs)
	for _, g := range f.logs {
		if g.read.name != "" {
			fmt.Fprintf(&reads, ";read %s %d %d", g.read.name, g.skip, f.pace.blocks(g))
		}
		pattern := g.folder + "/current"
		if g.service == "postgresql" {
			pattern = f.l.o.Folder + "/postgresql/[0-9]*/current"
		}
		stats.WriteString(" " + pattern)
		if g.read.name != "" && g.read.rotated() {
			stats.WriteString(" " + g.read.name)
		}
		g.asked = (g.list || g.read.name != "" && g.unproved()) && g.folder != ""
		if g.asked {
			fmt.Fprintf(&lists, ";stat %s/@*.[su] %s/current", g.folder, g.folder)
		}
	}
	return strconv.Itoa(f.asked) + reads.String() + ";stat" + stats.String() + lists.String() + "\n"
}

// answer gives every log its bytes, then the newest state of its files.
func (f *follower) answer(parts []part) (busy bool, err error) {
	kinds := make([]string, 0, len(parts))
	for _, g := range f.logs {
		if g.read.name != "" {
			kinds = append(kinds, "read")
		}
	}
	reads := len(kinds)
	if len(parts) <= reads || parts[reads].kind != "stat" {
		return false, errors.New("the log reader's answer has parts missing")
	}
	files := parseStat(parts[reads].data)
	data, lists := parts[:reads], parts[reads+1:]
	for _, g := range f.logs {
		g.now = f.l.o.Clock.Now().UnixNano()
		var list listing
		if g.asked {
			if len(lists) == 0 {
				return false, errors.New("the log reader's answer has listings missing")
			}
			list = g.sort(parseStat(lists[0].data), named(files, g.folder+"/current"))
			lists = lists[1:]
		}
		if g.read.name != "" {
			if g.hear(data[0].data, named(files, g.read.name), list) {
				f.fruitless = 0
			}
			data = data[1:]
		}
		if g.service == "postgresql" {
			g.settle(files, f.l.o.Folder+"/postgresql/", &list)
		}
		g.look(named(files, g.folder+"/current"))
		if list.sound {
			g.cursor.listed(list.files, g)
		}
		busy = busy || g.pressing()
	}
	return busy, nil
}

// hear takes what was read, if it is certain whose bytes they are.
func (g *log) hear(data []byte, now *file, list listing) bool {
	if g.unproved() && !(list.sound && g.proved(list.files)) {
		g.list = true
		return false
	}
	return g.got(data, g.skip, now, g)
}

// look hears of current.
func (g *log) look(current *file) {
	if current == nil {
		g.missing++
	} else {
		g.missing = 0
	}
	g.seen(current)
}

// listing is a log's folder: rotated files by name, current last.
type listing struct {
	files []file
	// sound: current stayed the same around the listing. A rotation in between
	// would hide a file.
	sound bool
}

// sort makes a listing of what stat gave; current is what it was before.
func (g *log) sort(seen []file, current *file) listing {
	var l listing
	var last *file
	for _, x := range seen {
		base, inside := strings.CutPrefix(x.name, g.folder+"/")
		switch {
		case inside && base == "current":
			last = &x
		case inside && rotatedName(base):
			l.files = append(l.files, x)
		}
	}
	l.sound = (last == nil) == (current == nil) && (last == nil || last.id == current.id)
	slices.SortFunc(l.files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	if last != nil {
		l.files = append(l.files, *last)
	}
	return l
}

// pressing tells whether there is more to be had at once.
func (g *log) pressing() bool {
	return g.list && g.missing == 0 && g.folder != "" || len(g.chain) > 1 || len(g.chain) == 1 && g.offset < g.chain[0].size && !g.failed
}

// heard hears that bytes of an answer came: on a slow line the whole of it takes
// longer than a stream may be silent.
func (f *follower) heard() {
	now := f.l.o.Clock.Now()
	f.l.mu.Lock()
	for _, g := range f.logs {
		if st := &f.l.states[g.index]; st.Alive {
			st.Heartbeat = now
		}
	}
	f.l.mu.Unlock()
}

// alive marks the streams of the node as answered for.
func (f *follower) alive() {
	now := f.l.o.Clock.Now()
	changed := false
	f.l.mu.Lock()
	for _, g := range f.logs {
		st := &f.l.states[g.index]
		reason := g.trouble(f.l.o.Folder)
		changed = changed || st.Alive != (reason == "") || st.Reason != reason
		st.Alive, st.Reason, st.Heartbeat = reason == "", reason, now
	}
	f.l.mu.Unlock()
	if changed {
		f.l.o.Changed()
	}
}

// trouble is why a log cannot be read although the node answers.
func (g *log) trouble(root string) string {
	switch {
	case g.failed && len(g.chain) > 0:
		return g.chain[0].name + " cannot be read"
	case g.folder == "":
		return "no folder of a version in " + root + "/" + g.service
	case g.missing > missingPolls:
		return "no file " + g.folder + "/current"
	}
	return ""
}

func named(files []file, name string) *file {
	for i := range files {
		if files[i].name == name {
			return &files[i]
		}
	}
	return nil
}
