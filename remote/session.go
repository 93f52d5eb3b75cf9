package remote

import (
	"io"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// keptStderr is how much of a long-lived session's stderr is kept, its end.
const keptStderr = 4 << 10

// session is a running script. The goroutines that serve it end with the
// channel, with the connection, or with Close: watch hears how the script ends,
// one copies stdout so that Close releases a reader at once, one drains stderr.
type session struct {
	c       *connection
	channel ssh.Channel
	in      stdin
	out     *io.PipeReader
	into    *io.PipeWriter
	stderr  keeper
	copied  chan struct{} // stdout is at its end and handed over
	course
	exit  int // valid after ended
	known bool
}

// course is how far a running script is.
type course struct {
	ended   chan struct{} // it is at its end
	drained chan struct{} // its error output is at its end, or given up
	closed  chan struct{} // Close was called
	once    sync.Once     // of Close
}

func newCourse() course {
	return course{ended: make(chan struct{}), drained: make(chan struct{}), closed: make(chan struct{})}
}

// wait waits for the end of the script, or for Close: then its outcome is unknown.
func (c *course) wait(host string) error {
	select {
	case <-c.ended:
		<-c.drained
		return nil
	case <-c.closed:
	}
	select {
	case <-c.ended:
		return nil
	default:
		return &Error{Host: host, Kind: LinkLost, Text: "the session was closed here before its script ended: its outcome is unknown"}
	}
}

// keeper is a stream of which a part is kept.
type keeper interface {
	io.Writer
	bytes() []byte
}

func newSession(c *connection, channel ssh.Channel, stderr keeper) *session {
	s := &session{c: c, channel: channel, stderr: stderr, copied: make(chan struct{}), course: newCourse()}
	s.in.channel = channel
	s.out, s.into = io.Pipe()
	return s
}

// begin starts reading; the script runs. The slot passes to the session.
func (s *session) begin() {
	go func() {
		defer Guard()
		_, err := io.Copy(s.into, s.channel)
		s.into.CloseWithError(err) // nil is the end of the output
		close(s.copied)
	}()
	go func() {
		defer Guard()
		io.Copy(s.stderr, s.channel.Stderr())
		close(s.drained)
	}()
	go s.release()
}

// release gives the slot back when the script has ended. What it wrote may
// still be read, until the session or its host is closed.
func (s *session) release() {
	defer Guard()
	<-s.ended
	<-s.c.slots
	select {
	case <-s.copied:
	case <-s.closed:
	case <-s.c.gone:
		s.Close()
	}
}

// watch hears the exit status; the requests end with the channel.
func (s *session) watch(requests <-chan *ssh.Request) {
	defer Guard()
	defer close(s.ended)
	for r := range requests {
		switch r.Type {
		case "exit-status":
			var m struct{ Status uint32 }
			if ssh.Unmarshal(r.Payload, &m) == nil {
				s.exit, s.known = int(m.Status), true
			}
		case "exit-signal":
			var m struct {
				Signal string
				Rest   []byte `ssh:"rest"`
			}
			if ssh.Unmarshal(r.Payload, &m) == nil {
				s.exit, s.known = 128+signalNumber(m.Signal), true
			}
		}
		if r.WantReply {
			r.Reply(false, nil)
		}
	}
}

// signalNumber is the number that a shell would add to 128.
func signalNumber(name string) int {
	n, ok := map[string]int{"HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "BUS": 7, "FPE": 8, "KILL": 9,
		"USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15}[name]
	if !ok {
		return 127 // 255: some signal
	}
	return n
}

func (s *session) Stdin() io.WriteCloser { return &s.in }
func (s *session) Stdout() io.Reader     { return s.out }

// Wait waits for the end of the script or for Close.
func (s *session) Wait() (Result, error) {
	if err := s.wait(s.c.host); err != nil {
		return Result{Stderr: s.stderr.bytes()}, err
	}
	r := Result{Stderr: s.stderr.bytes(), Exit: s.exit, ExitKnown: s.known}
	if !s.known {
		return r, s.noExit()
	}
	return r, nil
}

// deathMost is how long a connection that ends may take to say so after its
// channels have ended.
const deathMost = 500 * time.Millisecond

// noExit is the error of a script whose end was not told: unknown, not failed.
func (s *session) noExit() *Error {
	e := s.c.lost()
	late := time.NewTimer(deathMost)
	defer late.Stop()
	select {
	case <-s.c.dead:
		e.Text = "the link was lost before the script ended: its outcome is unknown"
	case <-late.C:
		e.Kind = Protocol
		e.Text = "the script ended without an exit status: its outcome is unknown"
		e.Remedy = "look at the host"
	}
	return e
}

// Close ends the channel at once. The library's own close may block on a dead
// link, so nobody waits for it; it ends with the connection.
func (s *session) Close() error {
	s.once.Do(func() {
		close(s.closed)
		s.out.CloseWithError(io.ErrClosedPipe)
		go func() {
			defer Guard()
			s.channel.Close()
		}()
	})
	return nil
}

// stdin is the script's input, and closes only that. The library must not close
// it while somebody writes: then whoever wrote last does, and nobody waits.
type stdin struct {
	channel ssh.Channel
	mu      sync.Mutex
	writing int
	closing bool
}

func (i *stdin) Write(p []byte) (int, error) {
	i.mu.Lock()
	if i.closing {
		i.mu.Unlock()
		return 0, io.ErrClosedPipe
	}
	i.writing++
	i.mu.Unlock()
	n, err := i.channel.Write(p)
	if i.done() {
		i.channel.CloseWrite() // nobody is left to hear of an error
	}
	return n, err
}

// done ends a write; last: the input is to be closed now.
func (i *stdin) done() (last bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.writing--
	return i.closing && i.writing == 0
}

func (i *stdin) Close() error {
	i.mu.Lock()
	later := i.closing || i.writing > 0
	i.closing = true
	i.mu.Unlock()
	if later {
		return nil
	}
	return i.channel.CloseWrite()
}
