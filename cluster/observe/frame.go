package observe

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// A frame is one look as probe.sh prints it. Only complete lines that carry
// the look's own nonce are markers, so nothing that a node says can pass for
// one, and noise before the frame is skipped.
type frame struct {
	nonce    string
	kind     string
	sections map[string]section
	done     bool // the last marker came: nothing is missing at the end
}

// section is one part of a look.
type section struct {
	body  []byte // raw
	exit  int
	took  time.Duration // by the node's uptime; 0 when it has none
	ended bool          // false: cut off, by a limit or by the end of the answer
}

const frameVersion = "1"

// parseFrame finds the first frame in raw; nonce "" takes any. ok is false when
// no frame begins in raw.
func parseFrame(raw []byte, nonce string) (f frame, ok bool) {
	for rest := raw; len(rest) > 0; {
		line, tail, found := bytes.Cut(rest, []byte("\n"))
		if n, kind, is := firstMarker(line); is && found && (nonce == "" || n == nonce) {
			f = frame{nonce: n, kind: kind, sections: map[string]section{}}
			f.read(tail)
			return f, true
		}
		rest = tail
	}
	return frame{}, false
}

// firstMarker reads "@@NONCE look 1 KIND".
func firstMarker(line []byte) (nonce, kind string, ok bool) {
	if len(line) > 128 || !bytes.HasPrefix(line, []byte("@@")) {
		return "", "", false
	}
	words := strings.Fields(string(line[2:]))
	if len(words) != 4 || !isNonce(words[0]) || words[1] != "look" || words[2] != frameVersion {
		return "", "", false
	}
	return words[0], words[3], true
}

// isNonce keeps a nonce short and plain; it is compared, never shown.
func isNonce(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' {
			return false
		}
	}
	return true
}

// read takes the sections out of what follows the frame's first marker.
func (f *frame) read(b []byte) {
	marker := []byte("@@" + f.nonce + " ")
	var name string
	var cur section
	var began float64
	keep := func() {
		if _, twice := f.sections[name]; name != "" && !twice {
			f.sections[name] = cur
		}
		name, cur = "", section{}
	}
	for len(b) > 0 {
		text, words, tail := nextMarker(b, marker)
		if name != "" {
			cur.body = text
		}
		switch {
		case len(words) == 3 && words[0] == "begin":
			keep()
			name, began = words[1], uptimeSeconds(words[2])
		case len(words) == 4 && words[0] == "end" && words[1] == name:
			exit, err := strconv.Atoi(words[2])
			cur.exit, cur.ended = exit, err == nil
			if end := uptimeSeconds(words[3]); began > 0 && end >= began {
				cur.took = time.Duration((end - began) * float64(time.Second))
			}
			keep()
		case len(words) == 1 && words[0] == "done":
			keep()
			f.done = true
			return
		}
		b = tail
	}
	keep()
}

// nextMarker splits b at its first marker line: the text before it without the
// line feed that the marker brought along, the marker's words, and what
// follows. Without a marker all is text.
func nextMarker(b, marker []byte) (text []byte, words []string, tail []byte) {
	at := 0
	if !bytes.HasPrefix(b, marker) {
		i := bytes.Index(b, append([]byte("\n"), marker...))
		if i < 0 {
			return b, nil, nil
		}
		at = i + 1
	}
	line, tail, found := bytes.Cut(b[at:], []byte("\n"))
	if !found {
		return b[:max(at-1, 0)], nil, nil // half a marker says nothing
	}
	for _, w := range bytes.Fields(line[len(marker):]) {
		words = append(words, string(w))
	}
	return b[:max(at-1, 0)], words, tail
}

func uptimeSeconds(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v != v || v < 0 || v > 1e10 {
		return 0
	}
	return v
}
