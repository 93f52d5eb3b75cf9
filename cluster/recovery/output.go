package recovery

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

const (
	tailLines = 200
	tailLine  = 8 << 10 // bytes kept of one line
)

// tail keeps the last lines of a command's output, raw; the last one may grow.
type tail struct {
	whole [][]byte
	last  []byte
}

// write appends output.
func (t *tail) write(b []byte) {
	for len(b) > 0 {
		line, rest, ends := bytes.Cut(b, []byte{'\n'})
		if room := tailLine - len(t.last); room > 0 {
			t.last = append(t.last, line[:min(room, len(line))]...)
		}
		if !ends {
			// A progress line is written over itself: only its newest state counts.
			if cr := bytes.LastIndexByte(t.last, '\r'); cr >= 0 && cr < len(t.last)-1 {
				t.last = bytes.Clone(t.last[cr+1:])
			}
			return
		}
		t.whole = append(t.whole, overwritten(t.last))
		t.last = nil
		if len(t.whole) > tailLines {
			t.whole = t.whole[len(t.whole)-tailLines:]
		}
		b = rest
	}
}

// overwritten is what a terminal would show of a line with carriage returns.
func overwritten(line []byte) []byte {
	line = bytes.TrimRight(line, "\r")
	if cr := bytes.LastIndexByte(line, '\r'); cr >= 0 {
		line = line[cr+1:]
	}
	return bytes.Clone(line)
}

// lines are the last lines, safe.
func (t *tail) lines() []string {
	out := make([]string, 0, len(t.whole)+1)
	for _, l := range t.whole {
		out = append(out, remote.Safe(l))
	}
	if len(t.last) > 0 {
		out = append(out, remote.Safe(overwritten(t.last)))
	}
	return out[max(0, len(out)-tailLines):]
}

// raw are the last lines as they came.
func (t *tail) raw() [][]byte {
	out := t.whole[:len(t.whole):len(t.whole)]
	if len(t.last) > 0 {
		out = append(out, overwritten(t.last))
	}
	return out
}

// baseBackup is pg_basebackup's own progress: "22437412/63963136 kB (35%)".
var baseBackup = regexp.MustCompile(`(\d+)/(\d+) kB \((\d+)%\)`)

// progress is the newest progress that the last lines tell; "" for none.
func (t *tail) progress() string {
	near := append(t.whole[max(0, len(t.whole)-5):len(t.whole):len(t.whole)], t.last)
	for i := len(near) - 1; i >= 0; i-- {
		all := baseBackup.FindAllSubmatch(near[i], -1)
		if len(all) == 0 {
			continue
		}
		m := all[len(all)-1]
		done, err1 := strconv.ParseInt(string(m[1]), 10, 64)
		total, err2 := strconv.ParseInt(string(m[2]), 10, 64)
		if err1 != nil || err2 != nil {
			continue
		}
		return fmt.Sprintf("%s of %s, %s %%", cluster.Amount(done*1024), cluster.Amount(total*1024), m[3])
	}
	return ""
}
