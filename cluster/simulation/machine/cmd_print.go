package machine

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

func echo(c *call) int {
	args, end := c.args[1:], "\n"
	if len(args) > 0 && args[0] == "-n" {
		args, end = args[1:], ""
	}
	if _, err := io.WriteString(c.out, strings.Join(args, " ")+end); err != nil {
		return c.failed("write error", err)
	}
	return 0
}

// printf is the shell's own: the interpreter's knows too few formats, and
// does not tell a script that nobody reads its output any more.
func printf(c *call) int {
	args := c.args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(c.err, "printf: usage: printf format [arg ...]")
		return 2
	}
	format, args := args[0], args[1:]
	p := &printing{args: args}
	for {
		before := len(p.args)
		p.pass(format)
		if len(p.args) == 0 || len(p.args) == before || p.stop {
			break
		}
	}
	if _, err := io.WriteString(c.out, p.out.String()); err != nil {
		return c.failed("write error", err)
	}
	if p.bad != "" {
		return c.fail("%s", p.bad)
	}
	return 0
}

// printing is one printf under way.
type printing struct {
	out  strings.Builder
	args []string
	bad  string
	stop bool // \c was met
}

// pass goes once through the format.
func (p *printing) pass(format string) {
	for i := 0; i < len(format) && !p.stop; i++ {
		switch {
		case format[i] == '\\':
			i = p.escape(format, i, false)
		case format[i] == '%':
			i = p.directive(format, i)
		default:
			p.out.WriteByte(format[i])
		}
	}
}

func (p *printing) next() string {
	if len(p.args) == 0 {
		return ""
	}
	arg := p.args[0]
	p.args = p.args[1:]
	return arg
}

// number reads an argument as C does: 10, 0x1f, 017, 'a.
func (p *printing) number() int64 {
	arg := p.next()
	if arg == "" {
		return 0
	}
	if arg[0] == '\'' || arg[0] == '"' {
		return int64((arg + "\x00")[1])
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(arg, "+"), 0, 64)
	if err != nil {
		p.bad = arg + ": expected numeric value"
	}
	return n
}

// directive prints one % and returns the index of its last byte.
func (p *printing) directive(format string, i int) int {
	end := i + 1
	spec := "%"
	for end < len(format) && strings.IndexByte("-+ #0123456789.*", format[end]) >= 0 {
		if format[end] == '*' {
			spec += strconv.FormatInt(p.number(), 10)
		} else {
			spec += format[end : end+1]
		}
		end++
	}
	if end == len(format) {
		p.out.WriteString(format[i:])
		return end
	}
	switch letter := format[end]; letter {
	case '%':
		p.out.WriteByte('%')
	case 's':
		fmt.Fprintf(&p.out, spec+"s", p.next())
	case 'b':
		inner := &printing{}
		for arg, j := p.next(), 0; j < len(arg) && !inner.stop; j++ {
			if arg[j] == '\\' {
				j = inner.escape(arg, j, true)
			} else {
				inner.out.WriteByte(arg[j])
			}
		}
		fmt.Fprintf(&p.out, spec+"s", inner.out.String())
		p.stop = inner.stop
	case 'c':
		arg := p.next()
		fmt.Fprintf(&p.out, spec+"s", arg[:min(1, len(arg))])
	case 'd', 'i':
		fmt.Fprintf(&p.out, spec+"d", p.number())
	case 'u', 'o', 'x', 'X':
		verb := strings.Replace(string(letter), "u", "d", 1)
		fmt.Fprintf(&p.out, spec+verb, uint64(p.number()))
	default:
		p.bad = "%" + string(letter) + ": invalid directive"
		p.stop = true
	}
	return end
}

// escape prints one backslash sequence and returns the index of its last byte.
func (p *printing) escape(text string, i int, inArgument bool) int {
	if i+1 == len(text) {
		p.out.WriteByte('\\')
		return i
	}
	i++
	if letter := text[i]; letter >= '0' && letter <= '7' {
		start := i
		if inArgument && letter == '0' {
			start++
		}
		end := start
		for end < len(text) && end < start+3 && text[end] >= '0' && text[end] <= '7' {
			end++
		}
		n, _ := strconv.ParseUint("0"+text[start:end], 8, 16)
		p.out.WriteByte(byte(n))
		return end - 1
	}
	if text[i] == 'c' && inArgument {
		p.stop = true
	} else if b, ok := escapes[text[i]]; ok {
		p.out.WriteByte(b)
	} else {
		p.out.WriteByte('\\')
		p.out.WriteByte(text[i])
	}
	return i
}
