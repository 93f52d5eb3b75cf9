package machine

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"
)

// identity is the number by which a file stays the same when it is renamed:
// the real one of the simulation's folder.
func identity(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Ino)
	}
	return 0
}

func links(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok && s.Nlink > 0 {
		return uint64(s.Nlink)
	}
	return 1
}

// listed is one line of ls.
type listed struct {
	name string // as it is printed
	path string
	info fs.FileInfo
}

func ls(c *call) int {
	o, ok := c.options("1ainAdltrF")
	if !ok {
		return 2
	}
	names := o.rest
	if len(names) == 0 {
		names = []string{"."}
	}
	var files []listed
	var dirs []string
	status := 0
	for _, name := range names {
		info, err := c.m.stat(c.path(name), !o.has('d') && !o.has('l') && !o.has('n'), c.p)
		switch {
		case err != nil:
			c.failed("cannot access '"+name+"'", err)
			status = 2
		case info.IsDir() && !o.has('d'):
			dirs = append(dirs, name)
		default:
			files = append(files, listed{name, c.path(name), info})
		}
	}
	c.list(o, files)
	for i, dir := range dirs {
		if len(names) > 1 {
			if i > 0 || len(files) > 0 {
				c.printf("\n")
			}
			c.printf("%s:\n", dir)
		}
		inDir, err := c.inDir(o, dir)
		if err != nil {
			c.failed("cannot open directory '"+dir+"'", err)
			status = 2
		}
		c.list(o, inDir)
	}
	return status
}

func (c *call) inDir(o options, dir string) (files []listed, err error) {
	p := c.path(dir)
	entries, err := c.m.files.ReadDir(p)
	for _, e := range entries {
		hidden := strings.HasPrefix(e.Name(), ".")
		if hidden && !o.has('a') && !o.has('A') {
			continue
		}
		if info, err := e.Info(); err == nil { // it may be gone by now
			files = append(files, listed{e.Name(), path.Join(p, e.Name()), info})
		}
	}
	return files, err
}

func (c *call) list(o options, files []listed) {
	slices.SortStableFunc(files, func(a, b listed) int {
		if o.has('t') {
			if n := b.info.ModTime().Compare(a.info.ModTime()); n != 0 {
				return n
			}
		}
		return strings.Compare(a.name, b.name)
	})
	if o.has('r') {
		slices.Reverse(files)
	}
	var b strings.Builder
	for _, f := range files {
		if o.has('i') {
			fmt.Fprintf(&b, "%d ", identity(f.info))
		}
		if o.has('l') || o.has('n') {
			owner := "root root"
			if o.has('n') {
				owner = "0 0"
			}
			fmt.Fprintf(&b, "%s %d %s %d %s ", lsMode(f.info.Mode()), links(f.info), owner, f.info.Size(),
				f.info.ModTime().UTC().Format("Jan _2 15:04"))
		}
		b.WriteString(f.name)
		if f.info.Mode()&fs.ModeSymlink != 0 && (o.has('l') || o.has('n')) {
			if to, err := c.m.files.root.Readlink(inside(f.path)); err == nil {
				b.WriteString(" -> " + to)
			}
		}
		b.WriteByte('\n')
	}
	c.printf("%s", b.String())
}

// lsMode is the first column of ls -l.
func lsMode(m fs.FileMode) string {
	kind := "-"
	switch {
	case m.IsDir():
		kind = "d"
	case m&fs.ModeSymlink != 0:
		kind = "l"
	case m&fs.ModeCharDevice != 0:
		kind = "c"
	}
	return kind + m.Perm().String()[1:]
}

func stat(c *call) int {
	o, ok := c.options("Lc:f")
	if !ok || !o.has('c') || o.has('f') {
		return c.fail("only -c FORMAT is known here")
	}
	status := 0
	var b strings.Builder
	for _, name := range o.rest {
		info, err := c.m.stat(c.path(name), o.has('L'), c.p)
		if err != nil {
			status = c.failed("cannot stat '"+name+"'", err)
			continue
		}
		b.WriteString(statFormat(o.values['c'], name, info) + "\n")
	}
	c.printf("%s", b.String())
	return status
}

func statFormat(format, name string, info fs.FileInfo) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		at := info.ModTime().UTC()
		switch format[i] {
		case 'n':
			b.WriteString(name)
		case 's':
			fmt.Fprint(&b, info.Size())
		case 'i':
			fmt.Fprint(&b, identity(info))
		case 'Y', 'X', 'Z':
			fmt.Fprint(&b, at.Unix())
		case 'y':
			b.WriteString(at.Format("2006-01-02 15:04:05.000000000 -0700"))
		case 'a':
			fmt.Fprintf(&b, "%o", info.Mode().Perm())
		case 'A':
			b.WriteString(lsMode(info.Mode()))
		case 'h':
			fmt.Fprint(&b, links(info))
		case 'F':
			b.WriteString(kindWord(info))
		case 'u', 'g':
			b.WriteString("0")
		case 'U', 'G':
			b.WriteString("root")
		default:
			b.WriteByte(format[i])
		}
	}
	return b.String()
}

func kindWord(info fs.FileInfo) string {
	switch m := info.Mode(); {
	case m.IsDir():
		return "directory"
	case m&fs.ModeSymlink != 0:
		return "symbolic link"
	case m&fs.ModeCharDevice != 0:
		return "character special file"
	case info.Size() == 0:
		return "regular empty file"
	}
	return "regular file"
}

func readlink(c *call) int {
	o, ok := c.options("fnem")
	if !ok || len(o.rest) == 0 {
		return c.fail("missing operand")
	}
	status := 0
	for _, name := range o.rest {
		to, err := c.m.files.root.Readlink(inside(c.path(name)))
		switch {
		case err == nil && (o.has('f') || o.has('e')):
			if !path.IsAbs(to) {
				to = path.Dir(c.path(name)) + "/" + to
			}
			c.printf("%s\n", path.Clean(to))
		case err == nil:
			c.printf("%s\n", to)
		case o.has('f') && c.m.files.Exists(path.Dir(c.path(name))):
			c.printf("%s\n", c.path(name))
		default:
			status = 1 // readlink is silent about what is no link
		}
	}
	return status
}

func basename(c *call) int {
	if len(c.args) < 2 {
		return c.fail("missing operand")
	}
	name := path.Base(c.args[1])
	if len(c.args) > 2 && name != c.args[2] {
		name = strings.TrimSuffix(name, c.args[2])
	}
	c.printf("%s\n", name)
	return 0
}

func dirname(c *call) int {
	if len(c.args) < 2 {
		return c.fail("missing operand")
	}
	c.printf("%s\n", path.Dir(c.args[1]))
	return 0
}
