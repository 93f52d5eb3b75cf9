package logs

import (
	"bytes"
	"slices"
)

// mark is where the last whole line ended: there another cockpit goes on. What
// was read beyond it is the start of a line that has no end yet, and that line
// may have begun in an older file.
type mark struct {
	set    bool
	files  []file // read to their end since; the mark is in the first of them
	offset int64
	proof  []byte // the last bytes before it
}

// mostMarked bounds the files that one unfinished line may span: svlogd ends a
// file with a line where it can.
const mostMarked = 4

// read hears of data, which lies at base in its file and of which the bytes
// before were known.
func (m *mark) read(data []byte, before, base int64) {
	i := int64(bytes.LastIndexByte(data[before:], '\n'))
	if i < 0 {
		return
	}
	end := before + i + 1
	proof := append(m.proof[:0], data[max(0, end-proofBytes):end]...)
	*m = mark{set: true, offset: base + end, proof: proof}
}

// behind is the mark when the next file begins: there, or still in f, which was
// read to offset, if a line of it is open.
func (m *mark) behind(f file, offset int64) mark {
	if !m.set || len(m.files) == 0 && m.offset >= offset || len(m.files) == mostMarked {
		return mark{set: true}
	}
	return mark{set: true, files: append(slices.Clip(m.files), f), offset: m.offset, proof: m.proof}
}

// markHere says that all that was read was shown, an unfinished line too.
func (c *cursor) markHere() {
	c.mark = mark{set: c.started && !c.torn, offset: c.offset, proof: slices.Clone(c.proof)}
}

// catchUp bounds what is read of one log after a pause: it is what the rings
// hold, and more would only push itself out of them. It can be read back.
const catchUp = 32 << 20

// hurry passes over what is too much to catch up with.
func (c *cursor) hurry(t taker) {
	if !c.resumed {
		return
	}
	left := -c.offset
	for _, f := range c.chain {
		left += f.size
	}
	over := left - catchUp
	if over <= 0 {
		return
	}
	t.passed(over)
	at := c.offset + over
	for len(c.chain) > 1 && at >= c.chain[0].size {
		if f := c.chain[0]; f.gone() {
			t.gap(f.sure, f.rotated())
		}
		at -= c.chain[0].size
		c.chain = c.chain[1:]
	}
	c.rewind()
	c.offset, c.torn = at, at > 0
	c.mark.set = !c.torn
}
