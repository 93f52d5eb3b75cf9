package machine

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// read lists or extracts an archive.
func (p *packing) read() {
	in, err := p.source()
	if err != nil {
		p.fatal("%s: Cannot open: %s", p.file, reason(err))
		fmt.Fprintln(p.c.err, "tar: Error is not recoverable: exiting now")
		return
	}
	p.found = make([]bool, len(p.names))
	for r := tar.NewReader(in); p.status == 0; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			p.missed()
			return
		}
		if err == nil && p.wanted(h.Name) {
			err = p.member(r, h)
		}
		if err != nil {
			fmt.Fprintln(p.c.err, "tar: Unexpected EOF in archive\ntar: Error is not recoverable: exiting now")
			p.status = exitTar
		}
	}
}

func (p *packing) source() (io.Reader, error) {
	in := p.c.input()
	if p.file != "-" {
		data, err := p.c.m.files.Read(p.c.path(p.file))
		if err != nil {
			return nil, err
		}
		in = strings.NewReader(string(data))
		if p.zip || len(data) > 1 && data[0] == 0x1f && data[1] == 0x8b {
			return gzip.NewReader(in)
		}
	}
	return in, nil
}

func (p *packing) wanted(name string) bool {
	if len(p.names) == 0 {
		return true
	}
	found := false
	for i, n := range p.names {
		n = strings.TrimSuffix(n, "/")
		if strings.TrimSuffix(name, "/") == n || strings.HasPrefix(name, n+"/") {
			p.found[i], found = true, true
		}
	}
	return found
}

// missed complains of what was asked for and is not in the archive.
func (p *packing) missed() {
	for i, n := range p.names {
		if !p.found[i] {
			p.fatal("%s: Not found in archive", n)
		}
	}
	if p.status != 0 {
		fmt.Fprintln(p.c.err, "tar: Exiting with failure status due to previous errors")
	}
}

func (p *packing) member(r io.Reader, h *tar.Header) error {
	if p.mode == 't' {
		if p.verbose {
			p.c.printf("%s 0/0 %15d %s %s\n", lsMode(h.FileInfo().Mode()), h.Size, h.ModTime.UTC().Format("2006-01-02 15:04"), h.Name)
		} else {
			p.c.printf("%s\n", h.Name)
		}
		_, err := io.Copy(io.Discard, r)
		return err
	}
	if p.verbose {
		p.c.printf("%s\n", h.Name)
	}
	return p.extract(r, h)
}

func (p *packing) extract(r io.Reader, h *tar.Header) error {
	to := path.Clean(p.dir + path.Clean("/"+h.Name)) // nothing climbs out of the folder
	if err := onDisk(to); err != nil {
		return err
	}
	files := p.c.m.files
	mode := h.FileInfo().Mode().Perm()
	switch h.Typeflag {
	case tar.TypeDir:
		if err := files.Mkdir(to); err != nil {
			return err
		}
	case tar.TypeSymlink:
		return files.Symlink(h.Linkname, to)
	default:
		data, err := io.ReadAll(r)
		if err == nil {
			err = files.Write(to, data)
		}
		if err != nil {
			return err
		}
	}
	return errors.Join(files.Chmod(to, mode), files.root.Chtimes(inside(to), h.ModTime, h.ModTime))
}
