package cluster

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Tier grades how hard a procedure is to confirm: T0 reads only, T1 is
// harmless to data, T2 replaces or deletes one node's data or configuration,
// T3 changes leadership or membership, or removes a safety.
type Tier int

// Tiers.
const (
	T0 Tier = iota
	T1
	T2
	T3
)

// String is "T0" to "T3".
func (t Tier) String() string { return "T" + string(rune('0'+t)) }

// MarshalText writes "T0" to "T3".
func (t Tier) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (t *Tier) UnmarshalText(b []byte) error {
	if len(b) != 2 || b[0] != 'T' || b[1] < '0' || b[1] > '3' {
		return fmt.Errorf("%q is no tier", b)
	}
	*t = Tier(b[1] - '0')
	return nil
}

// Procedure is a catalogue entry: a documented recovery, step by step. Its
// texts and commands may hold {node}, {address}, {service}, {leader},
// {leader-address}, {plan} and further values named in Plan.Values.
type Procedure struct {
	Name     string
	Section  string // of the vendor's recovery guide
	Title    string // verb and object: "Rebuild {node}"
	Summary  string
	Target   string // "node", "service" (of a node) or "cluster"
	Tier     Tier
	Raise    []TierRule // first that is true wins; never lowers
	Phrase   string     // typed for T2 and T3; "" for T0 and T1
	Guards   []Guard    // hold before every step, read again in the acting session
	Steps    []Step
	Back     []Step // carried out when a step from BackFrom on does not end well
	BackFrom string

	Lost, Kept, Lasts, WayBack string // what the confirmation says; templates
	Built                      bool   // false: shown greyed, "not in this version"
	Local                      bool
}

// TierRule raises the tier while a question is true or unknown.
type TierRule struct {
	When   Question
	Tier   Tier
	Phrase string
}

// Guard is a fact that must hold just before a step.
type Guard struct {
	Question
	Override string // phrase that the operator may type instead where it does not hold; "" for none
}

// StepKind says who carries a step out.
type StepKind string

// Kinds of steps. StepCommand: the cockpit runs Command, or only asks guards
// and effects where there is none. StepManual: a person does ToDo outside the
// cockpit and ticks it; the effects are looked at afterwards. StepTerminal:
// Command runs in a terminal that is handed to the operator.
const (
	StepCommand  StepKind = ""
	StepManual   StepKind = "manual"
	StepTerminal StepKind = "terminal"
)

// Step is one step of a procedure.
type Step struct {
	ID         string
	Kind       StepKind
	ToDo       string // what a person does, for a manual step; may hold lines
	Phrase     string // typed before the step begins, because it reaches a further node; "" for none
	Say        string // what it does, in a few words
	On         string // "node", "leader", "member" (one with a healthy etcd), "other1", "other2" (the other nodes in fixed order); "" for a computed step
	Command    string // exactly what runs; "" for a computed step
	Guards     []Guard
	When       *Question // skipped while it is false; unknown holds the procedure
	Effects    []Question
	EffectSay  string        // "leaderl is down on be3"
	Deadline   time.Duration // for command and effects together
	Repeatable bool          // may run again after an unknown outcome
	Destroys   string        // what cannot be brought back once it ran; "" for nothing
	Joined     bool          // no stop point before it: belongs to the step before
	NewMachine bool          // the node may be another machine than before: asked for with the phrase
}

// Plan is a procedure bound to nodes and values, frozen: what is shown is what
// runs.
type Plan struct {
	ID        string // 8 hex digits
	Procedure string
	Section   string
	Title     string
	Summary   string
	Node      string
	Service   string
	Tier      Tier
	// Phrases must be typed one after another; each override first, the
	// procedure's own phrase last. For T1 it is "y"; empty for T0.
	Phrases  []string
	Values   map[string]string // leader, leader-address, address, …
	Guards   []CheckedGuard
	Steps    []PlanStep
	Back     []PlanStep
	BackFrom string

	Where, Lost, Kept, Lasts, WayBack string
	Copies                            []CopyComparison // what choosing this node would lose of each other copy
	Made                              time.Time
	Snapshot                          uint64 // sequence of the snapshot that it was made from
}

// Acts answers whether a plan holds any command, in its steps or its steps back.
// A plan that does not only watches, or leads a person step by step.
func (p *Plan) Acts() bool {
	commands := func(s PlanStep) bool { return s.Command != "" }
	return slices.ContainsFunc(p.Steps, commands) || slices.ContainsFunc(p.Back, commands)
}

// CheckedGuard is a guard with its answer at one time.
type CheckedGuard struct {
	Guard
	Answer Answer
	Node   string // "" : about the plan's node or the cluster
}

