package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"syscall"
	"time"

	"chef-backend-cockpit/remote"
)

// newMarks reads what was said before. A file that cannot be read is told by
// trouble and never overwritten.
func newMarks(path, operator string) *marks {
	m := &marks{path: path, operator: operator, back: map[string]time.Time{}}
	m.load() //nolint:errcheck // told by trouble
	return m
}

// lookAtMarks takes in what other cockpits said of nodes since, and keeps what
// is owed to the file. It never waits for a disk.
func (w *Watch) lookAtMarks() {
	if w.marks.path == "" || !w.marks.looking.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer remote.Guard()
		defer w.marks.looking.Store(false)
		if changed, kept := w.marks.refresh(), w.marks.keep(); changed || kept {
			w.publish()
		}
	}()
}

// refresh reads the file where it is another than the one that was read, or
// could not be read; changed: it did.
func (m *marks) refresh() (changed bool) {
	m.disk.Lock()
	defer m.disk.Unlock()
	now, err := os.Stat(m.path)
	if errors.Is(err, fs.ErrNotExist) {
		now, err = nil, nil
	}
	was := m.told()
	if was.err == "" && err == nil && sameFile(m.read, now) {
		return false
	}
	m.load() //nolint:errcheck // told by trouble
	return !reflect.DeepEqual(was, m.told())
}

// marksTold is what is known of the file, to be compared.
type marksTold struct {
	said said
	err  string
}

func (m *marks) told() marksTold {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := marksTold{said: said{maps.Clone(m.said.Fenced), maps.Clone(m.said.Maintenance)}}
	if m.err != nil {
		t.err = m.err.Error()
	}
	return t
}

// keep writes which fenced nodes answered, where the file does not tell it yet;
// changed: what came of that is another thing than before.
func (m *marks) keep() (changed bool) {
	m.mu.Lock()
	owed, was := m.owed, fmt.Sprint(m.unkept)
	m.mu.Unlock()
	if !owed {
		return false
	}
	err := m.change(func(*said) {})
	m.mu.Lock()
	m.unkept = err
	m.mu.Unlock()
	return fmt.Sprint(err) != was
}

// sameFile answers whether a file was neither replaced nor written since.
func sameFile(was, now fs.FileInfo) bool {
	if was == nil || now == nil {
		return was == nil && now == nil
	}
	return os.SameFile(was, now) && was.ModTime().Equal(now.ModTime()) && was.Size() == now.Size()
}

// load takes what the file says. Callers hold the disk's lock.
func (m *marks) load() error {
	s, info, err := readMarks(m.path)
	m.take(s, info, err)
	return err
}

// take remembers what was read or written. Callers hold the disk's lock.
func (m *marks) take(s said, info fs.FileInfo, err error) {
	m.read = info
	m.mu.Lock()
	defer m.mu.Unlock()
	m.said, m.err = s, err
	m.answered()
}

// readMarks reads a file of marks. One that is not there says nothing.
func readMarks(path string) (s said, info fs.FileInfo, err error) {
	nothing := func() said { return said{map[string]fencing{}, map[string]maintenance{}} }
	if path == "" {
		return nothing(), nil, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nothing(), nil, nil
	} else if err != nil {
		return nothing(), nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return nothing(), nil, err
	}
	if info, err = f.Stat(); err != nil {
		return nothing(), nil, err
	}
	s = nothing()
	if err := json.Unmarshal(text, &s); err != nil {
		return nothing(), nil, err
	}
	if s.Fenced == nil { // the file says null
		s.Fenced = map[string]fencing{}
	}
	if s.Maintenance == nil {
		s.Maintenance = map[string]maintenance{}
	}
	return s, info, nil
}

// change edits what the file says by now, saves it, and only then takes it. No
// other cockpit writes meanwhile.
func (m *marks) change(edit func(*said)) error {
	m.disk.Lock()
	defer m.disk.Unlock()
	if m.path != "" {
		done, err := alone(m.path)
		if err != nil {
			return fmt.Errorf("the mark cannot be kept: %w", err)
		}
		defer done()
		if err := m.load(); err != nil {
			return fmt.Errorf("marks of nodes cannot be read: %w; mend or remove %s", err, m.path)
		}
	}
	next := m.edited(edit)
	info, err := next.save(m.path)
	if err != nil {
		m.mu.Lock()
		m.owed = len(m.back) > 0
		m.mu.Unlock()
		return fmt.Errorf("the mark cannot be kept: %w", err)
	}
	m.take(next, info, nil)
	return nil
}

// edited is a copy of what is said behind a change. Nothing is owed to the file
// that it is written to.
func (m *marks) edited(edit func(*said)) said {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := said{maps.Clone(m.said.Fenced), maps.Clone(m.said.Maintenance)}
	edit(&next)
	m.owed, m.unkept = false, nil
	return next
}

// save renames a whole file into place: a half-written one would forget a fence.
func (s said) save(path string) (fs.FileInfo, error) {
	if path == "" {
		return nil, nil
	}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".marks-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name()) // gone already when all went well
	_, err = f.Write(append(text, '\n'))
	err = errors.Join(err, f.Sync())
	info, statErr := f.Stat()
	if err = errors.Join(err, statErr, f.Close()); err != nil {
		return nil, err
	}
	return info, os.Rename(f.Name(), path)
}

// Another cockpit writes its few lines in a moment; one that is held in the
// middle of it must not hold this one for ever. On the real clock.
const (
	aloneWithin = 2 * time.Second
	aloneEvery  = 20 * time.Millisecond
)

// alone keeps other cockpits from changing a file until done, by the lock of a
// file beside it, which stays: the file itself is replaced. Where the file
// system knows no locks nobody is kept from anything.
func alone(path string) (done func(), err error) {
	dir, name := filepath.Split(path)
	if err := os.MkdirAll(filepath.Clean(dir), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "."+name+".lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	late, cancel := context.WithTimeout(context.Background(), aloneWithin)
	defer cancel()
	for errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB), syscall.EWOULDBLOCK) {
		if late.Err() != nil {
			f.Close()
			return nil, fmt.Errorf("another cockpit is writing %s; try again in a moment", path)
		}
		pause, over := context.WithTimeout(late, aloneEvery)
		<-pause.Done()
		over()
	}
	return func() { f.Close() }, nil
}
