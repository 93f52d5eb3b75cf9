package remote

import (
	"fmt"
	"runtime/debug"
	"sync/atomic"
)

// Fault is a panic in a goroutine of the program.
type Fault struct {
	Value any
	Stack []byte
}

// Error names the fault; the stack is for a file.
func (f *Fault) Error() string { return fmt.Sprintf("internal error: %v", f.Value) }

// onFault is who hears of faults; nil: a panic ends the program as Go does.
var onFault atomic.Pointer[func(*Fault)]

// OnFault names who hears of a panic in any guarded goroutine. It is called in
// that goroutine, must not block, and is there for the one that owns the
// terminal: a panic that ends the program at once would leave the terminal raw.
// nil leaves panics to the runtime, as tests want them.
func OnFault(heard func(*Fault)) {
	if heard == nil {
		onFault.Store(nil)
		return
	}
	onFault.Store(&heard)
}

// Guard is deferred first in every goroutine of the program: a panic ends the
// goroutine alone and is told to whoever OnFault named.
func Guard() {
	heard := onFault.Load()
	if heard == nil {
		return
	}
	if r := recover(); r != nil {
		(*heard)(&Fault{Value: r, Stack: debug.Stack()})
	}
}
