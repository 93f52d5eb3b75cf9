package machine

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"time"
)

// fileLock is a lock of flock on one file.
type fileLock struct {
	full   chan struct{} // holds one while the lock is held
	number int           // stands for the file in /proc/locks
	holder int           // pid of who holds it; 0 for nobody. Guarded by Machine.mu
}

// flock FILE COMMAND… holds a lock of the machine while a command runs. It
// goes with whoever runs it: with the session's end, or with the power.
func flock(c *call) int {
	o, ok := c.options("nsxoeuw:E:")
	if !ok || len(o.rest) < 2 {
		return c.fail("a file and a command are needed")
	}
	file := c.path(o.rest[0])
	f, err := c.open(file, os.O_RDONLY|os.O_CREATE, 0o666)
	if err != nil {
		return c.failed("cannot open lock file "+file, err)
	}
	f.Close()
	l := c.m.lock(file)
	if !c.take(l, o) {
		if code, err := strconv.Atoi(o.values['E']); err == nil {
			return code
		}
		return 1
	}
	c.m.holds(l, c.p.pid)
	defer func() {
		c.m.holds(l, 0)
		<-l.full
	}()
	if o.rest[1] == "-c" && len(o.rest) > 2 {
		return c.run([]string{"/bin/sh", "-c", o.rest[2]})
	}
	return c.run(o.rest[1:])
}

func (c *call) take(l *fileLock, o options) bool {
	select {
	case l.full <- struct{}{}:
		return true
	default:
	}
	if o.has('n') {
		return false
	}
	var late <-chan time.Time
	if d, err := seconds(o.values['w']); err == nil {
		late = c.m.o.Clock.After(d)
	}
	select {
	case l.full <- struct{}{}:
		return true
	case <-late:
	case <-c.ctx.Done():
	}
	return false
}

func (m *Machine) lock(file string) *fileLock {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locks[file] == nil {
		m.locks[file] = &fileLock{full: make(chan struct{}, 1), number: 1000 + len(m.locks)}
	}
	return m.locks[file]
}

func (m *Machine) holds(l *fileLock, pid int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l.holder = pid
}

// procLocks is /proc/locks.
func (m *Machine) procLocks() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	var b bytes.Buffer
	n := 0
	for _, file := range slices.Sorted(maps.Keys(m.locks)) {
		if l := m.locks[file]; l.holder != 0 {
			n++
			fmt.Fprintf(&b, "%d: FLOCK  ADVISORY  WRITE %d fd:00:%d 0 EOF\n", n, l.holder, l.number)
		}
	}
	return b.Bytes()
}
