package machine

import (
	"compress/gzip"
	"io"
)

// gzipCommand packs and unpacks as far as logs need it: -dc or -c of files or
// of standard input, to standard output. Files are left as they are.
func gzipCommand(c *call) int {
	o, ok := c.options("cdfkqn123456789")
	if !ok {
		return 1
	}
	if len(o.rest) > 0 && !o.has('c') {
		return c.fail("only to standard output (-c) in this simulation")
	}
	return c.each(o.rest, func(name string, r io.Reader) error {
		if !o.has('d') {
			z := gzip.NewWriter(c.out)
			if _, err := io.Copy(z, r); err != nil {
				return err
			}
			return z.Close()
		}
		z, err := gzip.NewReader(r)
		if err != nil {
			return err // gzip: invalid header
		}
		_, err = io.Copy(c.out, z)
		return err
	})
}
