package remote

import (
	"fmt"
	"strings"
)

// mostCommand is the longest command line that is sent, in bytes. The login
// shell gets it as one argument, and Linux allows 128 KiB for one; sudo's own
// words and the shell's -c need a little.
const mostCommand = 120 << 10

// Quote makes s one word of a POSIX shell, byte for byte. Between single
// quotes every shell leaves all but the quote alone (csh minds line feeds and
// !, fish minds a backslash before a quote or a backslash); the quote itself
// is written '\” which all of them read alike. s must not hold a NUL byte.
func Quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// commandLine is the text of the exec request that runs s. It fails when a
// word cannot travel: a NUL byte, or more than one argument may hold.
func commandLine(s Script, sudo bool) (string, error) {
	var b strings.Builder
	if sudo {
		b.WriteString("sudo -n ")
	}
	b.WriteString("sh -c")
	name := s.Name
	if name == "" {
		name = "sh"
	}
	for _, word := range append([]string{s.Text, name}, s.Args...) {
		if strings.IndexByte(word, 0) >= 0 {
			return "", fmt.Errorf("script %q: a NUL byte cannot be passed to a shell", name)
		}
		b.WriteByte(' ')
		b.WriteString(Quote(word))
	}
	if b.Len() > mostCommand {
		return "", fmt.Errorf("script %q: %d bytes are more than one argument holds (%d)", name, b.Len(), mostCommand)
	}
	return b.String(), nil
}
