package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"chef-backend-cockpit/assets"
)

// exampleCluster is the cluster of the example configuration; it stands for the
// one that is written.
const exampleCluster = "  chef-prod:"

var (
	exampleKey = regexp.MustCompile(`^    ([a-z-]+):`)
	plainWord  = regexp.MustCompile(`^[A-Za-z0-9/][A-Za-z0-9/._@+-]*$|^~/[A-Za-z0-9/._@+-]+$`)
)

// newConfig is the example configuration with the cluster in the example's
// place: what the cluster does not set is a comment.
func newConfig(name string, cl clusterConfig) string {
	var b strings.Builder
	inside, items := false, false
	for line := range strings.Lines(assets.MustRead("example/config.yaml")) {
		line = strings.TrimSuffix(line, "\n")
		switch m := exampleKey.FindStringSubmatch(line); {
		case line == exampleCluster:
			inside, line = true, "  "+name+":"
		case inside && m != nil && m[1] == "nodes":
			items, line = true, "    nodes:\n"+strings.TrimSuffix(nodesText(cl.Nodes, "      "), "\n")
		case inside && m != nil:
			if v := cl.value(m[1]); v != "" {
				line = "    " + m[1] + ": " + v
			} else {
				line = "    # " + strings.TrimSpace(line)
			}
		case items && strings.HasPrefix(line, "      "):
			continue // the example's nodes
		case strings.HasPrefix(line, "catalogue:"), strings.HasPrefix(line, "theme:"):
			line = "# " + line
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// clusterText is a cluster as an entry of clusters, with that indentation.
func clusterText(name string, cl clusterConfig, indent string) string {
	var b strings.Builder
	b.WriteString(indent + name + ":\n")
	for _, key := range []string{"stamp", "colour", "user", "port", "jump", "identity", "known-hosts", "legacy"} {
		if v := cl.value(key); v != "" {
			b.WriteString(indent + "  " + key + ": " + v + "\n")
		}
	}
	b.WriteString(indent + "  nodes:\n" + nodesText(cl.Nodes, indent+"    "))
	return b.String()
}

// value is what a cluster sets for a key, as YAML; "" for nothing.
func (cl clusterConfig) value(key string) string {
	word := func(s string) string {
		if s == "" {
			return ""
		}
		return yamlWord(s)
	}
	words := func(all []string) string {
		var quoted []string
		for _, s := range all {
			quoted = append(quoted, yamlWord(s))
		}
		if len(quoted) == 0 {
			return ""
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	}
	switch key {
	case "stamp":
		return word(cl.Stamp)
	case "colour":
		return word(cl.Colour)
	case "user":
		return word(cl.User)
	case "port":
		if cl.Port != 0 {
			return strconv.Itoa(cl.Port)
		}
	case "jump":
		return word(cl.Jump)
	case "identity":
		return words(cl.Identity)
	case "known-hosts":
		return words(cl.KnownHosts)
	case "legacy":
		if cl.Legacy {
			return "true"
		}
	}
	return ""
}

func nodesText(nodes []nodeConfig, indent string) string {
	var b strings.Builder
	for _, n := range nodes {
		b.WriteString(indent + "- host: " + yamlWord(n.Host) + "\n")
		if n.Name != "" {
			b.WriteString(indent + "  name: " + yamlWord(n.Name) + "\n")
		}
		if n.Address != "" {
			b.WriteString(indent + "  address: " + yamlWord(n.Address) + "\n")
		}
		if n.Legacy {
			b.WriteString(indent + "  legacy: true\n")
		}
	}
	return b.String()
}

// yamlWord is a text as one YAML value, quoted where it could be read as
// anything else.
func yamlWord(s string) string {
	switch strings.ToLower(s) {
	case "null", "true", "false", "yes", "no", "on", "off":
	default:
		if plainWord.MatchString(s) {
			return s
		}
	}
	b, err := json.Marshal(s) // YAML's double quotes read all of JSON's
	if err != nil {
		return strconv.Quote(s)
	}
	return string(b)
}

// errByHand says that a file is written in a way to which nothing is added
// without a person.
var errByHand = errors.New("it is written in a way that this program does not change")

// withCluster is a configuration with one cluster more. Every other byte stays:
// comments, order and spelling are the owner's. The result is read again and must
// say what both said before.
func withCluster(path string, text []byte, name string, cl clusterConfig) ([]byte, error) {
	before, err := parseConfig(path, text)
	if err != nil {
		return nil, err
	}
	if _, there := before.Clusters[name]; there {
		return nil, usage("%s has a cluster %s already; choose another name, or change that one there", path, name)
	}
	r := &yamlReader{file: path}
	at, block := insertion(r, text, name, cl)
	if at < 0 {
		return nil, errByHand
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	var out []byte
	for i, line := range lines {
		if i == at {
			out = append(out, block...)
		}
		out = append(out, line...)
	}
	if at >= len(lines) {
		if len(out) > 0 && out[len(out)-1] != '\n' {
			out = append(out, '\n')
		}
		out = append(out, block...)
	}
	after, problems := readConfig(path, out)
	if len(problems) > 0 || !reflect.DeepEqual(after.Clusters[name], cl) || after.Catalogue != before.Catalogue || after.Theme != before.Theme {
		return nil, errByHand
	}
	delete(after.Clusters, name)
	if !reflect.DeepEqual(after.Clusters, before.Clusters) {
		return nil, errByHand
	}
	return out, nil
}

// insertion is the line, from 0, before which the text of a cluster goes, and
// that text; -1 where there is no such line.
func insertion(r *yamlReader, text []byte, name string, cl clusterConfig) (int, string) {
	lines := strings.SplitAfter(string(text), "\n")
	end := len(lines)
	if lines[end-1] == "" {
		end-- // the text ends with a line feed
	}
	top := r.parse(text)
	if top == nil {
		return max(end, 1), "\nclusters:\n" + clusterText(name, cl, "  ")
	}
	for _, e := range r.entries(top, "", 0) {
		if e.key != "clusters" {
			continue
		}
		m, ok := e.value.(*ast.MappingNode)
		if !ok || m.IsFlowStyle || len(m.Values) == 0 {
			return -1, ""
		}
		indent := m.Values[0].Key.GetToken().Position.Column - 1
		last := &lastLine{}
		ast.Walk(last, m)
		return afterComments(lines, last.line, indent), "\n" + clusterText(name, cl, strings.Repeat(" ", indent))
	}
	return max(end, 1), "\nclusters:\n" + clusterText(name, cl, "  ")
}

// afterComments moves on over comments that belong to what ends before line n:
// they are indented deeper than its key.
func afterComments(lines []string, n, indent int) int {
	for i := n; i < len(lines); i++ {
		text := strings.TrimLeft(lines[i], " ")
		if strings.TrimSpace(text) == "" {
			continue
		}
		if !strings.HasPrefix(text, "#") || len(lines[i])-len(text) <= indent {
			break
		}
		n = i + 1
	}
	return n
}

// lastLine is the last line, from 1, on which something of a tree stands.
type lastLine struct{ line int }

// Visit looks at one node (ast.Visitor).
func (l *lastLine) Visit(n ast.Node) ast.Visitor {
	ends := []*token.Token{n.GetToken()}
	switch n := n.(type) {
	case *ast.MappingNode:
		ends = append(ends, n.End)
	case *ast.SequenceNode:
		ends = append(ends, n.End)
	case *ast.LiteralNode:
		l.line = max(l.line, n.Start.Position.Line+1+strings.Count(strings.TrimRight(n.Value.GetToken().Origin, " \n"), "\n"))
		return nil // the text's own token stands where the text has ended
	}
	for _, t := range ends {
		if t != nil && t.Position != nil {
			l.line = max(l.line, t.Position.Line)
		}
	}
	return l
}

// writeNew writes a file of this user's own, whole or not at all, and never over
// one that is there: then the error is fs.ErrExist.
func writeNew(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	half, err := writeHalf(path, text, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(half)
	err = os.Link(half, path) // a rename would overwrite
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	return os.Rename(half, path) // a file system without hard links
}

// writeOver replaces a file whole or not at all, with its mode, if it still is
// what it was. A link stays one.
func writeOver(path string, was, text []byte) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	half, err := writeHalf(path, text, info.Mode().Perm())
	if err != nil {
		return err
	}
	defer os.Remove(half) // gone already when all went well
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, was) {
		return fmt.Errorf("%s was changed meanwhile; try again", path)
	}
	return os.Rename(half, path)
}

// writeHalf writes a file beside path, to be put in its place.
func writeHalf(path string, text []byte, mode fs.FileMode) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".half-*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}
