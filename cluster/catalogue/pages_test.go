package catalogue

import (
	"strings"
	"testing"

	"chef-backend-cockpit/assets"
)

// Whatever the catalogue says of a failure and a procedure stands on its page.
func TestPagesSayWhatTheCatalogueSays(t *testing.T) {
	c, err := Load(assets.Files, "catalogue")
	if err != nil {
		t.Fatal(err)
	}
	has := func(page string, texts ...string) {
		for _, text := range texts {
			if !strings.Contains(page, strings.TrimSpace(text)) {
				t.Errorf("%q is missing in\n%s", text, page)
			}
		}
	}
	for _, f := range c.Failures {
		page := FailurePage(f)
		has(page, f.Name, f.Cause, f.Ignored, f.Time, f.First, f.Section)
		for _, q := range append(f.Confirmed, f.Suspected...) {
			has(page, q.Fact)
		}
		for _, o := range f.Offers {
			has(page, o.Procedure, o.Note)
		}
	}
	for _, p := range c.Procedures {
		page := ProcedurePage(p)
		has(page, p.Name, p.Tier.String(), p.Phrase, p.Summary, p.Lost, p.WayBack)
		for _, s := range append(p.Steps, p.Back...) {
			has(page, s.Say, s.EffectSay, s.Destroys)
			has(page, strings.Split(s.Command, "\n")[0], s.Phrase)
			for _, g := range s.Guards {
				has(page, "`"+g.String()+"`", "- `"+g.Fact+"`: ", g.Override)
			}
		}
	}
}
