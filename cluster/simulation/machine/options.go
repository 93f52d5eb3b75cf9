package machine

import "strings"

// options are the single-letter options of a command, in any order before the
// operands: -rf, -n 5, -n5.
type options struct {
	values map[byte]string
	rest   []string // operands
	bad    string   // an option that the command does not know
}

func (o options) has(letter byte) bool {
	_, ok := o.values[letter]
	return ok
}

// parse sorts out arguments. In known, a letter followed by ":" takes a value.
func parse(args []string, known string) options {
	o := options{values: map[byte]string{}}
	for len(args) > 0 {
		arg := args[0]
		if arg == "-" || !strings.HasPrefix(arg, "-") {
			break
		}
		args = args[1:]
		if arg == "--" {
			break
		}
		for i := 1; i < len(arg); i++ {
			at := strings.IndexByte(known, arg[i])
			if at < 0 || arg[i] == ':' {
				o.bad = arg[i:]
				return o
			}
			if at+1 == len(known) || known[at+1] != ':' {
				o.values[arg[i]] = ""
				continue
			}
			value := arg[i+1:]
			if value == "" {
				if len(args) == 0 {
					o.bad = arg[i:]
					return o
				}
				value, args = args[0], args[1:]
			}
			o.values[arg[i]] = value
			break
		}
	}
	o.rest = args
	return o
}

// options parses the arguments of a call; false: it has said what is wrong.
func (c *call) options(known string) (options, bool) {
	o := parse(c.args[1:], known)
	if o.bad != "" {
		c.fail("invalid option -- '%s'", o.bad)
		return o, false
	}
	return o, true
}
