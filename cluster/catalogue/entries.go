package catalogue

import (
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// The entries are the YAML's own shapes; the linter turns them into values.

type signEntry struct {
	Name     string   `yaml:"name"`
	Services []string `yaml:"services"`
	Pattern  string   `yaml:"pattern"`
	Meaning  string   `yaml:"meaning"`
	Source   string   `yaml:"source"`
}

type failureEntry struct {
	Name      string            `yaml:"name"`
	Section   string            `yaml:"section"`
	Scope     string            `yaml:"scope"`
	Priority  string            `yaml:"priority"`
	Escalate  []escalationEntry `yaml:"escalate"`
	Title     string            `yaml:"title"`
	Cause     string            `yaml:"cause"`
	Ignored   string            `yaml:"ignored"`
	Time      string            `yaml:"time"`
	First     string            `yaml:"first"`
	Confirmed []string          `yaml:"confirmed"`
	Suspected []string          `yaml:"suspected"`
	Seen      []string          `yaml:"seen"`
	NotWhen   []string          `yaml:"not-when"`
	Shows     []string          `yaml:"shows"`
	Hold      string            `yaml:"hold"`
	Suspect   string            `yaml:"suspected-hold"`
	Looks     int               `yaml:"looks"`
	Clear     int               `yaml:"clear"`
	Hides     []hideEntry       `yaml:"hides"`
	Offers    []offerEntry      `yaml:"offers"`
	Advice    []string          `yaml:"advice"`
	Above     bool              `yaml:"above"`
}

type escalationEntry struct {
	When     string `yaml:"when"`
	Priority string `yaml:"priority"`
}

type hideEntry struct {
	Failure string   `yaml:"failure"`
	Node    string   `yaml:"node"`
	Except  []string `yaml:"except"`
}

type offerEntry struct {
	Procedure string `yaml:"procedure"`
	Service   string `yaml:"service"`
	Note      string `yaml:"note"`
	Upstream  bool   `yaml:"upstream"`
}

type procedureEntry struct {
	Name     string       `yaml:"name"`
	Section  string       `yaml:"section"`
	Title    string       `yaml:"title"`
	Summary  string       `yaml:"summary"`
	Target   string       `yaml:"target"`
	Tier     string       `yaml:"tier"`
	Raise    []raiseEntry `yaml:"raise"`
	Phrase   string       `yaml:"phrase"`
	Guards   []guardEntry `yaml:"guards"`
	Steps    []stepEntry  `yaml:"steps"`
	Back     []stepEntry  `yaml:"back"`
	BackFrom string       `yaml:"back-from"`
	Lost     string       `yaml:"lost"`
	Kept     string       `yaml:"kept"`
	Lasts    string       `yaml:"lasts"`
	WayBack  string       `yaml:"way-back"`
	Built    bool         `yaml:"built"`
}

type raiseEntry struct {
	When   string `yaml:"when"`
	Tier   string `yaml:"tier"`
	Phrase string `yaml:"phrase"`
}

// stepEntry is one step. Its guards, effects and when are asked about the
// plan's node; those of a step on other1 or other2 about that node.
type stepEntry struct {
	ID         string       `yaml:"id"`
	Kind       string       `yaml:"kind"`   // manual, terminal, or none: a command
	ToDo       string       `yaml:"to-do"`  // of a manual step; may hold lines
	Phrase     string       `yaml:"phrase"` // typed before the step begins
	Say        string       `yaml:"say"`
	On         string       `yaml:"on"`
	Command    string       `yaml:"command"`
	Guards     []guardEntry `yaml:"guards"`
	When       string       `yaml:"when"`
	Effects    []string     `yaml:"effects"`
	EffectSay  string       `yaml:"effect-say"`
	Deadline   string       `yaml:"deadline"`
	Repeatable bool         `yaml:"repeatable"`
	Destroys   string       `yaml:"destroys"`
	Joined     bool         `yaml:"joined"`
	NewMachine bool         `yaml:"new-machine"` // the node may be another machine than when the plan was made
}

// guardEntry is a question alone, or a mapping with an override.
type guardEntry struct {
	Fact     string
	Override string
}

// UnmarshalYAML accepts both shapes and refuses any other key.
func (g *guardEntry) UnmarshalYAML(n ast.Node) error {
	var plain string
	if err := yaml.NodeToValue(n, &plain); err == nil {
		g.Fact = plain
		return nil
	}
	var both struct {
		Fact     string `yaml:"fact"`
		Override string `yaml:"override"`
	}
	if err := yaml.NodeToValue(n, &both, yaml.Strict()); err != nil {
		return fmt.Errorf("a guard is a fact, or a mapping of fact and override: %w", err)
	}
	g.Fact, g.Override = both.Fact, both.Override
	return nil
}
