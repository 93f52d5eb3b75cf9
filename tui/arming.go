package tui

import (
	"time"

	"chef-backend-cockpit/cluster"
)

// How long the keyboard must be quiet before a dialog is live, and how long
// after the last letter Enter does not count yet. Both in real time.
const (
	quietTime = 400 * time.Millisecond
	enterTime = 250 * time.Millisecond
)

// arming keeps a dialog dead until the keyboard has been quiet: what was typed
// ahead, or leaked from a torn escape sequence, falls into nothing. Only the
// timer makes it live, so that the operator has seen the word.
type arming struct {
	human cluster.Clock
	last  time.Time // of the last key
	live  bool
}

// touch notes a key.
func (a *arming) touch() { a.last = a.human.Now() }

// kill makes the dialog dead again for at least the quiet time.
func (a *arming) kill() {
	a.live = false
	a.touch()
}

// due makes the dialog live if the keyboard has been quiet; else it answers
// how much longer to wait.
func (a *arming) due() (again time.Duration) {
	if rest := quietTime - a.human.Now().Sub(a.last); rest > 0 {
		return rest
	}
	a.live = true
	return 0
}
