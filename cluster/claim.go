package cluster

import "time"

// Source says which layer a claim comes from.
type Source string

// The sources of claims, in the order in which they are shown.
const (
	SourceReach         Source = "reach"
	SourceHost          Source = "host"
	SourceRunit         Source = "runit"
	SourceEtcd          Source = "etcd"
	SourceLeaderl       Source = "leaderl"
	SourcePostgreSQL    Source = "postgresql"
	SourceElasticsearch Source = "elasticsearch"
	SourceCtl           Source = "ctl"
	SourceSentinel      Source = "sentinel"
	SourcePeer          Source = "peer"
)

// Claim is what one source says of one node at one time: a value, or unknown
// with a reason. The zero Claim is unknown without a reason: never asked.
type Claim[T any] struct {
	Value  T
	Known  bool
	Reason string // why it is unknown, made safe; "" when known
	Source Source
	At     time.Time // when the node was asked, by our clock
}

// KnownAs makes a claim with a value.
func KnownAs[T any](v T, s Source, at time.Time) Claim[T] {
	return Claim[T]{Value: v, Known: true, Source: s, At: at}
}

// UnknownAs makes a claim without one; reason is a short phrase that names the
// remedy where there is one ("psql not found", "no answer within 2 s").
func UnknownAs[T any](reason string, s Source, at time.Time) Claim[T] {
	return Claim[T]{Reason: reason, Source: s, At: at}
}

// Is answers whether the claim equals v; an unknown claim equals nothing and
// differs from nothing.
func Is[T comparable](c Claim[T], v T) Truth {
	if !c.Known {
		return Unknown
	}
	return TruthOf(c.Value == v)
}

// ClaimRef points at the claim behind an answer, for "why".
type ClaimRef struct {
	Node   string
	Name   string // the claim's name in the report, as in `status --json`
	Source Source
	At     time.Time
}
