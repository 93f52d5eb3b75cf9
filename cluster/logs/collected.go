package logs

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// Collected is what logs that were collected earlier hold.
type Collected struct {
	Nodes   []string           // in order of their names
	Signs   []cluster.SignSeen // by first time, then by node and service
	Files   int
	Lines   uint64
	Bytes   uint64   // of lines, unpacked
	Skipped []string // what looked like a log and could not be read, with the reason; safe
}

// Progress hears how many bytes of all that lie on disk have been read.
type Progress func(done, total int64)

// ReadCollected looks for signs in collected logs: a folder with a folder or a
// gather-logs tarball for each node, one such folder, or one tarball; files may
// be packed with gzip. It needs no cluster, blocks until all is read or ctx is
// done, and holds one buffer whatever the size of the logs. progress may be
// nil. An error means that nothing could be read.
//
// A node is called as the folder above var/log/chef-backend, or as its tarball.
// The texts of chef-backend-ctl that lie beside (chef-backend-ctl-status.txt,
// chef-backend-ctl-cluster-status.txt) are looked through as service "ctl".
func ReadCollected(ctx context.Context, root string, m *Matcher, progress Progress) (Collected, error) {
	c := &collector{ctx: ctx, m: m, progress: progress, seen: map[seenKey]*cluster.SignSeen{}, buf: make([]byte, scanBuffer)}
	files, err := c.find(root)
	if err != nil {
		return Collected{}, err
	}
	for _, f := range files {
		if err := c.file(f); err != nil {
			if ctx.Err() != nil {
				return Collected{}, ctx.Err()
			}
			c.skip(f.path, err)
		}
	}
	if c.out.Files == 0 {
		return Collected{}, c.nothing(root)
	}
	return c.result(), nil
}

// collector is one reading.
type collector struct {
	ctx         context.Context
	m           *Matcher
	progress    Progress
	done, total int64
	seen        map[seenKey]*cluster.SignSeen
	nodes       []string
	out         Collected
	buf         []byte
	matches     []int
}

type seenKey struct {
	sign          int
	node, service string
}

// found is a file on disk that may hold logs.
type found struct {
	path, inner string // inner: below the root, with slashes
	size        int64
}

// find lists the regular files below root, or root itself.
func (c *collector) find(root string) ([]found, error) {
	info, err := os.Stat(root)
	if err != nil {
		return nil, fmt.Errorf("collected logs: %w", err)
	}
	if !info.IsDir() {
		c.total = info.Size()
		return []found{{root, filepath.Base(root), info.Size()}}, nil
	}
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	var files []found
	err = filepath.WalkDir(abs, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			c.skip(p, err)
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			c.skip(p, err)
			return nil
		}
		rel, _ := filepath.Rel(filepath.Dir(abs), p) // both are absolute
		f := found{p, filepath.ToSlash(rel), info.Size()}
		if _, log := placeOf(f.inner); log || packed(f.path) {
			files = append(files, f)
			c.total += f.size
		}
		return nil
	})
	return files, err
}

// file reads one file of the disk: a log, packed or not, or a tarball.
func (c *collector) file(f found) error {
	h, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer h.Close()
	raw := &counted{h, c}
	defer func(end int64) { c.advance(end - c.done) }(c.done + f.size)
	if at, log := placeOf(f.inner); log {
		return c.unpacked(f.path, raw, func(r io.Reader) error { return c.scan(at, r) })
	}
	return c.unpacked(f.path, raw, func(r io.Reader) error { return c.tarball(f, r) })
}

// unpacked gives what a file holds, through gzip where its name or its first
// bytes say so: svlogd's own processors leave the name as it is.
func (c *collector) unpacked(name string, r io.Reader, use func(io.Reader) error) error {
	b := bufio.NewReader(r)
	magic, _ := b.Peek(2) // what is wrong is told by the read that follows
	if !strings.HasSuffix(name, ".gz") && !strings.HasSuffix(name, ".tgz") && string(magic) != "\x1f\x8b" {
		return use(b)
	}
	z, err := gzip.NewReader(b)
	if err != nil {
		return err
	}
	if err := use(z); err != nil {
		return err
	}
	return z.Close()
}

