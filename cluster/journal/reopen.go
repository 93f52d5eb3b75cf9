package journal

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ErrInUse: another cockpit has the incident open.
var ErrInUse = errors.New("another cockpit writes this incident")

// Reopen goes on with an incident that was not closed: its chain is checked
// from the first record to the last, and the next record follows it. An error
// says why it cannot be gone on with; nothing is changed then. With an
// incident open nothing is reopened.
func (j *Journal) Reopen(id string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file != nil {
		return fmt.Errorf("incident %s is open", j.id)
	}
	path := Path(j.dir, id)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return fmt.Errorf("incident %s: %w", id, err)
	}
	seq, prev, size, err := j.resumable(file, path)
	if err != nil {
		file.Close()
		return fmt.Errorf("incident %s: %w", id, err)
	}
	j.id, j.file, j.seq, j.prev, j.size, j.shown, j.torn = id, file, seq, prev, size, "", nil
	return nil
}

// resumable takes the incident and finds where its chain ends.
func (j *Journal) resumable(file *os.File, path string) (seq uint64, prev string, whole int64, err error) {
	if !take(file) {
		return 0, "", 0, ErrInUse
	}
	if err := Verify(path); err != nil {
		return 0, "", 0, err
	}
	closed := false
	err = eachLine(path, func(_ uint64, line []byte) error {
		r, err := parse(line)
		seq, prev, whole = r.Seq+1, r.Hash, whole+int64(len(line))+1
		data, bad := Decode(r)
		n, is := data.(*NoteData)
		closed = bad == nil && is && n.Closed
		return err
	})
	info, statErr := file.Stat()
	switch {
	case err != nil || statErr != nil:
		return 0, "", 0, errors.Join(err, statErr)
	case info.Size() != whole:
		return 0, "", 0, errors.New("its last line is torn")
	case closed || seq == 0:
		return 0, "", 0, errors.New("it was closed")
	}
	return seq, prev, whole, nil
}

// take claims an open journal file for this cockpit until the file is closed,
// by itself or with the process. Where the file system knows no such claims
// everything can be taken.
func take(file *os.File) bool {
	return !errors.Is(syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}

// inUse answers whether a cockpit has a journal file open for writing.
func inUse(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	return errors.Is(syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}
