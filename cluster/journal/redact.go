package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// redact blots secrets out of every string of a JSON text. Expressions are only
// asked about strings that may hold one: a snapshot has thousands of strings, and
// whoever confirms waits for it.
func redact(body []byte) []byte {
	return rewritten(body, func(literal []byte) []byte {
		// What is escaped may be anything.
		if !suspicious(literal) && !bytes.Contains(literal, []byte(`\u`)) {
			return nil
		}
		return secretless(literal)
	})
}

// secretless is a string of a JSON text without its secrets; nil where it has
// none.
func secretless(literal []byte) []byte {
	var s string
	if json.Unmarshal(literal, &s) != nil {
		return nil
	}
	blot := string(new(Blotter).Text([]byte(s)))
	if blot == s {
		return nil
	}
	out, err := json.Marshal(blot)
	if err != nil {
		return nil
	}
	return out
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