// tarball reads the logs of one tarball.
func (c *collector) tarball(f found, r io.Reader) error {
	node := stem(f.path)
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		switch {
		case err == io.EOF:
			return nil
		case errors.Is(err, tar.ErrHeader):
			return errors.New("no tar archive")
		case errors.Is(err, io.ErrUnexpectedEOF):
			return errors.New("cut off, or no tar archive")
		case err != nil:
			return err
		}
		at, log := placeOf(path.Clean(node + "/" + h.Name))
		if h.Typeflag != tar.TypeReg || !log {
			continue
		}
		at.node = node
		if err := c.unpacked(h.Name, t, func(r io.Reader) error { return c.scan(at, r) }); err != nil {
			if c.ctx.Err() != nil {
				return c.ctx.Err()
			}
			c.skip(f.path+": "+h.Name, err)
		}
	}
}

// place is whose log a file is.
type place struct{ node, service string }

// placeOf reads node and service from a file's path; log is false for a file
// that is no log of the product.
func placeOf(p string) (at place, log bool) {
	parts := strings.Split(strings.TrimSuffix(p, ".gz"), "/")
	name := parts[len(parts)-1]
	if name == "chef-backend-ctl-status.txt" || name == "chef-backend-ctl-cluster-status.txt" {
		return place{above(parts, len(parts)-1), "ctl"}, true
	}
	if name != "current" && !(strings.HasPrefix(name, "@") && (strings.HasSuffix(name, ".s") || strings.HasSuffix(name, ".u"))) {
		return at, false
	}
	for i := len(parts) - 2; i >= 0; i-- {
		if slices.Contains(cluster.Services, parts[i]) {
			end := i
			if i >= 3 && parts[i-1] == "chef-backend" && parts[i-2] == "log" && parts[i-3] == "var" {
				end = i - 3
			}
			return place{above(parts, end), parts[i]}, true
		}
	}
	return at, false
}

// above is the folder that holds the part at i.
func above(parts []string, i int) string {
	if i < 1 {
		return "node"
	}
	return string(remote.Safe([]byte(parts[i-1])))
}

// packed answers whether a file can be a tarball.
func packed(p string) bool {
	return strings.HasSuffix(p, ".tar.gz") || strings.HasSuffix(p, ".tgz") || strings.HasSuffix(p, ".tar")
}

// stem is a tarball's name without what says how it is packed.
func stem(p string) string {
	name := filepath.Base(p)
	for _, end := range []string{".gz", ".tgz", ".tar"} {
		name = strings.TrimSuffix(name, end)
	}
	return remote.Safe([]byte(name))
}

// skip notes what could not be read.
func (c *collector) skip(p string, err error) {
	c.out.Skipped = append(c.out.Skipped, remote.Safe([]byte(p+": "+err.Error())))
}

// nothing says why there is no result.
func (c *collector) nothing(root string) error {
	if len(c.out.Skipped) > 0 {
		return fmt.Errorf("no log below %s could be read: %s", root, c.out.Skipped[0])
	}
	return fmt.Errorf("no logs below %s; expected NODE/var/log/chef-backend/SERVICE/current, or a gather-logs tarball for each node", root)
}

// result puts all in order.
func (c *collector) result() Collected {
	slices.Sort(c.nodes)
	c.out.Nodes = slices.Compact(c.nodes)
	for _, s := range c.seen {
		c.out.Signs = append(c.out.Signs, *s)
	}
	slices.SortFunc(c.out.Signs, func(a, b cluster.SignSeen) int {
		if n := a.First.Compare(b.First); n != 0 {
			return n
		}
		return strings.Compare(a.Node+" "+a.Service+" "+a.Sign, b.Node+" "+b.Service+" "+b.Sign)
	})
	return c.out
}

// counted tells the progress what was read from disk.
type counted struct {
	r io.Reader
	c *collector
}

func (r *counted) Read(b []byte) (int, error) {
	if err := r.c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.r.Read(b)
	r.c.advance(int64(n))
	return n, err
}

func (c *collector) advance(n int64) {
	c.done += n
	if c.progress != nil && n > 0 {
		c.progress(c.done, c.total)
	}
}

// saw notes a sign.
func (c *collector) saw(at place, sign int, stamp time.Time, text []byte) {
	k := seenKey{sign, at.node, at.service}
	s := c.seen[k]
	if s == nil {
		s = &cluster.SignSeen{
			Sign: c.m.Sign(sign).Name, Node: at.node, Service: at.service,
			First: stamp, Last: stamp, Example: remote.Safe(text[:min(len(text), maxText)]),
		}
		c.seen[k] = s
	}
	s.Count++
	if stamp.IsZero() {
		return
	}
	if s.First.IsZero() || stamp.Before(s.First) {
		s.First = stamp
	}
	if stamp.After(s.Last) {
		s.Last = stamp
	}
}
