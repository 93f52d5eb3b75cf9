package machine

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
)

// sha256sum prints checksums, or checks those of a list.
func sha256sum(c *call) int {
	o, ok := c.options("cbtw")
	if !ok {
		return 1
	}
	status := 0
	for _, name := range o.rest {
		data, err := c.m.files.Read(c.path(name))
		if err != nil {
			status = c.failed(name, err)
			continue
		}
		if !o.has('c') {
			c.printf("%x  %s\n", sha256.Sum256(data), name)
			continue
		}
		for _, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
			want, file, _ := strings.Cut(line, "  ")
			held, err := c.m.files.Read(c.path(file))
			if err == nil && fmt.Sprintf("%x", sha256.Sum256(held)) == want {
				c.printf("%s: OK\n", file)
				continue
			}
			c.printf("%s: FAILED\n", file)
			status = 1
		}
	}
	if len(o.rest) == 0 {
		return c.fail("missing operand")
	}
	return status
}

// compare is cmp: it says whether two files are the same.
func compare(c *call) int {
	o, ok := c.options("sl")
	if !ok || len(o.rest) != 2 {
		c.fail("two files are needed")
		return 2
	}
	var data [2][]byte
	for i, name := range o.rest {
		var err error
		if data[i], err = c.m.files.Read(c.path(name)); err != nil {
			c.failed(name, err)
			return 2
		}
	}
	if bytes.Equal(data[0], data[1]) {
		return 0
	}
	if !o.has('s') {
		c.printf("%s %s differ\n", o.rest[0], o.rest[1])
	}
	return 1
}

// chown takes owners and changes nothing: everything is root's here.
func chown(c *call) int {
	o, ok := c.options("Rhf")
	if !ok || len(o.rest) < 2 {
		return c.fail("missing operand")
	}
	return c.every(options{rest: o.rest[1:]}, func(p string) error {
		_, err := c.m.files.Lstat(p)
		return err
	})
}
