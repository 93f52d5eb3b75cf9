package model

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"path"
	"time"
)

// packed is something that goes into an archive: a file or folder under
// another name, or a text.
type packed struct {
	from, as string
	text     string // where from is ""
}

// pack writes an archive. The bytes depend on nothing but the files and the
// node's clock.
func (n *node) pack(file string, all ...packed) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	t := tar.NewWriter(z)
	for _, p := range all {
		if p.from == "" {
			n.note(addText(t, p.as, []byte(p.text), n.clock()))
			continue
		}
		n.packTree(t, p.from, p.as)
	}
	n.note(t.Close())
	n.note(z.Close())
	n.private(file, b.String())
	if f, ok := n.files.(interface {
		Chtimes(path string, at time.Time) error
	}); ok {
		n.note(f.Chtimes(file, n.clock()))
	}
}

func (n *node) packTree(t *tar.Writer, from, as string) {
	if names, err := n.files.List(from); err == nil && len(names) > 0 {
		for _, name := range names {
			n.packTree(t, from+"/"+name, path.Join(as, name))
		}
		return
	}
	data, err := n.files.Read(from)
	if err != nil {
		return // an empty folder
	}
	n.note(addText(t, as, data, n.clock()))
}

func addText(t *tar.Writer, name string, data []byte, at time.Time) error {
	h := &tar.Header{Name: name, Mode: 0o600, Size: int64(len(data)), ModTime: at.Truncate(time.Second), Typeflag: tar.TypeReg}
	if err := t.WriteHeader(h); err != nil {
		return err
	}
	_, err := t.Write(data)
	return err
}

// move moves a folder. A file system that cannot rename is copied.
func (n *node) move(from, to string) {
	if f, ok := n.files.(interface{ Rename(from, to string) error }); ok {
		n.note(f.Rename(from, to))
		return
	}
	n.mkdir(to)
	names, err := n.files.List(from)
	n.note(err)
	for _, name := range names {
		data, err := n.files.Read(from + "/" + name)
		n.note(err)
		n.write(to+"/"+name, string(data))
	}
	n.removeAll(from)
}

// deleteTime is how long it takes to delete what lies here; a gigabyte in
// 50 ms.
func (n *node) deleteTime() time.Duration {
	return time.Duration(n.pg.dataBytes()>>30) * 50 * time.Millisecond
}
