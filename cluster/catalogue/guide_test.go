package catalogue

import (
	"slices"
	"strings"
	"testing"

	"chef-backend-cockpit/assets"
)

// Every section of the guide has a failure that is recognised and a procedure
// that is carried out; nothing names a section that the guide does not have.
func TestTheGuideIsCovered(t *testing.T) {
	c, err := Load(assets.Files, "catalogue")
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, h := range Guide {
		known = append(known, h.Name)
	}
	for _, f := range c.Failures {
		if !slices.Contains(known, f.Section) {
			t.Errorf("failure %s: the guide has no section %q", f.Name, f.Section)
		}
	}
	for _, p := range c.Procedures {
		if !slices.Contains(known, p.Section) {
			t.Errorf("procedure %s: the guide has no section %q", p.Name, p.Section)
		}
	}
	for _, h := range Guide {
		failures, procedures := about(c, h.Name)
		if !h.Chapter && (len(failures) == 0 || len(procedures) == 0) {
			t.Errorf("section %q has the failures %q and the procedures %q", h.Name, failures, procedures)
		}
	}
}

// The table in the manual is the catalogue's, as it is now.
func TestTheManualHasTheTable(t *testing.T) {
	c, err := Load(assets.Files, "catalogue")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(assets.MustRead("manual/guide.md"), GuideTable(c)) {
		t.Error("assets/manual/guide.md does not hold the table of the catalogue: make manual")
	}
}
