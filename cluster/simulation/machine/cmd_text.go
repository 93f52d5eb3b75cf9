package machine

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"strconv"
	"strings"
)

// reader opens an operand to read; "-" and none are standard input.
func (c *call) reader(name string) (io.Reader, io.Closer, error) {
	if name == "-" {
		return c.input(), io.NopCloser(nil), nil
	}
	f, err := c.open(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, nil, err
	}
	if file, ok := f.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.IsDir() {
			f.Close()
			return nil, nil, &os.PathError{Op: "read", Path: name, Err: errIsDir}
		}
		return file, f, nil
	}
	return f, f, nil
}

// each runs f over every operand and is the exit status.
func (c *call) each(names []string, f func(name string, r io.Reader) error) int {
	if len(names) == 0 {
		names = []string{"-"}
	}
	status := 0
	for _, name := range names {
		r, closer, err := c.reader(name)
		if err == nil {
			err = f(name, r)
			closer.Close()
		}
		if s := c.stopped(); s != 0 {
			return s
		}
		if err != nil {
			status = c.failed(name, err)
		}
	}
	return status
}

func cat(c *call) int {
	o, ok := c.options("u")
	if !ok {
		return 1
	}
	return c.each(o.rest, func(_ string, r io.Reader) error {
		_, err := io.Copy(c.out, r)
		return err
	})
}

// count reads the number of -n or -c; the old form -5 means -n 5.
func (c *call) count(known string) (options, string, bool) {
	if len(c.args) > 1 && len(c.args[1]) > 1 && c.args[1][0] == '-' && c.args[1][1] >= '0' && c.args[1][1] <= '9' {
		c.args = append([]string{c.args[0], "-n", c.args[1][1:]}, c.args[2:]...)
	}
	o, ok := c.options(known)
	word := "10"
	if o.has('n') {
		word = o.values['n']
	}
	if o.has('c') {
		word = o.values['c']
	}
	return o, word, ok
}

func head(c *call) int {
	o, word, ok := c.count("n:c:q")
	n, err := strconv.ParseInt(word, 10, 64)
	if !ok || err != nil || n < 0 {
		return c.fail("invalid number '%s'", word)
	}
	return c.each(o.rest, func(_ string, r io.Reader) error {
		if o.has('c') {
			_, err := io.CopyN(c.out, r, n)
			if err == io.EOF {
				err = nil
			}
			return err
		}
		return c.lines(r, n)
	})
}

// lines copies n lines. It takes no byte more than it needs from a pipe:
// whoever shares the pipe reads on behind the last line.
func (c *call) lines(r io.Reader, n int64) error {
	var out bytes.Buffer
	b := make([]byte, 1)
	for n > 0 {
		_, err := io.ReadFull(r, b)
		if err != nil {
			break
		}
		out.WriteByte(b[0])
		if b[0] == '\n' {
			n--
		}
	}
	_, err := c.out.Write(out.Bytes())
	return err
}

func tail(c *call) int {
	o, word, ok := c.count("n:c:q")
	from := strings.HasPrefix(word, "+")
	n, err := strconv.ParseInt(strings.TrimPrefix(strings.TrimPrefix(word, "+"), "-"), 10, 64)
	if !ok || err != nil {
		return c.fail("invalid number '%s'", word)
	}
	return c.each(o.rest, func(_ string, r io.Reader) error {
		switch {
		case o.has('c') && from:
			return c.after(r, n-1)
		case o.has('c'):
			return c.lastBytes(r, n)
		case from:
			buffered := bufio.NewReader(r)
			for ; n > 1; n-- {
				if _, err := buffered.ReadString('\n'); err != nil {
					return nil
				}
			}
			_, err := io.Copy(c.out, buffered)
			return err
		}
		return c.lastLines(r, n)
	})
}

// after copies what lies behind the first n bytes.
func (c *call) after(r io.Reader, n int64) error {
	if err := skip(r, n); err != nil {
		return err
	}
	_, err := io.Copy(c.out, r)
	return err
}

