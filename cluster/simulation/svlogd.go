package simulation

import (
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"chef-backend-cockpit/cluster/simulation/machine"
)

// svlogd's limits here. The product's files are larger; these rotate while
// somebody watches.
const (
	logSize = 256 << 10
	logKeep = 10
)

const logDir = "/var/log/chef-backend/"

// loggers are the svlogd processes of a node, one for each service. The caller
// of all methods holds the world's lock.
type loggers struct {
	files *machine.Files
	open  map[string]*logger
	err   error // the first one; svlogd would say it in the process list
}

// logger writes one service's folder as svlogd does.
type logger struct {
	files *machine.Files
	dir   string
	file  *os.File
	size  int
	last  time.Time // of the last rotation: names must rise
}

func newLoggers(files *machine.Files) *loggers {
	return &loggers{files: files, open: map[string]*logger{}}
}

// write stamps a line as svlogd -tt does and appends it.
func (l *loggers) write(service, line string, at time.Time) {
	g := l.open[service]
	if g != nil && !l.files.Exists(g.dir+"/current") {
		g.file.Close() // a cleansed node starts its loggers anew
		g = nil
	}
	if g == nil {
		if g = l.start(service, at); g == nil {
			return
		}
	}
	l.note(g.write(line, at))
}

// start opens a service's log; svlogd does so before there is a line.
func (l *loggers) start(service string, at time.Time) *logger {
	dir := logDir + service
	if service == "postgresql" {
		dir += "/9.5"
	}
	g := &logger{files: l.files, dir: dir}
	if err := g.begin(at); err != nil {
		l.note(err)
		return nil
	}
	l.open[service] = g
	return g
}

func (l *loggers) note(err error) {
	if err != nil && l.err == nil {
		l.err = err
	}
}

// lose is what happens to svlogd when the power goes.
func (l *loggers) lose() {
	for service, g := range l.open {
		g.file.Close()
		delete(l.open, service)
	}
}

// close ends svlogd properly: it marks each file as finished.
func (l *loggers) close() {
	for _, g := range l.open {
		g.file.Chmod(0o744)
	}
	l.lose()
}

// begin opens current. One that was not finished properly is put aside with
// the ending .u, as svlogd does after a crash.
func (g *logger) begin(at time.Time) error {
	if err := g.files.Mkdir(g.dir); err != nil {
		return err
	}
	if !g.files.Exists(g.dir + "/config") {
		if err := g.files.Write(g.dir+"/config", fmt.Appendf(nil, "s%d\nn%d\n", logSize, logKeep)); err != nil {
			return err
		}
	}
	if info, err := g.files.Stat(g.dir + "/current"); err == nil && info.Size() > 0 && info.Mode()&0o100 == 0 {
		if err := g.aside(at, ".u"); err != nil {
			return err
		}
	}
	return g.reopen()
}

func (g *logger) reopen() (err error) {
	g.file, err = g.files.OpenFile(g.dir+"/current", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	end, err := g.file.Seek(0, io.SeekEnd)
	g.size = int(end)
	if err == nil {
		err = g.file.Chmod(0o644)
	}
	return err
}

func (g *logger) write(line string, at time.Time) error {
	text := at.UTC().Format("2006-01-02_15:04:05.00000 ") + strings.TrimSuffix(line, "\n") + "\n"
	n, err := io.WriteString(g.file, text)
	g.size += n
	if err != nil || g.size < logSize {
		return err
	}
	if err := g.file.Chmod(0o744); err != nil {
		return err
	}
	if err := g.file.Close(); err != nil {
		return err
	}
	if err := g.aside(at, ".s"); err != nil {
		return err
	}
	return g.reopen()
}

// aside renames current by its time and deletes the oldest beyond the limit.
func (g *logger) aside(at time.Time, ending string) error {
	if !at.After(g.last) {
		at = g.last.Add(time.Nanosecond)
	}
	g.last = at
	if err := g.files.Rename(g.dir+"/current", g.dir+"/"+tai64n(at)+ending); err != nil {
		return err
	}
	all, err := g.files.List(g.dir)
	if err != nil {
		return err
	}
	old := slices.DeleteFunc(all, func(name string) bool { return !strings.HasPrefix(name, "@") })
	for len(old) > logKeep {
		if err := g.files.Remove(path.Join(g.dir, old[0])); err != nil {
			return err
		}
		old = old[1:]
	}
	return nil
}

// tai64n is a time as svlogd names a file by it: TAI64N in hexadecimal, with
// the ten seconds that were between TAI and UTC when UTC began.
func tai64n(t time.Time) string {
	return fmt.Sprintf("@%016x%08x", uint64(t.Unix())+4611686018427387914, t.Nanosecond())
}
