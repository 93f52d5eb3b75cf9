package machine

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"
)

// target is where cp, mv or ln put an operand: into a folder, or at a name.
func (c *call) target(from, to string, several bool) (string, error) {
	to = c.path(to)
	info, err := c.m.stat(to, true, c.p)
	if err == nil && info.IsDir() {
		return path.Join(to, path.Base(from)), nil
	}
	if several {
		return "", fmt.Errorf("target '%s' is not a directory", to)
	}
	return to, nil
}

// onDisk refuses what is not on the disk.
func onDisk(p string) error {
	if isVirtual(p) {
		return &os.PathError{Op: "change", Path: p, Err: syscall.EPERM}
	}
	return nil
}

// move is one function for mv, cp and ln: each operand goes to the last one.
func (c *call) move(known string, f func(o options, from, to string) error) int {
	o, ok := c.options(known)
	if !ok || len(o.rest) < 2 {
		return c.fail("missing file operand")
	}
	last := len(o.rest) - 1
	status := 0
	for _, from := range o.rest[:last] {
		to, err := c.target(from, o.rest[last], last > 1 || strings.HasSuffix(o.rest[last], "/"))
		if err == nil {
			err = errors.Join(onDisk(c.path(to)))
		}
		if err == nil {
			err = f(o, from, to)
		}
		if err != nil {
			status = c.failed("'"+from+"' to '"+o.rest[last]+"'", err)
		}
	}
	return status
}

func mv(c *call) int {
	return c.move("nfvT", func(o options, from, to string) error {
		from = c.path(from)
		if err := onDisk(from); err != nil {
			return err
		}
		if o.has('n') && c.m.files.Exists(to) {
			return nil
		}
		if err := cmp.Or(c.refused(from, false), c.refused(to, true)); err != nil {
			return err
		}
		return c.m.files.root.Rename(inside(from), inside(to))
	})
}

func cp(c *call) int {
	return c.move("pfrRanvdT", func(o options, from, to string) error {
		return c.copy(c.path(from), to, copying{
			deep: o.has('r') || o.has('R') || o.has('a'), keep: o.has('p') || o.has('a'), links: o.has('a') || o.has('d'), never: o.has('n')})
	})
}

// copying is how cp copies.
type copying struct {
	deep  bool // folders, too
	keep  bool // modes and times
	links bool // symbolic links as they are
	never bool // over what is there
}

func (c *call) copy(from, to string, how copying) error {
	info, err := c.m.stat(from, !how.links, c.p)
	if err != nil {
		return err
	}
	switch mode := info.Mode(); {
	case !mode.IsDir() && how.never && c.m.files.Exists(to):
		return nil
	case mode&fs.ModeSymlink != 0:
		to2, err := c.m.files.root.Readlink(inside(from))
		if err != nil {
			return err
		}
		return c.m.files.Symlink(to2, to)
	case !mode.IsDir():
		err = c.copyFile(from, to, mode.Perm())
	case !how.deep:
		return fmt.Errorf("omitting directory '%s'", from)
	default:
		err = c.copyFolder(from, to, how)
	}
	if err == nil && how.keep {
		err = errors.Join(c.m.files.Chmod(to, info.Mode().Perm()), c.m.files.root.Chtimes(inside(to), info.ModTime(), info.ModTime()))
	}
	return err
}

func (c *call) copyFolder(from, to string, how copying) error {
	if err := c.m.files.Mkdir(to); err != nil {
		return err
	}
	entries, err := c.m.files.ReadDir(from)
	for _, e := range entries {
		err = errors.Join(err, c.copy(from+"/"+e.Name(), to+"/"+e.Name(), how))
	}
	return err
}

