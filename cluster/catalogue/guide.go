package catalogue

import (
	"fmt"
	"slices"
	"strings"
)

// Heading is a heading of the guide. A chapter holds sections; its own text
// describes nothing to recognise or to do.
type Heading struct {
	Name    string
	Chapter bool
}

// Guide lists the headings of the vendor's recovery guide in its order ("Chef
// Backend Failure Recovery", vendor documentation).
var Guide = []Heading{
	{"Node Failures", true},
	{"Single-node Failure", false},
	{"Two-node Failure", false},
	{"Partitions", true},
	{"No Loss of Quorum", false},
	{"Loss of Quorum", false},
	{"Promoting a Specific Node", false},
	{"Promoting a Previous Leader", false},
	{"Service Level Failures", true},
	{"PostgreSQL", false},
	{"Elasticsearch", false},
	{"Etcd", false},
	{"Leaderl", false},
	{"Other Failures", true},
	{"Handling nodes reporting partially_synced: true", false},
	{"General Follower Recovery Process", false},
}

// GuideTable is a Markdown table of every section of the guide, the failures
// that it is about and the procedures that mend them: those offered by the
// failures, and those described in the section itself.
func GuideTable(c *Catalogue) string {
	var b strings.Builder
	b.WriteString("| Section of the guide | Failures | Procedures |\n| --- | --- | --- |\n")
	for _, h := range Guide {
		failures, procedures := about(c, h.Name)
		name := h.Name
		if h.Chapter {
			name = "**" + name + "**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", name, codes(failures), codes(procedures))
	}
	return b.String()
}

// about lists what belongs to a section.
func about(c *Catalogue, section string) (failures, procedures []string) {
	add := func(name string) {
		if !slices.Contains(procedures, name) {
			procedures = append(procedures, name)
		}
	}
	for _, f := range c.Failures {
		if f.Section != section || f.Local {
			continue
		}
		failures = append(failures, f.Name)
		for _, o := range f.Offers {
			add(o.Procedure)
		}
	}
	for _, p := range c.Procedures {
		if p.Section == section && !p.Local {
			add(p.Name)
		}
	}
	return failures, procedures
}

func codes(names []string) string {
	if len(names) == 0 {
		return "–"
	}
	return "`" + strings.Join(names, "` `") + "`"
}
