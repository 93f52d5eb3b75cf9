// Package model is a three-node Chef Backend cluster as a calculation: power,
// network, runit, etcd, leaderl, PostgreSQL, Elasticsearch and the commands
// that an operator runs on a node. It is deterministic: the same seed,
// commands and clock steps give the same events. It has no goroutine, no clock
// and no I/O of its own; time comes with Advance, files and logs go out
// through Options.
//
// What the vendor documents or what was seen on real nodes is kept to the
// letter. Texts and columns that nobody outside the vendor has seen are
// invented and say so in a comment.
package model

import "time"

// Step is the length of one internal step. Nothing happens between steps.
const Step = 100 * time.Millisecond

// Files is the file system of one node, by absolute slash paths. Remove and
// RemoveAll of what is not there are no errors. Write makes missing parents.
type Files interface {
	Write(path string, data []byte) error
	Append(path string, data []byte) error
	Read(path string) ([]byte, error)
	Remove(path string) error
	RemoveAll(path string) error
	Exists(path string) bool
	List(dir string) ([]string, error)
	Mkdir(path string) error
}

// Options make a World.
type Options struct {
	Seed      int64
	Start     time.Time
	Names     []string // default be1 be2 be3
	Addresses []string // default 10.0.4.11 to .13
	Files     func(node string) Files
	// Log receives every log line without a stamp. at is the node's own
	// clock. nil drops the lines.
	Log func(node, service, line string, at time.Time)
}

// TimedFault is a fault that strikes some time after a scenario begins.
type TimedFault struct {
	After time.Duration
	Fault string
}

// Scenario is a story that begins with a healthy cluster. Ordinary ones need
// no hand: the cluster manages by itself.
type Scenario struct {
	Name, Title string
	Faults      []TimedFault
	Ordinary    bool
}

// Answers of Connect.
const (
	Open    = "open"
	Refused = "refused"
	Timeout = "timeout"
)
