package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"chef-backend-cockpit/cluster"
)

// doctorJSON is the JSON of the contract: names and shapes are stable.
type doctorJSON struct {
	Cluster       string             `json:"cluster"`
	At            string             `json:"at"`
	Watching      *bool              `json:"watching"` // possible; null: unknown
	Acting        *bool              `json:"acting"`
	Nodes         []doctorNodeJSON   `json:"nodes"`
	Preconditions []preconditionJSON `json:"preconditions"`
}

type doctorNodeJSON struct {
	Name    string `json:"name"`
	Address string `json:"address"` // "" unknown
	Dial    string `json:"dial"`
}

// preconditionJSON is one line. State is ok, not ok or advice; an unknown one is
// null with a reason, and then nothing was seen.
type preconditionJSON struct {
	For    cluster.Purpose   `json:"for"`
	What   string            `json:"what"`
	Node   string            `json:"node"` // "" the cluster, "here" this machine
	State  *cluster.Standing `json:"state"`
	Seen   string            `json:"seen"`
	Reason string            `json:"reason"`
	Remedy string            `json:"remedy"`
}

func (c *checkup) json() doctorJSON {
	j := doctorJSON{Cluster: c.cluster, At: stamp(c.at), Nodes: []doctorNodeJSON{}, Preconditions: []preconditionJSON{},
		Watching: possible(c.all, cluster.ToWatch), Acting: possible(c.all, cluster.ToAct)}
	for _, n := range c.nodes {
		j.Nodes = append(j.Nodes, doctorNodeJSON{n.Name, n.Address, n.Dial})
	}
	for _, p := range c.all {
		line := preconditionJSON{For: p.For, What: p.What, Node: p.Node, State: &p.Standing, Seen: p.Seen, Remedy: sentence(p.Remedy)}
		if p.Standing == cluster.Untold {
			line.State, line.Seen, line.Reason = nil, "", p.Seen
		}
		j.Preconditions = append(j.Preconditions, line)
	}
	return j
}

func possible(all []cluster.Precondition, p cluster.Purpose) *bool {
	t := cluster.Possible(all, p)
	if t == cluster.Unknown {
		return nil
	}
	is := t == cluster.True
	return &is
}

// sentence gives a remedy the form of one.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(s)
	s = strings.ToUpper(string(first)) + s[size:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

// Columns of the text.
const (
	doctorWidth = 80
	widestNode  = 16
)

// doctorText writes the lines of a checkup.
type doctorText struct {
	b          strings.Builder
	what, node int // widths
}

// print writes the text: for each purpose what it needs, in the order in which
// it was asked, node by node. What is alike on all nodes is one line.
func (c *checkup) print(w io.Writer) error {
	t := &doctorText{node: len("cluster")}
	for _, p := range c.all {
		t.what = max(t.what, utf8.RuneCountInString(p.What))
		t.node = min(max(t.node, utf8.RuneCountInString(p.Node)), widestNode)
	}
	fmt.Fprintf(&t.b, "%s  %s\n", c.cluster, stamp(c.at))
	for _, purpose := range []cluster.Purpose{cluster.ToWatch, cluster.ToAct} {
		fmt.Fprintf(&t.b, "\n%s  %s\n", strings.ToUpper(string(purpose)), c.summary(purpose))
		for _, p := range c.folded(purpose) {
			t.line(p)
		}
	}
	_, err := io.WriteString(w, t.b.String())
	return err
}

// summary is whether a purpose is possible, and how much stands against it.
func (c *checkup) summary(purpose cluster.Purpose) string {
	bad, unsure := 0, 0
	for _, p := range c.all {
		switch {
		case p.For != purpose:
		case p.Standing == cluster.Amiss:
			bad++
		case p.Standing == cluster.Untold:
			unsure++
		}
	}
	switch {
	case bad+unsure > 0:
		return fmt.Sprintf("%d not ok, %d unknown", bad, unsure)
	case cluster.Possible(c.all, purpose) != cluster.True:
		return "all of this is in order, but what watching needs is not"
	}
	return "possible"
}

// folded is what is to be shown of a purpose. Everything about a node that we
// do not get into is one line behind the others.
func (c *checkup) folded(purpose cluster.Purpose) []cluster.Precondition {
	var whats []string
	var shown, rest []cluster.Precondition
	for _, p := range c.all {
		if p.For == purpose && !slices.Contains(whats, p.What) {
			whats = append(whats, p.What)
		}
	}
	for _, what := range whats {
		var same []cluster.Precondition
		for _, p := range c.all {
			switch {
			case p.For != purpose || p.What != what:
			case p.Standing == cluster.Untold && strings.HasPrefix(p.Seen, cluster.NotLookedAt):
				p.What = "all else"
				if !slices.Contains(rest, p) {
					rest = append(rest, p)
				}
			default:
				same = append(same, p)
			}
		}
		shown = append(shown, c.alike(same)...)
	}
	return append(shown, rest...)
}

// alike makes one line of lines that say one thing of every node.
func (c *checkup) alike(lines []cluster.Precondition) []cluster.Precondition {
	var out []cluster.Precondition
	all := len(c.nodes) > 1
	for _, n := range c.nodes {
		i := slices.IndexFunc(lines, func(p cluster.Precondition) bool { return p.Node == n.Name })
		first := slices.IndexFunc(lines, func(p cluster.Precondition) bool { return p.Node == c.nodes[0].Name })
		all = all && i >= 0 && lines[i].Standing == lines[first].Standing && lines[i].Seen == lines[first].Seen && lines[i].Remedy == lines[first].Remedy
	}
	for _, p := range lines {
		ofNode := p.Node != "" && p.Node != cluster.Here
		switch {
		case all && ofNode && p.Node == c.nodes[0].Name:
			p.Node = "all"
			out = append(out, p)
		case !all || !ofNode:
			out = append(out, p)
		}
	}
	return out
}

// line writes one precondition: what, where, how it stands, what was seen, and
// below it what to do.
func (t *doctorText) line(p cluster.Precondition) {
	node := or(p.Node, "cluster")
	if utf8.RuneCountInString(node) > widestNode {
		node = string([]rune(node)[:widestNode-1]) + "…"
	}
	head := fmt.Sprintf("  %-*s  %-*s  %-7s  ", t.what, p.What, t.node, node, p.Standing)
	indent := strings.Repeat(" ", utf8.RuneCountInString(head))
	for i, line := range wrapped(p.Seen, doctorWidth-len(indent)) {
		if i == 0 {
			t.b.WriteString(head + line + "\n")
		} else {
			t.b.WriteString(indent + line + "\n")
		}
	}
	if p.Remedy == "" {
		return
	}
	for i, line := range wrapped(sentence(p.Remedy), doctorWidth-len(indent)-2) {
		mark := "  "
		if i == 0 {
			mark = "> "
		}
		t.b.WriteString(indent + mark + line + "\n")
	}
}

// wrapped breaks a text at its blanks. A word that is wider than the column, a
// path say, stays whole and stands out: it is there to be copied.
func wrapped(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	return append(lines, line)
}
