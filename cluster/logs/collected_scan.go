package logs

import (
	"bytes"
	"io"
)

// scanBuffer is how much of a file is looked at in one go; scanLine is how much
// of one line is. A longer line is looked at as far as that, the rest is passed
// over.
const (
	scanBuffer = 1 << 20
	scanLine   = 64 << 10
)

// scan looks for signs in one log, whole lines at a time.
func (c *collector) scan(at place, r io.Reader) error {
	c.out.Files++
	c.nodes = append(c.nodes, at.node)
	held := 0        // bytes of an unfinished line at the start of the buffer
	passing := false // the rest of a line that was too long is passed over
	for {
		n, err := io.ReadFull(r, c.buf[held:])
		c.out.Bytes += uint64(n)
		end := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !end {
			return err
		}
		b := c.buf[:held+n]
		if passing {
			i := bytes.IndexByte(b, '\n')
			if i < 0 {
				if held = 0; end {
					return nil
				}
				continue
			}
			b, passing = b[i+1:], false
		}
		whole := bytes.LastIndexByte(b, '\n') + 1
		c.lines(at, b[:whole])
		rest := b[whole:]
		if end {
			if len(rest) > 0 {
				c.lines(at, rest)
			}
			return nil
		}
		if len(rest) > scanLine {
			c.lines(at, rest[:scanLine])
			held, passing = 0, true
			continue
		}
		held = copy(c.buf, rest)
	}
}

// lines counts whole lines and asks those that may have a sign.
func (c *collector) lines(at place, b []byte) {
	if len(b) == 0 {
		return
	}
	c.out.Lines += uint64(bytes.Count(b, []byte{'\n'}))
	if b[len(b)-1] != '\n' {
		c.out.Lines++
	}
	for from := 0; from < len(b); {
		hit := c.m.Next(b, from)
		if hit > len(b) {
			return
		}
		start := from + bytes.LastIndexByte(b[from:hit], '\n') + 1
		end := len(b)
		if i := bytes.IndexByte(b[hit:], '\n'); i >= 0 {
			end = hit + i
		}
		c.line(at, b[start:end])
		from = end + 1
	}
}

// line asks one line for all its signs.
func (c *collector) line(at place, raw []byte) {
	raw = raw[:min(len(raw), scanLine)]
	stamp, text, _ := ParseLine(at.service, bytes.TrimSuffix(raw, []byte{'\r'}))
	c.matches = c.m.AppendMatches(c.matches[:0], at.service, text)
	for _, sign := range c.matches {
		c.saw(at, sign, stamp, text)
	}
}