// PlanStep is a step bound to its node, its command byte for byte.
type PlanStep struct {
	ID, Say, Number string
	Kind            StepKind
	ToDo            string
	Phrase          string
	Node            string
	About           string // node that its guards, effects and When are asked about; "" for the plan's own
	Command         string // the braces filled in; $PLAN-dependent paths included
	Guards          []Guard
	When            *Question
	Effects         []Question
	EffectSay       string
	Deadline        time.Duration
	Repeatable      bool
	Destroys        string
	Joined          bool
	NewMachine      bool
}

// Status is how far a plan or a step is.
type Status string

// Statuses of plans and steps. StatusUnknown: the outcome cannot be known and
// has to be looked up; nothing is repeated on that ground alone.
const (
	StatusNext    Status = "next"
	StatusRunning Status = "running"
	StatusWaiting Status = "waiting" // command done, effect not seen yet
	StatusDone    Status = "done"
	StatusSkipped Status = "skipped"
	StatusFailed  Status = "failed"
	StatusRefused Status = "refused" // a guard did not hold; nothing ran
	StatusStopped Status = "stopped" // by the operator, before the next step
	StatusUnknown Status = "unknown"
	// StatusAsked: the plan holds until a person types a phrase, ticks what is
	// done outside, or takes the terminal; StepState.Asks says which.
	StatusAsked Status = "asked"
)

// Ask is what a held step waits for.
type Ask string

// What a person can be asked for.
const (
	AskPhrase   Ask = "phrase"   // Step.Phrase is to be typed
	AskTick     Ask = "tick"     // Step.ToDo is to be done and ticked
	AskTerminal Ask = "terminal" // a terminal is to be taken
)

// PlanState is a plan of ours as it is carried out; immutable.
type PlanState struct {
	Plan     Plan
	Status   Status
	Sentence string // what happened last, or why it stopped
	Began    time.Time
	Ended    time.Time
	Steps    []StepState // as many as Plan.Steps, then those of Plan.Back that ran
	Stopping bool        // the operator asked to stop before the next step
	OpenEnds []string    // what was left behind: "leaderl is stopped on be3"
	// Prediction is what the plan's rehearsal showed, or shows so far; nil
	// where it was not rehearsed.
	Prediction *Prediction
}

// Asked is the step that the plan holds at until a person answers; nil for none,
// and of no plan.
func (p *PlanState) Asked() *StepState {
	if p == nil {
		return nil
	}
	for i := range p.Steps {
		if p.Steps[i].Status == StatusAsked {
			return &p.Steps[i]
		}
	}
	return nil
}

// Running answers whether a step of the plan may still be at work.
func (p PlanState) Running() bool {
	return p.Status == StatusRunning || p.Status == StatusWaiting || p.Status == StatusAsked
}

// StepState is one step as it is carried out.
type StepState struct {
	Step      PlanStep
	Status    Status
	Began     time.Time
	Ended     time.Time
	Exit      int // valid when ExitKnown
	ExitKnown bool
	PID       int
	Sentence  string
	Output    []string // last lines, safe
	Progress  string   // "21.4 of 61 GB, 35 %"
	Asks      Ask      // while Status is StatusAsked
	Compared  string   // what it brought about against its rehearsal; "" without one
	AskedFor  string   // why a terminal is wanted, or the phrase to type
	Guards    []CheckedGuard
}

// InFolder answers whether a folder on the step's node, by its name, is the
// step's: each terminal and each repetition has one of its own.
func (s PlanStep) InFolder(name string) bool {
	rest, ok := strings.CutPrefix(name, s.ID)
	return ok && (rest == "" || strings.HasPrefix(rest, "-terminal") || strings.HasPrefix(rest, "-again"))
}

// Intent is written to disk before the act.
type Intent struct {
	Plan, Step, Node, Command, Token string // Step also names the folder on the node
	Boot                             string // boot id of the node; "" for a manual step
	ToDo                             string // what a person was asked to do, for a manual step: no folder then
	Terminal                         bool   // Command runs in the foreground of a terminal: a lost link may end it
	Repeatable                       bool
	Guards                           []CheckedGuard
}

// Outcome is what is known after the act.
type Outcome struct {
	Plan, Step, Node string
	Status           Status
	By               string // who ticked a manual step or had the terminal
	Exit             int
	ExitKnown        bool
	Sentence         string
	Bytes            int64
	Digest           string // SHA-256 of the whole output, hex
}

// CopyComparison says what promoting Chosen would lose of Other.
type CopyComparison struct {
	Chosen, Other string
	Known         bool
	Contained     Truth
	Lost          int64 // bytes of WAL, at most
	Branches      bool  // positive both ways: neither is furthest
	Sentence      string
}
