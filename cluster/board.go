package cluster

// Mark says in one sign how to read a value; the word beside it says the rest.
type Mark string

// The marks of the screen.
const (
	MarkNone    Mark = ""
	MarkLook    Mark = "!" // something to look at
	MarkUnknown Mark = "?"
	MarkStale   Mark = "~"
	MarkLeader  Mark = "*" // the leader: one quiet accent, no word needed
)

// Cell is one claim on the disagreement board.
type Cell struct {
	Text string
	Mark Mark
	Why  Answer // the sentence and the claims behind the cell
}

// Board is the disagreement board: a row per node in fixed order, a column per
// layer, and the contradictions by name.
type Board struct {
	Columns        []string // leaderl, etcd, PostgreSQL, cluster-status, sentinels, seen by
	Rows           []BoardRow
	Contradictions []string // sentences: "leaderl says be1, PostgreSQL is out of recovery on be2"
}

// BoardRow is one node's row.
type BoardRow struct {
	Node  string
	Cells []Cell
}

// LayerLeader is whom one layer takes for the leader.
type LayerLeader struct {
	Layer string   // leaderl, postgresql, cluster-status; etcd's raft leader is something else
	Nodes []string // usually one; none: nobody; two: trouble
	Known bool     // false: no leader is known, and a node that may be one did not answer
}

// Margin is how much more can be lost.
type Margin struct {
	Votes      int  // etcd members that are healthy
	Listed     int  // etcd members listed, dead ones included; 0 unknown
	Copies     int  // good copies: the leader's and good followers'
	CanLose    int  // greatest number of further nodes; -1: cannot serve now
	Known      bool // false: something behind it is unknown and counted as lost
	AheadKnown bool
	Ahead      int64 // bytes by which the leader is ahead of its best follower
}
