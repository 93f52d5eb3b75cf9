package journal

import (
	"bytes"
	"regexp"
)

// The shapes of secrets. A value in quotes may hold escaped ones, also those of
// JSON within JSON, and may end with the line; one without them ends where
// configuration files, URLs and JSON go on.
const (
	secretName = `[a-z0-9_.-]*(?:passw(?:or)?d|secret|private_key|token)[a-z0-9_.-]*`
	singly     = `'(?:[^'\\\n]|\\.|'')*'?`
	quotedText = `\\"(?:[^"\\\n]|\\\\\\["\\]|\\\\[^"\\\n])*\\"|\\+"[^"\\\n]*|"(?:[^"\\\n]|\\.)*"?|` + singly
	bareWord   = `[^\s,;&}]+(?:\}+[^\s,;&}]+)*`
)

var (
	urlPassword = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://[^/\s:@]*):[^/\s]*@`)
	// namedSecret is a value whose name says that nobody else may read it, as in
	// configuration files, Ruby, JSON, and Erlang's maps.
	namedSecret = regexp.MustCompile(`(?i)(` + secretName + `\\*["']?(?:>>)?\]?\s*(?:=>|[=:])\s*(?:<<)?)(?:` + quotedText + `|` + bareWord + `)`)
	// tupleSecret is one in a pair of Erlang.
	tupleSecret = regexp.MustCompile(`(?i)(\{\s*(?:<<)?\\*["']?` + secretName + `\\*["']?(?:>>)?\s*,\s*(?:<<)?)(?:` + quotedText + `)`)
	// sqlSecret is a role's password in SQL, which has nothing between it and its name.
	sqlSecret = regexp.MustCompile(`(?i)(\bpassword\s+(?:e|u&)?)(?:` + singly + `|\$[a-z_]*\$[^$\n]*\$[a-z_]*\$)`)
	// flagSecret is one given to a command, in a line or as a list of arguments.
	flagSecret = regexp.MustCompile(`(?i)((?:^|[\s"'])--` + secretName + `["']?(?:\s*,\s*|\s+))(?:` + quotedText + `|[^\s"',-][^\s"',]*)`)
	// headerSecret is what HTTP's Authorization carries (RFC 9110, 11.6.2).
	headerSecret = regexp.MustCompile(`(?i)(\bauthorization\\*["']?(?:>>)?\s*[=:,]\s*(?:<<)?\\*["']?(?:basic|bearer|digest)\s+)[^\s"',;\\]+`)
	// innocent look like names of secrets and are none: a right of sudo, and a
	// file about which something is said.
	innocent = regexp.MustCompile(`NOPASSWD:|\.(?:json|rb):`)

	keyBegins = []byte("-----BEGIN ")
	keyEnds   = []byte("-----END ")
	keyName   = []byte("PRIVATE KEY-----")
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
	if !suspicious(line) {
		return line
	}
	if i := bytes.Index(line, keyBegins); i >= 0 && bytes.Contains(line[i:], keyName) {
		b.inKey = !bytes.Contains(line[i:], keyEnds)
		return append(bytes.Clone(blotted(line[:i])), "***"...)
	}
	return blotted(line)
}

// blotted is a line without its secrets, but for private keys.
func blotted(line []byte) []byte {
	line = urlPassword.ReplaceAll(line, []byte("$1:***@"))
	var out []byte
	for len(line) > 0 {
		part, end := line, len(line)
		if at := innocent.FindIndex(line); at != nil {
			part, end = line[:at[0]], at[1]
		}
		kept := line[len(part):end]
		for _, secret := range []*regexp.Regexp{tupleSecret, sqlSecret, flagSecret, headerSecret, namedSecret} {
			part = secret.ReplaceAll(part, []byte("$1***"))
		}
		out = append(append(out, part...), kept...)
		line = line[end:]
	}
	return out
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

// hints are words of which every secret that is looked for has one near it, by
// their first letter.
var hints = [256][]string{'a': {"authorization"}, 'p': {"passw", "private"}, 's': {"secret"}, 't': {"token"}}

// suspicious answers whether a text may hold a secret. It is no expression: it
// looks at every byte of the logs of a bundle, and at every string of a
// snapshot, whose writing somebody waits for who confirms.
func suspicious(text []byte) bool {
	for i, c := range text {
		for _, word := range hints[c|0x20] {
			if len(text)-i >= len(word) && bytes.EqualFold(text[i:i+len(word)], []byte(word)) {
				return true
			}
		}
	}
	i := bytes.Index(text, []byte("://"))
	return i >= 0 && bytes.IndexByte(text[i:], '@') >= 0
}

// Redact blots secrets out of every string of a JSON text.
func Redact(body []byte) []byte { return redact(body) }
