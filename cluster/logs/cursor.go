package logs

import (
	"bytes"
	"slices"
	"strings"
)

// blockSize is the unit in which follow.sh reads; dd can seek only by blocks.
const blockSize = 4096

// readBlocks bounds one read: a quarter of a mebibyte.
const readBlocks = 64

// proofBytes is how much of what was read last is kept and compared at the
// next read: stamps make it unique, so that a file that took over the inode of
// a deleted one, or was written anew, is found out.
const proofBytes = 64

// backlogBytes is how much of a log is read at the first start.
const backlogBytes = 64 << 10

// file is a log file as stat saw it.
type file struct {
	name string // with its folder
	id   uint64 // inode
	size int64
	// sure is how much of size was seen while it was certain that the file is
	// the one that we know.
	sure int64
}

// rotated tells svlogd's "@4000….s" from "current".
func (f file) rotated() bool { return !strings.HasSuffix(f.name, "/current") }

// gone tells that the file is not there any more: no inode is 0. It keeps its place
// in the chain, and sure is what is missing there.
func (f file) gone() bool { return f.id == 0 }

// base is the name without svlogd's suffix: ".u" may become ".s" later.
func (f file) base() string { return strings.TrimRight(f.name, "su") }

// cursor is where the follower stands in one log, over all its files. It is
// pure: it is told what stat and read gave, and says what it wants next.
type cursor struct {
	chain   []file // still to be read, oldest first; the last one is current
	offset  int64  // in chain[0]
	proof   []byte // the last bytes before offset
	after   string // base of the newest rotated file when the chain was listed
	before  string // after, at the listing before that
	started bool
	// list asks for a listing of the folder before anything else.
	list bool
	// verify asks for a read although nothing new is seen: after a reconnect
	// the file may be another one.
	verify bool
	// resumed: the chain was seen by an earlier session; current's identity
	// alone proves less than it did then.
	resumed bool
	// failed: the last read gave nothing although there is something.
	failed bool
	// torn: the first line began before the offset and is passed over.
	torn bool

	mark mark
}

// taker takes what a cursor finds, in the order of the log.
type taker interface {
	from(f file, offset int64) // where in which file the next bytes lie
	take(data []byte)          // the next bytes
	fileEnd()                  // the next bytes are of another file
	rotated(f file)            // what was read as current bears this name now
	// gap is a hole; exact tells whether its bytes are known.
	gap(bytes int64, exact bool)
	// passed is a hole that was left on purpose: there was too much to read.
	passed(bytes int64)
}

// resume prepares for a new session.
func (c *cursor) resume() {
	c.list, c.verify, c.resumed = true, true, true
}

// listed compares a listing (rotated files by name, current last if it is
// there) with what is still to be read.
func (c *cursor) listed(files []file, t taker) {
	c.list = false
	if !c.started {
		c.start(files)
		return
	}
	for i, known := range c.chain {
		k := slices.IndexFunc(files, func(f file) bool { return c.same(i, f, files) })
		if k < 0 {
			continue
		}
		if !known.rotated() && files[k].rotated() {
			t.rotated(files[k])
		}
		exact := known.rotated() || !c.resumed
		c.lose(i, exact, t)
		c.chain = c.rest(i, files[k:], files)
		c.hurry(t)
		c.remember(files)
		return
	}
	if n := len(c.chain); n > 0 {
		c.chain[n-1] = missing(c.chain[n-1], files)
		c.lose(n, false, t)
	}
	first := c.newer(files)
	c.chain = nil
	if first >= 0 {
		c.chain = files[first:]
		c.hurry(t)
	}
	c.remember(files)
}

