package plain

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// columns is how wide a line may be; a longer word stands whole.
const columns = 80

// voice writes lines. Nothing but printable characters and line ends passes it,
// so no text can move a cursor or change a colour.
type voice struct {
	w    io.Writer
	err  error  // of the first write that failed; nothing is written after it
	mark string // stands before every text
}

// Print writes paragraphs as the line mode does: printable characters alone,
// wrapped by words. An empty paragraph is an empty line.
func Print(w io.Writer, paragraphs []string) error {
	v := &voice{w: w}
	for _, p := range paragraphs {
		v.write(wrap(p, ""))
	}
	return v.err
}

// say writes a text, wrapped by words; what goes on in further lines is
// indented.
func (v *voice) say(format string, args ...any) {
	text := format
	if len(args) > 0 {
		text = fmt.Sprintf(format, args...)
	}
	v.write(wrap(v.mark+text, ""))
}

// sub writes a text that belongs to the one before.
func (v *voice) sub(format string, args ...any) {
	v.write(wrap(v.mark+fmt.Sprintf(format, args...), "  "))
}

// labelled writes a text with a word before it; nothing where there is none.
func (v *voice) labelled(label, text string) {
	if text != "" {
		v.sub("%s: %s", label, text)
	}
}

func (v *voice) write(rows []string) {
	if v.err == nil && len(rows) > 0 {
		_, v.err = io.WriteString(v.w, strings.Join(rows, "\n")+"\n")
	}
}

// clean lets nothing but printable characters through. Foreign text is made
// safe where it enters the program; this is the last door.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == 0x2028 || r == 0x2029:
			return '?'
		}
		return r
	}, s)
}

// wrap breaks a text at blanks into rows of at most columns cells. Line ends in
// the text stay.
func wrap(text, indent string) []string {
	var rows []string
	for _, par := range strings.Split(text, "\n") {
		row, used := indent, len(indent)
		begun := false
		for _, word := range strings.Fields(clean(par)) {
			w := ansi.StringWidth(word)
			if begun && used+1+w > columns {
				rows = append(rows, row)
				row, used, begun = indent+"  ", len(indent)+2, false
			}
			if begun {
				row, used = row+" ", used+1
			}
			row, used, begun = row+word, used+w, true
		}
		rows = append(rows, strings.TrimRight(row, " "))
	}
	return rows
}

// sentence ends a text with a full stop, where it has no end of its own.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" || strings.HasSuffix(s, ".") || strings.HasSuffix(s, "!") || strings.HasSuffix(s, "?") {
		return s
	}
	return s + "."
}

// capital writes the first letter large.
func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

// capital begins a sentence; a node's name stays as it is written.
func (t *talk) capital(s string) string {
	if first, _, _ := strings.Cut(s, " "); t.node(first) {
		return s
	}
	return capital(s)
}

// joined is a list as one says it.
func joined(all []string) string {
	switch n := len(all); n {
	case 0:
		return ""
	case 1:
		return all[0]
	default:
		return strings.Join(all[:n-1], ", ") + " and " + all[n-1]
	}
}

// plural is "1 line" or "2 lines".
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
