package catalogue

import (
	"fmt"
	"regexp"
	"regexp/syntax"
)

// minLiteral is how many bytes of fixed text a pattern must need. With it the
// matcher can pass over nearly every line without trying the expression.
const minLiteral = 4

// checkPattern refuses a pattern that does not compile or that has no fixed
// text which every matching line must hold.
func checkPattern(pattern string) error {
	if pattern == "" {
		return fmt.Errorf("pattern is missing")
	}
	if _, err := regexp.Compile(pattern); err != nil {
		return fmt.Errorf("pattern does not compile: %w", err)
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return fmt.Errorf("pattern does not compile: %w", err)
	}
	if n := required(tree.Simplify()); n < minLiteral {
		return fmt.Errorf("pattern needs %d bytes of fixed text in a row in every line that it matches, and has %d: add some", minLiteral, n)
	}
	return nil
}

// required is the length in bytes of the longest literal that every match of
// the expression must contain.
func required(r *syntax.Regexp) int {
	switch r.Op {
	case syntax.OpLiteral:
		if r.Flags&syntax.FoldCase != 0 {
			return 0 // its bytes are not fixed
		}
		return len(string(r.Rune))
	case syntax.OpCapture, syntax.OpPlus:
		return required(r.Sub[0])
	case syntax.OpRepeat:
		if r.Min > 0 {
			return required(r.Sub[0])
		}
	case syntax.OpConcat:
		longest := 0
		for _, sub := range r.Sub {
			longest = max(longest, required(sub))
		}
		return longest
	case syntax.OpAlternate:
		shortest := required(r.Sub[0])
		for _, sub := range r.Sub[1:] {
			shortest = min(shortest, required(sub))
		}
		return shortest
	}
	return 0
}