// rest is the chain from its i-th file on, which is found to be next[0]: what is
// missing between the files that are left stays, for its hole is there.
func (c *cursor) rest(i int, next, files []file) (chain []file) {
	for j := i; j < len(c.chain); j++ {
		k := slices.IndexFunc(next, func(f file) bool { return c.same(j, f, files) })
		if k < 0 {
			chain = append(chain, missing(c.chain[j], files))
			continue
		}
		chain, next = append(chain, next[:k+1]...), next[k+1:]
	}
	return append(chain, next...)
}

// missing is a file of the chain that a listing does not show.
func missing(f file, files []file) file {
	if !f.rotated() && slices.ContainsFunc(files, func(x file) bool { return x.id == f.id && x.size >= f.sure }) {
		f.sure = 0 // it may be this one after all: count nothing of it
	}
	f.id, f.size = 0, 0
	return f
}

// start begins with the last bytes of the log, the rotated files included.
func (c *cursor) start(files []file) {
	if len(files) == 0 {
		return
	}
	c.started = true
	first, behind := len(files)-1, files[len(files)-1].size
	for first > 0 && behind < backlogBytes {
		first--
		behind += files[first].size
	}
	c.chain = files[first:]
	c.offset = max(0, behind-backlogBytes)
	c.torn = c.offset > 0
	c.mark = mark{set: !c.torn}
	c.remember(files)
	c.before = c.after // the backlog is over: what is older is never to be read
}

func (c *cursor) remember(files []file) {
	c.resumed, c.before = false, c.after
	if len(files) > 0 && !files[0].rotated() {
		// No older file is left to prove by that nothing came before current; and
		// none is needed, for every rotated file seen later is a newer one.
		c.after, c.before = "", ""
	}
	for _, f := range files {
		if f.rotated() && f.base() > c.after {
			c.after = f.base()
		}
	}
}

// newer is the first file that came after all that were listed before; -1 for
// none.
func (c *cursor) newer(files []file) int {
	return slices.IndexFunc(files, func(f file) bool { return !f.rotated() || f.base() > c.after })
}

// same tells whether f is the i-th file of the chain, grown or rotated since.
// An inode alone proves little: those of deleted files serve again. svlogd
// deletes the oldest first, so what was current must be the first of the newer
// files; and that nothing was deleted before it shows by an older file that is
// still there, or by the bytes before the offset, which the next read compares.
func (c *cursor) same(i int, f file, files []file) bool {
	known := c.chain[i]
	if f.id != known.id || f.size < known.sure {
		return false
	}
	if known.rotated() {
		return f.rotated() && f.base() == known.base()
	}
	older := files[0].rotated() && files[0].base() <= c.after
	k := c.newer(files) // none after a rotation by a clock that was set back
	return k >= 0 && f == files[k] && (older || c.after == "" || i == 0 && c.offset > 0)
}

// lose gives up the first n files of the chain: they are gone. What was left
// to be read of them is a hole; how much current had grown nobody knows.
func (c *cursor) lose(n int, exact bool, t taker) {
	if n == 0 {
		return
	}
	var bytes int64
	for i, f := range c.chain[:n] {
		exact = exact && f.rotated()
		bytes += f.sure
		if i == 0 {
			bytes -= min(c.offset, f.sure)
		}
	}
	if bytes > 0 || !exact {
		t.gap(bytes, exact)
	} else {
		t.fileEnd()
	}
	c.rewind()
}

// rewind goes to the start of a file.
func (c *cursor) rewind() {
	c.offset, c.proof, c.torn, c.verify, c.failed = 0, c.proof[:0], false, false, false
	c.mark = mark{set: true}
}

// seen hears of current as it is now; nil: it is not there.
func (c *cursor) seen(current *file) {
	if current == nil {
		// Between svlogd's rename and its next open, or for longer: what was
		// rotated is to be drained in either case.
		if n := len(c.chain); n > 0 && !c.chain[n-1].rotated() && !c.chain[n-1].gone() {
			c.list = true
		}
		return
	}
	n := len(c.chain)
	if !c.started || n == 0 || c.chain[n-1].id != current.id || c.chain[n-1].rotated() {
		c.list = true
		return
	}
	if current.size < c.chain[n-1].sure {
		// Cut to nothing, or a new file with the inode of a deleted one: the
		// listing tells, for only then others were rotated meanwhile. By then it
		// may have grown, and what we knew is lost in either case.
		c.chain[n-1] = missing(c.chain[n-1], nil)
		c.list = true
		return
	}
	c.chain[n-1].size = current.size
}

