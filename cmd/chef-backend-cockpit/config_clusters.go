package main

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"

	"chef-backend-cockpit/remote"
)

// Bounds of what a configuration may say.
const (
	mostNodes = 3  // of a Chef Backend cluster
	mostStamp = 24 // characters of the situation line
)

// colours are the words that a stamp's colour may be.
var colours = []string{"red", "amber", "green", "blue", "magenta", "cyan"}

var (
	clusterName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
	hostName    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$`)
	loginName   = regexp.MustCompile(`^[^\s@:/-][^\s@:/]{0,63}$`)
)

// configReader reads the clusters.
type configReader struct {
	yamlReader
	config *config
}

// clusters reads clusters by name.
func (r *configReader) clusters(n ast.Node) {
	for _, e := range r.entries(n, "a list of clusters by name", 0) {
		if err := checkClusterName(e.key); err != nil {
			r.add(e.at, "%v", err)
			continue
		}
		r.config.Clusters[e.key] = r.cluster(e)
	}
}

// checkClusterName refuses what cannot be typed or completed as one word.
func checkClusterName(name string) error {
	if clusterName.MatchString(name) {
		return nil
	}
	return fmt.Errorf("%q is no name of a cluster; use letters, digits, dots, dashes and underscores", name)
}

// cluster reads one cluster.
func (r *configReader) cluster(e entry) clusterConfig {
	var c clusterConfig
	var nodes ast.Node
	if !r.isNull(e.value) {
		r.mapping(e.value, "cluster "+e.key, []field{
			{"stamp", func(n ast.Node) { c.Stamp = r.checked(n, "stamp", checkStamp) }},
			{"colour", func(n ast.Node) { c.Colour = r.checked(n, "colour", checkColour) }},
			{"nodes", func(n ast.Node) { nodes = n }},
			{"user", func(n ast.Node) { c.User = r.checked(n, "user", checkUser) }},
			{"port", func(n ast.Node) { c.Port = r.number(n, "port", 1, 65535) }},
			{"jump", func(n ast.Node) { c.Jump = r.checked(n, "jump", checkJump) }},
			{"identity", func(n ast.Node) { c.Identity = r.files(n, e.key, "identity") }},
			{"known-hosts", func(n ast.Node) { c.KnownHosts = r.files(n, e.key, "known-hosts") }},
			{"legacy", func(n ast.Node) { c.Legacy = r.truth(n, "legacy") }},
		})
	}
	if nodes == nil {
		if len(r.problems) == 0 { // else a mistyped key is told twice
			r.add(e.at, "cluster %s has no nodes; add nodes: with a line - host: NAME_OR_ADDRESS", e.key)
		}
		return c
	}
	c.Nodes = r.nodes(nodes, e.key)
	return c
}

// nodes reads the nodes of a cluster.
func (r *configReader) nodes(n ast.Node, cluster string) []nodeConfig {
	items := r.list(n)
	if len(items) == 0 {
		r.add(n, "cluster %s has no nodes; add - host: NAME_OR_ADDRESS", cluster)
	}
	if len(items) > mostNodes {
		r.add(items[mostNodes], "cluster %s has %d nodes, a Chef Backend cluster has %d; remove what is no backend node", cluster, len(items), mostNodes)
		items = items[:mostNodes]
	}
	seen := map[string]int{}
	var nodes []nodeConfig
	for i, item := range items {
		nodes = append(nodes, r.node(item, cluster, i+1, seen))
	}
	return nodes
}

// node reads one node; seen are the words of those before it, with their lines.
func (r *configReader) node(n ast.Node, cluster string, number int, seen map[string]int) nodeConfig {
	var c nodeConfig
	once := func(n ast.Node, key string, check func(string) error) string {
		text := r.checked(n, key, check)
		if text == "" {
			return ""
		}
		id := key + " " + strings.ToLower(text)
		if line := seen[id]; line > 0 {
			r.add(n, "%s %s of cluster %s stands in line %d already; correct or remove one", key, text, cluster, line)
		}
		seen[id] = firstToken(n).Position.Line
		return text
	}
	if s, ok := r.plain(n).(ast.ScalarNode); ok {
		r.add(n, "node %d of cluster %s has no keys; write - host: %s", number, cluster, or(s.GetToken().Value, "NAME_OR_ADDRESS"))
		return c
	}
	before := len(r.problems)
	r.mapping(n, fmt.Sprintf("node %d of cluster %s", number, cluster), []field{
		{"host", func(n ast.Node) { c.Host = once(n, "host", checkHost) }},
		{"name", func(n ast.Node) { c.Name = once(n, "name", checkName) }},
		{"address", func(n ast.Node) { c.Address = once(n, "address", checkAddress) }},
		{"legacy", func(n ast.Node) { c.Legacy = r.truth(n, "legacy") }},
	})
	if c.Host == "" && len(r.problems) == before {
		r.add(n, "node %d of cluster %s has no host; add host: NAME_OR_ADDRESS", number, cluster)
	}
	return c
}

// checked reads a text that a check accepts.
func (r *configReader) checked(n ast.Node, key string, check func(string) error) string {
	text, ok := r.text(n, key)
	if !ok {
		return ""
	}
	if err := check(text); err != nil {
		r.add(n, "%s: %v", key, err)
		return ""
	}
	return text
}

// files reads a list of paths.
func (r *configReader) files(n ast.Node, cluster, key string) []string {
	items := r.list(n)
	if len(items) == 0 {
		r.add(n, "%s names no file; name one, or remove the line", key)
	}
	var paths []string
	for _, item := range items {
		if path := r.path(item, cluster, key); path != "" {
			paths = append(paths, path)
		}
	}
	return paths
}

// path reads the path of a file or folder and notes where it stands.
func (r *configReader) path(n ast.Node, cluster, key string) string {
	path := r.checked(n, key, checkPath)
	if path != "" {
		at := firstToken(n).Position
		r.config.paths = append(r.config.paths, namedPath{cluster, key, path, problem{file: r.file, line: at.Line, column: at.Column}})
	}
	return path
}

func checkStamp(s string) error {
	if n := utf8.RuneCountInString(s); n > mostStamp {
		return fmt.Errorf("%d characters are too many for the screen; use at most %d", n, mostStamp)
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return fmt.Errorf("%q holds a control character; use letters, digits and signs", s)
	}
	return nil
}

func checkColour(s string) error {
	if slices.Contains(colours, s) {
		return nil
	}
	return fmt.Errorf("%q is no colour of a stamp; use one of %s", s, strings.Join(colours, ", "))
}

func checkUser(s string) error {
	if loginName.MatchString(s) {
		return nil
	}
	return fmt.Errorf("%q is no login name; write the name alone, as in user: root", s)
}

func checkJump(s string) error {
	if err := remote.CheckJump(s); err != nil {
		return fmt.Errorf("%w; use [user@]host[:port], several separated by commas, or none", err)
	}
	return nil
}

func checkHost(s string) error {
	if err := remote.CheckDestination(s); err != nil {
		return fmt.Errorf("%w; use a name, an address or an alias of ~/.ssh/config", err)
	}
	return nil
}

func checkName(s string) error {
	if hostName.MatchString(s) {
		return nil
	}
	return fmt.Errorf("%q is no name of a node; use what cluster-status calls it, as in be1", s)
}

func checkAddress(s string) error {
	if _, err := netip.ParseAddr(s); err == nil {
		return nil
	}
	if hostName.MatchString(s) && strings.Trim(s, "0123456789.") != "" {
		return nil // a cluster whose members know each other by name
	}
	return fmt.Errorf("%q is no address; use the one that cluster-status shows, as in 10.0.4.11, without a port", s)
}

func checkPath(s string) error {
	if strings.HasPrefix(s, "/") || strings.HasPrefix(s, "~/") || strings.HasPrefix(s, "%d/") {
		return nil
	}
	return fmt.Errorf("%q depends on the folder that one starts in; begin it with / or ~/", s)
}
