package machine

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

var errIsDir = syscall.EISDIR

var classes = map[string][2]byte{"[:upper:]": {'A', 'Z'}, "[:lower:]": {'a', 'z'}, "[:digit:]": {'0', '9'}}

var escapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', '\\': '\\', '0': 0, 'a': 7, 'f': '\f', 'v': '\v', 'b': '\b'}

// set is a set of bytes as tr takes it: a-z, \n, \012, [:digit:].
func set(word string) (out []byte) {
	span := func(from, to byte) {
		for b := int(from); b <= int(to); b++ {
			out = append(out, byte(b))
		}
	}
	one := func(i int) (byte, int) {
		if word[i] != '\\' || i+1 == len(word) {
			return word[i], i + 1
		}
		end := i + 1
		for end < len(word) && end < i+4 && word[end] >= '0' && word[end] <= '7' {
			end++
		}
		if end > i+1 {
			n, _ := strconv.ParseUint(word[i+1:end], 8, 8)
			return byte(n), end
		}
		if b, ok := escapes[word[i+1]]; ok {
			return b, i + 2
		}
		return word[i+1], i + 2
	}
next:
	for i := 0; i < len(word); {
		for name, class := range classes {
			if strings.HasPrefix(word[i:], name) {
				span(class[0], class[1])
				i += len(name)
				continue next
			}
		}
		b, end := one(i)
		i = end
		if i+1 < len(word) && word[i] == '-' {
			var to byte
			to, i = one(i + 1)
			span(b, to)
			continue
		}
		out = append(out, b)
	}
	return out
}

func tr(c *call) int {
	o, ok := c.options("cds")
	if !ok || len(o.rest) == 0 || len(o.rest) > 2 {
		return c.fail("missing operand")
	}
	from := set(o.rest[0])
	if o.has('c') {
		var all []byte
		for b := range 256 {
			if !slices.Contains(from, byte(b)) {
				all = append(all, byte(b))
			}
		}
		from = all
	}
	var to []byte
	if len(o.rest) == 2 {
		to = set(o.rest[1])
	}
	squeezed := from
	if len(to) > 0 {
		squeezed = to
	}
	last := -1
	change := func(b byte) (byte, bool) {
		if at := bytes.IndexByte(from, b); at >= 0 {
			if o.has('d') {
				return 0, false
			}
			if len(to) > 0 {
				b = to[min(at, len(to)-1)]
			}
		}
		if o.has('s') && int(b) == last && bytes.IndexByte(squeezed, b) >= 0 {
			return 0, false
		}
		last = int(b)
		return b, true
	}
	return c.each(nil, func(_ string, r io.Reader) error {
		buffer := make([]byte, 32<<10)
		for {
			n, err := r.Read(buffer)
			kept := buffer[:0]
			for _, b := range buffer[:n] {
				if b, ok := change(b); ok {
					kept = append(kept, b)
				}
			}
			if _, err := c.out.Write(kept); err != nil {
				return err
			}
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
		}
	})
}

// size reads a number with a unit: 512, 4k, 1M.
func size(word string) (int64, error) {
	unit := int64(1)
	for letter, u := range map[string]int64{"k": 1 << 10, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30} {
		if rest, ok := strings.CutSuffix(word, letter); ok {
			word, unit = rest, u
		}
	}
	n, err := strconv.ParseInt(word, 10, 64)
	if err == nil && (n < 0 || n > 1<<40) {
		err = strconv.ErrRange
	}
	return n * unit, err
}

// dd copies blocks. What it counts on standard error is what GNU's counts.
func dd(c *call) int {
	words := map[string]string{"bs": "512", "skip": "0", "count": "-", "seek": "0"}
	for _, arg := range c.args[1:] {
		name, value, ok := strings.Cut(arg, "=")
		if !ok {
			return c.fail("unrecognized operand '%s'", arg)
		}
		words[name] = value
	}
	bs, err1 := size(words["bs"])
	from, err2 := size(words["skip"])
	count, err3 := int64(1<<40), error(nil)
	if words["count"] != "-" {
		count, err3 = size(words["count"])
	}
	if err1 != nil || err2 != nil || err3 != nil || bs == 0 {
		return c.fail("invalid number")
	}
	if !strings.Contains(words["iflag"], "skip_bytes") {
		from *= bs
	}
	if words["count"] != "-" && !strings.Contains(words["iflag"], "count_bytes") {
		count *= bs
	}
	name := words["if"]
	if name == "" {
		name = "-"
	}
	out := c.out
	if words["of"] != "" {
		f, err := c.open(words["of"], os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
		if err != nil {
			return c.fail("failed to open '%s': %s", words["of"], reason(err))
		}
		defer f.Close()
		out = f
	}
	r, closer, err := c.reader(name)
	if err != nil {
		return c.fail("failed to open '%s': %s", name, reason(err))
	}
	defer closer.Close()
	if err := skip(r, from); err != nil {
		return c.failed(name, err)
	}
	n, err := io.CopyN(out, r, count)
	if err != nil && err != io.EOF {
		return c.failed(name, err)
	}
	if words["status"] != "none" {
		partial := 0
		if n%bs != 0 {
			partial = 1
		}
		fmt.Fprintf(c.err, "%d+%d records in\n%d+%d records out\n", n/bs, partial, n/bs, partial)
	}
	return c.stopped()
}
