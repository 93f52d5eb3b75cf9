package cluster

import "time"

// LineKind tells a log line from a hole.
type LineKind uint8

// Kinds of entries in the merged log.
const (
	LineText  LineKind = iota
	LineGap            // lines are missing here; Text says how many bytes, or "at least N"
	LineBegin          // the log of this stream begins here: nothing older is left of it
)

// Line is one log line of one stream (a service of a node), made safe.
type Line struct {
	Seq     uint64 // place in the merged order; never changes once given
	Kind    LineKind
	Node    string
	Service string
	Stamp   time.Time // from the line, corrected by the node's clock offset; zero if it had none
	Text    string    // without svlogd's own stamp
	Level   Level
	Sign    string // name of the sign that it matched; "" for none
	Late    bool   // came after newer lines had been placed already
	Cut     int64  // bytes that were cut off; 0 for none
}

// Level is how loud a line is.
type Level uint8

// Levels, as far as the services tell them.
const (
	LevelNone Level = iota
	LevelDebug
	LevelInfo
	LevelWarning
	LevelError
)

// StreamState tells lost from quiet: one per node and service.
type StreamState struct {
	Node, Service string
	Alive         bool      // heartbeat within its period
	Stale         bool      // not alive, but not given up: nothing was heard for some seconds
	Reason        string    // why it is not alive
	Heartbeat     time.Time // last sign of life of the follower itself
	LastLine      time.Time
	Lines, Bytes  uint64
	Gaps          uint64
}

// ErrorRate is how many lines of level error a service wrote, minute by minute.
type ErrorRate struct {
	Service string
	Since   time.Time // of the oldest line that was counted; before it nothing is known; zero: no line yet
	Until   time.Time // end of the last minute of Counts
	Counts  []int     // by minute, the newest last
}

// Sign is a catalogue entry: a log line worth recognising. It may raise a
// suspicion and never confirms anything.
type Sign struct {
	Name     string
	Services []string // services whose logs it may stand in; none: all
	Pattern  string   // RE2, on the raw line without its stamp; needs a literal of ≥ 4 bytes
	Meaning  string   // one plain sentence
	Source   string   // where the wording comes from
	Local    bool     // added by the site
}

// SignSeen is how often a sign was recognised in one stream.
type SignSeen struct {
	Sign, Node, Service string
	Count               uint64
	First, Last         time.Time
	Example             string // safe
}
