package journal

import (
	"bytes"
	"regexp"
)

var (
	// suspicious is what any secret that is looked for has near it.
	suspicious = regexp.MustCompile(`(?i)passw|secret|private.?key|token|pgpass|://[^/\s]*@`)
	// namedSecret is a value whose name says that nobody else may read it, in
	// the shapes of configuration files, of Ruby and of JSON.
	namedSecret = regexp.MustCompile(`(?i)([a-z0-9_.-]*(?:passw(?:or)?d|secret|private_key|token)[a-z0-9_.-]*["']?\]?\s*(?:=>|[=:])\s*)("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s,;&}]+)`)
	keyBegins   = []byte("-----BEGIN ")
	keyEnds     = []byte("-----END ")
	keyName     = []byte("PRIVATE KEY-----")
)

// Blotter blots secrets out of a text, line by line: passwords in URLs, values
// whose names say that they are secret, private keys. The zero one is ready.
type Blotter struct{ inKey bool }

// Line is a line without its secrets; one without any is returned as it is.
func (b *Blotter) Line(line []byte) []byte {
	if b.inKey {
		b.inKey = !bytes.Contains(line, keyEnds)
		return []byte("***")
	}
	if !suspicious.Match(line) {
		return line
	}
	if i := bytes.Index(line, keyBegins); i >= 0 && bytes.Contains(line[i:], keyName) {
		b.inKey = !bytes.Contains(line[i:], keyEnds)
		return append(bytes.Clone(line[:i]), "***"...)
	}
	line = urlPassword.ReplaceAll(line, []byte("$1:***@"))
	return namedSecret.ReplaceAll(line, []byte("$1***"))
}

// Text is a whole text without its secrets.
func (b *Blotter) Text(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		line, rest, whole := bytes.Cut(text, []byte("\n"))
		out = append(out, b.Line(line)...)
		if whole {
			out = append(out, '\n')
		}
		text = rest
	}
	return out
}

// Redact blots passwords out of every string of a JSON text.
func Redact(body []byte) []byte { return redact(body) }
