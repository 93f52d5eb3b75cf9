package machine

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// virtual is the content of a file below /proc. self is who asks.
func (m *Machine) virtual(p string, self *process) ([]byte, bool) {
	if data, ok := m.o.Virtual(p); ok {
		return data, true
	}
	if p == "/proc/sys/kernel/hostname" {
		return []byte(m.o.Name + "\n"), true
	}
	if p == "/proc/locks" {
		return m.procLocks(), true
	}
	dir, name := path.Split(p)
	owner, ok := m.owner(strings.TrimSuffix(dir, "/"), self)
	if !ok {
		return nil, false
	}
	switch name {
	case "stat":
		return owner.stat(), true
	case "cmdline":
		return []byte(owner.name + "\x00"), true
	}
	return nil, false
}

// owner is the process that a folder /proc/PID is about.
func (m *Machine) owner(dir string, self *process) (*process, bool) {
	name, ok := strings.CutPrefix(dir, "/proc/")
	if !ok {
		return nil, false
	}
	if name == "self" {
		return self, self != nil
	}
	pid, err := strconv.Atoi(name)
	if err != nil {
		return nil, false
	}
	p := m.process(pid)
	return p, p != nil
}

// isVirtual says whether a path is the kernel's, not the disk's.
func isVirtual(p string) bool {
	for _, top := range []string{"/proc", "/dev", "/sys"} {
		if p == top || strings.HasPrefix(p, top+"/") {
			return true
		}
	}
	return false
}

// device is one of the devices that every machine has.
func device(p string) bool {
	switch p {
	case "/dev/null", "/dev/stdin", "/dev/stdout", "/dev/stderr":
		return true
	}
	return false
}

// kernelInfo is the metadata of a virtual file.
type kernelInfo struct {
	name string
	mode fs.FileMode
}

func (i kernelInfo) Name() string       { return i.name }
func (i kernelInfo) Size() int64        { return 0 }
func (i kernelInfo) Mode() fs.FileMode  { return i.mode }
func (i kernelInfo) ModTime() time.Time { return time.Unix(0, 0).UTC() }
func (i kernelInfo) IsDir() bool        { return i.mode.IsDir() }
func (i kernelInfo) Sys() any           { return new(syscall.Stat_t) }

// stat is the metadata of any path of the machine.
func (m *Machine) stat(p string, follow bool, self *process) (fs.FileInfo, error) {
	p = path.Clean("/" + p)
	if !isVirtual(p) {
		if follow {
			return m.files.Stat(p)
		}
		return m.files.Lstat(p)
	}
	info := kernelInfo{name: path.Base(p), mode: 0o444}
	switch {
	case device(p):
		info.mode = 0o666 | fs.ModeDevice | fs.ModeCharDevice
	case p == "/proc" || p == "/dev" || p == "/sys":
		info.mode = 0o555 | fs.ModeDir
	default:
		if _, ok := m.owner(p, self); ok {
			info.mode = 0o555 | fs.ModeDir
		} else if _, ok := m.virtual(p, self); !ok {
			return nil, &os.PathError{Op: "stat", Path: p, Err: syscall.ENOENT}
		}
	}
	return info, nil
}

// open opens any path of the machine for somebody with the given streams.
func (c *call) open(p string, flag int, perm fs.FileMode) (io.ReadWriteCloser, error) {
	p = c.path(p)
	if !isVirtual(p) {
		if flag&(os.O_WRONLY|os.O_RDWR|os.O_CREATE) != 0 {
			if err := c.refused(p, true); err != nil {
				return nil, err
			}
		}
		return c.m.files.OpenFile(p, flag, perm&^fs.FileMode(c.p.mask()))
	}
	writes := flag&(os.O_WRONLY|os.O_RDWR) != 0
	switch {
	case p == "/dev/null" && writes:
		return stream{Writer: io.Discard}, nil
	case p == "/dev/stdout" && writes:
		return stream{Writer: c.out}, nil
	case p == "/dev/stderr" && writes:
		return stream{Writer: c.err}, nil
	case p == "/dev/stdin" && !writes && c.in != nil:
		return stream{Reader: c.input()}, nil
	case p == "/dev/null":
		return filled(nil)
	case writes:
		return nil, &os.PathError{Op: "open", Path: p, Err: syscall.EACCES}
	}
	data, ok := c.m.virtual(p, c.p)
	if !ok {
		return nil, &os.PathError{Op: "open", Path: p, Err: syscall.ENOENT}
	}
	return filled(data)
}

// refused is why the call may not write to a path of the disk, or nil.
func (c *call) refused(p string, grows bool) error {
	if c.m.o.Refuse == nil {
		return nil
	}
	user := "root"
	if c.uid != 0 {
		user = c.getenv("USER")
	}
	if err := c.m.o.Refuse(user, path.Clean("/"+p), grows); err != nil {
		return &os.PathError{Op: "write", Path: p, Err: err}
	}
	return nil
}

// filled is a file to read from that holds a little data. It is a pipe, since
// the interpreter reads from real files only; data fits a pipe's buffer.
func filled(data []byte) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	_, err = w.Write(data)
	w.Close()
	return r, err
}

// stream is a device as a file; nil parts do nothing.
type stream struct {
	io.Reader
	io.Writer
}

func (s stream) Read(b []byte) (int, error) {
	if s.Reader == nil {
		return 0, io.EOF
	}
	return s.Reader.Read(b)
}

func (s stream) Write(b []byte) (int, error) {
	if s.Writer == nil {
		return 0, syscall.EBADF
	}
	return s.Writer.Write(b)
}

func (s stream) Close() error { return nil }

// past is a deadline that has always passed.
var past = time.Unix(1, 0)

// interruptible reads from a pipe until its context ends. It gives the pipe
// back usable: the next command may go on reading.
type interruptible struct {
	ctx  context.Context
	file *os.File
}

func (r interruptible) Read(b []byte) (int, error) {
	if r.file == nil {
		return 0, syscall.EBADF
	}
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	done := make(chan struct{})
	stop := context.AfterFunc(r.ctx, func() {
		r.file.SetReadDeadline(past) // a plain file has no deadlines, and never blocks
		close(done)
	})
	n, err := r.file.Read(b)
	if !stop() {
		<-done
		r.file.SetReadDeadline(time.Time{})
	}
	return n, err
}
