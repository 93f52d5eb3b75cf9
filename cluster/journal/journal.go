// Package journal writes incidents to disk: append-only, hash-chained JSON
// lines, the intent before the act. It also lists, reads, checks and follows
// them, and throws old ones away.
package journal

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"chef-backend-cockpit/cluster"
)

// Format is the version of the file that is written, named in record 0.
const Format = 1

// FileName is the journal's name in an incident's folder.
const FileName = "journal.jsonl"

// Kinds of records.
const (
	Snapshot = "snapshot"
	Finding  = "finding"
	Confirm  = "confirm"
	Intent   = "intent"
	Outcome  = "outcome"
	Output   = "output"
	Note     = "note"
)

// Record is one line. Hash is the SHA-256, in hex, of the record without it;
// Prev is the hash of the record before, so that a line that was changed, left
// out or put in shows.
type Record struct {
	Seq  uint64          `json:"seq"`
	At   time.Time       `json:"at"`
	Kind string          `json:"kind"`
	Prev string          `json:"prev"`
	Hash string          `json:"hash"`
	Data json.RawMessage `json:"data"`
}

// Opening is the data of record 0, a note.
type Opening struct {
	Format   int    `json:"format"`
	Incident string `json:"incident"`
	Cluster  string `json:"cluster"`
}

// sum is what Hash has to be.
func (r Record) sum() string {
	body, _ := json.Marshal(struct { // RawMessage that was read or marshalled is valid
		Seq  uint64          `json:"seq"`
		At   time.Time       `json:"at"`
		Kind string          `json:"kind"`
		Prev string          `json:"prev"`
		Data json.RawMessage `json:"data"`
	}{r.Seq, r.At, r.Kind, r.Prev, r.Data})
	h := sha256.Sum256(body)
	return hex.EncodeToString(h[:])
}

// Journal writes the incidents of one cockpit. It is safe for concurrent use.
type Journal struct {
	dir     string
	clock   cluster.Clock
	cluster string

	mu    sync.Mutex
	id    string   // of the open incident; "" for none
	file  *os.File // nil for none
	seq   uint64
	prev  string
	shown string // gist of the last snapshot written
	torn  error  // set when a line may stand half written: nothing may follow it
}

// New makes a journal that keeps its incidents below dir; nothing is written
// before Open or the first Record.
func New(dir string, clock cluster.Clock, clusterName string) *Journal {
	return &Journal{dir: dir, clock: clock, cluster: clusterName}
}

// DefaultDir is where incidents lie by the XDG rules.
func DefaultDir() (string, error) {
	state := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(state) {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("no place for the journal: set XDG_STATE_HOME or HOME: %w", err)
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "chef-backend-cockpit", "incidents"), nil
}

// ID names the open incident; "" when none is open.
func (j *Journal) ID() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.id
}

// Open opens an incident: its folder and record 0 are on disk when it returns.
// It throws away what retention no longer keeps. An open incident stays open.
func (j *Journal) Open() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.open()
}

func (j *Journal) open() error {
	if j.file != nil {
		return nil
	}
	if err := os.MkdirAll(j.dir, 0o700); err != nil {
		return unwritable(err)
	}
	now := j.clock.Now().UTC()
	id := now.Format("20060102T150405Z") + "-" + suffix()
	folder := filepath.Join(j.dir, id)
	if err := os.Mkdir(folder, 0o700); err != nil {
		return unwritable(err)
	}
	file, err := os.OpenFile(filepath.Join(folder, FileName), os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return unwritable(err)
	}
	take(file) // nobody else can have it yet
	j.id, j.file, j.seq, j.prev, j.shown, j.torn = id, file, 0, "", "", nil
	err = j.write(Note, Opening{Format: Format, Incident: id, Cluster: j.cluster}, true)
	if err == nil {
		err = errors.Join(syncDir(folder), syncDir(j.dir))
	}
	if err != nil {
		j.file.Close()
		j.id, j.file = "", nil
		return unwritable(err)
	}
	if err := Prune(j.dir, now, id); err != nil {
		// Old incidents that cannot go are no reason not to write this one.
		return j.write(Note, map[string]string{"text": err.Error()}, false)
	}
	return nil
}

// unwritable says what to do about a journal that cannot be written.
func unwritable(err error) error {
	return fmt.Errorf("the journal cannot be written, so nothing may be carried out: %w; make room or set XDG_STATE_HOME to a folder that can be written", err)
}

// suffix keeps two cockpits apart that open an incident in the same second.
func suffix() string {
	var b [3]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// syncDir makes a new name durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Record appends one record, opening an incident where none is open. Intents,
// confirmations and outcomes are on disk when it returns. A snapshot that says
// nothing new is left out. Secrets in URLs are blotted out. After an error
// nothing was recorded that may be relied on.
func (j *Journal) Record(kind string, data any) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.open(); err != nil {
		return err
	}
	durable := kind == Intent || kind == Confirm || kind == Outcome
	if err := j.write(kind, data, durable); err != nil {
		return unwritable(err)
	}
	return nil
}

// write appends one line. Callers hold the lock.
func (j *Journal) write(kind string, data any, durable bool) error {
	if j.torn != nil {
		return j.torn
	}
	body, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("record %s: %w", kind, err)
	}
	body = redact(body)
	if kind == Snapshot {
		g := gist(body)
		if g == j.shown {
			return nil
		}
		j.shown = g
	}
	r := Record{Seq: j.seq, At: j.clock.Now().UTC(), Kind: kind, Prev: j.prev, Data: body}
	r.Hash = r.sum()
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("record %s: %w", kind, err)
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		// Half a line may stand there: what follows it could not be read.
		j.torn = err
		return err
	}
	j.seq, j.prev = j.seq+1, r.Hash
	if durable {
		// What could not be made durable once may be gone although a later
		// attempt succeeds: the chain could have a hole.
		j.torn = j.file.Sync()
	}
	return j.torn
}

// Close closes the open incident; the next Record opens another one.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	err := errors.Join(j.file.Sync(), j.file.Close())
	j.id, j.file = "", nil
	return err
}

// parse reads one line.
func parse(line []byte) (Record, error) {
	var r Record
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, fmt.Errorf("not a record: %w", err)
	}
	return r, nil
}
