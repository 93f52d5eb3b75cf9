package journal

import "bytes"

// rewritten is a JSON text with some of its strings, quotes and all, in other
// words; rewrite answers nil for one that stays. It is not an expression that
// looks for them: a snapshot has thousands, and whoever confirms waits for it.
func rewritten(body []byte, rewrite func(literal []byte) []byte) []byte {
	var out []byte
	done := 0 // of body that stands in out
	for start, end := literal(body, 0); start >= 0; start, end = literal(body, end) {
		if other := rewrite(body[start:end]); other != nil {
			out = append(append(out, body[done:start]...), other...)
			done = end
		}
	}
	if done == 0 {
		return body
	}
	return append(out, body[done:]...)
}

// literal finds the next string of a JSON text from a place outside of any; -1
// for none.
func literal(body []byte, from int) (start, end int) {
	open := bytes.IndexByte(body[from:], '"')
	if open < 0 {
		return -1, -1
	}
	start = from + open
	for end = start + 1; ; end++ {
		i := bytes.IndexByte(body[end:], '"')
		if i < 0 {
			return -1, -1
		}
		end += i
		escapes := 0
		for body[end-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return start, end + 1
		}
	}
}
