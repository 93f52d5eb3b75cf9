package recovery

import (
	"io"
	"sync"
	"sync/atomic"

	"chef-backend-cockpit/remote"
)

// handed is a terminal in the operator's hands. Everything that comes from the
// node passes the run first, which records it.
type handed struct {
	inner remote.Terminal
	out   *io.PipeReader
	into  *io.PipeWriter
	once  sync.Once
	over  atomic.Bool // the node ended it
}

func newHanded(inner remote.Terminal) *handed {
	h := &handed{inner: inner}
	h.out, h.into = io.Pipe()
	return h
}

// Read is what the node wrote, raw.
func (h *handed) Read(b []byte) (int, error) { return h.out.Read(b) }

// Write is what the operator types, raw.
func (h *handed) Write(b []byte) (int, error) { return h.inner.Write(b) }

// Resize passes a new size on.
func (h *handed) Resize(s remote.Size) error { return h.inner.Resize(s) }

// Wait waits for the end of the terminal. What the command came to the plan
// tells: it looks at the node.
func (h *handed) Wait() (remote.Result, error) { return h.inner.Wait() }

// Close hangs up. A terminal that the node ended is left for the run to close: its
// output ends before its exit status is told, and a hang-up between the two would
// make an outcome unknown that is not.
func (h *handed) Close() error {
	h.once.Do(func() {
		h.out.Close()
		if !h.over.Load() {
			h.inner.Close()
		}
	})
	return nil
}

// pump passes output on until the terminal ends. A reader that has gone no
// longer hears it; it is recorded all the same.
func (h *handed) pump(record func([]byte)) {
	buf := make([]byte, 32<<10)
	for {
		n, err := h.inner.Read(buf)
		if n > 0 {
			record(buf[:n])
			h.into.Write(buf[:n]) //nolint:errcheck // whoever closed the reading end wants no more
		}
		if err != nil {
			h.over.Store(true) // before the reader hears of the end, and closes
			h.into.Close()
			return
		}
	}
}
