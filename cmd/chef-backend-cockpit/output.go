package main

import (
	"encoding/json"
	"io"
	"slices"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// The JSON of the contract: names and shapes are stable.

// findingsJSON is the list of findings as all one-shot commands print it;
// offers may be nil.
func findingsJSON(findings []cluster.Finding, offers func(string) []watch.Offered) []findingJSON {
	out := []findingJSON{}
	for _, f := range findings {
		j := findingJSON{
			Failure: f.Failure, Node: f.Node, Nodes: orEmpty(f.Nodes), Certainty: string(f.Certainty),
			Priority: f.Priority.String(), Since: stamp(f.Since), Under: f.Under, Evidence: []evidenceJSON{}, Offers: []string{},
		}
		for _, e := range f.Evidence {
			j.Evidence = append(j.Evidence, evidenceJSON{
				Kind: e.Kind, Name: e.Name, Side: string(e.Side), Answer: e.Answer.String(), Sentence: e.Sentence,
				Node: e.Node, Source: string(e.Source), At: stamp(e.At),
			})
		}
		if offers != nil {
			for _, o := range offers(f.ID()) {
				if o.Ready && !slices.Contains(j.Offers, o.Procedure) {
					j.Offers = append(j.Offers, o.Procedure)
				}
			}
		}
		out = append(out, j)
	}
	return out
}

type findingJSON struct {
	Failure   string         `json:"failure"`
	Node      string         `json:"node"`
	Nodes     []string       `json:"nodes"`
	Certainty string         `json:"certainty"`
	Priority  string         `json:"priority"`
	Since     string         `json:"since"`
	Under     string         `json:"under"`
	Evidence  []evidenceJSON `json:"evidence"`
	Offers    []string       `json:"offers"`
}

type evidenceJSON struct {
	Kind     string `json:"kind"`
	Name     string `json:"name"`
	Side     string `json:"side"`
	Answer   string `json:"answer"`
	Sentence string `json:"sentence"`
	Node     string `json:"node"`
	Source   string `json:"source"`
	At       string `json:"at"`
}

type signJSON struct {
	Sign    string `json:"sign"`
	Node    string `json:"node"`
	Service string `json:"service"`
	Count   uint64 `json:"count"`
	First   string `json:"first"`
	Last    string `json:"last"`
	Example string `json:"example"`
}

// signsJSON lists signs; a time that no line told is "".
func signsJSON(signs []cluster.SignSeen) []signJSON {
	out := []signJSON{}
	for _, g := range signs {
		out = append(out, signJSON{g.Sign, g.Node, g.Service, g.Count, stamp(g.First), stamp(g.Last), g.Example})
	}
	return out
}

type diagnoseJSON struct {
	Findings []findingJSON `json:"findings"`
	Signs    []signJSON    `json:"signs"`
	Lines    uint64        `json:"lines"`
	Bytes    uint64        `json:"bytes"`
}

type statusJSON struct {
	Cluster    string              `json:"cluster"`
	At         string              `json:"at"`
	Nodes      []nodeJSON          `json:"nodes"`
	Leadership map[string][]string `json:"leadership"`
	Margin     marginJSON          `json:"margin"`
	Findings   []findingJSON       `json:"findings"`
}

type nodeJSON struct {
	Name    string      `json:"name"`
	Address string      `json:"address"`
	Claims  []claimJSON `json:"claims"`
}

// claimJSON is one claim; an unknown value is null with a reason.
type claimJSON struct {
	Name       string         `json:"name"`
	Value      any            `json:"value"`
	Source     cluster.Source `json:"source"`
	AgeSeconds *float64       `json:"ageSeconds"`
	Reason     string         `json:"reason,omitempty"`
}

// marginJSON counts what is unknown as lost; canLose is -1 when the cluster
// cannot serve now.
type marginJSON struct {
	Votes   int `json:"votes"`
	Copies  int `json:"copies"`
	CanLose int `json:"canLose"`
}

// claimsJSON lists a report's claims; durations are seconds, times RFC 3339.
func claimsJSON(r *cluster.Report, now time.Time) []claimJSON {
	out := []claimJSON{}
	if r == nil {
		return out
	}
	for _, c := range r.Claims() {
		j := claimJSON{Name: c.Name, Value: jsonValue(c.Value), Source: c.Source, Reason: c.Reason}
		if !c.At.IsZero() {
			age := now.Sub(c.At).Round(time.Millisecond).Seconds()
			j.AgeSeconds = &age
		}
		out = append(out, j)
	}
	return out
}

// jsonValue turns the value of a claim into what the contract prints.
func jsonValue(v any) any {
	switch v := v.(type) {
	case time.Duration:
		return v.Seconds()
	case time.Time:
		return stamp(v)
	}
	return v
}

// stamp is RFC 3339 UTC; "" for no time.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// orEmpty makes a missing list an empty one.
func orEmpty(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// printJSON writes one indented document.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
