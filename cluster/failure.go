package cluster

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Priority grades a finding: P1 data at risk, no leader, no quorum, two
// leaders; P2 redundancy lost or a node out of service; P3 advice.
type Priority int

// Priorities; the smaller number is the graver.
const (
	P1 Priority = 1
	P2 Priority = 2
	P3 Priority = 3
)

// String is "P1", "P2", "P3".
func (p Priority) String() string { return "P" + string(rune('0'+p)) }

// MarshalText writes "P1" to "P3".
func (p Priority) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (p *Priority) UnmarshalText(b []byte) error {
	if len(b) != 2 || b[0] != 'P' || b[1] < '1' || b[1] > '3' {
		return fmt.Errorf("%q is no priority", b)
	}
	*p = Priority(b[1] - '0')
	return nil
}

// Failure is a catalogue entry: what can go wrong, how it is known, what to do.
type Failure struct {
	Name     string
	Section  string // of the vendor's recovery guide
	Scope    string // "node": one finding per node; "cluster": one finding
	Priority Priority
	Escalate []Escalation // first that is true wins
	Title    string       // one line; {node} and {leader} stand for names
	Cause    string
	Ignored  string // consequence if nothing is done
	Time     string // time available
	First    string // first action

	Confirmed []Question    // all true: confirmed, after the hold
	Suspected []Question    // any true: suspected
	Seen      []string      // names of signs: recent ones raise a suspicion, or are evidence for
	NotWhen   []Question    // any true: excluded; shown as evidence against
	Shows     []Question    // asked for the screen alone: they decide nothing
	Hold      time.Duration // for which Confirmed must stay true
	// SuspectedHold is for how long a question of Suspected must stay true until
	// the suspicion is said; 0: as long as Hold.
	SuspectedHold time.Duration
	Looks         int // agreeing snapshots needed to appear
	Clear         int // disagreeing snapshots needed to disappear

	Hides  []Hide
	Offers []Offer
	Advice []string
	Above  bool // stands above all others of its priority, whatever its age
	Local  bool // added by the site
}

// Escalation changes the priority while a question is true.
type Escalation struct {
	When     Question
	Priority Priority
}

// Hide names failures that fold under this one while it stands.
type Hide struct {
	Failure string   // a name, or a prefix ending in *
	Node    string   // "same": only on the same node; "any"
	Except  []string // names that stand beside it all the same
}

// Matches answers whether a failure's name falls under the hide.
func (h Hide) Matches(name string) bool {
	if slices.Contains(h.Except, name) {
		return false
	}
	if p, ok := strings.CutSuffix(h.Failure, "*"); ok {
		return strings.HasPrefix(name, p)
	}
	return h.Failure == name
}

// Offer is a procedure that a failure offers.
type Offer struct {
	Procedure string
	Service   string // for restart-service
	Note      string // said beside it
	Upstream  bool   // for the node that the finding's node follows, not for that node
}

// Certainty says how a finding is known.
type Certainty string

// Only direct looks confirm; a log line suspects.
const (
	Suspected Certainty = "suspected"
	Confirmed Certainty = "confirmed"
)

// Finding is a failure bound to nodes, with evidence for and against.
type Finding struct {
	Failure   string
	Node      string   // first of Nodes in fixed order; "" for the cluster
	Nodes     []string // fixed order
	Certainty Certainty
	Priority  Priority
	Title     string // with names filled in
	Since     time.Time
	Under     string // ID of the finding that it folds under; "" for none
	FirstOut  bool   // came first of those that stand
	Acked     bool
	Evidence  []Evidence
	Offers    []Offer
}

// ID names the finding over its life: failure, and node where it has one.
func (f Finding) ID() string {
	if f.Node == "" {
		return f.Failure
	}
	return f.Failure + "@" + f.Node
}

// Side says which way a piece of evidence points.
type Side string

// The sides of evidence.
const (
	SideFor     Side = "for"
	SideAgainst Side = "against"
)

// Evidence is one fact's answer or one recognised sign.
type Evidence struct {
	Kind     string // "fact" or "sign"
	Name     string
	Side     Side
	Answer   Truth
	Sentence string
	Node     string // where it was seen, "be1, be2" for two nodes; "" for more
	Source   Source
	At       time.Time
}
