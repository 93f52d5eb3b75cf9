package logs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// keepEvery is how often positions are written at most, by the injected clock.
const keepEvery = 2 * time.Second

// keptFormat is the version of the file.
const keptFormat = 1

// kept is what outlives the cockpit: how far every log was shown, and which
// signs were recognised on the way. A log is known again by the inode and the
// name of its file and by the last bytes before the position, whose stamps are
// as good as unique; a device number would change with every restored disk.
type kept struct {
	Format  int                `json:"format"`
	Streams []position         `json:"streams"`
	Signs   []cluster.SignSeen `json:"signs"`
}

// position is where another cockpit goes on in one log: after the last whole
// line that was shown.
type position struct {
	Node    string     `json:"node"`
	Service string     `json:"service"`
	Folder  string     `json:"folder"`
	Files   []keptFile `json:"files"` // still to be read, oldest first
	Offset  int64      `json:"offset"`
	Proof   []byte     `json:"proof"` // the last bytes before Offset
	After   string     `json:"after"`
	Before  string     `json:"before"`
	Stamp   int64      `json:"stamp"` // of the last line; 0 for none
}

type keptFile struct {
	Name  string `json:"name"`
	Inode uint64 `json:"inode"` // 0: it is gone, and Sure is missing
	Size  int64  `json:"size"`
	Sure  int64  `json:"sure"`
}

// position is how far the log was read in whole lines.
func (g *log) position() position {
	p := position{
		Node: g.node, Service: g.service, Folder: g.folder, Offset: g.mark.offset, Proof: slices.Clone(g.mark.proof),
		After: g.after, Before: g.before, Stamp: g.last,
	}
	for _, f := range slices.Concat(g.mark.files, g.chain) {
		p.Files = append(p.Files, keptFile{f.name, f.id, f.size, f.sure})
	}
	return p
}

// goOnFrom takes a position of an earlier cockpit.
func (g *log) goOnFrom(p position) {
	c := cursor{started: true, offset: p.Offset, proof: p.Proof, after: p.After, before: p.Before}
	for _, f := range p.Files {
		c.chain = append(c.chain, file{f.Name, f.Inode, f.Size, f.Sure})
	}
	c.mark = mark{set: true, offset: p.Offset, proof: slices.Clone(p.Proof)}
	g.cursor, g.folder, g.last = c, p.Folder, p.Stamp
	if len(c.chain) > 0 {
		g.from(c.chain[0], p.Offset)
	}
}

var versionName = regexp.MustCompile(`^/[0-9]+(\.[0-9]+)?$`)

// sound tells whether a position can be of this log: what it names comes back
// into requests.
func (p position) sound(root string) bool {
	below, ok := strings.CutPrefix(p.Folder, root+"/"+p.Service)
	if !ok || below != "" && !(p.Service == "postgresql" && versionName.MatchString(below)) || p.Offset < 0 || len(p.Proof) > proofBytes {
		return false
	}
	for i, f := range p.Files {
		base, ok := strings.CutPrefix(f.Name, p.Folder+"/")
		if !ok || !rotatedName(base) && !(base == "current" && (i == len(p.Files)-1 || f.Inode == 0)) || f.Size < 0 || f.Sure < 0 {
			return false
		}
	}
	return len(p.Files) > 0 || p.Offset == 0
}

// recall goes on where an earlier cockpit was, as far as that is known. What is
// wrong with the file is told by Kept; the logs are then begun anew.
func (l *Logs) recall() {
	text, err := os.ReadFile(l.o.Keep)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var k kept
	if err == nil {
		err = json.Unmarshal(text, &k)
	}
	if err == nil && k.Format != keptFormat {
		err = fmt.Errorf("format %d, this cockpit knows %d", k.Format, keptFormat)
	}
	if err != nil {
		l.keepErr = fmt.Errorf("how far logs were read before: %w", err)
		return
	}
	for _, f := range l.followers {
		for _, g := range f.logs {
			for _, p := range k.Streams {
				if p.Node == g.node && p.Service == g.service && p.sound(l.o.Folder) {
					g.goOnFrom(p)
					l.noteSpans(g.stream)
					g.batch.reset()
					l.positions[g.index] = p
				}
			}
		}
	}
	for _, s := range k.Signs {
		sign := slices.IndexFunc(l.matcher.signs, func(of cluster.Sign) bool { return of.Name == s.Sign })
		stream := slices.Index(l.store.names, streamName{s.Node, s.Service})
		if sign >= 0 && stream >= 0 && l.positions[stream].Node != "" {
			s.Example = remote.Safe([]byte(s.Example))
			l.signs[signKey{sign, stream}] = &s
		}
	}
}

// Kept tells why positions could not be read or written; nil while they can.
func (l *Logs) Kept() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.keepErr
}

// keep writes, now and then, what was placed. A snapshot waits until all lines
// that it covers have been placed: a cockpit that is killed shows the others
// again rather than never.
func (l *Logs) keep(ctx context.Context) {
	var next *kept
	var at int64
	var written string
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.o.Clock.After(keepEvery):
		}
		l.mu.Lock()
		if next == nil {
			next, at = l.snapshot(), l.o.Clock.Now().UnixNano()
		}
		covered := !l.merge.waits(at)
		l.mu.Unlock()
		if covered {
			written = l.write(next, written)
			next = nil
		}
	}
}

// snapshot is what could be kept now. The caller holds the lock.
func (l *Logs) snapshot() *kept {
	k := &kept{Format: keptFormat, Signs: l.seen()}
	for _, p := range l.positions {
		if p.Node != "" {
			k.Streams = append(k.Streams, p)
		}
	}
	return k
}

// write keeps k unless it is what was written last. It returns what is written
// now.
func (l *Logs) write(k *kept, last string) string {
	text, err := json.Marshal(k)
	if err == nil && string(text) == last {
		return last
	}
	if err == nil {
		err = replace(l.o.Keep, text)
	}
	l.mu.Lock()
	told := l.keepErr
	if l.keepErr = nil; err != nil {
		l.keepErr = fmt.Errorf("how far logs were read: %w", err)
	}
	l.mu.Unlock()
	if (told == nil) != (err == nil) {
		l.o.Changed()
	}
	if err != nil {
		return last
	}
	return string(text)
}

// replace renames a whole file into place.
func replace(path string, text []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".positions-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already when all went well
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
