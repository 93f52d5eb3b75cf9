package scenario

import (
	"slices"
	"strings"
	"testing"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster/catalogue"
)

// unrun are the procedures that no row carries out, because there is nothing
// that could be carried out.
var unrun = map[string]string{
	"call-support": "it tells whom to call and with what",
	"force-leader": "it is never armed, only shown",
}

// Every failure of the catalogue is what some row expects, and every procedure
// is carried out by some row.
func TestTableCoversTheCatalogue(t *testing.T) {
	c, err := catalogue.Load(assets.Files, "catalogue")
	if err != nil {
		t.Fatal(err)
	}
	expected, done := map[string]bool{}, map[string]bool{}
	for _, s := range Table {
		for _, id := range s.Expect {
			name, _, _ := strings.Cut(id, "@")
			expected[name] = true
		}
		for _, r := range append(slices.Clone(s.Before), Repair{Procedure: s.Procedure}, Repair{Procedure: s.Guide}) {
			done[r.Procedure] = true
		}
	}
	for _, f := range c.Failures {
		if !expected[f.Name] {
			t.Errorf("no row expects %s", f.Name)
		}
	}
	for _, p := range c.Procedures {
		if _, not := unrun[p.Name]; done[p.Name] == not {
			t.Errorf("%s: carried out by a row: %t, said to be left out: %t", p.Name, done[p.Name], not)
		}
	}
	t.Logf("%d failures and %d procedures in %d rows", len(c.Failures), len(c.Procedures), len(Table))
}

// A row is asked for by its name.
func TestRowsHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Table {
		if seen[s.Row()] {
			t.Errorf("two rows are called %s", s.Row())
		}
		seen[s.Row()] = true
	}
}