// skip leaves out n bytes, without reading them where the file can seek.
func skip(r io.Reader, n int64) error {
	if n <= 0 {
		return nil
	}
	if f, ok := r.(*os.File); ok {
		if _, err := f.Seek(n, io.SeekCurrent); err == nil {
			return nil
		}
	}
	_, err := io.CopyN(io.Discard, r, n)
	if err == io.EOF {
		return nil
	}
	return err
}

func (c *call) lastBytes(r io.Reader, n int64) error {
	data, err := io.ReadAll(r)
	if int64(len(data)) > n {
		data = data[int64(len(data))-n:]
	}
	c.out.Write(data)
	return err
}

func (c *call) lastLines(r io.Reader, n int64) error {
	data, err := io.ReadAll(r)
	start := len(data)
	for ; n > 0 && start > 0; n-- {
		start = bytes.LastIndexByte(data[:start-1], '\n') + 1
	}
	c.out.Write(data[start:])
	return err
}

func wc(c *call) int {
	o, ok := c.options("clwm")
	if !ok {
		return 1
	}
	return c.each(o.rest, func(name string, r io.Reader) error {
		var lines, words, size int64
		inWord := false
		buffer := make([]byte, 32<<10)
		for {
			n, err := r.Read(buffer)
			for _, b := range buffer[:n] {
				if b == '\n' {
					lines++
				}
				space := b == ' ' || b >= '\t' && b <= '\r'
				if !space && !inWord {
					words++
				}
				inWord = !space
			}
			size += int64(n)
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
		}
		var out []string
		for _, f := range []struct {
			letter byte
			n      int64
		}{{'l', lines}, {'w', words}, {'c', size}} {
			if len(o.values) == 0 || o.has(f.letter) || f.letter == 'c' && o.has('m') {
				out = append(out, strconv.FormatInt(f.n, 10))
			}
		}
		if len(o.rest) > 0 {
			out = append(out, name)
		}
		c.printf("%s\n", strings.Join(out, " "))
		return nil
	})
}

// ranges reads a list such as 1,3-5,7-.
func ranges(list string) (func(n int) bool, bool) {
	type span struct{ from, to int }
	var spans []span
	for _, word := range strings.Split(list, ",") {
		first, last, isRange := strings.Cut(word, "-")
		s := span{1, 1 << 30}
		var err1, err2 error
		if first != "" {
			s.from, err1 = strconv.Atoi(first)
		}
		if !isRange {
			s.to = s.from
		} else if last != "" {
			s.to, err2 = strconv.Atoi(last)
		}
		if err1 != nil || err2 != nil || word == "" || word == "-" {
			return nil, false
		}
		spans = append(spans, s)
	}
	return func(n int) bool {
		for _, s := range spans {
			if n >= s.from && n <= s.to {
				return true
			}
		}
		return false
	}, true
}

func cut(c *call) int {
	o, ok := c.options("d:f:c:b:s")
	if !ok {
		return 1
	}
	wanted, ok := ranges(o.values['f'] + o.values['c'] + o.values['b'])
	if !ok {
		return c.fail("invalid list")
	}
	between := o.values['d']
	if between == "" {
		between = "\t"
	}
	return c.each(o.rest, func(_ string, r io.Reader) error {
		scanner := bufio.NewScanner(r)
		scanner.Buffer(nil, 16<<20)
		for scanner.Scan() {
			parts, joint := strings.Split(scanner.Text(), ""), ""
			if o.has('f') {
				parts, joint = strings.Split(scanner.Text(), between), between
				if len(parts) == 1 && o.has('s') {
					continue
				}
			}
			var out []string
			for i, part := range parts {
				if wanted(i+1) || o.has('f') && len(parts) == 1 {
					out = append(out, part)
				}
			}
			c.printf("%s\n", strings.Join(out, joint))
		}
		return scanner.Err()
	})
}
