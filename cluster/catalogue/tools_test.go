package catalogue

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
)

// shellOwn are what every POSIX shell does by itself.
var shellOwn = strings.Fields(": [ break cd command continue echo exec exit export printf read return set shift trap umask unset wait test eval")

// inside is what a wrapper runs: the words behind its own. ok is false for a
// command that is none.
func inside(words []string) (rest []string, ok bool) {
	skip := map[string]int{"probe_within": 2, "probe_section": 3, "probe_tool": 1, "doctor_find": 1, "setsid": 1, "exec": 1}
	switch words[0] {
	case "timeout", "flock":
		rest = words[1:]
		for len(rest) > 0 && strings.HasPrefix(rest[0], "-") {
			if rest[0] == "-s" && words[0] == "timeout" {
				rest = rest[1:]
			}
			rest = rest[1:]
		}
		return rest[min(1, len(rest)):], true
	}
	n, ok := skip[words[0]]
	return words[min(n, len(words)):], ok
}

// commandsOf lists what a shell text runs: the first words of its commands, what
// wrappers run, and the same of the texts that stand in it in quotes. It adds the
// functions that it declares to own.
func commandsOf(t *testing.T, name, text string, own map[string]bool) (all []string) {
	t.Helper()
	f, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(text), name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	syntax.Walk(f, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.FuncDecl:
			own[n.Name.Value] = true
		case *syntax.SglQuoted:
			if strings.Contains(n.Value, "\n") && strings.Contains(n.Value, "printf") || strings.Contains(n.Value, "echo $? >") {
				all = append(all, commandsOf(t, name, n.Value, own)...)
			}
		case *syntax.CallExpr:
			if len(n.Args) == 0 {
				break
			}
			words := make([]string, len(n.Args)) // "" for what is no plain word
			for i, a := range n.Args {
				words[i] = a.Lit()
			}
			for ok := true; ok && len(words) > 0; words, ok = inside(words) {
				all = append(all, words[0])
			}
		}
		return true
	})
	return all
}

// The doctor knows every tool that scripts and steps run, and no other.
func TestToolsOfTheDoctorAreThoseOfScriptsAndSteps(t *testing.T) {
	plain := regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)
	used, own := map[string]string{}, map[string]bool{}
	note := func(name string, words []string) {
		for _, w := range words {
			if plain.MatchString(w) {
				used[w] = name
			}
		}
	}
	scripts, err := fs.Glob(assets.Files, "scripts/*.sh")
	if err != nil || len(scripts) < 10 {
		t.Fatalf("%d scripts, %v", len(scripts), err)
	}
	for _, s := range scripts {
		note(path.Base(s), commandsOf(t, s, assets.MustRead(s), own))
	}
	c, err := Load(assets.Files, "catalogue")
	if err != nil {
		t.Fatal(err)
	}
	holes := regexp.MustCompile(`\{[a-z0-9-]+\}`)
	for _, p := range c.Procedures {
		for _, s := range p.Steps {
			note(p.Name, commandsOf(t, p.Name, holes.ReplaceAllString(s.Command, "x"), own))
		}
	}
	names := cluster.ToolNames()
	for w, where := range used {
		if !slices.Contains(names, w) && !slices.Contains(shellOwn, w) && !own[w] && w != "true" && w != "sshd" {
			t.Errorf("%s runs %s, of which the doctor knows nothing", where, w)
		}
	}
	for _, name := range names {
		if used[name] == "" {
			t.Errorf("the doctor asks for %s, which nothing runs", name)
		}
	}
}
