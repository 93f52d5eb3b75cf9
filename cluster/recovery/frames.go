package recovery

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"chef-backend-cockpit/remote"
)

// Bounds of what a node may send: a look, a line of the protocol, one piece of
// a command's output.
const (
	lookLimit  = 8 << 20
	lineLimit  = 64 << 10
	pieceLimit = 1 << 20
)

// frame is one message of step.sh or step-attach.sh.
type frame struct {
	kind   string // ready, refused, started, out, alive, exit, gone, rebooted, absent
	number int64  // of refused and exit: the code; of started: the pid; of out: the offset
	known  bool   // whether number could be read
	word   string // of alive: yes, or unknown
	text   string // of refused, safe
	data   []byte // of out, raw
}

// frames reads the messages of one session; lines that are none are noise.
type frames struct {
	r      *bufio.Reader
	prefix []byte
}

func newFrames(r io.Reader, nonce string) *frames {
	return &frames{r: bufio.NewReaderSize(r, lineLimit), prefix: []byte("cockpit-step:" + nonce + " ")}
}

// ready collects everything up to the frame that says that the look is over.
func (f *frames) ready() ([]byte, error) {
	var look []byte
	for {
		line, err := f.r.ReadSlice('\n')
		if rest, ok := bytes.CutPrefix(line, f.prefix); ok && err == nil {
			fr := parseFrame(rest)
			if fr.kind == "ready" {
				return look, nil
			}
			return nil, fmt.Errorf("the script said %s %s", fr.kind, fr.text)
		}
		look = append(look, line...)
		switch {
		case len(look) > lookLimit:
			return nil, errors.New("the look is longer than 8 MiB")
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("the session ended before the look was complete: %w", err)
		}
	}
}

// next is the next message; an error means that the session ended.
func (f *frames) next() (frame, error) {
	for {
		line, err := f.r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			continue // noise without a line's end
		}
		if err != nil {
			return frame{}, err
		}
		rest, ok := bytes.CutPrefix(line, f.prefix)
		if !ok {
			continue
		}
		fr := parseFrame(rest)
		if fr.kind == "out" {
			return f.piece(fr)
		}
		return fr, nil
	}
}

// piece reads the raw bytes behind an out frame.
func (f *frames) piece(fr frame) (frame, error) {
	n, err := strconv.ParseInt(fr.text, 10, 64)
	if err != nil || n < 0 || n > pieceLimit || !fr.known || fr.number < 0 {
		return frame{}, fmt.Errorf("a piece of output of length %q", fr.text)
	}
	fr.data = make([]byte, n)
	_, err = io.ReadFull(f.r, fr.data)
	return fr, err
}

// parseFrame reads "KIND NUMBER TEXT".
func parseFrame(line []byte) frame {
	words := strings.SplitN(remote.Safe(bytes.TrimRight(line, "\r\n")), " ", 3)
	f := frame{kind: words[0]}
	if len(words) > 1 {
		n, err := strconv.ParseInt(words[1], 10, 64)
		f.number, f.known, f.word = n, err == nil, words[1]
	}
	if len(words) > 2 {
		f.text = words[2]
	}
	return f
}
