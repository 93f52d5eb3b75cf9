package recovery

import (
	"io/fs"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
)

// catalogue reads the product's own procedures without the linter, which is
// another package's: packages below cluster do not import each other.
func catalogue(t *testing.T) []cluster.Procedure {
	t.Helper()
	catalogueOnce.Do(func() { catalogueRead = readCatalogue(t) })
	return slices.Clone(catalogueRead)
}

var (
	catalogueOnce sync.Once
	catalogueRead []cluster.Procedure
)

func readCatalogue(t *testing.T) []cluster.Procedure {
	t.Helper()
	var out []cluster.Procedure
	for _, e := range entries(t) {
		p := cluster.Procedure{Name: e.Name, Section: e.Section, Title: e.Title, Target: e.Target, Tier: tierOf(e.Tier), Phrase: e.Phrase,
			Guards: guardsOf(t, e.Guards), Steps: stepsOf(t, e.Steps), Back: stepsOf(t, e.Back), BackFrom: e.BackFrom, Lost: e.Lost, Built: e.Built}
		for _, r := range e.Raise {
			p.Raise = append(p.Raise, cluster.TierRule{When: questionOf(t, r.When), Tier: tierOf(r.Tier), Phrase: r.Phrase})
		}
		out = append(out, p)
	}
	return out
}

func entries(t *testing.T) (all []entry) {
	t.Helper()
	names, err := fs.Glob(assets.Files, "catalogue/procedures*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		var doc struct{ Procedures []entry }
		if err := yaml.Unmarshal([]byte(assets.MustRead(name)), &doc); err != nil {
			t.Fatal(err)
		}
		all = append(all, doc.Procedures...)
	}
	return all
}

type entry struct {
	Name, Section, Title, Target, Tier, Phrase, Lost string
	Raise                                            []struct{ When, Tier, Phrase string }
	Guards                                           []any
	Steps, Back                                      []stepOf
	BackFrom                                         string `yaml:"back-from"`
	Built                                            bool
}

type stepOf struct {
	ID, Kind, Phrase, Say, On, Command, When, Deadline, Destroys string
	ToDo                                                         string `yaml:"to-do"`
	NewMachine                                                   bool   `yaml:"new-machine"`
	Guards                                                       []any
	Effects                                                      []string
	EffectSay                                                    string `yaml:"effect-say"`
	Repeatable, Joined                                           bool
}

func tierOf(s string) cluster.Tier { return cluster.Tier(s[1] - '0') }

func questionOf(t *testing.T, s string) cluster.Question {
	t.Helper()
	q, err := cluster.ParseQuestion(s)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func guardsOf(t *testing.T, raw []any) (out []cluster.Guard) {
	for _, g := range raw {
		switch g := g.(type) {
		case string:
			out = append(out, cluster.Guard{Question: questionOf(t, g)})
		case map[string]any:
			out = append(out, cluster.Guard{Question: questionOf(t, g["fact"].(string)), Override: g["override"].(string)})
		}
	}
	return out
}

func stepsOf(t *testing.T, raw []stepOf) (out []cluster.Step) {
	for _, s := range raw {
		d, err := time.ParseDuration(s.Deadline)
		if err != nil {
			t.Fatal(err)
		}
		step := cluster.Step{ID: s.ID, Kind: cluster.StepKind(s.Kind), ToDo: s.ToDo, Phrase: s.Phrase, NewMachine: s.NewMachine, Say: s.Say, On: s.On, Command: s.Command, Guards: guardsOf(t, s.Guards), EffectSay: s.EffectSay,
			Deadline: d, Repeatable: s.Repeatable, Joined: s.Joined, Destroys: s.Destroys}
		if s.When != "" {
			q := questionOf(t, s.When)
			step.When = &q
		}
		for _, e := range s.Effects {
			step.Effects = append(step.Effects, questionOf(t, e))
		}
		out = append(out, step)
	}
	return out
}
