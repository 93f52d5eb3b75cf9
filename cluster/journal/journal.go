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
	"io/fs"
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
	// Stamp is what stood on every screen of the cluster, such as PROD, or
	// SIMULATION where no node was real; "" for none.
	Stamp string `json:"stamp,omitempty"`
	// Continues names the incident whose journal could not be gone on with; ""
	// for none.
	Continues string `json:"continues,omitempty"`
}

// Named is the cluster's name with its stamp: a report of a simulated incident
// must not be taken for one of a real cluster.
func (o Opening) Named() string {
	if o.Stamp == "" {
		return o.Cluster
	}
	return o.Cluster + ", " + o.Stamp
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
	stamp   string // "" for none

	mu    sync.Mutex
	id    string   // of the open incident; "" for none
	file  *os.File // nil for none
	seq   uint64
	prev  string
	size  int64  // bytes of whole lines
	shown string // gist of the last snapshot written
	torn  error  // set when a line may stand half written: nothing may follow it

	before string // the incident that the next one continues; "" for none
}

// New makes a journal that keeps its incidents below dir; nothing is written
// before Open or the first Record.
func New(dir string, clock cluster.Clock, clusterName string) *Journal {
	return &Journal{dir: dir, clock: clock, cluster: clusterName}
}

// Simulation begins the stamp of every cluster of which no node is real.
const Simulation = "SIMULATION"

// Stamped gives the cluster's stamp to the incidents that are opened after it;
// it is called before the first of them.
func (j *Journal) Stamped(stamp string) *Journal {
	j.stamp = stamp
	return j
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

// open opens an incident where none is open. One whose file may end in half a
// line, or has vanished, is left as it is, and another one continues it.
func (j *Journal) open() error {
	if j.torn != nil {
		j.before = j.id
		j.file.Close() //nolint:errcheck // what it held is told torn already
		j.file, j.torn = nil, nil
	}
	if j.file != nil {
		return nil
	}
	now := j.clock.Now().UTC()
	id := now.Format("20060102T150405Z") + "-" + suffix()
	file, err := create(j.dir, id)
	if err != nil {
		j.id = ""
		return unwritable(err)
	}
	take(file) // nobody else can have it yet
	j.id, j.file, j.seq, j.prev, j.size, j.shown = id, file, 0, "", 0, ""
	err = j.write(Note, Opening{Format: Format, Incident: id, Cluster: j.cluster, Stamp: j.stamp, Continues: j.before}, true)
	if err == nil {
		err = errors.Join(syncDir(filepath.Join(j.dir, id)), syncDir(j.dir))
	}
	if err != nil {
		// A journal without its first record could not be read.
		err = errors.Join(err, j.file.Close(), os.RemoveAll(filepath.Join(j.dir, id)))
		j.id, j.file, j.torn = "", nil, nil
		return unwritable(err)
	}
	j.before = ""
	if err := Prune(j.dir, now, id); err != nil {
		// Old incidents that cannot go are no reason not to write this one.
		return j.write(Note, map[string]string{"text": err.Error()}, false)
	}
	return nil
}

// create makes the folder and the file of an incident, or nothing.
func create(dir, id string) (*os.File, error) {
	if err := makeDir(dir, syncDir); err != nil {
		return nil, err
	}
	folder := filepath.Join(dir, id)
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(folder, FileName), os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return nil, errors.Join(err, os.Remove(folder))
	}
	return file, nil
}

// makeDir makes a folder with those above it, and the new names durable. A folder
// above that may not be read cannot be synced, and is no reason not to act.
func makeDir(dir string, sync func(string) error) error {
	var above []string
	for d := dir; filepath.Dir(d) != d; d = filepath.Dir(d) {
		if _, err := os.Stat(d); err == nil {
			break
		}
		above = append(above, filepath.Dir(d))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, d := range above {
		if err := sync(d); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
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
// nothing new is left out. Secrets are blotted out. After an error
// nothing was recorded that may be relied on; the next record is tried anew, in
// an incident that continues this one where its file cannot be gone on with.
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
	shown := j.shown
	if kind == Snapshot {
		if shown = gist(body); shown == j.shown {
			return nil
		}
	}
	r := Record{Seq: j.seq, At: j.clock.Now().UTC(), Kind: kind, Prev: j.prev, Data: body}
	r.Hash = r.sum()
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("record %s: %w", kind, err)
	}
	if err := j.append(append(line, '\n')); err != nil {
		return err
	}
	j.seq, j.prev, j.shown = j.seq+1, r.Hash, shown
	switch {
	case durable:
		// What could not be made durable once may be gone although a later
		// attempt succeeds: the chain could have a hole.
		if j.torn = j.file.Sync(); j.torn == nil {
			j.torn = j.there()
		}
	case kind != Output: // of which there may be many
		j.torn = j.there()
	}
	return j.torn
}

// append writes a whole line or none: half a one, on a disk that is full, is
// taken back. Where that fails too, nothing may follow it.
func (j *Journal) append(line []byte) error {
	if _, err := j.file.Write(line); err != nil {
		if back := j.file.Truncate(j.size); back != nil {
			j.torn = err
		}
		return err
	}
	j.size += int64(len(line))
	return nil
}

// there answers whether somebody can find what was written: a file that was
// removed, or whose disk has gone, takes bytes for a while.
func (j *Journal) there() error {
	ours, err := j.file.Stat()
	if err != nil {
		return err
	}
	there, err := os.Stat(Path(j.dir, j.id))
	if err != nil {
		return err
	}
	if !os.SameFile(ours, there) {
		return fmt.Errorf("%s is another file by now", Path(j.dir, j.id))
	}
	return nil
}

// Close closes the open incident; the next Record opens another one.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	err := errors.Join(j.file.Sync(), j.file.Close())
	j.id, j.file, j.torn = "", nil, nil
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
