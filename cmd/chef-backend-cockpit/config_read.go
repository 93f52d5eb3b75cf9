package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// problem is one thing that is wrong in the configuration.
type problem struct {
	file         string
	line, column int    // from 1
	text         string // what is wrong; what to do about it
}

func (p problem) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", p.file, p.line, p.column, p.text)
}

// yamlReader turns a YAML tree into values and notes everything that is wrong,
// with its place. What it cannot read stays empty.
type yamlReader struct {
	file     string
	anchors  map[string]ast.Node
	problems []problem
}

// field is a key that a mapping may have.
type field struct {
	key  string
	read func(ast.Node)
}

// parse is the tree of a text; nil where it holds nothing or cannot be read.
func (r *yamlReader) parse(text []byte) ast.Node {
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		r.syntax(err)
		return nil
	}
	docs := slices.DeleteFunc(tree.Docs, func(d *ast.DocumentNode) bool { return d.Body == nil })
	if len(docs) == 0 {
		return nil
	}
	if len(docs) > 1 {
		r.add(docs[1].Body, "a second YAML document; put everything into the first, without ---")
	}
	r.anchors = map[string]ast.Node{}
	ast.Walk(r, docs[0].Body)
	return docs[0].Body
}

// Visit notes the anchors (ast.Visitor).
func (r *yamlReader) Visit(n ast.Node) ast.Visitor {
	if a, ok := n.(*ast.AnchorNode); ok {
		r.anchors[a.Name.GetToken().Value] = a.Value
	}
	return r
}

// syntax notes an error of the YAML library.
func (r *yamlReader) syntax(err error) {
	p := problem{file: r.file, line: 1, column: 1}
	text := err.Error()
	if y, ok := errors.AsType[yaml.Error](err); ok {
		text = y.GetMessage()
		if t := y.GetToken(); t != nil && t.Position != nil {
			p.line, p.column = max(t.Position.Line, 1), max(t.Position.Column, 1)
		}
	}
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	remedy := "correct the brackets, quotes or indentation there"
	switch {
	case strings.Contains(text, "\t"):
		text = strings.ReplaceAll(text, "\t", "tab")
		remedy = "indent with spaces"
	case strings.Contains(text, "already defined"):
		remedy = "remove or rename one of the two"
	}
	p.text = text + "; " + remedy
	r.problems = append(r.problems, p)
}

// add notes a problem where a node begins.
func (r *yamlReader) add(n ast.Node, format string, args ...any) {
	p := problem{file: r.file, line: 1, column: 1, text: fmt.Sprintf(format, args...)}
	if t := firstToken(n); t != nil && t.Position != nil {
		p.line, p.column = t.Position.Line, t.Position.Column
	}
	r.problems = append(r.problems, p)
}

// sorted are the problems in the order of the file.
func (r *yamlReader) sorted() []problem {
	slices.SortStableFunc(r.problems, func(a, b problem) int { return cmp.Or(a.line-b.line, a.column-b.column) })
	return r.problems
}

// firstToken is where a node begins: a mapping's own token is its first colon.
func firstToken(n ast.Node) *token.Token {
	if n == nil {
		return nil
	}
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		return m.Values[0].Key.GetToken()
	}
	if m, ok := n.(*ast.MappingValueNode); ok {
		return m.Key.GetToken()
	}
	return n.GetToken()
}

// plain is a node without its anchor or tag, and what an alias stands for.
func (r *yamlReader) plain(n ast.Node) ast.Node {
	for range 8 { // an alias may stand for an alias, and for itself
		switch x := n.(type) {
		case *ast.AnchorNode:
			n = x.Value
		case *ast.TagNode:
			n = x.Value
		case *ast.AliasNode:
			to, ok := r.anchors[x.Value.GetToken().Value]
			if !ok {
				r.add(x, "nothing is called &%s; write the value out", x.Value.GetToken().Value)
				return nil
			}
			n = to
		default:
			return n
		}
	}
	return nil
}

// entry is a key of a mapping with its value.
type entry struct {
	key   string
	at    ast.Node // the key
	value ast.Node
}

// entries are the keys of a mapping, those of << last; what says what should
// stand there.
func (r *yamlReader) entries(n ast.Node, what string, depth int) []entry {
	m, ok := r.plain(n).(ast.MapNode)
	if !ok || depth > 8 {
		r.add(n, "here %s is expected; write key: value, each on a line of its own, indented alike", what)
		return nil
	}
	var all, merged []entry
	for i := m.MapRange(); i.Next(); {
		if _, ok := i.Key().(*ast.MergeKeyNode); ok {
			merged = append(merged, r.entries(i.Value(), what, depth+1)...)
			continue
		}
		all = append(all, entry{i.Key().GetToken().Value, i.Key(), i.Value()})
	}
	for _, e := range merged {
		if !slices.ContainsFunc(all, func(a entry) bool { return a.key == e.key }) {
			all = append(all, e)
		}
	}
	return all
}

// mapping reads a mapping with known keys.
func (r *yamlReader) mapping(n ast.Node, what string, fields []field) {
	for _, e := range r.entries(n, what, 0) {
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == e.key })
		switch {
		case i < 0:
			r.add(e.at, "unknown key %q in %s; use %s", e.key, what, keysOf(fields))
		case r.isNull(e.value):
			r.add(e.at, "%s has no value; give it one, or remove the line", e.key)
		default:
			fields[i].read(e.value)
		}
	}
}

func keysOf(fields []field) string {
	var keys []string
	for _, f := range fields {
		keys = append(keys, f.key)
	}
	return strings.Join(keys[:len(keys)-1], ", ") + " or " + keys[len(keys)-1]
}

func (r *yamlReader) isNull(n ast.Node) bool {
	if n == nil {
		return true
	}
	_, null := n.(*ast.NullNode)
	return null
}

// list are the items of a sequence; a single value is a list of one.
func (r *yamlReader) list(n ast.Node) []ast.Node {
	if s, ok := r.plain(n).(*ast.SequenceNode); ok {
		return s.Values
	}
	return []ast.Node{n}
}

// text reads one word or line; ok is false when there is none.
func (r *yamlReader) text(n ast.Node, what string) (text string, ok bool) {
	switch x := r.plain(n).(type) {
	case *ast.StringNode:
		text = x.Value
	case *ast.LiteralNode:
		text = strings.TrimSpace(x.Value.Value)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		text = x.GetToken().Value
	default:
		r.add(n, "%s is one value, here is something else; write %s: VALUE", what, what)
		return "", false
	}
	if strings.TrimSpace(text) == "" {
		r.add(n, "%s is empty; give it a value, or remove the line", what)
		return "", false
	}
	if strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		r.add(n, "%s holds a line break or a control character; write it on one line", what)
		return "", false
	}
	return text, true
}

// truth reads true or false.
func (r *yamlReader) truth(n ast.Node, what string) bool {
	text, ok := r.text(n, what)
	if ok && text != "true" && text != "false" {
		r.add(n, "%s %q is neither true nor false; write one of them, or remove the line", what, text)
	}
	return text == "true"
}

// number reads a whole number within bounds.
func (r *yamlReader) number(n ast.Node, what string, low, high int) int {
	text, ok := r.text(n, what)
	if !ok {
		return 0
	}
	v, err := strconv.Atoi(text)
	if err != nil || v < low || v > high {
		r.add(n, "%s %q is no number from %d to %d; correct it, or remove the line", what, text, low, high)
		return 0
	}
	return v
}
