package machine

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"
)

// packing is one call of tar.
type packing struct {
	c       *call
	mode    byte // c, x or t
	file    string
	zip     bool
	auto    bool // compressed or not by the archive's name
	verbose bool
	follow  bool // symbolic links: what they lead to goes in
	dir     string
	exclude []string
	names   []string // operands and the folders in which they count
	dirs    []string
	found   []bool // operands that the archive holds
	status  int
	said    bool // about leading slashes
}

const exitTar = 2

// tarCommand is tar: create, list and extract, with the options that a copy
// of a node needs. Sparse files, owners and file systems are all the same
// here, so the options about them change nothing.
func tarCommand(c *call) int {
	p := &packing{c: c, dir: c.dir, file: "-"}
	if !p.parse(c.args[1:]) {
		return exitTar
	}
	switch p.mode {
	case 'c':
		p.create()
	case 't', 'x':
		p.read()
	default:
		p.fatal("You must specify one of the '-Acdtrux', '--delete' or '--test-label' options")
	}
	return p.status
}

func (p *packing) fatal(format string, a ...any) {
	p.c.fail(format, a...)
	p.status = exitTar
}

// parse reads the options; the first word may lack its dash.
func (p *packing) parse(args []string) bool {
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		args = append([]string{"-" + args[0]}, args[1:]...)
	}
	value := func() string {
		if len(args) == 0 {
			return ""
		}
		v := args[0]
		args = args[1:]
		return v
	}
	for len(args) > 0 {
		word := value()
		switch {
		case strings.HasPrefix(word, "--"):
			if !p.long(word, value) {
				return false
			}
		case strings.HasPrefix(word, "-") && word != "-":
			for i := 1; i < len(word); i++ {
				rest := func() string {
					v := word[i+1:]
					i = len(word)
					if v == "" {
						v = value()
					}
					return v
				}
				if !p.short(word[i], rest) {
					return false
				}
			}
		default:
			p.names, p.dirs = append(p.names, word), append(p.dirs, p.dir)
		}
	}
	return true
}

func (p *packing) short(letter byte, value func() string) bool {
	switch letter {
	case 'c', 't', 'x':
		p.mode = letter
	case 'f':
		p.file = value()
	case 'C':
		p.enter(value())
	case 'z':
		p.zip = true
	case 'a':
		p.auto = true
	case 'v':
		p.verbose = true
	case 'h':
		p.follow = true
	case 'p', 'S', 'P':
	default:
		p.fatal("invalid option -- '%c'", letter)
		return false
	}
	return true
}

func (p *packing) long(word string, value func() string) bool {
	name, v, joined := strings.Cut(word, "=")
	take := func() string {
		if joined {
			return v
		}
		return value()
	}
	switch name {
	case "--create", "--list", "--extract":
		p.mode = map[string]byte{"--create": 'c', "--list": 't', "--extract": 'x'}[name]
	case "--file":
		p.file = take()
	case "--directory":
		p.enter(take())
	case "--gzip":
		p.zip = true
	case "--auto-compress":
		p.auto = true
	case "--verbose":
		p.verbose = true
	case "--dereference":
		p.follow = true
	case "--exclude":
		p.exclude = append(p.exclude, take())
	case "--warning", "--numeric-owner", "--sparse", "--one-file-system", "--preserve-permissions", "--same-owner", "--acls", "--xattrs", "--selinux":
	default:
		p.fatal("unrecognized option '%s'", word)
		return false
	}
	return true
}

func (p *packing) enter(dir string) {
	if !path.IsAbs(dir) {
		dir = p.dir + "/" + dir
	}
	p.dir = path.Clean(dir)
}

