package remote

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// Safe turns foreign bytes into text that may be shown, stored and compared.
// It is the only way from a host's bytes to a string in any value.
//
// Printable runes stay. A tab becomes spaces up to the next multiple of eight
// columns. All else becomes a visible mark of plain ASCII: C0 controls and DEL
// as ^X (ESC is ^[, a line feed ^J, a carriage return ^M), bytes that are no
// UTF-8 as <9B>, and runes that a terminal obeys, hides, reorders or gives no
// column of their own (C1 controls, bidi, zero width, combining, private and
// unassigned ones, U+2028, U+2029) as <U+202E>.
//
// The result never holds a line feed or an escape, each rune in it stands for
// itself, and Safe of it changes nothing. A line should be complete: a rune
// torn between two reads is marked byte by byte.
func Safe(b []byte) string {
	if clean(b) {
		return string(b)
	}
	return string(AppendSafe(make([]byte, 0, len(b)+16), b))
}

// SafeLines splits b after each line feed, takes a carriage return before it
// as part of the line's end, and gives Safe of every line. A last line without
// a line feed counts; an empty b has no lines.
func SafeLines(b []byte) []string {
	var lines []string
	for len(b) > 0 {
		line, rest, found := bytes.Cut(b, []byte{'\n'})
		if found {
			line = bytes.TrimSuffix(line, []byte{'\r'})
		}
		lines = append(lines, Safe(line))
		b = rest
	}
	return lines
}

// AppendSafe appends Safe(b) to dst. Clean ASCII is copied without any
// allocation when dst has room.
func AppendSafe(dst, b []byte) []byte {
	if clean(b) {
		return append(dst, b...)
	}
	column := 0
	for len(b) > 0 {
		before, r, size := len(dst), rune(b[0]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(b)
		}
		switch {
		case r >= ' ' && r < 0x7f:
			dst = append(dst, byte(r))
		case r == '\t':
			for stop := column + 8 - column%8; column < stop; column++ {
				dst = append(dst, ' ')
			}
			before = len(dst)
		case r < ' ' || r == 0x7f:
			dst = append(dst, '^', byte(r)^0x40)
		case r == utf8.RuneError && size == 1:
			dst = append(dst, '<', hex[b[0]>>4], hex[b[0]&15], '>')
		case showable(r):
			dst = append(dst, b[:size]...)
			before = len(dst) - 1 // one column, whatever its bytes
		default:
			dst = appendRuneMark(dst, r)
		}
		column += len(dst) - before
		b = b[size:]
	}
	return dst
}

const hex = "0123456789ABCDEF"

// clean tells whether b is printable ASCII alone. Eight bytes at a time: this
// runs over every byte of every log line.
func clean(b []byte) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	for len(b) >= 8 {
		w := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		del := w ^ ones*0x7f // a zero byte where w holds DEL
		// Borrowing makes some of these bits wrong only above a byte that is
		// right to be marked, so the whole word's answer stays exact.
		if (w|(w-ones*' ')|(del-ones))&high != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// showable tells whether a terminal gives r a place of its own and does
// nothing else with it.
func showable(r rune) bool {
	switch {
	case !unicode.IsPrint(r), unicode.Is(unicode.M, r), unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r):
		return false
	case r >= 0x1160 && r <= 0x11ff, r >= 0xd7b0 && r <= 0xd7ff: // Hangul parts that join their neighbour
		return false
	case r >= 0x1f1e6 && r <= 0x1f1ff, r >= 0x1f3fb && r <= 0x1f3ff: // flags and skin tones join theirs
		return false
	case r == utf8.RuneError: // the replacement says only that something was lost elsewhere
		return true
	}
	return true
}

func appendRuneMark(dst []byte, r rune) []byte {
	dst = append(dst, "<U+"...)
	digits := 4
	for digits < 6 && r>>(4*digits) != 0 {
		digits++
	}
	for digits--; digits >= 0; digits-- {
		dst = append(dst, hex[(r>>(4*digits))&15])
	}
	return append(dst, '>')
}
