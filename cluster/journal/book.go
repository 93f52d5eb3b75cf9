package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"chef-backend-cockpit/remote"
)

// Book is an incident's journal that can be read back and forth. It stays as it
// was when it was opened: what is written later is not in it. It is safe for
// concurrent use.
type Book struct {
	Opening Opening
	// Amiss says what is not as it was written: a record that was changed, left
	// out or put in, or a torn end. What can be read is in the book all the same.
	Amiss []string
	Marks []Mark
	file  *os.File
}

// Mark says of one record what is needed to find it.
type Mark struct {
	At   time.Time
	Kind string
	from int64
	size int
}

// OpenBook reads a journal through once. The error is one of a file that is
// none, or of another format; damage is told by Amiss.
func OpenBook(path string) (*Book, error) {
	b := &Book{}
	prev, at := "", int64(0)
	err := eachLine(path, func(n uint64, line []byte) error {
		r, err := parse(line)
		if err != nil {
			return fmt.Errorf("record %d: %w; nothing from there on can be read", n, err)
		}
		if n == 0 {
			if err := known(r); err != nil {
				return err
			}
			_ = json.Unmarshal(safeJSON(r.Data), &b.Opening) // known has read it
		}
		if why := broken(r, n, prev); why != "" && len(b.Amiss) == 0 {
			b.Amiss = append(b.Amiss, why)
		}
		b.Marks = append(b.Marks, Mark{At: r.At, Kind: r.Kind, from: at, size: len(line)})
		prev, at = r.Hash, at+int64(len(line))+1
		return nil
	})
	switch {
	case err != nil && len(b.Marks) == 0:
		return nil, fmt.Errorf("%s: %w", path, err)
	case err != nil:
		b.Amiss = append(b.Amiss, err.Error())
	case len(b.Marks) == 0:
		return nil, fmt.Errorf("%s: it holds no record; a journal begins with one that names its format", path)
	}
	if b.file, err = os.Open(path); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if info, statErr := b.file.Stat(); err == nil && statErr == nil && info.Size() > at && len(b.Amiss) == 0 {
		b.Amiss = append(b.Amiss, fmt.Sprintf("%d bytes after record %d have no end: torn by a crash, or being written", info.Size()-at, len(b.Marks)-1))
	}
	return b, nil
}

// broken says how a record breaks the chain; "" where it does not.
func broken(r Record, n uint64, prev string) string {
	switch {
	case r.Seq != n:
		return fmt.Sprintf("record %d has the number %d: a record was left out or put in", n, r.Seq)
	case r.Prev != prev:
		return fmt.Sprintf("record %d does not follow the one before it", n)
	case r.Hash != r.sum():
		return fmt.Sprintf("record %d was changed: its hash does not fit", n)
	}
	return ""
}

// Record reads one record. Others can write into the file, so every text in its
// data is made safe once more.
func (b *Book) Record(i int) (Record, error) {
	line := make([]byte, b.Marks[i].size)
	if _, err := b.file.ReadAt(line, b.Marks[i].from); err != nil {
		return Record{}, fmt.Errorf("record %d: %w", i, err)
	}
	r, err := parse(line)
	if err != nil {
		return Record{}, fmt.Errorf("record %d: %w", i, err)
	}
	return r.Safe(), nil
}

// Safe is a record whose every text is fit to be shown: what is read from a
// file may have been written there by somebody else. Line ends in its data stay.
func (r Record) Safe() Record {
	r.Kind, r.Data = safe(r.Kind), safeJSON(r.Data)
	return r
}

// Close closes the file.
func (b *Book) Close() error { return b.file.Close() }

// safeJSON makes every string of a JSON text safe; line ends stay.
func safeJSON(body []byte) []byte {
	return rewritten(body, func(literal []byte) []byte {
		if bytes.IndexByte(literal, '\\') < 0 && plain(literal) {
			return nil
		}
		var s string
		if json.Unmarshal(literal, &s) != nil {
			return nil
		}
		lines := strings.Split(s, "\n")
		for i := range lines {
			lines[i] = remote.Safe([]byte(lines[i]))
		}
		out, err := json.Marshal(strings.Join(lines, "\n"))
		if err != nil {
			return nil
		}
		return out
	})
}

// plain answers whether a text is printable ASCII alone.
func plain(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c >= utf8.RuneSelf || c == 0x7f {
			return false
		}
	}
	return true
}
