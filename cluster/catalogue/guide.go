package catalogue

import (
	"fmt"
	"slices"
	"strings"
)

// Guide lists the sections of the vendor's recovery guide in its order, each
// with the chapter before it ("Chef Backend Failure Recovery", vendor
// documentation). Beyond is for what the guide does not cover.
var Guide = []string{
	"Node Failures: Single-node Failure",
	"Node Failures: Two-node Failure",
	"Partitions: No Loss of Quorum",
	"Partitions: Loss of Quorum",
	"Partitions: Promoting a Specific Node",
	"Partitions: Promoting a Previous Leader",
	"Service Level Failures: PostgreSQL",
	"Service Level Failures: Elasticsearch",
	"Service Level Failures: Etcd",
	"Service Level Failures: Leaderl",
	"Other Failures: Handling nodes reporting partially_synced: true",
	"General Follower Recovery Process",
}

// Beyond is the section of what the guide does not cover.
const Beyond = "Beyond the guide"

// GuideTable is a Markdown table of every section of the guide, the failures
// that it is about and the procedures that mend them: those offered by the
// failures, and those described in the section itself.
func GuideTable(c *Catalogue) string {
	var b strings.Builder
	b.WriteString("| Section of the guide | Failures | Procedures |\n| --- | --- | --- |\n")
	for _, s := range append(slices.Clone(Guide), Beyond) {
		failures, procedures := about(c, s)
		fmt.Fprintf(&b, "| %s | %s | %s |\n", s, codes(failures), codes(procedures))
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
