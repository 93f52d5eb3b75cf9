package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"chef-backend-cockpit/cluster"
)

// bundleFile is an archive that is being written beside its name; it gets the
// name when it is whole, so that half of one is never taken for all.
type bundleFile struct {
	name string // without the folder and the ending
	path string
	file *os.File
	gzip *gzip.Writer
	tar  *tar.Writer
	at   time.Time
}

// spare is what must stay free on the disk beside the bundle.
const spare = 64 << 20

// newBundleFile begins an archive in a folder. An error means that nothing is
// left there.
func newBundleFile(dir, name string, at time.Time) (*bundleFile, error) {
	path := filepath.Join(dir, name+".tar.gz")
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is there already; move it away", path)
	}
	f, err := os.CreateTemp(dir, ".half-support-*") // 0600 from the start
	if err != nil {
		return nil, fmt.Errorf("%w; change to a folder that can be written", err)
	}
	z := gzip.NewWriter(f)
	return &bundleFile{name: name, path: path, file: f, gzip: z, tar: tar.NewWriter(z), at: at}, nil
}

// room refuses to begin what the disk cannot hold, however well it packs.
func room(dir string, need int64) error {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return fmt.Errorf("free space of %s: %w", dir, err)
	}
	if free := int64(s.Bavail) * int64(s.Bsize); free < need+spare {
		return fmt.Errorf("%s has %s free, and the bundle can take %s beside %s that stay free; change to a folder with more room",
			dir, cluster.Amount(free), cluster.Amount(need), cluster.Amount(spare))
	}
	return nil
}

// add adds one file.
func (b *bundleFile) add(name string, text []byte) error {
	h := &tar.Header{Name: b.name + "/" + name, Mode: 0o600, Size: int64(len(text)), ModTime: b.at, Typeflag: tar.TypeReg}
	if err := b.tar.WriteHeader(h); err != nil {
		return err
	}
	_, err := b.tar.Write(text)
	return err
}

// finish puts the archive in its place. A signal until then leaves nothing.
func (b *bundleFile) finish(ctx context.Context) error {
	if err := errors.Join(b.tar.Close(), b.gzip.Close(), b.file.Sync(), b.file.Close()); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	// A link, unlike a rename, takes no name that somebody has made meanwhile.
	if err := os.Link(b.file.Name(), b.path); err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.Rename(b.file.Name(), b.path)
}

// drop throws away what is not finished; after finish it throws away nothing
// but the name that the archive had while it was written.
func (b *bundleFile) drop() {
	b.file.Close()
	os.Remove(b.file.Name())
}
