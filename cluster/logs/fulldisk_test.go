package logs

import (
	"bytes"
	"path"
	"slices"
)

// What somebody does by hand on a full disk, in the model of a log folder.

// hidden is what was written and lost, from one total length to another, while
// nothing that a reader sees could tell: it had not read a byte of the file, and
// the file has the same identity as before.
type hidden struct {
	from, to int64
	file     *diskFile
}

// removeRotated removes all rotated files. Their inodes may serve again, and then
// a reader that has seen but an empty current cannot tell it from the next one.
// They do after the answer that is under way: that svlogd rotates twice besides,
// while the folder is listed, nobody could tell from a log that has but grown.
func (d *diskLog) removeRotated(c *cursor) {
	for _, name := range d.old() {
		f := d.files[name]
		if c.after == "" && c.offset == 0 {
			d.hide(f)
		}
		d.freed = append(d.freed, f.id)
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
	d.hidden = append(d.hidden, hidden{f.from, f.from + int64(len(f.data)), f})
}

// view is what a reader may know of current; for the model inodes are no identity.
type view struct {
	known  *diskFile // current, as the reader has it from a listing
	stat   *diskFile // current, at the first stat of the answer
	listed *diskFile // current, at a listing of the answer
	before int       // what was hidden at that stat
}

// reveal hears an answer before the reader does: where current is shorter than the
// reader knows it to have been, what was lost of it is hidden no more.
func (d *diskLog) reveal(parts []part, g *log) {
	v := d.view
	n := len(g.chain) - 1
	i := slices.IndexFunc(parts, func(p part) bool { return p.kind == "stat" })
	f := named(parseStat(parts[i].data), g.folder+"/current")
	if n < 0 || f == nil || v.stat != v.known || f.id != g.chain[n].id || f.size >= g.chain[n].sure {
		return
	}
	at := 0
	d.hidden = slices.DeleteFunc(d.hidden, func(h hidden) bool { at++; return at <= v.before && h.file == v.known })
}

// heard is for after the reader has heard the answer.
func (d *diskLog) heard(g *log) {
	if d.view.listed != nil && !g.list {
		d.view.known = d.view.listed
	}
	d.view.stat, d.view.listed = nil, nil
}

// removeOne removes one of the rotated files that the reader has listed and not read.
func (d *diskLog) removeOne(c *cursor, n int) {
	if len(c.chain) == 0 {
		return
	}
	known := c.chain[n%len(c.chain)]
	name := path.Base(known.name)
	if f := d.files[name]; f != nil && f.id == known.id && known.rotated() {
		d.freed = append(d.freed, f.id)
		delete(d.files, name)
	}
}

func (d *diskLog) hiddenBetween(from, to int64) (n int64) {
	for _, h := range d.hidden {
		n += max(0, min(h.to, to)-max(h.from, from))
	}
	return n
}
