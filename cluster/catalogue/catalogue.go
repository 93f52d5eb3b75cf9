// Package catalogue loads the signs, failures and procedures that stand as
// YAML, and refuses an entry that could not keep its promise: an unknown fact,
// a step without guard, effect, deadline and tier, a pattern that would have
// to be tried on every line. Every complaint names file, line and column and
// says what to do. The others receive values and never read YAML.
package catalogue

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"chef-backend-cockpit/cluster"
)

// Catalogue is everything that was loaded, in the order of files and entries.
type Catalogue struct {
	Signs      []cluster.Sign
	Failures   []cluster.Failure
	Procedures []cluster.Procedure
}

// document is one file; each may hold any of the three lists.
type document struct {
	Signs      []signEntry      `yaml:"signs"`
	Failures   []failureEntry   `yaml:"failures"`
	Procedures []procedureEntry `yaml:"procedures"`
}

// file is a document with its positions.
type file struct {
	name string
	doc  document
	tree *ast.File
	site bool // added by the site, not built in
}

// Problem is one complaint about the catalogue.
type Problem struct {
	File         string
	Line, Column int
	Text         string // what is wrong and what to do
}

// Error writes file:line:column: text.
func (p Problem) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Text)
}

// before orders problems as one reads the files.
func (p Problem) before(q Problem) bool {
	if p.File != q.File {
		return p.File < q.File
	}
	if p.Line != q.Line {
		return p.Line < q.Line
	}
	return p.Column < q.Column
}

// Load reads every .yaml file of the folder, in the order of names, strictly:
// unknown keys are errors. On any complaint the catalogue is nil and the error
// holds them all, one Problem a line (errors.As finds the first).
func Load(fsys fs.FS, dir string) (*Catalogue, error) { return loadAll(fsys, dir, nil, "") }

// LoadWithSite is Load with the files of a site's own folder beside. What they
// hold is marked as local and bound by the rules of site.go. name is what the
// site's folder is called in complaints. A folder without .yaml files is an error.
func LoadWithSite(fsys fs.FS, dir string, site fs.FS, name string) (*Catalogue, error) {
	return loadAll(fsys, dir, site, name)
}

func loadAll(fsys fs.FS, dir string, site fs.FS, siteName string) (*Catalogue, error) {
	l := &linter{}
	files, err := l.folder(fsys, dir)
	if err != nil {
		return nil, err
	}
	if site != nil {
		own, err := l.folder(site, ".")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", siteName, err)
		}
		for _, f := range own {
			f.name, f.site = path.Join(siteName, f.name), true
			files = append(files, f)
		}
		for i := range l.problems { // files that cannot be read at all
			l.problems[i].File = path.Join(siteName, l.problems[i].File)
		}
	}
	c := &Catalogue{}
	for _, f := range files {
		l.take(c, f)
	}
	if len(l.problems) == 0 { // names are only missing for sure once all files were read
		l.references(c)
		l.site(c)
	}
	if len(l.problems) == 0 {
		return c, nil
	}
	sort.SliceStable(l.problems, func(i, j int) bool { return l.problems[i].before(l.problems[j]) })
	errs := make([]error, len(l.problems))
	for i, p := range l.problems {
		errs[i] = p
	}
	return nil, errors.Join(errs...)
}

// folder reads the files of one folder; those that cannot be read are noted.
func (l *linter) folder(fsys fs.FS, dir string) ([]*file, error) {
	names, err := fs.Glob(fsys, path.Join(dir, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("catalogue: no .yaml file in %q: name a folder that holds some", dir)
	}
	sort.Strings(names)
	var files []*file
	for _, name := range names {
		if f := l.read(fsys, name); f != nil {
			files = append(files, f)
		}
	}
	return files, nil
}

// read parses one file; nil when it cannot be read at all.
func (l *linter) read(fsys fs.FS, name string) *file {
	raw, err := fs.ReadFile(fsys, name)
	if err != nil {
		l.add(name, nil, "cannot be read: %v", err)
		return nil
	}
	tree, err := parser.ParseBytes(raw, 0)
	if err != nil {
		l.syntax(name, err)
		return nil
	}
	f := &file{name: name, tree: tree}
	if len(tree.Docs) != 1 {
		l.add(name, nil, "holds %d YAML documents: keep one to a file", len(tree.Docs))
		return nil
	}
	if err := yaml.NodeToValue(tree.Docs[0].Body, &f.doc, yaml.Strict()); err != nil {
		l.syntax(name, err)
		return nil
	}
	return f
}

// syntax turns an error of the YAML library into a problem.
func (l *linter) syntax(name string, err error) {
	var y yaml.Error
	if !errors.As(err, &y) {
		l.add(name, nil, "%v", err)
		return
	}
	p := Problem{File: name, Line: 1, Column: 1, Text: firstLine(y.GetMessage())}
	if t := y.GetToken(); t != nil && t.Position != nil {
		p.Line, p.Column = t.Position.Line, t.Position.Column
	}
	if strings.HasPrefix(p.Text, "unknown field") {
		p.Text += ": check the spelling, or remove it"
	}
	l.problems = append(l.problems, p)
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// add notes a problem at a token; without one it is the file's beginning.
func (l *linter) add(name string, at *token.Token, format string, args ...any) {
	p := Problem{File: name, Line: 1, Column: 1, Text: fmt.Sprintf(format, args...)}
	if at != nil && at.Position != nil {
		p.Line, p.Column = at.Position.Line, at.Position.Column
	}
	l.problems = append(l.problems, p)
}

// at finds the token of a YAML path such as "$.failures[2].confirmed[0]"; what
// is not there is looked for one level up, so that a missing key is reported
// at its entry.
func (f *file) at(p string) *token.Token {
	for p != "$" && p != "" {
		if y, err := yaml.PathString(p); err == nil {
			if n, err := y.FilterFile(f.tree); err == nil && n != nil {
				return firstToken(n)
			}
		}
		cut := strings.LastIndexAny(p, ".[")
		if cut < 0 {
			break
		}
		p = p[:cut]
	}
	return nil
}

// firstToken is where a node begins: a mapping's own token is its first colon.
func firstToken(n ast.Node) *token.Token {
	switch n := n.(type) {
	case *ast.MappingNode:
		if len(n.Values) > 0 {
			return n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	}
	return n.GetToken()
}
