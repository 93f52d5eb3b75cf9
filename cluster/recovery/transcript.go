package recovery

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// Bounds of what the journal keeps of one step's output.
const (
	keptOutput = 16 << 20 // bytes of one step; what is more is counted
	keptLine   = 64 << 10 // a line that grows beyond it is written in parts
)

// transcript writes a step's output to the journal: whole lines, so that
// nothing to blot out is torn apart, made safe and bounded.
type transcript struct {
	r       *run
	i       int
	piece   piece // without its lines
	offset  int64 // where pending begins
	pending []byte
	from    int64 // what stands before it is in the journal already
	kept    int64
	dropped int64
	hidden  bool // nothing of this command's output may be kept
	inKey   bool // what is written now is of a private key
}

// piece is what the journal keeps of a command's output, made safe.
type piece struct {
	Plan   string   `json:"plan"`
	Step   string   `json:"step"`
	Node   string   `json:"node"`
	Offset int64    `json:"offset"`
	Bytes  int64    `json:"bytes"`
	Lines  []string `json:"lines"`
}

// transcript is for the output of a step, under the name of its folder.
func (r *run) transcript(i int, s cluster.PlanStep, folder string) *transcript {
	return &transcript{r: r, i: i, piece: piece{Plan: r.plan.ID, Step: folder, Node: s.Node},
		hidden: strings.Contains(s.Command, "gen-server-config")} // it prints the database's password
}

// write takes output that ends at an offset.
func (t *transcript) write(data []byte, end int64) {
	if end <= t.from {
		return
	}
	data = data[max(0, int64(len(data))-(end-t.from)):]
	if room := keptOutput - t.kept; int64(len(data)) > room {
		t.dropped += int64(len(data)) - room
		data = data[:room]
	}
	if len(t.pending) == 0 {
		t.offset = end - int64(len(data))
	}
	t.kept += int64(len(data))
	t.pending = append(t.pending, data...)
}

// wholeLines writes the lines that are complete.
func (t *transcript) wholeLines() {
	n := bytes.LastIndexByte(t.pending, '\n') + 1
	if n == 0 && len(t.pending) > keptLine {
		n = len(t.pending)
	}
	t.put(n)
}

// flush writes all there is, and how much was left out.
func (t *transcript) flush() {
	t.put(len(t.pending))
	if t.dropped > 0 {
		t.record([]string{fmt.Sprintf("(%d bytes more were not kept)", t.dropped)}, t.dropped)
		t.dropped = 0
	}
}

func (t *transcript) put(n int) {
	if n == 0 {
		return
	}
	lines := []string{fmt.Sprintf("(%d bytes not kept: they may hold passwords)", n)}
	if !t.hidden {
		lines = remote.SafeLines(t.keyless(secretless(t.pending[:n])))
	}
	t.record(lines, int64(n))
	t.pending = append(t.pending[:0], t.pending[n:]...)
	t.offset += int64(n)
}

func (t *transcript) record(lines []string, n int64) {
	p := t.piece
	p.Offset, p.Bytes, p.Lines = t.offset, n, lines
	if err := t.r.x.o.Recorder.Record("output", p); err != nil {
		t.r.step(t.i, func(st *cluster.StepState) {
			st.Sentence = "the output could not be written to the journal: " + err.Error()
		})
	}
}

// keyless is output without the lines of private keys.
func (t *transcript) keyless(b []byte) []byte {
	if !t.inKey && !bytes.Contains(b, []byte("PRIVATE KEY-----")) {
		return b
	}
	var out []byte
	for line := range bytes.Lines(b) {
		t.inKey = t.inKey || bytes.Contains(line, []byte("-----BEGIN ")) && bytes.Contains(line, []byte("PRIVATE KEY-----"))
		if !t.inKey {
			out = append(out, line...)
			continue
		}
		out = append(out, "***\n"...)
		t.inKey = !bytes.Contains(line, []byte("-----END "))
	}
	return out
}

// named is a value whose name says that nobody else may read it, in the shapes
// of configuration files and of JSON. One in quotes may hold escaped ones.
var named = regexp.MustCompile(`(?i)([a-z0-9_.-]*(?:passw(?:or)?d|secret|private_key|token)[a-z0-9_.-]*["']?\]?\s*(?:=>|[=:])\s*)("(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.|'')*'?|[^\s,;&]+)`)

// secretless is output without the values of secrets; passwords in URLs and what
// has other shapes are the journal's own care.
func secretless(b []byte) []byte {
	lower := bytes.ToLower(b)
	for _, word := range []string{"passw", "secret", "private_key", "token"} {
		if bytes.Contains(lower, []byte(word)) {
			return named.ReplaceAll(b, []byte("$1***"))
		}
	}
	return b
}