// create writes an archive. It takes as long as what it holds claims to be
// large, and says so where something there was written meanwhile.
func (p *packing) create() {
	if len(p.names) == 0 {
		p.fatal("Cowardly refusing to create an empty archive")
		return
	}
	out, err := p.sink()
	if err != nil {
		p.fatal("%s: Cannot open: %s", p.file, reason(err))
		return
	}
	w := tar.NewWriter(out)
	var weight int64
	var busy []string
	for i, name := range p.names {
		at := name
		if !path.IsAbs(at) {
			at = p.dirs[i] + "/" + at
		}
		at = path.Clean(at)
		weight += p.c.m.weight(at)
		for _, file := range p.c.m.busy(at) {
			if !p.leavesOut(path.Join(name, strings.TrimPrefix(file, at))) {
				busy = append(busy, file)
			}
		}
		p.add(w, at, name)
	}
	if !p.c.pass(time.Duration(float64(weight) / tarRate * float64(time.Second))) {
		p.status = p.c.stopped()
		return
	}
	for _, file := range busy {
		p.c.fail("%s: file changed as we read it", file)
		p.status = max(p.status, 1)
	}
	if err := errors.Join(w.Close(), out.Close()); err != nil {
		p.fatal("%s: Cannot write: %s", p.file, reason(err))
	} else if p.status == exitTar {
		fmt.Fprintln(p.c.err, "tar: Exiting with failure status due to previous errors")
	}
}

// tarRate is how many bytes of the simulated sizes are packed in a second: a
// demonstration must not take an hour.
const tarRate = 4 << 30

// sink is where the archive goes.
func (p *packing) sink() (io.WriteCloser, error) {
	var out io.WriteCloser = stream{Writer: p.c.out}
	if p.file != "-" {
		var err error
		if out, err = p.c.open(p.file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666); err != nil {
			return nil, err
		}
	}
	if p.zip || p.auto && strings.HasSuffix(p.file, "gz") {
		return zipped{gzip.NewWriter(out), out}, nil
	}
	return out, nil
}

// zipped closes what lies below, too.
type zipped struct {
	*gzip.Writer
	below io.Closer
}

func (z zipped) Close() error { return errors.Join(z.Writer.Close(), z.below.Close()) }

// leavesOut answers whether a name is excluded, or lies below one that is.
func (p *packing) leavesOut(name string) bool {
	for _, pattern := range p.exclude {
		if ok, _ := path.Match(pattern, name); ok || strings.HasPrefix(name, pattern+"/") {
			return true
		}
	}
	return false
}

// add puts a file or a folder with all that is in it into the archive.
func (p *packing) add(w *tar.Writer, at, name string) {
	if p.leavesOut(name) {
		return
	}
	if strings.HasPrefix(name, "/") && !p.said {
		p.said = true
		fmt.Fprintln(p.c.err, "tar: Removing leading `/' from member names")
	}
	if err := onDisk(at); err != nil {
		p.fatal("%s: Cannot stat: %s", name, reason(err))
		return
	}
	info, err := p.c.m.stat(at, p.follow, p.c.p)
	if err != nil {
		p.fatal("%s: Cannot stat: %s", name, reason(err))
		return
	}
	if err := p.entry(w, at, strings.TrimLeft(name, "/"), info); err != nil {
		p.fatal("%s: Cannot read: %s", name, reason(err))
	}
	if p.verbose {
		p.c.printf("%s\n", name)
	}
	if !info.IsDir() {
		return
	}
	entries, err := p.c.m.files.ReadDir(at)
	if err != nil {
		p.fatal("%s: Cannot open: %s", name, reason(err))
	}
	for _, e := range entries {
		p.add(w, at+"/"+e.Name(), strings.TrimSuffix(name, "/")+"/"+e.Name())
	}
}

// entry writes one member. Everything belongs to root here.
func (p *packing) entry(w *tar.Writer, at, name string, info fs.FileInfo) error {
	h := &tar.Header{Name: name, Mode: int64(info.Mode().Perm()), ModTime: info.ModTime().Truncate(time.Second), Typeflag: tar.TypeReg}
	switch mode := info.Mode(); {
	case mode.IsDir():
		h.Typeflag, h.Name = tar.TypeDir, strings.TrimSuffix(name, "/")+"/"
	case mode&fs.ModeSymlink != 0:
		to, err := p.c.m.files.root.Readlink(inside(at))
		if err != nil {
			return err
		}
		h.Typeflag, h.Linkname = tar.TypeSymlink, to
	case mode.IsRegular():
		data, err := p.c.m.files.Read(at)
		if err != nil {
			return err
		}
		h.Size = int64(len(data))
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	}
	return w.WriteHeader(h)
}