// want is the next read: whole blocks, with the proof before the offset.
func (c *cursor) want(t taker) (f file, skip int64, ok bool) {
	if c.list {
		return file{}, 0, false
	}
	for len(c.chain) > 0 {
		if c.chain[0].gone() {
			c.lose(1, true, t)
		} else if len(c.chain) > 1 && c.offset >= c.chain[0].size && !c.verify {
			passed := c.mark.behind(c.chain[0], c.offset)
			c.rewind()
			c.mark = passed
			t.fileEnd()
		} else {
			break
		}
		c.chain = c.chain[1:]
	}
	if len(c.chain) == 0 || c.offset >= c.chain[0].size && !c.verify {
		return file{}, 0, false
	}
	return c.chain[0], max(0, c.offset-proofBytes) / blockSize, true
}

// unproved tells whether the wanted read is the first of a current file: then
// nothing proves its bytes but a listing after it.
func (c *cursor) unproved() bool {
	return c.offset == 0 && len(c.chain) == 1 && !c.chain[0].rotated()
}

// proved tells whether, by a listing, the first file of the chain is still the
// one that we know.
func (c *cursor) proved(files []file) bool {
	return slices.ContainsFunc(files, func(f file) bool { return c.same(0, f, files) })
}

// got hears what a read from skip gave, and the file as stat saw it after the
// read; nil: it is not there. It tells whether new bytes were taken.
func (c *cursor) got(data []byte, skip int64, now *file, t taker) bool {
	f := &c.chain[0]
	if now == nil || now.id != f.id {
		// Rotated in between, or gone: the bytes may be another file's.
		c.list = true
		return false
	}
	if now.size < f.sure {
		c.list = true
		return false
	}
	before := c.offset - skip*blockSize
	if n := int64(len(data)); n < before || n == 0 && now.size > skip*blockSize {
		c.failed = true // dd could not read, or not be started: try again
		return false
	}
	c.failed = false
	if !bytes.HasSuffix(data[:before], c.proof) {
		c.disown()
		return false
	}
	fresh := data[before:]
	c.verify = false
	c.mark.read(data, before, skip*blockSize)
	if c.torn {
		fresh = c.skipTorn(data, before)
	}
	c.offset += int64(len(data)) - before
	f.size = max(now.size, c.offset)
	f.sure = f.size
	c.proof = append(c.proof[:0], data[max(0, len(data)-proofBytes):]...)
	if len(fresh) > 0 {
		t.from(*f, c.offset-int64(len(fresh)))
		t.take(fresh)
	}
	return int64(len(data)) > before
}

// disown gives up a file whose inode is ours and whose bytes are not. What
// follows is whatever was rotated since the file was ours; how much of ours
// was left nobody knows.
func (c *cursor) disown() {
	f := c.chain[0]
	if c.after = c.before; f.rotated() && f.base() < c.after {
		c.after = f.base()
	}
	c.chain = []file{{name: f.name, size: c.offset, sure: c.offset}}
	c.mark = mark{} // a file that is none is nowhere to go on from
	c.list = true
}

// skipTorn passes over the rest of a line that began before the offset.
func (c *cursor) skipTorn(data []byte, before int64) []byte {
	fresh := data[before:]
	if before > 0 && data[before-1] == '\n' {
		c.torn = false
		return fresh
	}
	end := bytes.IndexByte(fresh, '\n')
	if end < 0 {
		return nil
	}
	c.torn = false
	return fresh[end+1:]
}
