package logs

import "bytes"

// What somebody does by hand on a full disk, in the model of a log folder.

// hidden is what was written and lost, from one total length to another, while
// nothing that a reader sees could tell: it had not read a byte of the file, and
// the file has the same identity as before.
type hidden struct{ from, to int64 }

// removeRotated removes all rotated files. Their inodes may serve again, and then
// a reader that has seen but an empty current cannot tell it from the next one.
func (d *diskLog) removeRotated(c *cursor) {
	for _, name := range d.old() {
		f := d.files[name]
		if c.after == "" && c.offset == 0 {
			d.hide(f)
		}
		d.free = append(d.free, f.id)
		delete(d.files, name)
	}
}

// truncate empties current, of which the reader has read or not.
func (d *diskLog) truncate(c *cursor) {
	f := d.files["current"]
	if f == nil {
		return
	}
	n := int64(len(f.data))
	if len(c.chain) != 1 || c.chain[0].id != f.id || c.offset == 0 || c.offset > n || !bytes.HasSuffix(f.data[:c.offset], c.proof) {
		d.hide(f)
	}
	f.from, f.data = d.ends[d.lines], nil
}

func (d *diskLog) hide(f *diskFile) {
	d.hidden = append(d.hidden, hidden{f.from, f.from + int64(len(f.data))})
}

func (d *diskLog) hiddenBetween(from, to int64) (n int64) {
	for _, h := range d.hidden {
		n += max(0, min(h.to, to)-max(h.from, from))
	}
	return n
}
