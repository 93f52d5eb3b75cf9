package watch

import (
	"context"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// State is everything that the screen shows, immutable, newest first by Seq.
type State struct {
	Seq        uint64
	At         time.Time
	Cluster    string // its name
	Stamp      string // environment stamp: PROD, SIMULATION
	StampColor string // colour word of the configuration; "" for none
	Mode       Mode
	ArmedUntil time.Time // zero while the mode is not Armed
	Lock       cluster.Lock
	Other      *cluster.PlanState // plan of another cockpit on this machine, live from its journal; nil for none known
	View       *cluster.View
	Leadership []cluster.LayerLeader
	Margin     cluster.Margin
	Board      cluster.Board
	Findings   []cluster.Finding  // gravest first, folded ones after the one that hides them
	Healthy    *cluster.Snapshot  // the newest of before anything that stands began; nil for none yet
	Last       *LastFinding       // the newest finding that went away
	Links      map[string]Link    // by node
	Run        *cluster.PlanState // the plan at work, or the last one; nil for none
	Incident   string             // id of the open incident; "" for none
	Question   *Question          // what a login asks the operator now; nil for nothing
	Notices    []Notice           // things the operator must know: journal not writable, …
	Replay     *ReplayAt          // where a replay stands; nil for a living cluster
	Rehearsal  *RehearsalAt       // what a rehearsal is about; nil for a living cluster
	Earlier    *EarlierAt         // where in the last hour it stands; nil for now
}

// Plan is the newest state of one of our plans, at work, waiting or ended; nil
// where it did not begin, or is no longer remembered.
func (s *State) Plan(id string) *cluster.PlanState {
	if s == nil || s.View == nil {
		return nil
	}
	for _, p := range s.View.Plans {
		if p.Plan.ID == id {
			return &p
		}
	}
	return nil
}

// Mode is what the cockpit may do.
type Mode string

// Modes. Acting confirms T1 and T2, Armed T3 too. Rehearsing is of a
// simulation: nothing in it reaches a node.
const (
	ReadOnly   Mode = "read-only"
	Acting     Mode = "acting"
	Armed      Mode = "armed"
	Rehearsing Mode = "rehearsal"
)

// Link is the cockpit's own connection to a node.
type Link struct {
	Phase  string // connecting, live, stale, lost, refused
	Since  time.Time
	Reason string // why it is not live, with the remedy; safe
	Waits  bool   // the login has a question: Answerer.Reconnect puts it to the operator
	Legacy string // broken algorithms that the connection uses; "" for none
}

// LastFinding is one that stood and went away.
type LastFinding struct {
	ID    string
	Ended time.Time
	For   time.Duration
}

// Notice is a standing message.
type Notice struct {
	Grave bool
	Text  string
}

// Offered is one line of a recovery menu.
type Offered struct {
	Procedure string
	Title     string
	Node      string
	Service   string
	Tier      cluster.Tier
	Ready     bool
	Note      string                 // from the catalogue
	WhyNot    []cluster.CheckedGuard // guards that are false or unknown
	Price     []cluster.CheckedGuard // guards that do not hold and may be given up by typing
	NotBuilt  bool                   // "not in this version"
	First     string                 // title of the finding to deal with first; "" for none
}

// LogQuery selects lines of the merged log; the zero value selects all.
type LogQuery struct {
	Nodes    []string
	Services []string
	MinLevel cluster.Level
	Text     string // literal, case-insensitive unless it has a capital
	Regexp   bool   // Text is RE2
	Signs    bool   // only lines with a sign
}

// LogPage is a run of matching lines, oldest first.
type LogPage struct {
	Lines []cluster.Line
	Newer uint64 // matching lines that are held and newer than the last of Lines
	Older bool   // there are older matching lines that are held
	Held  uint64 // lines held at all
	// Beyond: nothing older is held, but a BackReader may find more.
	Beyond bool
	// Hole are the lines around which others are held no more: those after the
	// first and before the second; both 0 for none.
	Hole [2]uint64
}

// LogsBack is what a call of ReadBack brought.
type LogsBack struct {
	Lines     int      // that match
	Full      bool     // more would push out lines that match, at from or older
	Read      uint64   // bytes read from nodes
	Beginning bool     // nothing older is left
	Trouble   []string // nodes whose older lines cannot be read, and why; safe
}

// BackReader is a Door that can fetch older lines than it holds.
type BackReader interface {
	// ReadBack reads from the nodes until n more lines match that are older than
	// those held, seen from the line with that sequence number (0: the newest).
	// It waits for the network until ctx is done.
	ReadBack(ctx context.Context, q LogQuery, from uint64, n int) (LogsBack, error)
}

// RateTeller is a Door that counts errors.
type RateTeller interface {
	// ErrorRates is how many lines of level error each service wrote in each of
	// the last minutes (60 at most), on those nodes (none: all).
	ErrorRates(nodes []string, minutes int) []cluster.ErrorRate
}

// Terminal is a terminal on a node, and Size is its size; see package remote,
// which the screen does not know.
type (
	Terminal = remote.Terminal
	Size     = remote.Size
)

// Door is the one door of the screen and of the one-shot commands to the
// cluster. No method blocks on the network but those that take a context.
// All methods are safe for concurrent use.
type Door interface {
	// State is the newest state; never nil after Start.
	State() *State
	// Changed carries one token when there is a newer state or there are new
	// lines since the last token was taken.
	Changed() <-chan struct{}

	// Logs returns at most n lines that match, ending at the line with sequence
	// number end (0: the newest). The error is a malformed expression.
	Logs(q LogQuery, end uint64, n int) (LogPage, error)
	// FindLog is the sequence number of the next line after (dir > 0) or before
	// (dir < 0) from that matches; ok is false when there is none.
	FindLog(q LogQuery, from uint64, dir int) (seq uint64, ok bool)
	// Streams is the state of every stream, by node then service.
	Streams() []cluster.StreamState

	// Describe is the catalogue entry of a failure.
	Describe(failure string) (cluster.Failure, bool)
	// Rivals are the other suspected findings that this one could be, and what
	// would tell them apart.
	Rivals(finding string) []cluster.Rival
	// SignMeaning is the catalogue entry of a sign.
	SignMeaning(sign string) (cluster.Sign, bool)
	// Offers are the procedures offered for a finding.
	Offers(finding string) []Offered
	// NodeOffers are the procedures that can be had for a node at all, and those
	// of the cluster.
	NodeOffers(node string) []Offered

	// Plan binds a procedure after a look at all nodes that was begun for it.
	// It takes up to 10 s; the error names what is missing.
	Plan(ctx context.Context, procedure, node, service string) (cluster.Plan, error)
	// Recheck asks a plan's guards again on the newest snapshot; changed tells
	// whether any answer differs from the plan's own.
	Recheck(planID string) (guards []cluster.CheckedGuard, changed bool)
	// Confirm hands over one typed text. left are the phrases still to be
	// typed; with none left the plan has begun. A wrong text is an error and
	// drops the plan. For a plan at work whose step asks for a phrase
	// (cluster.AskPhrase) it answers that; a wrong text stops the plan there.
	Confirm(planID, text string) (left []string, err error)
	// Tick says that a manual step which asks for it (cluster.AskTick) is done.
	Tick(planID, stepID string) error
	// Terminal takes the terminal that a step waits for (cluster.AskTerminal).
	// It takes up to a minute, in which nodes are looked at and guards asked;
	// an error means that nothing ran. Read until io.EOF, then Close; to close
	// earlier hangs the command up. Bytes are raw both ways.
	Terminal(ctx context.Context, planID, stepID string, size Size) (Terminal, error)
	// Stop asks the running plan to stop before its next step.
	Stop()
	// Rehearse carries a plan that was made, and not yet confirmed, out on a
	// simulation in the state of the newest snapshot. It takes up to a minute
	// until the simulation is as the cluster was seen; the error says why it
	// cannot be. One rehearsal at a time: an open one is closed.
	Rehearse(ctx context.Context, planID string) (Rehearsal, error)

	// Arm lets T3 be confirmed for ten minutes; text is the cluster's name,
	// typed. Disarm ends it; a plan at work goes on.
	Arm(text string) error
	Disarm()
	// TakeOver takes the operators' lock from its holder; text is
	// TakeOverPhrase, typed. It takes up to a minute; it is refused while a step
	// runs anywhere.
	TakeOver(ctx context.Context, text string) error

	// Fence takes the operator's word, typed as FencePhrase, that a node is off
	// and will not start with its old disk; Unfence takes it back.
	Fence(node, text string) error
	Unfence(node string) error
	// Maintain marks a node as in planned work from now on; 0 ends it.
	Maintain(node string, lasts time.Duration) error

	// Acknowledge marks a finding as seen.
	Acknowledge(finding string)
	// LookNow asks for a slow look at every node at once.
	LookNow()
	// Summary is a plain text of situation, evidence and what was done, to paste.
	Summary() string
}
