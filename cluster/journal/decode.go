package journal

import (
	"encoding/json"
	"fmt"
	"time"

	"chef-backend-cockpit/cluster"
)

// Data of the records that are written elsewhere, as far as readers need it.
type (
	// FindingData is a finding that came or changed, or one that went: Gone is its ID then.
	FindingData struct {
		cluster.Finding
		Gone string    `json:"gone"`
		At   time.Time `json:"at"`
	}
	// ConfirmData is a plan that was confirmed, or a word in the middle of one:
	// Plan.ID is "" then, and Word says what was typed or ticked.
	ConfirmData struct {
		Plan  cluster.Plan
		Typed []string
		By    string
		At    time.Time
		Word  WordData
	}
	// WordData is a phrase that was typed, or a tick, in the middle of a plan.
	WordData struct {
		Plan, Step, Typed, By string
		Ticked                bool
		At                    time.Time
	}
	// OutputData is a piece of a step's output; Bytes is how long it was.
	OutputData struct {
		Plan, Step, Node string
		Offset, Bytes    int64
		Lines            []string
	}
	// NoteData is the opening of an incident, its end, or a remark: that a step
	// was passed without an act, that a plan ended, that one goes on here.
	NoteData struct {
		Opening
		Text   string
		Closed bool
		Passed *cluster.Outcome
		Ended  *PlanEnd
		GoesOn string // id of a plan that began in another incident
	}
	// PlanEnd is how a plan ended.
	PlanEnd struct {
		Plan     string
		Status   cluster.Status
		Sentence string
		OpenEnds []string
	}
)

// Decode reads a record's data: *cluster.Snapshot, *FindingData, *ConfirmData,
// *cluster.Intent, *cluster.Outcome, *OutputData or *NoteData. An unknown kind
// or shape is an error that names the record.
func Decode(r Record) (any, error) {
	var to any
	switch r.Kind {
	case Snapshot:
		to = &cluster.Snapshot{}
	case Finding:
		to = &FindingData{}
	case Confirm:
		return decodeConfirm(r)
	case Intent:
		to = &cluster.Intent{}
	case Outcome:
		to = &cluster.Outcome{}
	case Output:
		to = &OutputData{}
	case Note:
		to = &NoteData{}
	default:
		return nil, fmt.Errorf("record %d: unknown kind %q", r.Seq, r.Kind)
	}
	if err := json.Unmarshal(r.Data, to); err != nil {
		return nil, fmt.Errorf("record %d: %w", r.Seq, err)
	}
	return to, nil
}

// decodeConfirm tells a plan from a word within one.
func decodeConfirm(r Record) (any, error) {
	var whole struct {
		Plan json.RawMessage
	}
	if err := json.Unmarshal(r.Data, &whole); err != nil {
		return nil, fmt.Errorf("record %d: %w", r.Seq, err)
	}
	c := &ConfirmData{}
	var err error
	if len(whole.Plan) > 0 && whole.Plan[0] == '"' {
		err = json.Unmarshal(r.Data, &c.Word)
	} else {
		err = json.Unmarshal(r.Data, &struct {
			Plan  *cluster.Plan
			Typed *[]string
			By    *string
			At    *time.Time
		}{&c.Plan, &c.Typed, &c.By, &c.At})
	}
	if err != nil {
		return nil, fmt.Errorf("record %d: %w", r.Seq, err)
	}
	return c, nil
}
