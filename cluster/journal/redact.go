package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"
)

var (
	stringLiteral = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	urlPassword   = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://[^/\s:@]*):[^/\s]*@`)
	namedPassword = regexp.MustCompile(`(?i)\b(password|passwd|pgpassword)(\s*[=:]\s*)('[^']*'|"[^"]*"|[^\s,;&]+)`)
)

// redact blots out passwords in URLs and connection strings, inside every
// string of a JSON text.
func redact(body []byte) []byte {
	if !bytes.Contains(body, []byte("://")) && !bytes.Contains(bytes.ToLower(body), []byte("passw")) {
		return body
	}
	return stringLiteral.ReplaceAllFunc(body, func(literal []byte) []byte {
		var s string
		if json.Unmarshal(literal, &s) != nil {
			return literal
		}
		blotted := namedPassword.ReplaceAllString(urlPassword.ReplaceAllString(s, "$1:***@"), "$1$2***")
		if blotted == s {
			return literal
		}
		out, err := json.Marshal(blotted)
		if err != nil {
			return literal
		}
		return out
	})
}

// passing are the members of a snapshot that change with every look although
// nothing happened: times, ages, numbers of looks.
var passing = map[string]bool{
	"at": true, "seq": true, "began": true, "ended": true, "now": true,
	"instate": true, "uptime": true, "clockoffset": true, "peerlatency": true,
	"ageseconds": true,
}

// gist is a snapshot's digest without what passes by itself.
func gist(body []byte) string {
	var v any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&v) == nil {
		if out, err := json.Marshal(standing(v)); err == nil {
			body = out
		}
	}
	h := sha256.Sum256(body)
	return hex.EncodeToString(h[:])
}

// standing drops the passing members of a decoded JSON value.
func standing(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			if passing[strings.ToLower(key)] {
				delete(v, key)
			} else {
				v[key] = standing(inner)
			}
		}
	case []any:
		for i := range v {
			v[i] = standing(v[i])
		}
	}
	return v
}
