package machine

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// date prints the machine's own clock.
func date(c *call) int {
	o, ok := c.options("ud:Is:")
	if !ok {
		return 1
	}
	now := c.m.o.Now().UTC()
	if o.has('d') {
		at, err := strconv.ParseFloat(strings.TrimPrefix(o.values['d'], "@"), 64)
		if err != nil || !strings.HasPrefix(o.values['d'], "@") {
			return c.fail("invalid date '%s'", o.values['d'])
		}
		now = time.Unix(0, int64(at*1e9)).UTC()
	}
	format := "+%a %b %e %H:%M:%S %Z %Y"
	if len(o.rest) > 0 {
		format = o.rest[0]
	}
	if !strings.HasPrefix(format, "+") {
		return c.fail("invalid date '%s'", format)
	}
	c.printf("%s\n", strftime(format[1:], now))
	return 0
}

// layouts are the fields of date's formats that Go can print.
var layouts = map[byte]string{
	'Y': "2006", 'm': "01", 'd': "02", 'e': "_2", 'H': "15", 'I': "03", 'M': "04", 'S': "05", 'y': "06", 'p': "PM",
	'a': "Mon", 'b': "Jan", 'B': "January", 'A': "Monday", 'j': "002", 'Z': "MST", 'z': "-0700",
	'F': "2006-01-02", 'T': "15:04:05", 'R': "15:04", 'D': "01/02/06",
}

func strftime(format string, t time.Time) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		digits := 9
		if format[i] >= '1' && format[i] <= '9' && i+1 < len(format) && format[i+1] == 'N' {
			digits = int(format[i] - '0')
			i++
		}
		switch letter := format[i]; {
		case letter == 's':
			fmt.Fprint(&b, t.Unix())
		case letter == 'N':
			b.WriteString(fmt.Sprintf("%09d", t.Nanosecond())[:digits])
		case letter == 'n':
			b.WriteByte('\n')
		case layouts[letter] != "":
			b.WriteString(t.Format(layouts[letter]))
		default:
			b.WriteByte(letter)
		}
	}
	return b.String()
}

func sleep(c *call) int {
	var total time.Duration
	for _, word := range c.args[1:] {
		d, err := seconds(word)
		if err != nil {
			return c.fail("invalid time interval '%s'", word)
		}
		total += d
	}
	if !c.pass(total) {
		return c.stopped()
	}
	return 0
}

// pass lets time go by; false: the call was ended meanwhile.
func (c *call) pass(d time.Duration) bool {
	select {
	case <-c.m.o.Clock.After(d):
		return true
	case <-c.ctx.Done():
		return false
	}
}

func id(c *call) int {
	o, ok := c.options("ugnr")
	if !ok {
		return 1
	}
	name := "root"
	if c.uid != 0 {
		name = c.getenv("USER")
	}
	switch {
	case o.has('n'):
		c.printf("%s\n", name)
	case o.has('u') || o.has('g'):
		c.printf("%d\n", c.uid)
	default:
		c.printf("uid=%d(%s) gid=%d(%s) groups=%d(%s)\n", c.uid, name, c.uid, name, c.uid, name)
	}
	return 0
}

func hostname(c *call) int {
	o, ok := c.options("fsIi")
	if !ok {
		return 1
	}
	if o.has('I') || o.has('i') {
		c.printf("%s \n", c.m.o.Address)
		return 0
	}
	c.printf("%s\n", c.m.o.Name)
	return 0
}

func uname(c *call) int {
	o, ok := c.options("asnrmvo")
	if !ok {
		return 1
	}
	var words []string
	for _, field := range []struct {
		letter byte
		value  string
	}{{'s', "Linux"}, {'n', c.m.o.Name}, {'r', "3.10.0-1160.el7.x86_64"}, {'v', "#1 SMP"}, {'m', "x86_64"}, {'o', "GNU/Linux"}} {
		if o.has(field.letter) || o.has('a') || len(o.values) == 0 && field.letter == 's' {
			words = append(words, field.value)
		}
	}
	c.printf("%s\n", strings.Join(words, " "))
	return 0
}
