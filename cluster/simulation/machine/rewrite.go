package machine

import (
	"bytes"
	"fmt"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"
)

// The interpreter differs from a POSIX shell where processes come in: $$ is
// the pid of the process that interprets, $! is no pid, a background job
// cannot be killed and reads the shell's input. So the syntax tree is changed
// before it runs: $$ and $! become variables, and "S &" becomes
//
//	_bang=$(sim:job); { _job=$_bang; ( S ); sim:end $?; } </dev/null & sim:bg $_bang $!
//
// where the commands sim:… are this package's own.
const (
	varPID    = "_pid"
	varParent = "_ppid"
	varBang   = "_bang"
	varJob    = "_job"
	varName   = "_name"
)

var renamed = map[string]string{"$": varPID, "!": varBang, "PPID": varParent, "0": varName}

const jobText = "_bang=$(sim:job); { _job=$_bang; ( : ); sim:end $?; } </dev/null & sim:bg $_bang $!"

// program is a parsed and changed text.
type program struct {
	file  *syntax.File
	funcs map[string]bool // functions that it declares anywhere
	text  string          // the changed tree as text again, for eval
	err   error
}

// texts remembers programs by text, so that looks are parsed once.
type texts struct {
	mu sync.Mutex
	by map[string]*program
}

// textsKept bounds the memory: exec requests carry arguments that never recur.
const textsKept = 256

func newTexts() *texts { return &texts{by: map[string]*program{}} }

// program parses a text as POSIX sh: nothing else gets through, process
// substitution least of all, which would make a named pipe on this machine.
func (t *texts) program(text string) *program {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p, ok := t.by[text]; ok {
		return p
	}
	p := &program{funcs: map[string]bool{}}
	p.file, p.err = syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(text), "sh")
	if p.err == nil {
		p.change(p.file)
	}
	if len(t.by) >= textsKept {
		clear(t.by)
	}
	t.by[text] = p
	return p
}

// printed is the changed program as text, which eval and trap are given in
// place of the text that they were called with.
func (t *texts) printed(text string) (string, *program, error) {
	p := t.program(text)
	if p.err != nil {
		return "", p, p.err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.text == "" {
		var b bytes.Buffer
		if err := syntax.NewPrinter().Print(&b, p.file); err != nil {
			return "", p, err
		}
		p.text = b.String()
	}
	return p.text, p, nil
}

// change rewrites everything below a node.
func (p *program) change(root syntax.Node) {
	keep := map[*syntax.ParamExp]bool{}
	here := map[*syntax.Word]bool{} // here-documents
	lists := func(all ...*[]*syntax.Stmt) {
		for _, list := range all {
			*list = background(*list, keep)
		}
	}
	syntax.Walk(root, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.File:
			lists(&n.Stmts)
		case *syntax.Block:
			lists(&n.Stmts)
		case *syntax.Subshell:
			lists(&n.Stmts)
		case *syntax.CmdSubst:
			lists(&n.Stmts)
		case *syntax.IfClause:
			lists(&n.Cond, &n.Then)
		case *syntax.WhileClause:
			lists(&n.Cond, &n.Do)
		case *syntax.ForClause:
			lists(&n.Do)
		case *syntax.CaseItem:
			lists(&n.Stmts)
		case *syntax.Stmt:
			declaration(n)
		case *syntax.FuncDecl:
			p.funcs[n.Name.Value] = true
		case *syntax.Redirect:
			if n.Hdoc != nil {
				here[n.Hdoc] = true
			}
		case *syntax.ParamExp:
			if n.Param != nil && !keep[n] && renamed[n.Param.Value] != "" {
				n.Param, n.Short = &syntax.Lit{Value: renamed[n.Param.Value]}, false
			}
		case *syntax.Word:
			if !here[n] {
				plainTilde(n)
			}
		}
		return true
	})
}

// declaration turns export and its like into what the interpreter takes for
// them: in POSIX texts it parses them as commands, which it then cannot run.
func declaration(s *syntax.Stmt) {
	call, ok := s.Cmd.(*syntax.CallExpr)
	if !ok || len(call.Args) == 0 || len(call.Assigns) > 0 {
		return
	}
	variant, ok := call.Args[0].Parts[0].(*syntax.Lit)
	if !ok || len(call.Args[0].Parts) > 1 || variant.Value != "export" && variant.Value != "readonly" && variant.Value != "local" {
		return
	}
	decl := &syntax.DeclClause{Variant: variant}
	for _, w := range call.Args[1:] {
		first, ok := w.Parts[0].(*syntax.Lit)
		name, value, assigns := "", "", false
		if ok {
			name, value, assigns = strings.Cut(first.Value, "=")
		}
		switch {
		case assigns && syntax.ValidName(name):
			rest := &syntax.Word{Parts: append([]syntax.WordPart{&syntax.Lit{Value: value}}, w.Parts[1:]...)}
			decl.Args = append(decl.Args, &syntax.Assign{Name: &syntax.Lit{Value: name}, Value: rest})
		case ok && len(w.Parts) == 1 && syntax.ValidName(name):
			decl.Args = append(decl.Args, &syntax.Assign{Naked: true, Name: first})
		default:
			decl.Args = append(decl.Args, &syntax.Assign{Naked: true, Value: w})
		}
	}
	s.Cmd = decl
}

// background replaces the jobs in a list of statements.
func background(list []*syntax.Stmt, keep map[*syntax.ParamExp]bool) []*syntax.Stmt {
	var changed []*syntax.Stmt
	for i, s := range list {
		if !s.Background {
			if changed != nil {
				changed = append(changed, s)
			}
			continue
		}
		if changed == nil {
			changed = append(changed, list[:i]...)
		}
		changed = append(changed, jobOf(s, keep)...)
	}
	if changed == nil {
		return list
	}
	return changed
}

// jobOf is what one "S &" becomes.
func jobOf(s *syntax.Stmt, keep map[*syntax.ParamExp]bool) []*syntax.Stmt {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(jobText), "")
	if err != nil {
		panic(fmt.Sprintf("the shell's own text does not parse: %v", err))
	}
	inner := *s
	inner.Background = false
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.ParamExp:
			keep[n] = true
		case *syntax.Subshell:
			n.Stmts = []*syntax.Stmt{&inner}
			return false
		}
		return true
	})
	return file.Stmts
}

// plainTilde keeps "~name" from being looked up among this machine's users.
func plainTilde(w *syntax.Word) {
	for i, part := range w.Parts {
		lit, ok := part.(*syntax.Lit)
		if !ok {
			continue
		}
		v := lit.Value
		if i == 0 && strings.HasPrefix(v, "~") && len(v) > 1 && v[1] != '/' {
			v = `\` + v
		}
		for at := strings.Index(v, ":~"); at >= 0; at = strings.Index(v, ":~") {
			v = v[:at+1] + `\` + v[at+1:]
		}
		if v != lit.Value {
			w.Parts[i] = &syntax.Lit{ValuePos: lit.ValuePos, ValueEnd: lit.ValueEnd, Value: v}
		}
	}
}
