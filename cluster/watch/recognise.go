package watch

import (
	"fmt"
	"slices"
	"strings"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/cluster/logs"
)

// recogniser says what the last lines of a failed command mean: the newest sign
// among them that some failure knows, and what is offered for that failure. A
// command's output belongs to no service's log, so every such sign is tried.
func recogniser(c *catalogue.Catalogue) (func(lines [][]byte) string, error) {
	var signs []cluster.Sign
	for _, s := range c.Signs {
		if slices.ContainsFunc(c.Failures, func(f cluster.Failure) bool { return slices.Contains(f.Seen, s.Name) }) {
			s.Services = nil
			signs = append(signs, s)
		}
	}
	matcher, err := logs.NewMatcher(signs)
	if err != nil {
		return nil, err
	}
	return func(lines [][]byte) string {
		for _, line := range slices.Backward(lines) {
			if i := matcher.Match("", line); i >= 0 {
				return meaning(c, signs[i])
			}
		}
		return ""
	}, nil
}

// meaning is what a sign says, with the procedures that its failures offer.
func meaning(c *catalogue.Catalogue, s cluster.Sign) string {
	var offered []string
	for _, f := range c.Failures {
		if !slices.Contains(f.Seen, s.Name) {
			continue
		}
		for _, o := range f.Offers {
			if o.Procedure != "observe" && !slices.Contains(offered, o.Procedure) {
				offered = append(offered, o.Procedure)
			}
		}
	}
	out := fmt.Sprintf("%s: %s", s.Name, strings.TrimSuffix(s.Meaning, "."))
	if len(offered) > 0 {
		out += "; what may help: " + strings.Join(offered, ", ")
	}
	return out
}
