package logs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// maxAnswer bounds one answer of follow.sh: what was asked for is far less.
const maxAnswer = 4 << 20

// partKinds are the commands of follow.sh.
var partKinds = []string{"stat", "read", "unpack", "unpacked"}

// part is one part of an answer: the output of one command.
type part struct {
	kind string // one of partKinds
	data []byte // valid until the next answer
}

// answers reads what follow.sh writes. Between two marks everything is data,
// whatever it holds: only the session knows its mark.
type answers struct {
	r      io.Reader
	mark   []byte // "\n<mark> "
	buf    []byte
	heard  func() // called at every sign of life
	filled int    // bytes of buf that are filled
	used   int    // bytes of buf that the last answer took
}

func newAnswers(r io.Reader, mark string, heard func()) *answers {
	return &answers{r: r, mark: []byte("\n" + mark + " "), buf: make([]byte, 64<<10), heard: heard}
}

// ready waits for the first mark; what a login shell wrote before is dropped.
func (a *answers) ready() error {
	_, err := a.until("ready")
	return err
}

// next waits for the whole answer to a request.
func (a *answers) next(number int) ([]part, error) {
	return a.until("end " + strconv.Itoa(number))
}

func (a *answers) until(last string) ([]part, error) {
	a.filled = copy(a.buf, a.buf[a.used:a.filled])
	a.used = 0
	var parts []part
	at := -1 // where the data of the open part begins; -1: before the first mark
	for from := 0; ; {
		mark, head, end := a.header(from)
		if end < 0 {
			if at < 0 && mark > 0 { // noise
				a.filled = copy(a.buf, a.buf[mark:a.filled])
				mark = 0
			}
			if err := a.fill(); err != nil {
				return nil, err
			}
			from = mark
			continue
		}
		if at >= 0 {
			parts[len(parts)-1].data = a.buf[at:mark]
		}
		if head == last {
			a.used = end
			return parts, nil
		}
		if !slices.Contains(partKinds, head) {
			return nil, fmt.Errorf("the log reader answered out of turn")
		}
		parts = append(parts, part{kind: head})
		at, from = end, end
	}
}

// header looks for a mark at or after from: where it begins, the words after
// it, and where its line ends; end is -1 without one, and begin then is where
// one may still begin.
func (a *answers) header(from int) (begin int, head string, end int) {
	b := a.buf[from:a.filled]
	i := bytes.Index(b, a.mark)
	if i < 0 {
		return max(from, a.filled-len(a.mark)+1), "", -1
	}
	rest := b[i+len(a.mark):]
	j := bytes.IndexByte(rest, '\n')
	if j < 0 {
		return from + i, "", -1
	}
	return from + i, string(rest[:j]), from + i + len(a.mark) + j + 1
}

// fill reads more into the buffer.
func (a *answers) fill() error {
	if a.filled == len(a.buf) {
		if len(a.buf) >= maxAnswer {
			return errors.New("the log reader's answer is too long")
		}
		a.buf = append(a.buf, make([]byte, len(a.buf))...)
	}
	n, err := a.r.Read(a.buf[a.filled:])
	a.filled += n
	if n > 0 {
		a.heard()
		return nil
	}
	if err == nil {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return errors.New("the log reader ended")
	}
	return err
}

// parseStat reads "inode:size:mtime:name" lines, or those of `ls -nid`
// ("inode mode links uid gid size month day time name"). Lines that are neither
// are passed over.
func parseStat(b []byte) []file {
	var files []file
	for len(b) > 0 {
		var line []byte
		line, b, _ = bytes.Cut(b, []byte{'\n'})
		if f, ok := parseStatLine(line); ok {
			files = append(files, f)
		}
	}
	return files
}

func parseStatLine(line []byte) (file, bool) {
	var id, size, name string
	if w := bytes.SplitN(line, []byte{':'}, 4); len(w) == 4 {
		id, size, name = string(w[0]), string(w[1]), string(w[3])
	} else if w := bytes.Fields(line); len(w) == 10 {
		id, size, name = string(w[0]), string(w[5]), string(w[9])
	}
	i, err1 := strconv.ParseUint(id, 10, 64)
	n, err2 := strconv.ParseInt(size, 10, 64)
	if err1 != nil || err2 != nil || n < 0 || i == 0 {
		return file{}, false
	}
	return file{name: name, id: i, size: n, sure: n}, true
}

// rotatedName tells whether a name in a log folder is one that svlogd gives:
// nothing else may come back into a request.
func rotatedName(base string) bool {
	if len(base) != 27 || base[0] != '@' || base[25] != '.' || base[26] != 's' && base[26] != 'u' {
		return false
	}
	for _, c := range []byte(base[1:25]) {
		if _, ok := hexDigit(c); !ok {
			return false
		}
	}
	return true
}
