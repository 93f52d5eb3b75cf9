package cluster

import (
	"fmt"
	"strconv"
	"strings"
)

// LSN is a position in PostgreSQL's write-ahead log, in bytes. Positions of
// different timelines cannot be subtracted (PostgreSQL manual, "WAL Internals").
type LSN uint64

// SegmentSize is the size of a WAL file in bytes: the stock 16 MiB.
const SegmentSize = 16 << 20

// ParseLSN reads "16F3/2D0A1B28". The empty string is an error.
func ParseLSN(s string) (LSN, error) {
	hi, lo, ok := strings.Cut(s, "/")
	if !ok {
		return 0, fmt.Errorf("not a WAL position: %q", s)
	}
	h, err := strconv.ParseUint(hi, 16, 32)
	if err != nil {
		return 0, fmt.Errorf("not a WAL position: %q", s)
	}
	l, err := strconv.ParseUint(lo, 16, 32)
	if err != nil {
		return 0, fmt.Errorf("not a WAL position: %q", s)
	}
	return LSN(h<<32 | l), nil
}

// String writes the position as PostgreSQL does.
func (l LSN) String() string { return fmt.Sprintf("%X/%X", uint64(l)>>32, uint32(l)) }

// MarshalText writes the position as PostgreSQL does.
func (l LSN) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (l *LSN) UnmarshalText(b []byte) error {
	v, err := ParseLSN(string(b))
	*l = v
	return err
}

// Segment is the number of the WAL file that holds the position, without its
// timeline: the last 16 hex digits of the file's name.
func (l LSN) Segment() string {
	return fmt.Sprintf("%08X%08X", uint64(l)>>32, uint32(l)/SegmentSize)
}

// SegmentNumber is what may be compared between WAL file names of different
// timelines: the last 16 of 24 hex digits. ok is false for anything else:
// .partial, .history, .backup, foreign files.
func SegmentNumber(file string) (digits string, ok bool) {
	if len(file) != 24 || strings.Trim(file, "0123456789ABCDEF") != "" {
		return "", false
	}
	return file[8:], true
}

// History is one NNNNNNNN.history file: where each ancestor of Timeline was
// left. Timeline 1 has no such file.
type History struct {
	Timeline uint32   `json:"timeline"`
	Switches []Switch `json:"switches"` // oldest first
}

// Switch says that timeline Parent was left at position At.
type Switch struct {
	Parent uint32 `json:"parent"`
	At     LSN    `json:"at"`
}
