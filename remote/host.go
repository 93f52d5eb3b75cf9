// Package remote reaches a host: it runs commands, keeps long-lived sessions
// and tells how the link is. It knows nothing of Chef.
package remote

import (
	"context"
	"io"
	"time"
)

// Host is one machine. All methods are safe for concurrent use. Every command
// runs as root: directly, or through sudo -n where the login is not root.
type Host interface {
	// Name is the short name given by the configuration.
	Name() string
	// Run runs a script to its end or until ctx is done. When the end cannot
	// be known (link lost, deadline) the error says so and
	// Result.ExitKnown is false: the outcome is unknown, not failed.
	Run(ctx context.Context, s Script) (Result, error)
	// Start starts a script whose input and output stay open. ctx bounds the
	// opening only. It never waits for a reconnect: without a live link it
	// fails at once with the link's error.
	Start(ctx context.Context, s Script) (Session, error)
	// Link is the newest state of the link; it never blocks.
	Link() Link
	// Close ends the link and every session; it returns within 1 s.
	Close() error
}

// Script is POSIX sh text, run as `sh -c Text Name Args…`. Text must not
// depend on the login shell: that may be slow, noisy or no sh at all.
type Script struct {
	Name string // $0: what a process list on the host shows
	Text string
	Args []string // $1…; no NUL bytes
	// Stdin is given to Run's script; nil is an empty input. Start ignores it.
	Stdin []byte
	// Limit is how many bytes of each output stream Run keeps; the rest is
	// read, counted in Result.Dropped and thrown away. 0 means 1 MiB.
	Limit int64
}

// Result is how a script ended. Output is raw: only parsers may read it; what
// becomes a string passes Safe.
type Result struct {
	Stdout, Stderr []byte
	Dropped        int64 // bytes beyond Limit, both streams
	Exit           int   // valid when ExitKnown
	ExitKnown      bool
}

// Session is a running script. Stdout must be read; stderr is drained and its
// last 4 KiB kept for Wait's Result.
type Session interface {
	Stdin() io.WriteCloser
	Stdout() io.Reader
	// Wait waits for the end; without an exit status ExitKnown is false.
	Wait() (Result, error)
	// Close ends the channel at once; the script sees the end of its input.
	Close() error
}

// Phase is how a link is.
type Phase string

// Phases. Stale: nothing heard for 3 s; lost: for 6 s, being tried again.
// Refused: a login or a key was refused; not tried again until Retry.
const (
	Connecting Phase = "connecting"
	Live       Phase = "live"
	Stale      Phase = "stale"
	Lost       Phase = "lost"
	Refused    Phase = "refused"
)

// Link is the state of a link.
type Link struct {
	Phase       Phase
	Since       time.Time
	Err         error  // why it is not live: an *Error; nil while live
	Fingerprint string // SHA256:… of the host key; "" before the first handshake
	User        string
	Privileged  bool // root, or sudo -n works
	// Waits: the login needs an answer of the operator, and nobody was there to
	// be asked. It is not tried again until Retry.
	Waits bool
	// Legacy are the broken algorithms that the connection uses, at any of its
	// hops; "" for none.
	Legacy string
}

// Kind sorts the ways in which reaching a host fails.
type Kind string

// Kinds of errors. Unreachable: no TCP connection, no SSH banner, or a standing
// connection on which nothing was heard until it counted as lost. LinkLost: the
// connection was cut; whether the host is there the next dial tells.
const (
	Unreachable    Kind = "unreachable"
	LoginFailed    Kind = "login-failed"
	HostKeyUnknown Kind = "host-key-unknown"
	HostKeyChanged Kind = "host-key-changed"
	NoPrivilege    Kind = "no-privilege"
	NoShell        Kind = "no-shell" // the login is accepted and runs no shell commands
	LinkLost       Kind = "link-lost"
	Timeout        Kind = "timeout"
	Protocol       Kind = "protocol"
)

// Error is a failure to reach or use a host, in the operator's terms.
type Error struct {
	Host   string
	Kind   Kind
	Text   string // what happened, safe
	Jump   string // the jump host at which it happened; "" at the host itself
	Remedy string // what to do about it
	Err    error  // the cause; may be nil

	waits bool // see Link.Waits
}

// Error is one line: host, what happened, what to do.
func (e *Error) Error() string {
	s := e.Host + ": " + e.Text
	if e.Remedy != "" {
		s += "; " + e.Remedy
	}
	return s
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }
