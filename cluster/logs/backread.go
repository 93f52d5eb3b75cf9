package logs

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

const (
	// backChunk is how much of a plain file is read at once, backChunkPacked of
	// a packed one: the node unpacks all that lies before it, every time.
	backChunk       = 64 << 10
	backChunkPacked = 1 << 20
)

// backStream reads one log from a place towards its beginning. It belongs to
// whoever holds past.reading.
type backStream struct {
	l        *Logs
	index    int
	follower *follower
	name     streamName

	at      span // everything before it is still to be read
	begun   bool // there is such a place
	ended   bool // nothing older is left
	trouble string
	files   []file // as listed in this call; nil: not yet
	packed  bool
	batch   batch // read and not placed, the newest last
	ceiling int64 // the key of what was read last: none may be greater
	// Of a line that is longer than a piece and whose start was not found yet:
	within bool
	tail   []byte // its newest known bytes, from the first one on, up to maxRaw
	lost   int64  // those after tail
}

func (s *backStream) last() entry { return s.batch.entries[len(s.batch.entries)-1] }

// backReader reads for one call, over one channel per node.
type backReader struct {
	l       *Logs
	streams []*backStream
	query   Query
	test    *test
	guard   uint64 // the newest line that is being read and matches; 0 for none
	sources map[string]*backSource
	mu      sync.Mutex
	read    uint64
}

// fill sees to it that every stream with older lines has one at hand. Nodes are
// asked side by side.
func (r *backReader) fill(ctx context.Context) {
	byNode := map[string][]*backStream{}
	for _, s := range r.streams {
		if len(s.batch.entries) == 0 && s.begun && !s.ended && s.trouble == "" {
			byNode[s.name.node] = append(byNode[s.name.node], s)
		}
	}
	var all sync.WaitGroup
	for node, streams := range byNode {
		all.Go(func() {
			defer remote.Guard()
			src, err := r.source(ctx, node, streams[0].follower.host)
			for _, s := range streams {
				for err == nil && len(s.batch.entries) == 0 && !s.ended {
					err = s.more(src)
				}
				if err != nil {
					s.trouble = unreadable(node, err)
				}
			}
		})
	}
	all.Wait()
}

// backSource is the channel to one node.
type backSource struct {
	session remote.Session
	out     *answers
	asked   int
	r       *backReader
	stop    func() bool
}

func (r *backReader) source(ctx context.Context, node string, h remote.Host) (*backSource, error) {
	r.mu.Lock()
	src := r.sources[node]
	r.mu.Unlock()
	if src != nil {
		return src, nil
	}
	if h == nil {
		return nil, errors.New("the node has no host")
	}
	opening, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	s, err := h.Start(opening, remote.Script{Name: "chef-backend-cockpit-read-back", Text: assets.MustRead("scripts/follow.sh")})
	if err != nil {
		return nil, err
	}
	mark := rand.Text()
	src = &backSource{session: s, out: newAnswers(s.Stdout(), mark, func() {}), r: r}
	src.stop = context.AfterFunc(ctx, func() { s.Close() })
	r.mu.Lock()
	if r.sources == nil {
		r.sources = map[string]*backSource{}
	}
	r.sources[node] = src
	r.mu.Unlock()
	if _, err := s.Stdin().Write([]byte(mark + "\n")); err != nil {
		return nil, err
	}
	return src, src.out.ready()
}

// close ends all channels; the readers on the nodes end with them.
func (r *backReader) close() {
	for _, src := range r.sources {
		src.stop()
		src.session.Close()
	}
}

// ask sends one request and gives its parts; they are valid until the next.
func (src *backSource) ask(commands string) ([]part, error) {
	src.asked++
	if _, err := src.session.Stdin().Write([]byte(strconv.Itoa(src.asked) + ";" + commands + "\n")); err != nil {
		return nil, fmt.Errorf("the log reader takes no request: %w", err)
	}
	parts, err := src.out.next(src.asked)
	if err == nil && len(parts) != strings.Count(commands, ";")+1 {
		err = errors.New("the log reader's answer has parts missing")
	}
	return parts, err
}

// more reads the next older piece of the log.
func (s *backStream) more(src *backSource) error {
	if s.files == nil {
		if err := s.list(src); err != nil {
			return err
		}
	}
	i := s.here()
	switch {
	case i >= 0 && s.files[i].id != s.at.id: // packed meanwhile
		return s.open(src, s.files[i], s.at.offset)
	case i < 0: // deleted meanwhile, and with it all that was older
		s.begin()
		return nil
	case s.at.offset == 0 && i == 0:
		s.begin()
		return nil
	case s.at.offset == 0:
		return s.open(src, s.files[i-1], math.MaxInt64)
	}
	return s.piece(src, s.files[i])
}

// here is the file in which the place lies; -1 when it is gone. Where the name
// is known it decides: the identity of a deleted file serves again, and a file
// that was packed has another.
func (s *backStream) here() int {
	i := slices.IndexFunc(s.files, func(f file) bool {
		return f.id == s.at.id && (s.at.base == "" || bare(f) == s.at.base)
	})
	if i < 0 && s.at.base != "" {
		i = slices.IndexFunc(s.files, func(f file) bool { return bare(f) == s.at.base })
	}
	if i >= 0 && s.files[i].rotated() {
		s.at.base = bare(s.files[i])
	}
	return i
}

// begin marks where the log begins.
func (s *backStream) begin() {
	s.ended = true
	s.say(cluster.LineBegin, cluster.LevelNone, "the log of "+s.name.service+" on "+s.name.node+" begins here")
}

// say places a line of our own before those that were read.
func (s *backStream) say(kind cluster.LineKind, level cluster.Level, text string) {
	s.batch.reset()
	s.batch.text = append(s.batch.text, text...)
	s.batch.entries = append(s.batch.entries, entry{key: s.ceiling, sign: -1, kind: kind, level: level, length: len(text)})
}

// list asks which files there are.
func (s *backStream) list(src *backSource) error {
	folder := s.at.folder
	parts, err := src.ask("stat " + folder + "/@* " + folder + "/current")
	if err != nil {
		return err
	}
	s.files = []file{}
	for _, f := range parseStat(parts[0].data) {
		base, inside := strings.CutPrefix(f.name, folder+"/")
		if inside && (base == "current" || rotatedName(strings.TrimSuffix(base, ".gz"))) {
			s.files = append(s.files, f)
		}
	}
	slices.SortStableFunc(s.files, func(a, b file) int { return strings.Compare(order(a), order(b)) })
	// A file may lie beside its packed self for as long as packing takes.
	s.files = slices.CompactFunc(s.files, func(a, b file) bool { return bare(a) == bare(b) })
	return nil
}

// bare is the name of a rotated file without its endings.
func bare(f file) string {
	return strings.TrimSuffix(f.name, ".gz")[:len(strings.TrimSuffix(f.name, ".gz"))-1]
}

// order sorts by time, current last, the plain file before the packed one.
func order(f file) string {
	if strings.HasSuffix(f.name, "/current") {
		return "~"
	}
	return bare(f) + strconv.Itoa(len(f.name))
}

// open goes to a place in another file, its end at most, and finds out whether
// it is packed: svlogd's own processors leave the name as it is. The place moves
// once all is known: a broken off call is made again.
func (s *backStream) open(src *backSource, f file, upTo int64) error {
	parts, err := src.ask("read " + f.name + " 0 1")
	if err != nil {
		return err
	}
	if len(parts[0].data) == 0 && f.size > 0 {
		return fmt.Errorf("%s cannot be read", f.name)
	}
	size, damaged := f.size, false
	packed := bytes.HasPrefix(parts[0].data, []byte{0x1f, 0x8b})
	if packed {
		if parts, err = src.ask("unpacked " + f.name); err != nil {
			return err
		}
		var number []byte
		number, damaged = bytes.CutPrefix(parts[0].data, []byte("damaged\n"))
		if size, err = strconv.ParseInt(strings.TrimSpace(string(number)), 10, 64); err != nil {
			return fmt.Errorf("%s cannot be unpacked", f.name)
		}
	}
	s.packed = packed
	s.at.id, s.at.base, s.at.offset = f.id, bare(f), min(upTo, size)
	if damaged && upTo > size {
		s.damaged(f, size)
	}
	return nil
}

