package cluster

import (
	"slices"
	"strings"
)

// Bound is a failure and the node that it is asked about; "" for the cluster.
type Bound struct {
	Failure Failure
	Node    string
}

// LookKind says which look brings a missing claim.
type LookKind string

// The looks that can be asked for: the fast one, the slow one, and the slow
// one of the peers, for how they fare with a node's ports.
const (
	FastLook  LookKind = "fast look"
	SlowLook  LookKind = "slow look"
	PeersLook LookKind = "slow look at the peers"
)

// Telling is a question that is unknown now and whose answer would tell two
// failures apart.
type Telling struct {
	Question Question // without "not"
	Node     string   // about whom; "" for the cluster
	Answer   Answer   // as it stands: unknown; the sentence names the missing claim
	IfTrue   string   // the failure that a yes speaks for; "" where it only speaks against one
	IfFalse  string   // the failure that a no speaks for
	Look     LookKind
	Where    []string // the nodes to look at, in fixed order; none: all
}

// decisive answers whether either answer speaks for one and against the other.
func (t Telling) decisive() bool { return t.IfTrue != "" && t.IfFalse != "" }

// wish is what a row needs of one question: the truth of the fact itself.
type wish struct {
	q    Question
	node string
	need Truth
}

// wishes are what a row needs to be confirmed: its facts, and the exclusions
// turned round. Cluster-wide questions are bound to no node, so that rows of
// both scopes meet in them.
func wishes(b Bound, v *View) map[string]wish {
	out := map[string]wish{}
	add := func(q Question, need Truth) {
		if q.Not {
			q.Not, need = false, need.Not()
		}
		w := wish{q, b.Node, need}
		if b.Node != "" && q.Ask(v, Binding{}).Sentence == q.Ask(v, Binding{Node: b.Node}).Sentence {
			w.node = ""
		}
		out[q.String()+"@"+w.node] = w
	}
	for _, q := range b.Failure.Confirmed {
		add(q, True)
	}
	for _, q := range b.Failure.NotWhen {
		add(q, False)
	}
	return out
}

// Tell lists the questions that would tell two failures apart and cannot be
// answered now: those that only one of them asks, or of which they need
// opposite answers. The decisive ones come first, then by name. Pure.
func Tell(a, b Bound, v *View) []Telling {
	if v == nil || v.Snapshot == nil {
		return nil
	}
	of, other := wishes(a, v), wishes(b, v)
	var out []Telling
	take := func(from, against map[string]wish, name, rival string) {
		for key, w := range from {
			o, both := against[key]
			if both && (o.need == w.need || name == b.Failure.Name) { // alike, or met before from the other side
				continue
			}
			answer := w.q.Ask(v, Binding{Node: w.node})
			if answer.Truth != Unknown {
				continue
			}
			t := Telling{Question: w.q, Node: w.node, Answer: answer}
			t.Look, t.Where = v.lookFor(answer)
			t.IfTrue, t.IfFalse = name, ""
			if both {
				t.IfFalse = rival
			}
			if w.need == False {
				t.IfTrue, t.IfFalse = t.IfFalse, t.IfTrue
			}
			out = append(out, t)
		}
	}
	take(of, other, a.Failure.Name, b.Failure.Name)
	take(other, of, b.Failure.Name, a.Failure.Name)
	slices.SortFunc(out, func(x, y Telling) int {
		if x.decisive() != y.decisive() {
			if x.decisive() {
				return -1
			}
			return 1
		}
		return strings.Compare(x.Question.String()+"@"+x.Node, y.Question.String()+"@"+y.Node)
	})
	return out
}

// slowClaims are those that only a slow look reads, by name or prefix.
var slowClaims = []string{
	"ctl.", "setting.", "host.addresses", "host.disks", "host.version", "host.memory-kills", "host.certificates", "host.files", "host.room",
	"etcd.members", "etcd.data-writable", "elasticsearch.master", "elasticsearch.read-only", "postgresql.version-num",
	"postgresql.end-of-wal", "postgresql.data-bytes", "postgresql.connections", "postgresql.slots",
}

// lookFor says which look could answer what is unknown, from the claims behind
// it. Where no claim is named, cluster-status could be read nowhere.
func (v *View) lookFor(a Answer) (kind LookKind, where []string) {
	kind = FastLook
	if len(a.Claims) == 0 {
		return SlowLook, nil
	}
	asked := map[string]bool{}
	for _, c := range a.Claims {
		asked[c.Node] = true
		switch {
		case strings.HasPrefix(c.Name, "peer"):
			kind = PeersLook
		case kind == FastLook && slices.ContainsFunc(slowClaims, func(s string) bool { return strings.HasPrefix(c.Name, s) }):
			kind = SlowLook
		}
	}
	for _, n := range v.nodes() {
		// To see what peers see, they are asked and not the node itself.
		if asked[n.Name] && (kind != PeersLook || v.Unreachable(n.Name).Truth != True) {
			where = append(where, n.Name)
		}
	}
	return kind, where
}

// Rival is a pair of findings that stand suspected and what would tell them apart.
type Rival struct {
	A, B  string // IDs of the findings, in their order
	Tells []Telling
}

// Rivals pairs the unhidden findings that stand suspected about the same node,
// or of which one is about the cluster, and says what would tell them apart.
// Findings without a row among the failures are left out.
func Rivals(fs []Finding, rows []Failure, v *View) (out []Rival) {
	var open []Finding
	for _, f := range fs {
		if f.Certainty == Suspected && f.Under == "" {
			open = append(open, f)
		}
	}
	bind := func(f Finding) (Bound, bool) {
		i := slices.IndexFunc(rows, func(r Failure) bool { return r.Name == f.Failure })
		if i < 0 {
			return Bound{}, false
		}
		return Bound{rows[i], f.Node}, true
	}
	for i, x := range open {
		for _, y := range open[i+1:] {
			if x.Node != y.Node && x.Node != "" && y.Node != "" {
				continue
			}
			a, ok := bind(x)
			b, ok2 := bind(y)
			if !ok || !ok2 {
				continue
			}
			if tells := Tell(a, b, v); len(tells) > 0 {
				out = append(out, Rival{A: x.ID(), B: y.ID(), Tells: tells})
			}
		}
	}
	return out
}
