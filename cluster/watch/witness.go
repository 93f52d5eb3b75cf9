package watch

import "chef-backend-cockpit/cluster"

// Witness is told what the operator does, for an exercise. Its methods are
// called where keys and lines are taken: they must not block. What is carried
// out it learns from State.Run.
type Witness interface {
	// Looked: the evidence of a finding, or what is offered for it, was opened;
	// finding is its ID, "" where a node's menu was opened.
	Looked(finding string)
	// Opened: a plan was made and shown.
	Opened(p cluster.Plan)
	// WrongPhrase: another text than the phrase was typed to confirm.
	WrongPhrase(p cluster.Plan, typed string)
}
