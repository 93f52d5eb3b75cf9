package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The tests here hold the shape of the project: which package may import
// which, and where time, processes and goroutines may be.

const module = "chef-backend-cockpit"

// mayImport lists, for a package path below the module, the project's packages
// that its code may import. A package that is not listed fails the test.
var mayImport = map[string][]string{
	"assets":                     {},
	"remote":                     {},
	"cluster":                    {},
	"cluster/catalogue":          {"cluster"},
	"cluster/observe":            {"cluster", "remote", "assets"},
	"cluster/logs":               {"cluster", "remote", "assets"},
	"cluster/failure":            {"cluster"},
	"cluster/recovery":           {"cluster", "remote", "assets"},
	"cluster/journal":            {"cluster", "remote"},
	"cluster/watch":              {"cluster", "remote", "cluster/catalogue", "cluster/observe", "cluster/logs", "cluster/failure", "cluster/recovery", "cluster/journal"},
	"cluster/simulation":         {"cluster", "remote", "cluster/simulation/model", "cluster/simulation/machine"},
	"cluster/simulation/model":   {"cluster"},
	"cluster/simulation/machine": {"cluster"},
	"cluster/drill":              {"cluster"},
	"cluster/scenario":           {"cluster", "cluster/watch", "cluster/logs", "cluster/catalogue", "cluster/journal", "remote", "assets"},
	"tui":                        {"cluster", "cluster/watch", "tui/quiet"},
	"tui/plain":                  {"cluster", "cluster/watch"},
	"tui/quiet":                  {},
}

// goroutinesIn and the others say where a thing may stand.
var (
	goroutinesIn = []string{"remote", "cluster/observe", "cluster/logs", "cluster/watch", "cluster/recovery", "cluster/simulation", "cmd"}
	clockIn      = []string{"cmd", "remote"}
	processesIn  = []string{"remote", "cmd/chef-backend-lab"}
	printIn      = []string{"cmd/chef-backend-lab"} // what services of the lab print is their log
)

// source is one file of the project that is not a test.
type source struct {
	path, pkg string
	file      *ast.File
	lines     int
}

// sources parses the whole project.
func sources(t *testing.T) []source {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	var all []source
	set := token.NewFileSet()
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		all = append(all, source{
			path: filepath.ToSlash(rel), pkg: filepath.ToSlash(filepath.Dir(rel)), file: f, lines: set.File(f.FileStart).LineCount(),
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("only %d files found below %s", len(all), root)
	}
	return all
}

// under answers whether a package is one of the folders or below one.
func under(pkg string, folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return pkg == f || strings.HasPrefix(pkg, f+"/") })
}

func TestImportsRunOneWay(t *testing.T) {
	for _, s := range sources(t) {
		allowed, listed := mayImport[s.pkg]
		if !listed && !strings.HasPrefix(s.pkg, "cmd/") {
			t.Errorf("%s: package %s has no rule; add one", s.path, s.pkg)
			continue
		}
		for _, i := range s.file.Imports {
			path := strings.Trim(i.Path.Value, `"`)
			own, isOwn := strings.CutPrefix(path, module+"/")
			if isOwn && listed && !slices.Contains(allowed, own) {
				t.Errorf("%s imports %s; %s may import %v", s.path, own, s.pkg, allowed)
			}
			if path == "os/exec" && !under(s.pkg, processesIn) {
				t.Errorf("%s imports os/exec", s.path)
			}
			if path == "log" || strings.Contains(path, "charmbracelet/") && !under(s.pkg, []string{"tui"}) {
				t.Errorf("%s imports %s", s.path, path)
			}
		}
	}
}

func TestTimeAndGoroutinesStandWhereTheyMay(t *testing.T) {
	realTime := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}
	for _, s := range sources(t) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				if !under(s.pkg, goroutinesIn) {
					t.Errorf("%s starts a goroutine", s.path)
				}
			case *ast.SelectorExpr:
				x, ok := n.X.(*ast.Ident)
				if !ok {
					break
				}
				if x.Name == "time" && slices.Contains(realTime, n.Sel.Name) && !under(s.pkg, clockIn) {
					t.Errorf("%s uses time.%s", s.path, n.Sel.Name)
				}
				if x.Name == "fmt" && strings.HasPrefix(n.Sel.Name, "Print") && !under(s.pkg, printIn) || x.Name == "ssh" && n.Sel.Name == "InsecureIgnoreHostKey" {
					t.Errorf("%s uses %s.%s", s.path, x.Name, n.Sel.Name)
				}
			}
			return true
		})
	}
}

func TestFilesTellOneStory(t *testing.T) {
	for _, s := range sources(t) {
		if s.lines > 400 {
			t.Errorf("%s has %d lines; split it by story", s.path, s.lines)
		}
	}
}

// TestEveryGoroutineIsGuarded holds that a panic in any goroutine is heard: one
// that is not ends the program with the terminal raw. The parts of a simulated
// machine are outside: nobody's data hangs on them.
func TestEveryGoroutineIsGuarded(t *testing.T) {
	outside := []string{"cluster/simulation/machine", "cmd/chef-backend-lab"}
	all := sources(t)
	begins := map[string]*ast.BlockStmt{} // by package and name
	for _, s := range all {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
				begins[s.pkg+"."+f.Name.Name] = f.Body
			}
		}
	}
	found := 0
	for _, s := range all {
		if under(s.pkg, outside) {
			continue
		}
		check := func(at string, f ast.Expr) {
			found++
			body := begins[s.pkg+"."+nameOf(f)]
			if l, ok := f.(*ast.FuncLit); ok {
				body = l.Body
			}
			if !guarded(body) {
				t.Errorf("%s: %s does not begin with defer remote.Guard()", s.path, at)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				check("go "+nameOf(n.Call.Fun), n.Call.Fun)
			case *ast.CallExpr:
				if x, ok := n.Fun.(*ast.SelectorExpr); ok && x.Sel.Name == "Go" && len(n.Args) == 1 {
					check("Go("+nameOf(n.Args[0])+")", n.Args[0])
				}
			}
			return true
		})
	}
	if found < 30 {
		t.Errorf("only %d goroutines found", found)
	}
}

// nameOf is the name of a function or method that is called.
func nameOf(f ast.Expr) string {
	switch f := f.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return "func"
}

// guarded answers whether a function begins with the guard.
func guarded(body *ast.BlockStmt) bool {
	if body == nil || len(body.List) == 0 {
		return false
	}
	d, ok := body.List[0].(*ast.DeferStmt)
	return ok && nameOf(d.Call.Fun) == "Guard"
}
