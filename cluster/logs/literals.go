package logs

import (
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// A literal stands in every line that its expression matches, or it is one of
// a set of which one does.
type literal struct {
	text string // lower case when fold
	fold bool   // ASCII letters of both cases
}

// requiredLiterals derives from an expression a set of literals of at least
// least bytes, one of which stands in every match; nil when there is none.
func requiredLiterals(pattern string, least int) ([]literal, error) {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, err
	}
	return required(re.Simplify(), least), nil
}

func required(re *syntax.Regexp, least int) []literal {
	switch re.Op {
	case syntax.OpLiteral:
		return literalsOf(re, least)
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0], least)
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0], least)
		}
	case syntax.OpConcat:
		var best []literal
		for _, sub := range re.Sub {
			if set := required(sub, least); better(set, best) {
				best = set
			}
		}
		return best
	case syntax.OpAlternate:
		var all []literal
		for _, sub := range re.Sub {
			set := required(sub, least)
			if set == nil {
				return nil
			}
			all = append(all, set...)
		}
		return all
	}
	return nil
}

// literalsOf makes the literal of one node. Where case does not count only
// ASCII may take part, without k and s: they have a third form each (the
// Kelvin sign and the long s) that no table of bytes would find.
func literalsOf(re *syntax.Regexp, least int) []literal {
	if re.Flags&syntax.FoldCase == 0 {
		if s := string(re.Rune); len(s) >= least {
			return []literal{{text: s}}
		}
		return nil
	}
	pieces := strings.FieldsFunc(strings.ToLower(string(re.Rune)), func(r rune) bool {
		return r >= utf8.RuneSelf || r == 'k' || r == 's'
	})
	longest := ""
	for _, p := range pieces {
		if len(p) > len(longest) {
			longest = p
		}
	}
	if len(longest) < least {
		return nil
	}
	return []literal{{text: longest, fold: true}}
}

// better prefers the set whose shortest literal is longer, then the smaller.
func better(a, b []literal) bool {
	if a == nil || b == nil {
		return a != nil
	}
	if shortest(a) != shortest(b) {
		return shortest(a) > shortest(b)
	}
	return len(a) < len(b)
}

func shortest(set []literal) int {
	n := len(set[0].text)
	for _, l := range set[1:] {
		n = min(n, len(l.text))
	}
	return n
}