// damaged marks what a packed file holds and does not give; what is older is
// read on.
func (s *backStream) damaged(f file, size int64) {
	text := path.Base(f.name) + " cannot be unpacked: it is damaged, or the node has no gzip"
	if size > 0 {
		text = path.Base(f.name) + " is damaged: only its first " + strconv.FormatInt(size, 10) + " bytes can be unpacked"
	}
	s.say(cluster.LineGap, cluster.LevelWarning, text)
}

// piece reads what stands before the place, as far as it is whole lines.
func (s *backStream) piece(src *backSource, f file) error {
	chunk, command := int64(backChunk), "read"
	if s.packed {
		chunk, command = backChunkPacked, "unpack"
	}
	from := max(0, s.at.offset-chunk) / blockSize * blockSize
	skip, count := from/blockSize, (s.at.offset-from+blockSize-1)/blockSize
	if s.packed {
		skip, count = from, s.at.offset-from
	}
	parts, err := src.ask(fmt.Sprintf("%s %s %d %d;stat %s", command, f.name, skip, count, f.name))
	if err != nil {
		return err
	}
	now := parseStat(parts[1].data)
	if len(now) != 1 || now[0].id != f.id {
		s.files = nil // rotated or packed meanwhile
		if s.packed {
			return fmt.Errorf("%s was replaced while it was read", f.name)
		}
		return s.list(src)
	}
	data := parts[0].data
	src.r.mu.Lock()
	src.r.read += uint64(len(data))
	src.r.mu.Unlock()
	if int64(len(data)) < s.at.offset-from {
		return fmt.Errorf("%s cannot be read", f.name)
	}
	s.cut(data[:s.at.offset-from], from)
	return nil
}

// cut makes lines of a piece that begins at that place of its file. A line that
// began before it is left to the next piece; of one that is longer than a piece
// the start is kept.
func (s *backStream) cut(data []byte, from int64) {
	if from > 0 {
		i := bytes.IndexByte(data, '\n') + 1
		if i == 0 || i == len(data) && !s.within {
			s.extend(bytes.TrimSuffix(data, []byte{'\n'}))
			s.at.offset = from
			return
		}
		data, from = data[i:], from+int64(i)
	}
	in := newStream(s.index, s.name.node, s.name.service, s.l.matcher)
	in.now, in.ahead = s.l.o.Clock.Now().UnixNano(), int64(s.l.o.Offset(s.name.node))
	in.take(data)
	if s.within {
		in.keep(s.tail)
		in.lost += s.lost
		s.within, s.tail, s.lost = false, nil, 0
	}
	in.flush()
	s.at.offset = from
	s.batch = in.batch
	s.order()
}

// extend puts bytes before those known of a long line.
func (s *backStream) extend(data []byte) {
	s.within = true
	all := slices.Concat(data, s.tail)
	s.tail = all[:min(len(all), maxRaw)]
	s.lost += int64(len(all) - len(s.tail))
}

// order makes the keys of a piece fall towards its start, and none greater than
// those read before: a stream's own order is kept.
func (s *backStream) order() {
	for i := len(s.batch.entries) - 1; i >= 0; i-- {
		e := &s.batch.entries[i]
		if e.stamp == 0 && i+1 < len(s.batch.entries) {
			e.key = s.ceiling // a line without a stamp stands with the one after it
		}
		e.key = min(e.key, s.ceiling)
		s.ceiling = e.key
	}
}
