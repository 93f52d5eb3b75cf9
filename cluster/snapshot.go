package cluster

import (
	"net/netip"
	"slices"
	"time"
)

// Node is one of the machines of the cluster, at a fixed place. What the
// cluster calls it and how we reach it can differ.
type Node struct {
	Name    string // short name on the screen: be1
	Address string // the cluster's address for it; "" until it is known
	Dial    string // host[:port] that the cockpit dials
}

// Snapshot is the newest report of every node; immutable.
type Snapshot struct {
	Seq     uint64
	At      time.Time
	Nodes   []Node             // fixed order
	Reports map[string]*Report // by node name; a node never looked at is absent
}

// View is what facts are asked about: now, the newest snapshot, a bounded
// history, the signs, and what the operator said. It is immutable.
type View struct {
	Now      time.Time
	Snapshot *Snapshot
	Previous *Snapshot // the snapshot before this one; nil at the start
	Past     Past
	Signs    []SignSeen
	Plans    []PlanState // plans of ours, newest last
	// OwnLocks are the tokens with which this cockpit holds, or held, the
	// operators' lock.
	OwnLocks []string
	// Fenced holds, by node name, what the operator typed: it is powered off
	// and will not start with its old disk.
	Fenced map[string]bool
	// Returned holds, by the name of a fenced node, when a look first got an
	// answer from it after that was typed: it is on, and the word is used up.
	Returned map[string]time.Time
	// Maintenance holds, by node name, until when it is in planned work.
	Maintenance map[string]time.Time
	// MarkedBy says, by node name, who said that it is in maintenance.
	MarkedBy map[string]string
}

// Past is the bounded past that watch keeps: elections and terms of the
// last 15 minutes, samples of the last 60 looks of each node.
type Past struct {
	Elections []Election
	Terms     []TermSeen
	Samples   map[string][]Sample // by node, oldest first
	LastSeen  map[string]LastSeen // newest position ever seen of each node
	// Apart is when the nodes could last not all reach each other, or we not
	// all of them; zero: never since Since.
	Apart time.Time
	// Since is when the first look was made: nothing of before is known. Zero: unknown.
	Since time.Time
}

// Election is a change of the elected leader; From or To is "" for nobody.
type Election struct {
	At       time.Time
	From, To string
}

// TermSeen is etcd's raft term when it first was seen.
type TermSeen struct {
	At   time.Time
	Term uint64
}

// Sample is what one look left behind for rates and durations.
type Sample struct {
	Began       time.Time // of the look, as of its claims
	At          time.Time // its end
	Reach       Reach
	PIDs        map[string]int       // by service; 0 down; absent unknown
	Failed      map[string]time.Time // by service that is down and wanted up: since when, at the earliest
	EtcdHealth  Truth
	Position    LSN // replay in recovery, current out of it; 0 unknown
	InRecovery  Truth
	Postmaster  int
	LeaderCode  int // 0 unknown
	LagBytes    int64
	LagKnown    bool
	Ready       int    // pg_isready; -1 unknown
	Recovering  string // WAL file that the startup process replays; "" none or unknown
	ESAnswers   Truth
	BeganUptime time.Duration // host uptime; 0 unknown
	DataBytes   int64         // size of the data directory, as of the newest slow look; 0 unknown
}

// LastSeen is the newest WAL position ever seen of a node.
type LastSeen struct {
	At       time.Time
	Position LSN
	Timeline uint32
	Leader   bool // it was out of recovery then
}

// Report is the newest report of a node; nil if there is none.
func (v *View) Report(node string) *Report {
	if v == nil || v.Snapshot == nil {
		return nil
	}
	return v.Snapshot.Reports[node]
}

// Node finds a node by name.
func (s *Snapshot) Node(name string) (Node, bool) {
	for _, n := range s.Nodes {
		if n.Name == name {
			return n, true
		}
	}
	return Node{}, false
}

// ByAddress finds a node by the address that the cluster gives it.
func (s *Snapshot) ByAddress(address string) (Node, bool) {
	for _, n := range s.Nodes {
		if SameAddress(n.Address, address) {
			return n, true
		}
	}
	return Node{}, false
}

// Elsewhere answers whether a machine that tells these addresses of its own is
// surely not the one with that address in the cluster. A name in its place, or
// no addresses, tells nothing.
func Elsewhere(address string, own []string) bool {
	if _, err := netip.ParseAddr(address); err != nil || len(own) == 0 {
		return false
	}
	return !slices.ContainsFunc(own, func(a string) bool { return SameAddress(a, address) })
}

// SameAddress answers whether two addresses mean one place: equal words, or one
// IP address in two spellings, as sources differ with IPv6. Empty ones mean none.
func SameAddress(a, b string) bool {
	if a == b || a == "" || b == "" {
		return a != "" && a == b
	}
	x, err1 := netip.ParseAddr(a)
	y, err2 := netip.ParseAddr(b)
	return err1 == nil && err2 == nil && x.Unmap() == y.Unmap()
}