func (c *call) copyFile(from, to string, mode fs.FileMode) error {
	r, err := c.open(from, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := c.open(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close())
}

func ln(c *call) int {
	return c.move("sfnT", func(o options, from, to string) error {
		if o.has('f') {
			c.m.files.Remove(to)
		}
		if o.has('s') {
			return c.m.files.Symlink(from, to)
		}
		return c.m.files.root.Link(inside(c.path(from)), inside(to))
	})
}

// every runs f over every operand that is on the disk.
func (c *call) every(o options, f func(p string) error) int {
	if len(o.rest) == 0 {
		return c.fail("missing operand")
	}
	status := 0
	for _, name := range o.rest {
		p := c.path(name)
		err := onDisk(p)
		if err == nil {
			err = f(p)
		}
		if err != nil {
			status = c.failed("'"+name+"'", err)
		}
	}
	return status
}

func mkdir(c *call) int {
	o, ok := c.options("pm:v")
	if !ok {
		return 1
	}
	mode := fs.FileMode(0o777) &^ fs.FileMode(c.p.mask())
	if o.has('m') {
		var err error
		if mode, err = modeOf(o.values['m'], kernelInfo{mode: mode | fs.ModeDir}); err != nil {
			return c.fail("invalid mode '%s'", o.values['m'])
		}
	}
	return c.every(o, func(p string) error {
		info, err := c.m.files.Stat(p)
		if o.has('p') && err == nil && info.IsDir() {
			return nil
		}
		if err := c.refused(p, true); err != nil {
			return err
		}
		if o.has('p') {
			if err := c.m.files.root.MkdirAll(inside(path.Dir(p)), 0o777&^fs.FileMode(c.p.mask())); err != nil {
				return err
			}
		}
		if err := c.m.files.root.Mkdir(inside(p), mode.Perm()); err != nil {
			return err
		}
		return c.m.files.root.Chmod(inside(p), mode.Perm())
	})
}

func rm(c *call) int {
	o, ok := c.options("rRfdv")
	if !ok {
		return 1
	}
	if len(o.rest) == 0 && o.has('f') {
		return 0
	}
	return c.every(o, func(p string) error {
		info, err := c.m.files.Lstat(p)
		switch {
		case errors.Is(err, fs.ErrNotExist) && o.has('f'):
			return nil
		case err != nil:
			return err
		case p == "/":
			return errors.New("it is dangerous to operate recursively on '/'")
		case c.refused(p, false) != nil:
			return c.refused(p, false)
		case !info.IsDir():
			return c.m.files.root.Remove(inside(p))
		case o.has('r') || o.has('R'):
			return c.m.files.RemoveAll(p)
		}
		return errIsDir
	})
}

func rmdir(c *call) int {
	o, ok := c.options("p")
	if !ok {
		return 1
	}
	return c.every(o, func(p string) error {
		info, err := c.m.files.Lstat(p)
		if err == nil && !info.IsDir() {
			return syscall.ENOTDIR
		}
		return c.m.files.root.Remove(inside(p))
	})
}

func touch(c *call) int {
	o, ok := c.options("camd:t:r:")
	if !ok {
		return 1
	}
	return c.every(o, func(p string) error {
		if !c.m.files.Exists(p) {
			if o.has('c') {
				return nil
			}
			f, err := c.open(p, os.O_WRONLY|os.O_CREATE, 0o666)
			if err != nil {
				return err
			}
			f.Close()
		}
		now := c.m.o.Now()
		return c.m.files.root.Chtimes(inside(p), now, now)
	})
}

func chmod(c *call) int {
	args, deep := c.args[1:], false
	for len(args) > 0 && (args[0] == "-R" || args[0] == "-f" || args[0] == "--") {
		deep = deep || args[0] == "-R"
		args = args[1:]
	}
	if len(args) < 2 {
		return c.fail("missing operand")
	}
	return c.every(options{rest: args[1:]}, func(p string) error { return c.chmod(args[0], p, deep) })
}

func (c *call) chmod(word, p string, deep bool) error {
	info, err := c.m.files.Stat(p)
	if err != nil {
		return err
	}
	mode, err := modeOf(word, info)
	if err == nil {
		err = c.m.files.Chmod(p, mode)
	}
	if err != nil || !deep || !info.IsDir() {
		return err
	}
	entries, err := c.m.files.ReadDir(p)
	for _, e := range entries {
		err = errors.Join(err, c.chmod(word, p+"/"+e.Name(), true))
	}
	return err
}

// modeOf reads a mode: 0700, u+x, go-rwx, a=r, u+rwX.
func modeOf(word string, info fs.FileInfo) (fs.FileMode, error) {
	now := info.Mode()
	if n, err := strconv.ParseUint(word, 8, 12); err == nil {
		return fs.FileMode(n & 0o777), nil
	}
	mode := now.Perm()
	for _, part := range strings.Split(word, ",") {
		at := strings.IndexAny(part, "+-=")
		if at < 0 {
			return 0, fmt.Errorf("invalid mode '%s'", word)
		}
		var who, bits fs.FileMode
		for _, letter := range part[:at] {
			who |= map[rune]fs.FileMode{'u': 0o700, 'g': 0o070, 'o': 0o007, 'a': 0o777}[letter]
		}
		if at == 0 {
			who = 0o777
		}
		for _, letter := range part[at+1:] {
			if letter == 'X' && (now.IsDir() || now&0o111 != 0) {
				letter = 'x'
			}
			bits |= map[rune]fs.FileMode{'r': 0o444, 'w': 0o222, 'x': 0o111}[letter]
		}
		switch part[at] {
		case '+':
			mode |= who & bits
		case '-':
			mode &^= who & bits
		default:
			mode = mode&^who | who&bits
		}
	}
	return mode, nil
}

// mktemp makes names that count up: a simulation has no use for chance.
func mktemp(c *call) int {
	o, ok := c.options("dqup:t")
	if !ok {
		return 1
	}
	name := "/tmp/tmp.XXXXXXXXXX"
	if len(o.rest) > 0 {
		name = o.rest[0]
	}
	if o.has('p') {
		name = path.Join(o.values['p'], path.Base(name))
	}
	stem := strings.TrimRight(name, "X")
	if len(name)-len(stem) < 3 {
		return c.fail("too few X's in template '%s'", name)
	}
	c.m.mu.Lock()
	c.m.temps++
	number := c.m.temps
	c.m.mu.Unlock()
	made := fmt.Sprintf("%s%0*d", stem, len(name)-len(stem), number)
	p := c.path(made)
	var err error
	switch {
	case onDisk(p) != nil:
		err = onDisk(p)
	case o.has('d'):
		err = c.m.files.root.Mkdir(inside(p), 0o700)
	default:
		var f *os.File
		if f, err = c.m.files.OpenFile(p, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
			f.Close()
		}
	}
	if err != nil {
		return c.failed(made, err)
	}
	c.printf("%s\n", made)
	return 0
}
